//! Curves over an axis: losses, ROC, gains, calibration.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::ui::plot::axes::{self, Layout, cell, y_ticks};
use crate::ui::plot::canvas::Canvas;
use crate::ui::plot::curve::{self, column, draw_curve, smoothed};
use crate::ui::plot::scale::{Axis, drawable};
use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::numbers;
use crate::ui::widgets::text;

/// How a curve is drawn, so that curves differ without colours as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dash {
    /// Without a gap.
    #[default]
    Solid,
    /// With regular gaps.
    Dotted,
    /// A dot here and there: what curves are compared with.
    Sparse,
    /// The points alone, unconnected.
    Points,
}

/// One curve.
#[derive(Debug, Clone, Copy)]
pub struct Series<'a> {
    /// What the legend and the read-out call it.
    pub name: &'a str,
    /// The meaning that gives it its colour.
    pub role: Role,
    /// Its points, in order of x; a value that is no number leaves a gap.
    pub points: &'a [(f64, f64)],
    /// How its line is drawn.
    pub dash: Dash,
}

/// A line to compare curves with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reference {
    /// From one point to another: the diagonal of a ROC or calibration plot.
    Segment((f64, f64), (f64, f64)),
    /// All along one height: zero, a target, a baseline.
    Across(f64),
    /// All along one x: a cut-off, the best epoch.
    Down(f64),
}

/// Several curves over one pair of axes.
///
/// Every point counts: where several share a column of dots, the column shows their whole range,
/// so that a single spike among a million points is seen.
#[derive(Debug, Clone, Default)]
pub struct LinePlot<'a> {
    /// The curves; the last is on top.
    pub series: Vec<Series<'a>>,
    /// What lies along the x axis.
    pub x_label: &'a str,
    /// What is measured; it stands above the y axis.
    pub y_label: &'a str,
    /// The ends of the x axis; the points decide where it is `None`.
    pub x_range: Option<(f64, f64)>,
    /// The ends of the y axis; the points decide where it is `None`.
    pub y_range: Option<(f64, f64)>,
    /// Whether the y axis is logarithmic; values of nought and below are gaps then.
    pub log_y: bool,
    /// Weight of the past, from 0 to below 1, in an exponential mean that is drawn over the raw
    /// curve; the raw curve stays visible, dimmed.
    pub smooth: Option<f64>,
    /// Where the cursor stands on the x axis.
    pub cursor: Option<f64>,
    /// Lines to compare the curves with.
    pub references: Vec<Reference>,
    /// Whether the first line names the curves, or reads them off at the cursor.
    pub legend: bool,
    /// A sign along each curve, in their order, so that many curves can be told apart without
    /// colours; a blank, or none, leaves the curve as it is.
    pub signs: Vec<char>,
    /// Points worth a star, such as the best epoch.
    pub stars: Vec<(f64, f64)>,
}

/// What one curve says at the cursor.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The curve's name.
    pub name: String,
    /// The curve's meaning.
    pub role: Role,
    /// The point of the curve that is nearest to the cursor.
    pub at: (f64, f64),
}

impl LinePlot<'_> {
    /// Draws axes, curves, cursor and legend into the area, as much as it has room for.
    pub fn render(&self, area: Rect, buf: &mut Buffer, theme: &Theme) {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return;
        }
        let x_axis = self.x_axis();
        let columns = 2 * usize::from(area.width);
        let mut curves = Vec::new();
        if let Some(axis) = &x_axis {
            let all = self.series.iter().map(|series| series.points);
            curves.extend(all.map(|points| curve::decimated(points, axis, columns, self.log_y)));
        }
        let stretch = self.x_range.unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
        let in_sight = |point: &&(f64, f64)| stretch.0 <= point.0 && point.0 <= stretch.1;
        let y_axis = self
            .y_axis(curves.iter().flat_map(|points| points.iter()).filter(in_sight))
            .or_else(|| self.y_axis(curves.iter().flat_map(|points| points.iter())));
        let (Some(x_axis), Some(y_axis)) = (x_axis, y_axis) else {
            let note = text::fit_centre("nothing to draw yet", usize::from(area.width));
            buf.set_string(area.x, area.y + area.height / 2, note, theme.style(Role::Dim));
            return;
        };
        let layout = self.layout(area, &y_axis);
        let mut canvas = Canvas::new(layout.plot, theme.glyphs);
        self.draw_references(&mut canvas, &x_axis, &y_axis);
        if let Some(cursor) = self.cursor.and_then(|x| column(&canvas, &x_axis, x)) {
            let bottom = canvas.height().saturating_sub(1);
            canvas.column(cursor, 0, bottom, Role::Border, |_, y| y % 2 == 0);
        }
        if let Some(past) = self.smooth {
            for (series, points) in self.series.iter().zip(&mut curves) {
                draw_curve(&mut canvas, &x_axis, &y_axis, points, Role::Dim, series.dash);
                let mean = smoothed(series.points, past);
                let mean = curve::decimated(&mean, &x_axis, columns, self.log_y);
                *points = Cow::Owned(mean.into_owned());
            }
        }
        for (series, points) in self.series.iter().zip(&curves) {
            draw_curve(&mut canvas, &x_axis, &y_axis, points, series.role, series.dash);
        }
        canvas.paint(buf, theme);
        if layout.axes {
            axes::draw_y_axis(&layout, &y_axis, buf, theme);
            axes::draw_x_axis(&layout, &x_axis, self.x_label, buf, theme);
        }
        self.draw_signs(&layout, &x_axis, &y_axis, &curves, buf, theme);
        self.draw_marks(&layout, &x_axis, &y_axis, buf, theme);
        if let Some(line) = layout.legend {
            self.draw_legend(line, buf, theme);
        }
    }

    /// The nearest point of each curve to the cursor; nothing without a cursor.
    pub fn readings(&self) -> Vec<Reading> {
        let Some(x) = self.cursor else { return Vec::new() };
        self.series
            .iter()
            .filter_map(|series| {
                let near = nearest(series.points, x)?;
                Some(Reading { name: series.name.to_owned(), role: series.role, at: near })
            })
            .collect()
    }

    /// The x of the point that lies `steps` points from the cursor, for the keys that move it.
    ///
    /// Without a cursor it starts from the last point. `None` where there is no curve.
    pub fn step_cursor(&self, steps: isize) -> Option<f64> {
        let longest = self.series.iter().max_by_key(|series| series.points.len())?;
        let last = longest.points.len().checked_sub(1)?;
        let Some(x) = self.cursor else { return Some(longest.points[last].0) };
        let at = longest.points.partition_point(|point| point.0 < x).min(last);
        Some(longest.points[at.saturating_add_signed(steps).min(last)].0)
    }

    /// The range asked for, or that of the points; `None` without any.
    fn x_axis(&self) -> Option<Axis> {
        let drawn = |point: &&(f64, f64)| point.0.is_finite() && point.1.is_finite();
        let ends = self.series.iter().flat_map(|series| {
            // The points are in order, so the ends of a long curve are enough.
            let points = series.points;
            let all = if points.len() < 4096 { points } else { &[] };
            let ends = [points.iter().find(drawn), points.iter().rfind(drawn)];
            all.iter().filter(drawn).chain(ends.into_iter().flatten())
        });
        given(self.x_range, false).or_else(|| Axis::around(ends.map(|point| point.0), false, 0.0))
    }

    /// The range asked for, or that of the points in view; `None` without any.
    fn y_axis<'p>(&self, points: impl Iterator<Item = &'p (f64, f64)>) -> Option<Axis> {
        let mut values = points
            .filter(|point| point.0.is_finite() && drawable(point.1, self.log_y))
            .map(|point| point.1)
            .peekable();
        values.peek()?;
        given(self.y_range, self.log_y).or_else(|| Axis::around(values, self.log_y, 0.04))
    }

    fn layout(&self, area: Rect, y_axis: &Axis) -> Layout {
        let axes = area.width >= 16 && area.height >= 4;
        let legend = self.legend && area.height >= 3;
        let numbers = axes && area.height >= 6;
        let labels = if axes {
            let ticks = y_axis.ticks(y_ticks(area.height));
            let widest = y_axis.labels(&ticks).iter().map(|label| text::width(label)).max();
            (widest.unwrap_or(0) as u16).min(area.width / 3)
        } else {
            0
        };
        let left = if axes { labels + 2 } else { 0 };
        let top = u16::from(legend);
        let bottom = u16::from(axes) + u16::from(numbers);
        let plot = Rect {
            x: area.x + left,
            y: area.y + top,
            width: area.width - left,
            height: area.height.saturating_sub(top + bottom).max(1),
        };
        let legend = legend.then_some(Rect { height: 1, ..area });
        Layout { legend, plot, labels, numbers, axes }
    }

    fn draw_references(&self, canvas: &mut Canvas, x_axis: &Axis, y_axis: &Axis) {
        for reference in &self.references {
            let (from, to) = match *reference {
                Reference::Segment(from, to) => (from, to),
                Reference::Across(y) => ((x_axis.low, y), (x_axis.high, y)),
                Reference::Down(x) => {
                    if let Some(at) = column(canvas, x_axis, x) {
                        let bottom = canvas.height().saturating_sub(1);
                        canvas.column(at, 0, bottom, Role::Border, |_, y| y % 3 == 0);
                    }
                    continue;
                }
            };
            draw_curve(canvas, x_axis, y_axis, &[from, to], Role::Border, Dash::Sparse);
        }
    }

    /// The sign of each curve, here and there along it, and the stars.
    fn draw_signs(
        &self,
        layout: &Layout,
        x_axis: &Axis,
        y_axis: &Axis,
        curves: &[Cow<'_, [(f64, f64)]>],
        buf: &mut Buffer,
        theme: &Theme,
    ) {
        const APART: u16 = 12;
        let plot = layout.plot;
        let mut put = |(x, y): (f64, f64), sign: char, role: Role| {
            let places = (x_axis.place(x), y_axis.place(y));
            let (Some(x @ 0.0..=1.0), Some(y @ 0.0..=1.0)) = places else { return };
            let (column, row) = (cell(x, plot.width), cell(y, plot.height));
            if let Some(cell) = buf.cell_mut((plot.x + column, plot.bottom() - 1 - row)) {
                cell.set_char(sign).set_style(theme.style(role));
            }
        };
        let signed = self.series.iter().zip(&self.signs).zip(curves);
        let signed = signed.filter(|((_, sign), _)| !sign.is_whitespace());
        for (idx, ((series, sign), points)) in signed.enumerate() {
            // Each curve begins elsewhere, so that signs do not hide each other.
            let first = APART / 2 + idx as u16 * 5 % APART;
            for column in (first..plot.width).step_by(usize::from(APART)) {
                let share = (f64::from(column) + 0.5) / f64::from(plot.width);
                let x = x_axis.low + share * (x_axis.high - x_axis.low);
                if let Some(y) = height_at(points, x) {
                    put((x, y), *sign, series.role);
                }
            }
        }
        for star in &self.stars {
            put(*star, '★', Role::Good);
        }
    }

    /// A diamond on each curve at the cursor.
    fn draw_marks(
        &self,
        layout: &Layout,
        x_axis: &Axis,
        y_axis: &Axis,
        buf: &mut Buffer,
        theme: &Theme,
    ) {
        let Some(cursor) = self.cursor else { return };
        for Reading { role, at, .. } in self.readings() {
            let places = (x_axis.place(cursor), y_axis.place(at.1));
            let (Some(x @ 0.0..=1.0), Some(y @ 0.0..=1.0)) = places else { continue };
            let column = layout.plot.x + cell(x, layout.plot.width);
            let row = layout.plot.bottom() - 1 - cell(y, layout.plot.height);
            buf.set_string(column, row, "◆", theme.style(role));
        }
    }

    fn draw_legend(&self, line: Rect, buf: &mut Buffer, theme: &Theme) {
        let width = usize::from(line.width);
        let label = text::cut(self.y_label, width);
        buf.set_string(line.x, line.y, &label, theme.style(Role::Dim));
        let readings = self.readings();
        let mut parts: Vec<(String, Role)> = Vec::new();
        for (i, series) in self.series.iter().enumerate() {
            if i > 0 {
                parts.push(("  ".to_owned(), Role::Text));
            }
            let sample = match series.dash {
                Dash::Solid => "──",
                Dash::Dotted => "╌╌",
                Dash::Sparse => "· ",
                Dash::Points => "··",
            };
            parts.push((sample.to_owned(), series.role));
            parts.push((format!(" {}", text::clean(series.name)), Role::Text));
            if let Some(reading) = readings.iter().find(|reading| reading.name == series.name) {
                parts.push((format!(" {}", numbers::significant(reading.at.1, 3)), Role::Strong));
            }
        }
        if let Some(reading) = readings.first() {
            let x = numbers::significant(reading.at.0, 4);
            parts.push((format!("  at {x}"), Role::Dim));
        }
        let wanted: usize = parts.iter().map(|(part, _)| text::width(part)).sum();
        let room = width.saturating_sub(if label.is_empty() { 0 } else { text::width(&label) + 2 });
        let mut x = line.right() - wanted.min(room) as u16;
        for (part, role) in parts {
            let part = text::cut(&part, usize::from(line.right() - x));
            buf.set_string(x, line.y, &part, theme.style(role));
            x += text::width(&part) as u16;
        }
    }
}

/// A range as an axis, if it can be one.
fn given(range: Option<(f64, f64)>, log: bool) -> Option<Axis> {
    let (low, high) = range?;
    let good = low < high && drawable(low, log) && drawable(high, log);
    good.then_some(Axis { low, high, log })
}

/// How high a curve is at an x: between its points on the line that joins them; nowhere beside
/// its ends and in its gaps.
fn height_at(points: &[(f64, f64)], x: f64) -> Option<f64> {
    let at = points.partition_point(|point| point.0 < x);
    let (before, after) = (points.get(at.checked_sub(1)?)?, points.get(at)?);
    let share = if after.0 > before.0 { (x - before.0) / (after.0 - before.0) } else { 0.0 };
    let y = before.1 + share * (after.1 - before.1);
    y.is_finite().then_some(y)
}

/// The drawable point nearest to an x, among points in order of x.
fn nearest(points: &[(f64, f64)], x: f64) -> Option<(f64, f64)> {
    let at = points.partition_point(|point| point.0 < x);
    let good = |point: &&(f64, f64)| point.0.is_finite() && point.1.is_finite();
    let before = points[..at].iter().rev().find(good);
    let after = points[at..].iter().find(good);
    match (before, after) {
        (Some(a), Some(b)) => Some(if x - a.0 < b.0 - x { *a } else { *b }),
        (a, b) => a.or(b).copied(),
    }
}

#[cfg(test)]
mod tests;

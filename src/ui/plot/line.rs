//! Curves over an axis: losses, ROC, gains, calibration.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::ui::plot::canvas::Canvas;
use crate::ui::plot::scale::Axis;
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

/// The parts of the area, in cells.
struct Layout {
    legend: Option<Rect>,
    plot: Rect,
    labels: u16,
    numbers: bool,
    axes: bool,
}

impl LinePlot<'_> {
    /// Draws axes, curves, cursor and legend into the area, as much as it has room for.
    pub fn render(&self, area: Rect, buf: &mut Buffer, theme: &Theme) {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return;
        }
        let Some((x_axis, y_axis)) = self.axes() else {
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
        for series in &self.series {
            let smoothed = self.smooth.map(|past| smoothed(series.points, past));
            let raw = if smoothed.is_some() { Role::Dim } else { series.role };
            draw_curve(&mut canvas, &x_axis, &y_axis, series.points, raw, series.dash);
            if let Some(points) = smoothed {
                draw_curve(&mut canvas, &x_axis, &y_axis, &points, series.role, series.dash);
            }
        }
        canvas.paint(buf, theme);
        if layout.axes {
            draw_y_axis(&layout, &y_axis, buf, theme);
            self.draw_x_axis(&layout, &x_axis, buf, theme);
        }
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

    /// Both axes, or `None` where there is nothing to draw.
    fn axes(&self) -> Option<(Axis, Axis)> {
        let points = || self.series.iter().flat_map(|series| series.points.iter());
        let given = |range: Option<(f64, f64)>, log: bool| {
            let (low, high) = range?;
            (low < high && low.is_finite() && high.is_finite() && (!log || low > 0.0))
                .then_some(Axis { low, high, log })
        };
        let y = given(self.y_range, self.log_y)
            .or_else(|| Axis::around(points().map(|point| point.1), self.log_y, 0.04))?;
        let x = given(self.x_range, false)
            .or_else(|| Axis::around(points().map(|point| point.0), false, 0.0))?;
        Some((x, y))
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
            draw_curve(canvas, x_axis, y_axis, &[from, to], Role::Border, Dash::Dotted);
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
                Dash::Dotted => "┄┄",
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

    fn draw_x_axis(&self, layout: &Layout, axis: &Axis, buf: &mut Buffer, theme: &Theme) {
        let plot = layout.plot;
        let row = plot.bottom();
        let quiet = theme.style(Role::Border);
        buf.set_string(plot.x - 1, row, "└", quiet);
        for x in plot.left()..plot.right() {
            buf.set_string(x, row, "─", quiet);
        }
        let ticks = axis.ticks(usize::from(plot.width / 9).clamp(2, 12));
        let mut labels = LabelLine::new(plot.width);
        for (tick, label) in ticks.iter().zip(axis.labels(&ticks)) {
            let Some(place @ 0.0..=1.0) = axis.place(*tick) else { continue };
            let at = cell(place, plot.width);
            buf.set_string(plot.x + at, row, "┬", quiet);
            labels.put_around(at, &label);
        }
        let dim = theme.style(Role::Dim);
        let name = text::clean(self.x_label);
        if layout.numbers {
            labels.put_last(&name);
            buf.set_string(plot.x, row + 1, labels.finish(), dim);
        } else if !name.is_empty() {
            let name = text::cut(&format!(" {name}"), usize::from(plot.width));
            buf.set_string(plot.right() - text::width(&name) as u16, row, &name, dim);
        }
    }
}

/// The line below an axis, filled from the left, in which no label touches another.
struct LabelLine {
    cells: Vec<char>,
}

impl LabelLine {
    fn new(width: u16) -> Self {
        Self { cells: vec![' '; usize::from(width)] }
    }

    /// Puts a number below its tick, if there is room.
    fn put_around(&mut self, at: u16, label: &str) {
        let long = label.chars().count();
        let Some(most) = self.cells.len().checked_sub(long) else { return };
        let start = usize::from(at).saturating_sub(long / 2).min(most);
        if self.is_free(start, long) {
            self.put(start, label);
        }
    }

    /// Puts a name into the last gap that is wide enough, or else over the numbers at the end.
    fn put_last(&mut self, name: &str) {
        let name = text::cut(name, self.cells.len() / 2);
        // One cell for each character, so that the line can be built of them.
        let long = name.chars().count();
        if long == 0 || text::width(&name) != long {
            return;
        }
        let most = self.cells.len() - long;
        let start = (0..=most).rev().find(|start| self.is_free(*start, long)).unwrap_or(most);
        // In the gap before the last number the name stands in the middle.
        let gap = (0..start).rev().take_while(|start| self.is_free(*start, long)).count();
        let start = if start == most { start } else { start - gap / 2 };
        let mut k = start;
        while k > 0 && self.cells[k - 1] != ' ' {
            k -= 1;
            self.cells[k] = ' ';
        }
        self.put(start, &name);
    }

    fn finish(self) -> String {
        self.cells.into_iter().collect()
    }

    /// Whether a stretch and the cells beside it are blank.
    fn is_free(&self, start: usize, long: usize) -> bool {
        let end = (start + long + 1).min(self.cells.len());
        self.cells[start.saturating_sub(1)..end].iter().all(|c| *c == ' ')
    }

    fn put(&mut self, start: usize, label: &str) {
        for (cell, c) in self.cells[start..].iter_mut().zip(label.chars()) {
            *cell = c;
        }
    }
}

fn draw_y_axis(layout: &Layout, axis: &Axis, buf: &mut Buffer, theme: &Theme) {
    let plot = layout.plot;
    let quiet = theme.style(Role::Border);
    for y in plot.top()..plot.bottom() {
        buf.set_string(plot.x - 1, y, "│", quiet);
    }
    let ticks = axis.ticks(y_ticks(plot.height));
    let mut last_row = None;
    for (tick, label) in ticks.iter().zip(axis.labels(&ticks)) {
        let Some(place @ 0.0..=1.0) = axis.place(*tick) else { continue };
        let row = plot.bottom() - 1 - cell(place, plot.height);
        if last_row == Some(row) {
            continue;
        }
        last_row = Some(row);
        let label = text::fit_right(&label, usize::from(layout.labels));
        buf.set_string(plot.x - 2 - layout.labels, row, label, theme.style(Role::Dim));
        buf.set_string(plot.x - 1, row, "┤", quiet);
    }
}

/// How many numbers a y axis of that height has room for.
fn y_ticks(height: u16) -> usize {
    usize::from(height / 2).clamp(2, 8)
}

/// The cell on an axis of that many at which a place from nought to one lies.
fn cell(place: f64, cells: u16) -> u16 {
    ((place * f64::from(cells)) as u16).min(cells.saturating_sub(1))
}

/// The column of dots over an x, if it is on the canvas.
fn column(canvas: &Canvas, axis: &Axis, x: f64) -> Option<usize> {
    let place = axis.place(x).filter(|place| (0.0..=1.0).contains(place))?;
    Some((place * canvas.width().saturating_sub(1) as f64).round() as usize)
}

/// Draws a curve: for every column of dots the whole range of the points in it, joined to the
/// point before.
fn draw_curve(
    canvas: &mut Canvas,
    x_axis: &Axis,
    y_axis: &Axis,
    points: &[(f64, f64)],
    role: Role,
    dash: Dash,
) {
    if canvas.width() == 0 || canvas.height() == 0 {
        return;
    }
    let right = (canvas.width() - 1) as f64;
    let bottom = (canvas.height() - 1) as f64;
    let seen = |_: usize, _: usize| true;
    let gaps = |x: usize, y: usize| (x + y) % 4 < 2;
    let mut before: Option<(f64, f64)> = None;
    let mut pending: Option<(usize, f64, f64)> = None;
    let mut flush = |pending: &mut Option<(usize, f64, f64)>| {
        if let Some((x, low, high)) = pending.take() {
            let (low, high) = (low.max(0.0), high.min(bottom));
            if low <= high {
                let (low, high) = (low.round() as usize, high.round() as usize);
                match dash {
                    Dash::Dotted => canvas.column(x, low, high, role, gaps),
                    Dash::Solid | Dash::Points => canvas.column(x, low, high, role, seen),
                }
            }
        }
    };
    for (x, y) in points {
        let place = x_axis.place(*x).zip(y_axis.place(*y));
        let Some((x, y)) = place.map(|(x, y)| (x * right, (1.0 - y) * bottom)) else {
            before = None;
            continue;
        };
        let mut ink = |x: usize, low: f64, high: f64| match &mut pending {
            Some((column, least, most)) if *column == x => {
                *least = least.min(low);
                *most = most.max(high);
            }
            _ => {
                flush(&mut pending);
                pending = Some((x, low, high));
            }
        };
        if let Some((old_x, old_y)) = before.filter(|_| dash != Dash::Points) {
            // The segment from the point before, cut into the columns that it crosses.
            let (from, to) = (old_x.clamp(0.0, right), x.clamp(0.0, right));
            let (first, last) = (from.round() as usize, to.round() as usize);
            if first < last {
                let slope = (y - old_y) / (x - old_x);
                for column in first..=last {
                    let a = (column as f64 - 0.5).max(old_x);
                    let b = (column as f64 + 0.5).min(x);
                    let (a, b) = (old_y + slope * (a - old_x), old_y + slope * (b - old_x));
                    ink(column, a.min(b), a.max(b));
                }
            } else if (0.0..=right).contains(&x) {
                ink(last, y.min(old_y), y.max(old_y));
            }
        } else if (-0.5..=right + 0.5).contains(&x) {
            ink(x.max(0.0).round() as usize, y, y);
        }
        before = Some((x, y));
    }
    flush(&mut pending);
}

/// The exponential mean of a curve, corrected for its start, gaps passed over.
fn smoothed(points: &[(f64, f64)], past: f64) -> Vec<(f64, f64)> {
    let past = if past.is_finite() { past.clamp(0.0, 0.999) } else { 0.0 };
    let (mut mean, mut weight) = (0.0, 0.0);
    let mut out = Vec::with_capacity(points.len());
    for (x, y) in points {
        if y.is_finite() {
            mean = past * mean + (1.0 - past) * y;
            weight = past * weight + (1.0 - past);
            out.push((*x, mean / weight));
        } else {
            out.push((*x, f64::NAN));
        }
    }
    out
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

//! One curve as dots, however many points it has.

use crate::ui::plot::canvas::Canvas;
use crate::ui::plot::line::Dash;
use crate::ui::plot::scale::Axis;
use crate::ui::theme::Role;

/// Draws a curve: for every column of dots the whole range of the points in it, joined to the
/// point before.
pub(super) fn draw_curve(
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
pub(super) fn smoothed(points: &[(f64, f64)], past: f64) -> Vec<(f64, f64)> {
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

/// The column of dots over an x, if it is on the canvas.
pub(super) fn column(canvas: &Canvas, axis: &Axis, x: f64) -> Option<usize> {
    let place = axis.place(x).filter(|place| (0.0..=1.0).contains(place))?;
    Some((place * canvas.width().saturating_sub(1) as f64).round() as usize)
}

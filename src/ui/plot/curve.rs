//! One curve as dots, however many points it has.

use std::borrow::Cow;

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
    let gaps = |x: usize, y: usize| (x + y) % 8 < 4;
    let sparse = |x: usize, _: usize| x.is_multiple_of(6);
    let mut before: Option<(f64, f64)> = None;
    let mut pending: Option<(usize, f64, f64)> = None;
    let mut flush = |pending: &mut Option<(usize, f64, f64)>| {
        if let Some((x, low, high)) = pending.take() {
            let (low, high) = (low.max(0.0), high.min(bottom));
            if low <= high {
                let (low, high) = (low.round() as usize, high.round() as usize);
                match dash {
                    Dash::Dotted => canvas.column(x, low, high, role, gaps),
                    Dash::Sparse => canvas.column(x, low, high, role, sparse),
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

/// At most four points for each of so many columns: its first, least, greatest and last.
///
/// That draws the same dots as all of them, and keeps the extremes. A column without any value
/// that can be drawn keeps its gap. Short curves stay as they are.
pub(super) fn decimated<'a>(
    points: &'a [(f64, f64)],
    axis: &Axis,
    columns: usize,
    log: bool,
) -> Cow<'a, [(f64, f64)]> {
    if points.len() <= columns * 8 {
        return Cow::Borrowed(points);
    }
    let mut kept = Vec::with_capacity(columns * 4 + 2);
    let step = (axis.high / 2.0 - axis.low / 2.0) / columns as f64 * 2.0;
    // One point outside at each end, so that the curve runs to the edge.
    let mut from = points.partition_point(|point| point.0 < axis.low);
    kept.extend(from.checked_sub(1).map(|before| points[before]));
    for column in 1..=columns {
        let rest = &points[from..];
        let n = if column == columns {
            rest.partition_point(|point| point.0 <= axis.high)
        } else {
            let end = axis.low + step * column as f64;
            rest.partition_point(|point| point.0 < end)
        };
        from += n;
        let (Some(first), Some(last)) = (rest[..n].first(), rest[..n].last()) else { continue };
        let (least, greatest) = extremes(&rest[..n], log);
        if least <= greatest {
            kept.extend([*first, (first.0, least), (first.0, greatest), *last]);
        } else {
            kept.push((first.0, f64::NAN));
        }
    }
    kept.extend(points.get(from));
    Cow::Owned(kept)
}

/// The least and the greatest drawable value; the least is above the greatest without any.
fn extremes(points: &[(f64, f64)], log: bool) -> (f64, f64) {
    let floor = if log { 0.0 } else { f64::NEG_INFINITY };
    // Four strands without branches, for there may be millions.
    let mut least = [f64::INFINITY; 4];
    let mut greatest = [f64::NEG_INFINITY; 4];
    for four in points.chunks(4) {
        for ((&(_, y), least), greatest) in four.iter().zip(&mut least).zip(&mut greatest) {
            // What is not drawn becomes NaN, which is neither less nor greater.
            let y = if y.is_finite() && y > floor { y } else { f64::NAN };
            *least = if y < *least { y } else { *least };
            *greatest = if y > *greatest { y } else { *greatest };
        }
    }
    (
        least.into_iter().fold(f64::INFINITY, f64::min),
        greatest.into_iter().fold(f64::NEG_INFINITY, f64::max),
    )
}

/// The exponential mean of a curve, corrected for its start, gaps passed over.
pub(super) fn smoothed(points: &[(f64, f64)], past: f64) -> Vec<(f64, f64)> {
    let past = if past.is_finite() { past.clamp(0.0, 0.999) } else { 0.0 };
    let share = 1.0 - past;
    let (mut mean, mut weight) = (0.0, 0.0);
    let mut out = Vec::with_capacity(points.len());
    for (x, y) in points {
        if !y.is_finite() {
            out.push((*x, f64::NAN));
            continue;
        }
        mean = past * mean + share * y;
        if weight < SETTLED {
            weight = past * weight + share;
            out.push((*x, mean / weight));
        } else {
            out.push((*x, mean));
        }
    }
    out
}

/// From this weight on the start of an exponential mean has been forgotten.
const SETTLED: f64 = 1.0 - 1e-12;

/// The column of dots over an x, if it is on the canvas.
pub(super) fn column(canvas: &Canvas, axis: &Axis, x: f64) -> Option<usize> {
    let place = axis.place(x).filter(|place| (0.0..=1.0).contains(place))?;
    Some((place * canvas.width().saturating_sub(1) as f64).round() as usize)
}

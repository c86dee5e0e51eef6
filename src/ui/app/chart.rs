//! The chart of a training: what it shows, which stretch of it, and where its cursor stands.

use super::curves::{Quantity, Spot};

/// How strongly a curve is smoothed, from not at all: the weight of the past at each point.
const SMOOTH: [Option<f64>; 4] = [None, Some(0.6), Some(0.9), Some(0.99)];

/// So many points stay in sight however far one zooms in.
const LEAST_POINTS: f64 = 4.0;

/// What the chart shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chart {
    /// Which quantity.
    pub quantity: Quantity,
    /// Whether the upright axis is logarithmic.
    pub log: bool,
    /// Where the cursor stands, in steps.
    pub cursor: Option<f64>,
    /// The stretch of steps that is shown; all of them without it.
    pub range: Option<(f64, f64)>,
    smooth: usize,
}

impl Chart {
    /// The weight of the past in the smoothed curve, when it is smoothed.
    pub fn smooth(&self) -> Option<f64> {
        SMOOTH[self.smooth % SMOOTH.len()]
    }

    /// Smooths more, and after the most not at all.
    pub fn smooth_more(&mut self) {
        self.smooth = (self.smooth + 1) % SMOOTH.len();
    }

    /// Forgets cursor and stretch, which meant another curve.
    pub fn look_away(&mut self) {
        (self.cursor, self.range) = (None, None);
    }

    /// Moves the cursor by so many points; it begins at the last one.
    pub fn step(&mut self, points: &[Spot], by: isize) {
        let Some(last) = points.len().checked_sub(1) else { return };
        let at = match self.cursor {
            None => last,
            Some(x) => nearest(points, x).saturating_add_signed(by).min(last),
        };
        self.cursor = Some(points[at].0);
        self.follow(points);
    }

    /// Moves the cursor by a share of the stretch that is shown, and at least by one point.
    pub fn stride(&mut self, points: &[Spot], share: f64) {
        let Some((low, high)) = self.shown(points) else { return };
        let here = self.cursor.unwrap_or(high);
        let before = nearest(points, here);
        let at = nearest(points, here + share * (high - low));
        let at = if at == before {
            before.saturating_add_signed(if share < 0.0 { -1 } else { 1 }).min(points.len() - 1)
        } else {
            at
        };
        self.cursor = Some(points[at].0);
        self.follow(points);
    }

    /// Makes the stretch that is shown `factor` times as long, around the cursor or, without one,
    /// at its end.
    pub fn zoom(&mut self, points: &[Spot], factor: f64) {
        let (Some((low, high)), Some((first, last))) = (self.shown(points), ends(points)) else {
            return;
        };
        let least = (last - first) / points.len().max(2) as f64 * LEAST_POINTS;
        let width = ((high - low) * factor).max(least);
        if width >= last - first {
            self.range = None;
            return;
        }
        let low = match self.cursor {
            Some(cursor) => cursor - width / 2.0,
            None => high - width,
        };
        let low = low.clamp(first, last - width);
        self.range = Some((low, low + width));
    }

    /// The stretch that is shown; `None` for a curve of less than two steps.
    pub fn shown(&self, points: &[Spot]) -> Option<(f64, f64)> {
        self.range.or_else(|| ends(points))
    }

    /// Moves the stretch along so that the cursor stays in sight.
    fn follow(&mut self, points: &[Spot]) {
        let (Some((low, high)), Some(cursor)) = (self.range, self.cursor) else { return };
        let (Some((first, last)), width) = (ends(points), high - low) else { return };
        if (low..=high).contains(&cursor) {
            return;
        }
        let low = if cursor < low { cursor } else { cursor - width };
        let low = low.clamp(first, (last - width).max(first));
        self.range = Some((low, low + width));
    }
}

fn ends(points: &[Spot]) -> Option<(f64, f64)> {
    let (first, last) = (points.first()?.0, points.last()?.0);
    (first < last).then_some((first, last))
}

/// The place of the point nearest to a step; 0 where there is none.
fn nearest(points: &[Spot], x: f64) -> usize {
    let at = points.partition_point(|point| point.0 < x);
    let last = points.len().saturating_sub(1);
    match at {
        0 => 0,
        at if at > last => last,
        at if x - points[at - 1].0 < points[at].0 - x => at - 1,
        at => at,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(n: usize) -> Vec<Spot> {
        (1..=n).map(|x| (x as f64, 1.0 / x as f64)).collect()
    }

    #[test]
    fn the_cursor_begins_at_the_end_and_stops_at_the_ends() {
        let (points, mut chart) = (line(100), Chart::default());
        chart.step(&points, -1);
        assert_eq!(chart.cursor, Some(100.0));
        chart.step(&points, -1);
        assert_eq!(chart.cursor, Some(99.0));
        chart.stride(&points, -0.1);
        assert_eq!(chart.cursor, Some(89.0));
        for _ in 0..20 {
            chart.stride(&points, -0.1);
        }
        assert_eq!(chart.cursor, Some(1.0));
    }

    #[test]
    fn zooming_goes_around_the_cursor_and_back_to_all() {
        let (points, mut chart) = (line(101), Chart::default());
        chart.zoom(&points, 0.5);
        assert_eq!(chart.range, Some((51.0, 101.0)), "without a cursor the end stays");
        chart.cursor = Some(60.0);
        chart.zoom(&points, 0.5);
        assert_eq!(chart.range, Some((47.5, 72.5)));
        chart.stride(&points, 1.0);
        assert_eq!(chart.range, Some((60.0, 85.0)), "the stretch follows the cursor");
        for _ in 0..3 {
            chart.zoom(&points, 2.0);
        }
        assert_eq!(chart.range, None);
    }

    #[test]
    fn smoothing_turns_through_its_strengths() {
        let mut chart = Chart::default();
        let turned: Vec<_> = SMOOTH
            .iter()
            .map(|_| {
                chart.smooth_more();
                chart.smooth()
            })
            .collect();
        assert_eq!(turned, [Some(0.6), Some(0.9), Some(0.99), None]);
    }

    proptest! {
        #[test]
        fn cursor_and_stretch_stay_on_the_curve(n in 0usize..40, keys in proptest::collection::vec(0usize..6, 0..60)) {
            let (points, mut chart) = (line(n), Chart::default());
            for key in keys {
                match key {
                    0 => chart.step(&points, -1),
                    1 => chart.step(&points, 1),
                    2 => chart.stride(&points, -0.1),
                    3 => chart.stride(&points, 0.1),
                    4 => chart.zoom(&points, 0.5),
                    _ => chart.zoom(&points, 2.0),
                }
                let end = n as f64;
                prop_assert!(chart.cursor.is_none_or(|x| (1.0..=end).contains(&x)));
                prop_assert!(chart.range.is_none_or(|(a, b)| 1.0 <= a && a < b && b <= end + 1e-9));
                if let (Some(x), Some((a, b)), true) = (chart.cursor, chart.range, key < 4) {
                    prop_assert!((a - 1e-9..=b + 1e-9).contains(&x));
                }
            }
        }
    }
}

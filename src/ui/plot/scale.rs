//! From values to a place on an axis, and the round numbers that stand beside it.

use crate::ui::widgets::numbers;

/// The stretch of numbers that an axis shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Axis {
    /// The number at its beginning.
    pub low: f64,
    /// The number at its end, above `low`.
    pub high: f64,
    /// Whether equal factors, instead of equal differences, take equal room.
    pub log: bool,
}

impl Axis {
    /// The axis that holds all drawable `values`, with `pad` of its length to spare at both ends.
    ///
    /// It is `None` where no value can be drawn. A single value gets an axis around it.
    pub fn around(values: impl Iterator<Item = f64>, log: bool, pad: f64) -> Option<Self> {
        let mut low = f64::INFINITY;
        let mut high = f64::NEG_INFINITY;
        for value in values.filter(|v| drawable(*v, log)) {
            low = low.min(value);
            high = high.max(value);
        }
        (low <= high).then(|| Self { low, high, log }.padded(pad))
    }

    /// Where a value lies on the axis, nought to one inside of it; `None` for what has no place.
    pub fn place(&self, value: f64) -> Option<f64> {
        if !drawable(value, self.log) {
            return None;
        }
        let (value, low, high) = if self.log {
            (value.ln(), self.low.ln(), self.high.ln())
        } else {
            // Halved, so that the difference of two huge numbers stays a number.
            (value / 2.0, self.low / 2.0, self.high / 2.0)
        };
        let place = (value - low) / (high - low);
        place.is_finite().then_some(place)
    }

    /// At most `most` round numbers on the axis, lowest first.
    pub fn ticks(&self, most: usize) -> Vec<f64> {
        if self.log {
            log_ticks(self.low, self.high, most)
        } else {
            nice_ticks(self.low, self.high, most)
        }
    }

    /// What stands beside the ticks.
    pub fn labels(&self, ticks: &[f64]) -> Vec<String> {
        if self.log {
            ticks.iter().map(|tick| numbers::significant(*tick, 3)).collect()
        } else {
            numbers::ticks(ticks)
        }
    }

    fn padded(self, pad: f64) -> Self {
        let Self { low, high, log } = self;
        let (low, high) = if log {
            let factor = if low == high { 2.0 } else { (high / low).powf(pad).min(1e3) };
            ((low / factor).max(f64::MIN_POSITIVE), (high * factor).min(f64::MAX))
        } else {
            let more = if low == high {
                if low == 0.0 { 1.0 } else { low.abs() * 0.1 }
            } else {
                (high / 2.0 - low / 2.0) * 2.0 * pad
            };
            let more = if more.is_finite() { more } else { 0.0 };
            ((low - more).max(f64::MIN), (high + more).min(f64::MAX))
        };
        if low < high {
            Self { low, high, log }
        } else {
            Self { low: low - 1.0, high: high + 1.0, log }
        }
    }
}

/// At most `most` numbers from `low` to `high` whose steps are 1, 2 or 5 times a power of ten.
pub fn nice_ticks(low: f64, high: f64, most: usize) -> Vec<f64> {
    let span = high / 2.0 - low / 2.0;
    if most == 0 || !span.is_finite() || span <= 0.0 {
        return Vec::new();
    }
    let rough = span / most as f64 * 2.0;
    let power = 10f64.powf(rough.log10().floor());
    for factor in [1.0, 2.0, 5.0, 10.0, 20.0, 50.0] {
        let step = power * factor;
        let first = (low / step - 1e-9).ceil();
        let last = (high / step + 1e-9).floor();
        let n = last - first + 1.0;
        if !(step.is_finite() && step > 0.0 && n.is_finite()) {
            break;
        }
        if n <= most as f64 {
            return (0..n.max(0.0) as usize)
                .map(|i| tidy((first + i as f64) * step, step))
                .collect();
        }
    }
    Vec::new()
}

/// Powers of ten, or 1, 2 and 5 times them where there is room.
fn log_ticks(low: f64, high: f64, most: usize) -> Vec<f64> {
    let first = low.log10().floor() as i32;
    let last = high.log10().ceil() as i32;
    let inside = |factors: &[f64], every: i32| -> Vec<f64> {
        let powers = (first..=last).filter(|p| p.rem_euclid(every) == 0);
        let all = powers.flat_map(|p| factors.iter().map(move |f| f * 10f64.powi(p)));
        let is_inside = |v: &f64| *v >= low * (1.0 - 1e-9) && *v <= high * (1.0 + 1e-9);
        all.filter(|v| v.is_finite() && is_inside(v)).collect()
    };
    let fine = inside(&[1.0, 2.0, 5.0], 1);
    if fine.len() <= most {
        return if fine.len() < 2 { nice_ticks(low, high, most) } else { fine };
    }
    for every in 1..=last.saturating_sub(first).max(1) {
        let coarse = inside(&[1.0], every);
        if coarse.len() <= most {
            return coarse;
        }
    }
    Vec::new()
}

/// Takes the rounding dust off a multiple of a step.
fn tidy(value: f64, step: f64) -> f64 {
    let scale = 10f64.powf(-step.log10().floor() + 2.0);
    let clean = (value * scale).round() / scale;
    if clean.is_finite() && clean != 0.0 {
        clean
    } else if value.abs() < step / 2.0 {
        0.0
    } else {
        value
    }
}

/// Whether a value has a place on such an axis.
pub(super) fn drawable(value: f64, log: bool) -> bool {
    value.is_finite() && (!log || value >= f64::MIN_POSITIVE)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ticks_are_round_numbers() {
        assert_eq!(nice_ticks(0.0, 1.0, 6), [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]);
        assert_eq!(nice_ticks(0.47, 0.69, 4), [0.5, 0.55, 0.6, 0.65]);
        assert_eq!(nice_ticks(0.0, 1000.0, 3), [0.0, 500.0, 1000.0]);
        assert_eq!(log_ticks(0.001, 1000.0, 4), [0.01, 1.0, 100.0]);
        assert_eq!(log_ticks(0.1, 2.0, 9), [0.1, 0.2, 0.5, 1.0, 2.0]);
        assert!(log_ticks(1e308, 1.5e308, 6).iter().all(|tick| tick.is_finite()));
    }

    #[test]
    fn one_value_gets_an_axis_around_it_and_none_gets_none() {
        let axis = Axis::around([3.0].into_iter(), false, 0.0).expect("one value");
        assert!(axis.low < 3.0 && axis.high > 3.0);
        assert_eq!(Axis::around([f64::NAN, f64::INFINITY].into_iter(), false, 0.0), None);
        assert_eq!(Axis::around([0.0, -1.0].into_iter(), true, 0.0), None);
    }

    proptest! {
        #[test]
        fn any_two_numbers_make_an_axis(a in any::<f64>(), b in any::<f64>(), most in 0usize..20, log: bool) {
            if let Some(axis) = Axis::around([a, b].into_iter(), log, 0.05) {
                prop_assert!(axis.low < axis.high, "{axis:?}");
                let ticks = axis.ticks(most);
                prop_assert!(ticks.len() <= most);
                prop_assert!(ticks.windows(2).all(|w| w[0] < w[1]), "{ticks:?}");
                for value in [a, b].into_iter().filter(|v| drawable(*v, log)) {
                    if let Some(place) = axis.place(value) {
                        prop_assert!((-0.01..=1.01).contains(&place), "{place} in {axis:?}");
                    }
                }
            }
        }
    }
}

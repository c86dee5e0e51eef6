//! The one list of ways to say how far a column has drifted, and the choice among them.

use serde::Serialize;

use super::counts::{Rate, goodness_of_fit};
use super::distance::{self, Cell};
use super::two_samples::{ks, ks_p, wasserstein};
use crate::features::reference::{ColumnReference, ColumnWindow, Shape};

/// What a method measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// A distance: more is worse.
    Distance,
    /// A p-value: less is worse.
    PValue,
}

/// What kind of column a method can compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Numbers.
    Numbers,
    /// Levels, or numbers that take a few values only.
    Levels,
}

/// One way to compare a column with its reference.
#[derive(Clone, Copy, Debug)]
pub struct Method {
    /// The name used in files, flags and requests. It never changes.
    pub name: &'static str,
    /// The name as a heading.
    pub label: &'static str,
    /// The definition that is followed.
    pub about: &'static str,
    /// Where the definition comes from.
    pub source: &'static str,
    /// The columns that it can compare.
    pub applies_to: &'static [Kind],
    /// What it measures.
    pub scale: Scale,
    /// From here on there is drift, unless another threshold is asked for.
    pub threshold: f64,
    /// Computes it; `None` where it is undefined.
    pub compute: fn(&Pair) -> Option<f64>,
}

impl Method {
    /// Whether a value is past the threshold.
    pub fn is_past(&self, value: f64, threshold: f64) -> bool {
        match self.scale {
            Scale::Distance => value >= threshold,
            Scale::PValue => value <= threshold,
        }
    }
}

/// A column in the reference and in the window, ready to be compared.
#[derive(Clone, Debug)]
pub struct Pair<'a> {
    /// The column in the reference.
    pub reference: &'a ColumnReference,
    /// Rows on both sides in each frozen bin or at each level; unseen levels are the last cell.
    pub cells: Vec<Cell>,
    /// Rows on both sides at each level, or of each value where numbers take at most five.
    levels: Vec<Cell>,
    /// Values of the window, ascending.
    pub sample: Vec<f64>,
    /// How many values the window had, of which the sample is a part.
    pub n_window: u64,
}

impl<'a> Pair<'a> {
    /// Puts both sides beside each other.
    pub fn new(reference: &'a ColumnReference, window: &ColumnWindow) -> Self {
        let both = reference.shape.counts().iter().zip(&window.counts);
        let mut cells: Vec<Cell> = both.map(|(e, a)| (*e as f64, *a as f64)).collect();
        let mut sample = window.sample.clone();
        sample.retain(|value| !value.is_nan());
        sample.sort_by(f64::total_cmp);
        let levels = match &reference.shape {
            Shape::Levels { .. } => {
                if window.unseen > 0 {
                    cells.push((0.0, window.unseen as f64));
                }
                cells.clone()
            }
            Shape::Numbers { sample: known, .. } if n_distinct(known) <= FEW => {
                by_value(known, &sample)
            }
            Shape::Numbers { .. } => cells.clone(),
        };
        Self { reference, cells, levels, sample, n_window: window.known() }
    }

    /// The values of the reference and their standard deviation, if they are numbers.
    pub fn numbers(&self) -> Option<(&[f64], f64)> {
        match &self.reference.shape {
            Shape::Numbers { sample, std, .. } => Some((sample, *std)),
            Shape::Levels { .. } => None,
        }
    }

    /// The distance of Kolmogorov and Smirnov, with its p-value by the rows of both sides; of the
    /// reference all rows count, even if it has kept a part of them only.
    pub fn ks(&self) -> Option<(f64, f64)> {
        let (known, _) = self.numbers()?;
        let d = ks(known, &self.sample)?;
        let n = self.reference.known() as usize;
        let p = if n == known.len() {
            ks_p(d, n, self.sample.len())
        } else {
            super::two_samples::ks_p_asymptotic(d, n as f64, self.sample.len() as f64)
        };
        Some((d, p))
    }
}

/// The statistic of a share for columns with two levels.
fn z_p(pair: &Pair) -> Option<f64> {
    let (first, rest) = pair.levels.split_first()?;
    let (e, a) = rest.iter().fold((0.0, 0.0), |sum, cell| (sum.0 + cell.0, sum.1 + cell.1));
    let rate = Rate::of(e as u64, (e + first.0) as u64, a as u64, (a + first.1) as u64)?;
    Some(rate.z_p.unwrap_or(1.0))
}

fn normed_wasserstein(pair: &Pair) -> Option<f64> {
    let (known, std) = pair.numbers()?;
    // Evidently's floor for columns that hardly vary.
    Some(wasserstein(known, &pair.sample)? / std.max(0.001))
}

/// Every method, the chosen ones first.
#[rustfmt::skip]
pub const METHODS: &[Method] = &[
    Method {
        name: "wasserstein", label: "Wasserstein / sd",
        about: "Area between the two distribution functions, in standard deviations (divisor n) of the reference. Of more than 2,000 reference rows 2,000 order statistics are compared, of more than 5,000 window rows a random choice.",
        source: "Kantorovich (1942); scipy.stats.wasserstein_distance; evidently 0.7 `wasserstein`",
        applies_to: &[Kind::Numbers], scale: Scale::Distance, threshold: 0.1,
        compute: normed_wasserstein,
    },
    Method {
        name: "jensenshannon", label: "Jensen-Shannon",
        about: "Square root of the Jensen-Shannon divergence to base 2, over levels, values or frozen bins. The threshold is evidently's 0.1, which it takes to base e.",
        source: "Lin (1991); scipy.spatial.distance.jensenshannon(base=2)",
        applies_to: &[Kind::Numbers, Kind::Levels], scale: Scale::Distance, threshold: JS_THRESHOLD,
        compute: |pair| distance::jensen_shannon(&pair.levels),
    },
    Method {
        name: "ks", label: "KS p",
        about: "P-value of the two-sample test of Kolmogorov and Smirnov; exact up to 10,000 rows, as long as the reference keeps all of its rows (2,000).",
        source: "Hodges (1958); scipy.stats.ks_2samp; evidently 0.7 `ks`",
        applies_to: &[Kind::Numbers], scale: Scale::PValue, threshold: 0.05,
        compute: |pair| pair.ks().map(|(_, p)| p),
    },
    Method {
        name: "chisquare", label: "chi² p",
        about: "P-value of Pearson's test of the window against the shares of the reference, which is taken to be without error.",
        source: "Pearson (1900); scipy.stats.chisquare; evidently 0.7 `chisquare`",
        applies_to: &[Kind::Levels], scale: Scale::PValue, threshold: 0.05,
        compute: |pair| goodness_of_fit(&pair.levels),
    },
    Method {
        name: "z", label: "z p",
        about: "P-value of the test of two proportions, for columns with two levels or values.",
        source: "evidently 0.7 `z`",
        applies_to: &[Kind::Levels], scale: Scale::PValue, threshold: 0.05,
        compute: z_p,
    },
    Method {
        name: "psi", label: "PSI",
        about: "Population stability index over frozen bins; half a row is added to every cell if one is empty. The threshold is a convention without an error rate: see its null quantile.",
        source: "Lewis (1994); Yurdakul and Naranjo (2020)",
        applies_to: &[Kind::Numbers, Kind::Levels], scale: Scale::Distance, threshold: 0.1,
        compute: |pair| distance::psi(&pair.cells),
    },
    Method {
        name: "hellinger", label: "Hellinger",
        about: "Hellinger distance over frozen bins or levels.",
        source: "Hellinger (1909); evidently 0.7 `hellinger`, for levels",
        applies_to: &[Kind::Numbers, Kind::Levels], scale: Scale::Distance, threshold: 0.1,
        compute: |pair| distance::hellinger(&pair.cells),
    },
    Method {
        name: "total_variation", label: "total variation",
        about: "Share of rows that would have to move to another bin or level.",
        source: "evidently 0.7 `TVD`, its statistic rather than its p-value",
        applies_to: &[Kind::Numbers, Kind::Levels], scale: Scale::Distance, threshold: 0.1,
        compute: |pair| distance::total_variation(&pair.cells),
    },
    Method {
        name: "l_infinity", label: "L-infinity",
        about: "Largest change of the share of any one level. Of many levels it shows what happens to one, which sums over all drown.",
        source: "nannyml 0.13.1 `l_infinity`",
        applies_to: &[Kind::Levels], scale: Scale::Distance, threshold: 0.1,
        compute: |pair| distance::l_infinity(&pair.cells),
    },
];

/// 0.1 / sqrt(ln 2): what 0.1 to base e is to base 2.
const JS_THRESHOLD: f64 = 0.120_112_240_878_644_98;
/// Numbers with at most so many values are compared like levels.
const FEW: usize = 5;
/// References up to this size are compared by p-values.
const SMALL: u64 = 1_000;

/// The method for a column, as evidently 0.7 chooses: up to 1,000 reference rows KS for numbers,
/// chi² for levels and for numbers with at most five values, z if there are two; of more rows
/// Wasserstein for numbers and Jensen-Shannon for the rest, because p-values flag everything when
/// n is large.
pub fn choose(column: &ColumnReference) -> &'static Method {
    let (kind, n_values) = match &column.shape {
        Shape::Numbers { sample, .. } => (Kind::Numbers, n_distinct(sample)),
        Shape::Levels { names, .. } => (Kind::Levels, names.len()),
    };
    let is_small = column.n <= SMALL;
    let name = match kind {
        Kind::Numbers if n_values > FEW => {
            if is_small {
                "ks"
            } else {
                "wasserstein"
            }
        }
        _ if !is_small => "jensenshannon",
        _ if n_values > 2 => "chisquare",
        _ => "z",
    };
    method(name).unwrap_or(&METHODS[0])
}

/// Looks a method up by its name.
pub fn method(name: &str) -> Option<&'static Method> {
    METHODS.iter().find(|method| method.name == name)
}

fn n_distinct(sorted: &[f64]) -> usize {
    sorted.chunk_by(|a, b| a == b).count()
}

/// Rows of either side for each value of the reference, and for all others together.
fn by_value(known: &[f64], sample: &[f64]) -> Vec<Cell> {
    let count = |values: &[f64], value: f64| {
        let range = values.partition_point(|v| *v < value)..values.partition_point(|v| *v <= value);
        range.len() as f64
    };
    let values = known.chunk_by(|a, b| a == b).map(|equal| equal[0]);
    let mut cells: Vec<Cell> =
        values.map(|value| (count(known, value), count(sample, value))).collect();
    let others = sample.len() as f64 - cells.iter().map(|cell| cell.1).sum::<f64>();
    if others > 0.0 {
        cells.push((0.0, others));
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::samples::close;
    use crate::monitor::fixtures::{chosen, list, number, numbers};

    fn window(reference: &ColumnReference, values: &[f64]) -> ColumnWindow {
        let counts = vec![0; reference.shape.counts().len()];
        ColumnWindow {
            n: values.len() as u64,
            counts,
            sample: values.to_vec(),
            ..Default::default()
        }
    }

    #[test]
    fn methods_are_chosen_as_evidently_chooses() {
        for case in chosen() {
            let (n, k) =
                (case["n"].as_u64().unwrap() as u32, case["distinct"].as_u64().unwrap() as u32);
            let column = if case["kind"] == "numbers" {
                ColumnReference::of_numbers("x", (0..n).map(|i| f64::from(i % k)).collect())
            } else {
                let names: Vec<String> = (0..k).map(|level| level.to_string()).collect();
                ColumnReference::of_levels("x", &names, (0..n).map(|i| i % k))
            };
            let method = choose(&column);
            assert_eq!(method.name, case["method"].as_str().unwrap(), "{case}");
            let base =
                if method.name == "jensenshannon" { std::f64::consts::LN_2.sqrt() } else { 1.0 };
            close(method.threshold * base, number(&case["threshold"]), 1e-12);
        }
    }

    #[test]
    fn numbers_are_compared_as_evidently_compares_them() {
        for case in numbers() {
            let reference = ColumnReference::of_numbers("x", list(&case["reference"]));
            let pair = Pair::new(&reference, &window(&reference, &list(&case["window"])));
            let compute = |name| (method(name).unwrap().compute)(&pair).unwrap();
            close(compute("wasserstein"), number(&case["evidently_wasserstein"]), 1e-9);
            close(compute("ks"), number(&case["evidently_ks_p"]), 1e-9);
        }
    }

    #[test]
    fn every_method_has_a_name_of_its_own_and_can_be_computed() {
        let numbers = ColumnReference::of_numbers("x", (0..40).map(f64::from).collect());
        let names = ["a".to_owned(), "b".to_owned()];
        let levels = ColumnReference::of_levels("x", &names, (0..40).map(|i| i % 2));
        for (place, method) in METHODS.iter().enumerate() {
            assert!(METHODS[..place].iter().all(|other| other.name != method.name));
            for kind in method.applies_to {
                let column = if *kind == Kind::Numbers { &numbers } else { &levels };
                let mut window = window(column, &[3.0, 7.0, 7.0]);
                window.counts[0] = 3;
                let value = (method.compute)(&Pair::new(column, &window));
                assert!(value.is_some_and(f64::is_finite), "{}", method.name);
            }
        }
    }
}

//! What a column says about the target.

use serde::Serialize;

use super::label::{range, scalar};
use super::levels::{at, by_count};
use super::rows::relation_rows;
use crate::data::{Column, Error, Kind, Levels, Table, Target, Task};
use crate::metrics::{auc_of_column, information_value};

const GROUPS: usize = 10;
/// Two columns with more pairs of levels than this are not compared.
const MOST_PAIRS: usize = 10_000_000;
/// Numbers of no more different values have a bin for each.
const VALUES: usize = 12;
/// The label of the bin of rows without a value.
pub(in crate::data) const MISSING: &str = "missing";
/// So many levels have a bin of their own; the rest shares one.
const LEVELS: usize = 30;
/// The rate of a level counts as if so many more rows had the rate of all.
const PRIOR_ROWS: f64 = 20.0;

/// By which measure column and target are related.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Two classes: the area under the ROC curve.
    Auc,
    /// Two numbers: Pearson's correlation.
    Pearson,
    /// A number and classes: the correlation ratio, the root of the share of variance between
    /// the classes.
    Eta,
    /// Classes on both sides: Cramér's V, corrected for chance (Bergsma, 2013).
    CramersV,
}

/// What a column says about the target, seen by itself and on the rows it was measured on: levels
/// were scored by these same rows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Relation {
    /// By what the strength is measured.
    pub measure: Measure,
    /// For two classes the AUC of the column taken as a score, folded so that it is at least one
    /// half. Levels are ordered by their rate of the positive class, drawn towards that of all
    /// rows as if 20 more rows had it.
    pub auc: Option<f64>,
    /// Whether large numbers go with the positive class or a large target; none for levels.
    pub rises: Option<bool>,
    /// The information value over the bins, one for each level, with one for missing values.
    pub iv: Option<f64>,
    /// For a target that is not of two classes: the correlation by [`Relation::measure`].
    pub correlation: Option<f64>,
    /// Deciles or levels, with the target in each.
    pub bad_rates: Vec<Bin>,
    /// How many rows this was measured on.
    pub rows: usize,
    /// Whether these are the training rows, or all rows because there is no split yet.
    pub training: bool,
}

/// The rows of one level or decile.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bin {
    /// The level, or the range of values.
    pub label: String,
    /// How many rows.
    pub n: usize,
    /// How many are of the positive class; none unless there are two classes.
    pub bads: Option<usize>,
    /// The share of the positive class, or the mean of a number; none for several classes.
    pub rate: Option<f64>,
}

/// The rows on which relations are measured, and their target.
pub(super) struct Basis {
    target: String,
    task: Task,
    n_classes: usize,
    rows: Vec<u32>,
    truth: Vec<f64>,
    training: bool,
}

impl Basis {
    pub(super) fn new(
        table: &Table,
        target: &Target,
        training: Option<&[u32]>,
    ) -> Result<Self, Error> {
        let all = target.truth(table)?;
        let mut rows = relation_rows(table.n_rows(), training);
        rows.retain(|row| !all[*row as usize].is_nan());
        let truth: Vec<f64> = rows.iter().map(|row| all[*row as usize]).collect();
        let n_classes = match target.task {
            Task::Regression => 0,
            _ => truth.iter().fold(0.0, |most: f64, class| most.max(class + 1.0)) as usize,
        };
        Ok(Self {
            target: target.name.clone(),
            task: target.task,
            n_classes,
            rows,
            truth,
            training: training.is_some(),
        })
    }

    /// Whether a relation with this column can mean anything.
    pub(super) fn concerns(&self, column: &Column) -> bool {
        column.name != self.target
            && !column.is_masked()
            && !matches!(column.kind, Kind::Identifier | Kind::Text)
            && !self.rows.is_empty()
    }

    pub(super) fn of_numbers(&self, all: &[f64], kind: Kind) -> Relation {
        let values: Vec<f64> = self.rows.iter().map(|row| all[*row as usize]).collect();
        let (order, missing) = sorted(&values);
        let groups = groups(&values, &order);
        let label = |group: &[u32]| match group {
            [first, .., last] => range(values[*first as usize], values[*last as usize], kind),
            _ => group.first().map_or(String::new(), |i| scalar(values[*i as usize], kind)),
        };
        let mut bins: Vec<Bin> = groups.iter().map(|group| self.bin(label(group), group)).collect();
        if !missing.is_empty() {
            bins.push(self.bin(MISSING.to_owned(), &missing));
        }
        let mut relation = self.with_bins(bins);
        match self.task {
            Task::Binary => {
                relation.iv = Self::iv(&relation.bad_rates);
                // Rows that come in the order of their scores are not sorted again.
                let downwards = || order.iter().rev().map(|i| *i as usize);
                let scores: Vec<f64> = downwards().map(|i| values[i]).collect();
                let truth: Vec<f64> = downwards().map(|i| self.truth[i]).collect();
                if let Some(auc) = auc_of_column(&scores, &truth, None) {
                    relation.auc = Some(auc.max(1.0 - auc));
                    relation.rises = Some(auc >= 0.5);
                }
            }
            Task::Regression => {
                relation.measure = Measure::Pearson;
                relation.correlation = pearson(&values, &self.truth);
                relation.rises = relation.correlation.map(|r| r >= 0.0);
            }
            Task::Multiclass => {
                relation.measure = Measure::Eta;
                relation.correlation = eta(&self.truth, self.n_classes, &values);
            }
        }
        relation
    }

    /// `known` are the levels of all rows, if they were built before.
    pub(super) fn of_levels(
        &self,
        table: &Table,
        column: &Column,
        known: Option<Levels>,
    ) -> Result<Relation, Error> {
        let levels = match known {
            Some(levels) => Levels {
                codes: self.rows.iter().map(|row| levels.codes[*row as usize]).collect(),
                names: levels.names,
            },
            None => at(table, column, &self.rows)?,
        };
        // Missing values are a level of their own, the last.
        let n_levels = levels.names.len() + 1;
        let code = |code: u32| (code as usize).min(n_levels - 1);
        let mut groups = vec![Vec::new(); n_levels];
        for (i, level) in levels.codes.iter().enumerate() {
            groups[code(*level)].push(i as u32);
        }
        let name = |i: usize| levels.names.get(i).map_or(MISSING, String::as_str);
        let bins: Vec<Bin> = (0..n_levels)
            .filter(|i| !groups[*i].is_empty())
            .map(|i| self.bin(name(i).to_owned(), &groups[i]))
            .collect();
        let mut relation = self.with_bins(vec![]);
        match self.task {
            Task::Binary => {
                relation.iv = Self::iv(&bins);
                let overall = self.truth.iter().sum::<f64>() / self.truth.len() as f64;
                let rates: Vec<f64> = groups
                    .iter()
                    .map(|group| {
                        let bads: f64 = group.iter().map(|i| self.truth[*i as usize]).sum();
                        (bads + PRIOR_ROWS * overall) / (group.len() as f64 + PRIOR_ROWS)
                    })
                    .collect();
                let scores: Vec<f64> = levels.codes.iter().map(|c| rates[code(*c)]).collect();
                relation.auc = auc_of_column(&scores, &self.truth, None).map(|a| a.max(1.0 - a));
            }
            Task::Regression => {
                let classes: Vec<f64> = levels.codes.iter().map(|c| code(*c) as f64).collect();
                relation.measure = Measure::Eta;
                relation.correlation = eta(&classes, n_levels, &self.truth);
            }
            Task::Multiclass => {
                let classes: Vec<u32> = levels.codes.iter().map(|c| code(*c) as u32).collect();
                let truth: Vec<u32> = self.truth.iter().map(|class| *class as u32).collect();
                relation.measure = Measure::CramersV;
                relation.correlation = cramers_v(&classes, n_levels, &truth, self.n_classes);
            }
        }
        relation.bad_rates = self.at_most(bins, LEVELS);
        Ok(relation)
    }

    fn with_bins(&self, bad_rates: Vec<Bin>) -> Relation {
        Relation {
            measure: Measure::Auc,
            auc: None,
            rises: None,
            iv: None,
            correlation: None,
            bad_rates,
            rows: self.rows.len(),
            training: self.training,
        }
    }

    fn bin(&self, label: String, group: &[u32]) -> Bin {
        let sum: f64 = group.iter().map(|i| self.truth[*i as usize]).sum();
        Bin {
            label,
            n: group.len(),
            bads: (self.task == Task::Binary).then_some(sum as usize),
            rate: (self.task != Task::Multiclass && !group.is_empty())
                .then(|| sum / group.len() as f64),
        }
    }

    fn iv(bins: &[Bin]) -> Option<f64> {
        let counts: Vec<(f64, f64)> = bins
            .iter()
            .map(|bin| {
                let bads = bin.bads.unwrap_or(0);
                ((bin.n - bads) as f64, bads as f64)
            })
            .collect();
        information_value(&counts).map(|iv| iv.value)
    }

    /// The most frequent bins, in their order, and one for all others.
    fn at_most(&self, bins: Vec<Bin>, most: usize) -> Vec<Bin> {
        if bins.len() <= most {
            return bins;
        }
        let counts: Vec<usize> = bins.iter().map(|bin| bin.n).collect();
        let order = by_count(&counts);
        let (kept, rest) = order.split_at(most - 1);
        let mut others =
            Bin { label: format!("{} others", rest.len()), n: 0, bads: None, rate: None };
        let mut sum = 0.0;
        for bin in rest.iter().map(|i| &bins[*i]) {
            others.n += bin.n;
            others.bads = bin.bads.map(|bads| bads + others.bads.unwrap_or(0));
            sum += bin.rate.unwrap_or(0.0) * bin.n as f64;
        }
        others.rate = (self.task != Task::Multiclass).then(|| sum / others.n as f64);
        kept.iter().map(|i| bins[*i].clone()).chain([others]).collect()
    }
}

/// The rows that have a value, smallest first, and those that have none.
fn sorted(values: &[f64]) -> (Vec<u32>, Vec<u32>) {
    let rows = values.iter().copied().zip(0_u32..);
    let (missing, mut known): (Vec<_>, Vec<_>) = rows.partition(|(value, _)| value.is_nan());
    known.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let rows = |pairs: Vec<(f64, u32)>| pairs.into_iter().map(|(_, row)| row).collect();
    (rows(known), rows(missing))
}

/// The rows of each value when there are few; otherwise ten groups of about as many rows each, in
/// which rows of the same value stay together.
fn groups<'a>(values: &[f64], order: &'a [u32]) -> Vec<&'a [u32]> {
    let is_same = |a: &u32, b: &u32| values[*a as usize] == values[*b as usize];
    let by_value: Vec<&[u32]> = order.chunk_by(is_same).take(VALUES + 1).collect();
    if by_value.len() <= VALUES {
        return by_value;
    }
    let n = order.len();
    let mut groups = Vec::new();
    let mut start = 0;
    for group in 1..=GROUPS {
        let mut end = group * n / GROUPS;
        if end <= start {
            continue;
        }
        while end < n && is_same(&order[end], &order[end - 1]) {
            end += 1;
        }
        groups.push(&order[start..end]);
        start = end;
    }
    groups
}

/// Pearson's correlation over the rows where both are known.
pub(in crate::data) fn pearson(x: &[f64], y: &[f64]) -> Option<f64> {
    let pairs = || x.iter().zip(y).filter(|(x, y)| !x.is_nan() && !y.is_nan());
    let n = pairs().count() as f64;
    let (sum_x, sum_y) = pairs().fold((0.0, 0.0), |(a, b), (x, y)| (a + x, b + y));
    let (mean_x, mean_y) = (sum_x / n, sum_y / n);
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for (x, y) in pairs() {
        let (dx, dy) = (x - mean_x, y - mean_y);
        xx += dx * dx;
        yy += dy * dy;
        xy += dx * dy;
    }
    // The root of the product makes a column's correlation with itself exactly 1.
    let scale = Some((xx * yy).sqrt()).filter(|s| s.is_normal());
    let r = xy / scale.unwrap_or(xx.sqrt() * yy.sqrt());
    (n >= 2.0 && r.is_finite()).then(|| r.clamp(-1.0, 1.0))
}

/// The correlation ratio: the root of the share of the variance of `values` between `classes`.
fn eta(classes: &[f64], n_classes: usize, values: &[f64]) -> Option<f64> {
    let pairs = || classes.iter().zip(values).filter(|(_, v)| !v.is_nan());
    let mut sums = vec![(0.0, 0.0); n_classes];
    let (mut n, mut sum) = (0.0, 0.0);
    for (class, value) in pairs() {
        let of_class = &mut sums[*class as usize];
        of_class.0 += 1.0;
        of_class.1 += value;
        n += 1.0;
        sum += value;
    }
    let mean = sum / n;
    let total: f64 = pairs().map(|(_, v)| (v - mean) * (v - mean)).sum();
    let between: f64 = sums
        .iter()
        .filter(|(n, _)| *n > 0.0)
        .map(|(n, sum)| n * (sum / n - mean) * (sum / n - mean))
        .sum();
    let eta = (between / total).sqrt();
    let n_used = sums.iter().filter(|(n, _)| *n > 0.0).count();
    (n_used > 1 && eta.is_finite()).then(|| eta.min(1.0))
}

/// Cramér's V with Bergsma's correction for chance; `None` if either side has a single class.
pub(in crate::data) fn cramers_v(x: &[u32], n_x: usize, y: &[u32], n_y: usize) -> Option<f64> {
    if n_x.saturating_mul(n_y) > MOST_PAIRS {
        return None;
    }
    let mut cells = vec![0.0; n_x * n_y];
    for (x, y) in x.iter().zip(y) {
        cells[*x as usize * n_y + *y as usize] += 1.0;
    }
    let n = x.len() as f64;
    let rows: Vec<f64> = cells.chunks(n_y.max(1)).map(|row| row.iter().sum()).collect();
    let columns: Vec<f64> = (0..n_y).map(|j| (0..n_x).map(|i| cells[i * n_y + j]).sum()).collect();
    let in_use = |sums: &[f64]| sums.iter().filter(|sum| **sum > 0.0).count() as f64;
    let (r, k) = (in_use(&rows), in_use(&columns));
    if r < 2.0 || k < 2.0 {
        return None;
    }
    let mut phi = -1.0;
    for (i, row) in rows.iter().enumerate().filter(|(_, row)| **row > 0.0) {
        for (j, column) in columns.iter().enumerate().filter(|(_, column)| **column > 0.0) {
            let cell = cells[i * n_y + j];
            phi += cell * cell / (row * column);
        }
    }
    let phi = (phi - (r - 1.0) * (k - 1.0) / (n - 1.0)).max(0.0);
    let corrected = |m: f64| m - (m - 1.0) * (m - 1.0) / (n - 1.0);
    let v = (phi / (corrected(r).min(corrected(k)) - 1.0)).sqrt();
    v.is_finite().then(|| v.min(1.0))
}

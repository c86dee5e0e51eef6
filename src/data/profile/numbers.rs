//! The profile of numbers and dates.

use super::label::{range, scalar};
use super::rows::Looked;
use super::{ColumnProfile, Kind, Outliers};
use crate::metrics::quantile;

const BARS: usize = 12;
const TOP: usize = 10;
/// Sums are taken in blocks of this length, so that their value depends on the numbers alone.
const BLOCK: usize = 4096;

pub(super) fn fill(profile: &mut ColumnProfile, values: &[f64], looked: &Looked) {
    moments(profile, values);
    let mut sorted = looked.known(values);
    sorted.sort_unstable_by(f64::total_cmp);
    if sorted.is_empty() {
        return;
    }
    let runs = runs(&sorted);
    profile.distinct = runs.len();
    profile.quantiles = Some(
        [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]
            .map(|share| quantile(&sorted, share).expect("there are numbers")),
    );
    profile.top = top(&runs, profile.kind);
    bars(profile, &sorted, &runs);
    if profile.kind == Kind::Number {
        profile.codes = codes(&runs, sorted.len());
        profile.outliers = outliers(profile, &runs);
    }
}

fn moments(profile: &mut ColumnProfile, values: &[f64]) {
    let (mut n, mut zeros, mut sum) = (0, 0, 0.0);
    let (mut min, mut max) = (f64::INFINITY, f64::NEG_INFINITY);
    for block in values.chunks(BLOCK) {
        let mut of_block = 0.0;
        for value in block {
            n += usize::from(!value.is_nan());
            zeros += usize::from(*value == 0.0);
            of_block += if value.is_nan() { 0.0 } else { *value };
            // Comparisons with NaN are false.
            min = if *value < min { *value } else { min };
            max = if *value > max { *value } else { max };
        }
        sum += of_block;
    }
    profile.missing = values.len() - n;
    profile.zeros = zeros;
    if n == 0 {
        return;
    }
    let mean = sum / n as f64;
    profile.min = Some(min);
    profile.max = Some(max);
    profile.mean = Some(mean).filter(|v| v.is_finite());
    if profile.kind == Kind::Datetime {
        return;
    }
    let (mut squares, mut cubes) = (0.0, 0.0);
    for block in values.chunks(BLOCK) {
        let (mut of_squares, mut of_cubes) = (0.0, 0.0);
        for value in block {
            let off = if value.is_nan() { 0.0 } else { value - mean };
            of_squares += off * off;
            of_cubes += off * off * off;
        }
        squares += of_squares;
        cubes += of_cubes;
    }
    let spread = (squares / n as f64).sqrt();
    profile.sd = (n > 1).then(|| (squares / (n - 1) as f64).sqrt()).filter(|v| v.is_finite());
    profile.skew = (n > 2 && spread > 0.0)
        .then(|| cubes / n as f64 / spread.powi(3))
        .filter(|v| v.is_finite());
}

/// The different numbers, ascending, and how often each comes.
fn runs(sorted: &[f64]) -> Vec<(f64, usize)> {
    sorted.chunk_by(|a, b| a == b).map(|run| (run[0], run.len())).collect()
}

fn top(runs: &[(f64, usize)], kind: Kind) -> Vec<(String, usize)> {
    let mut order: Vec<&(f64, usize)> = runs.iter().filter(|(_, n)| *n > 1).collect();
    let by_count = |a: &&(f64, usize), b: &&(f64, usize)| b.1.cmp(&a.1).then(a.0.total_cmp(&b.0));
    if order.len() > TOP {
        order.select_nth_unstable_by(TOP, by_count);
        order.truncate(TOP);
    }
    order.sort_unstable_by(by_count);
    order.into_iter().map(|(value, n)| (full(*value, kind), *n)).collect()
}

/// A value in full, as it is compared with: not shortened.
fn full(value: f64, kind: Kind) -> String {
    if kind == Kind::Datetime { scalar(value, kind) } else { value.to_string() }
}

/// A bar for each number when there are few; otherwise equally wide bins from the 1 % to the 99 %
/// quantile, whose outermost ones take the tails. Bins of whole numbers hold equally many of them.
fn bars(profile: &mut ColumnProfile, sorted: &[f64], runs: &[(f64, usize)]) {
    let kind = profile.kind;
    if runs.len() <= BARS {
        profile.histogram = runs.iter().map(|(_, n)| *n as u32).collect();
        profile.labels = runs.iter().map(|(value, _)| scalar(*value, kind)).collect();
        return;
    }
    let (first, last) = (sorted[0], sorted[sorted.len() - 1]);
    let [low, .., high] = profile.quantiles.unwrap_or_default();
    let (low, high) = if low < high { (low, high) } else { (first, last) };
    let is_whole = runs.iter().all(|(value, _)| value.fract() == 0.0);
    let (low, width, n_bars) = if is_whole {
        let (low, high) = (low.floor(), high.ceil());
        let width = ((high - low + 1.0) / BARS as f64).ceil();
        (low, width, ((high - low + 1.0) / width).ceil() as usize)
    } else {
        (low, (high - low) / BARS as f64, BARS)
    };
    let edge = |i: usize| low + width * i as f64;
    let mut start = 0;
    for i in 0..n_bars {
        let is_last = i + 1 == n_bars;
        let end = if is_last { sorted.len() } else { sorted.partition_point(|v| *v < edge(i + 1)) };
        let from = if i == 0 { first } else { edge(i) };
        let to = match (is_last, is_whole) {
            (true, _) => last,
            (false, true) => edge(i + 1) - 1.0,
            (false, false) => edge(i + 1),
        };
        profile.histogram.push((end - start) as u32);
        profile.labels.push(range(from, to, kind));
        start = end;
    }
}

fn outliers(profile: &ColumnProfile, runs: &[(f64, usize)]) -> Option<Outliers> {
    let [_, _, lower, _, upper, _, _] = profile.quantiles?;
    let reach = 3.0 * (upper - lower);
    if reach <= 0.0 || runs.len() < 10 {
        return None;
    }
    let (low, high) = (lower - reach, upper + reach);
    let is_code = |v: f64| profile.codes.iter().any(|(code, _)| *code == v.to_string());
    let is_far = |(v, _): &&(f64, usize)| (*v < low || *v > high) && !is_code(*v);
    Some(Outliers { low, high, n: runs.iter().filter(is_far).map(|(_, n)| n).sum() })
}

/// Numbers at either end that look like codes: nines far away from the rest, or -1 where all
/// others are 0 and above.
fn codes(runs: &[(f64, usize)], n: usize) -> Vec<(String, usize)> {
    let mirrored: Vec<(f64, usize)> = runs.iter().rev().map(|(v, count)| (-v, *count)).collect();
    let n_low = nines_at_end(&mirrored, n);
    let n_high = nines_at_end(runs, n);
    let n_low = if n_low == 0 { usize::from(is_lone_minus(runs, n)) } else { n_low };
    let ends = runs[..n_low].iter().chain(&runs[runs.len() - n_high..]);
    ends.map(|(value, count)| (value.to_string(), *count)).collect()
}

/// How many of the largest numbers are nines that lie further above all others than the others
/// lie apart.
fn nines_at_end(runs: &[(f64, usize)], n: usize) -> usize {
    let n_nines = runs.iter().rev().take_while(|(value, _)| is_nines(*value)).count();
    let stands_apart = |taken: &usize| {
        let (others, taken) = runs.split_at(runs.len() - taken);
        let ([(first, _), .., (last, _)], [(code, _), ..]) = (others, taken) else { return false };
        let count: usize = taken.iter().map(|(_, count)| count).sum();
        code - last > last - first && count >= 2 && count * 1000 >= n
    };
    (1..=n_nines).rev().find(stands_apart).unwrap_or(0)
}

fn is_lone_minus(runs: &[(f64, usize)], n: usize) -> bool {
    matches!(runs, [(first, count), (next, _), ..] if *first == -1.0 && *next >= 0.0 && count * 200 >= n)
        && runs.len() > 4
        && runs.iter().all(|(value, _)| value.fract() == 0.0)
}

/// 99, 999, 9999 ..., or such a number with 6, 7 or 8 as its last digit, as surveys use them.
fn is_nines(value: f64) -> bool {
    if value.fract() != 0.0 || !(96.0..1e12).contains(&value) {
        return false;
    }
    let whole = value as u64;
    whole % 10 >= 6 && (whole / 10).to_string().bytes().all(|digit| digit == b'9')
}

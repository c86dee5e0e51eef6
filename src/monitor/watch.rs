//! A window against the reference of a model, as a whole.

use serde::Serialize;

use super::cbpe::{self, Cbpe, Estimated};
use super::column::{Aspect, ColumnDrift, compare};
use super::direct_loss::{self, DirectLoss};
use super::limits::DistanceLimits;
use super::methods::{METHODS, Method, Scale, choose};
use super::performance::{MetricLimits, Outcomes, Performance, realised};
use crate::features::reference::{
    ColumnCount, ColumnReference, ColumnWindow, Reference, WindowCounts,
};
use crate::metrics::{Family, Scored, holm};
use crate::rng::Seed;

/// When a difference is an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Policy {
    /// How often, at most, drift may be claimed of a window in which nothing has changed: of the
    /// window as a whole, however many columns it has.
    pub false_alarms: f64,
    /// Shares of missing, unseen or outlying values that changed by less are passed over.
    pub least_rate: f64,
    /// Whether a distribution has to be past the threshold of its method as well.
    pub demand: Demand,
}

/// What makes a difference of distributions an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Demand {
    /// That it is not due to chance. Of very large windows everything is.
    Significant,
    /// And that it is large: past the threshold of the chosen method.
    SignificantAndLarge,
}

impl Default for Policy {
    /// One false alarm in a hundred windows, half a percentage point, significant and large.
    fn default() -> Self {
        Self { false_alarms: 0.01, least_rate: 0.005, demand: Demand::SignificantAndLarge }
    }
}

/// A window of live rows.
#[derive(Clone, Copy, Debug)]
pub struct Window<'a> {
    /// When it began, in milliseconds since 1970.
    pub from_ms: i64,
    /// When it ended.
    pub to_ms: i64,
    /// What was counted.
    pub counts: &'a WindowCounts,
    /// Rows whose truth has become known.
    pub outcomes: Option<Outcomes<'a>>,
}

/// What a window shows.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct WindowReport {
    /// When it began, in milliseconds since 1970.
    pub from_ms: i64,
    /// When it ended.
    pub to_ms: i64,
    /// Its rows.
    pub n: u64,
    /// Its columns, in the order of the reference.
    pub columns: Vec<ColumnDrift>,
    /// Its scores, compared like a column; none without scores on either side.
    pub score: Option<ColumnDrift>,
    /// How good the model is likely to be, before the truth is known.
    pub estimated: Vec<Performance>,
    /// What such an estimate cannot know.
    pub estimate_limits: Option<&'static str>,
    /// How good the model was on rows whose truth is known.
    pub realised: Vec<Performance>,
    /// Rows whose truth is known.
    pub n_outcomes: usize,
    /// Everything that should be looked at, drift first.
    pub alarms: Vec<Alarm>,
}

/// Something that should be looked at.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Alarm {
    /// What kind it is.
    pub kind: AlarmKind,
    /// The column or the metric.
    pub subject: String,
    /// What was measured.
    pub value: f64,
    /// What it should not pass.
    pub threshold: f64,
    /// In a sentence.
    pub sentence: String,
}

/// Kinds of alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AlarmKind {
    /// A column is distributed differently.
    Drift,
    /// The scores are distributed differently.
    ScoreDrift,
    /// More or fewer values are missing.
    Missing,
    /// Levels that training never saw.
    Unseen,
    /// Values beyond all of training.
    OutOfRange,
    /// The model is likely to be worse.
    Estimated,
    /// The model was worse.
    Realised,
}

impl AlarmKind {
    /// The word for it in alerts.
    pub fn word(self) -> &'static str {
        match self {
            Self::Drift => "drift",
            Self::ScoreDrift => "score_drift",
            Self::Missing => "missing",
            Self::Unseen => "unseen",
            Self::OutOfRange => "out_of_range",
            Self::Estimated => "estimated",
            Self::Realised => "realised",
        }
    }
}

/// A model that is watched: its reference, and what can be learnt from it once.
#[derive(Clone, Debug)]
pub struct Watch {
    reference: Reference,
    score: Option<ColumnReference>,
    classes: Vec<String>,
    methods: Vec<&'static Method>,
    points: Vec<Option<Vec<f64>>>,
    family: Family,
    threshold: f64,
    nanny: Nanny,
    policy: Policy,
    seed: Seed,
    memory: MetricLimits,
    distances: DistanceLimits,
}

#[derive(Clone, Debug)]
enum Nanny {
    Binary(Cbpe),
    Regression(DirectLoss),
    None,
}

impl Watch {
    /// Learns what can be learnt once. `threshold` is the score from which on a binary model says
    /// yes.
    pub fn new(
        reference: Reference,
        family: Family,
        threshold: f64,
        policy: Policy,
        seed: Seed,
    ) -> Self {
        let (scores, truth) = (&reference.scores.scores, &reference.scores.truth);
        let nanny = match family {
            Family::Binary => {
                Cbpe::fit(scores, truth, threshold).map_or(Nanny::None, Nanny::Binary)
            }
            Family::Regression => {
                DirectLoss::fit(scores, truth).map_or(Nanny::None, Nanny::Regression)
            }
            Family::Classes => Nanny::None,
        };
        let score = score_reference(family, scores, &[]);
        let methods = reference.columns.iter().map(choose).collect();
        let points = vec![None; reference.columns.len()];
        Self {
            reference,
            score,
            classes: Vec::new(),
            methods,
            points,
            family,
            threshold,
            nanny,
            policy,
            seed,
            memory: MetricLimits::default(),
            distances: DistanceLimits::default(),
        }
    }

    /// Gives each bin of a column its points in the score, as the coefficients of a linear model
    /// or a scorecard have them, so that reports tell how far the column moved the mean score.
    #[must_use]
    pub fn with_points(mut self, column: &str, points: Vec<f64>) -> Self {
        let named = self.reference.columns.iter().position(|own| own.name == column);
        if let Some(place) = named {
            self.points[place] = Some(points);
        }
        self
    }

    /// Names the classes, whose indices are the scores of a model of several.
    #[must_use]
    pub fn with_classes(mut self, classes: &[String]) -> Self {
        self.classes = classes.to_vec();
        self.score = score_reference(self.family, &self.reference.scores.scores, classes);
        self
    }

    /// Compares a window with the reference. The first window of a size takes some milliseconds
    /// for each column, until it is known how far distances scatter without drift.
    ///
    /// # Panics
    /// If the window was not counted in the columns of this reference.
    pub fn look(&mut self, window: &Window) -> WindowReport {
        let counts = window.counts;
        let n_columns = self.reference.columns.len();
        assert_eq!(counts.columns.len(), n_columns, "a window has the columns of its reference");
        let mut distances = std::mem::take(&mut self.distances);
        let mut columns: Vec<ColumnDrift> = (0..n_columns)
            .map(|place| {
                let points = self.points[place].as_deref();
                let (column, method) = (&self.reference.columns[place], self.methods[place]);
                let seen = &counts.columns[place];
                let limits = distances.of(Some(place), column, method, seen.known(), self.seed);
                ColumnDrift { limits, ..compare(column, seen, method, points) }
            })
            .collect();
        let mut score = self.score.as_ref().filter(|_| !counts.scores.is_empty()).map(|own| {
            let (method, seen) = (choose(own), self.scores(own, &counts.scores));
            let limits = distances.of(None, own, method, seen.known(), self.seed);
            let mut drift = ColumnDrift { limits, ..compare(own, &seen, method, None) };
            // Scores are of other rows than the columns, and have no range of their own.
            drift.tests.retain(|test| test.aspect == Aspect::Distribution);
            drift
        });
        self.distances = distances;
        correct(columns.iter_mut().chain(&mut score));
        let mut alarms = Vec::new();
        for column in &mut columns {
            self.judge(column, AlarmKind::Drift, &mut alarms);
        }
        if let Some(score) = &mut score {
            self.judge(score, AlarmKind::ScoreDrift, &mut alarms);
        }
        let mut memory = std::mem::take(&mut self.memory);
        let (estimated, estimate_limits) = self.estimated(&counts.scores, &mut memory);
        let realised = match window.outcomes {
            Some(known) if !known.truth.is_empty() => {
                realised(self.family, known, &self.scored(), &mut memory, self.seed)
            }
            _ => Vec::new(),
        };
        self.memory = memory;
        alarms.extend(estimated.iter().filter_map(|own| alarm_of(own, AlarmKind::Estimated)));
        alarms.extend(realised.iter().filter_map(|own| alarm_of(own, AlarmKind::Realised)));
        WindowReport {
            from_ms: window.from_ms,
            to_ms: window.to_ms,
            n: counts.n,
            columns,
            score,
            estimated,
            estimate_limits,
            realised,
            n_outcomes: window.outcomes.map_or(0, |known| known.truth.len()),
            alarms,
        }
    }

    /// Counts scores like a column.
    fn scores(&self, own: &ColumnReference, scores: &[f64]) -> ColumnWindow {
        let mut count = ColumnCount::new(own, self.seed);
        for score in scores.iter().filter(|score| score.is_finite()) {
            match self.family {
                Family::Classes => count.add_level(Some(&class(*score, &self.classes))),
                Family::Binary | Family::Regression => count.add_number(*score),
            }
        }
        count.window()
    }

    fn scored(&self) -> Scored<'_> {
        let own = &self.reference.scores;
        Scored { threshold: self.threshold, ..Scored::new(&own.truth, &own.scores) }
    }

    fn judge(&self, column: &mut ColumnDrift, kind: AlarmKind, alarms: &mut Vec<Alarm>) {
        let before = alarms.len();
        let is_significant = |aspect: Aspect| {
            let mut own = column.tests.iter().filter(|test| test.aspect == aspect);
            own.any(|test| test.adjusted <= self.policy.false_alarms)
        };
        let is_large = self.policy.demand == Demand::Significant || column.is_past;
        if is_significant(Aspect::Distribution) && is_large {
            let (value, threshold) = (column.value.unwrap_or(f64::NAN), column.threshold);
            let method = METHODS.iter().find(|own| own.name == column.method);
            let label = method.map_or("", |own| own.label);
            // A p-value is never 0.
            let is_tiny = method.is_some_and(|own| own.scale == Scale::PValue) && value < 0.001;
            let told = if is_tiny { "< 0.001".to_owned() } else { format!("{value:.3}") };
            let own = column.tests.iter().filter(|test| test.aspect == Aspect::Distribution);
            let p = own.map(|test| test.adjusted).fold(1.0, f64::min);
            let p = if p < 0.001 { "p < 0.001".to_owned() } else { format!("p {p:.3}") };
            let sentence = format!(
                "`{}` is distributed differently than in training: {label} {told}, threshold \
                 {threshold:.3}; corrected {p}",
                column.name,
            );
            alarms.push(Alarm { kind, subject: column.name.clone(), value, threshold, sentence });
        }
        let outside =
            column.below.zip(column.above).map(|(below, above)| (0.0, below.window + above.window));
        let rates = [
            (
                AlarmKind::Missing,
                Aspect::Missing,
                column.missing.map(|r| (r.reference, r.window)),
                "missing",
            ),
            (
                AlarmKind::Unseen,
                Aspect::Unseen,
                column.unseen.map(|r| (r.reference, r.window)),
                "at levels that training never saw",
            ),
            (AlarmKind::OutOfRange, Aspect::OutOfRange, outside, "beyond all values of training"),
        ];
        for (kind, aspect, rate, what) in rates {
            let Some((was, is)) = rate.filter(|_| is_significant(aspect)) else { continue };
            if (is - was).abs() < self.policy.least_rate {
                continue;
            }
            let (name, was_percent, is_percent) = (&column.name, 100.0 * was, 100.0 * is);
            let sentence = format!(
                "{is_percent:.1} % of `{name}` are {what}, expected were {was_percent:.1} %"
            );
            alarms.push(Alarm { kind, subject: name.clone(), value: is, threshold: was, sentence });
        }
        column.alarm = before < alarms.len();
    }

    fn estimated(
        &self,
        scores: &[f64],
        memory: &mut MetricLimits,
    ) -> (Vec<Performance>, Option<&'static str>) {
        let (estimated, limits): (Vec<Estimated>, _) = match &self.nanny {
            Nanny::Binary(nanny) => (nanny.estimate(scores), cbpe::LIMITS),
            Nanny::Regression(nanny) => (nanny.estimate(scores), direct_loss::LIMITS),
            Nanny::None => return (Vec::new(), None),
        };
        let (reference, n) = (self.scored(), scores.len());
        let all = estimated.into_iter().filter_map(|own| {
            let band = Some((own.low, own.high));
            let told =
                Performance::of(own.metric, Some(own.value), &reference, n, memory, self.seed)?;
            Some(Performance { band, ..told })
        });
        (all.collect(), Some(limits))
    }
}

/// What the scores were like. Of several classes they are indices, which have no order and no
/// distance: a class is a level like any other.
fn score_reference(family: Family, scores: &[f64], classes: &[String]) -> Option<ColumnReference> {
    const NAME: &str = "score";
    if scores.is_empty() {
        return None;
    }
    if family != Family::Classes {
        return Some(ColumnReference::of_numbers(NAME, scores.to_vec()));
    }
    let mut known: Vec<f64> = scores.iter().copied().filter(|score| score.is_finite()).collect();
    known.sort_by(f64::total_cmp);
    known.dedup();
    let names: Vec<String> = known.iter().map(|score| class(*score, classes)).collect();
    let place = |score: &f64| known.binary_search_by(|own| own.total_cmp(score));
    let codes = scores.iter().map(|score| place(score).map_or(u32::MAX, |place| place as u32));
    Some(ColumnReference::of_levels(NAME, &names, codes))
}

/// The name of the class of this index, or the index where it has none.
fn class(score: f64, classes: &[String]) -> String {
    let is_index = score >= 0.0 && score.fract() == 0.0;
    let name = is_index.then(|| classes.get(score as usize)).flatten();
    name.cloned().unwrap_or_else(|| score.to_string())
}

/// Corrects all tests of all columns together.
fn correct<'a>(columns: impl Iterator<Item = &'a mut ColumnDrift>) {
    let mut columns: Vec<&mut ColumnDrift> = columns.collect();
    let all: Vec<f64> =
        columns.iter().flat_map(|column| column.tests.iter().map(|test| test.p)).collect();
    let mut adjusted = holm(&all).into_iter();
    for column in &mut columns {
        for test in &mut column.tests {
            test.adjusted = adjusted.next().unwrap_or(1.0);
        }
        column.p = column.tests.iter().map(|test| test.adjusted).reduce(f64::min);
    }
}

fn alarm_of(own: &Performance, kind: AlarmKind) -> Option<Alarm> {
    let (value, threshold) = (own.value?, own.threshold()?);
    let what = if kind == AlarmKind::Estimated { "is estimated at" } else { "was" };
    let sentence = format!(
        "{} {what} {value:.3}, worse than {threshold:.3}, the limit for windows of this size",
        own.metric,
    );
    own.alarm.then(|| Alarm { kind, subject: own.metric.to_owned(), value, threshold, sentence })
}

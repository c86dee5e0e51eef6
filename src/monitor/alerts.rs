//! Rules about windows, and the alerts that come of them: a pure state machine. Who is told, and
//! how, is decided elsewhere.

use serde::{Deserialize, Serialize};

use super::watch::WindowReport;

/// What a rule looks at.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "of")]
pub enum What {
    /// How many columns raised an alarm.
    DriftedColumns,
    /// The share of columns that raised one, from 0 to 1.
    DriftedShare,
    /// A number of one column, such as its `psi`.
    Column {
        /// The column.
        column: String,
        /// The number.
        measure: Measure,
    },
    /// A number of the scores.
    Score {
        /// The number.
        measure: Measure,
    },
    /// A metric on rows whose truth is known.
    Realised {
        /// Its name.
        metric: String,
    },
    /// A metric as estimated without the truth.
    Estimated {
        /// Its name.
        metric: String,
    },
    /// Alarms of any kind.
    Alarms,
    /// Rows of the window.
    Rows,
}

/// A number of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// What the chosen method measured.
    Value,
    /// Population stability index.
    Psi,
    /// Jensen-Shannon distance.
    Js,
    /// Wasserstein distance in standard deviations.
    Wasserstein,
    /// Kolmogorov's and Smirnov's distance.
    Ks,
    /// Largest change of one share.
    LInfinity,
    /// Share of missing values.
    Missing,
    /// Share of unseen levels.
    Unseen,
    /// Share of values beyond all of training.
    OutOfRange,
}

/// What a number must not pass.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// It must not be larger.
    Above(f64),
    /// It must not be smaller.
    Below(f64),
}

/// When somebody wants to be told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// Its name, by which the alert is known.
    pub name: String,
    /// What it looks at.
    pub what: What,
    /// What that must not pass.
    pub bound: Bound,
    /// In so many windows in a row; 0 counts as 1.
    pub for_windows: u32,
}

/// How an alert stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Nothing is wrong.
    Quiet,
    /// Nobody has taken notice yet.
    Firing,
    /// Someone has.
    Acknowledged,
}

/// A change of an alert.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AlertChange {
    /// The rule it belongs to.
    pub rule: String,
    /// What has happened to it.
    pub change: Change,
    /// What was measured; none where the window could not tell.
    pub value: Option<f64>,
    /// What it must not pass.
    pub threshold: f64,
    /// In a sentence.
    pub sentence: String,
}

/// What can happen to an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It has begun.
    Fired,
    /// Someone has taken notice.
    Acknowledged,
    /// What raised it is over.
    Resolved,
}

/// Rules and how they stand.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Alerts {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Entry {
    rule: Rule,
    standing: Standing,
    /// Windows in a row that broke the rule.
    broken: u32,
}

impl Alerts {
    /// Rules of which none has fired yet.
    pub fn new(rules: Vec<Rule>) -> Self {
        let quiet = |rule| Entry { rule, standing: Standing::Quiet, broken: 0 };
        Self { entries: rules.into_iter().map(quiet).collect() }
    }

    /// Every rule and how it stands.
    pub fn standing(&self) -> impl Iterator<Item = (&Rule, Standing)> {
        self.entries.iter().map(|entry| (&entry.rule, entry.standing))
    }

    /// Takes in a window and returns what has changed. A window that cannot tell, for want of rows
    /// or labels, changes nothing.
    pub fn take_in(&mut self, report: &WindowReport) -> Vec<AlertChange> {
        self.entries.iter_mut().filter_map(|entry| entry.take_in(report)).collect()
    }

    /// Someone has taken notice of a rule that fires; none if it does not.
    pub fn acknowledge(&mut self, rule: &str) -> Option<AlertChange> {
        let mut firing = self.entries.iter_mut().filter(|entry| entry.standing == Standing::Firing);
        let entry = firing.find(|entry| entry.rule.name == rule)?;
        entry.standing = Standing::Acknowledged;
        Some(entry.tell(Change::Acknowledged, None))
    }
}

impl Entry {
    fn take_in(&mut self, report: &WindowReport) -> Option<AlertChange> {
        let value = self.rule.what.of(report)?;
        let is_broken = match self.rule.bound {
            Bound::Above(bound) => value > bound,
            Bound::Below(bound) => value < bound,
        };
        self.broken = if is_broken { self.broken.saturating_add(1) } else { 0 };
        let change = match self.standing {
            Standing::Quiet if self.rule.for_windows.max(1) <= self.broken => {
                self.standing = Standing::Firing;
                Change::Fired
            }
            Standing::Firing | Standing::Acknowledged if !is_broken => {
                self.standing = Standing::Quiet;
                Change::Resolved
            }
            _ => return None,
        };
        Some(self.tell(change, Some(value)))
    }

    fn tell(&self, change: Change, value: Option<f64>) -> AlertChange {
        let Rule { name, bound, .. } = &self.rule;
        let (side, threshold) = match bound {
            Bound::Above(bound) => ("above", *bound),
            Bound::Below(bound) => ("below", *bound),
        };
        let measured = value.map(|value| format!(" at {value:.4}")).unwrap_or_default();
        let sentence = match change {
            Change::Fired => format!("{name} is {side} {threshold}{measured}"),
            Change::Acknowledged => format!("{name} was acknowledged"),
            Change::Resolved => format!("{name} is no longer {side} {threshold}{measured}"),
        };
        AlertChange { rule: name.clone(), change, value, threshold, sentence }
    }
}

impl What {
    /// The number in a report; none where the report has none.
    pub fn of(&self, report: &WindowReport) -> Option<f64> {
        let drifted = || report.columns.iter().filter(|column| column.alarm).count() as f64;
        match self {
            Self::DriftedColumns => Some(drifted()),
            Self::DriftedShare => {
                let n = report.columns.len();
                (n > 0).then(|| drifted() / n as f64)
            }
            Self::Column { column, measure } => {
                let column = report.columns.iter().find(|own| own.name == *column)?;
                measure.of(column)
            }
            Self::Score { measure } => measure.of(report.score.as_ref()?),
            Self::Realised { metric } => {
                report.realised.iter().find(|own| own.metric == metric.as_str())?.value
            }
            Self::Estimated { metric } => {
                report.estimated.iter().find(|own| own.metric == metric.as_str())?.value
            }
            Self::Alarms => Some(report.alarms.len() as f64),
            Self::Rows => Some(report.n as f64),
        }
    }
}

impl Measure {
    fn of(self, column: &super::ColumnDrift) -> Option<f64> {
        match self {
            Self::Value => column.value,
            Self::Psi => column.psi,
            Self::Js => column.js,
            Self::Wasserstein => column.wasserstein,
            Self::Ks => column.ks,
            Self::LInfinity => column.l_infinity,
            Self::Missing => column.missing.map(|rate| rate.window),
            Self::Unseen => column.unseen.map(|rate| rate.window),
            Self::OutOfRange => Some(column.below?.window + column.above?.window),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(n: u64) -> WindowReport {
        WindowReport { n, ..WindowReport::default() }
    }

    fn changes(alerts: &mut Alerts, n: u64) -> Vec<Change> {
        alerts.take_in(&window(n)).into_iter().map(|told| told.change).collect()
    }

    fn alerts(what: What) -> Alerts {
        let (name, bound) = ("rows".to_owned(), Bound::Below(10.0));
        Alerts::new(vec![Rule { name, what, bound, for_windows: 2 }])
    }

    #[test]
    fn an_alert_fires_once_and_is_resolved_once() {
        let mut alerts = alerts(What::Rows);
        assert_eq!(changes(&mut alerts, 5), []);
        assert_eq!(changes(&mut alerts, 50), []);
        assert_eq!(changes(&mut alerts, 5), []);
        assert_eq!(changes(&mut alerts, 5), [Change::Fired]);
        assert_eq!(changes(&mut alerts, 5), []);
        assert_eq!(alerts.acknowledge("rows").unwrap().change, Change::Acknowledged);
        assert_eq!(alerts.acknowledge("rows"), None);
        assert_eq!(changes(&mut alerts, 5), []);
        assert_eq!(alerts.standing().next().unwrap().1, Standing::Acknowledged);
        let resolved = alerts.take_in(&window(20));
        assert_eq!(resolved[0].sentence, "rows is no longer below 10 at 20.0000");
        assert_eq!(alerts.standing().next().unwrap().1, Standing::Quiet);
    }

    #[test]
    fn a_window_that_cannot_tell_changes_nothing() {
        let mut alerts = alerts(What::Realised { metric: "f1".into() });
        assert_eq!(changes(&mut alerts, 5), []);
        assert_eq!(alerts.entries[0].broken, 0);
    }

    #[test]
    fn rules_are_read_from_json() {
        let text = r#"{"name":"drift","what":{"of":"column","column":"age","measure":"psi"},"bound":{"above":0.25},"for_windows":2}"#;
        let rule: Rule = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&rule).unwrap(), text);
    }
}

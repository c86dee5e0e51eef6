//! The Monitor screen: how served models fare, window by window.

#[cfg(test)]
mod tests;
mod window;

use std::sync::Arc;

pub(crate) use window::{Fared, LIMITS, MEASURES, Rate, Seen, Window};

use super::act::moved;
use super::{App, Effect, Overlay, PageLine, Screen};
use crate::registry::store::log::Logged;
use crate::registry::store::{Alert, AlertState};
use crate::ui::action::Action;
use crate::ui::widgets::{numbers, text};
use crate::workspace::{Order, Outside, Registered, Work};

/// The views of the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MonitorView {
    /// Every version, with its light.
    #[default]
    Versions,
    /// The columns of the chosen version, by drift.
    Columns,
    /// How well it did, with and without labels.
    Performance,
    /// What needs attention.
    Alerts,
}

impl MonitorView {
    /// All of them, in order.
    pub const ALL: [Self; 4] = [Self::Versions, Self::Columns, Self::Performance, Self::Alerts];

    /// What the frame calls it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Versions => "versions",
            Self::Columns => "columns",
            Self::Performance => "performance",
            Self::Alerts => "alerts",
        }
    }
}

/// By what the columns are sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DriftOrder {
    /// PSI beside what chance does.
    #[default]
    Strength,
    /// PSI.
    Psi,
    /// Missing values, beside training.
    Missing,
    /// Levels never seen, and values outside the range.
    Unseen,
}

impl DriftOrder {
    const ALL: [Self; 4] = [Self::Strength, Self::Psi, Self::Missing, Self::Unseen];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Strength => "PSI beside chance",
            Self::Psi => "PSI",
            Self::Missing => "missing",
            Self::Unseen => "unseen and outside",
        }
    }

    fn of(self, seen: &Seen) -> f64 {
        match self {
            Self::Strength => seen.strength(),
            Self::Psi => seen.psi.unwrap_or(-1.0),
            Self::Missing => (seen.missing.now - seen.missing.before).abs(),
            Self::Unseen => seen.unseen.now + seen.below.now + seen.above.now,
        }
    }
}

/// A version that is watched.
#[derive(Clone, Debug, PartialEq)]
pub struct Watched {
    /// The name.
    pub name: String,
    /// The version.
    pub version: u32,
    /// The aliases that point to it.
    pub aliases: Vec<String>,
    /// Its windows, oldest first.
    pub windows: Vec<Window>,
    /// How many of its alerts fire, and how many are acknowledged and stand.
    pub alerts: (usize, usize),
}

/// The Monitor screen.
#[derive(Clone, Debug)]
pub struct MonitorPane {
    /// The view in front.
    pub view: MonitorView,
    /// The chosen row of each view.
    pub rows: [usize; 4],
    /// The versions; `None` until the registry was read.
    pub watched: Option<Vec<Watched>>,
    /// Alerts, those that fire first.
    pub alerts: Vec<Alert>,
    /// How many windows back from the latest is looked.
    pub back: usize,
    /// By what the columns are sorted.
    pub order: DriftOrder,
    /// The screen from which it was opened.
    pub from: Screen,
}

impl Default for MonitorPane {
    fn default() -> Self {
        Self {
            view: MonitorView::default(),
            rows: [0; 4],
            watched: None,
            alerts: Vec::new(),
            back: 0,
            order: DriftOrder::default(),
            from: Screen::Workbench,
        }
    }
}

impl MonitorPane {
    pub(super) fn learn(&mut self, known: &Arc<Registered>) {
        let mut watched = Vec::new();
        for version in known.models.iter().flat_map(|model| &model.versions) {
            let key = (version.name.clone(), version.version);
            let stored = known.windows.get(&key).map_or(&[][..], Vec::as_slice);
            if stored.is_empty() && version.aliases.is_empty() {
                continue;
            }
            let own = known.alerts.iter().filter(|a| (&a.model, a.version) == (&key.0, key.1));
            let count = |state| own.clone().filter(|alert| alert.state == state).count();
            watched.push(Watched {
                windows: stored.iter().map(|s| window::read(&s.report, s.to_ms)).collect(),
                alerts: (count(AlertState::Firing), count(AlertState::Acknowledged)),
                aliases: version.aliases.clone(),
                name: key.0,
                version: key.1,
            });
        }
        self.watched = Some(watched);
        self.alerts.clone_from(&known.alerts);
        let rank = |alert: &Alert| match alert.state {
            AlertState::Firing => 0,
            AlertState::Acknowledged => 1,
            AlertState::Resolved => 2,
        };
        self.alerts.sort_by_key(|alert| (rank(alert), std::cmp::Reverse(alert.last_ms)));
    }

    /// The chosen version.
    pub fn chosen(&self) -> Option<&Watched> {
        let watched = self.watched.as_ref()?;
        let at = self.rows[MonitorView::Versions as usize].min(watched.len().saturating_sub(1));
        watched.get(at)
    }

    /// The window that is looked at, and how many lie before it.
    pub fn window(&self) -> Option<(&Window, usize)> {
        let windows = &self.chosen()?.windows;
        let at = windows.len().checked_sub(1)?.saturating_sub(self.back);
        windows.get(at).map(|window| (window, at))
    }

    /// What was seen in the window: the score, then the columns, what drifted most first.
    pub fn seen(&self) -> Vec<&Seen> {
        let Some((window, _)) = self.window() else { return vec![] };
        let mut columns: Vec<&Seen> = window.columns.iter().collect();
        columns.sort_by(|a, b| self.order.of(b).total_cmp(&self.order.of(a)));
        window.score.iter().chain(columns).collect()
    }

    /// The course of a number over the windows up to the one that is looked at.
    pub fn course(&self, name: &str, of: impl Fn(&Seen) -> Option<f64>) -> Vec<f64> {
        let (Some(chosen), Some((_, at))) = (self.chosen(), self.window()) else { return vec![] };
        let find = |window: &Window| {
            let all = window.columns.iter().chain(&window.score);
            all.into_iter().find(|own| own.name == name).and_then(&of).unwrap_or(f64::NAN)
        };
        chosen.windows[..=at].iter().map(find).collect()
    }

    /// The chosen row of the view in front.
    pub fn row(&self) -> usize {
        self.rows[self.view as usize].min(self.n_rows().saturating_sub(1))
    }

    fn n_rows(&self) -> usize {
        match self.view {
            MonitorView::Versions => self.watched.as_ref().map_or(0, Vec::len),
            MonitorView::Columns => self.seen().len(),
            MonitorView::Performance => {
                self.window().map_or(0, |(w, _)| w.realised.len() + w.estimated.len())
            }
            MonitorView::Alerts => self.alerts.len(),
        }
    }
}

impl App {
    /// Opens the Monitor screen.
    pub(super) fn open_monitor(&mut self) -> Vec<Effect> {
        if self.screen == Screen::Monitor || self.folder().is_none() {
            return vec![];
        }
        self.overlays.clear();
        self.monitor.from = match self.screen {
            Screen::Explain => Screen::Workbench,
            other => other,
        };
        self.screen = Screen::Monitor;
        self.read_registry()
    }

    pub(super) fn act_monitor(&mut self, action: Action) -> Vec<Effect> {
        let pane = &mut self.monitor;
        if let Some(at) = moved(pane.row(), pane.n_rows(), action, self.page) {
            pane.rows[pane.view as usize] = at;
            if pane.view == MonitorView::Versions {
                pane.back = 0;
            }
            return vec![];
        }
        match action {
            Action::NextTab | Action::PrevTab | Action::Left | Action::Right => {
                let n = MonitorView::ALL.len();
                let by = if matches!(action, Action::NextTab | Action::Right) { 1 } else { n - 1 };
                pane.view = MonitorView::ALL[(pane.view as usize + by) % n];
                vec![]
            }
            Action::FarLeft => {
                let most = pane.chosen().map_or(0, |own| own.windows.len().saturating_sub(1));
                pane.back = (pane.back + 1).min(most);
                vec![]
            }
            Action::FarRight => {
                pane.back = pane.back.saturating_sub(1);
                vec![]
            }
            Action::NextMetric => {
                let at = DriftOrder::ALL.iter().position(|o| *o == pane.order).unwrap_or(0);
                pane.order = DriftOrder::ALL[(at + 1) % DriftOrder::ALL.len()];
                pane.view = MonitorView::Columns;
                let said = format!("columns by {}", pane.order.word());
                self.say(said);
                vec![]
            }
            Action::Enter => match pane.view {
                MonitorView::Versions if pane.chosen().is_some() => {
                    pane.view = MonitorView::Columns;
                    vec![]
                }
                MonitorView::Versions => self.refuse("no model is registered\nhint: `V` opens the Serve screen, where `r` registers the shown run"),
                MonitorView::Columns => self.open_seen(),
                MonitorView::Performance => {
                    self.show_measures();
                    vec![]
                }
                MonitorView::Alerts => self.go_to_alert(),
            },
            Action::ShowRows => self.ask_rows(),
            Action::Acknowledge => match pane.alerts.get(pane.row()) {
                Some(alert)
                    if pane.view == MonitorView::Alerts && alert.state == AlertState::Firing =>
                {
                    let order =
                        Order::Acknowledge { id: alert.id, sentence: alert.sentence.clone() };
                    self.ask_why(order)
                }
                Some(_) if pane.view == MonitorView::Alerts => {
                    self.refuse("this alert does not fire: someone has taken notice, or it is over")
                }
                _ if pane.alerts.iter().any(|alert| alert.state == AlertState::Firing) => {
                    pane.view = MonitorView::Alerts;
                    self.say("choose the alert, then acknowledge it");
                    vec![]
                }
                _ => self.refuse("no alert fires"),
            },
            Action::Definitions => {
                self.show_measures();
                vec![]
            }
            Action::Refresh => self.read_registry(),
            _ => vec![],
        }
    }

    /// Opens the column under the cursor: reference against window, and what was measured.
    fn open_seen(&mut self) -> Vec<Effect> {
        let Some(seen) = self.monitor.seen().get(self.monitor.row()).map(|own| (*own).clone())
        else {
            return self.refuse("no window was measured yet");
        };
        let title = format!("{}: training against this window", seen.name);
        let lines = seen_lines(&seen);
        self.overlays.push(Overlay::Page { title, lines, scroll: 0 });
        vec![]
    }

    /// Goes to what an alert is about.
    fn go_to_alert(&mut self) -> Vec<Effect> {
        let pane = &mut self.monitor;
        let Some(alert) = pane.alerts.get(pane.row()).cloned() else {
            return self.refuse("there are no alerts");
        };
        let watched = pane.watched.as_deref().unwrap_or_default();
        let own = |w: &Watched| w.name == alert.model && w.version == alert.version;
        if let Some(at) = watched.iter().position(own) {
            pane.rows[MonitorView::Versions as usize] = at;
            (pane.view, pane.back) = (MonitorView::Columns, 0);
            let place = pane.seen().iter().position(|seen| seen.name == alert.subject);
            pane.rows[MonitorView::Columns as usize] = place.unwrap_or(0);
        }
        self.say(alert.sentence);
        vec![]
    }

    /// Reads the rows behind the window from the prediction log.
    fn ask_rows(&mut self) -> Vec<Effect> {
        let Some(dir) = self.folder() else { return vec![] };
        let pane = &self.monitor;
        let (Some(own), Some((window, _))) = (pane.chosen(), pane.window()) else {
            return self.refuse("no window was measured yet");
        };
        let work = Outside::Logged {
            dir,
            model: own.name.clone(),
            version: own.version,
            between: [window.from_ms, window.to_ms],
        };
        self.start_all(vec![Work::Outside(work)])
    }

    /// Shows the rows behind a window, with the chosen column first.
    pub(super) fn show_logged(&mut self, rows: &[Logged]) -> Vec<Effect> {
        if rows.is_empty() {
            return self.refuse("no predictions of this window are kept\nhint: `karat serve --log-days N` keeps them");
        }
        let pane = &self.monitor;
        let column = pane.seen().get(pane.row()).map(|seen| seen.name.clone());
        let column = column.filter(|_| pane.view == MonitorView::Columns);
        let head = column.clone().unwrap_or_else(|| "inputs".into());
        let line = |at: &str, score: &str, called: &str, label: &str, value: &str| {
            PageLine::Fixed(format!(
                "{}  {}  {}  {}  {}",
                text::fit(at, 19),
                text::fit_right(score, 9),
                text::fit(called, 12),
                text::fit(label, 10),
                text::cut(value, 60)
            ))
        };
        let mut lines = vec![line("at (UTC)", "score", "called", "label", &head)];
        lines.extend(rows.iter().rev().map(|own| {
            let value = match &column {
                Some(name) => {
                    super::serve::value(own.inputs.get(name).unwrap_or(&serde_json::Value::Null))
                }
                None => super::serve::value(&own.inputs),
            };
            let label = own.label.as_deref().unwrap_or("not yet");
            let score =
                own.score.map_or("sealed".to_owned(), |score| numbers::significant(score, 4));
            line(&super::serve::time(own.at_ms), &score, &own.decision, label, &value)
        }));
        let title = format!("{} predictions of this window", numbers::count(rows.len()));
        self.overlays.push(Overlay::Page { title, lines, scroll: 0 });
        vec![]
    }

    /// What the measures mean, and their limits.
    fn show_measures(&mut self) {
        let pairs = |table: &[(&str, &str)]| {
            let pair = |(name, about): &(&str, &str)| {
                PageLine::Pair((*name).to_owned(), (*about).to_owned())
            };
            table.iter().map(pair).collect::<Vec<_>>()
        };
        let mut lines = vec![PageLine::Heading("drift".into())];
        lines.extend(pairs(MEASURES));
        lines.push(PageLine::Heading("performance".into()));
        lines.extend(pairs(LIMITS));
        let title = "What is measured, and its limits".into();
        self.overlays.push(Overlay::Page { title, lines, scroll: 0 });
    }
}

/// Reference against window, bin by bin, and every measure.
fn seen_lines(seen: &Seen) -> Vec<PageLine> {
    let pair = |name: &str, value: String| PageLine::Pair(name.to_owned(), value);
    let number = |v: Option<f64>| v.map_or(numbers::NONE.into(), |v| numbers::significant(v, 3));
    let mut lines = Vec::new();
    let most = seen.expected.iter().chain(&seen.actual).copied().fold(0.0, f64::max);
    if most > 0.0 {
        lines.push(PageLine::Heading("shares: training │ this window".into()));
        let names =
            seen.bin_names.iter().map(|bin| text::width(bin)).max().unwrap_or(4).clamp(4, 24);
        for at in 0..seen.expected.len().max(seen.actual.len()) {
            let name = seen.bin_names.get(at).map_or("", String::as_str);
            let share = |shares: &[f64]| shares.get(at).copied().unwrap_or(0.0);
            let bar = |share: f64| crate::ui::plot::bar(share / most, 18);
            let (before, now) = (share(&seen.expected), share(&seen.actual));
            lines.push(PageLine::Fixed(format!(
                "{}  {} {}  {} {}",
                text::fit(name, names),
                text::fit_right(&numbers::percent(before, 1), 7),
                bar(before),
                text::fit_right(&numbers::percent(now, 1), 7),
                bar(now),
            )));
        }
    }
    lines.push(PageLine::Heading("measured".into()));
    lines.push(pair(
        "PSI",
        format!(
            "{} · by chance alone below {} in 95 of 100 windows of this size",
            number(seen.psi),
            number(seen.null)
        ),
    ));
    if !seen.method.is_empty() {
        let said = format!(
            "{} by {} · not to pass {}",
            number(seen.value),
            seen.method.replace('_', " "),
            number(seen.threshold)
        );
        lines.push(pair("chosen", said));
    }
    if let Some(p) = seen.p {
        lines.push(pair("p", format!("{} corrected for all columns", numbers::p_value(p))));
    }
    for (name, value, about) in seen.measures() {
        lines.push(pair(name, format!("{} · {about}", number(Some(value)))));
    }
    let rate = |rate: Rate| {
        let (now, before) = (numbers::percent(rate.now, 1), numbers::percent(rate.before, 1));
        format!("{now}, in training {before}")
    };
    lines.push(pair("missing", rate(seen.missing)));
    lines.push(pair("unseen", rate(seen.unseen)));
    lines.push(pair("below", rate(seen.below)));
    lines.push(pair("above", rate(seen.above)));
    lines
}

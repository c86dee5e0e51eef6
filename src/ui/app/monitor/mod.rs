//! The Monitor screen: how served models fare, window by window.

mod again;
mod pages;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub(in crate::ui) use pages::LIMITS;

use super::act::moved;
use super::{App, Effect, Overlay, Screen};
use crate::registry::store::{Alert, AlertState};
use crate::ui::action::Action;
use crate::workspace::{Fared, Order, Outside, Registered, Seen, Window, Work};

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
    pub windows: Arc<Vec<Window>>,
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
    /// The view from which a key led to the one in front; the first one where none did.
    came_from: Option<MonitorView>,
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
            came_from: None,
            from: Screen::Workbench,
        }
    }
}

/// The kinds of alerts about how well a model did, and probably did.
const REALISED: &str = "realised";
const ESTIMATED: &str = "estimated";

/// The place of the metric that an alert is about among those of a window.
fn fared_at(window: &Window, alert: &Alert) -> Option<usize> {
    let place = |all: &[Fared]| all.iter().position(|own| own.metric == alert.subject);
    match alert.kind.as_str() {
        REALISED => place(&window.realised),
        ESTIMATED => place(&window.estimated).map(|place| window.realised.len() + place),
        _ => None,
    }
}

/// Whether an alert stands in a window.
fn stands_in(window: &Window, alert: &Alert) -> bool {
    let fared = window.realised.iter().chain(&window.estimated);
    match alert.kind.as_str() {
        REALISED | ESTIMATED => fared_at(window, alert)
            .and_then(|place| fared.into_iter().nth(place))
            .is_some_and(|own| own.alarm),
        _ => {
            let mut seen = window.columns.iter().chain(&window.score);
            seen.any(|own| own.name == alert.subject && own.alarm)
        }
    }
}

/// The window that raised an alert last: of those that had ended by then the latest in which it
/// stands. That it is over shows in a later one.
fn raised_in(windows: &[Window], alert: &Alert) -> Option<usize> {
    let had_ended = |window: &&Window| window.to_ms <= alert.last_ms;
    let n = windows.iter().take_while(had_ended).count();
    windows[..n].iter().rposition(|window| stands_in(window, alert)).or(n.checked_sub(1))
}

impl MonitorPane {
    /// Takes in what the registry knows; the cursors stay on what they were on.
    pub(super) fn learn(&mut self, known: &Arc<Registered>) {
        let version = self.chosen().map(|own| (own.name.clone(), own.version));
        let alert = self.alerts.get(self.rows[MonitorView::Alerts as usize]).map(|own| own.id);
        self.take_in(known);
        let watched = self.watched.as_deref().unwrap_or_default();
        let at = version.and_then(|(name, number)| {
            watched.iter().position(|own| own.name == name && own.version == number)
        });
        if let Some(at) = at {
            self.rows[MonitorView::Versions as usize] = at;
        }
        if let Some(at) = self.alerts.iter().position(|own| Some(own.id) == alert) {
            self.rows[MonitorView::Alerts as usize] = at;
        }
    }

    /// Goes back to the view before; whether there was one.
    pub(super) fn step_back(&mut self) -> bool {
        let before = self.came_from.take().unwrap_or_default();
        std::mem::replace(&mut self.view, before) != before
    }

    fn take_in(&mut self, known: &Registered) {
        let mut watched = Vec::new();
        for version in known.models.iter().flat_map(|model| &model.versions) {
            let key = (version.name.clone(), version.version);
            let windows = known.windows.get(&key).cloned().unwrap_or_default();
            if windows.is_empty() && version.aliases.is_empty() {
                continue;
            }
            let own = known.alerts.iter().filter(|a| (&a.model, a.version) == (&key.0, key.1));
            let count = |state| own.clone().filter(|alert| alert.state == state).count();
            watched.push(Watched {
                windows,
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
                pane.came_from = None;
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
                (pane.view, pane.came_from) = (MonitorView::Columns, None);
                let said = format!("columns by {}", pane.order.word());
                self.say(said);
                vec![]
            }
            Action::Enter => match pane.view {
                MonitorView::Versions if pane.chosen().is_some() => {
                    pane.view = MonitorView::Columns;
                    vec![]
                }
                MonitorView::Versions => self.refuse_unwatched(),
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
                    pane.came_from = Some(pane.view);
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
            Action::TrainAgain => self.ask_again(),
            Action::EraseSubject => self.ask_subject(),
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
        let lines = pages::seen_lines(&seen);
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
            pane.came_from = Some(pane.view);
            pane.rows[MonitorView::Versions as usize] = at;
            let windows = &watched[at].windows;
            let raised = raised_in(windows, &alert).map_or(0, |place| windows.len() - 1 - place);
            pane.back = raised;
            if matches!(alert.kind.as_str(), REALISED | ESTIMATED) {
                pane.view = MonitorView::Performance;
                let place = pane.window().and_then(|(window, _)| fared_at(window, &alert));
                pane.rows[MonitorView::Performance as usize] = place.unwrap_or(0);
            } else {
                pane.view = MonitorView::Columns;
                let place = pane.seen().iter().position(|seen| seen.name == alert.subject);
                pane.rows[MonitorView::Columns as usize] = place.unwrap_or(0);
            }
        }
        match alert.state {
            AlertState::Firing => self.alarm(alert.sentence),
            AlertState::Acknowledged => self.warn(alert.sentence),
            AlertState::Resolved => self.say(alert.sentence),
        }
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
}

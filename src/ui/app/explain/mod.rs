//! The Explain screen: one row, why a model decides on it as it does, and what it would decide if
//! some values were others.

#[cfg(test)]
mod tests;
mod ways;
mod what_if;

use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) use what_if::MISSING;

use super::act::moved;
use super::{App, Ask, DataTab, Effect, Overlay, PageLine, Pane, Pick, Screen};
use crate::data::{Table, Task};
use crate::explain::{Adverse, Attributed, Background, Explainer, fitting};
use crate::train::Run;
use crate::ui::action::Action;
use crate::ui::widgets::numbers;
use crate::workspace::{Asked, Decision, Side, Work};

/// The rows that are gone through.
#[derive(Clone, Debug)]
pub struct Walk {
    /// Which they are: "test rows".
    pub title: String,
    /// Their positions in the table; the table's own order without them.
    pub positions: Option<Arc<Vec<u32>>>,
    /// How many there are.
    pub n: usize,
    /// The chosen one.
    pub at: usize,
}

impl Walk {
    fn over(title: impl Into<String>, positions: Vec<u32>, at: usize) -> Self {
        let n = positions.len();
        let at = at.min(n.saturating_sub(1));
        Self { title: title.into(), positions: Some(Arc::new(positions)), n, at }
    }

    /// The position of the chosen row in the table.
    pub fn position(&self) -> usize {
        let own = self.positions.as_ref().and_then(|p| p.get(self.at));
        own.map_or(self.at, |position| *position as usize)
    }
}

/// The Explain screen.
#[derive(Clone, Debug)]
pub struct ExplainPane {
    /// The run whose decisions are explained.
    pub run: Option<Arc<Run>>,
    /// The table with the rows.
    pub table: Option<Arc<Table>>,
    /// The rows that are gone through.
    pub walk: Walk,
    /// What the row is to hold instead of its own values; `None` for nothing at all.
    pub changed: BTreeMap<String, Option<String>>,
    /// The ways in which the run can be explained, the surest first.
    pub ways: Vec<&'static Explainer>,
    /// The way it is explained: its place among them.
    pub way: usize,
    /// The class that is explained; the predicted one when none was chosen.
    pub class: Option<String>,
    /// Which outcome goes against the person.
    pub adverse: Adverse,
    /// With whom the person is compared.
    pub background: Background,
    /// What came out.
    pub decision: Option<Arc<Decision>>,
    /// What the row held instead of its own values when that came out.
    decided: BTreeMap<String, Option<String>>,
    /// Why nothing came out.
    pub trouble: Option<String>,
    /// The column under the cursor.
    pub column: Option<String>,
    /// The screen from which it was opened.
    pub from: Screen,
    /// What lay over that screen.
    pub under: Vec<Overlay>,
}

impl Default for ExplainPane {
    fn default() -> Self {
        Self {
            run: None,
            table: None,
            walk: Walk { title: String::new(), positions: None, n: 0, at: 0 },
            changed: BTreeMap::new(),
            ways: Vec::new(),
            way: 0,
            class: None,
            adverse: Adverse::Positive,
            background: Background::All,
            decision: None,
            decided: BTreeMap::new(),
            trouble: None,
            column: None,
            from: Screen::Workbench,
            under: Vec::new(),
        }
    }
}

impl ExplainPane {
    /// Whether reasons can be given at all.
    pub fn has_reasons(&self) -> bool {
        self.decision.as_ref().is_some_and(|d| d.grounds.is_some())
    }

    /// Whether another class can be explained.
    pub fn has_classes(&self) -> bool {
        self.run.as_ref().is_some_and(|run| run.task == Task::Multiclass)
    }

    /// What the columns add, the most first.
    pub fn order(&self) -> Vec<&Attributed> {
        let Some(Ok(why)) = self.decision.as_ref().map(|d| d.why.as_ref()) else { return vec![] };
        let mut order: Vec<&Attributed> = why.attributions.iter().collect();
        order.sort_by(|a, b| b.contribution.abs().total_cmp(&a.contribution.abs()));
        order
    }

    /// The place of the cursor among them.
    pub fn row(&self) -> usize {
        let named = |column: &String| self.order().iter().position(|a| a.feature == *column);
        self.column.as_ref().and_then(named).unwrap_or(0)
    }

    pub(super) fn learn(&mut self, decision: &Arc<Decision>) {
        (self.decision, self.trouble) = (Some(Arc::clone(decision)), None);
        self.decided.clone_from(&self.changed);
    }

    /// Goes back to the values of the decision that is shown. One on another row is not shown in
    /// place of what was asked for.
    pub(super) fn fail(&mut self, text: &str) {
        let asked = self.walk.position();
        if self.decision.as_ref().is_none_or(|known| known.position as usize != asked) {
            (self.decision, self.trouble) = (None, Some(text.to_owned()));
            self.decided.clear();
        }
        self.changed.clone_from(&self.decided);
    }
}

impl App {
    /// Opens the Explain screen on the shown run and the selected row.
    pub(super) fn open_explain(&mut self) -> Vec<Effect> {
        if self.screen == Screen::Explain {
            return vec![];
        }
        let run = match self.screen {
            Screen::Compare => self.compared().and_then(|id| self.workspace.run(&id).cloned()),
            _ => self.shown().cloned(),
        };
        let Some(run) = run else {
            return self.refuse_with("no run to explain", "{} trains one", Action::Train);
        };
        let Some(table) = self.workspace.now.table.clone() else {
            return self.refuse_with("no table is open", "{} opens one", Action::Open);
        };
        let (table, walk) = self.walk(&run, &table);
        if walk.n == 0 {
            return self.refuse("no rows there");
        }
        let pane = &mut self.explain;
        if pane.run.as_ref().is_none_or(|old| old.id != run.id) {
            (pane.way, pane.class, pane.column) = (0, None, None);
            pane.ways = ways_of(&run);
        }
        (pane.run, pane.table, pane.walk) = (Some(run), Some(table), walk);
        (pane.decision, pane.trouble) = (None, None);
        pane.changed.clear();
        pane.decided.clear();
        (pane.from, pane.under) = (self.screen, std::mem::take(&mut self.overlays));
        self.screen = Screen::Explain;
        self.decide()
    }

    /// The rows to go through, from where a person stands.
    fn walk(&self, run: &Run, table: &Arc<Table>) -> (Arc<Table>, Walk) {
        if let Some(Overlay::Rows(view)) = self.overlays.last() {
            let positions = view.rows.iter().map(|row| row.position).collect();
            return (Arc::clone(&view.table), Walk::over(view.title.clone(), positions, view.row));
        }
        let in_table = self.screen == Screen::Workbench
            && self.focus == Pane::Data
            && self.data.tab == DataTab::Table;
        let side = self.side(run);
        let walk = match side.scores(run) {
            Some(scores) if !in_table => {
                let positions = table.positions_of(&scores.rows).into_iter().flatten().collect();
                Walk::over(format!("{} rows", side.word()), positions, 0)
            }
            _ => {
                let n = self.data.n_rows(&self.workspace);
                let order = self.data.order_of(&self.workspace).cloned();
                let title = if order.is_some() { "rows of the view" } else { "all rows" };
                Walk { title: title.into(), positions: order, n, at: self.data.row }
            }
        };
        (Arc::clone(table), walk)
    }

    /// Asks what the run says of the chosen row as it was changed.
    fn decide(&mut self) -> Vec<Effect> {
        let pane = &self.explain;
        let (Some(run), Some(table)) = (pane.run.clone(), pane.table.clone()) else {
            return vec![];
        };
        let Some(row) = table.row_number(pane.walk.position()) else { return vec![] };
        let asked = Asked {
            row,
            changed: pane.changed.clone(),
            method: pane.ways.get(pane.way).map(|way| way.name),
            class: pane.class.clone(),
            adverse: pane.adverse,
            threshold: self.workspace.threshold(&run),
            run,
            table,
        };
        self.start_all(vec![Work::Decide(Box::new(asked))])
    }

    pub(super) fn act_explain(&mut self, action: Action) -> Vec<Effect> {
        let order = self.explain.order();
        let at = moved(self.explain.row(), order.len(), action, self.page);
        if let Some(chosen) = at.and_then(|at| order.get(at)) {
            self.explain.column = Some(chosen.feature.clone());
            return vec![];
        }
        let pane = &mut self.explain;
        match action {
            Action::Left | Action::Right | Action::NextMatch | Action::PrevMatch => {
                let back = matches!(action, Action::Left | Action::PrevMatch);
                let last = pane.walk.n.saturating_sub(1);
                let to = if back { pane.walk.at.saturating_sub(1) } else { pane.walk.at + 1 };
                if to > last || to == pane.walk.at {
                    let end = if back { "first" } else { "last" };
                    let said = format!("this is the {end} of the {}", pane.walk.title);
                    self.say(said);
                    return vec![];
                }
                self.go_to(to)
            }
            Action::Enter => self.ask_what_if(),
            Action::ResetRow if pane.changed.is_empty() => {
                self.say("nothing was changed in this row");
                vec![]
            }
            Action::ResetRow => {
                pane.changed.clear();
                self.decide()
            }
            Action::ResetField => {
                let column = pane.order().get(pane.row()).map(|chosen| chosen.feature.clone());
                match column.and_then(|column| pane.changed.remove(&column)) {
                    Some(_) => self.decide(),
                    None => self.refuse("this column holds its own value"),
                }
            }
            Action::Background | Action::Outcome if !pane.has_reasons() => self.refuse(
                "there are no reasons for this model\nhint: they are defined for linear families of two classes",
            ),
            Action::Background => {
                pane.background = match pane.background {
                    Background::All => Background::NearThreshold,
                    Background::NearThreshold => Background::All,
                };
                vec![]
            }
            Action::Outcome => {
                pane.adverse = match pane.adverse {
                    Adverse::Positive => Adverse::Negative,
                    Adverse::Negative => Adverse::Positive,
                };
                self.decide()
            }
            Action::NextWay if pane.ways.len() < 2 => match pane.ways.first() {
                Some(way) if way.name == "exact" => self.refuse(
                    "of this model the contributions are exact: other ways would only come near",
                ),
                _ => self.refuse("there is no other way to explain this model"),
            },
            Action::NextWay => {
                pane.way = (pane.way + 1) % pane.ways.len();
                self.decide()
            }
            Action::NextClass => {
                let Some(run) = pane.run.as_ref().filter(|run| run.task == Task::Multiclass) else {
                    return self.refuse("only one of several classes can be chosen");
                };
                let classes = &run.model.classes;
                let now = match (&pane.class, pane.decision.as_ref().map(|d| d.why.as_ref())) {
                    (Some(class), _) => Some(class.clone()),
                    (None, Some(Ok(why))) => why.class.clone(),
                    (None, _) => None,
                };
                let now = classes.iter().position(|class| Some(class) == now.as_ref());
                let next = now.map_or(0, |now| (now + 1) % classes.len());
                pane.class = classes.get(next).cloned();
                self.decide()
            }
            Action::GoToRow | Action::Search => {
                let n = pane.table.as_ref().map_or(0, |table| table.n_rows());
                let hint = format!("its number in the file; the table has {} rows", numbers::count(n));
                self.ask("Explain which row?", &hint, "", Ask::ExplainRow);
                vec![]
            }
            Action::Definitions => {
                self.show_ways();
                vec![]
            }
            _ => vec![],
        }
    }

    /// Goes to another of the rows.
    fn go_to(&mut self, at: usize) -> Vec<Effect> {
        let pane = &mut self.explain;
        pane.walk.at = at;
        let n = std::mem::take(&mut pane.changed).len();
        // Of the next row the next class is the predicted one again.
        pane.class = None;
        if n > 0 {
            let values = if n == 1 {
                "the value tried on the row before is"
            } else {
                "the values tried on the row before are"
            };
            self.say(format!("{values} gone with it"));
        }
        self.decide()
    }

    /// Goes to a row by its number in the source.
    pub(super) fn explain_number(&mut self, typed: &str) -> Vec<Effect> {
        let Ok(number) = typed.replace(',', "").parse::<u32>() else {
            return self.refuse(&format!("`{typed}` is not a row's number"));
        };
        let Some(table) = self.explain.table.clone() else { return vec![] };
        let Some(position) = table.positions_of(&[number]).first().copied().flatten() else {
            let text = format!("there is no row {number}\nhint: it may be filtered out");
            return self.refuse(&text);
        };
        let walk = &mut self.explain.walk;
        let own = match &walk.positions {
            Some(positions) => positions.iter().position(|own| *own == position),
            None => Some(position as usize),
        };
        if let Some(at) = own {
            return self.go_to(at);
        }
        let n = table.n_rows();
        *walk = Walk { title: "all rows".into(), positions: None, n, at: position as usize };
        self.go_to(position as usize)
    }
}

/// The ways in which a run can be explained. Where contributions are exact, so are the reasons;
/// ways that only come near would name other columns than those.
fn ways_of(run: &Run) -> Vec<&'static Explainer> {
    let mut ways = fitting(&run.model);
    if ways.iter().any(|way| way.name == "exact") {
        ways.retain(|way| matches!(way.name, "exact" | "permutation"));
    }
    ways
}

/// Which rows these are, in a word.
pub(in crate::ui) fn side_word(side: Option<Side>) -> &'static str {
    match side {
        Some(Side::Test) => "test",
        Some(Side::Valid) => "validation",
        Some(Side::Train | Side::OutOfFold) => "training",
        None => "not in this run",
    }
}

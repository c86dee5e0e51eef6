//! The Explain screen: one row, why a model decides on it as it does, and what it would decide if
//! some values were others.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::act::moved;
use super::{App, Ask, DataTab, Effect, Overlay, PageLine, Pane, Pick, Screen};
use crate::data::{Table, Task};
use crate::explain::{Adverse, Attributed, Background, EXPLAINERS};
use crate::models::{FieldKind, Predictor};
use crate::train::Run;
use crate::ui::action::Action;
use crate::ui::widgets::numbers;
use crate::workspace::{Asked, Decision, Side, Work};

/// How a missing value is offered in a list.
pub(super) const MISSING: &str = "(missing)";

/// The ways in which a linear family is explained, and those for networks, the surest first.
const LINEAR: &[&str] = &["exact", "integrated_gradients", "gradient_x_input", "occlusion"];
const NETWORK: &[&str] = &["integrated_gradients", "gradient_x_input", "class_map", "occlusion"];

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
    /// The way it is explained: its place in the list of ways.
    pub way: usize,
    /// The class that is explained; the predicted one when none was chosen.
    pub class: Option<String>,
    /// Which outcome goes against the person.
    pub adverse: Adverse,
    /// With whom the person is compared.
    pub background: Background,
    /// What came out.
    pub decision: Option<Arc<Decision>>,
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
            way: 0,
            class: None,
            adverse: Adverse::Positive,
            background: Background::All,
            decision: None,
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
    }

    pub(super) fn fail(&mut self, text: &str) {
        if self.decision.is_none() {
            self.trouble = Some(text.to_owned());
        }
    }

    /// The ways in which the run can be explained.
    fn ways(&self) -> &'static [&'static str] {
        match self.run.as_ref().map(|run| &run.model.predictor) {
            Some(Predictor::Network(_)) => NETWORK,
            _ => LINEAR,
        }
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
            return self.refuse("no run to explain\nhint: train one with `t`");
        };
        let Some(table) = self.workspace.now.table.clone() else {
            return self.refuse("no table is open\nhint: open one with `O`");
        };
        let (table, walk) = self.walk(&run, &table);
        if walk.n == 0 {
            return self.refuse("no rows there");
        }
        let pane = &mut self.explain;
        if pane.run.as_ref().is_none_or(|old| old.id != run.id) {
            (pane.way, pane.class, pane.column) = (0, None, None);
        }
        (pane.run, pane.table, pane.walk) = (Some(run), Some(table), walk);
        (pane.decision, pane.trouble) = (None, None);
        pane.changed.clear();
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
        let ways = pane.ways();
        let asked = Asked {
            row,
            changed: pane.changed.clone(),
            method: Some(ways[pane.way % ways.len()]),
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
            Action::NextWay => {
                pane.way = (pane.way + 1) % pane.ways().len();
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
        pane.changed.clear();
        // Of the next row the next class is the predicted one again.
        pane.class = None;
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

    /// Asks what the chosen column is to hold.
    fn ask_what_if(&mut self) -> Vec<Effect> {
        let pane = &self.explain;
        let Some(decision) = pane.decision.clone() else { return vec![] };
        let chosen = pane.order().get(pane.row()).map(|chosen| (*chosen).clone());
        let Some(chosen) = chosen else {
            return self.refuse("nothing to change: this model says the same of every row");
        };
        self.explain.column = Some(chosen.feature.clone());
        let pane = &self.explain;
        let Some(field) = decision.field(&chosen.feature) else {
            let text = format!(
                "`{}` cannot be changed here: the model looks at the rows before this one",
                chosen.feature
            );
            return self.refuse(&text);
        };
        let masked = pane.table.as_ref().and_then(|table| table.column(&field.name));
        if masked.is_some_and(crate::data::Column::is_masked) {
            let text = format!("`{}` is masked and stays as it is", field.name);
            return self.refuse(&text);
        }
        let now = chosen.text.clone().unwrap_or_default();
        let own = match decision.changed.get(&field.name) {
            Some((own, _)) => own.clone(),
            None => chosen.text.clone(),
        };
        let title = format!("What if `{}` was …", field.name);
        let column = field.name.clone();
        if matches!(field.kind, FieldKind::Level | FieldKind::Truth) && !field.levels.is_empty() {
            let note = |level: &str| {
                if own.as_deref() == Some(level) { "the row's own" } else { "" }.to_owned()
            };
            let mut items: Vec<(String, String)> =
                field.levels.iter().map(|level| (level.clone(), note(level))).collect();
            let missing = if own.is_none() { "the row's own" } else { "" };
            items.push((MISSING.to_owned(), missing.to_owned()));
            let now = if chosen.text.is_none() { MISSING.to_owned() } else { now };
            self.pick(title, items, &now, Pick::WhatIf(column));
            return vec![];
        }
        let range = match (field.min, field.max) {
            (Some(min), Some(max)) if field.kind != FieldKind::Date => format!(
                "; in training from {} to {}",
                numbers::significant(min, 6),
                numbers::significant(max, 6)
            ),
            _ => String::new(),
        };
        let hint = format!("a {}{range}; nothing for a missing value", field.kind.word());
        self.ask(title, &hint, &now, Ask::WhatIf(column));
        vec![]
    }

    /// Lets a column hold something else.
    pub(super) fn what_if(&mut self, column: &str, value: Option<String>) -> Vec<Effect> {
        let pane = &mut self.explain;
        let Some(decision) = &pane.decision else { return vec![] };
        if let Some(text) = &value {
            let kind = decision.field(column).map(|field| field.kind);
            if kind == Some(FieldKind::Number) && text.trim().parse::<f64>().is_err() {
                return self.refuse(&format!("`{text}` is not a number"));
            }
        }
        let own = match (decision.changed.get(column), pane.order()) {
            (Some((own, _)), _) => own.clone(),
            (None, order) => {
                let own = order.iter().find(|own| own.feature == column);
                own.and_then(|own| own.text.clone())
            }
        };
        let before = pane.changed.clone();
        if value == own {
            pane.changed.remove(column);
        } else {
            pane.changed.insert(column.to_owned(), value);
        }
        if pane.changed == before {
            return vec![];
        }
        self.decide()
    }

    /// What contributions and reasons are.
    fn show_ways(&mut self) {
        let mut lines = Vec::new();
        for name in self.explain.ways() {
            let Some(way) = EXPLAINERS.iter().find(|e| e.name == *name) else { continue };
            lines.push(PageLine::Heading(way.label.to_owned()));
            lines.push(PageLine::Text(way.about.to_owned()));
            lines.push(PageLine::Pair("source".into(), way.source.to_owned()));
        }
        lines.push(PageLine::Heading("reasons".into()));
        lines.push(PageLine::Text(
            "At most four columns in which the person fell furthest short, on the scale of the \
             linear score; all columns of the matrix that come from one column count together. A \
             protected attribute is never named."
                .into(),
        ));
        let pair = |name: &str, background: Background| {
            PageLine::Pair(name.to_owned(), background.sentence().to_owned())
        };
        lines.push(pair("method (A)", Background::NearThreshold));
        lines.push(pair("method (B)", Background::All));
        lines.push(PageLine::Pair(
            "source".into(),
            "Regulation B, 12 CFR 1002.9, interpretation 9(b)(2)-5; the averages are those of the \
             training rows and are kept in the model"
                .into(),
        ));
        let title = "What contributions and reasons are".into();
        self.overlays.push(Overlay::Page { title, lines, scroll: 0 });
    }
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

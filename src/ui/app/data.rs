//! The Data pane: columns, rows, findings, SQL, correlations.

use std::sync::Arc;

use super::act::moved;
use super::words::{about_kind, about_role, command_on, row_text, verb_of};
use super::{App, Ask, Effect, Overlay, PageLine, Pick};
use crate::data::{Column, Kind, Matrix, Role, Table, View};
use crate::ui::action::Action;
use crate::ui::widgets::numbers;
use crate::workspace::{Verb, Work, Workspace};

/// A tab of the Data pane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum DataTab {
    /// The columns, with what is known of each.
    #[default]
    Columns,
    /// The rows.
    Table,
    /// What is wrong with the table.
    Findings,
    /// Questions in SQL.
    Sql,
    /// How the columns go together.
    Correlations,
}

impl DataTab {
    /// The tabs in their order.
    pub const ALL: [Self; 5] =
        [Self::Columns, Self::Table, Self::Findings, Self::Sql, Self::Correlations];

    /// What the frame calls it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Columns => "columns",
            Self::Table => "table",
            Self::Findings => "findings",
            Self::Sql => "sql",
            Self::Correlations => "correlations",
        }
    }
}

/// The Data pane.
#[derive(Clone, Debug, Default)]
pub struct DataPane {
    /// The tab in front.
    pub tab: DataTab,
    /// The chosen column in the list of columns.
    pub column: usize,
    /// The chosen row of the table, counted in the order of the view.
    pub row: usize,
    /// The chosen column of the table, counted among those not hidden.
    pub col: usize,
    /// The chosen finding.
    pub finding: usize,
    /// The rows in the order of the view, once it is known.
    pub order: Option<(View, Arc<Vec<u32>>)>,
    /// What is searched for.
    pub search: Option<String>,
    /// The last query.
    pub query: String,
    /// Its answer.
    pub answer: Option<Arc<Table>>,
    /// The chosen row and column of the answer.
    pub answer_at: (usize, usize),
    /// The table that order, answer and correlations belong to.
    pub table: Option<Arc<Table>>,
    /// How the columns go together, once it is known.
    pub correlations: Option<Arc<Matrix>>,
    /// The chosen pair of columns.
    pub pair: (usize, usize),
}

impl DataPane {
    /// The order of the rows when it fits the view as it stands.
    pub(super) fn order_of(&self, workspace: &Workspace) -> Option<&Arc<Vec<u32>>> {
        let (view, order) = self.order.as_ref()?;
        let now = &workspace.now.view;
        (view.filter == now.filter && view.sort == now.sort).then_some(order)
    }

    /// How many rows the table shows.
    pub fn n_rows(&self, workspace: &Workspace) -> usize {
        let all = workspace.now.table.as_ref().map_or(0, |t| t.n_rows());
        self.order_of(workspace).map_or(all, |order| order.len())
    }

    /// The position in the table of a row in the order of the view.
    pub fn position(&self, workspace: &Workspace, row: usize) -> usize {
        let order = self.order_of(workspace);
        order.and_then(|o| o.get(row)).map_or(row, |position| *position as usize)
    }

    /// The columns that are not hidden.
    pub fn visible(&self, workspace: &Workspace) -> Vec<String> {
        let Some(table) = &workspace.now.table else { return vec![] };
        let hidden = &workspace.now.view.hidden;
        let shown = table.columns.iter().filter(|c| !hidden.contains(&c.name));
        shown.map(|c| c.name.clone()).collect()
    }
}

impl App {
    pub(super) fn act_data(&mut self, action: Action) -> Vec<Effect> {
        if self.workspace.now.table.is_none() {
            return self.refuse_with("no table is open", "{} opens one", Action::Open);
        }
        match action {
            Action::NextTab => self.turn(1),
            Action::PrevTab => self.turn(DataTab::ALL.len() - 1),
            Action::Search => {
                let now = self.data.search.clone().unwrap_or_default();
                self.ask(
                    "Search",
                    "text to look for; n and N go to the next and to the one before",
                    &now,
                    Ask::Search,
                );
                vec![]
            }
            Action::NextMatch => self.find(true, false),
            Action::PrevMatch => self.find(false, false),
            _ => match self.data.tab {
                DataTab::Columns => self.act_columns(action),
                DataTab::Table => self.act_table(action),
                DataTab::Findings => self.act_findings(action),
                DataTab::Sql => self.act_sql(action),
                DataTab::Correlations => self.act_correlations(action),
            },
        }
    }

    fn turn(&mut self, by: usize) -> Vec<Effect> {
        let at = self.data.tab as usize;
        self.data.tab = DataTab::ALL[(at + by) % DataTab::ALL.len()];
        if self.data.tab == DataTab::Correlations && self.data.correlations.is_none() {
            let work = self.workspace.table().ok().map(Arc::clone);
            return self
                .start_all(work.map(|table| Work::Correlate { table }).into_iter().collect());
        }
        vec![]
    }

    fn act_columns(&mut self, action: Action) -> Vec<Effect> {
        let Some(table) = self.workspace.now.table.clone() else { return vec![] };
        if let Some(at) = moved(self.data.column, table.n_columns(), action, self.page) {
            self.data.column = at;
            return vec![];
        }
        let Some(column) = table.columns.get(self.data.column) else { return vec![] };
        let name = &column.name;
        match action {
            Action::Left => self.turn(DataTab::ALL.len() - 1),
            Action::Right => self.turn(1),
            Action::Enter => {
                self.show_column(name);
                vec![]
            }
            Action::SetTarget => self.do_verb(&Verb::Target(name.clone())),
            Action::SetRole => {
                let items =
                    Role::ALL.iter().map(|r| (r.word().to_owned(), about_role(*r).to_owned()));
                let begin = command_on("role", name);
                self.pick(
                    format!("What is {name} for?"),
                    items.collect(),
                    column.role.word(),
                    Pick::Command(begin),
                );
                vec![]
            }
            Action::SetKind => {
                let allowed = Kind::ALL.iter().filter(|k| table.allows(name, **k));
                let items = allowed.map(|k| (k.word().to_owned(), about_kind(*k).to_owned()));
                let begin = command_on("kind", name);
                self.pick(
                    format!("What does {name} hold?"),
                    items.collect(),
                    column.kind.word(),
                    Pick::Command(begin),
                );
                vec![]
            }
            Action::ToggleFeature => {
                let is_in = column.role == Role::Feature
                    && (column.protected.is_none() || !column.role_guessed);
                let role = if is_in { Role::Ignored } else { Role::Feature };
                self.do_verb(&Verb::Role(name.clone(), role))
            }
            Action::ToggleProtected => {
                self.do_verb(&Verb::Protected(name.clone(), column.protected.is_none()))
            }
            Action::SpecialCodes => {
                let now = column.special.join(",");
                let begin = command_on("special", name);
                self.ask(
                    format!("Codes of {name} that mean missing"),
                    "such as -999, 999; nothing takes them back",
                    &now,
                    Ask::Command(begin),
                );
                vec![]
            }
            Action::Compute => {
                self.ask(
                    "A computed column",
                    "NAME = EXPRESSION, such as rate = amount / income, or d = log(x)",
                    "",
                    Ask::Command("compute ".into()),
                );
                vec![]
            }
            _ => vec![],
        }
    }

    fn act_table(&mut self, action: Action) -> Vec<Effect> {
        let n = self.data.n_rows(&self.workspace);
        if let Some(at) = moved(self.data.row, n, action, self.page) {
            self.data.row = at;
            return vec![];
        }
        let visible = self.data.visible(&self.workspace);
        let Some(name) = visible.get(self.data.col).cloned() else { return vec![] };
        let Some(table) = self.workspace.now.table.clone() else { return vec![] };
        let position = self.data.position(&self.workspace, self.data.row);
        match action {
            Action::Left => self.data.col = self.data.col.saturating_sub(1),
            Action::Right => self.data.col = (self.data.col + 1).min(visible.len() - 1),
            Action::Filter => {
                let now = self.workspace.now.view.filter.clone().unwrap_or_default();
                self.ask(
                    "Show only rows for which this holds",
                    "such as age_years > 60 AND housing = 'own'; nothing shows all",
                    &now,
                    Ask::Command("filter ".into()),
                );
            }
            Action::FilterLike => {
                let quoted = format!("\"{}\"", name.replace('"', "\"\""));
                let expr = match table.text(position, &name) {
                    _ if table.column(&name).is_some_and(Column::is_masked) => {
                        return self.refuse("personal data cannot be searched");
                    }
                    None => format!("{quoted} IS NULL"),
                    Some(value) if table.is_numeric(&name) => format!("{quoted} = {value}"),
                    Some(value) => format!("{quoted} = '{}'", value.replace('\'', "''")),
                };
                let expr = match &self.workspace.now.view.filter {
                    Some(filter) => format!("({filter}) AND {expr}"),
                    None => expr,
                };
                return self.do_verb(&Verb::Filter(expr));
            }
            Action::SortBy => {
                let sort = self.workspace.now.view.sort.as_ref();
                let down = sort.is_some_and(|s| s.column == name && !s.descending);
                return self.do_verb(&Verb::Sort(name, down));
            }
            Action::GoToRow => {
                self.ask("Go to row", "a row's number in the file", "", Ask::GoToRow);
            }
            Action::HideColumn => return self.do_verb(&Verb::Hide(name)),
            Action::FreezeColumns => {
                if self.data.col >= 3 {
                    return self.refuse("at most three columns can be frozen\nhint: go to one of the first three, or hide some");
                }
                let frozen = if self.workspace.now.view.frozen == self.data.col + 1 {
                    0
                } else {
                    self.data.col + 1
                };
                return self.do_verb(&Verb::Freeze(frozen));
            }
            Action::ShowAll => return self.do_verb(&Verb::ShowAll),
            Action::CopyCell => {
                let text = table.text(position, &name).unwrap_or_default();
                self.say(format!("copied {name}"));
                return vec![Effect::Copy(text)];
            }
            Action::CopyRow => {
                self.say("copied the row");
                return vec![Effect::Copy(row_text(&table, position, &visible))];
            }
            Action::Enter => self.show_row(&table, position),
            _ => {}
        }
        vec![]
    }

    fn act_findings(&mut self, action: Action) -> Vec<Effect> {
        let Some(survey) = self.workspace.survey.clone() else { return vec![] };
        if let Some(at) = moved(self.data.finding, survey.findings().len(), action, self.page) {
            self.data.finding = at;
            return vec![];
        }
        match action {
            Action::Left => self.turn(DataTab::ALL.len() - 1),
            Action::Right => self.turn(1),
            Action::Enter => match survey.findings().get(self.data.finding).map(|f| &f.remedy) {
                Some(Some(remedy)) => self.do_verb(&verb_of(remedy)),
                Some(None) => self.refuse("this finding has no remedy; it is good to know"),
                None => vec![],
            },
            _ => vec![],
        }
    }

    fn act_sql(&mut self, action: Action) -> Vec<Effect> {
        let (n, m) = self.data.answer.as_ref().map_or((0, 0), |t| (t.n_rows(), t.n_columns()));
        let at = &mut self.data.answer_at;
        if let Some(row) = moved(at.0, n, action, self.page) {
            at.0 = row;
            return vec![];
        }
        match action {
            Action::Left => at.1 = at.1.saturating_sub(1),
            Action::Right => at.1 = (at.1 + 1).min(m.saturating_sub(1)),
            Action::Enter => {
                let now = if self.data.query.is_empty() {
                    "SELECT * FROM data LIMIT 100".to_owned()
                } else {
                    self.data.query.clone()
                };
                self.ask(
                    "Ask in SQL",
                    "the table is called data; R makes the answer the table",
                    &now,
                    Ask::Query,
                );
            }
            Action::OpenAnswer if self.data.answer.is_some() => {
                return self.do_verb(&Verb::Sql(self.data.query.clone()));
            }
            Action::OpenAnswer => {
                return self.refuse("there is no answer yet\nhint: write a query with Enter");
            }
            _ => {}
        }
        vec![]
    }

    fn act_correlations(&mut self, action: Action) -> Vec<Effect> {
        let n = self.data.correlations.as_ref().map_or(0, |m| m.names.len());
        let pair = &mut self.data.pair;
        if let Some(at) = moved(pair.0, n, action, self.page) {
            pair.0 = at;
            return vec![];
        }
        match action {
            Action::Left => pair.1 = pair.1.saturating_sub(1),
            Action::Right => pair.1 = (pair.1 + 1).min(n.saturating_sub(1)),
            Action::Enter => {
                if let Some(matrix) = &self.data.correlations {
                    let (a, b) = *pair;
                    let names = matrix.names.get(a).zip(matrix.names.get(b));
                    let Some((first, second)) = names else { return vec![] };
                    let value = numbers::optional(matrix.at(a, b), 4);
                    let text = format!("{first} and {second}: Pearson's correlation {value}");
                    self.say(text);
                }
            }
            _ => {}
        }
        vec![]
    }

    /// Goes to the next place where the search is found.
    pub(super) fn find(&mut self, forward: bool, include_here: bool) -> Vec<Effect> {
        let Some(needle) = self.data.search.clone() else {
            return self.refuse("nothing is searched for\nhint: press / and type");
        };
        let Some(table) = self.workspace.now.table.clone() else { return vec![] };
        let low = needle.to_lowercase();
        if self.data.tab != DataTab::Table {
            let n = table.n_columns();
            let from = self.data.column
                + if include_here {
                    0
                } else if forward {
                    1
                } else {
                    n - 1
                };
            let hit = (0..n).map(|k| if forward { (from + k) % n } else { (from + n - k) % n });
            return match hit
                .into_iter()
                .find(|i| table.columns[*i].name.to_lowercase().contains(&low))
            {
                Some(at) => {
                    self.data.column = at;
                    vec![]
                }
                None => self.refuse(&format!("no column has `{needle}` in its name")),
            };
        }
        let n = self.data.n_rows(&self.workspace).max(1);
        // The search begins behind `from`; to look at this row too it begins one before.
        let here = self.data.row;
        let from = if include_here { (here + n - 1) % n } else { here };
        let columns = self.data.visible(&self.workspace);
        let order = self.data.order_of(&self.workspace).cloned();
        self.start_all(vec![Work::Find { table, order, needle, from, forward, columns }])
    }

    /// Goes to where a search was found.
    pub(super) fn found(&mut self, place: Option<(usize, String)>) {
        let visible = self.data.visible(&self.workspace);
        if let Some((row, column)) = place {
            self.data.row = row;
            let at = visible.iter().position(|v| *v == column);
            self.data.col = at.unwrap_or(self.data.col);
        } else {
            let needle = self.data.search.clone().unwrap_or_default();
            self.refuse(&format!("`{needle}` is not found"));
        }
    }

    pub(super) fn go_to_row(&mut self, typed: &str) -> Vec<Effect> {
        let Some(table) = self.workspace.now.table.clone() else { return vec![] };
        let Ok(wanted) = typed.replace(',', "").parse::<u32>() else {
            return self.refuse(&format!("`{typed}` is not a row's number"));
        };
        let n = self.data.n_rows(&self.workspace);
        let number = |row: usize| table.row_number(self.data.position(&self.workspace, row));
        let at = if self.workspace.now.view.sort.is_none() {
            // Unsorted, the rows stand in the order of the file.
            let (mut low, mut high) = (0, n);
            while low < high {
                let middle = usize::midpoint(low, high);
                if number(middle) < Some(wanted) { low = middle + 1 } else { high = middle }
            }
            Some(low).filter(|row| *row < n && number(*row) == Some(wanted))
        } else {
            (0..n).find(|row| number(*row) == Some(wanted))
        };
        match at {
            Some(row) => {
                self.data.row = row;
                vec![]
            }
            None => self.refuse(&format!("row {wanted} is not among the {n} rows shown")),
        }
    }

    pub(super) fn run_query(&mut self, sql: &str) -> Vec<Effect> {
        sql.clone_into(&mut self.data.query);
        match self.workspace.table() {
            Ok(table) => {
                let table = Arc::clone(table);
                self.start_all(vec![Work::Query { table, sql: sql.to_owned() }])
            }
            Err(error) => self.refuse(&error.to_string()),
        }
    }

    fn show_row(&mut self, table: &Table, position: usize) {
        let lines = table.columns.iter().map(|c| {
            let value = table.text(position, &c.name).unwrap_or_else(|| "missing".into());
            PageLine::Pair(c.name.clone(), value)
        });
        let title = format!("Row {}", table.row_number(position).unwrap_or_default());
        self.overlays.push(Overlay::Page { title, lines: lines.collect(), scroll: 0 });
    }
}

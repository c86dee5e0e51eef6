//! What lies over the panes: help, the palette, questions, lists to pick from, and pages to read.

use std::sync::Arc;

use super::{Asking, Choosing, NetworkEditor};
use crate::data::Table;
use crate::explain::Explanation;
use crate::train::Run;
use crate::ui::action::{Action, Scope};
use crate::ui::widgets::{Picker, TextField};
use crate::workspace::{Order, Verb};

/// Something that lies over the panes and has the keyboard.
#[derive(Clone, Debug)]
pub enum Overlay {
    /// Every key of a place.
    Help {
        /// The place, innermost scope first.
        scopes: Vec<Scope>,
        /// The first line shown.
        scroll: usize,
    },
    /// Any action or command by its words.
    Palette {
        /// What was typed.
        field: TextField,
        /// Which of the matches is chosen.
        selected: usize,
    },
    /// A question that is answered with a line of text.
    Prompt {
        /// What is asked.
        title: String,
        /// How to answer it, with an example.
        hint: String,
        /// What was typed.
        field: TextField,
        /// Whether the text was there before, so that typing replaces it.
        fresh: bool,
        /// What becomes of the answer.
        then: Ask,
        /// Why the last answer was refused.
        error: Option<String>,
    },
    /// A question that is answered by choosing from a list.
    Picker {
        /// What is asked.
        title: String,
        /// The answers, each with a word of explanation, and what was typed to narrow them.
        picker: Picker,
        /// What becomes of the choice.
        then: Pick,
    },
    /// A question that is answered with `y` or `n`.
    Confirm {
        /// What is asked.
        title: String,
        /// What follows from a yes.
        text: String,
        /// What becomes of a yes.
        then: Confirmed,
    },
    /// A page to read.
    Page {
        /// What it is about.
        title: String,
        /// Its lines.
        lines: Vec<PageLine>,
        /// The first line shown.
        scroll: usize,
    },
    /// A secret that is shown this once; only Esc closes it.
    Secret {
        /// The secret, as it has to be presented.
        shown: String,
        /// What is said of it.
        lines: Vec<PageLine>,
    },
    /// The rows behind a number.
    Rows(RowsView),
    /// A network, layer by layer.
    Network(Box<NetworkEditor>),
}

/// The rows behind a number: a table with what the model says beside each row.
#[derive(Clone, Debug)]
pub struct RowsView {
    /// Which rows these are: "actual bad, called good at 0.42".
    pub title: String,
    /// The table they come from.
    pub table: Arc<Table>,
    /// What is said beside each row: `score`, or `predicted` and `actual`.
    pub heads: Vec<&'static str>,
    /// The run whose network looks at more than a matrix; its sight draws the row.
    pub seen_by: Option<Arc<Run>>,
    /// Why that network says what it says of the chosen row, or of the one chosen before.
    pub why: Option<Arc<Explanation>>,
    /// The way it is explained: its place in the list of ways.
    pub method: usize,
    /// The rows, in the order shown.
    pub rows: Vec<ShownRow>,
    /// The chosen row.
    pub row: usize,
    /// The first column shown.
    pub column: usize,
}

/// A row with what a model says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownRow {
    /// Its position in the table.
    pub position: u32,
    /// What stands beside it, one text for each head.
    pub told: Vec<String>,
}

/// A line of a page.
#[derive(Clone, Debug, PartialEq)]
pub enum PageLine {
    /// A heading.
    Heading(String),
    /// A name and what it stands for.
    Pair(String, String),
    /// Plain text, wrapped.
    Text(String),
    /// Text of one width whose columns line up; never wrapped.
    Fixed(String),
}

/// What becomes of a line of text.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// A command whose beginning is given.
    Command(String),
    /// A new value for a field of the Model pane, by its label.
    Field(String),
    /// A search.
    Search,
    /// A row's number.
    GoToRow,
    /// The number of a row to be explained.
    ExplainRow,
    /// What a column of the explained row is to hold.
    WhatIf(String),
    /// Why an order is given, which is then carried out.
    Why(Box<Order>),
    /// The name under which a run is to be registered.
    RegisterName(Arc<Run>),
    /// What a new key is called.
    KeyName,
    /// A line on the way to an order.
    Operate(Asking),
    /// The key for a load test of this model.
    LoadKey(String),
    /// A query in SQL, run without replacing the table.
    Query,
}

/// What becomes of a choice.
#[derive(Clone, Debug, PartialEq)]
pub enum Pick {
    /// A command whose beginning is given; the choice is put behind it.
    Command(String),
    /// A new value for a field of the Model pane, by its label.
    Field(String),
    /// What a column of the explained row is to hold.
    WhatIf(String),
    /// A step on the way to an order.
    Serve(Choosing),
}

impl Pick {
    /// Whether something is taken that is not in the list, as it was typed.
    pub fn takes_more(&self) -> bool {
        match self {
            Self::Command(_) | Self::Field(_) | Self::WhatIf(_) => true,
            Self::Serve(choosing) => choosing.takes_more(),
        }
    }
}

/// What becomes of a yes.
#[derive(Clone, Debug, PartialEq)]
pub enum Confirmed {
    /// Leave the program.
    Quit,
    /// Leave the network editor and what was changed in it.
    DropNetwork,
    /// Stop the server.
    StopServer,
    /// Carry out an order that needs no reason.
    Order(Box<Order>),
    /// Ask why an order is given, and carry it out.
    Ask(Box<Order>),
    /// Ask for this model as fast as the server answers.
    LoadTest(String),
    /// Carry out a verb.
    Do(Verb),
}

/// One entry of the palette.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// What is shown first.
    pub name: String,
    /// What must follow, when something must.
    pub usage: String,
    /// What it does.
    pub about: String,
    /// The key that does the same.
    pub key: String,
    /// What choosing it does.
    pub does: Does,
}

/// What an entry of the palette does.
#[derive(Clone, Debug, PartialEq)]
pub enum Does {
    /// An action.
    Act(Action),
    /// A command, which may need an argument.
    Command(&'static str),
}

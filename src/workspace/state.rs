//! What undo takes back: the question as it stands, and how the table is looked at; and what of it
//! outlives a session.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::data::{Table, View};
use crate::train::{Experiment, RunId};

/// One moment of the workspace. Cloning is cheap: tables are shared.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// The question.
    pub experiment: Experiment,
    /// How the table is looked at.
    pub view: View,
    /// Decision thresholds set by hand.
    pub thresholds: BTreeMap<RunId, f64>,
    /// The run that the others are compared with.
    pub yardstick: Option<RunId>,
    /// The table after its steps, before what a person said about the columns.
    pub base: Option<Arc<Table>>,
    /// The table as it is used.
    pub table: Option<Arc<Table>>,
}

/// What the session file holds, so that a dropped line costs nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Session {
    /// The question, with the path of its table.
    pub experiment: Experiment,
    /// How the table was looked at.
    pub view: View,
    /// Thresholds set by hand.
    pub thresholds: BTreeMap<RunId, f64>,
    /// The yardstick.
    pub yardstick: Option<RunId>,
    /// What the screen wants to find again; the workspace does not look inside.
    pub screen: serde_json::Value,
}

/// The states that `u` goes back to and `ctrl-r` returns to.
#[derive(Debug, Default)]
pub(super) struct Undo {
    past: Vec<(String, State)>,
    future: Vec<(String, State)>,
}

/// How many steps can be taken back.
const DEPTH: usize = 200;

impl Undo {
    /// Remembers the state before `line` was carried out.
    pub(super) fn remember(&mut self, line: String, before: State) {
        self.future.clear();
        self.past.push((line, before));
        if self.past.len() > DEPTH {
            self.past.remove(0);
        }
    }

    /// Forgets what could be brought back, because something else was done instead.
    pub(super) fn forget_future(&mut self) {
        self.future.clear();
    }

    /// Puts a whole table into the place of its first rows wherever they are remembered.
    pub(super) fn complete(&mut self, head: &Arc<Table>, whole: &Arc<Table>) {
        for (_, state) in self.past.iter_mut().chain(&mut self.future) {
            if state.base.as_ref().is_some_and(|base| Arc::ptr_eq(base, head)) {
                state.base = Some(Arc::clone(whole));
            }
        }
    }

    /// Exchanges `now` for the state before the latest change; returns what was taken back.
    pub(super) fn back(&mut self, now: &mut State) -> Option<String> {
        let (line, before) = self.past.pop()?;
        self.future.push((line.clone(), std::mem::replace(now, before)));
        Some(line)
    }

    /// The opposite of [`Undo::back`].
    pub(super) fn forth(&mut self, now: &mut State) -> Option<String> {
        let (line, after) = self.future.pop()?;
        self.past.push((line.clone(), std::mem::replace(now, after)));
        Some(line)
    }
}

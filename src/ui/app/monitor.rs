//! The Monitor screen.

use std::sync::Arc;

use super::{App, Effect, Screen};
use crate::ui::action::Action;
use crate::workspace::Registered;

/// What is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MonitorView {
    /// Columns.
    #[default]
    Columns,
}

/// The Monitor screen.
#[derive(Clone, Debug)]
pub struct MonitorPane {
    /// The screen from which it was opened.
    pub from: Screen,
}

impl Default for MonitorPane {
    fn default() -> Self {
        Self { from: Screen::Workbench }
    }
}

impl MonitorPane {
    pub(super) fn learn(&mut self, _known: &Arc<Registered>) {}
}

impl App {
    pub(super) fn open_monitor(&mut self) -> Vec<Effect> {
        self.refuse("not yet")
    }

    pub(super) fn act_monitor(&mut self, _action: Action) -> Vec<Effect> {
        vec![]
    }
}

//! What can be opened: where one left off, the samples, and the tables of this folder.

use super::act::moved;
use super::{App, Effect};
use crate::data::SAMPLES;
use crate::ui::action::Action;
use crate::ui::widgets::numbers::count;
use crate::workspace::Session;

/// Something that can be opened.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// What opens it: a path, `sample:NAME`; empty for the session to be taken up again.
    pub path: String,
    /// What it is called.
    pub name: String,
    /// How large it is.
    pub size: String,
    /// What it shows, or what it is.
    pub about: String,
}

/// The gallery.
#[derive(Clone, Debug, Default)]
pub struct Gallery {
    /// The session of the last time, when there is one.
    pub session: Option<Session>,
    /// Tables in the current folder.
    pub files: Vec<Item>,
    /// The chosen item.
    pub row: usize,
}

impl Gallery {
    /// Everything that can be opened, in the order shown, each with its heading.
    pub fn items(&self) -> Vec<(&'static str, Item)> {
        let mut items = Vec::new();
        if let Some(session) = &self.session {
            items.push((
                "where you left off",
                Item {
                    path: String::new(),
                    name: session.experiment.data.path.to_string_lossy().into_owned(),
                    size: String::new(),
                    about: "table, roles, recipe, settings and runs as they were".into(),
                },
            ));
        }
        items.extend(SAMPLES.iter().map(|sample| {
            let item = Item {
                path: format!("sample:{}", sample.name),
                name: sample.name.to_owned(),
                size: format!("{} × {}", count(sample.rows), sample.columns),
                about: sample.about.to_owned(),
            };
            ("samples, within the program", item)
        }));
        items.extend(self.files.iter().map(|file| ("tables in this folder", file.clone())));
        items
    }
}

impl App {
    pub(super) fn act_gallery(&mut self, action: Action) -> Vec<Effect> {
        let items = self.gallery.items();
        if let Some(row) = moved(self.gallery.row, items.len(), action, self.page) {
            self.gallery.row = row;
            return vec![];
        }
        match action {
            Action::Enter | Action::Right => {
                let Some((_, item)) = items.get(self.gallery.row) else { return vec![] };
                if !item.path.is_empty() {
                    return self.open(&item.path);
                }
                match self.gallery.session.clone() {
                    Some(session) => self.resume(&session),
                    None => vec![],
                }
            }
            _ => vec![],
        }
    }

    /// Takes up an earlier session.
    pub fn resume(&mut self, session: &Session) -> Vec<Effect> {
        let screen = &session.screen;
        let number = |key: &str| screen[key].as_u64().map(|n| n as usize);
        if let Some(focus) = number("focus") {
            self.focus = super::Pane::ALL[focus % 4];
        }
        if let Some(tab) = number("tab") {
            self.data.tab = super::DataTab::ALL[tab % super::DataTab::ALL.len()];
        }
        self.zoomed = screen["zoomed"].as_bool().unwrap_or(false);
        self.data.column = number("column").unwrap_or(0);
        self.data.row = number("row").unwrap_or(0);
        self.eval.run = screen["run"].as_str().map(|id| crate::train::RunId(id.to_owned()));
        self.say("taking up where you left off");
        let work = self.workspace.resume(session);
        self.start_all(work)
    }

    /// What the session file should hold of the screen.
    pub fn screen_state(&self) -> serde_json::Value {
        let tab = super::DataTab::ALL.iter().position(|t| *t == self.data.tab);
        serde_json::json!({
            "focus": self.focus as usize,
            "tab": tab,
            "zoomed": self.zoomed,
            "column": self.data.column,
            "row": self.data.row,
            "run": self.eval.run.as_ref().map(|r| r.0.clone()),
        })
    }
}

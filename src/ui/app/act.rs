//! From a key to what a person wants, and from there to what changes.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{App, Ask, Confirmed, Effect, Overlay, Pane, Pick, Screen, ServeTab};
use crate::jobs::Wish;
use crate::ui::action::Action;
use crate::ui::keymap::{self, key_of};
use crate::ui::widgets::{Choice, Picker, TextField};
use crate::workspace::Verb;

impl App {
    /// Takes a key press.
    pub fn press(&mut self, key: KeyEvent) -> Vec<Effect> {
        if key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL) {
            return self.act(Action::Interrupt);
        }
        if key.code == KeyCode::Char('z') && key.modifiers.contains(KeyModifiers::CONTROL) {
            return vec![Effect::Suspend];
        }
        // A message stands until the next key; what follows from that key speaks for itself.
        self.message = None;
        if let Some(effects) = self.press_overlay(key) {
            return effects;
        }
        match keymap::lookup(&self.scopes(), key) {
            Some(action) => self.act(action),
            None => vec![],
        }
    }

    /// Takes pasted text.
    pub fn paste(&mut self, text: &str) {
        match self.overlays.last_mut() {
            Some(Overlay::Palette { field, .. } | Overlay::Prompt { field, .. }) => {
                field.insert(text);
            }
            Some(Overlay::Picker { picker, .. }) => picker.paste(text),
            Some(Overlay::Network(editor)) => editor.paste(text),
            _ => {}
        }
    }

    /// Applies what a person wants and returns what has to be done for it.
    pub fn act(&mut self, action: Action) -> Vec<Effect> {
        if let Some(effects) = self.act_network(action) {
            return effects;
        }
        if let Some(effects) = self.act_anywhere(action) {
            return effects;
        }
        if let Some(Overlay::Rows(_)) = self.overlays.last() {
            return self.act_rows(action);
        }
        if action == Action::Search && !self.searches() {
            return self.act(Action::Palette);
        }
        match (self.screen, self.focus) {
            (Screen::Gallery, _) => self.act_gallery(action),
            (Screen::Compare, _) => self.act_compare(action),
            (Screen::Explain, _) => self.act_explain(action),
            (Screen::Serve, _) => self.act_serve(action),
            (Screen::Monitor, _) => self.act_monitor(action),
            (_, Pane::Data) => self.act_data(action),
            (_, Pane::Model) => self.act_model(action),
            (_, Pane::Training) => self.act_training(action),
            (_, Pane::Evaluation) => self.act_evaluation(action),
        }
    }

    /// Whether there are rows here to search: what is typed elsewhere must not be taken for keys.
    fn searches(&self) -> bool {
        match self.screen {
            Screen::Workbench => self.focus == Pane::Data,
            screen => screen == Screen::Explain,
        }
    }

    fn act_anywhere(&mut self, action: Action) -> Option<Vec<Effect>> {
        let on_bench = |app: &mut Self, pane| {
            if app.screen == Screen::Gallery && app.workspace.now.table.is_none() {
                app.say("open a table first: choose one and press Enter");
                return;
            }
            app.overlays.clear();
            app.screen = Screen::Workbench;
            app.focus = pane;
        };
        let step = |app: &Self, by: usize| Pane::ALL[(app.focus as usize + by) % 4];
        Some(match action {
            Action::Help => {
                let scopes = self.scopes();
                self.overlays.push(Overlay::Help { scopes, scroll: 0 });
                vec![]
            }
            Action::Palette => {
                self.overlays.push(Overlay::Palette { field: TextField::default(), selected: 0 });
                vec![]
            }
            Action::Back => self.back(),
            Action::Quit => self.quit(),
            Action::Interrupt => self.interrupt(),
            Action::Suspend => vec![Effect::Suspend],
            Action::Redraw => vec![Effect::Redraw],
            Action::Undo => self.do_verb(&Verb::Undo),
            Action::Redo => self.do_verb(&Verb::Redo),
            Action::NextPane => {
                let pane = step(self, 1);
                on_bench(self, pane);
                vec![]
            }
            Action::PrevPane => {
                let pane = step(self, 3);
                on_bench(self, pane);
                vec![]
            }
            Action::PaneData => {
                on_bench(self, Pane::Data);
                vec![]
            }
            Action::PaneModel => {
                on_bench(self, Pane::Model);
                vec![]
            }
            Action::PaneTraining => {
                on_bench(self, Pane::Training);
                vec![]
            }
            Action::PaneEvaluation => {
                on_bench(self, Pane::Evaluation);
                vec![]
            }
            Action::Zoom => {
                self.zoomed = !self.zoomed;
                vec![]
            }
            Action::Open => {
                self.overlays.clear();
                self.screen = Screen::Gallery;
                vec![]
            }
            Action::Train => self.do_verb(&Verb::Train),
            Action::TrainAll => self.do_verb(&Verb::TrainAll),
            Action::Sweep => self.do_verb(&Verb::Sweep),
            Action::CrossValidate => self.do_verb(&Verb::CrossValidate(5)),
            Action::Cancel => self.cancel(),
            Action::Pause => self.pause(),
            Action::Finish => self.finish(),
            Action::Compare => self.open_compare(),
            Action::Explain => self.open_explain(),
            Action::Serve => self.open_serve(),
            Action::Monitor => self.open_monitor(),
            Action::Save => self.ask_save(),
            Action::Export => self.ask_export(),
            Action::Edit => match self.workspace.table() {
                Ok(_) => {
                    let rejected = self.rejected.take();
                    let text = rejected.unwrap_or_else(|| self.workspace.question().to_toml());
                    vec![Effect::Edit(text)]
                }
                Err(error) => self.refuse(&error.to_string()),
            },
            Action::History => {
                self.show_history();
                vec![]
            }
            Action::Glyphs => {
                self.theme.glyphs = self.theme.glyphs.next();
                self.say(format!("plots in {} characters", self.theme.glyphs.name()));
                vec![]
            }
            _ => return None,
        })
    }

    /// Asks a running job to stop, or empties the queue.
    fn cancel(&mut self) -> Vec<Effect> {
        if let Some((id, label)) = self.jobs.cancel_one(self.now) {
            self.say(format!("cancelling {label}"));
            return vec![Effect::Wish(id, Wish::Stop)];
        }
        if self.jobs.queue.is_empty() {
            return self.refuse("nothing is running");
        }
        self.jobs.queue.clear();
        self.say("the queue is empty");
        vec![]
    }

    /// Lets the training rest, or go on.
    fn pause(&mut self) -> Vec<Effect> {
        let Some(job) = self.jobs.training() else {
            return self.refuse("nothing is training");
        };
        let (label, wish) = match job.wish {
            Wish::Go => (job.label.clone(), Wish::Rest),
            Wish::Rest => (job.label.clone(), Wish::Go),
            Wish::Finish | Wish::Stop => {
                let text = format!("{} is about to end", job.label);
                return self.refuse(&text);
            }
        };
        let key = key_of(Action::Pause).map_or(String::new(), |key| key.to_string());
        if wish == Wish::Rest {
            self.say(format!("{label} is paused; {key} lets it go on"));
        } else {
            self.say(format!("{label} goes on"));
        }
        self.wish(wish)
    }

    /// Lets the training end early and keeps what there is.
    fn finish(&mut self) -> Vec<Effect> {
        let Some(job) = self.jobs.training() else {
            return self.refuse("nothing is training");
        };
        if job.stops() {
            return self.refuse("it is being cancelled");
        }
        if !job.can_finish() {
            let key = key_of(Action::Cancel).map_or(String::new(), |key| key.to_string());
            return self.refuse(&format!(
                "folds cannot end early: the rest would be judged untrained\nhint: {key} cancels them"
            ));
        }
        self.say(format!("{} ends early and is kept", job.label));
        self.wish(Wish::Finish)
    }

    fn wish(&mut self, wish: Wish) -> Vec<Effect> {
        let id = self.jobs.wish(wish, self.now);
        id.map(|id| Effect::Wish(id, wish)).into_iter().collect()
    }

    fn interrupt(&mut self) -> Vec<Effect> {
        match self.overlays.last() {
            Some(Overlay::Confirm { then: Confirmed::Quit, .. }) => vec![Effect::Quit],
            Some(Overlay::Secret { .. }) => {
                self.warn("y copies the key; Esc closes the box, and nobody can show it again");
                vec![]
            }
            Some(_) => {
                self.overlays.pop();
                vec![]
            }
            None if self.jobs.training().is_some_and(|j| !j.stops()) => self.cancel(),
            None => {
                self.ask_quit();
                vec![]
            }
        }
    }

    /// Leaves a screen of its own for where it was opened from; whether there was one.
    fn leave_screen(&mut self) -> bool {
        match self.screen {
            Screen::Workbench => return false,
            Screen::Gallery if self.workspace.now.table.is_none() => return false,
            Screen::Explain => {
                self.screen = self.explain.from;
                self.overlays = std::mem::take(&mut self.explain.under);
            }
            Screen::Serve => self.screen = self.serve.from,
            Screen::Monitor => self.screen = self.monitor.from,
            Screen::Gallery | Screen::Compare => self.screen = Screen::Workbench,
        }
        true
    }

    /// Goes back to the view before within a screen; whether there was one.
    fn step_back(&mut self) -> bool {
        match self.screen {
            Screen::Monitor => self.monitor.step_back(),
            Screen::Serve => std::mem::take(&mut self.serve.tab) != ServeTab::default(),
            Screen::Gallery | Screen::Workbench | Screen::Compare | Screen::Explain => false,
        }
    }

    pub(super) fn back(&mut self) -> Vec<Effect> {
        if let Some(closed) = self.overlays.pop() {
            return self.box_before(closed);
        }
        let closed = self.step_back() || self.leave_screen();
        let ended = closed
            || self.training.chart.cursor.take().is_some()
            || self.training.chart.range.take().is_some()
            || self.data.search.take().is_some()
            || self.message.take().is_some();
        if !ended {
            self.zoomed = false;
        }
        vec![]
    }

    fn quit(&mut self) -> Vec<Effect> {
        if self.overlays.pop().is_some() {
            return vec![];
        }
        if self.leave_screen() {
            return vec![];
        }
        if self.jobs.training().is_some() || !self.jobs.queue.is_empty() {
            self.ask_quit();
            return vec![];
        }
        vec![Effect::Quit]
    }

    fn ask_quit(&mut self) {
        let text = match self.jobs.training() {
            Some(job) => format!(
                "{} is still training and will stop; of a network `:resume` goes on with what was put aside.",
                job.label
            ),
            None => "Table, settings and runs are kept for the next time.".into(),
        };
        self.overlays.push(Overlay::Confirm {
            title: "Leave karat?".into(),
            text,
            then: Confirmed::Quit,
        });
    }

    fn ask_save(&mut self) -> Vec<Effect> {
        let Some(run) = self.shown() else {
            return self.refuse_with("no model to save", "{} trains one", Action::Train);
        };
        let name = format!("{}-{}.karat", run.model.kind, run.id);
        let title = format!("Save the model of run {} ({})", run.id, run.model.kind);
        let begin = format!("save {}=", run.id);
        self.ask(
            title,
            "the file to write, such as model.karat; model.onnx is written as ONNX",
            &name,
            Ask::Command(begin),
        );
        vec![]
    }

    fn ask_export(&mut self) -> Vec<Effect> {
        if let Err(error) = self.workspace.table() {
            return self.refuse(&error.to_string());
        }
        let path = &self.workspace.question().data.path;
        let stem = path.file_stem().map_or("table".into(), |s| s.to_string_lossy().into_owned());
        let name = crate::workspace::free_name(stem.trim_start_matches("sample:"));
        self.ask(
            "Write the experiment as TOML",
            "the file to write; the command line that repeats it is shown as well",
            &name,
            Ask::Command("export ".into()),
        );
        vec![]
    }

    /// Asks for a line of text.
    pub(super) fn ask(&mut self, title: impl Into<String>, hint: &str, text: &str, then: Ask) {
        self.overlays.push(Overlay::Prompt {
            title: title.into(),
            hint: if text.is_empty() {
                hint.into()
            } else {
                format!("{hint} · typing replaces, ←→ edits")
            },
            field: TextField::with(text),
            fresh: !text.is_empty(),
            then,
            error: None,
        });
    }

    /// Asks for a choice; `now` is the one that stands.
    pub(super) fn pick(
        &mut self,
        title: impl Into<String>,
        items: Vec<(String, String)>,
        now: &str,
        then: Pick,
    ) {
        let at = items.iter().position(|(name, _)| name == now).unwrap_or(0);
        let choices = items.into_iter().map(|(name, note)| Choice::new(name, note));
        let mut picker = Picker::new(choices.collect());
        picker.choose(at);
        self.overlays.push(Overlay::Picker { title: title.into(), picker, then });
    }
}

/// Where a cursor comes to by moving in a list of `n`.
pub(super) fn moved(at: usize, n: usize, action: Action, page: usize) -> Option<usize> {
    let last = n.saturating_sub(1);
    Some(match action {
        Action::Up => at.saturating_sub(1),
        Action::Down => (at + 1).min(last),
        Action::PageUp => at.saturating_sub(page.max(1)),
        Action::PageDown => (at + page.max(1)).min(last),
        Action::First => 0,
        Action::Last => last,
        _ => return None,
    })
}

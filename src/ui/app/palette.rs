//! Keys while something lies over the panes, and the entries of the palette.

use crossterm::event::{KeyCode, KeyEvent};

use super::act::moved;
use super::{App, Ask, Confirmed, Does, Effect, Entry, Overlay, Pick, Screen};
use crate::ui::action::{Action, Scope};
use crate::ui::keymap::{self, ACTIONS};
use crate::ui::widgets::{TextField, fuzzy};
use crate::workspace::{COMMANDS, Verb};

impl App {
    /// The entries of the palette that match what was typed, best first.
    pub fn palette_entries(&self, typed: &str) -> Vec<Entry> {
        let word = typed.split_whitespace().next().unwrap_or("");
        if typed.contains(char::is_whitespace) {
            let exact = COMMANDS.iter().filter(|c| c.name == word).map(command_entry);
            let numbered = NUMBERED.iter().filter_map(|(action, _)| {
                let binding = ACTIONS.iter().find(|b| b.action == *action)?;
                Some(action_entry(binding)).filter(|entry| entry.name == word)
            });
            return exact.chain(numbered).collect();
        }
        let mut entries: Vec<Entry> = COMMANDS.iter().map(command_entry).collect();
        let mut seen = std::collections::HashSet::new();
        let movement = |b: &keymap::Binding| b.scope == Scope::Move;
        let twins = |a: Action| {
            matches!(a, Action::Train | Action::TrainAll | Action::Sweep | Action::Palette)
        };
        entries.extend(
            ACTIONS
                .iter()
                .filter(|b| !movement(b) && !twins(b.action) && seen.insert(b.action))
                .filter(|b| !matches!(b.action, Action::Enter | Action::Back))
                .map(action_entry),
        );
        if word.is_empty() {
            return entries;
        }
        let mut scored: Vec<(i64, Entry)> = entries
            .into_iter()
            .filter_map(|entry| {
                let by_name = fuzzy::find(word, &entry.name).map(|f| i64::from(f.score) + 1000);
                let by_about = fuzzy::find(word, &entry.about).map(|f| i64::from(f.score));
                let exact = if entry.name == word { 1_000_000 } else { 0 };
                let begins = if entry.name.starts_with(word) { 100_000 } else { 0 };
                by_name.max(by_about).map(|score| (score + exact + begins, entry))
            })
            .collect();
        scored.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
        scored.into_iter().map(|(_, entry)| entry).collect()
    }

    /// Takes a key while something lies over the panes; `None` hands it on to the key table.
    pub(super) fn press_overlay(&mut self, key: KeyEvent) -> Option<Vec<Effect>> {
        let page = self.page;
        match self.overlays.last_mut()? {
            Overlay::Rows(_) => None,
            Overlay::Secret { shown, .. } => {
                let shown = shown.clone();
                Some(self.press_secret(key, shown))
            }
            Overlay::Network(_) => self.type_layer(key).then(Vec::new),
            Overlay::Help { scroll, .. } | Overlay::Page { scroll, .. } => {
                let action = keymap::lookup(&[Scope::Move], key);
                let end = self.scroll_end;
                match action.and_then(|a| moved((*scroll).min(end), end.saturating_add(1), a, page))
                {
                    Some(at) => *scroll = at,
                    None if matches!(key.code, KeyCode::Char(':')) => {
                        self.overlays.pop();
                        return Some(self.act(Action::Palette));
                    }
                    None if matches!(
                        key.code,
                        KeyCode::Esc | KeyCode::Enter | KeyCode::Char('q')
                    ) =>
                    {
                        self.overlays.pop();
                    }
                    None => {}
                }
                Some(vec![])
            }
            Overlay::Confirm { .. } => Some(self.press_confirm(key)),
            Overlay::Palette { .. } => Some(self.press_palette(key)),
            Overlay::Picker { .. } => Some(self.press_picker(key)),
            Overlay::Prompt { .. } => Some(self.press_prompt(key)),
        }
    }

    /// A secret is gone for good once it is closed, so only Esc does that.
    fn press_secret(&mut self, key: KeyEvent, shown: String) -> Vec<Effect> {
        match key.code {
            KeyCode::Char('y') => {
                self.say("copied the key to the clipboard; Esc closes the box");
                vec![Effect::Copy(shown)]
            }
            KeyCode::Esc => {
                self.overlays.pop();
                vec![]
            }
            _ => {
                self.warn("y copies the key; Esc closes the box, and nobody can show it again");
                vec![]
            }
        }
    }

    fn press_confirm(&mut self, key: KeyEvent) -> Vec<Effect> {
        let Some(Overlay::Confirm { then, .. }) = self.overlays.last().cloned() else {
            return vec![];
        };
        match key.code {
            KeyCode::Char('y' | 'Y') | KeyCode::Enter => {
                self.overlays.pop();
                match then {
                    Confirmed::Quit => vec![Effect::Quit],
                    Confirmed::DropNetwork => {
                        self.overlays.pop();
                        vec![]
                    }
                    Confirmed::StopServer => self.stop_server(),
                    Confirmed::Order(order) => self.carry_out_order(*order, ""),
                    Confirmed::Ask(order) => self.ask_why(*order),
                    Confirmed::LoadTest(name) => self.load_anyway(name),
                    Confirmed::Do(verb) => self.do_verb(&verb),
                }
            }
            KeyCode::Char('n' | 'N' | 'q') | KeyCode::Esc => {
                self.overlays.pop();
                vec![]
            }
            _ => vec![],
        }
    }

    fn press_palette(&mut self, key: KeyEvent) -> Vec<Effect> {
        let Some(Overlay::Palette { field, selected }) = self.overlays.last() else {
            return vec![];
        };
        let (typed, mut at) = (field.text().to_owned(), *selected);
        let entries = self.palette_entries(typed.trim_start());
        match key.code {
            KeyCode::Esc => {
                self.overlays.pop();
                return vec![];
            }
            KeyCode::Up => at = at.saturating_sub(1),
            KeyCode::Down => at = (at + 1).min(entries.len().saturating_sub(1)),
            KeyCode::Tab => {
                if let Some(Entry { name, usage, .. }) = entries.get(at) {
                    let text = if usage.is_empty() { name.clone() } else { format!("{name} ") };
                    self.set_palette(TextField::with(text), 0);
                }
                return vec![];
            }
            KeyCode::Enter => {
                let line = typed.trim().to_owned();
                if let Some((word, rest)) = line.split_once(char::is_whitespace) {
                    self.overlays.pop();
                    return match NUMBERED.iter().find(|(a, _)| name_of(*a) == word) {
                        Some((Action::ChallengerShare, _)) => self.share_in_words(rest.trim()),
                        Some((action, _)) => self.act_on_row(*action, rest.trim()),
                        None => self.do_line(&line),
                    };
                }
                return self.choose(entries.get(at).cloned(), &line);
            }
            _ => {
                if let Some(Overlay::Palette { field, selected }) = self.overlays.last_mut() {
                    field.key(key);
                    if field.text() != typed {
                        *selected = 0;
                    }
                }
                return vec![];
            }
        }
        self.set_palette(TextField::with(typed), at);
        vec![]
    }

    fn set_palette(&mut self, field: TextField, selected: usize) {
        if let Some(top) = self.overlays.last_mut() {
            *top = Overlay::Palette { field, selected };
        }
    }

    fn choose(&mut self, entry: Option<Entry>, line: &str) -> Vec<Effect> {
        match entry {
            Some(Entry { does: Does::Act(action), .. }) => {
                self.overlays.pop();
                self.act_where_it_belongs(action)
            }
            Some(Entry { name, usage, does: Does::Command(_), .. })
                if usage.is_empty() || usage.starts_with('[') =>
            {
                self.overlays.pop();
                self.do_line(&name)
            }
            Some(Entry { name, does: Does::Command(_), .. }) => {
                self.set_palette(TextField::with(format!("{name} ")), 0);
                vec![]
            }
            None => {
                self.overlays.pop();
                self.do_line(line)
            }
        }
    }

    /// Does something of another screen there. What needs a choice waits for it.
    fn act_where_it_belongs(&mut self, action: Action) -> Vec<Effect> {
        let scopes = self.scopes();
        let places = || ACTIONS.iter().filter(move |b| b.action == action).map(|b| b.scope);
        let is_here = places().any(|scope| scopes.contains(&scope));
        let belongs = |to: Scope| places().all(|scope| scope == to);
        let mut effects = if is_here {
            return self.act(action);
        } else if belongs(Scope::Serve) || action == Action::Register {
            self.open_serve()
        } else if belongs(Scope::Monitor) {
            self.open_monitor()
        } else {
            return self.act(action);
        };
        if !matches!(self.screen, Screen::Serve | Screen::Monitor) {
            return effects;
        }
        let at_once = [
            Action::StartStop,
            Action::Register,
            Action::NewKey,
            Action::SecondPerson,
            Action::EraseSubject,
        ];
        if at_once.contains(&action) {
            effects.extend(self.act(action));
        } else {
            let key = keymap::key_in(&self.scopes(), action);
            self.say(format!("choose what it is about, then press {key}"));
        }
        effects
    }

    /// Does something on a row that is given by its number.
    fn act_on_row(&mut self, action: Action, number: &str) -> Vec<Effect> {
        if action != Action::Explain && self.screen != Screen::Explain {
            return self.go_to_row(number);
        }
        let mut effects = self.act(Action::Explain);
        if self.screen == Screen::Explain {
            effects.extend(self.explain_number(number));
        }
        effects
    }

    fn press_picker(&mut self, key: KeyEvent) -> Vec<Effect> {
        let Some(Overlay::Picker { picker, then, .. }) = self.overlays.last_mut() else {
            return vec![];
        };
        match key.code {
            KeyCode::Esc => self.back(),
            KeyCode::Enter => {
                let chosen = picker.chosen().map(|i| picker.choices()[i].label.clone());
                // What is not in the list is tried as it was typed, such as two class weights.
                let typed = picker.query.text().trim().to_owned();
                let chosen = chosen.or((!typed.is_empty()).then(|| typed.clone()));
                let then = then.clone();
                if !typed.is_empty() && picker.chosen().is_none() && !then.takes_more() {
                    return self.refuse(&format!("`{typed}` is not in the list"));
                }
                self.overlays.pop();
                match (chosen, then) {
                    (Some(chosen), Pick::Command(begin)) => {
                        self.do_line(&format!("{begin}{chosen}"))
                    }
                    (Some(chosen), Pick::Field(label)) => self.set_field(&label, &chosen),
                    (Some(chosen), Pick::WhatIf(column)) => {
                        let value = (chosen != super::explain::MISSING).then_some(chosen);
                        self.what_if(&column, value)
                    }
                    (Some(chosen), Pick::Serve(choosing)) => self.chose(choosing, chosen),
                    (None, _) => vec![],
                }
            }
            _ => {
                picker.key(key);
                vec![]
            }
        }
    }

    fn press_prompt(&mut self, key: KeyEvent) -> Vec<Effect> {
        let Some(Overlay::Prompt { field, then, fresh, .. }) = self.overlays.last_mut() else {
            return vec![];
        };
        match key.code {
            KeyCode::Esc => self.back(),
            KeyCode::Enter => {
                let (typed, then) = (field.text().trim().to_owned(), then.clone());
                let Some(prompt) = self.overlays.pop() else { return vec![] };
                self.message = None;
                let effects = self.answer(&then, &typed);
                // A refused answer stays to be mended, with the reason below it.
                if let Some(message) = self.message.take_if(|m| m.tone == super::Tone::Error)
                    && let Overlay::Prompt { title, hint, field, then, .. } = prompt
                {
                    let error = Some(if message.hint.is_empty() {
                        message.text
                    } else {
                        format!("{} · {}", message.text, message.hint)
                    });
                    let fresh = false;
                    self.overlays.push(Overlay::Prompt { title, hint, field, fresh, then, error });
                }
                effects
            }
            _ => {
                let typed = matches!(key.code, KeyCode::Char(_)) && key.modifiers.is_empty();
                if std::mem::take(fresh) && typed {
                    field.set("");
                }
                field.key(key);
                vec![]
            }
        }
    }

    fn answer(&mut self, then: &Ask, typed: &str) -> Vec<Effect> {
        match then {
            Ask::Command(begin) => self.do_line(&format!("{begin}{typed}")),
            Ask::Field(label) => self.set_field(label, typed),
            Ask::Search => {
                self.data.search = (!typed.is_empty()).then(|| typed.to_owned());
                self.find(true, true)
            }
            Ask::GoToRow => self.go_to_row(typed),
            Ask::ExplainRow => self.explain_number(typed),
            Ask::Why(order) => self.give_order(order, typed),
            Ask::RegisterName(run) => self.register_name(run, typed),
            Ask::KeyName => self.key_named(typed),
            Ask::LoadKey(name) => self.load_with(name, typed),
            Ask::Operate(asking) => self.answered(asking, typed),
            Ask::WhatIf(column) => {
                let value = (!typed.is_empty()).then(|| typed.to_owned());
                self.what_if(column, value)
            }
            Ask::Query => self.run_query(typed),
        }
    }

    /// Asks before a run is deleted.
    pub(super) fn confirm_delete(&mut self, verb: Verb, what: &str) {
        self.overlays.push(Overlay::Confirm {
            title: format!("Delete {what}?"),
            text: "Its model and scores are removed from the workspace for good.".into(),
            then: Confirmed::Do(verb),
        });
    }
}

/// Actions that take a number in the palette, and what it is.
const NUMBERED: &[(Action, &str)] =
    &[(Action::Explain, "[ROW]"), (Action::GoToRow, "[ROW]"), (Action::ChallengerShare, "[SHARE]")];

fn action_entry(binding: &'static keymap::Binding) -> Entry {
    let takes = NUMBERED.iter().find(|(action, _)| *action == binding.action);
    Entry {
        name: name_of(binding.action),
        usage: takes.map_or("", |(_, what)| what).into(),
        about: binding.about.to_owned(),
        key: keymap::everywhere(binding).keys[0].to_string(),
        does: Does::Act(binding.action),
    }
}

fn command_entry(command: &crate::workspace::Command) -> Entry {
    let action = match command.name {
        "train" => Some(Action::Train),
        "train-all" => Some(Action::TrainAll),
        "sweep" => Some(Action::Sweep),
        _ => None,
    };
    Entry {
        name: command.name.to_owned(),
        usage: command.usage.to_owned(),
        about: command.about.to_owned(),
        key: action.and_then(keymap::key_of).map_or(String::new(), |k| k.to_string()),
        does: Does::Command(command.name),
    }
}

/// The name of an action in the palette: its name in the code, in small letters.
fn name_of(action: Action) -> String {
    match action {
        Action::PaneData => "data".into(),
        Action::PaneModel => "model-pane".into(),
        Action::PaneTraining => "training".into(),
        Action::PaneEvaluation => "evaluation".into(),
        Action::History => "history".into(),
        Action::Open => "gallery".into(),
        Action::Save => "save-model".into(),
        Action::Export => "export-experiment".into(),
        Action::GoToRow => "row".into(),
        other => {
            let mut name = String::new();
            for c in format!("{other:?}").chars() {
                if c.is_uppercase() && !name.is_empty() {
                    name.push('-');
                }
                name.extend(c.to_lowercase());
            }
            name
        }
    }
}

//! Every key, once.
//!
//! [`ACTIONS`] is read by the dispatcher ([`lookup`]), the footer ([`hints`]), the help screen
//! and the README ([`rows`]) and the palette, so that none of them can disagree.

use std::fmt::Write as _;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::ui::action::{Action, Scope};

/// Key presses that mean something somewhere.
pub struct Binding {
    /// Where they work.
    pub scope: Scope,
    /// The keys, the first being the one that is shown.
    pub keys: &'static [Key],
    /// What they do.
    pub action: Action,
    /// What they do, in a word or two for the footer; empty keeps them out of it.
    pub hint: &'static str,
    /// What they do, in a sentence.
    pub about: &'static str,
}

/// A key with its modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key(pub KeyCode, pub KeyModifiers);

const fn ch(c: char) -> Key {
    Key(KeyCode::Char(c), KeyModifiers::NONE)
}

const fn ctrl(c: char) -> Key {
    Key(KeyCode::Char(c), KeyModifiers::CONTROL)
}

const fn key(code: KeyCode) -> Key {
    Key(code, KeyModifiers::NONE)
}

const fn shift(code: KeyCode) -> Key {
    Key(code, KeyModifiers::SHIFT)
}

const fn bind(
    scope: Scope,
    keys: &'static [Key],
    action: Action,
    hint: &'static str,
    about: &'static str,
) -> Binding {
    Binding { scope, keys, action, hint, about }
}

use Action as A;
use KeyCode as K;
use Scope as S;

/// The one table. Its order is the order of the footer and of the help screen.
#[rustfmt::skip]
pub const ACTIONS: &[Binding] = &[
    bind(S::Gallery, &[key(K::Enter)], A::Enter, "open", "Open the selected sample or file"),

    bind(S::Columns, &[key(K::Enter)], A::Enter, "details", "Show everything known of the column"),
    bind(S::Columns, &[ch('T')], A::SetTarget, "target", "Predict this column"),
    bind(S::Columns, &[ch('r')], A::SetRole, "role", "Say what the column is for"),
    bind(S::Columns, &[ch('K')], A::SetKind, "kind", "Say what the column holds"),
    bind(S::Columns, &[ch(' ')], A::ToggleFeature, "in/out", "Leave the column out of the model, or take it in"),
    bind(S::Columns, &[ch('c')], A::Compute, "compute", "Add a computed column"),
    bind(S::Columns, &[ch('m')], A::SpecialCodes, "", "Declare codes that mean missing"),
    bind(S::Columns, &[ch('p')], A::ToggleProtected, "", "Mark the column as protected, or not"),

    bind(S::Table, &[ch('f')], A::Filter, "filter", "Show only the rows for which an expression holds"),
    bind(S::Table, &[ch('=')], A::FilterLike, "like this", "Show only the rows that have this value"),
    bind(S::Table, &[ch('s')], A::SortBy, "sort", "Sort by this column; again turns the order round"),
    bind(S::Table, &[ch('#')], A::GoToRow, "row", "Go to a row by its number"),
    bind(S::Table, &[ch('H')], A::HideColumn, "hide", "Hide this column on the screen"),
    bind(S::Table, &[ch('F')], A::FreezeColumns, "freeze", "Keep the columns up to this one in sight"),
    bind(S::Table, &[ch('a')], A::ShowAll, "show all", "Show every row and column in the file's order"),
    bind(S::Table, &[ch('y')], A::CopyCell, "copy", "Copy this cell to the clipboard"),
    bind(S::Table, &[ch('Y')], A::CopyRow, "", "Copy this row to the clipboard"),

    bind(S::Findings, &[key(K::Enter)], A::Enter, "apply remedy", "Apply the remedy of this finding"),

    bind(S::Sql, &[key(K::Enter)], A::Enter, "write query", "Write a query and run it"),
    bind(S::Sql, &[ch('R')], A::OpenAnswer, "use as table", "Replace the table by the answer"),

    bind(S::Correlations, &[key(K::Enter)], A::Enter, "", "Show the pair under the cursor"),

    bind(S::Model, &[key(K::Enter)], A::Enter, "change", "Change this setting"),
    bind(S::Model, &[key(K::Backspace)], A::ResetField, "default", "Give the setting its default back"),
    bind(S::Model, &[ch('f')], A::Formula, "formula", "Show the formula of the model, with the coefficients of the shown run"),

    bind(S::Training, &[ch('p')], A::Pause, "pause", "Let the training rest, or go on"),
    bind(S::Training, &[ch('F')], A::Finish, "finish", "End the training early and keep what there is"),
    bind(S::Training, &[key(K::Enter)], A::Enter, "evaluate", "Show this run in the Evaluation pane"),
    bind(S::Training, &[ch(' ')], A::Mark, "mark", "Mark the run for comparison: its curve is laid over the others"),
    bind(S::Training, &[ch('b')], A::Yardstick, "", "Compare the others with this run"),
    bind(S::Training, &[ch('m')], A::NextMetric, "quantity", "Draw the next quantity: loss, metric, learning rate, gradient"),
    bind(S::Training, &[ch('s')], A::Smooth, "smooth", "Smooth the curves more, or not at all; the raw ones stay, faint"),
    bind(S::Training, &[ch('a')], A::LogAxis, "log axis", "Switch the axis between linear and logarithmic"),
    bind(S::Training, &[ch('+'), ch('=')], A::ZoomIn, "zoom in", "Show a shorter stretch of the curve, around the cursor"),
    bind(S::Training, &[ch('-')], A::ZoomOut, "", "Show a longer stretch of the curve"),
    bind(S::Training, &[ch('0')], A::ZoomAll, "", "Show the whole curve"),
    bind(S::Training, &[ch('H'), shift(K::Left)], A::FarLeft, "", "Move the curve's cursor left by a tenth"),
    bind(S::Training, &[ch('L'), shift(K::Right)], A::FarRight, "", "Move the curve's cursor right by a tenth"),
    bind(S::Training, &[ch('f')], A::Formula, "formula", "Show the formula of this run with its coefficients"),
    bind(S::Training, &[ch('R')], A::Register, "serve", "Register this run under a name, to be served"),
    bind(S::Training, &[ch('n')], A::NoteRun, "", "Write a note to this run"),
    bind(S::Training, &[ch('d'), key(K::Delete)], A::DeleteRun, "delete", "Delete this run for good"),

    bind(S::Evaluation, &[key(K::Enter)], A::Enter, "rows", "Show the rows behind the selected number"),
    bind(S::Evaluation, &[ch('m')], A::NextMetric, "order", "List several classes by another measure, the lowest first"),
    bind(S::Evaluation, &[ch('o')], A::Optimum, "optimum", "Find the threshold that costs least"),
    bind(S::Evaluation, &[ch('s')], A::Sides, "train/test", "Show test rows, training rows, or validation rows"),
    bind(S::Evaluation, &[ch('f')], A::Formula, "formula", "Show the formula of this run with its coefficients"),
    bind(S::Evaluation, &[ch('d')], A::Definitions, "definitions", "Show what the numbers mean and where they come from"),

    bind(S::Compare, &[key(K::Enter)], A::Enter, "evaluate", "Show this run in the Evaluation pane"),
    bind(S::Compare, &[ch('b')], A::Yardstick, "yardstick", "Compare the others with this run"),
    bind(S::Compare, &[ch('m')], A::NextMetric, "metric", "Rank by the next metric"),
    bind(S::Compare, &[ch(' ')], A::Mark, "mark", "Mark the run: its curve is laid over the yardstick's"),
    bind(S::Compare, &[ch('D')], A::Differences, "differences", "Show how this experiment differs from the yardstick's"),
    bind(S::Compare, &[ch('d')], A::Definitions, "definitions", "Show what the numbers mean and where they come from"),

    bind(S::Compare, &[ch('s')], A::Register, "serve", "Register this run under a name, to be served"),
    bind(S::Compare, &[ch('e')], A::Explain, "explain", "Explain the decisions of this run, row by row"),

    bind(S::Explain, &[key(K::Enter)], A::Enter, "what if", "Give the column another value and see what the model would say"),
    bind(S::Explain, &[ch('r')], A::ResetRow, "reset", "Give the row its own values back"),
    bind(S::Explain, &[key(K::Backspace)], A::ResetField, "", "Give this column its own value back"),
    bind(S::Explain, &[ch('b')], A::Background, "compared with", "Take the reasons from a comparison with everyone, or with those who passed near the threshold"),
    bind(S::Explain, &[ch('a')], A::Outcome, "adverse", "Say which outcome goes against the person"),
    bind(S::Explain, &[ch('m')], A::NextWay, "method", "Explain in the next way"),
    bind(S::Explain, &[ch('c')], A::NextClass, "class", "Explain the score of the next class"),
    bind(S::Explain, &[ch('#'), ch('/')], A::GoToRow, "row", "Go to a row by its number"),
    bind(S::Explain, &[ch('d')], A::Definitions, "definitions", "Show what contributions and reasons are, and where they come from"),

    bind(S::Serve, &[key(K::Enter)], A::Enter, "details", "Show everything known of this version, answer, key or decision"),
    bind(S::Serve, &[ch('s')], A::StartStop, "start/stop", "Start the server as a process of its own, or stop it"),
    bind(S::Serve, &[ch('r')], A::Register, "register run", "Register the shown run under a name"),
    bind(S::Serve, &[ch('p')], A::Promote, "promote", "Let an alias such as champion point to this version"),
    bind(S::Serve, &[ch('b')], A::Rollback, "roll back", "Let an alias point to the version it pointed to before"),
    bind(S::Serve, &[ch('d'), key(K::Delete)], A::Retire, "retire/revoke", "Retire this version, or take it back; revoke this key"),
    bind(S::Serve, &[ch('n')], A::NewKey, "new key", "Make a key; its secret is shown once"),
    bind(S::Serve, &[ch('c')], A::ChallengerShare, "share", "Let the challenger of this model answer a share of the requests"),
    bind(S::Serve, &[ch('o')], A::ServeSettings, "settings", "Set how this model is served: missing values, reasons, windows, what the log keeps"),
    bind(S::Serve, &[ch('R')], A::RotateKey, "other secret", "Give this key another secret; the old one stays good for a while"),
    bind(S::Serve, &[ch('a')], A::SecondPerson, "second person", "Let changes of what is in service wait for a second person, or no longer"),
    bind(S::Serve, &[ch('y')], A::CopyRequest, "copy request", "Copy a request for this model to the clipboard, as a curl command"),
    bind(S::Serve, &[ch('L')], A::LoadTest, "load test", "Ask for this model as fast as the server answers, for a few seconds"),

    bind(S::Monitor, &[key(K::Enter)], A::Enter, "details", "Open the columns of a version, what was measured of a column, what an alert is about"),
    bind(S::Monitor, &[ch('H'), shift(K::Left)], A::FarLeft, "earlier", "Look at the window before"),
    bind(S::Monitor, &[ch('L'), shift(K::Right)], A::FarRight, "later", "Look at the window after"),
    bind(S::Monitor, &[ch('o')], A::ShowRows, "rows", "Show the predictions behind the window, as the log has kept them"),
    bind(S::Monitor, &[ch('a')], A::Acknowledge, "acknowledge", "Say that you have taken notice of this alert, and why it may stand"),
    bind(S::Monitor, &[ch('t')], A::TrainAgain, "train again", "Train the champion of this model again: now, from time to time, or on alerts"),
    bind(S::Monitor, &[ch('e')], A::EraseSubject, "erase", "Erase everything that the prediction log keeps of a subject"),
    bind(S::Monitor, &[ch('m')], A::NextMetric, "measure", "Sort the columns by the next measure"),
    bind(S::Monitor, &[ch('d')], A::Definitions, "definitions", "Show what the measures mean, and their limits"),
    bind(S::Monitor, &[ch('r')], A::Refresh, "read again", "Read what the monitor has found since"),

    bind(S::Rows, &[key(K::Enter), ch('e')], A::Explain, "explain", "Explain the decision on this row"),
    bind(S::Rows, &[ch('m')], A::NextMetric, "why", "Explain the row of a network in the next way"),
    bind(S::Rows, &[ch('y')], A::CopyRow, "copy row", "Copy this row to the clipboard"),

    bind(S::Network, &[key(K::Enter)], A::Enter, "change", "Change this layer; several in a line become several"),
    bind(S::Network, &[ch('o'), key(K::Insert)], A::LayerBehind, "insert", "Write a layer behind this one"),
    bind(S::Network, &[ch('O')], A::LayerBefore, "before", "Write a layer before this one"),
    bind(S::Network, &[ch('d'), key(K::Delete)], A::DeleteLayer, "delete", "Take this layer out"),
    bind(S::Network, &[ch('K'), shift(K::Up)], A::LayerUp, "up", "Move this layer up"),
    bind(S::Network, &[ch('J'), shift(K::Down)], A::LayerDown, "down", "Move this layer down"),
    bind(S::Network, &[ch('u')], A::Undo, "undo", "Take back the latest change"),
    bind(S::Network, &[ch('s')], A::UseNetwork, "use it", "Use the network as it is"),

    bind(S::Global, &[ch('t')], A::Train, "train", "Train with the settings as they are"),
    bind(S::Global, &[ch('A')], A::TrainAll, "train all", "Train every kind in the catalog and compare"),
    bind(S::Global, &[ch('w')], A::Sweep, "", "Train over a grid of alpha"),
    bind(S::Global, &[ch('v')], A::CrossValidate, "", "Cross-validate: the same settings over five folds"),
    bind(S::Global, &[ch('C')], A::Compare, "compare", "Compare the runs on this table"),
    bind(S::Global, &[ch('X')], A::Explain, "explain", "Explain the decision of the shown run on the selected row, and try other values"),
    bind(S::Global, &[ch('V')], A::Serve, "serve", "Named models, the server that serves them, its keys, and who decided what"),
    bind(S::Global, &[ch('M')], A::Monitor, "monitor", "How served models fare: drift, performance, alerts"),
    bind(S::Global, &[ch('x')], A::Cancel, "cancel", "Cancel the running job"),
    bind(S::Global, &[ch('O')], A::Open, "", "Open another table: samples, this folder, earlier work"),
    bind(S::Global, &[ch('S')], A::Save, "save", "Save the model of the shown run to a file"),
    bind(S::Global, &[ch('e')], A::Export, "", "Write the experiment as TOML and show its command line"),
    bind(S::Global, &[ch('E')], A::Edit, "", "Edit the experiment as TOML in your editor ($EDITOR)"),
    bind(S::Global, &[ch('i')], A::History, "", "Show the command log"),
    bind(S::Global, &[ch('P')], A::Glyphs, "", "Draw plots with other characters: braille, blocks, ASCII"),

    bind(S::Move, &[key(K::Up), ch('k')], A::Up, "", "Go up"),
    bind(S::Move, &[key(K::Down), ch('j')], A::Down, "", "Go down"),
    bind(S::Move, &[key(K::Left), ch('h')], A::Left, "", "Go left; make a setting or the threshold smaller; move a curve's cursor"),
    bind(S::Move, &[key(K::Right), ch('l')], A::Right, "", "Go right; make a setting or the threshold larger; move a curve's cursor"),
    bind(S::Move, &[key(K::PageUp), ctrl('u')], A::PageUp, "", "Go up by a page"),
    bind(S::Move, &[key(K::PageDown), ctrl('d')], A::PageDown, "", "Go down by a page"),
    bind(S::Move, &[key(K::Home), ch('g')], A::First, "", "Go to the first"),
    bind(S::Move, &[key(K::End), ch('G')], A::Last, "", "Go to the last"),
    bind(S::Move, &[ch(']')], A::NextTab, "tabs", "The next tab of the pane"),
    bind(S::Move, &[ch('[')], A::PrevTab, "", "The tab before"),
    bind(S::Move, &[ch('/')], A::Search, "search", "Search the table; on Explain go to a row; elsewhere, find an action by its words"),
    bind(S::Move, &[ch('N')], A::PrevMatch, "", "The match before"),
    bind(S::Move, &[ch('n')], A::NextMatch, "", "The next match"),

    bind(S::Global, &[key(K::Tab)], A::NextPane, "pane", "The next pane"),
    bind(S::Global, &[key(K::BackTab)], A::PrevPane, "", "The pane before"),
    bind(S::Global, &[ch('1')], A::PaneData, "", "The Data pane"),
    bind(S::Global, &[ch('2')], A::PaneModel, "", "The Model pane"),
    bind(S::Global, &[ch('3')], A::PaneTraining, "", "The Training pane"),
    bind(S::Global, &[ch('4')], A::PaneEvaluation, "", "The Evaluation pane"),
    bind(S::Global, &[ch('z')], A::Zoom, "zoom", "Let this pane fill the screen, or all four share it"),
    bind(S::Global, &[ch('u')], A::Undo, "undo", "Take back the latest change"),
    bind(S::Global, &[ctrl('r')], A::Redo, "", "Bring back what was taken back"),
    bind(S::Global, &[ch(':')], A::Palette, "command", "Find any action or command by its words"),
    bind(S::Global, &[ch('?')], A::Help, "keys", "Show every key of this place"),
    bind(S::Global, &[key(K::Esc)], A::Back, "", "Close, go back, end a search"),
    bind(S::Global, &[ch('q')], A::Quit, "quit", "Go back to the workbench, or leave the program"),
    bind(S::Global, &[ctrl('c')], A::Interrupt, "", "Close a dialog, cancel a job, or ask to leave"),
    bind(S::Global, &[ctrl('z')], A::Suspend, "", "Hand the terminal back to the shell; `fg` returns"),
    bind(S::Global, &[ctrl('l')], A::Redraw, "", "Draw the screen anew"),
];

/// What `event` means in `scopes`, the innermost first.
pub fn lookup(scopes: &[Scope], event: KeyEvent) -> Option<Action> {
    // A shifted character already says so by its case; the modifier would only get in the way.
    let modifiers = match event.code {
        KeyCode::Char(_) | KeyCode::BackTab => event.modifiers - KeyModifiers::SHIFT,
        _ => event.modifiers,
    };
    let pressed = Key(event.code, modifiers);
    scopes.iter().find_map(|scope| {
        ACTIONS.iter().find(|b| b.scope == *scope && b.keys.contains(&pressed)).map(|b| b.action)
    })
}

/// The rows of the help screen for one scope.
pub fn rows(scope: Scope) -> impl Iterator<Item = &'static Binding> {
    ACTIONS.iter().filter(move |b| b.scope == scope)
}

/// The footer of a place: the keys of its scopes that have a hint, in the table's order.
pub fn hints(scopes: &[Scope]) -> impl Iterator<Item = &'static Binding> {
    ACTIONS.iter().filter(move |b| scopes.contains(&b.scope) && !b.hint.is_empty())
}

/// The binding of the same action that works everywhere, where there is one.
pub fn everywhere(binding: &'static Binding) -> &'static Binding {
    let same = |b: &&Binding| b.scope == Scope::Global && b.action == binding.action;
    ACTIONS.iter().find(same).unwrap_or(binding)
}

/// The key shown for an action, wherever it is bound.
pub fn key_of(action: Action) -> Option<Key> {
    ACTIONS.iter().find(|b| b.action == action).map(|b| b.keys[0])
}

/// The key of an action where these scopes hold, the innermost first, as it is written; where none
/// of them has one, the key that is shown for it elsewhere.
pub fn key_in(scopes: &[Scope], action: Action) -> String {
    let own = scopes
        .iter()
        .find_map(|scope| ACTIONS.iter().find(|b| b.scope == *scope && b.action == action));
    own.map(|b| b.keys[0]).or_else(|| key_of(action)).map_or(String::new(), |key| key.to_string())
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = match self.0 {
            KeyCode::Char(' ') => "space".to_owned(),
            KeyCode::Char(c) => c.to_string(),
            KeyCode::Up => "↑".to_owned(),
            KeyCode::Down => "↓".to_owned(),
            KeyCode::Left => "←".to_owned(),
            KeyCode::Right => "→".to_owned(),
            KeyCode::BackTab => "Shift-Tab".to_owned(),
            KeyCode::PageUp => "PgUp".to_owned(),
            KeyCode::PageDown => "PgDn".to_owned(),
            other => other.to_string(),
        };
        if self.1.contains(KeyModifiers::CONTROL) {
            f.pad(&format!("ctrl-{text}"))
        } else if self.1.contains(KeyModifiers::SHIFT) {
            f.pad(&format!("shift-{text}"))
        } else {
            f.pad(&text)
        }
    }
}

/// The key table of the README.
pub fn readme_table() -> String {
    let mut table = String::from("| where | key | what it does |\n| --- | --- | --- |\n");
    for scope in Scope::ALL {
        for row in rows(*scope) {
            let keys: Vec<String> = row.keys.iter().map(|k| format!("`{k}`")).collect();
            let (place, keys) = (scope.title(), keys.join(" "));
            let _ = writeln!(table, "| {place} | {keys} | {} |", row.about);
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_means_two_things_in_one_scope() {
        for (i, b) in ACTIONS.iter().enumerate() {
            for key in b.keys {
                let twin = ACTIONS[..i].iter().find(|o| o.scope == b.scope && o.keys.contains(key));
                assert!(twin.is_none(), "`{key}` is bound twice in {:?}", b.scope);
            }
        }
    }

    #[test]
    fn every_action_has_a_key() {
        for action in Action::ALL {
            assert!(key_of(*action).is_some(), "{action:?} has no key");
        }
    }

    #[test]
    fn every_row_of_the_help_screen_does_what_it_says() {
        for scope in Scope::ALL {
            for row in rows(*scope) {
                for key in row.keys {
                    let event = KeyEvent::new(key.0, key.1);
                    assert_eq!(lookup(&[*scope], event), Some(row.action), "{key} in {scope:?}");
                }
            }
        }
    }

    #[test]
    fn the_readme_lists_the_same_keys() {
        let table = readme_table();
        assert!(
            include_str!("../../README.md").contains(&table),
            "put this in README.md:\n{table}"
        );
    }
}

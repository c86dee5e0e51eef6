//! What stands around the panes: header, message, footer, and the line of a pane that is not in
//! front.

use std::fmt::Write as _;

use ratatui::layout::Rect;

use super::{Canvas, Role, row, word};
use crate::data::Task;
use crate::jobs::Wish;
use crate::ui::action::{Action, Scope};
use crate::ui::app::{
    App, EvalTab, MonitorView, Overlay, Pane, Quantity, Screen, ServeTab, Side, Tone,
};
use crate::ui::keymap;
use crate::ui::plot;
use crate::ui::widgets::{clear, line, numbers, text};

/// `german_credit.csv · 1,000 × 21 · target credit_risk = bad (30.0 %)`, and what runs.
pub(super) fn header(app: &App, canvas: &mut Canvas<'_>, area: Rect) {
    let mut words = vec![word(" karat ", Role::Title), word("  ", Role::Text)];
    let narrow = area.width < 100;
    match &app.workspace.now.table {
        None => words.push(word("the model workbench in your terminal", Role::Dim)),
        Some(table) => {
            words.push(word(table.origin.label.clone(), Role::Strong));
            let rows = numbers::count(table.n_rows());
            let more = if table.complete { "" } else { "+" };
            if !narrow {
                words.push(word(format!(" · {rows}{more} × {}", table.n_columns()), Role::Text));
                words.extend(target_words(app));
            }
            if narrow && app.screen == Screen::Workbench && !app.zoomed {
                words.push(word("   ", Role::Text));
                for pane in Pane::ALL {
                    let name = format!("{} {}", pane.number(), pane.title());
                    if pane == app.focus {
                        words.push(word(format!("[{name}]"), Role::Tab));
                    } else {
                        words.push(word(format!(" {name} "), Role::TabIdle));
                    }
                }
            }
            let screen = match app.screen {
                Screen::Gallery | Screen::Workbench => "",
                Screen::Compare => " · Compare",
                Screen::Explain => " · Explain",
                Screen::Serve => " · Serve",
                Screen::Monitor => " · Monitor",
            };
            words.push(word(screen, Role::Title));
        }
    }
    let used = canvas.words(area, &words);
    let rest = Rect { x: used, width: area.right().saturating_sub(used), ..area };
    let mut right = Vec::new();
    if let Some(job) = app.jobs.training().or(app.jobs.running.first()) {
        let verb = if job.is_training() { "training" } else { job.label.as_str() };
        let verb = if job.state().is_empty() { verb } else { job.state() };
        if area.width >= 60 {
            right.push(word(format!("{verb} {} ", plot::gauge(job.fraction, 18)), Role::Accent));
        } else {
            right.push(word(format!("{verb} "), Role::Accent));
        }
    } else if !narrow {
        let n = app.workspace.runs_here().count();
        if n > 0 {
            let plural = if n == 1 { "" } else { "s" };
            right.push(word(format!("{n} run{plural} "), Role::Dim));
        }
    }
    let width: usize = right.iter().map(|(t, _)| text::width(t)).sum();
    if usize::from(rest.width) > width {
        canvas.words_right(rest, &right);
    }
}

fn target_words(app: &App) -> Vec<(String, Role)> {
    let question = app.workspace.question();
    let Some(target) = &question.question.target else { return vec![] };
    let accepted = app.workspace.now.experiment.question.target.is_some();
    let mut words = vec![word(" · target ", Role::Dim)];
    let positive = match (&question.question.positive, question.question.task) {
        (Some(positive), Some(Task::Binary)) => format!("{target} = {positive}"),
        _ => target.clone(),
    };
    words.push(word(positive, if accepted { Role::Strong } else { Role::Text }));
    if !accepted {
        words.push(word(" (proposed)", Role::Guess));
    }
    words
}

/// How many lines a message takes at most.
const MOST_LINES: usize = 6;

/// The line above the footer; what went wrong is told in full, over the lines above it.
pub(super) fn message(app: &App, canvas: &mut Canvas<'_>, area: Rect) {
    if let Some((caption, key)) = &app.caption {
        let pressed = if key.is_empty() { String::new() } else { format!("  {key} ") };
        canvas.words_right(area, &[word(pressed.clone(), Role::Cursor)]);
        let place =
            Rect { width: area.width.saturating_sub(text::width(&pressed) as u16 + 1), ..area };
        canvas.words(place, &[word(" ▶ ", Role::Accent), word(caption.clone(), Role::Strong)]);
        return;
    }
    let Some(message) = &app.message else { return };
    let (mark, role) = match message.tone {
        Tone::Said => (" ✓ ", Role::Good),
        Tone::Warning => (" ⚠ ", Role::Warn),
        Tone::Error => (" ✗ ", Role::Bad),
        Tone::Alarm => (" ▲ ", Role::Bad),
    };
    let mut words = vec![word(mark, role), word(text::clean(&message.text), Role::Text)];
    if !message.hint.is_empty() {
        words.push(word(" · ", Role::Dim));
        words.push(word(text::clean(&message.hint), Role::Accent));
    }
    let wanted: usize = words.iter().map(|(w, _)| text::width(w)).sum();
    let width = usize::from(area.width);
    if wanted > width {
        let room = width.saturating_sub(4);
        let mut lines: Vec<(String, Role)> =
            text::wrap(&message.text, room).into_iter().map(|line| (line, Role::Text)).collect();
        let hint = text::wrap(&message.hint, room).into_iter().filter(|line| !line.is_empty());
        let hint: Vec<_> = hint.map(|line| (line, Role::Accent)).collect();
        // What to do about it stays in sight.
        let most = MOST_LINES.min(usize::from(area.y));
        lines.truncate(most.saturating_sub(hint.len()).max(1));
        lines.extend(hint);
        lines.truncate(most);
        let top = area.y + 1 - lines.len() as u16;
        let place = Rect { y: top, height: lines.len() as u16, ..area };
        clear(place, canvas.buf);
        for (i, (line, look)) in lines.into_iter().enumerate() {
            let mark = if i == 0 { mark } else { "   " };
            canvas.words(row(place, i as u16), &[word(mark, role), word(line, look)]);
        }
        return;
    }
    canvas.words(area, &words);
}

/// The keys of this place.
pub(super) fn footer(app: &App, canvas: &mut Canvas<'_>, area: Rect) {
    let area = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    let own = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(k, w)| ((*k).to_owned(), (*w).to_owned())).collect::<Vec<_>>()
    };
    let (pairs, always): (Vec<(String, String)>, usize) = match app.overlays.last() {
        Some(Overlay::Help { .. } | Overlay::Page { .. }) => {
            (own(&[("↑↓", "scroll"), ("Esc", "close")]), 2)
        }
        Some(Overlay::Secret { .. }) => (own(&[("y", "copy the key"), ("Esc", "close")]), 2),
        Some(Overlay::Palette { .. }) => {
            (own(&[("Enter", "do it"), ("Tab", "complete"), ("↑↓", "choose"), ("Esc", "close")]), 4)
        }
        Some(Overlay::Picker { .. }) => (
            own(&[("Enter", "choose"), ("↑↓", "move"), ("type", "to search"), ("Esc", "close")]),
            4,
        ),
        Some(Overlay::Prompt { .. }) => (own(&[("Enter", "accept"), ("Esc", "close")]), 2),
        Some(Overlay::Confirm { .. }) => (own(&[("y", "yes"), ("n", "no")]), 2),
        Some(Overlay::Network(editor)) if editor.typing.is_some() => {
            (own(&[("Enter", "accept"), ("Esc", "discard")]), 2)
        }
        Some(Overlay::Network(_)) => {
            let mut pairs = own(&[("↑↓", "move")]);
            let hints = keymap::rows(Scope::Network);
            pairs.extend(hints.map(|b| (b.keys[0].to_string(), b.hint.to_owned())));
            pairs.extend(own(&[("Esc", "close")]));
            (pairs, 2)
        }
        Some(Overlay::Rows(view)) => {
            let mut pairs = own(&[("↑↓", "row"), ("←→", "columns")]);
            let explains = |action: Action| action != Action::NextMetric || view.seen_by.is_some();
            let hints = keymap::rows(Scope::Rows).filter(|b| explains(b.action));
            pairs.extend(hints.map(|b| (b.keys[0].to_string(), b.hint.to_owned())));
            pairs.extend(own(&[("Esc", "close")]));
            let n = pairs.len();
            (pairs, n)
        }
        None => {
            let mut pairs = own(&[("↑↓", "move")]);
            if let Some(arrows) = sideways(app) {
                pairs.extend(own(&[("←→", arrows)]));
            }
            let trains = app.jobs.training().is_some();
            let task = app.shown().map_or(Task::Binary, |r| r.task);
            let tab = app.eval.tab;
            let is_idle = |action: Action| match action {
                Action::Optimum => task != Task::Binary,
                Action::Background | Action::Outcome => !app.explain.has_reasons(),
                Action::NextClass => !app.explain.has_classes(),
                Action::ResetRow => app.explain.changed.is_empty(),
                Action::NextWay => app.explain.ways.len() < 2,
                Action::Pause | Action::Finish | Action::Cancel => !trains,
                Action::NextMetric => {
                    app.screen == Screen::Workbench
                        && app.focus != Pane::Training
                        && !(task == Task::Multiclass && tab == EvalTab::Classes)
                }
                _ => false,
            };
            let of_tab = of_tab(app);
            let place = |b: &keymap::Binding| match b.scope {
                Scope::Serve | Scope::Monitor if b.action != Action::Enter => {
                    of_tab.iter().position(|own| *own == b.action)
                }
                Scope::Serve | Scope::Monitor => Some(0),
                _ => Some(usize::MAX),
            };
            let mut hints: Vec<_> = keymap::hints(&app.scopes())
                .filter(|b| app.screen == Screen::Workbench || !skipped(b.action))
                .filter(|b| !is_idle(b.action))
                .filter_map(|b| Some((place(b)?, b)))
                .collect();
            hints.sort_by_key(|(place, _)| *place);
            let rests = app.jobs.training().is_some_and(|job| job.wish == Wish::Rest);
            let hint = |b: &keymap::Binding| match b.action {
                Action::Pause if rests => "go on".to_owned(),
                _ => b.hint.to_owned(),
            };
            let mut hints: Vec<_> = hints
                .into_iter()
                .map(|(place, b)| (b.keys[0].to_string(), hint(b), place))
                .collect();
            // The ways to everything else stay in sight where the others have to go.
            let tabs = (app.focus == Pane::Evaluation).then_some("]");
            let first: &[&str] = if trains { &["p", "F", "x"] } else { &["Enter"] };
            let last: Vec<_> = first
                .iter()
                .copied()
                .chain(tabs)
                .chain(["t", "Tab", ":", "?", "q"])
                .filter_map(|k| hints.iter().position(|h| h.0 == k).map(|i| hints.remove(i)))
                .collect();
            let n = last.len();
            // What only the view in front offers stands before the arrows, which anyone tries.
            let own = hints.partition_point(|(.., place)| *place < usize::MAX);
            let rest = hints.split_off(own);
            let words = |all: Vec<(String, String, usize)>| {
                all.into_iter().map(|(key, hint, _)| (key, hint)).collect::<Vec<_>>()
            };
            pairs.splice(0..0, words(hints));
            pairs.extend(words(rest));
            pairs.extend(words(last));
            (pairs, n)
        }
    };
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(k, w)| (k.as_str(), w.as_str())).collect();
    line::keys(&pairs, always, area, canvas.buf, canvas.theme);
}

/// What the view in front of the Serve or the Monitor screen offers, the most important first.
fn of_tab(app: &App) -> &'static [Action] {
    use Action as A;
    match app.screen {
        Screen::Serve => match app.serve.tab {
            ServeTab::Models => &[
                A::StartStop,
                A::Promote,
                A::Rollback,
                A::Register,
                A::CopyRequest,
                A::ChallengerShare,
                A::ServeSettings,
                A::Retire,
                A::LoadTest,
            ],
            ServeTab::Live => &[A::StartStop, A::CopyRequest, A::LoadTest],
            ServeTab::Keys => &[A::NewKey, A::RotateKey, A::Retire, A::StartStop],
            ServeTab::Audit => &[A::SecondPerson, A::StartStop],
        },
        Screen::Monitor => match app.monitor.view {
            MonitorView::Versions => &[A::TrainAgain, A::Refresh, A::Definitions, A::EraseSubject],
            MonitorView::Columns => {
                &[A::ShowRows, A::FarLeft, A::FarRight, A::NextMetric, A::Definitions, A::Refresh]
            }
            MonitorView::Performance => {
                &[A::FarLeft, A::FarRight, A::ShowRows, A::Definitions, A::Refresh]
            }
            MonitorView::Alerts => &[A::Acknowledge, A::TrainAgain, A::Refresh],
        },
        Screen::Gallery | Screen::Workbench | Screen::Compare | Screen::Explain => &[],
    }
}

/// Keys of the workbench that do nothing on the other screens.
fn skipped(action: Action) -> bool {
    use Action as A;
    matches!(
        action,
        A::Train
            | A::TrainAll
            | A::Compare
            | A::NextPane
            | A::Zoom
            | A::NextTab
            | A::Search
            | A::Save
    )
}

/// What the sideways arrows do here.
fn sideways(app: &App) -> Option<&'static str> {
    use crate::ui::app::DataTab;
    match app.screen {
        Screen::Workbench => {}
        Screen::Explain => return Some("row"),
        Screen::Serve | Screen::Monitor => return Some("views"),
        Screen::Gallery | Screen::Compare => return None,
    }
    Some(match app.focus {
        Pane::Data if matches!(app.data.tab, DataTab::Columns | DataTab::Findings) => "tabs",
        Pane::Data => "columns",
        Pane::Model => "change",
        Pane::Training => "cursor",
        Pane::Evaluation => match app.shown().map(|r| r.task) {
            Some(Task::Binary) => "threshold",
            Some(Task::Multiclass) if app.eval.tab == EvalTab::Confusion => "class",
            _ => "tabs",
        },
    })
}

/// A pane that is not in front, in one line.
pub(super) fn summary(app: &App, canvas: &mut Canvas<'_>, pane: Pane, area: Rect) {
    let mut words = vec![
        word(format!("  {} ", pane.number()), Role::Key),
        word(text::fit(pane.title(), 12), Role::Text),
    ];
    let question = app.workspace.question();
    match pane {
        Pane::Data => {
            if let Some(table) = &app.workspace.now.table {
                let n = app.workspace.survey.as_ref().map_or(0, |s| s.findings().len());
                words.push(word(
                    format!(
                        "{} rows × {} columns",
                        numbers::count(table.n_rows()),
                        table.n_columns()
                    ),
                    Role::Dim,
                ));
                if n > 0 {
                    let plural = if n == 1 { "" } else { "s" };
                    words.push(word(format!(" · ⚠ {n} finding{plural}"), Role::Warn));
                }
            }
        }
        Pane::Model => {
            let features = question_features(app);
            let mut said = question.model.kind.clone();
            for (key, value) in &question.model.set {
                let _ = write!(said, " · {key} {value}");
            }
            words.push(word(format!("{said} · {features}"), Role::Dim));
        }
        Pane::Training => {
            if let Some(job) = app.jobs.training() {
                words.push(word(
                    format!("{} {}", job.label, plot::gauge(job.fraction, 16)),
                    Role::Accent,
                ));
                if !job.state().is_empty() {
                    words.push(word(format!("  {}", job.state()), Role::Warn));
                }
                if let Some(loss) = job.curves.last(Quantity::Loss, Side::Train) {
                    words
                        .push(word(format!("  loss {}", numbers::significant(loss, 4)), Role::Dim));
                }
            } else {
                let n = app.workspace.runs_here().count();
                let said = if n == 0 {
                    "nothing trained yet · t trains".to_owned()
                } else {
                    format!("{n} run{}", if n == 1 { "" } else { "s" })
                };
                words.push(word(said, Role::Dim));
            }
        }
        Pane::Evaluation => match app.shown() {
            Some(run) => {
                words.push(word(format!("run {} {} · ", run.id, run.model.kind), Role::Dim));
                let side = app.side(run);
                let names: &[&str] = match run.task {
                    Task::Regression => &["rmse", "r2"],
                    Task::Binary => &["roc_auc", "ks"],
                    Task::Multiclass => &["accuracy", "macro_f1"],
                };
                for name in names {
                    let estimate = side.metrics(run).and_then(|m| m.get(*name)).copied();
                    let label = crate::metrics::metric(name).map_or(*name, |m| m.label);
                    words.push(word(format!("{label} "), Role::Dim));
                    words.push(word(
                        numbers::optional(estimate.and_then(|e| e.value), 3),
                        Role::Strong,
                    ));
                    if let Some((low, high)) = estimate.and_then(|e| e.low.zip(e.high)) {
                        words.push(word(
                            format!(" ({}–{})", numbers::fixed(low, 2), numbers::fixed(high, 2)),
                            Role::Dim,
                        ));
                    }
                    words.push(word("  ", Role::Text));
                }
            }
            None => words.push(word("no run yet", Role::Dim)),
        },
    }
    canvas.words(area, &words);
}

/// `17 of 20 features`, and how many protected ones are left out.
pub(super) fn question_features(app: &App) -> String {
    let Some(table) = &app.workspace.now.table else { return String::new() };
    let question = app.workspace.question();
    let chosen = crate::train::features_of(table, question).map_or(0, |f| f.len());
    let target = usize::from(question.question.target.is_some());
    format!("{chosen} of {} features", table.n_columns().saturating_sub(target))
}

//! The Explain screen: what is said of a row, what each column adds, and the reasons.

use ratatui::layout::Rect;

use super::{Canvas, Role, ViewState, below, note_page, portrait, row, word};
use crate::data::Task;
use crate::explain::{Adverse, Attributed, Background, Explanation, Space};
use crate::features::Remark;
use crate::models::Predictor;
use crate::ui::action::{Action, Scope};
use crate::ui::app::App;
use crate::ui::app::explain::side_word;
use crate::ui::keymap::key_in;
use crate::ui::plot::signed_bar;
use crate::ui::widgets::{Cell, Column, DataTable, Pane, line, numbers, text};
use crate::workspace::{Decision, Says, scale_word};

/// From this width on a portrait of a picture or series may stand beside the columns.
const LEAST_BESIDE: u16 = 100;

pub(super) fn draw(app: &App, state: &mut ViewState, canvas: &mut Canvas<'_>, area: Rect) {
    let focused = app.overlays.is_empty();
    let explained = &app.explain;
    let right = explained.run.as_ref().map_or(String::new(), |run| {
        let walk = &explained.walk;
        let of = format!("{} of {}", numbers::count(walk.at + 1), numbers::count(walk.n));
        format!("{of} · {} · {} run {}", walk.title, run.model.kind, run.id)
    });
    let right = text::cut(&right, usize::from(area.width).saturating_sub(14));
    let pane = Pane { title: "Why", right: &right, focused, ..Pane::default() };
    let inner = pane.render(area, canvas.buf, canvas.theme);
    let Some(decision) = explained.decision.clone() else {
        let (said, role) = match &explained.trouble {
            Some(trouble) => (trouble.replace("\nhint: ", " · "), Role::Warn),
            None if explained.run.is_none() => (
                "Nothing is explained yet: train a model, then choose a row.".to_owned(),
                Role::Dim,
            ),
            None => ("asking the model …".to_owned(), Role::Dim),
        };
        canvas.paragraph(inner, &said, role);
        return;
    };
    let used = head(app, &decision, canvas, inner);
    let inner = below(inner, used);
    let sight = explained.run.as_ref().and_then(|run| run.model.sight.as_ref());
    let place = sight
        .filter(|_| inner.width >= LEAST_BESIDE)
        .and_then(|sight| Some((sight, portrait::beside(sight, inner)?)));
    let list = match (place, &explained.table) {
        (Some((sight, (left, right))), Some(table)) => {
            let why = decision.why.as_ref().ok().map(AsRef::as_ref);
            portrait::draw(sight, table, decision.position, why, canvas, right);
            left
        }
        _ => inner,
    };
    match &decision.why {
        Ok(why) => contributions(app, state, canvas, list, focused, &decision, why),
        Err(trouble) => {
            let trouble = trouble.replace("\nhint: ", " · ");
            canvas.paragraph(below(list, 1), &trouble, Role::Warn);
            if explained.ways.len() > 1 {
                let said = format!("{} explains it in the next way", key(Action::NextWay));
                canvas.paragraph(below(list, 4), &said, Role::Dim);
            }
        }
    }
}

/// The key of an action on this screen.
fn key(action: Action) -> String {
    key_in(&[Scope::Explain], action)
}

/// What the model says of the row, as it is and as it was changed.
fn head(app: &App, decision: &Decision, canvas: &mut Canvas<'_>, area: Rect) -> u16 {
    let Some(run) = &app.explain.run else { return 0 };
    let threshold = app.workspace.threshold(run);
    let roomy = area.width >= 100;
    let words = |says: &Says| {
        let mut words = Vec::new();
        let adverse = says.is_adverse && decision.grounds.is_some();
        let look = if adverse { Role::Bad } else { Role::Strong };
        match run.task {
            Task::Regression => {
                words.push(word("predicted ", Role::Dim));
                words.push(word(numbers::significant(says.score, 6), Role::Strong));
            }
            Task::Binary => {
                let positive = run.model.classes.last().map_or("", String::as_str);
                words.push(word("called ", Role::Dim));
                words.push(word(says.prediction.clone(), look));
                words.push(word(if adverse { " ▲ adverse" } else { "" }, Role::Bad));
                words.push(word(format!("  P({positive}) "), Role::Dim));
                words.push(word(numbers::fixed(says.score, 3), Role::Strong));
                let sign = if says.score >= threshold { "≥" } else { "<" };
                let cut = numbers::significant(threshold, 3);
                let behind = if roomy { ", the threshold" } else { "" };
                words.push(word(format!(" {sign} {cut}{behind}"), Role::Dim));
            }
            Task::Multiclass => {
                words.push(word("called ", Role::Dim));
                words.push(word(says.prediction.clone(), look));
                let mut order: Vec<usize> = (0..says.outputs.len()).collect();
                order.sort_by(|a, b| says.outputs[*b].total_cmp(&says.outputs[*a]));
                words.push(word("  ", Role::Dim));
                for class in order.into_iter().take(3) {
                    let name = run.model.classes.get(class).map_or("", String::as_str);
                    words.push(word(format!(" {name} "), Role::Dim));
                    words.push(word(numbers::fixed(says.outputs[class], 3), Role::Text));
                }
            }
        }
        words
    };
    let mut first = vec![
        word(format!("row {}", numbers::count(decision.row as usize)), Role::Title),
        word(format!(" · {}  ", side_word(decision.side)), Role::Dim),
    ];
    first.extend(words(&decision.before));
    if let Some(truth) = &decision.truth {
        first.push(word("  actual ", Role::Dim));
        first.push(word(truth.clone(), Role::Strong));
        let actual: Option<f64> = truth.parse().ok();
        match run.task {
            Task::Regression => {
                if let Some(actual) = actual {
                    let error = numbers::signed(decision.before.score - actual, 4);
                    first.push(word(format!(" · off by {error}"), Role::Dim));
                }
            }
            _ if *truth != decision.before.prediction => first.push(word(" ✗ wrong", Role::Warn)),
            _ => first.push(word(" ✓", Role::Good)),
        }
    }
    canvas.words(row(area, 0), &first);
    if decision.changed.is_empty() {
        return 1;
    }
    let n = decision.changed.len();
    let plural = if n == 1 { "value" } else { "values" };
    let mut second =
        vec![word("what if", Role::Title), word(format!(" · {n} {plural}   "), Role::Dim)];
    second.extend(words(&decision.after));
    let moved = decision.after.score - decision.before.score;
    if run.task != Task::Multiclass {
        second.push(word(format!("   moved by {}", numbers::signed(moved, 3)), Role::Dim));
    }
    if decision.before.prediction != decision.after.prediction {
        second.push(word("   ● another decision", Role::Accent));
    }
    canvas.words(row(area, 1), &second);
    2
}

/// What each column adds, the sum below it, and the reasons below that.
fn contributions(
    app: &App,
    state: &mut ViewState,
    canvas: &mut Canvas<'_>,
    area: Rect,
    focused: bool,
    decision: &Decision,
    why: &Explanation,
) {
    let of = why.class.as_ref().map_or(String::new(), |class| format!(" for {class}"));
    let title = format!("{}, {}{of}", why.method.label, scale_word(why.space));
    line::rule(&title, row(area, 0), canvas.buf, canvas.theme);
    let area = below(area, 1);
    let notes = notes(app, decision, why, area.width);
    let order = app.explain.order();
    let wanted = order.len() as u16 + 1;
    let room = area.height.saturating_sub(notes.len() as u16 + 1);
    let list = Rect { height: wanted.min(room.max(4)).min(area.height), ..area };
    note_page(state, focused, list.height);
    table(app, state, canvas, list, focused, decision, why);
    let rest = below(area, list.height);
    sum(why, canvas, row(rest, 0));
    // A line of air where there is room for it.
    let first = 1 + u16::from(usize::from(rest.height) > notes.len() + 1);
    let notes: Vec<Vec<(String, Role)>> = notes.into_iter().map(|words| vec![words]).collect();
    canvas.lines(below(rest, first), &notes);
}

fn table(
    app: &App,
    state: &mut ViewState,
    canvas: &mut Canvas<'_>,
    area: Rect,
    focused: bool,
    decision: &Decision,
    why: &Explanation,
) {
    let order = app.explain.order();
    let most = order.iter().map(|a| a.contribution.abs()).fold(0.0, f64::max);
    let reasons = decision
        .after
        .is_adverse
        .then(|| decision.grounds(app.explain.background)?.reasons.as_ref())
        .flatten();
    let changes = !decision.changed.is_empty();
    let widest = |of: &dyn Fn(&Attributed) -> usize, least: usize, most: usize| {
        order.iter().map(|own| of(own)).max().unwrap_or(0).clamp(least, most)
    };
    let names = widest(&|own| text::width(&own.feature), 12, 32);
    let values = widest(&|own| own.text.as_deref().map_or(0, text::width) + 2, 8, 26);
    let beside = names + values + 16 + if reasons.is_some() { 20 } else { 0 };
    let beside = beside + if changes { 14 } else { 0 };
    let cells = usize::from(area.width).saturating_sub(beside).clamp(13, 61) | 1;
    let (against, towards) = sides(app, why);
    let half = cells / 2;
    let head = format!(
        "{}│{}",
        text::fit_right(&format!("{} ◂", text::cut(&against, half.saturating_sub(2))), half),
        text::fit(&format!("▸ {}", text::cut(&towards, half.saturating_sub(2))), half)
    );
    let mut heads =
        vec![Column::left("column").widths(12, 32), Column::left("value").widths(8, 32)];
    if changes {
        heads.push(Column::left("was").widths(6, 24).priority(1));
    }
    heads.push(Column::right("adds"));
    heads.push(Column::left(head).widths(cells as u16, cells as u16).drawn());
    if reasons.is_some() {
        heads.push(Column::left("reason").widths(16, 20));
    }
    let protected = |name: &str| {
        app.explain
            .table
            .as_ref()
            .and_then(|t| t.column(name))
            .is_some_and(|c| c.protected.is_some())
    };
    let bad = match (decision.grounds.is_some(), app.explain.adverse) {
        (false, _) => 0.0,
        (true, Adverse::Positive) => 1.0,
        (true, Adverse::Negative) => -1.0,
    };
    let cells_of = |i: usize| {
        let own = *order.get(i)?;
        let mark = if protected(&own.feature) { " ◆" } else { "" };
        let changed = decision.changed.get(&own.feature);
        let value = own.text.clone().map_or_else(|| numbers::NONE.into(), |t| short(&t));
        let remark = match changed.map(|(_, remark)| *remark) {
            Some(Remark::Unseen) => " (unseen)",
            Some(Remark::Below) => " (below training)",
            Some(Remark::Above) => " (above training)",
            _ => "",
        };
        let look = match (changed.is_some(), own.text.is_some()) {
            (true, _) => Role::Accent,
            (false, true) => Role::Text,
            (false, false) => Role::Guess,
        };
        let pen = if changed.is_some() { "✎ " } else { "" };
        let mut cells_of = vec![
            Cell::new(format!("{}{mark}", own.feature), Role::Text),
            Cell::new(format!("{pen}{value}{remark}"), look),
        ];
        if changes {
            let was = changed.map_or(String::new(), |(was, _)| {
                was.as_ref().map_or_else(|| numbers::NONE.into(), |was| short(was))
            });
            cells_of.push(Cell::new(was, Role::Dim));
        }
        let role = match own.contribution * bad {
            v if v > 0.0 => Role::Warn,
            v if v < 0.0 => Role::Good,
            _ => Role::Accent,
        };
        cells_of.push(Cell::new(numbers::signed(own.contribution, 3), Role::Strong));
        cells_of.push(Cell::new(signed_bar(own.contribution, most, cells), role));
        if let Some(reasons) = reasons {
            let place = reasons.reasons.iter().position(|r| r.feature == own.feature);
            cells_of.push(match place {
                Some(place) => Cell::new(
                    format!(
                        "reason {}  {}",
                        place + 1,
                        numbers::signed(reasons.reasons[place].shortfall, 3)
                    ),
                    Role::Strong,
                ),
                None => Cell::new("", Role::Dim),
            });
        }
        Some(cells_of)
    };
    state.contributions.selected = app.explain.row();
    DataTable {
        columns: &heads,
        rows: Some(order.len()),
        row: &cells_of,
        focused,
        cell_cursor: false,
        frozen: 0,
        footer: true,
        empty: "this model looks at no column",
    }
    .render(area, canvas.buf, canvas.theme, &mut state.contributions);
}

/// A value as far as a person reads it: numbers without the dust of their last bits.
fn short(value: &str) -> String {
    match value.trim().parse::<f64>() {
        Ok(number) if value.len() > 10 && number.is_finite() => numbers::significant(number, 7),
        _ => value.to_owned(),
    }
}

/// What lies on either side of the middle of the bars.
fn sides(app: &App, why: &Explanation) -> (String, String) {
    let classes = app.explain.run.as_ref().map(|run| run.model.classes.as_slice());
    match (why.space, classes, &why.class) {
        (_, Some([negative, positive]), _) => (negative.clone(), positive.clone()),
        (Space::ClassScore, _, Some(class)) => (format!("not {class}"), class.clone()),
        _ => ("lower".into(), "higher".into()),
    }
}

/// `base −0.85 + 1.23 of 17 columns = score 0.38`, and what is left over.
fn sum(why: &Explanation, canvas: &mut Canvas<'_>, area: Rect) {
    let added: f64 = why.attributions.iter().map(|a| a.contribution).sum();
    let n = why.attributions.len();
    let columns = if n == 1 { "column" } else { "columns" };
    let sign = if added < 0.0 { "−" } else { "+" };
    let rest = numbers::significant(why.remainder.abs(), 2);
    let (look, left) = if why.remainder.abs() <= 1e-6 * why.score.abs().max(1.0) {
        (Role::Dim, format!("   left over {rest}"))
    } else {
        (Role::Warn, format!("   left over {} ⚠", numbers::signed(why.remainder, 3)))
    };
    canvas.words(
        area,
        &[
            word(" base ", Role::Dim),
            word(numbers::fixed(why.base, 3), Role::Text),
            word(format!(" {sign} "), Role::Dim),
            word(numbers::fixed(added.abs(), 3), Role::Text),
            word(format!(" from {} {columns} = score ", numbers::count(n)), Role::Dim),
            word(numbers::fixed(why.score, 3), Role::Strong),
            word(left, look),
        ],
    );
}

/// What stands below the sum: the background, and how the reasons were found.
fn notes(app: &App, decision: &Decision, why: &Explanation, width: u16) -> Vec<(String, Role)> {
    let Some(run) = &app.explain.run else { return vec![] };
    let mut said = Vec::new();
    let mut add = |words: &str, role: Role| {
        let lines = text::wrap(words, usize::from(width).saturating_sub(2));
        said.extend(lines.into_iter().map(|line| (format!(" {line}"), role)));
    };
    if why.method.name == "exact" {
        let base = match &run.model.averages {
            Some(averages) => {
                format!("base: the average of {} training rows", numbers::count(averages.n))
            }
            None => "base: the average of the training rows".into(),
        };
        add(&format!("{base}; levels of a column count as one"), Role::Dim);
    } else {
        add(&format!("{}: {}", why.method.label, why.method.about), Role::Dim);
    }
    let Some(grounds) = decision.grounds(app.explain.background) else {
        if run.task == Task::Binary {
            let said = match &run.model.predictor {
                Predictor::Linear { .. } => {
                    "no reasons: this model does not keep the averages of its training rows"
                }
                _ => "no reasons: the two methods of Regulation B are defined for linear models",
            };
            add(said, Role::Dim);
        }
        return said;
    };
    let (letter, other) = match app.explain.background {
        Background::All => ("B", "A"),
        Background::NearThreshold => ("A", "B"),
    };
    if !decision.after.is_adverse {
        add(
            &format!(
                "called {}: not adverse, so no reasons are owed · {} counts it as adverse",
                decision.after.prediction,
                key(Action::Outcome)
            ),
            Role::Good,
        );
        return said;
    }
    match &grounds.reasons {
        Some(reasons) => {
            let n = numbers::count(grounds.n_behind);
            let words = format!(
                "reasons by Regulation B, method ({letter}): {} ({n} rows)",
                app.explain.background.sentence()
            );
            add(&words, Role::Text);
            if reasons.withheld {
                add(
                    "a protected attribute weighed as much as a reason; it is not named",
                    Role::Warn,
                );
            }
        }
        None => add(
            &format!(
                "method ({letter}): nobody is known who passed near this threshold · {} method ({other})",
                key(Action::Background)
            ),
            Role::Warn,
        ),
    }
    said
}

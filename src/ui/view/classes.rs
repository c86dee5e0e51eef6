//! The tabs of the Evaluation pane that several classes have.

use ratatui::layout::Rect;

use super::evaluation::{folds, headline_beside, verdict};
use super::{Canvas, Role, ViewState, below, note_page, row, word};
use crate::train::Run;
use crate::ui::app::App;
use crate::ui::plot::{self, ClassGrid};
use crate::ui::widgets::{Cell, Column, DataTable, line, numbers, text};
use crate::workspace::{Assessment, ClassOrder, Several};

/// The metrics of the summary, the most telling first.
const HEADLINES: [&str; 6] =
    ["accuracy", "macro_f1", "log_loss", "weighted_f1", "top_2_accuracy", "top_3_accuracy"];

/// The headline metrics with those of the baseline beside them, and what is confused most.
pub(super) fn summary(run: &Run, assessment: &Assessment, canvas: &mut Canvas<'_>, area: Rect) {
    let Some(several) = &assessment.several else {
        canvas.paragraph(area, "too few rows", Role::Dim);
        return;
    };
    let side = assessment.side;
    let defined = HEADLINES.iter().filter(|name| {
        let metrics = side.metrics(run);
        metrics.and_then(|m| m.get(**name)).is_some_and(|e| e.value.is_some())
    });
    let n_shown = match area.height {
        0..=5 => 2,
        6..=9 => 4,
        _ => 6,
    };
    let mut used = 0;
    for name in defined.take(n_shown) {
        let baseline = several.baseline.get(name).copied();
        headline_beside(run, side, name, baseline, canvas, row(area, used));
        used += 1;
    }
    used += u16::from(area.height > 6 && folds(run, canvas, row(area, used)));
    let rest = below(area, used);
    let rest = Rect { height: rest.height.saturating_sub(1), ..rest };
    if rest.height >= 3 {
        let (left, right) = if rest.width >= 60 {
            let half = rest.width / 2;
            let left = Rect { width: half - 1, ..rest };
            (left, Some(Rect { x: rest.x + half + 1, width: rest.width - half - 1, ..rest }))
        } else {
            (rest, None)
        };
        confused(run, several, canvas, left);
        if let Some(right) = right {
            weakest(run, several, canvas, right);
        }
    }
    verdict(run, side, canvas, row(area, area.height.saturating_sub(1)));
}

/// The pairs of classes that are taken for each other most often.
fn confused(run: &Run, several: &Several, canvas: &mut Canvas<'_>, area: Rect) {
    line::rule("most often confused", row(area, 0), canvas.buf, canvas.theme);
    if several.errors.is_empty() {
        canvas.words(row(area, 1), &[word("no class is taken for another", Role::Good)]);
    }
    let name = |class: usize| run.model.classes.get(class).map_or("", String::as_str);
    let most = several.errors.first().map_or(1.0, |(a, b)| several.confusion.at(*a, *b));
    for (i, (truth, called)) in several.errors.iter().enumerate() {
        let y = 1 + i as u16;
        if area.height <= y {
            break;
        }
        let count = several.confusion.at(*truth, *called);
        let share = count / several.confusion.support(*truth);
        let words = [
            word(text::fit_right(&numbers::significant(count, 4), 6), Role::Strong),
            word(format!(" {} ", plot::bar(count / most, 8)), Role::Warn),
            word(text::cut(name(*truth), 16), Role::Text),
            word(" called ", Role::Dim),
            word(text::cut(name(*called), 16), Role::Text),
            word(format!("  {}", numbers::percent(share, 1)), Role::Dim),
        ];
        canvas.words(row(area, y), &words);
    }
}

/// The classes with the lowest F1.
fn weakest(run: &Run, several: &Several, canvas: &mut Canvas<'_>, area: Rect) {
    line::rule("lowest F1", row(area, 0), canvas.buf, canvas.theme);
    for (i, class) in several.order(ClassOrder::F1).into_iter().enumerate() {
        let y = 1 + i as u16;
        if area.height <= y {
            break;
        }
        let own = &several.measures[class];
        let name = run.model.classes.get(class).map_or("", String::as_str);
        let words = [
            word(text::fit(&text::cut(name, 16), 17), Role::Text),
            word(numbers::optional(own.f1, 3), Role::Strong),
            word(format!(" {} ", plot::bar(own.f1.unwrap_or(0.0), 8)), Role::Accent),
            word(format!("of {}", numbers::significant(own.support, 5)), Role::Dim),
        ];
        canvas.words(row(area, y), &words);
    }
}

/// The F1 of each class under several runs, those first in which the runs differ most.
pub(super) fn side_by_side(
    classes: &[String],
    runs: &[(String, &Several)],
    canvas: &mut Canvas<'_>,
    area: Rect,
) {
    line::rule("F1 of each class", row(area, 0), canvas.buf, canvas.theme);
    let names = classes.iter().map(|name| text::width(name)).max().unwrap_or(0).clamp(6, 16) + 1;
    let mut head = vec![word(" ".repeat(names), Role::Dim)];
    head.extend(runs.iter().map(|(id, _)| word(text::fit_right(id, 8), Role::Dim)));
    canvas.words(row(area, 1), &head);
    let f1 = |several: &Several, class: usize| several.measures.get(class).and_then(|own| own.f1);
    let spread = |class: &usize| {
        let values = runs.iter().map(|(_, several)| f1(several, *class).unwrap_or(0.0));
        let (low, high) = values.fold((1.0_f64, 0.0_f64), |(l, h), v| (l.min(v), h.max(v)));
        high - low
    };
    let mut order: Vec<usize> = (0..classes.len()).collect();
    order.sort_by(|a, b| spread(b).total_cmp(&spread(a)));
    for (i, class) in order.into_iter().enumerate() {
        let y = 2 + i as u16;
        if area.height <= y {
            break;
        }
        let name = text::fit(&text::cut(&classes[class], names - 1), names);
        let mut words = vec![word(name, Role::Text)];
        let values = runs.iter().map(|(_, several)| numbers::optional(f1(several, class), 3));
        words.extend(values.map(|value| word(text::fit_right(&value, 8), Role::Strong)));
        canvas.words(row(area, y), &words);
    }
}

/// A line for each class.
pub(super) fn each(
    app: &App,
    state: &mut ViewState,
    run: &Run,
    assessment: &Assessment,
    canvas: &mut Canvas<'_>,
    area: Rect,
    focused: bool,
) {
    note_page(state, focused, area.height);
    let Some(several) = &assessment.several else { return };
    let by = app.eval.order;
    let order = several.order(by);
    let title = |order: ClassOrder, name: &str| {
        if order == by && by != ClassOrder::Listed {
            format!("{name} ↑")
        } else {
            name.to_owned()
        }
    };
    let heads = [
        Column::left("class").widths(8, 28),
        Column::right(title(ClassOrder::Precision, "precision")),
        Column::right(title(ClassOrder::Recall, "recall")),
        Column::right(title(ClassOrder::F1, "F1")),
        Column::left("").priority(3),
        Column::right(title(ClassOrder::Support, "rows")),
        Column::right("called so").priority(2),
        Column::left("mostly taken for").priority(1),
    ];
    let n3 = |value: Option<f64>| numbers::optional(value, 3);
    let name = |class: usize| run.model.classes.get(class).cloned().unwrap_or_default();
    let cells = |i: usize| {
        let class = *order.get(i)?;
        let own = several.measures.get(class)?;
        let taken = several.taken_for(class).map_or(String::new(), |called| {
            let count = several.confusion.at(class, called);
            format!("{} ({})", name(called), numbers::significant(count, 4))
        });
        Some(vec![
            Cell::new(name(class), Role::Strong),
            Cell::new(n3(own.precision), Role::Text),
            Cell::new(n3(own.recall), Role::Text),
            Cell::new(n3(own.f1), Role::Strong),
            Cell::new(plot::bar(own.f1.unwrap_or(0.0), 8), Role::Accent),
            Cell::new(numbers::significant(own.support, 6), Role::Dim),
            Cell::new(numbers::significant(own.predicted, 6), Role::Dim),
            Cell::new(taken, Role::Warn),
        ])
    };
    state.classes.selected = app.eval.row;
    DataTable {
        columns: &heads,
        rows: Some(order.len()),
        row: &cells,
        focused,
        cell_cursor: false,
        frozen: 0,
        footer: true,
        empty: "too few rows",
    }
    .render(area, canvas.buf, canvas.theme, &mut state.classes);
}

/// True against predicted classes, and what the cursor is on.
pub(super) fn confusion(
    app: &App,
    state: &mut ViewState,
    run: &Run,
    assessment: &Assessment,
    canvas: &mut Canvas<'_>,
    area: Rect,
    focused: bool,
) {
    let Some(several) = &assessment.several else { return };
    let foot = u16::from(area.height > 4);
    let place = Rect { height: area.height - foot, ..area };
    let last = run.model.classes.len().saturating_sub(1);
    let (truth, called) = (app.eval.pair.0.min(last), app.eval.pair.1.min(last));
    let mut grid = ClassGrid {
        classes: &run.model.classes,
        counts: &several.confusion.cells,
        selected: Some((truth, called)),
        offset: state.confusion,
    };
    grid.offset = grid.scrolled(place);
    state.confusion = grid.offset;
    note_page(state, focused, grid.capacity(place).0 as u16);
    if !focused {
        grid.selected = None;
    }
    grid.render(place, canvas.buf, canvas.theme);
    if foot == 0 {
        return;
    }
    let count = several.confusion.at(truth, called);
    let support = several.confusion.support(truth);
    let share = if 0.0 < support { count / support } else { 0.0 };
    let name = |class: usize| text::cut(&run.model.classes[class], 16);
    let role = if truth == called { Role::Good } else { Role::Warn };
    let words = [
        word("actual ", Role::Dim),
        word(name(truth), Role::Strong),
        word(", called ", Role::Dim),
        word(name(called), role),
        word(": ", Role::Dim),
        word(numbers::significant(count, 6), Role::Strong),
        word(
            format!(" of {}, {}", numbers::significant(support, 6), numbers::percent(share, 1)),
            Role::Dim,
        ),
    ];
    canvas.words(row(area, area.height - 1), &words);
}

/// The rows with the largest loss.
pub(super) fn worst(
    app: &App,
    state: &mut ViewState,
    run: &Run,
    assessment: &Assessment,
    canvas: &mut Canvas<'_>,
    area: Rect,
    focused: bool,
) {
    note_page(state, focused, area.height);
    let (Some(several), Some(scores)) = (&assessment.several, assessment.side.scores(run)) else {
        return;
    };
    let heads = [
        Column::right("row"),
        Column::left("actual").widths(6, 20),
        Column::left("called").widths(6, 20),
        Column::right("P(called)"),
        Column::right("P(actual)"),
        Column::left("").priority(2),
        Column::right("loss").priority(1),
    ];
    let name = |class: f64| run.model.classes.get(class as usize).cloned().unwrap_or_default();
    let cells = |i: usize| {
        let (place, loss) = *several.worst.get(i)?;
        let (truth, called) = (scores.truth[place], scores.score[place]);
        let probability = |class: f64| scores.probabilities(place).get(class as usize).copied();
        let role = if truth == called { Role::Good } else { Role::Warn };
        Some(vec![
            Cell::new(numbers::count(scores.rows[place] as usize), Role::Dim),
            Cell::new(name(truth), Role::Strong),
            Cell::new(name(called), role),
            Cell::new(numbers::optional(probability(called), 3), Role::Text),
            Cell::new(numbers::optional(probability(truth), 3), Role::Text),
            Cell::new(plot::bar(probability(truth).unwrap_or(0.0), 8), Role::Accent),
            Cell::new(numbers::fixed(loss, 3), Role::Dim),
        ])
    };
    state.worst.selected = app.eval.row;
    DataTable {
        columns: &heads,
        rows: Some(several.worst.len()),
        row: &cells,
        focused,
        cell_cursor: false,
        frozen: 0,
        footer: true,
        empty: "too few rows",
    }
    .render(area, canvas.buf, canvas.theme, &mut state.worst);
}

//! The Evaluation pane.

use ratatui::layout::Rect;

use super::eval_tables::{coefficients, deciles, errors, residuals};
use super::{Canvas, Role, ViewState, below, classes, plots, row, word};
use crate::data::Task;
use crate::metrics::{Confusion, Estimate, metric};
use crate::train::{Run, usual_metric};
use crate::ui::app::{App, EvalTab};
use crate::ui::plot::{self, ConfusionGrid, Dash};
use crate::ui::widgets::{Pane, numbers, text};
use crate::workspace::{Assessment, Side};

pub(super) fn draw(
    app: &App,
    state: &mut ViewState,
    canvas: &mut Canvas<'_>,
    area: Rect,
    focused: bool,
) {
    let run = app.shown().cloned();
    let task = run.as_ref().map_or(Task::Binary, |r| r.task);
    let name = |t: &EvalTab| if area.width < 76 { t.short() } else { t.title() };
    let tabs: Vec<&str> = EvalTab::of(task).iter().map(name).collect();
    let tab = EvalTab::of(task).iter().position(|t| *t == app.eval.tab).unwrap_or(0);
    let pane = Pane { number: Some(4), title: "Evaluation", tabs: &tabs, tab, right: "", focused };
    let inner = pane.render(area, canvas.buf, canvas.theme);
    let Some(run) = run else {
        let waiting = app.eval.run.is_some() && !app.jobs.is_idle();
        let text = if waiting {
            "reading the run …"
        } else {
            "Nothing trained yet. t trains; the figures of the run stand here."
        };
        canvas.paragraph(inner, text, Role::Dim);
        return;
    };
    let side = app.side(&run);
    head(app, &run, side, canvas, row(inner, 0));
    let body = below(inner, 1);
    let Some(assessment) = app.assessment(&run).cloned() else { return };
    match EvalTab::of(task)[tab] {
        EvalTab::Summary if task == Task::Binary => {
            binary(app, &run, &assessment, canvas, body, focused);
        }
        EvalTab::Summary if task == Task::Multiclass => {
            classes::summary(&run, &assessment, canvas, body);
        }
        EvalTab::Summary => regression(&run, &assessment, canvas, body),
        EvalTab::Classes => classes::each(app, state, &run, &assessment, canvas, body, focused),
        EvalTab::Confusion => {
            classes::confusion(app, state, &run, &assessment, canvas, body, focused);
        }
        EvalTab::Worst => classes::worst(app, state, &run, &assessment, canvas, body, focused),
        EvalTab::Roc | EvalTab::Pr | EvalTab::Gains | EvalTab::Calibration => {
            curve(app, &run, &assessment, canvas, body);
        }
        EvalTab::Deciles => deciles(app, state, &assessment, canvas, body, focused),
        EvalTab::Residuals => residuals(&assessment, canvas, body),
        EvalTab::Errors => errors(&assessment, canvas, body),
        EvalTab::Coefficients => coefficients(app, state, &run, canvas, body, focused),
    }
}

/// Which run, on which rows.
fn head(app: &App, run: &Run, side: Side, canvas: &mut Canvas<'_>, area: Rect) {
    let n = side.scores(run).map_or(0, |s| s.rows.len());
    let mut left = vec![
        word(format!("run {} ", run.id), Role::Accent),
        word(run.model.kind.clone(), Role::Strong),
        word(format!("  {}", side_word(side, n)), Role::Text),
    ];
    if is_outdated(app, run) {
        left.push(word(" · changed since", Role::Warn));
    }
    let used = canvas.words(area, &left);
    let rest = Rect { x: used, width: area.right().saturating_sub(used), ..area };
    if Side::of(run).len() > 1 && rest.width > 24 {
        let key = crate::ui::keymap::key_of(crate::ui::action::Action::Sides);
        let key = key.map_or(String::new(), |k| k.to_string());
        canvas.words_right(rest, &[word(key, Role::Key), word(" other rows", Role::Dim)]);
    }
}

/// Whether the question is no longer the one that this run answered.
fn is_outdated(app: &App, run: &Run) -> bool {
    let (was, is) = (&run.experiment, app.workspace.question());
    // While the question is being filled in, nothing can be said of it.
    let known =
        app.workspace.survey.as_ref().is_some_and(|s| s.asked == app.workspace.now.experiment);
    known
        && (was.question != is.question
            || was.recipe != is.recipe
            || was.split != is.split
            || was.data.steps != is.data.steps)
}

fn side_word(side: Side, n: usize) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{} {} row{plural}", numbers::count(n), side.word())
}

fn estimate(run: &Run, side: Side, name: &str) -> Option<Estimate> {
    side.metrics(run).and_then(|m| m.get(name)).copied()
}

/// `AUC  0.802 ▕──●──▏ 0.73 – 0.86` with the training figure beside it.
pub(super) fn headline(run: &Run, side: Side, name: &str, canvas: &mut Canvas<'_>, area: Rect) {
    headline_beside(run, side, name, None, canvas, area);
}

/// The same with the figure of the baseline in between.
pub(super) fn headline_beside(
    run: &Run,
    side: Side,
    name: &str,
    baseline: Option<f64>,
    canvas: &mut Canvas<'_>,
    area: Rect,
) {
    let Some(metric) = metric(name) else { return };
    let found = estimate(run, side, name);
    let wide = if run.task == Task::Multiclass { 12 } else { 9 };
    let mut words = vec![word(text::fit(metric.label, wide), Role::Dim)];
    let digits = |v: f64| {
        if metric.is_unitless() {
            numbers::fixed(v, 3)
        } else {
            numbers::significant(v, if v.abs() < 1.0 { 6 } else { 5 })
        }
    };
    let value = found.and_then(|e| e.value);
    words.push(word(text::fit_right(&value.map_or(numbers::NONE.into(), digits), 8), Role::Strong));
    if let (Some(value), Some((low, high))) = (value, found.and_then(|e| e.low.zip(e.high))) {
        if name == "roc_auc" && area.width >= 50 {
            let scale = (0.5, 1.0);
            words.push(word(
                format!(" 0.5{}1", plot::interval(value, Some((low, high)), scale, 14)),
                Role::Accent,
            ));
        }
        words.push(word(format!(" {}–{}", digits(low), digits(high)), Role::Dim));
    }
    if let Some(baseline) = baseline {
        words.push(word(format!("  baseline {}", digits(baseline)), Role::Dim));
    }
    let used = canvas.words(area, &words);
    if side != Side::Train
        && let Some(train) = estimate(run, Side::Train, name).and_then(|e| e.value)
    {
        let rest = Rect { x: used, width: area.right().saturating_sub(used), ..area };
        let said = format!("training {}", digits(train));
        if usize::from(rest.width) > text::width(&said) + 1 {
            canvas.words_right(rest, &[word(said, Role::Train)]);
        }
    }
}

fn binary(
    app: &App,
    run: &Run,
    assessment: &Assessment,
    canvas: &mut Canvas<'_>,
    area: Rect,
    focused: bool,
) {
    let side = assessment.side;
    // A linear family on two classes minimises squared error: that stands beside its AUC.
    let names: &[&str] = if run.intercept.is_some() && run.model.kind != "logistic" {
        &["roc_auc", "mse", "ks", "gini", "average_precision", "r2"]
    } else {
        &["roc_auc", "ks", "gini", "average_precision", "brier", "log_loss"]
    };
    let n_headlines = match area.height {
        0..=9 => 1,
        10..=12 => 3,
        13..=15 => 4,
        _ => 6,
    };
    for (i, name) in names.iter().take(n_headlines).enumerate() {
        headline(run, side, name, canvas, row(area, i as u16));
    }
    let threshold = app.workspace.threshold(run);
    let Some(sweep) = &assessment.sweep else { return };
    let confusion = sweep.at(threshold);
    let n_headlines = if area.height >= 10 && folds(run, canvas, row(area, n_headlines as u16)) {
        n_headlines + 1
    } else {
        n_headlines
    };
    let foot = if area.height >= 9 { 2 } else { 1 };
    let middle = Rect {
        y: area.y + n_headlines as u16,
        height: area.height.saturating_sub(n_headlines as u16 + foot),
        ..area
    };
    let wide = middle.width >= 46 && middle.height >= 6;
    let right = if wide {
        let left = middle.width * 9 / 20;
        let place = Rect { width: left.saturating_sub(1), ..middle };
        let at = mark(&confusion);
        let curve = [("ROC", Role::SeriesA, Dash::Solid, assessment.roc.as_slice())];
        plots::curves(canvas, place, EvalTab::Roc, &curve, at, None);
        Rect { x: middle.x + left, width: middle.width - left, ..middle }
    } else {
        middle
    };
    decision(app, run, &confusion, canvas, right, focused);
    slider(threshold, canvas, row(area, area.height.saturating_sub(foot)));
    if foot > 1 {
        verdict(run, side, canvas, row(area, area.height - 1));
    }
}

fn mark(confusion: &Confusion) -> Option<(f64, f64)> {
    let fpr = confusion.specificity().map(|s| 1.0 - s)?;
    Some((fpr, confusion.recall()?))
}

/// The confusion matrix and what follows from it.
fn decision(
    app: &App,
    run: &Run,
    confusion: &Confusion,
    canvas: &mut Canvas<'_>,
    area: Rect,
    focused: bool,
) {
    let classes = &run.model.classes;
    let cut = |i: usize| classes.get(i).map_or(String::new(), |c| text::cut(c, 10));
    let names = vec![cut(0), cut(1)];
    let counts = vec![vec![confusion.tn, confusion.fp], vec![confusion.fn_, confusion.tp]];
    let cell = app.eval.cell.min(3);
    let selected = focused.then_some((cell / 2, cell % 2));
    let grid = ConfusionGrid { classes: &names, counts: &counts, selected };
    let (_, wanted) = grid.wanted();
    let used = wanted.min(area.height);
    grid.render(Rect { height: used, ..area }, canvas.buf, canvas.theme);
    let rest = below(area, used);
    let rates = [
        ("precision", confusion.precision()),
        ("recall", confusion.recall()),
        ("F1", confusion.f1()),
        ("accuracy", confusion.accuracy()),
        ("flagged", confusion.flagged()),
    ];
    let costs = app.workspace.question().costs;
    let cost = confusion.cost(costs.false_positive, costs.false_negative);
    let mut all: Vec<(&str, String)> =
        rates.iter().map(|(name, value)| (*name, numbers::optional(*value, 3))).collect();
    all.push(("cost", numbers::significant(cost, 4)));
    let across = if rest.width >= 36 { 2 } else { 1 };
    for (i, pair) in all.chunks(across).enumerate() {
        let words = pair.iter().flat_map(|(name, value)| {
            [word(format!("{name:<10}"), Role::Dim), word(format!("{value:<8}"), Role::Strong)]
        });
        canvas.words(row(rest, i as u16), &words.collect::<Vec<_>>());
    }
}

/// `threshold 0 ├───────◆──────────┤ 1   ←→ move`
fn slider(threshold: f64, canvas: &mut Canvas<'_>, area: Rect) {
    let label = format!("threshold {threshold:.2} ");
    let cells = usize::from(area.width).saturating_sub(label.len() + 24).clamp(8, 40);
    let at = ((threshold.clamp(0.0, 1.0)) * (cells - 1) as f64).round() as usize;
    let bar: String = (0..cells).map(|i| if i == at { '◆' } else { '─' }).collect();
    let words = [
        word(label, Role::Text),
        word("0 ├", Role::Dim),
        word(bar, Role::Accent),
        word("┤ 1 ", Role::Dim),
        word("←→", Role::Key),
        word(" move ", Role::Dim),
        word("o", Role::Key),
        word(" optimum", Role::Dim),
    ];
    canvas.words(area, &words);
}

/// `folds: AUC 0.766 (0.710–0.820) over 5`, if the run was cross-validated.
pub(super) fn folds(run: &Run, canvas: &mut Canvas<'_>, area: Rect) -> bool {
    let name = usual_metric(run.task);
    let label = metric(name).map_or(name, |m| m.label);
    let found = run.cv.as_ref().and_then(|m| m.get(name)).copied();
    let Some((found, value)) = found.and_then(|e| Some((e, e.value?))) else { return false };
    let digits = |v: f64| match run.task {
        Task::Binary | Task::Multiclass => numbers::fixed(v, 3),
        Task::Regression => numbers::significant(v, 5),
    };
    let range = found.low.zip(found.high);
    let range = range.map_or(String::new(), |(l, h)| format!(" ({}–{})", digits(l), digits(h)));
    canvas.words(
        area,
        &[
            word(format!("folds: {label} "), Role::Dim),
            word(digits(value), Role::Strong),
            word(format!("{range} over {}", run.folds.len()), Role::Dim),
        ],
    );
    true
}

/// What the gap between training and test says.
pub(super) fn verdict(run: &Run, side: Side, canvas: &mut Canvas<'_>, area: Rect) {
    if let Some(warning) = run.warnings.first() {
        let (said, hint) = warning.split_once("\nhint: ").unwrap_or((warning, ""));
        let mut words = vec![word("⚠ ", Role::Warn), word(said, Role::Text)];
        if !hint.is_empty() {
            words.push(word(format!(" · {hint}"), Role::Accent));
        }
        canvas.words(area, &words);
        return;
    }
    let (name, family) = match run.task {
        Task::Regression => ("r2", "R²"),
        Task::Binary => ("roc_auc", "AUC"),
        Task::Multiclass => ("accuracy", "accuracy"),
    };
    let value = |s| estimate(run, s, name).and_then(|e| e.value);
    let over_folds = run.cv.as_ref().and_then(|m| m.get(name)).and_then(|e| e.value);
    // The mean over the folds says more than one test set.
    let (here, place) = match over_folds {
        Some(mean) if side != Side::Train => (Some(mean), "over the folds"),
        _ => (value(side), "here"),
    };
    let (Some(train), Some(here)) = (value(Side::Train), here) else { return };
    if side == Side::Train {
        canvas.words(area, &[word("the rows it was trained on: flattering", Role::Warn)]);
        return;
    }
    let gap = train - here;
    let (said, role) = match gap {
        g if g > 0.1 => ("overfits", Role::Bad),
        g if g > 0.04 => ("overfits a little", Role::Warn),
        g if g < -0.04 => ("does better than in training: luck, or an easy test", Role::Warn),
        _ => ("hardly overfits", Role::Good),
    };
    let text = format!(
        "{family} {} in training, {} {place}: ",
        numbers::fixed(train, 3),
        numbers::fixed(here, 3)
    );
    canvas.words(area, &[word(text, Role::Dim), word(said, role)]);
}

fn regression(run: &Run, assessment: &Assessment, canvas: &mut Canvas<'_>, area: Rect) {
    let side = assessment.side;
    for (i, name) in ["rmse", "mse", "mae", "r2"].iter().enumerate() {
        headline(run, side, name, canvas, row(area, i as u16));
    }
    let used = 4 + u16::from(folds(run, canvas, row(area, 4)));
    let rest = below(area, used);
    if rest.height >= 6 {
        residuals(assessment, canvas, Rect { height: rest.height - 1, ..rest });
    }
    verdict(run, side, canvas, row(area, area.height.saturating_sub(1)));
}

fn curve(app: &App, run: &Run, assessment: &Assessment, canvas: &mut Canvas<'_>, area: Rect) {
    let tab = app.eval.tab;
    let side = assessment.side;
    let threshold = app.workspace.threshold(run);
    let confusion = assessment.sweep.as_ref().map(|s| s.at(threshold));
    let share = confusion.map(|c| (c.tp + c.fn_) / c.total().max(1e-300));
    let at = confusion.and_then(|c| match tab {
        EvalTab::Roc => mark(&c),
        EvalTab::Pr => Some((c.recall()?, c.precision()?)),
        EvalTab::Gains => Some((c.flagged()?, c.recall()?)),
        _ => None,
    });
    let train = (side != Side::Train)
        .then(|| app.workspace.assessments.get(&(run.id.clone(), Side::Train)))
        .flatten()
        .map(|a| plots::points(a, tab));
    let here = plots::points(assessment, tab);
    let dash = Dash::Solid;
    let mut named: Vec<plots::Named<'_>> = Vec::new();
    if let Some(train) = &train {
        named.push(("training", Role::Train, Dash::Dotted, train));
    }
    named.push((side.word(), Role::Valid, dash, &here));
    let foot = u16::from(area.height > 6);
    let place = Rect { height: area.height - foot, ..area };
    plots::curves(canvas, place, tab, &named, at, share);
    if foot == 0 {
        return;
    }
    let n3 = |v: Option<f64>| numbers::optional(v, 3);
    let value = |name| estimate(run, side, name).and_then(|e| e.value);
    let said = match tab {
        EvalTab::Roc => format!(
            "AUC {} · Gini {} · KS {}",
            n3(value("roc_auc")),
            n3(value("gini")),
            n3(value("ks"))
        ),
        EvalTab::Pr => format!(
            "average precision {} against {} by chance",
            n3(value("average_precision")),
            n3(share)
        ),
        EvalTab::Gains => {
            let found = here.iter().find(|(x, _)| *x >= 0.2).map(|(_, y)| *y);
            format!(
                "the fifth with the highest score holds {} of the positives",
                found.map_or(numbers::NONE.into(), |v| numbers::percent(v, 0))
            )
        }
        _ => match &assessment.cox {
            Some(cox) => format!(
                "ten bins of equal size · slope {} (ideal 1) · intercept {} (ideal 0) · Brier {}",
                numbers::fixed(cox.slope, 2),
                numbers::fixed(cox.intercept, 2),
                n3(value("brier"))
            ),
            None => "ten bins of equal size".into(),
        },
    };
    canvas.words(row(area, area.height - 1), &[word(said, Role::Dim)]);
}

//! How far a training has come, and how a run went, in a line or two.

use ratatui::layout::Rect;

use crate::jobs::Wish;
use crate::train::ModelSpec;
use crate::ui::app::{App, Curves, Job, Quantity, Row, Side};
use crate::ui::plot;
use crate::ui::view::{Canvas, Role, row, word};
use crate::ui::widgets::{numbers, text};

/// Words with their meanings, which stay on one line.
type Fact = Vec<(String, Role)>;

/// What stands between two facts.
const BETWEEN: &str = " · ";

/// Draws what is known of a row and returns how many lines that took.
pub(super) fn draw(app: &App, canvas: &mut Canvas<'_>, area: Rect, which: &Row) -> u16 {
    let facts = match which {
        Row::Queued(_) => vec![vec![word("waits for the training before it", Role::Dim)]],
        Row::Running(i) => app.jobs.running.get(*i).map_or(vec![], |job| of_job(app, job)),
        Row::Done(id) => match (app.curves_of(id), app.workspace.run(id)) {
            (Some(curves), Some(run)) => of_run(&run.experiment.model, curves, run.fit_seconds),
            _ => vec![],
        },
    };
    // The curve needs the room more than a second line does.
    let most = if area.height >= 9 { 2 } else { 1 };
    flow(canvas, area, &facts, most)
}

fn of_job(app: &App, job: &Job) -> Vec<Fact> {
    let mut facts = vec![];
    if !job.state().is_empty() {
        let sign = if job.wish == Wish::Rest { "▌▌ " } else { "" };
        facts.push(vec![word(format!("{sign}{}", job.state()), Role::Warn)]);
    }
    let whole = |name: &str| job.figure(name).filter(|v| *v >= 0.0).map(|v| v as usize);
    if let (Some(epoch), Some(epochs)) = (whole("epoch"), whole("epochs")) {
        let width = numbers::count(epochs).len();
        let text = format!("epoch {:>width$} of {}", numbers::count(epoch), numbers::count(epochs));
        facts.push(vec![word(text, Role::Strong)]);
    }
    if let (Some(batch), Some(batches)) = (whole("batch"), whole("batches")) {
        let width = numbers::count(batches).len();
        let text =
            format!("batch {:>width$} of {}", numbers::count(batch), numbers::count(batches));
        facts.push(vec![word(text, Role::Dim)]);
    }
    if let Some(seconds) = job.time_left(app.now) {
        facts.push(vec![word(format!("~{} left", numbers::duration(seconds)), Role::Text)]);
    }
    facts.extend(best(&job.curves));
    let mut figure = |name: &str, begin: &str, end: &str| {
        if let Some(value) = job.figure(name).filter(|v| v.is_finite()) {
            let value = numbers::significant(value, 3);
            facts.push(vec![word(begin, Role::Dim), word(value, Role::Text), word(end, Role::Dim)]);
        }
    };
    figure("rows_per_second", "", " rows/s");
    figure("learning_rate", "rate ", "");
    figure("grad_norm", "gradient ", "");
    facts
}

fn of_run(model: &ModelSpec, curves: &Curves, seconds: f64) -> Vec<Fact> {
    let Some(last) = curves.last_step().filter(|last| *last >= 1.0) else { return vec![] };
    let steps = numbers::count(last as usize);
    let unit = unit(model);
    let plural = if last == 1.0 { "" } else { "s" };
    let mut facts = vec![vec![word(
        format!("{steps} {unit}{plural} in {}", numbers::duration(seconds)),
        Role::Text,
    )]];
    facts.extend(best(curves));
    facts.extend(ended(model, curves, last).map(|text| vec![word(text, Role::Warn)]));
    for (quantity, name) in [(Quantity::LearningRate, "rate "), (Quantity::GradNorm, "gradient ")] {
        if let Some(value) = curves.last(quantity, Side::Train).filter(|v| v.is_finite()) {
            let value = numbers::significant(value, 3);
            facts.push(vec![word(name, Role::Dim), word(value, Role::Text)]);
        }
    }
    facts
}

/// Why a training had fewer epochs than it was allowed.
fn ended(model: &ModelSpec, curves: &Curves, last: f64) -> Option<String> {
    let set = |name: &str| {
        let default = crate::models::kind(&model.kind).ok()?.param(name)?.default;
        model.set.get(name).map_or(default, String::as_str).parse::<f64>().ok()
    };
    let epochs = set("epochs").filter(|_| unit(model) == "epoch")?;
    if last >= epochs {
        return None;
    }
    let allowed = numbers::count(epochs as usize);
    let waited = curves.best().map(|(best, _)| last - best);
    match (set("patience"), waited) {
        (Some(patience), Some(waited)) if patience > 0.0 && waited >= patience => Some(format!(
            "stopped early, {allowed} allowed: no better for {} epochs",
            numbers::count(waited as usize)
        )),
        _ => Some(format!("ended before the {allowed} allowed")),
    }
}

/// The best epoch, where there are validation rows to tell.
fn best(curves: &Curves) -> Option<Fact> {
    let (step, loss) = curves.best()?;
    let epoch = numbers::count(step as usize);
    Some(vec![
        word("★ ", Role::Good),
        word("best ", Role::Dim),
        word(epoch, Role::Text),
        word(" valid ", Role::Dim),
        word(numbers::significant(loss, 4), Role::Text),
    ])
}

/// What a step of the fit is called.
pub(super) fn unit(model: &ModelSpec) -> &'static str {
    let Ok(kind) = crate::models::kind(&model.kind) else { return "step" };
    let solver = kind
        .param("solver")
        .map(|solver| model.set.get("solver").map_or(solver.default, String::as_str));
    let goes_by_epochs = solver.is_none_or(|solver| matches!(solver, "gd" | "sgd"));
    if kind.param("epochs").is_some() && goes_by_epochs { "epoch" } else { "iteration" }
}

/// Draws facts one after the other, in at most so many lines, and returns how many were used.
///
/// A fact that fits nowhere is left out; the first ones matter most.
pub(super) fn flow(canvas: &mut Canvas<'_>, area: Rect, facts: &[Fact], most: u16) -> u16 {
    let long = |fact: &Fact| fact.iter().map(|(t, _)| text::width(t)).sum::<usize>();
    let room = usize::from(area.width);
    let mut lines: Vec<(usize, Fact)> = Vec::new();
    for fact in facts {
        let long = long(fact);
        let has_room = lines.len() < usize::from(most.min(area.height));
        match lines.last_mut() {
            Some((used, line)) if *used + BETWEEN.chars().count() + long <= room => {
                line.push(word(BETWEEN, Role::Dim));
                line.extend(fact.iter().cloned());
                *used += BETWEEN.chars().count() + long;
            }
            _ if has_room => lines.push((long, fact.clone())),
            _ => {}
        }
    }
    for (i, (_, line)) in lines.iter().enumerate() {
        canvas.words(row(area, i as u16), line);
    }
    lines.len() as u16
}

/// A gauge for the list of runs, or the word for what was wished.
pub(super) fn state(job: &Job) -> (String, Role) {
    if job.state().is_empty() {
        (plot::gauge(job.fraction, 14), Role::Accent)
    } else {
        (format!("{} {}", job.state(), numbers::percent(job.fraction, 0)), Role::Warn)
    }
}

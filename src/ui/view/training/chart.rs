//! The curves of the chosen run, with those of the marked runs laid over them.

use ratatui::layout::Rect;

use super::progress::{flow, unit};
use crate::data::Task;
use crate::ui::action::Action;
use crate::ui::app::{App, Quantity, Row, Side, Spot};
use crate::ui::keymap::key_of;
use crate::ui::plot::{Dash, LinePlot, Series, letter};
use crate::ui::theme::Glyphs;
use crate::ui::view::{Canvas, Role, below, word};
use crate::ui::widgets::numbers;

/// The looks of marked runs, by their place: a role, and a sign along the curve and in the list.
const LOOKS: [(Role, char); 8] = [
    (Role::SeriesC, '■'),
    (Role::SeriesD, '▲'),
    (Role::SeriesB, '○'),
    (Role::SeriesA, '▼'),
    (Role::SeriesC, '□'),
    (Role::SeriesD, '►'),
    (Role::SeriesB, '×'),
    (Role::SeriesA, '◄'),
];

/// How a marked run looks.
pub(super) fn look(place: usize) -> (Role, char) {
    LOOKS[place % LOOKS.len()]
}

/// A curve with everything that tells it from the others.
struct Line<'a> {
    name: String,
    role: Role,
    dash: Dash,
    sign: char,
    points: &'a [Spot],
}

pub(super) fn draw(app: &App, canvas: &mut Canvas<'_>, area: Rect, row: &Row) {
    let chart = &app.training.chart;
    let lines = lines(app, row);
    if !lines.iter().any(|line| is_drawable(line.points)) {
        canvas.paragraph(area, &no_curve(app, row), Role::Dim);
        return;
    }
    let own = app.curves(row);
    let main = own.map_or(&[][..], |curves| curves.main(chart.quantity));
    let step = app.asked(row).map_or("step", |(model, _)| unit(model));
    let used = legend(app, canvas, area, row, &lines, step);
    let best = own.and_then(crate::ui::app::Curves::best).filter(|_| own.is_some());
    let star = best.and_then(|(step, _)| {
        let judged = own?.judged(chart.quantity);
        judged.iter().find(|(x, _)| *x >= step).copied()
    });
    LinePlot {
        series: lines
            .iter()
            .map(|line| Series {
                name: &line.name,
                role: line.role,
                points: line.points,
                dash: line.dash,
            })
            .collect(),
        signs: lines.iter().map(|line| line.sign).collect(),
        stars: star.into_iter().collect(),
        x_label: step,
        x_range: chart.range.or_else(|| reach(row, main, &lines)),
        log_y: chart.log,
        smooth: chart.smooth(),
        cursor: chart.cursor,
        ..LinePlot::default()
    }
    .render(below(area, used), canvas.buf, canvas.theme);
}

/// How far the chart goes by itself; the points decide where it is `None`.
///
/// While a run trains there is room to the right, so that the axis changes now and then and not
/// with every frame. The curve of a finished run does not shrink to nothing beside a much longer
/// one.
fn reach(row: &Row, main: &[Spot], lines: &[Line<'_>]) -> Option<(f64, f64)> {
    const LONGER: f64 = 3.0;
    let (first, last) = (main.first()?.0, main.last()?.0);
    let longest = lines.iter().filter_map(|line| line.points.last()).map(|point| point.0);
    let longest = longest.fold(last, f64::max);
    let most = first + LONGER * (last - first);
    match row {
        _ if first >= last => None,
        Row::Running(_) => Some((first, roomy(longest))),
        _ => (most < longest).then_some((first, most)),
    }
}

/// The next round number, at most half as large again.
fn roomy(last: f64) -> f64 {
    const STEPS: [f64; 9] = [1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.0, 10.0];
    let decade = 10f64.powf(last.max(1.0).log10().floor());
    STEPS.iter().map(|step| step * decade).find(|round| last <= *round).unwrap_or(last)
}

/// The marked runs below, the chosen one on top.
fn lines<'a>(app: &'a App, row: &Row) -> Vec<Line<'a>> {
    let quantity = app.training.chart.quantity;
    let mut lines = Vec::new();
    for id in app.training.marked.iter() {
        let chosen = matches!(row, Row::Done(own) if own == id);
        let (Some(place), Some(curves)) = (app.training.marked.place(id), app.curves_of(id)) else {
            continue;
        };
        let (role, sign) = look(place);
        if !chosen {
            let points = curves.judged(quantity);
            lines.push(Line { name: id.to_string(), role, dash: Dash::Solid, sign, points });
        }
    }
    if let Some(curves) = app.curves(row) {
        let sides = [
            (Side::Valid, "valid", Role::Valid, Dash::Dotted),
            (Side::Train, "train", Role::Train, Dash::Solid),
        ];
        for (side, name, role, dash) in sides {
            let points = curves.track(quantity, side);
            lines.push(Line { name: name.to_owned(), role, dash, sign: ' ', points });
        }
    }
    lines.retain(|line| is_drawable(line.points));
    lines
}

/// What is drawn, which stretch of it, and what each curve says at the cursor or at its end.
fn legend(
    app: &App,
    canvas: &mut Canvas<'_>,
    area: Rect,
    row: &Row,
    lines: &[Line<'_>],
    step: &str,
) -> u16 {
    let chart = &app.training.chart;
    let task = app.asked(row).and_then(|(_, task)| task);
    let mut head = vec![word(label(chart.quantity, task), Role::Strong)];
    if chart.log {
        head.push(word(" log", Role::Dim));
    }
    if let Some(past) = chart.smooth() {
        head.push(word(format!(" smoothed {past}"), Role::Dim));
    }
    if let Some((low, high)) = chart.range {
        let (low, high) = (numbers::significant(low, 4), numbers::significant(high, 4));
        head.push(word(format!(" {low}…{high}"), Role::Accent));
    }
    let mut facts = vec![head];
    if let Some(cursor) = chart.cursor {
        let place = numbers::count(cursor.max(0.0).round() as usize);
        facts.push(vec![word(format!("◆ at {step} {place}"), Role::Accent)]);
    }
    // The chosen run comes first here, though it is drawn last.
    for line in lines.iter().rev() {
        let sample = match line.dash {
            _ if canvas.theme.glyphs == Glyphs::Ascii && line.sign == ' ' => {
                format!("{0}{0} ", letter(line.role))
            }
            Dash::Dotted => "╌╌ ".to_owned(),
            _ if line.sign != ' ' => format!("─{} ", line.sign),
            _ => "── ".to_owned(),
        };
        let value = match chart.cursor {
            Some(cursor) => value_at(line.points, cursor),
            None => line.points.last().map(|(_, y)| *y),
        };
        let value = value.filter(|v| v.is_finite());
        let value = value.map_or(numbers::NONE.to_owned(), |v| numbers::significant(v, 4));
        facts.push(vec![
            word(sample, line.role),
            word(line.name.clone(), Role::Text),
            word(format!(" {value}"), Role::Strong),
        ]);
    }
    flow(canvas, area, &facts, if area.height >= 9 { 2 } else { 1 })
}

/// The value of the point nearest to the cursor.
fn value_at(points: &[Spot], cursor: f64) -> Option<f64> {
    let after = points.partition_point(|point| point.0 < cursor);
    let near = [after.checked_sub(1), Some(after)].into_iter().flatten();
    let near = near.filter_map(|at| points.get(at));
    near.min_by(|a, b| (a.0 - cursor).abs().total_cmp(&(b.0 - cursor).abs())).map(|(_, y)| *y)
}

fn label(quantity: Quantity, task: Option<Task>) -> &'static str {
    match (quantity, task) {
        (Quantity::Loss, _) => "loss",
        (Quantity::Metric, Some(Task::Regression)) => "R²",
        (Quantity::Metric, Some(_)) => "accuracy",
        (Quantity::Metric, None) => "metric",
        (Quantity::LearningRate, _) => "learning rate",
        (Quantity::GradNorm, _) => "gradient norm",
    }
}

/// Two points make a curve.
fn is_drawable(points: &[Spot]) -> bool {
    points.iter().filter(|(_, y)| y.is_finite()).take(2).count() == 2
}

fn no_curve(app: &App, row: &Row) -> String {
    let text = match row {
        Row::Queued(_) => "",
        Row::Running(_) => "The curve begins with the second step.",
        Row::Done(id) if app.workspace.run(id).is_none() => {
            "Enter reads this run back from the workspace."
        }
        Row::Done(_) if app.training.chart.quantity != Quantity::Loss => {
            let key = key_of(Action::NextMetric).map_or(String::new(), |key| key.to_string());
            return format!("This was not measured of this run. {key} turns to what was.");
        }
        Row::Done(_) => {
            "Solved in closed form: there is no curve. Set solver to gd or sgd to watch the loss fall."
        }
    };
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_running_curve_has_room_and_a_finished_one_is_not_dwarfed() {
        for (last, round) in [(1.0, 1.0), (3.2, 4.0), (11.0, 15.0), (999.0, 1000.0), (0.0, 1.0)] {
            assert_eq!(roomy(last), round, "{last}");
        }
        let own = [(0.0, 1.0), (10.0, 0.5)];
        let long = [(0.0, 1.0), (500.0, 0.5)];
        let line = |points| Line {
            name: String::new(),
            role: Role::Train,
            dash: Dash::Solid,
            sign: ' ',
            points,
        };
        let lines = [line(&own[..]), line(&long[..])];
        let done = Row::Done(crate::train::RunId::default());
        assert_eq!(reach(&done, &own, &lines), Some((0.0, 30.0)));
        assert_eq!(reach(&done, &own, &lines[..1]), None);
        assert_eq!(reach(&Row::Running(0), &own, &lines[..1]), Some((0.0, 10.0)));
        assert_eq!(reach(&Row::Running(0), &own[..1], &lines), None);
    }
}

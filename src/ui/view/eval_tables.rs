//! Tables and plots behind the tabs of the Evaluation pane.

use ratatui::layout::Rect;

use super::{Canvas, Role, ViewState, note_page, row, word};
use crate::data::Task;
use crate::train::{Coefficient, Run};
use crate::ui::app::App;
use crate::ui::plot::{self, Dash, Histogram, LinePlot, Reference, Series};
use crate::ui::widgets::{Cell, Column, DataTable, numbers};
use crate::workspace::Assessment;

/// Ten groups of rows by falling score.
pub(super) fn deciles(
    app: &App,
    state: &mut ViewState,
    assessment: &Assessment,
    canvas: &mut Canvas<'_>,
    area: Rect,
    focused: bool,
) {
    note_page(state, focused, area.height);
    state.deciles.selected = app.eval.row;
    let heads = [
        Column::right("decile"),
        Column::right("score").priority(1),
        Column::right("rows"),
        Column::right("positive"),
        Column::right("rate"),
        Column::left("").priority(2),
        Column::right("found"),
        Column::right("lift").priority(1),
        Column::right("KS").priority(3),
    ];
    let most = assessment.deciles.iter().map(|d| d.bad_rate).fold(1e-9, f64::max);
    let cells = |i: usize| {
        let d = assessment.deciles.get(i)?;
        Some(vec![
            Cell::new(d.rank.to_string(), Role::Dim),
            Cell::new(
                format!("{}–{}", numbers::fixed(d.score_low, 2), numbers::fixed(d.score_high, 2)),
                Role::Dim,
            ),
            Cell::new(numbers::count(d.n.round() as usize), Role::Text),
            Cell::new(numbers::count(d.bads.round() as usize), Role::Text),
            Cell::new(numbers::percent(d.bad_rate, 1), Role::Strong),
            Cell::new(plot::bar(d.bad_rate / most, 10), Role::Accent),
            Cell::new(
                d.captured.map_or(numbers::NONE.into(), |c| numbers::percent(c, 0)),
                Role::Text,
            ),
            Cell::new(numbers::optional(d.lift, 2), Role::Text),
            Cell::new(numbers::optional(d.ks, 2), Role::Dim),
        ])
    };
    DataTable {
        columns: &heads,
        rows: Some(assessment.deciles.len()),
        row: &cells,
        focused,
        cell_cursor: false,
        frozen: 0,
        footer: false,
        empty: "too few rows",
    }
    .render(area, canvas.buf, canvas.theme, &mut state.deciles);
}

/// Residuals against fitted values.
pub(super) fn residuals(assessment: &Assessment, canvas: &mut Canvas<'_>, area: Rect) {
    LinePlot {
        series: vec![Series {
            name: "residual",
            role: Role::Valid,
            points: &assessment.residuals,
            dash: Dash::Points,
        }],
        x_label: "fitted",
        y_label: "residual = actual − fitted",
        references: vec![Reference::Across(0.0)],
        legend: true,
        ..LinePlot::default()
    }
    .render(area, canvas.buf, canvas.theme);
}

/// How the errors are spread.
pub(super) fn errors(assessment: &Assessment, canvas: &mut Canvas<'_>, area: Rect) {
    let (Some(histogram), Some(summary)) = (&assessment.histogram, &assessment.errors) else {
        canvas.paragraph(area, "too few rows", Role::Dim);
        return;
    };
    let end = histogram.low + histogram.width * histogram.counts.len() as f64;
    let place = Rect { height: area.height.saturating_sub(2), ..area };
    Histogram {
        counts: &histogram.counts,
        range: Some((histogram.low, end)),
        label: "residual",
        role: Role::Valid,
        selected: None,
    }
    .render(place, canvas.buf, canvas.theme);
    let n4 = |v: f64| numbers::significant(v, 4);
    let said = format!(
        "mean {} · 5 % {} · 25 % {} · median {} · 75 % {} · 95 % {}",
        n4(summary.mean),
        n4(summary.q05),
        n4(summary.q25),
        n4(summary.median),
        n4(summary.q75),
        n4(summary.q95)
    );
    canvas.words(row(area, area.height.saturating_sub(1)), &[word(said, Role::Dim)]);
}

/// The table of coefficients, with what is known of their spread.
pub(super) fn coefficients(
    app: &App,
    state: &mut ViewState,
    run: &Run,
    canvas: &mut Canvas<'_>,
    area: Rect,
    focused: bool,
) {
    let foot = u16::from(run.no_inference.is_some() && area.height > 4);
    let list = Rect { height: area.height - foot, ..area };
    note_page(state, focused, list.height);
    state.coefficients.selected = app.eval.row;
    let logit = run.task == Task::Binary && run.model.kind == "logistic";
    let exact = run.coefficients.iter().any(|c| c.std_error.is_some());
    let mut heads = vec![Column::left("column").widths(12, 40), Column::right("coefficient")];
    let by_class = run.task == Task::Multiclass;
    if by_class {
        heads.insert(0, Column::left("class"));
    }
    if exact {
        heads.extend([
            Column::right("std. error").priority(1),
            Column::right(if logit { "z" } else { "t" }).priority(3),
            Column::right("p"),
            Column::right("95 %").priority(2),
        ]);
    }
    if logit {
        heads.push(Column::right("odds ratio").priority(1));
    }
    let all: Vec<&Coefficient> = run.intercept.iter().chain(&run.coefficients).collect();
    let n4 = |v: Option<f64>| v.map_or(numbers::NONE.into(), |v| numbers::significant(v, 4));
    let cells = |i: usize| {
        let c = all.get(i)?;
        let strong = c.p.is_some_and(|p| p < 0.05);
        let name = match &c.note {
            Some(note) => format!("{} ({note})", c.feature),
            None => c.feature.clone(),
        };
        let mut cells = vec![
            Cell::new(name, if c.note.is_some() { Role::Warn } else { Role::Text }),
            Cell::new(numbers::significant(c.value, 5), Role::Strong),
        ];
        if by_class {
            cells.insert(0, Cell::new(c.class.clone().unwrap_or_default(), Role::Dim));
        }
        if exact {
            cells.extend([
                Cell::new(n4(c.std_error), Role::Dim),
                Cell::new(
                    c.statistic.map_or(numbers::NONE.into(), |z| numbers::fixed(z, 2)),
                    Role::Dim,
                ),
                Cell::new(
                    c.p.map_or(numbers::NONE.into(), numbers::p_value),
                    if strong { Role::Strong } else { Role::Dim },
                ),
                Cell::new(
                    c.low.zip(c.high).map_or(numbers::NONE.into(), |(l, h)| {
                        format!("{} to {}", numbers::significant(l, 3), numbers::significant(h, 3))
                    }),
                    Role::Dim,
                ),
            ]);
        }
        if logit {
            cells.push(Cell::new(
                c.odds_ratio.map_or(numbers::NONE.into(), |o| numbers::significant(o, 4)),
                Role::Text,
            ));
        }
        Some(cells)
    };
    DataTable {
        columns: &heads,
        rows: Some(all.len()),
        row: &cells,
        focused,
        cell_cursor: false,
        frozen: 0,
        footer: true,
        empty: "this kind has no coefficients",
    }
    .render(list, canvas.buf, canvas.theme, &mut state.coefficients);
    if let (1, Some(why)) = (foot, &run.no_inference) {
        canvas.words(
            row(area, area.height - 1),
            &[word("no standard errors: ", Role::Warn), word(why.clone(), Role::Dim)],
        );
    }
}

//! The Data pane.

use ratatui::layout::Rect;

use super::{Canvas, Role as Look, ViewState, below, note_page, row, rows, word};
use crate::data::{Column as DataColumn, ColumnProfile, Personal, Role, Severity};
use crate::ui::app::{App, DataTab};
use crate::ui::plot::{self, HeatMatrix};
use crate::ui::widgets::{Cell, Column, DataTable, Pane, line, numbers, text};

pub(super) fn draw(
    app: &App,
    state: &mut ViewState,
    canvas: &mut Canvas<'_>,
    area: Rect,
    focused: bool,
) {
    let titles: Vec<String> = DataTab::ALL.iter().map(|t| tab_title(app, *t)).collect();
    let tabs: Vec<&str> = titles.iter().map(String::as_str).collect();
    let tab = DataTab::ALL.iter().position(|t| *t == app.data.tab).unwrap_or(0);
    let pane = Pane { number: Some(1), title: "Data", tabs: &tabs, tab, right: "", focused };
    let inner = pane.render(area, canvas.buf, canvas.theme);
    if app.workspace.now.table.is_none() {
        canvas.paragraph(inner, "No table is open. O opens one.", Look::Dim);
        return;
    }
    match app.data.tab {
        DataTab::Columns => columns(app, state, canvas, inner, focused),
        DataTab::Table => table(app, state, canvas, inner, focused),
        DataTab::Findings => findings(app, state, canvas, inner, focused),
        DataTab::Sql => sql(app, state, canvas, inner, focused),
        DataTab::Correlations => correlations(app, state, canvas, inner),
    }
}

fn tab_title(app: &App, tab: DataTab) -> String {
    let n = app.workspace.survey.as_ref().map_or(0, |s| s.findings().len());
    if tab == DataTab::Findings && n > 0 { format!("findings {n}") } else { tab.title().to_owned() }
}

/// Where the information value stands among the columns of the list.
const IV: usize = 6;

fn columns(app: &App, state: &mut ViewState, canvas: &mut Canvas<'_>, area: Rect, focused: bool) {
    let Some(table) = &app.workspace.now.table else { return };
    let survey = app.workspace.survey.as_deref();
    let detail = if area.height >= 14 {
        4
    } else if area.height >= 9 {
        3
    } else {
        0
    };
    let list = Rect { height: area.height - detail, ..area };
    note_page(state, focused, list.height);
    state.columns.selected = app.data.column;
    let relation = match survey.and_then(|s| s.resolved.as_ref().ok()).and_then(|e| e.question.task)
    {
        Some(crate::data::Task::Regression | crate::data::Task::Multiclass) => "corr",
        _ => "AUC",
    };
    let longest = table.columns.iter().map(|c| text::width(&c.name)).max().unwrap_or(0) as u16;
    // In a narrow pane the names give way before the shapes do, and the rest is left out.
    let roomy = area.width >= 84;
    let mut heads = vec![
        Column::left("column").widths(longest.clamp(10, if roomy { 24 } else { 14 }), 30),
        Column::left("kind").priority(2),
        Column::left("role").widths(11, 11),
        Column::right("miss").priority(1),
        Column::left("shape").priority(3).drawn(),
        Column::right(relation).priority(1),
        Column::right("IV").priority(4),
        Column::right("distinct").priority(5),
        Column::right("mean").priority(6),
        Column::right("median").priority(7),
        Column::left("range, or most frequent").priority(8).widths(12, 40),
    ];
    // The information value is of two classes.
    let has_iv = relation == "AUC";
    if !has_iv {
        heads.remove(IV);
    }
    heads.truncate(if roomy { heads.len() } else { IV });
    let cells = |i: usize| {
        let column = table.columns.get(i)?;
        let profile = survey.and_then(|s| s.profiles.get(&column.name));
        let mut cells = column_cells(app, column, profile);
        if !has_iv {
            cells.remove(IV);
        }
        cells.truncate(heads.len());
        Some(cells)
    };
    DataTable {
        columns: &heads,
        rows: Some(table.n_columns()),
        row: &cells,
        focused,
        cell_cursor: false,
        frozen: 1,
        footer: true,
        empty: "no columns",
    }
    .render(list, canvas.buf, canvas.theme, &mut state.columns);
    if detail > 0 {
        about(app, canvas, Rect { y: list.bottom(), height: detail, ..area });
    }
}

fn column_cells(app: &App, column: &DataColumn, profile: Option<&ColumnProfile>) -> Vec<Cell> {
    let target = app.workspace.question().question.target.as_deref();
    let use_protected = app.workspace.question().question.use_protected;
    let is_target = target == Some(column.name.as_str());
    let (role, look) = if is_target {
        ("target ●".to_owned(), Look::Accent)
    } else if column.personal.is_some() {
        ("personal ✗".to_owned(), Look::Bad)
    } else if column.protected.is_some() && column.role == Role::Feature {
        if column.is_feature(use_protected) {
            ("feature ◆".to_owned(), Look::Warn)
        } else {
            ("protected ◆".to_owned(), Look::Warn)
        }
    } else {
        let look = if column.role == Role::Feature { Look::Text } else { Look::Dim };
        (column.role.word().to_owned(), look)
    };
    let kind = if column.kind_guessed { Look::Dim } else { Look::Text };
    let missing = profile.map_or(String::new(), |p| numbers::count(p.missing));
    let some_missing = profile.is_some_and(|p| p.missing > 0);
    let shape = profile.map_or(String::new(), |p| {
        let counts: Vec<f64> = p.histogram.iter().map(|c| f64::from(*c)).collect();
        if column.personal.is_some() { String::new() } else { plot::sparkline(&counts, 8) }
    });
    let relation = profile.and_then(|p| p.relation.as_ref());
    let strength = relation.and_then(|r| r.auc.or(r.correlation));
    let strong = strength.is_some_and(|s| s >= 0.65 || s <= -0.5);
    let strength = if is_target { None } else { strength };
    vec![
        Cell::new(column.name.clone(), if is_target { Look::Strong } else { Look::Text }),
        Cell::new(column.kind.word(), kind),
        Cell::new(role, look),
        Cell::new(missing, if some_missing { Look::Warn } else { Look::Dim }),
        Cell::new(shape, Look::Accent),
        Cell::new(numbers::optional(strength, 2), if strong { Look::Strong } else { Look::Dim }),
        Cell::new(numbers::optional(relation.and_then(|r| r.iv), 2), Look::Dim),
        Cell::new(profile.map_or(String::new(), |p| numbers::count(p.distinct)), Look::Dim),
        Cell::new(number(profile.and_then(mean)), Look::Dim),
        Cell::new(number(profile.and_then(|p| p.quantiles).map(|q| q[3])), Look::Dim),
        Cell::new(profile.map_or(String::new(), range), Look::Dim),
    ]
}

fn number(value: Option<f64>) -> String {
    value.map_or(String::new(), |v| numbers::significant(v, 4))
}

/// The mean; nought where it is only the rounding of a sum.
fn mean(profile: &ColumnProfile) -> Option<f64> {
    let noise = profile.sd.map_or(0.0, |sd| 1e-12 * sd);
    profile.mean.map(|mean| if mean.abs() < noise { 0.0 } else { mean })
}

/// `4 to 72` of numbers, else the most frequent levels.
fn range(profile: &ColumnProfile) -> String {
    if profile.mean.is_some() {
        return format!("{} to {}", number(profile.min), number(profile.max));
    }
    let top: Vec<&str> = profile.top.iter().take(3).map(|(v, _)| v.as_str()).collect();
    top.join(", ")
}

/// What is known of the chosen column, in a few lines.
fn about(app: &App, canvas: &mut Canvas<'_>, area: Rect) {
    let Some(table) = &app.workspace.now.table else { return };
    let Some(column) = table.columns.get(app.data.column) else { return };
    line::rule("", row(area, 0), canvas.buf, canvas.theme);
    let survey = app.workspace.survey.as_deref();
    let Some(profile) = survey.and_then(|s| s.profiles.get(&column.name)) else {
        canvas.words(row(area, 1), &[word("looking at the values …", Look::Dim)]);
        return;
    };
    let n = profile.sampled.unwrap_or(table.n_rows()).max(1) as f64;
    let first = if column.personal.is_some() {
        format!(
            "{} found: masked, and kept out of models, logs and exports",
            column.personal.map_or("", Personal::word)
        )
    } else if let (Some(mean), Some(sd)) = (mean(profile), profile.sd) {
        let median = profile.quantiles.as_ref().map_or(f64::NAN, |q| q[3]);
        let n4 = |v: f64| numbers::significant(v, 4);
        format!(
            "mean {} ± {} · median {} · {} to {} · {} distinct",
            n4(mean),
            n4(sd),
            n4(median),
            profile.min.map_or(String::new(), n4),
            profile.max.map_or(String::new(), n4),
            numbers::count(profile.distinct)
        )
    } else {
        let top = profile
            .top
            .iter()
            .take(4)
            .map(|(v, k)| format!("{v} {}", numbers::percent(*k as f64 / n, 0)));
        format!(
            "{} levels · {}",
            numbers::count(profile.distinct),
            top.collect::<Vec<_>>().join(" · ")
        )
    };
    canvas.words(row(area, 1), &[word(first, Look::Text)]);
    let mut second = Vec::new();
    if let Some(relation) = &profile.relation {
        let rates: Vec<f64> = relation.bad_rates.iter().filter_map(|b| b.rate).collect();
        if let (Some(low), Some(high)) =
            (rates.iter().copied().reduce(f64::min), rates.iter().copied().reduce(f64::max))
        {
            let what = app.workspace.question().question.positive.clone();
            let said = match what {
                Some(what) if relation.bad_rates.iter().any(|b| b.bads.is_some()) => {
                    format!(
                        "share of {what} {} to {}",
                        numbers::percent(low, 0),
                        numbers::percent(high, 0)
                    )
                }
                _ => format!(
                    "mean of the target {} to {}",
                    numbers::significant(low, 3),
                    numbers::significant(high, 3)
                ),
            };
            second.push(word(said, Look::Dim));
            if area.width >= 90 {
                second.push(word(format!("  {}", plot::sparkline(&rates, 12)), Look::Accent));
            }
        }
        if let Some(iv) = relation.iv.filter(|_| area.width >= 90) {
            second.push(word(format!("  information value {}", numbers::fixed(iv, 3)), Look::Dim));
        }
    }
    if let Some(protected) = column.protected {
        second.push(word(format!("  ◆ {protected}: a feature only on your word"), Look::Warn));
    }
    if let Some(reading) = &column.reading {
        second.push(word(format!("  read as {reading}"), Look::Dim));
    }
    canvas.words(row(area, 2), &second);
    if area.height > 3 {
        let n = survey.map_or(0, |s| s.findings().len());
        let mut third = Vec::new();
        if n > 0 {
            let plural = if n == 1 { "" } else { "s" };
            third.push(word(format!("⚠ {n} finding{plural}"), Look::Warn));
            third.push(word(" on this table: ] turns the tabs", Look::Dim));
        }
        if let Some(note) = survey.and_then(|s| s.notes.first()) {
            third.push(word(
                if third.is_empty() { note.clone() } else { format!(" · {note}") },
                Look::Dim,
            ));
        }
        canvas.words(row(area, 3), &third);
    }
}

fn table(app: &App, state: &mut ViewState, canvas: &mut Canvas<'_>, area: Rect, focused: bool) {
    let Some(table) = &app.workspace.now.table else { return };
    let view = &app.workspace.now.view;
    let visible = app.data.visible(&app.workspace);
    let n = app.data.n_rows(&app.workspace);
    let note = usize::from(view.filter.is_some() || view.sort.is_some() || !view.hidden.is_empty());
    let list = Rect { height: area.height - note as u16, ..area };
    note_page(state, focused, list.height);
    let shown = &mut state.table;
    shown.selected = app.data.row;
    shown.column = app.data.col + 1;
    let heads = rows::heads(table, &visible, view.sort.as_ref());
    let cells = |i: usize| {
        (i < n).then(|| {
            let position = app.data.position(&app.workspace, i);
            rows::cells(
                table,
                position,
                table.row_number(position),
                &visible,
                app.data.search.as_deref(),
            )
        })
    };
    DataTable {
        columns: &heads,
        rows: Some(n),
        row: &cells,
        focused,
        cell_cursor: true,
        frozen: 1 + view.frozen,
        footer: true,
        empty: "no row fits the filter: a shows all",
    }
    .render(list, canvas.buf, canvas.theme, shown);
    if note > 0 {
        let mut words = Vec::new();
        if let Some(filter) = &view.filter {
            words.push(word(
                format!("{} of {} rows ", numbers::count(n), numbers::count(table.n_rows())),
                Look::Strong,
            ));
            words.push(word(format!("where {filter}"), Look::Accent));
        }
        if let Some(sort) = &view.sort {
            let arrow = if sort.descending { "↓" } else { "↑" };
            words.push(word(format!("  sorted by {} {arrow}", sort.column), Look::Dim));
        }
        if !view.hidden.is_empty() {
            words.push(word(format!("  {} hidden", view.hidden.len()), Look::Dim));
        }
        words.push(word("  training uses every row", Look::Dim));
        canvas.words(row(area, list.height), &words);
    }
}

fn findings(app: &App, state: &mut ViewState, canvas: &mut Canvas<'_>, area: Rect, focused: bool) {
    let Some(survey) = app.workspace.survey.as_deref() else {
        canvas.paragraph(area, "looking at the table …", Look::Dim);
        return;
    };
    if survey.findings.is_none() {
        canvas.paragraph(area, "looking for what is wrong …", Look::Dim);
        return;
    }
    if survey.findings().is_empty() {
        canvas.paragraph(
            area,
            "✓ Nothing stands out: no missing values, constants, duplicates, leaks or outliers.",
            Look::Good,
        );
        return;
    }
    let detail = if area.height >= 9 { 4 } else { 2 };
    let list = Rect { height: area.height.saturating_sub(detail), ..area };
    note_page(state, focused, list.height);
    state.findings.selected = app.data.finding;
    let heads = [
        Column::left(""),
        Column::left("finding").widths(20, 0),
        Column::left("remedy").priority(1).widths(8, 26),
    ];
    let cells = |i: usize| {
        let finding = survey.findings().get(i)?;
        let (mark, look) = match finding.severity {
            Severity::Info => ("·", Look::Dim),
            Severity::Warn => ("⚠", Look::Warn),
            Severity::Bad => ("✗", Look::Bad),
        };
        let remedy = finding.remedy.as_ref().map_or(String::new(), |r| r.label.clone());
        Some(vec![
            Cell::new(mark, look),
            Cell::new(finding.text.clone(), Look::Text),
            Cell::new(remedy, Look::Accent),
        ])
    };
    DataTable {
        columns: &heads,
        rows: Some(survey.findings().len()),
        row: &cells,
        focused,
        cell_cursor: false,
        frozen: 0,
        footer: true,
        empty: "",
    }
    .render(list, canvas.buf, canvas.theme, &mut state.findings);
    let Some(finding) = survey.findings().get(app.data.finding) else { return };
    let foot = below(area, list.height);
    line::rule(
        finding.column.as_deref().unwrap_or("the table"),
        row(foot, 0),
        canvas.buf,
        canvas.theme,
    );
    let used = canvas.paragraph(
        Rect { height: foot.height.saturating_sub(2), ..below(foot, 1) },
        &finding.text,
        Look::Text,
    );
    if let Some(remedy) = &finding.remedy {
        canvas.words(
            row(foot, 1 + used),
            &[
                word("Enter", Look::Key),
                word(format!(" {}", remedy.label), Look::Accent),
                word("   u takes it back", Look::Dim),
            ],
        );
    }
}

fn sql(app: &App, state: &mut ViewState, canvas: &mut Canvas<'_>, area: Rect, focused: bool) {
    let query = if app.data.query.is_empty() {
        "SELECT … FROM data: press Enter and write a query".to_owned()
    } else {
        app.data.query.clone()
    };
    canvas.words(
        row(area, 0),
        &[
            word("sql ", Look::Key),
            word(query, if app.data.query.is_empty() { Look::Dim } else { Look::Strong }),
        ],
    );
    let list = below(area, 1);
    let Some(answer) = &app.data.answer else {
        let hint = "The table is called data. The answer stands here; R makes it the table that is trained on, u takes that back.";
        canvas.paragraph(below(list, 1), hint, Look::Dim);
        return;
    };
    note_page(state, focused, list.height);
    let names: Vec<String> = answer.columns.iter().map(|c| c.name.clone()).collect();
    state.answer.selected = app.data.answer_at.0;
    state.answer.column = app.data.answer_at.1;
    let heads = rows::heads(answer, &names, None);
    let cells = |i: usize| {
        (i < answer.n_rows()).then(|| rows::cells(answer, i, None, &names, None)[1..].to_vec())
    };
    DataTable {
        columns: &heads[1..],
        rows: Some(answer.n_rows()),
        row: &cells,
        focused,
        cell_cursor: true,
        frozen: 0,
        footer: true,
        empty: "no rows",
    }
    .render(list, canvas.buf, canvas.theme, &mut state.answer);
}

fn correlations(app: &App, state: &mut ViewState, canvas: &mut Canvas<'_>, area: Rect) {
    let Some(matrix) = &app.data.correlations else {
        canvas.paragraph(area, "computing …", Look::Dim);
        return;
    };
    let n = matrix.names.len();
    if n < 2 {
        canvas.paragraph(
            area,
            "Fewer than two columns of numbers: nothing to correlate.",
            Look::Dim,
        );
        return;
    }
    let values: Vec<Vec<Option<f64>>> = matrix.values.chunks(n).map(<[_]>::to_vec).collect();
    let mut heat = HeatMatrix {
        names: &matrix.names,
        values: &values,
        selected: Some(app.data.pair),
        offset: state.pair,
    };
    let place = Rect { height: area.height.saturating_sub(1), ..area };
    let (down, across) = heat.capacity(place);
    let keep = |offset: usize, at: usize, room: usize| {
        offset.min(at).max((at + 1).saturating_sub(room.max(1)))
    };
    state.pair =
        (keep(state.pair.0, app.data.pair.0, down), keep(state.pair.1, app.data.pair.1, across));
    heat.offset = state.pair;
    heat.render(place, canvas.buf, canvas.theme);
    let (a, b) = app.data.pair;
    let value = values.get(a).and_then(|r| r.get(b)).copied().flatten();
    let said = format!(
        "{} and {}",
        text::cut(&matrix.names[a.min(n - 1)], 24),
        text::cut(&matrix.names[b.min(n - 1)], 24)
    );
    canvas.words(
        row(area, place.height),
        &[
            word(said, Look::Text),
            word(format!("  {}", numbers::optional(value, 3)), Look::Strong),
            word("  Pearson, rows where both are there", Look::Dim),
        ],
    );
}

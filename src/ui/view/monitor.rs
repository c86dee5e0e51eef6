//! The Monitor screen: versions with their lights, columns by drift, performance, alerts.

use ratatui::layout::Rect;

use super::{Canvas, List, Role, ViewState, below, row, word};
use crate::monitor::{METHODS, Scale};
use crate::registry::store::{Alert, AlertState};
use crate::ui::action::{Action, Scope};
use crate::ui::app::monitor::{DriftOrder, LIMITS, Watched};
use crate::ui::app::serve::{ranked, time};
use crate::ui::app::{App, MonitorView};
use crate::ui::keymap::key_in;
use crate::ui::plot::sparkline;
use crate::ui::widgets::{Cell, Column, Pane, numbers, text};
use crate::workspace::{Fared, Seen, Window, retraining_words};

pub(super) fn draw(app: &App, state: &mut ViewState, canvas: &mut Canvas<'_>, area: Rect) {
    let focused = app.overlays.is_empty();
    let titles = MonitorView::ALL.map(MonitorView::title);
    let firing = app.monitor.alerts.iter().filter(|a| a.state == AlertState::Firing).count();
    let right = match firing {
        0 => String::new(),
        1 => "▲ 1 alert".to_owned(),
        n => format!("▲ {n} alerts"),
    };
    let tab = app.monitor.view as usize;
    let pane =
        Pane { title: "Monitor", tabs: &titles, tab, right: &right, focused, ..Pane::default() };
    let inner = pane.render(area, canvas.buf, canvas.theme);
    let Some(watched) = &app.monitor.watched else {
        canvas.paragraph(inner, "reading what the monitor has found …", Role::Dim);
        return;
    };
    match app.monitor.view {
        MonitorView::Versions => versions(watched, app, state, canvas, inner, focused),
        MonitorView::Alerts => alerts(app, state, canvas, inner, focused),
        MonitorView::Columns | MonitorView::Performance => {
            let Some(chosen) = app.monitor.chosen() else {
                canvas.paragraph(inner, &nothing(), Role::Dim);
                return;
            };
            head(chosen, app, canvas, inner);
            let rest = below(inner, 2);
            if chosen.windows.is_empty() {
                let text = format!(
                    "No window was measured yet. A window is measured while the server runs and is \
                     asked; {} reads what is there since.",
                    key(Action::Refresh)
                );
                canvas.paragraph(rest, &text, Role::Dim);
            } else if app.monitor.view == MonitorView::Columns {
                columns(app, state, canvas, rest, focused);
            } else {
                performance(app, state, canvas, rest, focused);
            }
        }
    }
}

/// What to do when no version is watched.
fn nothing() -> String {
    format!(
        "Nothing is watched: no model is registered. {} opens the Serve screen, where a run is \
         registered under a name and a server is started.",
        key(Action::Serve)
    )
}

/// Which version, and which window of how many.
fn head(chosen: &Watched, app: &App, canvas: &mut Canvas<'_>, area: Rect) {
    let mut words = vec![word(format!("{} {}", chosen.name, chosen.version), Role::Title)];
    if !chosen.aliases.is_empty() {
        words.push(word(format!(" {}", ranked(&chosen.aliases).join(", ")), Role::Accent));
    }
    if let Some((window, at)) = app.monitor.window() {
        let (from, to) = (time(window.from_ms), time(window.to_ms));
        let same_day = from.get(..10) == to.get(..10);
        let to = if same_day { to.get(11..16) } else { to.get(..16) };
        let to = to.unwrap_or_default();
        words.extend([
            word(format!("   window {} of {} · ", at + 1, chosen.windows.len()), Role::Dim),
            word(format!("{} to {to}", from.get(..16).unwrap_or_default()), Role::Text),
            word(format!(" · {} rows", numbers::count(window.rows as usize)), Role::Text),
            word(
                format!("   {} {} other windows", key(Action::FarLeft), key(Action::FarRight)),
                Role::Dim,
            ),
        ]);
    }
    canvas.words(row(area, 0), &words);
}

/// The key of an action on this screen.
fn key(action: Action) -> String {
    key_in(&[Scope::Monitor], action)
}

/// A sign and a word for how a version is.
fn light(own: &Watched) -> Cell {
    match (own.alerts, own.windows.is_empty()) {
        ((0, 0), true) => Cell::new("○ not measured", Role::Dim),
        ((0, 0), false) => Cell::new("● steady", Role::Good),
        ((0, n), _) => Cell::new(format!("◐ {n} acknowledged"), Role::Warn),
        ((1, _), _) => Cell::new("▲ 1 alert", Role::Bad),
        ((n, _), _) => Cell::new(format!("▲ {n} alerts"), Role::Bad),
    }
}

fn versions(
    watched: &[Watched],
    app: &App,
    state: &mut ViewState,
    canvas: &mut Canvas<'_>,
    area: Rect,
    focused: bool,
) {
    let heads = [
        Column::left("model").widths(12, 30),
        Column::right("version"),
        Column::left("aliases").widths(8, 24),
        Column::left("state").widths(11, 18),
        Column::left("drifted most").widths(12, 28).priority(2),
        Column::right("PSI").priority(1),
        Column::right("chance").priority(1),
        Column::left("score PSI").widths(14, 16).priority(3).drawn(),
        Column::right("rows").priority(4),
        Column::left("measured (UTC)").widths(16, 16).priority(5),
    ];
    let cells = |i: usize| {
        let own = watched.get(i)?;
        let last = own.windows.last();
        let worst = last.and_then(|window| {
            window.columns.iter().max_by(|a, b| a.strength().total_cmp(&b.strength()))
        });
        let score: Vec<f64> = own
            .windows
            .iter()
            .map(|w| w.score.as_ref().and_then(|s| s.psi).unwrap_or(f64::NAN))
            .collect();
        let now = score.last().copied().filter(|v| v.is_finite());
        let number = |v: Option<f64>| v.map_or(String::new(), |v| numbers::fixed(v, 3));
        Some(vec![
            Cell::new(own.name.clone(), Role::Strong),
            Cell::new(own.version.to_string(), Role::Text),
            Cell::new(ranked(&own.aliases).join(", "), Role::Accent),
            light(own),
            Cell::new(worst.map_or(String::new(), |seen| seen.name.clone()), Role::Text),
            Cell::new(
                number(worst.and_then(|seen| seen.psi)),
                worst.map_or(Role::Dim, strength_role),
            ),
            Cell::new(number(worst.and_then(|seen| seen.null)), Role::Dim),
            Cell::new(
                now.map_or(String::new(), |v| {
                    format!("{} {}", numbers::fixed(v, 3), sparkline(&score, 8))
                }),
                Role::Text,
            ),
            Cell::new(last.map_or(String::new(), |w| numbers::count(w.rows as usize)), Role::Dim),
            Cell::new(
                last.map_or(String::new(), |w| time(w.to_ms).get(..16).unwrap_or("").to_owned()),
                Role::Dim,
            ),
        ])
    };
    let list = Rect { height: (watched.len() as u16 + 1).max(3).min(area.height), ..area };
    let (n, empty, selected) = (watched.len(), nothing(), app.monitor.row());
    List { columns: &heads, n, cells: &cells, empty: &empty, selected, focused }.draw(
        canvas,
        list,
        state,
        |state| &mut state.monitored[0],
    );
    let Some(chosen) = app.monitor.chosen() else { return };
    let own = |alert: &&Alert| {
        let stands = matches!(alert.state, AlertState::Firing | AlertState::Acknowledged);
        stands && alert.model == chosen.name && alert.version == chosen.version
    };
    let own: Vec<&Alert> = app.monitor.alerts.iter().filter(own).collect();
    let rest = below(area, list.height + 1);
    let mut lines = said(&own, rest.width);
    let known = app.serve.known.as_ref();
    let job = known.and_then(|known| known.retrainings.iter().find(|j| j.model == chosen.name));
    if let Some(job) = job {
        let last =
            if job.last.is_empty() { String::new() } else { format!(" · last: {}", job.last) };
        let words = format!("trained again {}{last}", retraining_words(job));
        lines.extend(wrapped(" ↻", Role::Dim, &words, Role::Dim, rest.width));
    }
    canvas.lines(rest, &lines);
}

/// What alerts say, each in full.
fn said(alerts: &[&Alert], width: u16) -> Vec<Vec<(String, Role)>> {
    let mut lines = Vec::new();
    for alert in alerts {
        let (sign, role) = sign(alert.state);
        lines.extend(wrapped(&format!(" {sign}"), role, &alert.sentence, Role::Text, width));
        if !alert.by.is_empty() {
            let words = format!("acknowledged by {}", alert.by);
            lines.extend(wrapped("", role, &words, Role::Dim, width));
        }
    }
    lines
}

/// A sentence behind a sign, in lines.
fn wrapped(
    sign: &str,
    role: Role,
    sentence: &str,
    words: Role,
    width: u16,
) -> Vec<Vec<(String, Role)>> {
    let lines = text::wrap(sentence, usize::from(width).saturating_sub(3));
    let line = |(i, line): (usize, String)| {
        let sign = if i == 0 { sign } else { "" };
        vec![word(text::fit(sign, 3), role), word(line, words)]
    };
    lines.into_iter().enumerate().map(line).collect()
}

/// The sign of an alert, which tells its state without colours.
fn sign(state: AlertState) -> (&'static str, Role) {
    match state {
        AlertState::Firing => ("▲", Role::Bad),
        AlertState::Acknowledged => ("◐", Role::Warn),
        AlertState::Resolved => ("✓", Role::Dim),
    }
}

/// How a drift is shown: quiet below what chance does.
fn strength_role(seen: &Seen) -> Role {
    if seen.alarm {
        Role::Bad
    } else if seen.is_above() {
        Role::Warn
    } else {
        Role::Dim
    }
}

fn columns(app: &App, state: &mut ViewState, canvas: &mut Canvas<'_>, area: Rect, focused: bool) {
    let seen = app.monitor.seen();
    let order = app.monitor.order;
    let title = |name: &str, own: DriftOrder| {
        if order == own { format!("{name} ↓") } else { name.to_owned() }
    };
    let sparks = if area.width >= 110 { 24 } else { 12 };
    let heads = [
        Column::left("column").widths(12, 30),
        Column::right(title("PSI", DriftOrder::Psi)),
        Column::right("chance"),
        Column::left(title("×", DriftOrder::Strength)).widths(7, 9),
        Column::right("p").priority(4),
        Column::left("windows").widths(sparks, sparks).drawn(),
        Column::right(title("missing", DriftOrder::Missing)),
        Column::right("trained").priority(3),
        Column::right(title("unseen", DriftOrder::Unseen)).priority(1),
        Column::right("outside").priority(2),
    ];
    let number = |v: Option<f64>| v.map_or(numbers::NONE.into(), |v| numbers::fixed(v, 3));
    let share = |v: f64| if v == 0.0 { "0".into() } else { numbers::percent(v, 1) };
    let cells = |i: usize| {
        let own = *seen.get(i)?;
        let look = strength_role(own);
        let sign = if own.alarm {
            "▲ "
        } else if own.is_above() {
            "△ "
        } else {
            "  "
        };
        let times = match (own.psi, own.null) {
            (Some(psi), Some(null)) if null > 0.0 => numbers::significant(psi / null, 2),
            _ => String::new(),
        };
        let course = app.monitor.course(&own.name, |seen| seen.psi);
        let is_score = i == 0 && app.monitor.window().is_some_and(|(w, _)| w.score.is_some());
        let name = if is_score { "the score".to_owned() } else { own.name.clone() };
        let warn = |v: f64| if v > 0.0 { Role::Warn } else { Role::Dim };
        Some(vec![
            Cell::new(name, if is_score { Role::Strong } else { Role::Text }),
            Cell::new(number(own.psi), if look == Role::Dim { Role::Text } else { look }),
            Cell::new(number(own.null), Role::Dim),
            Cell::new(format!("{sign}{times}"), look),
            Cell::new(own.p.map_or(numbers::NONE.into(), numbers::p_value), Role::Dim),
            Cell::new(sparkline(&course, usize::from(sparks)), Role::Accent),
            Cell::new(
                share(own.missing.now),
                warn((own.missing.now - own.missing.before).abs() - 0.01),
            ),
            Cell::new(share(own.missing.before), Role::Dim),
            Cell::new(share(own.unseen.now), warn(own.unseen.now)),
            Cell::new(share(own.below.now + own.above.now), warn(own.below.now + own.above.now)),
        ])
    };
    let note = format!(
        "× is the PSI beside what chance alone does in a window of this size: △ above it, ▲ an alert \
         stands · {} the measures · {} the rows behind it",
        key(Action::Definitions),
        key(Action::ShowRows)
    );
    let lines = text::wrap(&note, usize::from(area.width).saturating_sub(1));
    let list = Rect { height: area.height.saturating_sub(lines.len() as u16 + 1), ..area };
    let list =
        Rect { height: list.height.min(seen.len() as u16 + 1).max(4).min(area.height), ..list };
    let empty = "this window holds no column";
    let (n, selected) = (seen.len(), app.monitor.row());
    List { columns: &heads, n, cells: &cells, empty, selected, focused }.draw(
        canvas,
        list,
        state,
        |state| &mut state.monitored[1],
    );
    canvas.lines(below(area, list.height + 1), &dim(lines));
}

/// Quiet lines.
fn dim(lines: Vec<String>) -> Vec<Vec<(String, Role)>> {
    lines.into_iter().map(|line| vec![word(format!(" {line}"), Role::Dim)]).collect()
}

fn performance(
    app: &App,
    state: &mut ViewState,
    canvas: &mut Canvas<'_>,
    area: Rect,
    focused: bool,
) {
    let Some((window, at)) = app.monitor.window() else { return };
    let all: Vec<(&str, &Fared)> = window
        .realised
        .iter()
        .map(|own| ("realised", own))
        .chain(window.estimated.iter().map(|own| ("estimated", own)))
        .collect();
    let heads = [
        Column::left("how").widths(9, 12),
        Column::left("by").widths(6, 10),
        Column::left("metric").widths(8, 20),
        Column::right("value"),
        Column::left("").widths(7, 7),
        Column::left("if nothing changed").widths(18, 20),
        Column::left("by sampling").widths(14, 16).priority(1),
        Column::right("trained"),
        Column::right("rows").priority(2),
        Column::left("windows").widths(12, 20).priority(2).drawn(),
    ];
    let range =
        |low: f64, high: f64| format!("{} – {}", numbers::fixed(low, 3), numbers::fixed(high, 3));
    let cells = |i: usize| {
        let (how, own) = *all.get(i)?;
        let realised = how == "realised";
        let label = crate::metrics::metric(&own.metric).map_or(own.metric.as_str(), |m| m.label);
        let course: Vec<f64> = app.monitor.chosen().map_or(vec![], |chosen| {
            let of = |w: &Window| {
                let mut all = if realised { w.realised.iter() } else { w.estimated.iter() };
                let found = all.find(|o| o.metric == own.metric);
                found.and_then(|o| o.value).unwrap_or(f64::NAN)
            };
            chosen.windows[..=at].iter().map(of).collect()
        });
        let n = if realised { window.labelled } else { window.rows };
        Some(vec![
            Cell::new(how, if realised { Role::Text } else { Role::Guess }),
            Cell::new(if realised { "labels" } else { own.estimator() }, Role::Dim),
            Cell::new(label, Role::Strong),
            Cell::new(
                numbers::optional(own.value, 3),
                if own.alarm { Role::Bad } else { Role::Strong },
            ),
            if own.alarm { Cell::new("▲ worse", Role::Bad) } else { Cell::new("", Role::Dim) },
            Cell::new(own.limits.map_or(String::new(), |l| range(l.low, l.high)), Role::Dim),
            Cell::new(own.band.map_or(String::new(), |(l, h)| range(l, h)), Role::Dim),
            Cell::new(numbers::optional(own.reference, 3), Role::Dim),
            Cell::new(numbers::count(n as usize), Role::Dim),
            Cell::new(sparkline(&course, 12), Role::Accent),
        ])
    };
    let empty = "Neither labels nor estimates in this window. Labels are sent to `/v1/feedback` with \
                 the id of the prediction.";
    let mut lines = Vec::new();
    if let Some(limits) = &window.estimate_limits {
        lines.extend(text::wrap(limits, usize::from(area.width).saturating_sub(1)));
    }
    for (name, about) in LIMITS {
        let words = format!("{name}: {about}");
        lines.extend(text::wrap(&words, usize::from(area.width).saturating_sub(1)));
    }
    let wanted = (all.len() as u16 + 1).max(3);
    let list = Rect { height: wanted.min(area.height), ..area };
    let (n, selected) = (all.len(), app.monitor.row());
    List { columns: &heads, n, cells: &cells, empty, selected, focused }.draw(
        canvas,
        list,
        state,
        |state| &mut state.monitored[2],
    );
    canvas.lines(below(area, list.height + 1), &dim(lines));
}

fn alerts(app: &App, state: &mut ViewState, canvas: &mut Canvas<'_>, area: Rect, focused: bool) {
    let alerts = &app.monitor.alerts;
    let heads = [
        Column::left("state").widths(10, 14),
        Column::left("model").widths(10, 28).priority(3),
        Column::left("about").widths(28, 34),
        Column::right("value").priority(1),
        Column::right("threshold").priority(2),
        Column::left("since (UTC)").widths(16, 16).priority(4),
        Column::left("said").widths(22, 110),
        Column::left("by").widths(6, 20).priority(5),
    ];
    let cells = |i: usize| {
        let own = alerts.get(i)?;
        let (sign, role) = sign(own.state);
        Some(vec![
            Cell::new(format!("{sign} {}", own.state.word()), role),
            Cell::new(format!("{} {}", own.model, own.version), Role::Text),
            Cell::new(format!("{} {}", own.kind.replace('_', " "), own.subject), Role::Strong),
            Cell::new(measured(own, own.value), Role::Text),
            Cell::new(measured(own, own.threshold), Role::Dim),
            Cell::new(time(own.first_ms).get(..16).unwrap_or("").to_owned(), Role::Dim),
            Cell::new(own.sentence.clone(), Role::Text),
            Cell::new(own.by.clone(), Role::Dim),
        ])
    };
    let empty = "No alert was raised. Alerts come from windows that drift further than chance and \
                 the threshold allow.";
    let wanted = (alerts.len() as u16 + 1).max(3);
    let list = Rect { height: wanted.min(area.height.saturating_sub(5).max(4)), ..area };
    let (n, selected) = (alerts.len(), app.monitor.row());
    List { columns: &heads, n, cells: &cells, empty, selected, focused }.draw(
        canvas,
        list,
        state,
        |state| &mut state.monitored[3],
    );
    let chosen: Vec<&Alert> = alerts.get(selected).into_iter().collect();
    let rest = below(area, list.height + 1);
    let mut lines = said(&chosen, rest.width);
    if let Some(own) = chosen.first() {
        // Where there is little room this stands nowhere else.
        let since = time(own.first_ms);
        let since = since.get(..16).unwrap_or_default();
        lines.extend(dim(vec![format!("  {} {} · since {since}", own.model, own.version)]));
        let note = text::wrap(MEASURED, usize::from(rest.width).saturating_sub(1));
        lines.push(vec![]);
        lines.extend(dim(note));
    }
    canvas.lines(rest, &lines);
}

/// What the numbers of alerts are.
const MEASURED: &str = "p: a p-value, drift where below the threshold · %: a share of rows, the \
                        threshold is that of training · else a distance, drift where above, or \
                        a metric, worse beyond";

/// A number of an alert, so that a p-value and a share can be told from a distance.
fn measured(alert: &Alert, number: f64) -> String {
    let mut tests = METHODS.iter().filter(|method| method.scale == Scale::PValue);
    if matches!(alert.kind.as_str(), "missing" | "unseen" | "out_of_range") {
        numbers::percent(number, 1)
    } else if tests.any(|method| alert.sentence.contains(&format!(": {} ", method.label))) {
        format!("p {}", numbers::p_value(number))
    } else {
        numbers::significant(number, 3)
    }
}

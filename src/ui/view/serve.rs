//! The Serve screen: how the server is, and below it models, answers, keys, decisions.

use ratatui::layout::Rect;

use super::{Canvas, List, Role, ViewState, below, row, word};
use crate::ui::action::{Action, Scope};
use crate::ui::app::serve::{on, ranked, time, value};
use crate::ui::app::{App, AuditLine, ServeTab};
use crate::ui::keymap::key_in;
use crate::ui::plot::sparkline;
use crate::ui::served::{Light, Status};
use crate::ui::widgets::{Cell, Column, Pane, numbers, text};

pub(super) fn draw(app: &App, state: &mut ViewState, canvas: &mut Canvas<'_>, area: Rect) {
    let focused = app.overlays.is_empty();
    let titles = ServeTab::ALL.map(ServeTab::title);
    let tab = app.serve.tab as usize;
    let folder =
        app.workspace.registry.dir().map_or(String::new(), |dir| dir.display().to_string());
    let mut right = text::cut_middle(&folder, usize::from(area.width / 3));
    if let Some(known) = &app.serve.known {
        if known.needs_approval {
            right = format!("two persons decide · {right}");
        }
        match known.pending.len() {
            0 => {}
            1 => right = format!("a decision waits under audit · {right}"),
            n => right = format!("{n} decisions wait under audit · {right}"),
        }
    }
    let pane =
        Pane { title: "Serve", tabs: &titles, tab, right: &right, focused, ..Pane::default() };
    let inner = pane.render(area, canvas.buf, canvas.theme);
    let used = server(app, canvas, inner) + 1;
    let rest = below(inner, used);
    match app.serve.tab {
        ServeTab::Models => models(app, state, canvas, rest, focused),
        ServeTab::Live => live(app, state, canvas, rest, focused),
        ServeTab::Keys => keys(app, state, canvas, rest, focused),
        ServeTab::Audit => audit(app, state, canvas, rest, focused),
    }
}

/// The key of an action on this screen.
fn key(action: Action) -> String {
    key_in(&[Scope::Serve], action)
}

/// How the server is; returns how many lines that took.
fn server(app: &App, canvas: &mut Canvas<'_>, area: Rect) -> u16 {
    match &app.serve.status {
        None => {
            canvas.words(row(area, 0), &[word("○ asking the server …", Role::Dim)]);
            1
        }
        Some(Err(_)) => {
            let starts = app.jobs.running.iter().any(|job| job.label == "start the server");
            if starts {
                canvas
                    .words(row(area, 0), &[word("◐ the server is being started …", Role::Accent)]);
                return 1;
            }
            let said = " starts one; what is decided here counts as soon as one runs";
            let words = [
                word("○ ", Role::Dim),
                word("no server is running", Role::Strong),
                word("  ", Role::Dim),
                word(key(Action::StartStop), Role::Key),
                word(said, Role::Dim),
            ];
            canvas.words(row(area, 0), &words);
            1
        }
        Some(Ok(status)) => running(status, canvas, area),
    }
}

fn running(status: &Status, canvas: &mut Canvas<'_>, area: Rect) -> u16 {
    let roomy = area.width >= 100;
    let up = (status.now_ms - status.since_ms).max(0) / 60_000;
    let up = match up {
        0 => "less than a minute".to_owned(),
        minutes => numbers::duration((minutes * 60) as f64),
    };
    let mut first = vec![
        word("● ", Role::Good),
        word(status.url.clone(), Role::Strong),
        word(format!("  up {up}  process {}", status.pid), Role::Dim),
    ];
    first.push(if status.needs_key {
        word("  keys asked for", Role::Dim)
    } else {
        word("  ⚠ no key is asked for", Role::Warn)
    });
    if roomy {
        let memory = numbers::bytes(status.memory.max(0).cast_unsigned());
        first.push(word(format!("  {memory}"), Role::Dim));
        first.push(word(format!("  karat {}", status.karat), Role::Dim));
    }
    canvas.words(row(area, 0), &first);
    let rates = &status.rates;
    let course: Vec<f64> = rates.per_second.iter().map(|n| f64::from(*n)).collect();
    let ms = |v: Option<f64>| v.map_or(numbers::NONE.into(), |v| numbers::significant(v, 2));
    let share = |share: f64| {
        let role = if share > 0.0 { Role::Warn } else { Role::Text };
        word(numbers::percent(share, 1), role)
    };
    let mut second = vec![
        word(format!("{} ", numbers::fixed(rates.requests, 1)), Role::Strong),
        word("requests/s ", Role::Dim),
        word("  p50 ", Role::Dim),
        word(ms(rates.p50), Role::Text),
        word(" p90 ", Role::Dim),
        word(ms(rates.p90), Role::Text),
        word(" p99 ", Role::Dim),
        word(ms(rates.p99), Role::Strong),
        word(" ms  4xx ", Role::Dim),
        share(rates.refused),
        word("  5xx ", Role::Dim),
        word(
            numbers::percent(rates.failed, 1),
            if rates.failed > 0.0 { Role::Bad } else { Role::Text },
        ),
    ];
    if roomy {
        let shed = if status.shed > 0 { Role::Warn } else { Role::Dim };
        second.push(word(format!("  under way {}", status.in_flight), Role::Dim));
        second.push(word(format!("  shed {}", numbers::count(status.shed as usize)), shed));
    }
    // The course takes what the numbers leave.
    let taken: usize = second.iter().map(|(words, _)| text::width(words)).sum();
    let cells = usize::from(area.width).saturating_sub(taken).min(60);
    second.insert(2, word(sparkline(&course, cells), Role::Accent));
    canvas.words(row(area, 1), &second);
    let Some(trouble) = status.troubles.first() else { return 2 };
    let more = match status.troubles.len() {
        1 => String::new(),
        n => format!(" · and {} more", n - 1),
    };
    canvas.words(row(area, 2), &[word(format!("⚠ {trouble}{more}"), Role::Warn)]);
    3
}

/// What drift says, in a sign and a word.
fn light(light: Option<Light>) -> Cell {
    match light {
        None => Cell::new("", Role::Dim),
        Some(Light::Unknown) => Cell::new("○ unknown", Role::Dim),
        Some(Light::Steady) => Cell::new("● steady", Role::Good),
        Some(Light::Alarm) => Cell::new("▲ alarm", Role::Bad),
    }
}

fn models(app: &App, state: &mut ViewState, canvas: &mut Canvas<'_>, area: Rect, focused: bool) {
    let all = app.serve.versions();
    if app.serve.known.is_none() {
        canvas.paragraph(area, "reading the registry …", Role::Dim);
        return;
    }
    if all.is_empty() {
        let text = format!(
            "No model is registered. {} registers the shown run under a name; from Compare {}, from \
             Training {} does the same.",
            key(Action::Register),
            key_in(&[Scope::Compare], Action::Register),
            key_in(&[Scope::Training], Action::Register),
        );
        canvas.paragraph(area, &text, Role::Dim);
        return;
    }
    let heads = [
        Column::left("model").widths(12, 30),
        Column::right("version"),
        Column::left("aliases").widths(10, 26),
        Column::left("kind").widths(8, 18).priority(3),
        Column::left("run").widths(5, 8).priority(5),
        Column::left("drift").widths(8, 12),
        Column::right("requests").priority(1),
        Column::right("rows").priority(4),
        Column::right("not 2xx").priority(2),
        Column::right("mean ms").priority(3),
    ];
    let count = |n: Option<u64>| n.map_or(String::new(), |n| numbers::count(n as usize));
    let cells = |i: usize| {
        let own = all.get(i)?;
        let first = i == 0 || all[i - 1].model.name != own.model.name;
        let look = if own.version.retired { Role::Dim } else { Role::Text };
        let state = if own.version.retired {
            Cell::new("retired", Role::Dim)
        } else if own.version.aliases.is_empty() {
            Cell::new(numbers::NONE, Role::Dim)
        } else {
            Cell::new(ranked(&own.version.aliases).join(", "), Role::Accent)
        };
        let failed = own.loaded.map(|l| l.failed);
        Some(vec![
            Cell::new(if first { own.model.name.as_str() } else { "" }, Role::Strong),
            Cell::new(own.version.version.to_string(), look),
            state,
            Cell::new(own.version.kind.clone(), look),
            Cell::new(own.version.run.clone(), Role::Dim),
            light(own.light()),
            Cell::new(count(own.loaded.map(|l| l.requests)), look),
            Cell::new(count(own.loaded.map(|l| l.rows)), Role::Dim),
            Cell::new(count(failed), if failed.unwrap_or(0) > 0 { Role::Warn } else { Role::Dim }),
            Cell::new(
                own.loaded
                    .and_then(|l| l.mean_ms)
                    .map_or(String::new(), |v| numbers::significant(v, 2)),
                look,
            ),
        ])
    };
    let about = about(app, area.width);
    let room = area.height.saturating_sub(about.len() as u16 + 1).max(4);
    let list = Rect { height: (all.len() as u16 + 1).min(room).min(area.height), ..area };
    let (n, selected) = (all.len(), app.serve.row());
    List { columns: &heads, n, cells: &cells, empty: "", selected, focused }.draw(
        canvas,
        list,
        state,
        |state| &mut state.served[0],
    );
    let about: Vec<Vec<(String, Role)>> = about.into_iter().map(|words| vec![words]).collect();
    canvas.lines(below(area, list.height + 1), &about);
}

/// What is said of the chosen model: drift, shadow, and a request to copy.
fn about(app: &App, width: u16) -> Vec<(String, Role)> {
    let mut said = Vec::new();
    let Some(own) = app.serve.version() else { return said };
    let mut add = |words: &str, role: Role, most: usize| {
        let lines = text::wrap(words, usize::from(width).saturating_sub(3));
        let n = lines.len();
        said.extend(lines.into_iter().take(most).enumerate().map(|(i, line)| {
            let cut = if i + 1 == most && n > most { "…" } else { "" };
            (format!(" {line}{cut}"), role)
        }));
    };
    let Some(served) = own.served else {
        if app.serve.running().is_some() {
            add(
                "the server does not serve this model: no alias points to a version that loads",
                Role::Dim,
                2,
            );
        }
        return said;
    };
    if let Some(loaded) = own.loaded.filter(|loaded| !loaded.light_about.is_empty()) {
        let role = if loaded.light == Light::Alarm { Role::Warn } else { Role::Dim };
        add(&loaded.light_about, role, 2);
    }
    if let Some(share) = served.challenger {
        let side = if own.model.split().sticky {
            "one key always goes to one side"
        } else {
            "one key goes to either side"
        };
        let share = numbers::percent(share, 0);
        let words = format!("the challenger answers {share} of the requests · {side}");
        add(&words, Role::Dim, 1);
    }
    if let Some(shadow) = &served.shadow {
        let words = format!(
            "shadow version {}: {} rows, {} apart on average, {} other decisions",
            shadow.version,
            numbers::count(shadow.rows as usize),
            numbers::significant(shadow.mean_difference, 2),
            numbers::count(shadow.other_decisions as usize)
        );
        add(&words, Role::Dim, 1);
    }
    add(&format!("a request, {} copies it:", key(Action::CopyRequest)), Role::Dim, 1);
    add(&served.curl, Role::Text, 6);
    said
}

fn live(app: &App, state: &mut ViewState, canvas: &mut Canvas<'_>, area: Rect, focused: bool) {
    let lines = app.serve.live();
    let heads = [
        Column::left("at (UTC)").widths(8, 8),
        Column::right("status"),
        Column::left("model or path").widths(13, 28),
        Column::right("rows").priority(3),
        Column::right("score"),
        Column::left("decision").widths(8, 16),
        Column::right("ms"),
        Column::left("key").widths(6, 12).priority(4),
        Column::left("refused because").widths(10, 40).priority(2),
    ];
    let cells = |i: usize| {
        let own = lines.get(i)?;
        let role = match own.status {
            500.. => Role::Bad,
            400.. => Role::Warn,
            _ => Role::Good,
        };
        let at = time(own.at_ms);
        Some(vec![
            Cell::new(at.get(11..).unwrap_or_default(), Role::Dim),
            Cell::new(own.status.to_string(), role),
            match own.model.as_str() {
                "" => Cell::new(own.asked.clone(), Role::Dim),
                model => Cell::new(model, Role::Text),
            },
            Cell::new(numbers::count(own.rows as usize), Role::Dim),
            Cell::new(numbers::optional(own.score, 3), Role::Strong),
            Cell::new(own.decision.clone(), Role::Text),
            Cell::new(numbers::fixed(own.micros as f64 / 1e3, 2), Role::Text),
            Cell::new(own.key.clone(), Role::Dim),
            Cell::new(own.refusal.clone(), Role::Warn),
        ])
    };
    let empty = if app.serve.running().is_some() {
        "Nothing was asked yet. The models view has a request to copy, and a load test. Of each \
         second in which nobody looks, at most 50 requests are noted."
    } else {
        "Answers are shown while a server runs."
    };
    let (n, selected) = (lines.len(), app.serve.row());
    List { columns: &heads, n, cells: &cells, empty, selected, focused }.draw(
        canvas,
        area,
        state,
        |state| &mut state.served[1],
    );
}

fn keys(app: &App, state: &mut ViewState, canvas: &mut Canvas<'_>, area: Rect, focused: bool) {
    let keys = app.serve.keys();
    let read_ms = app.serve.known.as_ref().map_or(0, |known| known.read_ms);
    let heads = [
        Column::left("name").widths(10, 28),
        Column::left("state").widths(21, 52),
        Column::left("for").widths(10, 32),
        Column::left("id").widths(8, 16).priority(1),
        Column::left("models").widths(4, 24).priority(4),
        Column::right("requests").priority(2),
        Column::left("used last (UTC)").widths(10, 19).priority(3),
    ];
    let cells = |i: usize| {
        let own = keys.get(i)?;
        let status = app.serve.running().and_then(|s| s.keys.iter().find(|k| k.id == own.id));
        let scopes: Vec<&str> = own.scopes.iter().map(|scope| scope.word()).collect();
        let used = status.and_then(|s| s.last_used_ms).or(own.last_used_ms);
        let refused = status.and_then(|s| s.refused.clone());
        let state = match (own.revoked_ms, refused) {
            (Some(at), _) => Cell::new(format!("revoked {}", &time(at)[..10]), Role::Dim),
            (None, Some(why)) => Cell::new(why, Role::Warn),
            (None, None) => match own.expires_ms {
                Some(at) if at <= read_ms => {
                    Cell::new(format!("expired {}", &time(at)[..10]), Role::Warn)
                }
                Some(at) => Cell::new(format!("good until {}", &time(at)[..10]), Role::Good),
                None => Cell::new("good", Role::Good),
            },
        };
        let old = app.serve.old_until(&own.id).filter(|_| own.revoked_ms.is_none());
        let state = match old {
            Some(at) => {
                let at = time(at);
                let at = at.get(..16).unwrap_or_default();
                Cell::new(format!("{} · old secret until {at}", state.text), state.role)
            }
            None => state,
        };
        let look = if own.revoked_ms.is_some() { Role::Dim } else { Role::Strong };
        Some(vec![
            Cell::new(own.name.clone(), look),
            state,
            Cell::new(scopes.join(", "), Role::Text),
            Cell::new(own.id.clone(), Role::Dim),
            Cell::new(own.models.join(", "), Role::Dim),
            Cell::new(
                status.map_or(String::new(), |s| numbers::count(s.requests as usize)),
                Role::Text,
            ),
            Cell::new(used.map_or("never".into(), time), Role::Dim),
        ])
    };
    let empty = format!("There are no keys. {} makes one.", key(Action::NewKey));
    let (n, selected) = (keys.len(), app.serve.row());
    List { columns: &heads, n, cells: &cells, empty: &empty, selected, focused }.draw(
        canvas,
        area,
        state,
        |state| &mut state.served[2],
    );
}

fn audit(app: &App, state: &mut ViewState, canvas: &mut Canvas<'_>, area: Rect, focused: bool) {
    let lines = app.serve.audit();
    let heads = [
        Column::left("at (UTC)").widths(16, 16),
        Column::left("who").widths(8, 24),
        Column::left("did").widths(8, 12),
        Column::left("on").widths(10, 28),
        Column::left("from").widths(8, 24).priority(3),
        Column::left("to").widths(8, 28).priority(2),
        Column::left("why").widths(10, 60),
    ];
    let cells = |i: usize| {
        Some(match lines.get(i)? {
            AuditLine::Waits(own) => vec![
                Cell::new(time(own.at_ms).get(..16).unwrap_or_default(), Role::Dim),
                Cell::new(own.who.clone(), Role::Text),
                Cell::new("◐ waits", Role::Warn),
                Cell::new(own.done.sentence(), Role::Strong),
                Cell::new("", Role::Dim),
                Cell::new("a second person", Role::Warn),
                Cell::new(own.why.clone(), Role::Text),
            ],
            AuditLine::Event(own) => vec![
                Cell::new(time(own.at_ms).get(..16).unwrap_or_default(), Role::Dim),
                Cell::new(own.who.clone(), Role::Text),
                Cell::new(own.action.clone(), Role::Accent),
                Cell::new(on(own), Role::Strong),
                Cell::new(value(&own.before), Role::Dim),
                Cell::new(value(&own.after), Role::Text),
                Cell::new(own.why.clone(), Role::Text),
            ],
        })
    };
    let empty =
        "Nothing was decided yet: registrations, promotions, keys and alerts are logged here.";
    let (n, selected) = (lines.len(), app.serve.row());
    List { columns: &heads, n, cells: &cells, empty, selected, focused }.draw(
        canvas,
        area,
        state,
        |state| &mut state.served[3],
    );
}

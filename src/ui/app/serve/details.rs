//! Everything known of a row of the Serve screen, and moments and values in words.

use super::{App, AuditLine, Effect, Overlay, PageLine, ServeTab, ranked};
use crate::registry::store::Event;
use crate::ui::action::Action;
use crate::ui::widgets::numbers;

impl App {
    /// Everything known of the chosen row.
    pub(super) fn serve_details(&mut self) -> Vec<Effect> {
        let pane = &self.serve;
        let pair = |name: &str, value: String| PageLine::Pair(name.to_owned(), value);
        let (title, lines) = match pane.tab {
            ServeTab::Models => {
                let Some(own) = pane.version() else {
                    return self.refuse_unregistered();
                };
                let v = own.version;
                let mut lines = vec![
                    pair(
                        "aliases",
                        if v.aliases.is_empty() {
                            "none".into()
                        } else {
                            ranked(&v.aliases).join(", ")
                        },
                    ),
                    pair("model", format!("{} · {} · predicts {}", v.kind, v.task, v.target)),
                    pair("run", v.run.clone()),
                    pair("digest", v.digest.clone()),
                    pair("registered", format!("{} by {}", time(v.created_ms), v.by)),
                    pair("state", if v.retired { "retired" } else { "in service" }.into()),
                ];
                if !v.note.is_empty() {
                    lines.push(pair("note", v.note.clone()));
                }
                if let Some(loaded) = own.loaded {
                    lines.push(pair("drift", loaded.light_about.clone()));
                    if loaded.window > 0 {
                        let count = |n: u64| numbers::count(n as usize);
                        let (n, all) = (count(loaded.gathered), count(loaded.window));
                        lines.push(pair("next window", format!("{n} of {all} rows gathered")));
                    }
                }
                if let Some(served) = own.served {
                    if let Some(share) = served.challenger {
                        lines.push(pair(
                            "challenger",
                            format!("answers {} of the requests", numbers::percent(share, 0)),
                        ));
                    }
                    if let Some(shadow) = &served.shadow {
                        lines.push(pair("shadow", format!(
                            "version {} scored {} rows too: {} on average, {} at most, {} decisions would be others",
                            shadow.version,
                            shadow.rows,
                            numbers::fixed(shadow.mean_difference, 4),
                            numbers::fixed(shadow.most_difference, 4),
                            shadow.other_decisions
                        )));
                    }
                    lines.push(PageLine::Heading("a request".into()));
                    lines.push(PageLine::Text(served.curl.clone()));
                }
                (format!("{} version {}", v.name, v.version), lines)
            }
            ServeTab::Live => {
                let Some(own) = pane.live().get(pane.row()) else {
                    return self.refuse("nothing was answered yet");
                };
                let lines = vec![
                    pair("at", time(own.at_ms)),
                    pair("status", own.status.to_string()),
                    pair("asked", own.asked.clone()),
                    pair("model", own.model.clone()),
                    pair("key", own.key.clone()),
                    pair("rows", own.rows.to_string()),
                    pair("score", numbers::optional(own.score, 6)),
                    pair("decision", own.decision.clone()),
                    pair("took", numbers::duration(own.micros as f64 / 1e6)),
                    pair("refused", own.refusal.clone()),
                ];
                ("An answer".to_owned(), lines)
            }
            ServeTab::Keys => {
                let Some(own) = pane.keys().get(pane.row()).copied() else {
                    return self.refuse_with("there are no keys", "{} makes one", Action::NewKey);
                };
                let scopes: Vec<&str> = own.scopes.iter().map(|scope| scope.word()).collect();
                let rate = own
                    .rate_per_second
                    .map_or("no limit".into(), |r| format!("{r} requests a second"));
                let lines = vec![
                    pair("id", own.id.clone()),
                    pair("for", scopes.join(", ")),
                    pair("models", own.models.join(", ")),
                    pair("made", format!("{} by {}", time(own.created_ms), own.by)),
                    pair("expires", own.expires_ms.map_or("never".into(), time)),
                    pair("revoked", own.revoked_ms.map_or("no".into(), time)),
                    pair(
                        "old secret",
                        pane.old_until(&own.id)
                            .map_or("refused".into(), |at| format!("good until {}", time(at))),
                    ),
                    pair("limit", rate),
                    pair("a day", {
                        let of = |n: Option<u64>, what: &str| {
                            n.map(|n| format!("{} {what}", numbers::count(n as usize)))
                        };
                        let said = [of(own.daily_requests, "requests"), of(own.daily_rows, "rows")];
                        let said: Vec<String> = said.into_iter().flatten().collect();
                        if said.is_empty() { "no limit".into() } else { said.join(", ") }
                    }),
                ];
                (format!("Key {}", own.name), lines)
            }
            ServeTab::Audit => match pane.audit().get(pane.row()).copied() {
                Some(AuditLine::Waits(pending)) => {
                    let pending = pending.clone();
                    return self.ask_answer(&pending);
                }
                Some(AuditLine::Event(own)) => {
                    let lines = vec![
                        pair("at", time(own.at_ms)),
                        pair("who", format!("{} by {}", own.who, own.via)),
                        pair("what", format!("{} {}", own.action, on(own))),
                        pair("before", value(&own.before)),
                        pair("after", value(&own.after)),
                        pair("why", own.why.clone()),
                        pair("hash", own.hash.clone()),
                        pair("of before", own.prev.clone()),
                    ];
                    (format!("Decision {}", own.seq), lines)
                }
                None => return self.refuse("nothing was decided yet"),
            },
        };
        self.overlays.push(Overlay::Page { title, lines, scroll: 0 });
        vec![]
    }
}

/// A moment in UTC, to the second.
pub(in crate::ui) fn time(ms: i64) -> String {
    let (days, ms) = (ms.div_euclid(86_400_000), ms.rem_euclid(86_400_000));
    let s = ms / 1000;
    let (y, m, d) = civil(days);
    format!("{y:04}-{m:02}-{d:02} {:02}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60)
}

/// The date of a day since 1970 (Hinnant, chrono-compatible low-level date algorithms).
fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + i64::from(month <= 2), month, day)
}

/// What a decision was about.
pub(in crate::ui) fn on(event: &Event) -> String {
    format!("{} {}", event.model, event.subject).trim().to_owned()
}

/// A value of the audit log in words.
pub(in crate::ui) fn value(value: &serde_json::Value) -> String {
    use serde_json::Value;
    match value {
        Value::Null => numbers::NONE.into(),
        Value::String(text) => text.clone(),
        Value::Array(all) => all.iter().map(self::value).collect::<Vec<_>>().join(", "),
        Value::Object(map) => {
            let said = |(name, own): (&String, &Value)| {
                let own = self::value(own);
                let own = if name == "digest" { own.chars().take(12).collect() } else { own };
                format!("{name} {own}")
            };
            map.iter().map(said).collect::<Vec<_>>().join(" · ")
        }
        other => other.to_string(),
    }
}

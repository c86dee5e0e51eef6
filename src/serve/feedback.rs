//! `POST /v1/feedback`: what became of what was predicted.

use std::sync::Arc;

use serde_json::{Value, json};

use super::protocol::Refusal;
use super::route::{Answer, Call, Outcome, Reply, apart};
use super::server::Server;
use crate::data::Task;
use crate::registry::Error;
use crate::registry::store::log::{LONGEST_ID, Recorded};
use crate::registry::store::now_ms;

/// Labels in one request, at most.
const MOST: usize = 10_000;

pub(super) fn feedback(server: &Arc<Server>, call: &mut Call) -> Reply {
    apart(server, call, take)
}

fn take(server: &Server, call: &Call) -> Outcome {
    let Some(log) = &server.log else {
        return Err(Refusal::unprocessable(
            "this server keeps no predictions, so it takes no labels",
        ));
    };
    let body: Value = serde_json::from_slice(&call.body)
        .map_err(|_| Refusal::bad_request("the body is not JSON"))?;
    let one;
    let all: &[Value] = match &body {
        Value::Array(all) => all,
        Value::Object(own) => match own.get("feedback") {
            Some(Value::Array(all)) => all,
            Some(_) => return Err(Refusal::bad_request("`feedback` is an array")),
            None => {
                one = [body.clone()];
                &one
            }
        },
        _ => return Err(Refusal::bad_request("an object with `id` and `label` is expected")),
    };
    if all.is_empty() || all.len() > MOST {
        let what = format!("a request has from 1 to {MOST} labels");
        return Err(Refusal::bad_request(what));
    }
    let mut labels = Vec::with_capacity(all.len());
    let mut unmatched: Vec<&str> = Vec::new();
    let mut is_flushed = false;
    for (at, own) in all.iter().enumerate() {
        let wrong = |what: &str| Refusal::bad_request(format!("label {at}: {what}"));
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
        let is_id = |id: &&str| (1..=LONGEST_ID).contains(&id.len()) && id.chars().all(is_plain);
        let id = own["id"].as_str().filter(is_id);
        let id = id.ok_or_else(|| {
            wrong(
                "`id` is missing: that of the prediction; several stand in `{\"feedback\": [...]}`",
            )
        })?;
        let label = match &own["label"] {
            Value::String(text) if (1..=100).contains(&text.chars().count()) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(truth) => truth.to_string(),
            _ => return Err(wrong("`label` is missing: a class or a number")),
        };
        // A label for the prediction of a model that the key may not know of is answered like one
        // that came before its prediction, so that nobody learns which ids there are.
        let mut made_by = log.made_by(id).map_err(|_| busy())?;
        if made_by.is_none() && !std::mem::replace(&mut is_flushed, true) {
            // It may have been answered a moment ago, and be on its way.
            log.flush();
            made_by = log.made_by(id).map_err(|_| busy())?;
        }
        if let Some((model, version)) = made_by {
            if !call.who.sees(&model) {
                unmatched.push(id);
                continue;
            }
            if let Some(what) = no_label(server, &model, version, &label) {
                // It is a label, but not of this model.
                return Err(Refusal { status: 409, ..wrong(&what) });
            }
            labels.push((id, label, true));
        } else {
            unmatched.push(id);
            labels.push((id, label, false));
        }
    }
    let (mut new, mut same, mut conflicts) = (0, 0, Vec::new());
    for (id, label, is_matched) in labels {
        let recorded = log.label(id, &label, now_ms()).map_err(|error| match error {
            Error::Denied { what, .. } => Refusal::bad_request(what),
            _ => busy(),
        })?;
        match recorded {
            // What is kept in case its prediction is on its way counts as unmatched.
            Recorded::New | Recorded::Same if !is_matched => {}
            Recorded::New => new += 1,
            Recorded::Same => same += 1,
            Recorded::Conflict => conflicts.push(id.to_owned()),
        }
    }
    Answer::json(&json!({
        "recorded": new,
        "unchanged": same,
        "conflicts": conflicts,
        "unmatched": unmatched,
    }))
}

/// What is wrong with a label: it is no class of the model, or no number. Nothing where that version
/// is not served any more.
fn no_label(server: &Server, name: &str, version: u32, label: &str) -> Option<String> {
    let models = server.models.load();
    let served = models.by_name.get(name)?.versions.get(&version)?;
    let model = served.model();
    let is_good = match model.task {
        Task::Regression => label.parse::<f64>().is_ok_and(f64::is_finite),
        Task::Binary | Task::Multiclass => model.classes.iter().any(|class| class == label),
    };
    (!is_good).then(|| match model.task {
        Task::Regression => "a number is expected".to_owned(),
        _ => format!("one of the classes is expected: `{}`", model.classes.join("`, `")),
    })
}

fn busy() -> Refusal {
    Refusal::unavailable("the log cannot be written at this moment", 1)
}

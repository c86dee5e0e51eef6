//! The first version of `KServe`'s protocol, for clients that still speak it.

use std::sync::Arc;

use serde_json::{Value, json};

use super::protocol::{Refusal, shown};
use super::route::{Answer, Call, Outcome, Reply};
use super::score::{Asked, answer};
use super::scoring::{Taken, Wanted, attributions, decision};
use super::sent::{Cell, Sent};
use super::server::{Server, new_id};
use super::told::{Ids, explanation};
use crate::data::Task;
use crate::registry::store::Scope;

/// `GET /v1/models/{model}`.
pub(super) fn status(server: &Arc<Server>, call: &mut Call) -> Reply {
    if call.param("model").is_some_and(|name| name.contains(':')) {
        return Reply::Now(Err(Refusal::method_not_allowed("POST")));
    }
    let found = server.find(call, None, &call.who.sticky());
    found
        .and_then(|found| Answer::json(&json!({ "name": found.served.name, "ready": true })))
        .into()
}

/// `POST /v1/models/{model}:predict` and `POST /v1/models/{model}:explain`.
pub(super) fn call(server: &Arc<Server>, call: &mut Call) -> Reply {
    let asked = match read(server, call) {
        Ok(asked) => asked,
        Err(refusal) => return server.refused(call, refusal),
    };
    answer(server, call, asked, |asked, taken| {
        if asked.wanted.attributions { explain(asked, taken) } else { predict(asked, taken) }
    })
}

fn read(server: &Arc<Server>, call: &mut Call) -> Result<Asked, Refusal> {
    let param = call.param("model").unwrap_or_default().to_owned();
    let (name, verb) =
        param.rsplit_once(':').ok_or_else(|| Refusal::method_not_allowed("GET, HEAD"))?;
    let attributions = match verb {
        "predict" => {
            call.who.may(Scope::Infer)?;
            false
        }
        "explain" => {
            call.who.may(Scope::Explain)?;
            true
        }
        _ => return Err(Refusal::not_found(format!("there is no `{}`", shown(&param)))),
    };
    let found = server.named(&call.who, name, None, &call.who.sticky())?;
    call.served = Some(Arc::clone(&found.served));
    let body: Value = serde_json::from_slice(&call.body)
        .map_err(|_| Refusal::bad_request("the body is not JSON"))?;
    let instances =
        body.get("instances").or_else(|| body.get("inputs")).and_then(Value::as_array).ok_or_else(
            || Refusal::bad_request("`instances` is missing: an array with the rows"),
        )?;
    let served = &found.served;
    let fields = &served.scorer.fields;
    let mut sent = Sent { n_columns: fields.len(), ..Sent::default() };
    let most = server.options.limits.max_elements;
    if instances.len().saturating_mul(fields.len().max(1)) > most {
        return Err(Refusal::too_large(format!("more than {most} values in one request")));
    }
    for (row, instance) in instances.iter().enumerate() {
        sent.n_rows += 1;
        match instance {
            Value::Array(values) if values.len() == fields.len() => {
                for value in values {
                    sent.cells.push(cell(value, row)?);
                }
            }
            Value::Array(values) => {
                return Err(Refusal::bad_request(format!(
                    "instance {row} has {} values, and the model takes {}",
                    values.len(),
                    fields.len()
                )));
            }
            Value::Object(values) => {
                for field in fields {
                    let value = values.get(&field.name).unwrap_or(&Value::Null);
                    sent.cells.push(cell(value, row)?);
                }
            }
            other if fields.len() == 1 => sent.cells.push(cell(other, row)?),
            _ => {
                let what = format!("instance {row} is neither an array nor an object");
                return Err(Refusal::bad_request(what));
            }
        }
    }
    if sent.n_rows == 0 {
        return Err(Refusal::bad_request("the request has no row"));
    }
    let n_rows = sent.n_rows;
    call.who.charge_rows(n_rows)?;
    Ok(Asked {
        unknown: Vec::new(),
        ids: Ids { base: new_id(), n_rows },
        request_id: None,
        rows: Box::new(sent),
        wanted: Wanted { attributions, ..Wanted::default() },
        subject: None,
        key: call.who.id(),
        found,
    })
}

fn cell(value: &Value, row: usize) -> Result<Cell, Refusal> {
    Ok(match value {
        Value::Null => Cell::Missing,
        Value::Bool(truth) => Cell::Truth(*truth),
        Value::Number(number) => Cell::Number(number.as_f64().unwrap_or(f64::NAN)),
        Value::String(text) => Cell::Text(text.as_str().into()),
        Value::Array(_) | Value::Object(_) => {
            return Err(Refusal::bad_request(format!("instance {row} has a value that is nested")));
        }
    })
}

fn predict(asked: &Asked, taken: &Taken) -> Outcome {
    let served = &asked.found.served;
    let prediction = |row| match served.model().task {
        Task::Regression | Task::Binary => json!(taken.score_of(row)),
        Task::Multiclass => json!(decision(served, taken.score_of(row))),
    };
    let all: Vec<Value> = (0..taken.n_rows).map(prediction).collect();
    Answer::json(&json!({ "predictions": all }))
}

fn explain(asked: &Asked, taken: &Taken) -> Outcome {
    let mut all = Vec::new();
    let mut given = Vec::new();
    for row in 0..taken.n_rows {
        given.clear();
        asked.rows.put(row, &mut given);
        let told = attributions(&asked.found.served, taken, row, &given, None)?;
        all.push(explanation(&told));
    }
    Answer::json(&json!({ "explanations": all }))
}

//! What was decided of one row, as `karat explain` tells it: what the model says, what it would say
//! of the row as it was changed, and the reasons for it.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::text::{self, TextTable, sanitise};
use crate::data::Task;
use crate::explain::{Adverse, Background};
use crate::features::Remark;
use crate::models::Model;
use crate::workspace::{Decision, Question, Says};

/// Adds what was decided to the answer of `explain`.
pub(super) fn tell(
    question: &Question<'_>,
    decision: &Decision,
    background: Background,
    answer: &mut Map<String, Value>,
) {
    let model = question.model;
    let is_changed = !decision.changed.is_empty();
    let changed = decision.changed.iter().map(|(feature, (before, remark))| {
        let after = question.changed.get(feature);
        json!({ "feature": feature, "before": before, "after": after, "remark": word(*remark) })
    });
    answer.insert("decision".into(), says(model, &decision.after));
    answer.insert("before".into(), json!(is_changed.then(|| says(model, &decision.before))));
    answer.insert("changed".into(), changed.collect());
    answer.insert("adverse".into(), json!(adverse_class(question)));
    let grounds = decision.grounds(background);
    let reasons = grounds.and_then(|grounds| grounds.reasons.as_ref());
    answer.insert("reasons".into(), json!(reasons.map(|reasons| &reasons.reasons)));
    answer.insert("withheld".into(), json!(reasons.map(|reasons| reasons.withheld)));
    answer.insert("background".into(), json!(grounds.map(|_| background)));
    answer.insert("reason_rows".into(), json!(grounds.map(|grounds| grounds.n_behind)));
}

/// What a model says of a row, under the names that `karat score` gives it.
fn says(model: &Model, says: &Says) -> Value {
    let mut told = Map::new();
    match model.task {
        Task::Regression => {
            told.insert("prediction".into(), json!(says.score));
        }
        Task::Binary => {
            told.insert("prediction".into(), json!(says.prediction));
            told.insert("probability".into(), json!(says.score));
            told.insert("adverse".into(), json!(says.is_adverse));
        }
        Task::Multiclass => {
            told.insert("prediction".into(), json!(says.prediction));
            let all = model.classes.iter().zip(&says.outputs);
            told.extend(all.map(|(class, p)| (format!("probability_{class}"), json!(p))));
        }
    }
    told.into()
}

fn adverse_class<'a>(question: &Question<'a>) -> Option<&'a str> {
    let [negative, positive] = question.model.classes.as_slice() else { return None };
    Some(if question.adverse == Adverse::Positive { positive } else { negative })
}

/// The word for what is remarkable about a value.
fn word(remark: Remark) -> &'static str {
    match remark {
        Remark::Usual => "usual",
        Remark::Missing => "missing",
        Remark::Unseen => "unseen",
        Remark::Below => "below",
        Remark::Above => "above",
    }
}

/// What the model says, and what it would say, in words.
pub(super) fn said(question: &Question<'_>, decision: &Decision) -> String {
    let model = question.model;
    let one = |says: &Says| match model.task {
        Task::Regression => text::number(says.score),
        Task::Binary => {
            let positive = model.classes.last().map_or("", String::as_str);
            let what = if model.is_probability() { "probability" } else { "score" };
            format!("{} ({what} of {positive} {})", says.prediction, text::metric(says.score))
        }
        Task::Multiclass => {
            let own = says.outputs.get(says.score as usize).copied();
            format!("{} ({})", says.prediction, text::maybe(own))
        }
    };
    let against = |says: &Says| {
        let is_adverse = says.is_adverse && decision.grounds.is_some();
        if is_adverse { ", which goes against the person" } else { "" }
    };
    let (before, after) = (&decision.before, &decision.after);
    let mut out = format!("the model says {}{}\n", one(before), against(before));
    if !decision.changed.is_empty() {
        for (feature, (old, remark)) in &decision.changed {
            let new = question.changed.get(feature).and_then(Option::as_deref);
            let strange = match remark {
                Remark::Usual | Remark::Missing => "",
                Remark::Unseen => ", which training never saw",
                Remark::Below => ", below all of training",
                Remark::Above => ", above all of training",
            };
            let [old, new] = [old.as_deref(), new].map(|value| value.unwrap_or("nothing"));
            let _ = writeln!(out, "with {feature} {new} in place of {old}{strange}");
        }
        let _ = writeln!(out, "it would say {}{}", one(after), against(after));
        out += "what follows is of the row as it was changed\n";
    }
    sanitise(&out) + "\n"
}

/// The reasons in words, or why there are none.
pub(super) fn reasons(
    question: &Question<'_>,
    decision: &Decision,
    background: Background,
) -> String {
    let Some(grounds) = decision.grounds(background) else {
        let is_binary = question.model.task == Task::Binary;
        let none = "\nno reasons: the two methods of Regulation B are defined for linear models\n";
        return if is_binary { none.into() } else { String::new() };
    };
    let says = &decision.after;
    if !says.is_adverse {
        return sanitise(&format!(
            "\ncalled {0}: not adverse, so no reasons are owed; `--adverse {0}` counts it as adverse\n",
            says.prediction
        ));
    }
    let method = match background {
        Background::All => "B",
        Background::NearThreshold => "A",
    };
    let Some(reasons) = &grounds.reasons else {
        return format!(
            "\nno reasons by method ({method}): nobody is known who passed near the threshold; \
             `--background all` compares with everyone\n"
        );
    };
    let mut out = format!(
        "\nreasons by Regulation B, method ({method}): {} ({})\n",
        background.sentence(),
        text::plural(grounds.n_behind, "row")
    );
    let mut table = TextTable::new(&[">", "reason", ">against"]);
    for (at, reason) in reasons.reasons.iter().enumerate() {
        let place = (at + 1).to_string();
        table.row([place, reason.feature.clone(), text::number(reason.shortfall)]);
    }
    out += &table.render(usize::MAX, false);
    if reasons.withheld {
        out += "a protected attribute weighed as much as a reason; it is not named\n";
    }
    out
}

//! Two experiments side by side: what differs, field by field.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Experiment;
use crate::models;

/// The fields in which two experiments differ, as `(field, left, right)`; a field that one of them
/// leaves open is `–` there, and a parameter shows its default.
pub fn experiment_diff(left: &Experiment, right: &Experiment) -> Vec<(String, String, String)> {
    let (left, right) = (flat(left), flat(right));
    let mut fields: Vec<&String> = left.keys().chain(right.keys()).collect();
    fields.sort();
    fields.dedup();
    let of = |side: &BTreeMap<String, String>, field: &String| {
        side.get(field).cloned().unwrap_or_else(|| "–".to_owned())
    };
    let both = fields.into_iter().map(|f| (f.clone(), of(&left, f), of(&right, f)));
    both.filter(|(_, left, right)| left != right).collect()
}

fn flat(experiment: &Experiment) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    if let Ok(kind) = models::kind(&experiment.model.kind) {
        for param in kind.params {
            fields.insert(format!("model.{}", param.name), param.default.to_owned());
        }
    }
    if let Ok(value) = serde_json::to_value(experiment) {
        flatten("", &value, &mut fields);
    }
    fields
}

fn flatten(path: &str, value: &Value, into: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                // Parameters stand beside their kind: `model.alpha`, not `model.set.alpha`.
                let path = match (path, key.as_str()) {
                    ("model", "set") => path.to_owned(),
                    ("", key) => key.to_owned(),
                    (path, key) => format!("{path}.{key}"),
                };
                flatten(&path, value, into);
            }
        }
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(plain).collect();
            into.insert(path.to_owned(), items.join(", "));
        }
        Value::Null => {}
        value => {
            into.insert(path.to_owned(), plain(value));
        }
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_listed() {
        let left = Experiment::default();
        let mut right = Experiment::default();
        assert_eq!(experiment_diff(&left, &right), []);
        right.model.kind = "ridge".into();
        right.model.set.insert("alpha".into(), "0.1".into());
        right.question.target = Some("y".into());
        right.question.drop = vec!["a".into(), "b".into()];
        right.split.test = 0.3;
        let differences = experiment_diff(&left, &right);
        let find = |field: &str| {
            let found = differences.iter().find(|(name, _, _)| name == field);
            found.map(|(_, left, right)| (left.as_str(), right.as_str()))
        };
        assert_eq!(find("model.alpha"), Some(("1", "0.1")));
        assert_eq!(find("model.kind"), Some(("logistic", "ridge")));
        assert_eq!(find("model.class_weight"), Some(("none", "–")));
        assert_eq!(find("question.target"), Some(("–", "y")));
        assert_eq!(find("question.drop"), Some(("–", "a, b")));
        assert_eq!(find("split.test"), Some(("0.2", "0.3")));
        assert_eq!(find("split.seed"), None);
    }
}

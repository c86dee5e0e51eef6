//! What kind of question a target asks.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::schema::words;
use super::{Error, Form, Kind, Table};

/// What is predicted: a quantity, one of two classes, or one of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// A quantity.
    Regression,
    /// One of two classes, of which one is the event.
    Binary,
    /// One of several classes.
    Multiclass,
}

words!(Task {
    Regression = "regression",
    Binary = "binary",
    Multiclass = "multiclass",
});

/// Whole numbers with more distinct values than this are a quantity and not classes.
const MOST_CLASSES: usize = 20;

/// The question that `target` asks: two levels, or a named event, are binary; fractions and more
/// than 20 whole numbers are a regression, and so are the changes of a column that looks ahead,
/// however few different ones there are; other levels are classes.
pub fn task_of(table: &Table, target: &str, positive: Option<&str>) -> Result<Task, Error> {
    let column = table.expect_column(target)?;
    if positive.is_some() {
        return Ok(Task::Binary);
    }
    if table.allows(target, Kind::Datetime) {
        return Ok(Task::Regression);
    }
    // What was computed from such a column inherits its mark, but not its meaning.
    let made = column.ahead.as_ref().filter(|made| made.name == target);
    let is_change = |form| matches!(form, Form::Return | Form::LogReturn | Form::Difference);
    if column.kind == Kind::Number && made.is_some_and(|made| is_change(made.form)) {
        return Ok(Task::Regression);
    }
    if table.is_numeric(target) {
        let mut distinct = HashSet::new();
        for value in table.numbers(target)?.into_iter().filter(|v| !v.is_nan()) {
            if column.kind == Kind::Number && value.fract() != 0.0 {
                return Ok(Task::Regression);
            }
            distinct.insert(value.to_bits());
            if column.kind == Kind::Number && distinct.len() > MOST_CLASSES {
                return Ok(Task::Regression);
            }
        }
        return Ok(match distinct.len() {
            0 | 1 => Task::Regression,
            2 => Task::Binary,
            _ => Task::Multiclass,
        });
    }
    let n = table.levels(target)?.names.len();
    Ok(if n <= 2 { Task::Binary } else { Task::Multiclass })
}

/// The level of a two-level target that is the event: a word such as `bad`, `yes` or `default`,
/// the larger of two numbers when one of them is 1 and the other is not above it, and otherwise
/// the rarer one. `None` unless there are exactly two levels.
pub fn positive_class(table: &Table, target: &str) -> Result<Option<String>, Error> {
    let levels = table.levels(target)?;
    let [first, second] = levels.names.as_slice() else { return Ok(None) };
    for word in EVENTS {
        for name in [first, second] {
            if name.to_lowercase() == *word {
                return Ok(Some(name.clone()));
            }
        }
    }
    for word in NON_EVENTS {
        for (name, other) in [(first, second), (second, first)] {
            if name.to_lowercase() == *word {
                return Ok(Some(other.clone()));
            }
        }
    }
    let n_first = levels.codes.iter().filter(|c| **c == 0).count();
    let n_second = levels.codes.iter().filter(|c| **c == 1).count();
    Ok(Some(if n_first < n_second { first } else { second }.clone()))
}

/// Words for the event that a credit or marketing model predicts.
const EVENTS: &[&str] = &[
    "bad",
    "default",
    "defaulted",
    "charged off",
    "chgoff",
    "fraud",
    "churn",
    "churned",
    "exited",
    "late",
    "delinquent",
    "yes",
    "y",
    "true",
    "t",
    "ja",
    "oui",
    "si",
    "sí",
    "positive",
    "event",
    "failure",
    "failed",
    "malignant",
    "subscribed",
    "responded",
    "rejected",
];

/// Words for its absence.
const NON_EVENTS: &[&str] =
    &["good", "no", "n", "false", "none", "negative", "0", "0.0", "-1", "paid", "fully paid"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{OpenOptions, open_bytes};
    use crate::jobs::Ctx;

    fn check(values: &str, task: Task, positive: Option<&str>) {
        let text = format!("a,t\n{}\n", values.replace(' ', "\n").replace('\n', "\n1,"));
        let text = text.replacen("a,t\n", "a,t\n1,", 1);
        let text = text.trim_end().to_owned();
        let table = open_bytes("t.csv", text.as_bytes(), &OpenOptions::default(), &Ctx::quiet());
        let table = table.unwrap();
        assert_eq!(task_of(&table, "t", None).unwrap(), task, "{values}");
        assert_eq!(positive_class(&table, "t").unwrap().as_deref(), positive, "{values}");
    }

    #[test]
    fn the_question_follows_from_the_values() {
        check("0 1 0 1", Task::Binary, Some("1"));
        check("1 2 1 1", Task::Binary, Some("2"));
        check("-1 1 1 1", Task::Binary, Some("1"));
        check("good bad good", Task::Binary, Some("bad"));
        check("yes no no", Task::Binary, Some("yes"));
        check("A B A A", Task::Binary, Some("B"));
        check("0.5 1.5 2.5", Task::Regression, None);
        check("1 2 3 1", Task::Multiclass, None);
        check("A B C", Task::Multiclass, None);
        let many: Vec<String> = (0..30).map(|i| i.to_string()).collect();
        check(&many.join(" "), Task::Regression, None);
    }

    #[test]
    fn words_are_read_back() {
        for task in Task::ALL {
            assert_eq!(task.word().parse(), Ok(*task));
        }
    }
}

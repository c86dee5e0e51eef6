//! A column that looks ahead: what becomes of another one some rows later.

mod quantile;
#[cfg(test)]
mod tests;

use std::{fmt, str::FromStr};

use polars::prelude::{NamedFrom, Series};
use serde::{Deserialize, Serialize};

use super::schema::words;
use super::{Column, Error, Kind, ROW, Role, Sequence, Table};
use crate::jobs::Ctx;

/// How the later value is told beside the present one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// The relative change: `x[t+h] / x[t] - 1`.
    #[default]
    Return,
    /// Its logarithm: `ln(x[t+h] / x[t])`.
    LogReturn,
    /// The change: `x[t+h] - x[t]`.
    Difference,
    /// 1 where the later value is larger, else 0.
    Sign,
    /// Which of the classes that fixed cuts of the return make, such as `1 below -0.01`,
    /// `2 from -0.01 to 0.01`, `3 from 0.01`.
    Class,
    /// In which of so many equal parts the return lies among those of the group that were known
    /// by then, such as `5 of 5` for the highest fifth.
    Quantile,
}
words!(Form {
    Return = "return",
    LogReturn = "log_return",
    Difference = "difference",
    Sign = "sign",
    Class = "class",
    Quantile = "quantile",
});

/// A column that tells what becomes of another one `horizon` rows later, in the order of time and
/// within its group. Its last rows in each group are missing.
///
/// A step is carried out before the rows are divided, so quantiles of all rows would tell the
/// training rows of the test. [`Form::Quantile`] therefore ranks each return among those that had
/// ended by then, and rows before which too few had have no class.
///
/// In words: `up = sign of close in 1`, `band = quantile 5 of close in 5`,
/// `move = class -0.01, 0.01 of close in 5 by share along day`.
/// A name that is easily misread stands in backticks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ahead {
    /// The name of the new column.
    pub name: String,
    /// The column that is looked at.
    pub column: String,
    /// How many rows later.
    pub horizon: usize,
    /// How the later value is told.
    pub form: Form,
    /// Where [`Form::Class`] cuts the return, ascending, as typed: `-0.01, 0.01`; of
    /// [`Form::Quantile`] the number of classes.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub cuts: String,
    /// The column that orders the rows; without it the one with the role `time`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// The column whose groups are series of their own; without it the one with the role `group`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

impl fmt::Display for Ahead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}", quoted(&self.name), self.form)?;
        if matches!(self.form, Form::Class | Form::Quantile) {
            write!(f, " {}", self.cuts)?;
        }
        write!(f, " of {} in {}", quoted(&self.column), self.horizon)?;
        if let Some(group) = &self.group {
            write!(f, " by {}", quoted(group))?;
        }
        if let Some(time) = &self.time {
            write!(f, " along {}", quoted(time))?;
        }
        Ok(())
    }
}

impl FromStr for Ahead {
    type Err = String;

    /// Reads the words that [`Ahead`] is written in.
    ///
    /// ```
    /// use karat::data::{Ahead, Form};
    ///
    /// let ahead: Ahead = "up = sign of adj close in 5".parse().unwrap();
    /// assert_eq!((ahead.form, ahead.column.as_str(), ahead.horizon), (Form::Sign, "adj close", 5));
    /// assert_eq!(ahead.to_string(), "up = sign of `adj close` in 5");
    /// ```
    fn from_str(text: &str) -> Result<Self, String> {
        let words = words_of(text);
        let mut words = words.as_slice();
        let mut until = |mark: &str, what: &str| {
            let at = words.iter().position(|word| word == mark);
            let at = at.ok_or_else(|| format!("`{mark}` and {what} are missing"))?;
            let (taken, rest) = words.split_at(at);
            words = &rest[1..];
            Ok::<_, String>(taken)
        };
        let name = until("=", "what follows it")?;
        let told = until("of", "a column")?;
        let column = until("in", "a number of rows")?;
        let (form, cuts) = told.split_first().ok_or_else(|| {
            let forms: Vec<_> = Form::ALL.iter().map(|form| form.word()).collect();
            format!("one of {} is missing after `=`", forms.join(", "))
        })?;
        let form: Form = form.parse()?;
        let (horizon, rest) = words.split_first().ok_or("a number of rows is missing")?;
        let ahead = Self {
            name: bare(name),
            column: bare(column),
            horizon: horizon.parse().map_err(|_| format!("`{horizon}` is no number of rows"))?,
            form,
            cuts: cuts.join(" "),
            time: option(rest, "along"),
            group: option(rest, "by"),
        };
        if !matches!(rest.first().map(String::as_str), None | Some("by" | "along")) {
            return Err(format!("`{}` is not understood after the rows", rest.join(" ")));
        }
        ahead.check()?;
        Ok(ahead)
    }
}

impl Ahead {
    /// Refuses what no table can fulfil.
    fn check(&self) -> Result<Vec<f64>, String> {
        if self.name.is_empty() || self.name == ROW || self.name.chars().any(char::is_control) {
            return Err("the new column needs a name".into());
        }
        if self.column.is_empty() {
            return Err("the column that is looked at has no name".into());
        }
        if self.horizon == 0 {
            return Err("it has to look at least 1 row ahead".into());
        }
        let cuts: Option<Vec<f64>> = self
            .cuts
            .split([',', ' '])
            .filter(|cut| !cut.is_empty())
            .map(|cut| cut.parse().ok().filter(|cut: &f64| cut.is_finite()))
            .collect();
        match (cuts, self.form) {
            (Some(cuts), Form::Class) if !cuts.is_empty() && cuts.is_sorted_by(|a, b| a < b) => {
                Ok(cuts)
            }
            (_, Form::Class) => {
                Err("`class` needs ascending cuts of the return, such as `class -0.01, 0.01`"
                    .into())
            }
            (Some(cuts), Form::Quantile)
                if cuts.len() == 1 && (2.0..=100.0).contains(&cuts[0]) && cuts[0] % 1.0 == 0.0 =>
            {
                Ok(cuts)
            }
            (_, Form::Quantile) => {
                Err("`quantile` needs a number of classes from 2 to 100, such as `quantile 5`"
                    .into())
            }
            (Some(cuts), _) if cuts.is_empty() => Ok(cuts),
            (_, form) => Err(format!("`{form}` takes no `{}`", self.cuts)),
        }
    }

    /// The same with the columns that order and group the rows named, as far as the table's roles
    /// tell them.
    #[must_use]
    pub fn settled(&self, table: &Table) -> Self {
        let of_role = |role| table.with_role(role).map(|column| column.name.clone());
        Self {
            time: self.time.clone().or_else(|| of_role(Role::Time)),
            group: self.group.clone().or_else(|| of_role(Role::Group)),
            ..self.clone()
        }
    }

    /// The rows in the order that it looks along.
    ///
    /// # Errors
    ///
    /// When no column orders them.
    pub fn sequence(&self, table: &Table) -> Result<Sequence, Error> {
        let Some(time) = &self.time else {
            return Err(Error::Query {
                what: format!("`{}` looks ahead, but no column orders the rows", self.name),
                hint: "give a date column the role time, or write `along COLUMN`".into(),
            });
        };
        Sequence::of(table, time, self.group.as_deref())
    }
}

/// The table with the column added; it becomes the proposed target.
pub(super) fn add(table: &Table, ahead: &Ahead, ctx: &Ctx) -> Result<Table, Error> {
    let wrong = |what: String| Error::Query {
        what,
        hint: "write it as `up = sign of close in 1`".to_owned(),
    };
    let cuts = ahead.check().map_err(wrong)?;
    if table.column(&ahead.name).is_some() {
        let what = format!("there is already a column `{}`", ahead.name);
        return Err(Error::Query { what, hint: "choose another name".into() });
    }
    let ahead = ahead.settled(table);
    let column = table.expect_column(&ahead.column)?;
    if column.is_masked() || !matches!(column.kind, Kind::Number | Kind::Boolean) {
        return Err(Error::NotNumeric { column: ahead.column.clone() });
    }
    let (protected, made_ahead) = (column.protected, column.ahead.clone());
    let values = table.numbers(&ahead.column)?;
    let rows = ahead.sequence(table)?;
    ctx.check()?;
    let value = |row: u32| {
        let later = values[rows.later(row, ahead.horizon)? as usize];
        told(ahead.form, values[row as usize], later)
    };
    let told: Vec<Option<f64>> = (0..table.n_rows() as u32).map(value).collect();
    if told.iter().all(Option::is_none) {
        let (longest, _) = rows.longest();
        return Err(Error::Query {
            what: format!(
                "`{}` is missing in every row: {} rows ahead of `{}` there is nothing in {longest} rows",
                ahead.name, ahead.horizon, ahead.column
            ),
            hint: "look fewer rows ahead".into(),
        });
    }
    let name = ahead.name.as_str().into();
    let series = match ahead.form {
        Form::Sign => {
            let signs: Vec<Option<i64>> = told.iter().map(|v| v.map(|v| v as i64)).collect();
            Series::new(name, signs)
        }
        Form::Class => {
            let labels = labels(&cuts);
            let class = |v: f64| labels[cuts.partition_point(|cut| *cut <= v)].as_str();
            let classes: Vec<Option<&str>> = told.iter().map(|v| v.map(class)).collect();
            Series::new(name, classes)
        }
        Form::Quantile => {
            let n = cuts[0] as usize;
            let labels = quantile::labels(n);
            let classes = quantile::quantiles(&told, &rows, ahead.horizon, n);
            if classes.iter().all(Option::is_none) {
                return Err(Error::Query {
                    what: format!(
                        "`{}` has no class in any row: too few returns are known before",
                        ahead.name
                    ),
                    hint: "take fewer quantiles, or a longer series".into(),
                });
            }
            let classes: Vec<Option<&str>> =
                classes.iter().map(|class| class.map(|class| labels[class].as_str())).collect();
            Series::new(name, classes)
        }
        Form::Return | Form::LogReturn | Form::Difference => Series::new(name, told),
    };
    let mut made = table.clone();
    made.frame.with_column(series.into())?;
    // The hidden column stays the last.
    let hidden = made.frame.drop_in_place(ROW)?;
    made.frame.with_column(hidden)?;
    for column in made.columns.iter_mut().filter(|column| column.role == Role::Target) {
        column.role = if column.ahead.is_some() { Role::Ignored } else { Role::Feature };
    }
    let is_class = matches!(ahead.form, Form::Class | Form::Quantile);
    let kind = if is_class { Kind::Category } else { Kind::Number };
    let reading = ahead.to_string();
    let reading = reading.split_once('=').map(|(_, rest)| format!("={rest}"));
    // What looks ahead of what looks ahead looks ahead by both.
    let further = made_ahead.map_or(0, |made| made.horizon);
    let name = ahead.name.clone();
    made.columns.push(Column {
        role: Role::Target,
        reading,
        protected,
        ahead: Some(Ahead { horizon: ahead.horizon + further, ..ahead }),
        ..Column::new(name, kind)
    });
    Ok(made)
}

/// The later value beside the present one; nothing where it is undefined.
fn told(form: Form, now: f64, later: f64) -> Option<f64> {
    let told = match form {
        Form::Return | Form::Class | Form::Quantile => later / now - 1.0,
        Form::LogReturn if now > 0.0 && later > 0.0 => (later / now).ln(),
        Form::LogReturn => f64::NAN,
        Form::Difference => later - now,
        Form::Sign if now.is_nan() || later.is_nan() => f64::NAN,
        Form::Sign => f64::from(u8::from(later > now)),
    };
    told.is_finite().then_some(told)
}

/// Names of classes that sort as their returns do.
fn labels(cuts: &[f64]) -> Vec<String> {
    let digits = (cuts.len() + 1).to_string().len();
    let label = |class: usize| {
        let (low, high) = (class.checked_sub(1).map(|at| cuts[at]), cuts.get(class));
        let range = match (low, high) {
            (None, Some(high)) => format!("below {high}"),
            (Some(low), Some(high)) => format!("from {low} to {high}"),
            (Some(low), None) => format!("from {low}"),
            (None, None) => String::new(),
        };
        format!("{:0digits$} {range}", class + 1)
    };
    (0..=cuts.len()).map(label).collect()
}

/// Words between spaces; what stands in backticks is one word, kept with them.
fn words_of(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut held = false;
    for c in text.chars() {
        if c == '`' {
            held = !held;
            word.push(c);
        } else if held || !(c.is_whitespace() || c == '=') {
            word.push(c);
        } else {
            words.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
            words.extend((c == '=').then(|| "=".to_owned()));
        }
    }
    words.extend((!word.is_empty()).then_some(word));
    words
}

/// Words as one name, without backticks around it.
fn bare(words: &[String]) -> String {
    let name = words.join(" ");
    let inner = name.strip_prefix('`').and_then(|name| name.strip_suffix('`'));
    inner.map_or(name.clone(), str::to_owned)
}

/// What follows `mark`, up to the other mark.
fn option(words: &[String], mark: &str) -> Option<String> {
    let start = words.iter().position(|word| word == mark)? + 1;
    let is_mark = |word: &String| word == "by" || word == "along";
    let end = words[start..].iter().position(is_mark).map_or(words.len(), |at| start + at);
    Some(bare(&words[start..end])).filter(|name| !name.is_empty())
}

/// A name as words can hold it.
fn quoted(name: &str) -> String {
    let is_plain = !name.chars().any(|c| c.is_whitespace() || c == '=')
        && !["of", "in", "by", "along"].contains(&name);
    if is_plain { name.to_owned() } else { format!("`{name}`") }
}

//! One row as a model decides on it: what it says, why, for which reasons, and what it would say
//! if some values were others.

use std::collections::BTreeMap;
use std::sync::Arc;

use ndarray::ArrayView2;

use super::{Error, Side};
use crate::data::{Table, Task, nearest};
use crate::explain::{
    self, Adverse, Background, Explanation, Reasoner, Reasons, Request, Space, Told,
};
use crate::features::sight::FittedSight;
use crate::features::{Given, Remark};
use crate::jobs::Ctx;
use crate::models::{
    Field, FieldKind, MissingPolicy, Model, RowInput, RowScorer, contract, scores_of,
};
use crate::train::Run;

/// What is asked of one row.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The run whose model decides.
    pub run: Arc<Run>,
    /// The table with the row.
    pub table: Arc<Table>,
    /// The row of the source, counted from 1.
    pub row: u32,
    /// Columns that are to hold something else; `None` for nothing at all.
    pub changed: BTreeMap<String, Option<String>>,
    /// The name of an explainer; the surest one when it is not given.
    pub method: Option<&'static str>,
    /// The class whose score is explained; the predicted one when it is not given.
    pub class: Option<String>,
    /// Which outcome goes against the person.
    pub adverse: Adverse,
    /// From this score on a row is called positive.
    pub threshold: f64,
}

/// What is asked of one row of a table and a model, wherever both come from.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The model that decides.
    pub model: &'a Model,
    /// The table with the row.
    pub table: &'a Table,
    /// The row of the source, counted from 1.
    pub row: u32,
    /// Columns that are to hold something else; `None` for nothing at all.
    pub changed: &'a BTreeMap<String, Option<String>>,
    /// The name of an explainer; the surest one when it is not given.
    pub method: Option<&'a str>,
    /// The class whose score is explained; the predicted one when it is not given.
    pub class: Option<&'a str>,
    /// Which outcome goes against the person.
    pub adverse: Adverse,
    /// From this score on a row is called positive.
    pub threshold: f64,
}

/// What a model says of a row.
#[derive(Clone, Debug, PartialEq)]
pub struct Says {
    /// The class it is called, or the number.
    pub prediction: String,
    /// The one score: probability, number, or the index of the class.
    pub score: f64,
    /// The probability of each of several classes, else the one score.
    pub outputs: Vec<f64>,
    /// Whether it goes against the person.
    pub is_adverse: bool,
}

/// Reasons with one of the two backgrounds.
#[derive(Clone, Debug)]
pub struct Grounds {
    /// The reasons; `None` where nobody is known who passed near the threshold.
    pub reasons: Option<Reasons>,
    /// How many rows stand behind the average.
    pub n_behind: usize,
}

/// One row decided on.
#[derive(Clone, Debug)]
pub struct Decision {
    /// The row of the source, counted from 1.
    pub row: u32,
    /// Its position in the table.
    pub position: u32,
    /// Which rows of the run it belongs to, when it belongs to any.
    pub side: Option<Side>,
    /// What the target holds.
    pub truth: Option<String>,
    /// What the model asks for, in its order.
    pub fields: Vec<Field>,
    /// What is said of the row as it is.
    pub before: Says,
    /// What is said of the row as it was changed; the same when nothing was.
    pub after: Says,
    /// The columns that were changed: what the row had there, and what is remarkable about the
    /// new value.
    pub changed: BTreeMap<String, (Option<String>, Remark)>,
    /// Why, of the row as it was changed; or why there is no explanation.
    pub why: Result<Arc<Explanation>, String>,
    /// Reasons against everyone, then against those who passed near the threshold; `None` for
    /// models to which the methods do not apply.
    pub grounds: Option<[Grounds; 2]>,
}

impl Decision {
    /// The reasons with this background.
    pub fn grounds(&self, background: Background) -> Option<&Grounds> {
        let [all, near] = self.grounds.as_ref()?;
        Some(if background == Background::All { all } else { near })
    }

    /// What the model asks of a column of this name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

/// Decides on a row with the model of a run.
pub(super) fn decide(asked: &Asked, ctx: &Ctx) -> Result<Decision, Error> {
    let question = Question {
        model: &asked.run.model,
        table: &asked.table,
        row: asked.row,
        changed: &asked.changed,
        method: asked.method,
        class: asked.class.as_deref(),
        adverse: asked.adverse,
        threshold: asked.threshold,
    };
    let decision = decide_on(&question, ctx)?;
    Ok(Decision { side: side_of(&asked.run, asked.row), ..decision })
}

/// Decides on a row.
///
/// # Errors
///
/// When there is no such row, the table lacks columns, or a value that was changed does not fit.
/// That there is no explanation is part of the answer.
pub fn decide_on(asked: &Question<'_>, ctx: &Ctx) -> Result<Decision, Error> {
    let Question { model, table, .. } = *asked;
    let request = Request {
        row: asked.row,
        method: asked.method.map(Into::into),
        class: asked.class.map(Into::into),
    };
    let position = table.positions_of(&[asked.row]).first().copied().flatten();
    let no_row = explain::Error::NoRow { row: asked.row, n_rows: table.n_rows() };
    let position = position.ok_or(no_row)?;
    let own = explain::explain(model, table, &request, ctx);
    let outputs = model.outputs(table, Some(&[position]), ctx)?;
    let before = says(asked, outputs.iter().copied().collect());
    let text = |name: &str| table.text(position as usize, name);
    let fields = contract(model);
    if let Some(strange) =
        asked.changed.keys().find(|name| fields.iter().all(|field| field.name != **name))
    {
        return Err(not_asked_for(strange, &fields));
    }
    let mut changed = BTreeMap::new();
    let (mut after, mut why) = (before.clone(), own);
    if !asked.changed.is_empty() {
        let first = match why {
            Ok(why) => why,
            // Without gradients or coefficients there are still inputs to be had.
            Err(_) => explain::explain(
                model,
                table,
                &Request { method: Some("occlusion".into()), ..request.clone() },
                ctx,
            )?,
        };
        let (inputs, remarks) = other_inputs(asked, &fields, first.inputs)?;
        for (name, remark) in remarks {
            changed.insert(name.clone(), (text(&name), remark));
        }
        let n_tensor = inputs.len() - model.recipe.outputs.len();
        let tensor: Vec<f32> = inputs[..n_tensor].iter().map(|value| *value as f32).collect();
        let x = ArrayView2::from_shape((1, inputs.len() - n_tensor), &inputs[n_tensor..])
            .expect("one row of the matrix");
        let outputs = model.predictor.outputs(x, &tensor);
        after = says(asked, outputs.iter().copied().collect());
        let told = |name: &str| -> Result<Told, explain::Error> {
            let text = match asked.changed.get(name) {
                Some(new) => new.clone(),
                None => text(name),
            };
            let number = text.as_ref().and_then(|text| text.trim().parse().ok());
            Ok(Told { text, number })
        };
        why = explain::explain_inputs(model, inputs, &request, &told, ctx);
    }
    let grounds = why
        .as_ref()
        .ok()
        .and_then(|why| grounds(model, asked.adverse, asked.threshold, &why.inputs));
    Ok(Decision {
        row: asked.row,
        position,
        side: None,
        truth: text(&model.target),
        fields,
        before,
        after,
        changed,
        why: why.map(Arc::new).map_err(|error| crate::jobs::error_text(&error)),
        grounds,
    })
}

/// What outputs mean at the threshold that was asked for.
fn says(asked: &Question<'_>, outputs: Vec<f64>) -> Says {
    let model = asked.model;
    let table = ArrayView2::from_shape((1, outputs.len()), &outputs).expect("one row");
    let score = scores_of(&table.to_owned()).first().copied().unwrap_or(f64::NAN);
    let is_positive = score >= asked.threshold;
    let prediction = match (model.task, model.classes.as_slice()) {
        (Task::Binary, [negative, positive]) => {
            if is_positive {
                positive.clone()
            } else {
                negative.clone()
            }
        }
        _ => model.predict(score),
    };
    let is_adverse =
        model.task == Task::Binary && is_positive == (asked.adverse == Adverse::Positive);
    Says { prediction, score, outputs, is_adverse }
}

/// What is remarkable about changed columns.
type Remarks = Vec<(String, Remark)>;

/// The inputs of the row with what was changed in it. Everything else stays as it was, bit for
/// bit, also where a column is masked on the screen.
fn other_inputs(
    asked: &Question<'_>,
    fields: &[Field],
    mut inputs: Vec<f64>,
) -> Result<(Vec<f64>, Remarks), Error> {
    let model = asked.model;
    let scorer = RowScorer::new(Arc::new(model.clone())).map_err(|error| refusal(&error))?;
    // What stands in the other columns does not matter here, so long as it is taken.
    let given: Vec<Given<'_>> = fields
        .iter()
        .map(|field| match asked.changed.get(&field.name) {
            Some(Some(text)) => Given::Written(text),
            Some(None) => Given::Missing,
            None => match (field.kind, field.levels.first()) {
                (FieldKind::Truth | FieldKind::Level, Some(level)) => Given::Text(level),
                (FieldKind::Truth, None) => Given::Truth(false),
                _ => Given::Number(field.min.unwrap_or(0.0)),
            },
        })
        .collect();
    let mut taken = RowInput::default();
    let mut remarks = Vec::new();
    scorer
        .take(&given, MissingPolicy::Fill, &mut taken, |place, _, remark| {
            if asked.changed.contains_key(&fields[place].name) {
                remarks.push((fields[place].name.clone(), remark));
            }
        })
        .map_err(|error| refusal(&error))?;
    let n_tensor = inputs.len() - model.recipe.outputs.len();
    let cells = model.sight.as_ref().and_then(FittedSight::cells).unwrap_or_default();
    for (place, name) in cells.into_iter().enumerate().take(n_tensor) {
        if asked.changed.contains_key(name) {
            inputs[place] = f64::from(taken.tensor[place]);
        }
    }
    for (place, output) in model.recipe.outputs.iter().enumerate() {
        if asked.changed.contains_key(&output.column) {
            inputs[n_tensor + place] = taken.matrix[place];
        }
    }
    Ok((inputs, remarks))
}

fn not_asked_for(name: &str, fields: &[Field]) -> Error {
    let names = || fields.iter().map(|field| &field.name as &str);
    let hint = match nearest(name, names()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("it asks for {}", names().collect::<Vec<_>>().join(", ")),
    };
    Error::Command { what: format!("the model does not ask for `{name}`"), hint }
}

fn refusal(error: &dyn std::error::Error) -> Error {
    Error::Command {
        what: error.to_string(),
        hint: "the row stays as it was; give another value".into(),
    }
}

/// Reasons against both backgrounds.
fn grounds(
    model: &Model,
    adverse: Adverse,
    threshold: f64,
    inputs: &[f64],
) -> Option<[Grounds; 2]> {
    let reasoner = Reasoner::new(model, adverse, threshold)?;
    let row = &inputs[inputs.len() - model.recipe.outputs.len()..];
    Some([Background::All, Background::NearThreshold].map(|background| Grounds {
        reasons: reasoner.reasons(row, background),
        n_behind: reasoner.n_behind(background),
    }))
}

/// The rows of the run to which a row belongs, the most telling first.
fn side_of(run: &Run, row: u32) -> Option<Side> {
    let has = |side: &Side| side.scores(run).is_some_and(|scores| scores.rows.contains(&row));
    Side::of(run).into_iter().filter(|side| *side != Side::OutOfFold).find(has)
}

/// The word for a scale, as it stands behind a number.
pub fn scale_word(space: Space) -> &'static str {
    match space {
        Space::Value => "of the value",
        Space::LogOdds => "in log-odds",
        Space::ClassScore => "of the class score",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::Experiment;

    fn asked(model: &str) -> Asked {
        let csv = "hours,job,income,y\n30,clerk,10,no\n51,smith,20,yes\n50,clerk,12,no\n\
                   41,smith,33,yes\n22,clerk,15,no\n65,miner,21,yes\n33,miner,14,no\n47,smith,9,yes\n";
        let csv = format!("{csv}{}", csv.split_once('\n').unwrap().1.repeat(4));
        let options = crate::data::OpenOptions::default();
        let table = crate::data::open_bytes("t.csv", csv.as_bytes(), &options, &Ctx::quiet());
        let table = Arc::new(table.unwrap());
        let mut experiment = Experiment::on("t.csv");
        experiment.question.target = Some("y".into());
        experiment.model.kind = model.into();
        experiment.split.test = 0.0;
        let run = Arc::new(crate::train::run(&table, &experiment, &Ctx::quiet()).unwrap());
        Asked {
            run,
            table,
            row: 2,
            changed: BTreeMap::new(),
            method: None,
            class: None,
            adverse: Adverse::Positive,
            threshold: 0.5,
        }
    }

    #[test]
    fn a_changed_row_is_decided_as_a_row_that_holds_the_values() {
        let mut asked = asked("logistic");
        let as_it_is = decide(&asked, &Ctx::quiet()).unwrap();
        assert_eq!((as_it_is.truth.as_deref(), as_it_is.before.is_adverse), (Some("yes"), true));
        assert_eq!(as_it_is.before, as_it_is.after);
        // The first row with all its values is the first row.
        asked.row = 1;
        let first = decide(&asked, &Ctx::quiet()).unwrap();
        asked.row = 2;
        for (name, value) in [("hours", "30"), ("job", "clerk"), ("income", "10")] {
            asked.changed.insert(name.into(), Some(value.into()));
        }
        let changed = decide(&asked, &Ctx::quiet()).unwrap();
        assert_eq!(changed.after, first.before);
        assert_eq!(changed.before, as_it_is.before);
        assert_eq!(changed.changed["hours"], (Some("51".into()), Remark::Usual));
        let (why, own) = (changed.why.unwrap(), first.why.unwrap());
        assert_eq!(why.contributions, own.contributions);
        assert!(why.remainder.abs() < 1e-12, "{}", why.remainder);
    }

    #[test]
    fn reasons_stand_beside_a_decision_that_goes_against_someone() {
        let decision = decide(&asked("logistic"), &Ctx::quiet()).unwrap();
        let all = decision.grounds(Background::All).unwrap();
        assert_eq!(all.n_behind, 40);
        let reasons = all.reasons.as_ref().unwrap();
        assert!(!reasons.reasons.is_empty() && reasons.reasons.len() <= 4);
    }

    #[test]
    fn a_value_that_does_not_fit_is_refused_by_its_column() {
        let mut asked = asked("logistic");
        asked.changed.insert("hours".into(), Some("old".into()));
        let error = decide(&asked, &Ctx::quiet()).unwrap_err().to_string();
        assert!(error.contains("`hours`") && error.contains("number"), "{error}");
    }

    #[test]
    fn a_column_that_the_model_does_not_know_cannot_be_changed() {
        let mut asked = asked("logistic");
        asked.changed.insert("hour".into(), Some("3".into()));
        let error = decide(&asked, &Ctx::quiet()).unwrap_err().to_string();
        assert!(error.contains("`hour`") && error.contains("did you mean `hours`?"), "{error}");
    }

    #[test]
    fn what_cannot_be_explained_is_decided_nevertheless() {
        let decision = decide(&asked("baseline"), &Ctx::quiet()).unwrap();
        assert!(decision.why.unwrap_err().contains("the same of every row"));
        assert!(decision.grounds.is_none());
    }
}

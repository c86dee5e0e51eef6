//! Rows in, predictions out: the one way of all protocols to a model.

use std::cell::RefCell;
use std::sync::Arc;

use super::pool::{Full, Pool};
use super::protocol::Refusal;
use super::served::Served;
use super::window::Seen;
use crate::data::Task;
use crate::explain::{Background, Explanation, Reasons, Request, Told, explain_inputs};
use crate::features::{Given, Remark};
use crate::jobs::Ctx;
use crate::models::{RowInput, RowScorer, foreign, warning};

/// Where rows come from: JSON, a table in CSV, tensors.
pub(super) trait Rows {
    /// How many there are.
    fn n_rows(&self) -> usize;

    /// Whom a row is about, where it says so itself.
    fn subject(&self, _: usize) -> Option<&str> {
        None
    }

    /// Puts the values of a row in the order of the model's fields.
    fn put<'a>(&'a self, row: usize, given: &mut Vec<Given<'a>>);
}

/// What is wanted besides scores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) reasons: bool,
    pub(super) attributions: bool,
    /// With whom a person is compared; as the model is set when not given.
    pub(super) background: Option<Background>,
}

/// Rows that have been taken in.
pub(super) struct Taken {
    /// What the model looks at; kept only where it is needed again.
    pub(super) inputs: Vec<RowInput>,
    /// For each row the outputs of the model.
    pub(super) outputs: Vec<f64>,
    /// For each row the linear score, of models that have one.
    pub(super) raw: Vec<f64>,
    /// For each row what was remarkable about it: the row, and a sentence.
    pub(super) warnings: Vec<(usize, String)>,
    pub(super) n_rows: usize,
}

/// A row refused: which one, counted from 0, and why.
fn refused(row: usize, n_rows: usize, why: &dyn std::fmt::Display) -> Refusal {
    if n_rows == 1 {
        Refusal::bad_request(why.to_string())
    } else {
        Refusal::bad_request(format!("row {row}: {why}"))
    }
}

/// Warnings are told for so many rows of a request at most.
const MOST_WARNINGS: usize = 100;

/// Takes rows in and scores them, where that can be done at once; for a network it only takes
/// them in.
pub(super) fn take(served: &Served, rows: &dyn Rows, wanted: Wanted) -> Result<Taken, Refusal> {
    thread_local! {
        static ROOM: RefCell<(RowInput, Vec<f64>)> = RefCell::default();
    }
    let n_rows = rows.n_rows();
    let scorer = &served.scorer;
    let is_gathered = served.is_gathered();
    let keeps = is_gathered || wanted.reasons || wanted.attributions;
    let mut taken = Taken {
        inputs: Vec::with_capacity(if keeps { n_rows } else { 0 }),
        outputs: Vec::with_capacity(n_rows),
        raw: Vec::with_capacity(n_rows),
        warnings: Vec::new(),
        n_rows,
    };
    let mut seen = Seen::new(scorer.fields.len(), n_rows, served.thinned());
    let mut given: Vec<Given<'_>> = Vec::with_capacity(scorer.fields.len());
    ROOM.with_borrow_mut(|(input, outputs)| {
        for row in 0..n_rows {
            given.clear();
            rows.put(row, &mut given);
            let counts = seen.begin(row);
            let mut remarks: Option<Vec<(usize, Remark)>> = None;
            let taken_in =
                scorer.take(&given, served.policy.missing, input, |field, cell, what| {
                    match what {
                        Remark::Usual => {}
                        Remark::Missing => {
                            served.missing[field].inc();
                            if scorer.fields[field].missing == 0.0 {
                                remarks.get_or_insert_default().push((field, what));
                            }
                        }
                        other => {
                            if other == Remark::Unseen {
                                served.unseen[field].inc();
                            }
                            remarks.get_or_insert_default().push((field, other));
                        }
                    }
                    seen.cell(cell, given[field], what);
                });
            taken_in.map_err(|why| refused(row, n_rows, &why))?;
            for (field, what) in remarks.into_iter().flatten() {
                if taken.warnings.len() < MOST_WARNINGS {
                    let told = warning(&scorer.fields[field], what);
                    taken.warnings.extend(told.map(|told| (row, told)));
                }
            }
            if !is_gathered {
                let raw = scorer.outputs(input, outputs);
                finite(outputs, row, n_rows)?;
                finite(raw.as_slice(), row, n_rows)?;
                if counts {
                    seen.score(RowScorer::score(outputs));
                    served.values.observe(RowScorer::score(outputs));
                }
                taken.raw.push(raw.unwrap_or(f64::NAN));
                taken.outputs.extend_from_slice(outputs);
            }
            if keeps {
                taken.inputs.push(input.clone());
            }
        }
        Ok::<(), Refusal>(())
    })?;
    served.take_in(seen);
    Ok(taken)
}

/// Refuses a score that is no number.
fn finite(outputs: &[f64], row: usize, n_rows: usize) -> Result<(), Refusal> {
    if outputs.iter().all(|value| value.is_finite()) {
        return Ok(());
    }
    let row = if n_rows == 1 { String::new() } else { format!(" of row {row}") };
    Err(Refusal::unprocessable(format!("the score{row} is not finite")))
}

/// Waits for the outputs of a network.
pub(super) async fn gathered(
    served: &Arc<Served>,
    pool: &Pool,
    taken: &mut Taken,
) -> Result<(), Refusal> {
    let busy = || Refusal::unavailable("too many rows wait for networks", 1);
    let model = Arc::clone(served.model());
    let rows = taken.inputs.clone();
    let outputs = pool.score(model, &served.pace, rows).map_err(|Full| busy())?;
    let outputs = outputs.await.map_err(|_| Refusal::internal("the network broke off"))?;
    let outputs = outputs.map_err(|error| match error {
        // The value itself is never told.
        foreign::Error::NotWhole { row, feature, .. } => {
            let what = format!("field `{feature}`: a whole number is expected");
            refused(row, taken.n_rows, &what)
        }
        _ => Refusal::unprocessable("the model gives no score for these rows"),
    })?;
    // Scores are counted of the same share of rows as columns.
    let mut chosen = Seen::new(0, taken.n_rows, served.thinned());
    let mut seen = Seen::new(0, 0, [1, 0]);
    for (row, own) in outputs.into_iter().enumerate() {
        finite(&own, row, taken.n_rows)?;
        if chosen.begin(row) {
            seen.score(RowScorer::score(&own));
        }
        served.values.observe(RowScorer::score(&own));
        taken.raw.push(f64::NAN);
        taken.outputs.extend(own);
    }
    served.take_in(seen);
    Ok(())
}

impl Taken {
    /// The outputs of a row.
    pub(super) fn outputs_of(&self, row: usize) -> &[f64] {
        let n = self.outputs.len() / self.n_rows.max(1);
        &self.outputs[row * n..(row + 1) * n]
    }

    /// The one score of a row.
    pub(super) fn score_of(&self, row: usize) -> f64 {
        RowScorer::score(self.outputs_of(row))
    }
}

/// What a score is called: the class, where there are any.
pub(super) fn decision(served: &Served, score: f64) -> Option<&str> {
    let model = served.model();
    match (model.task, model.classes.as_slice()) {
        (Task::Binary, [negative, positive]) => {
            Some(if score >= model.threshold { positive } else { negative })
        }
        (Task::Multiclass, classes) => classes.get(score as usize).map(String::as_str),
        _ => None,
    }
}

/// Why the reasons of a model cannot be told.
pub(super) fn reasons(
    served: &Served,
    taken: &Taken,
    row: usize,
    wanted: Wanted,
) -> Result<Reasons, Refusal> {
    let background = wanted.background.unwrap_or(served.policy.background);
    let Some(reasoner) = &served.reasoner else {
        return Err(Refusal::bad_request(
            "this model gives no reasons: they are told of linear models of two classes; ask for \
             `explain` instead",
        ));
    };
    reasoner.reasons(&taken.inputs[row].matrix, background).ok_or_else(|| {
        Refusal::bad_request(
            "nobody is known who passed near this threshold: nobody did in training, or it was moved \
             since; ask for background `all`",
        )
    })
}

/// What each column adds to the score of a row.
pub(super) fn attributions(
    served: &Served,
    taken: &Taken,
    row: usize,
    given: &[Given<'_>],
    method: Option<&str>,
) -> Result<Explanation, Refusal> {
    let input = &taken.inputs[row];
    let tensor = input.tensor.iter().map(|value| f64::from(*value));
    let inputs: Vec<f64> = tensor.chain(input.matrix.iter().copied()).collect();
    let told = |name: &str| {
        let value = served.places.get(name).map_or(Given::Missing, |place| given[*place]);
        Ok(match value {
            Given::Missing => Told::default(),
            Given::Number(number) => Told { text: Some(number.to_string()), number: Some(number) },
            Given::Truth(truth) => Told { text: Some(truth.to_string()), number: None },
            Given::Text(text) | Given::Written(text) => {
                Told { text: Some(text.to_owned()), number: None }
            }
        })
    };
    let request = Request { row: row as u32 + 1, method: method.map(str::to_owned), class: None };
    explain_inputs(served.model(), inputs, &request, &told, &Ctx::quiet())
        .map_err(|error| Refusal::bad_request(first_line(&error.to_string())))
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

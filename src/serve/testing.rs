//! Small models for the tests of this room.

use std::fmt::Write as _;
use std::sync::{Arc, LazyLock};

use crate::data::{OpenOptions, Table, open_bytes};
use crate::features::Given;
use crate::jobs::Ctx;
use crate::models::{MissingPolicy, Model, RowInput, RowScorer};
use crate::train::{Experiment, Run, run};

/// Applicants: two numbers, a job, and whether it went bad.
pub(super) fn table() -> Table {
    let mut text = "age,debt,job,bad\n".to_owned();
    for i in 0..80 {
        let (age, debt) = (20 + i * 7 % 45, (i * 13 % 29) * 100);
        let job = ["clerk", "smith", "miner"][i % 3];
        let bad = usize::from(debt > 1400) ^ usize::from(i % 11 == 0);
        writeln!(text, "{age},{debt},{job},{bad}").unwrap();
    }
    open_bytes("credit.csv", text.as_bytes(), &OpenOptions::default(), &Ctx::quiet()).unwrap()
}

/// A run of a kind of model on the applicants.
pub(super) fn trained(kind: &str, set: &[(&str, &str)]) -> Run {
    let mut experiment = Experiment::default();
    experiment.question.target = Some("bad".into());
    experiment.question.use_protected = true;
    experiment.model.kind = kind.into();
    for (key, value) in set {
        experiment.model.set.insert((*key).into(), (*value).into());
    }
    run(&table(), &experiment, &Ctx::quiet()).unwrap()
}

/// A network, and how it scores a row alone.
pub(super) fn network() -> (Arc<Model>, impl Fn(&RowInput) -> Vec<f64>) {
    let model = Arc::clone(&NETWORK);
    let scorer = RowScorer::new(Arc::clone(&model)).unwrap();
    (model, move |row: &RowInput| {
        let mut outputs = Vec::new();
        scorer.outputs(row, &mut outputs);
        outputs
    })
}

/// The network, trained once.
static NETWORK: LazyLock<Arc<Model>> =
    LazyLock::new(|| Arc::new(trained("mlp", &[("epochs", "2")]).model));

/// A row of the applicants' matrix.
pub(super) fn row(seed: f64) -> RowInput {
    let scorer = RowScorer::new(Arc::clone(&NETWORK)).unwrap();
    let given = [Given::Number(20.0 + seed), Given::Number(seed * 31.0), Given::Text("smith")];
    let mut input = RowInput::default();
    scorer.take(&given, MissingPolicy::Fill, &mut input, |_, _, _| ()).unwrap();
    input
}

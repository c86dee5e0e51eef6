//! Exported bytes are run by a reference evaluator and compared with karat's own scores.

mod evaluate;
mod networks;

use std::fmt::Write;

use super::*;
use crate::data::{Kind, OpenOptions, Overrides, Table, apply_overrides, open_bytes};
use crate::features::{self, FittedRecipe, Impute, Recipe, Scale, Unseen};
use crate::jobs::Ctx;
use crate::models::Link;
use evaluate::{Cells, Tensor, evaluate};

#[track_caller]
fn close(got: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(got.len(), expected.len());
    for (row, (got, expected)) in got.iter().zip(expected).enumerate() {
        let error = (got - expected).abs();
        assert!(error <= tolerance, "row {row}: {got} is not {expected}, off by {error:e}");
    }
}

fn table(csv: &str, kinds: &[(&str, Kind)]) -> Table {
    let options = OpenOptions { header: Some(true), ..OpenOptions::default() };
    let mut table = open_bytes("t.csv", csv.as_bytes(), &options, &Ctx::quiet()).unwrap();
    let kinds = kinds.iter().map(|(name, kind)| ((*name).to_owned(), *kind)).collect();
    apply_overrides(&mut table, &Overrides { kinds, ..Overrides::default() }).unwrap();
    table
}

const KINDS: &[(&str, Kind)] =
    &[("age", Kind::Number), ("purpose", Kind::Category), ("owner", Kind::Boolean)];

/// Numbers with gaps, a code for missing and outliers; categories with gaps and a rare level.
fn loans() -> Table {
    let mut csv = String::from("age,income,purpose,owner\n");
    for row in 0..120_usize {
        let age = match row % 11 {
            0 => String::new(),
            1 => "-999".into(),
            _ => (20 + row * 7 % 53).to_string(),
        };
        let income = if row % 40 == 3 { 99_999.5 } else { 1000.25 + (row * 7919 % 977) as f64 };
        let purpose = ["car", "house", "", "school", "car"][row % 5];
        let purpose = if row == 50 { "boat" } else { purpose };
        writeln!(csv, "{age},{income},{purpose},{}", ["yes", "no", "no"][row % 3]).unwrap();
    }
    let mut table = table(&csv, KINDS);
    table.columns[0].special = vec!["-999".into()];
    table
}

fn fitted(table: &Table, recipe: &Recipe, columns: &[&str]) -> FittedRecipe {
    let rows: Vec<u32> = (0..table.n_rows() as u32).collect();
    let columns: Vec<String> = columns.iter().map(|name| (*name).to_owned()).collect();
    features::fit(table, recipe, &columns, &rows, &Ctx::quiet()).unwrap()
}

/// A model with made-up coefficients: what is tested is that they are applied.
fn model(recipe: FittedRecipe, link: Link) -> Model {
    let coefficients = (0..recipe.outputs.len()).map(|i| 0.3 - 0.17 * i as f64).collect();
    let is_logit = link == Link::Logit;
    Model {
        kind: if is_logit { "logistic" } else { "ridge" }.into(),
        task: if is_logit { Task::Binary } else { Task::Regression },
        target: "y".into(),
        classes: if is_logit { vec!["good".into(), "bad".into()] } else { vec![] },
        threshold: 0.4,
        recipe,
        sight: None,
        predictor: Predictor::Linear { intercept: -0.25, coefficients, link },
        averages: None,
        reference: None,
        protected: vec![],
    }
}

/// One tensor (rows, 1) for each input of the graph.
fn tensors_of<'a>(table: &Table, inputs: &'a [Port]) -> Vec<(&'a str, Tensor)> {
    let n = table.n_rows();
    let tensor = |port: &'a Port| {
        let tensor = if port.holds == "text" {
            let text = |row: usize| table.text(row, &port.name).unwrap_or_default();
            Tensor::texts((0..n).map(text).collect())
        } else {
            Tensor::numbers(&[n, 1], &table.numbers(&port.name).unwrap())
        };
        (port.name.as_str(), tensor)
    };
    inputs.iter().map(tensor).collect()
}

/// Exports the model, evaluates it on the table and holds it against karat's own scores.
fn check(model: &Model, table: &Table) {
    let exported = onnx(model, Scope::WholeModel).unwrap();
    let expected = model.score(table, None, &Ctx::quiet()).unwrap();
    let values = evaluate(&exported.bytes, tensors_of(table, &exported.inputs));
    let score = &values[&exported.outputs.last().unwrap().name];
    close(score.values(), &expected, 1e-9);
    if let Cells::Texts(classes) = &values["prediction"].cells {
        let expected: Vec<String> = expected.iter().map(|score| model.predict(*score)).collect();
        assert_eq!(*classes, expected);
    }
}

#[test]
fn a_linear_model_on_numbers_gives_the_same_scores() {
    let table = loans();
    for scale in [Scale::None, Scale::Standard, Scale::MinMax, Scale::Robust] {
        let recipe = Recipe { scale, winsorise: 0.05, impute: Impute::Mean, ..Recipe::default() };
        let recipe = fitted(&table, &recipe, &["income", "age"]);
        assert_eq!(recipe.names(), ["income", "age", "age is missing"]);
        check(&model(recipe, Link::Identity), &table);
    }
}

#[test]
fn a_logistic_model_with_gaps_and_categories_gives_the_same_scores() {
    let table = loans();
    let columns = ["age", "purpose", "income", "owner"];
    for unseen in [Unseen::Other, Unseen::Missing] {
        for rare in [0.0, 0.05] {
            let recipe = Recipe { unseen, rare, scale: Scale::Standard, ..Recipe::default() };
            let model = model(fitted(&table, &recipe, &columns), Link::Logit);
            check(&model, &table);
            // A level that training never saw, and gaps where it saw none.
            let other = "age,income,purpose,owner\n,,balloon,\n33,1200,car,yes\n44,,,no\n";
            check(&model, &self::table(other, KINDS));
        }
    }
}

#[test]
fn several_classes_have_their_probabilities_and_the_name_of_the_best() {
    let table = loans();
    let recipe = fitted(
        &table,
        &Recipe { scale: Scale::Standard, ..Recipe::default() },
        &["age", "purpose"],
    );
    let own =
        |class: usize| (0..recipe.outputs.len()).map(move |i| ((i + 2) * (class + 1)) as f64 % 1.7);
    let predictor = Predictor::Softmax {
        intercepts: vec![0.1, -0.2, f64::NEG_INFINITY, 0.4],
        coefficients: (0..4).map(|class| own(class).collect()).collect(),
    };
    let classes: Vec<String> = ["a", "b", "never", "d"].map(str::to_owned).to_vec();
    let task = Task::Multiclass;
    let model = Model { task, classes, predictor, ..model(recipe.clone(), Link::Logit) };
    let exported = onnx(&model, Scope::WholeModel).unwrap();
    let outputs = model.outputs(&table, None, &Ctx::quiet()).unwrap();
    let values = evaluate(&exported.bytes, tensors_of(&table, &exported.inputs));
    let expected: Vec<f64> = outputs.iter().copied().collect();
    close(values["probability"].values(), &expected, 1e-12);
    let best = model.score(&table, None, &Ctx::quiet()).unwrap();
    let best: Vec<String> = best.into_iter().map(|score| model.predict(score)).collect();
    assert_eq!(values["prediction"].cells, Cells::Texts(best));
}

#[test]
fn codes_for_missing_are_known_to_the_graph_itself() {
    let table = loans();
    let model = model(fitted(&table, &Recipe::default(), &["age"]), Link::Identity);
    let exported = onnx(&model, Scope::WholeModel).unwrap();
    let run = |value: f64| {
        let tensor = Tensor::numbers(&[1, 1], &[value]);
        evaluate(&exported.bytes, vec![("age", tensor)])["prediction"].values()[0]
    };
    assert_eq!(run(-999.0), run(f64::NAN));
    assert!((run(-999.0) - run(-998.0)).abs() > 1.0);
}

#[test]
fn the_predictor_alone_takes_the_prepared_matrix() {
    let table = loans();
    let model = model(fitted(&table, &Recipe::default(), &["age", "purpose"]), Link::Logit);
    let exported = onnx(&model, Scope::PredictorAlone).unwrap();
    let width = model.recipe.outputs.len();
    assert_eq!(exported.inputs, [Port { name: "features".into(), holds: "f64", width }]);
    let rows: Vec<u32> = (0..table.n_rows() as u32).collect();
    let x = model.recipe.matrix(&table, &rows, &Ctx::quiet()).unwrap();
    let values: Vec<f64> = x.rows().into_iter().flat_map(|row| row.to_vec()).collect();
    let tensor = Tensor::numbers(&[rows.len(), width], &values);
    let expected = model.score(&table, None, &Ctx::quiet()).unwrap();
    let values = evaluate(&exported.bytes, vec![("features", tensor)]);
    close(values["probability"].values(), &expected, 1e-9);
}

#[test]
fn what_a_graph_cannot_say_is_refused_by_name() {
    let table = table("day,purpose\n2024-01-05,a\n2024-03-02,b\n2024-03-09,a\n", &[]);
    let recipe = Recipe { unseen: Unseen::Error, ..Recipe::default() };
    let parts = model(fitted(&table, &recipe, &["day", "purpose"]), Link::Identity);
    let text = onnx(&parts, Scope::WholeModel).unwrap_err().to_string();
    for words in ["`day` (the month or weekday of a date)", "`purpose` (a graph cannot refuse"] {
        assert!(text.contains(words), "{text}");
    }
    assert!(onnx(&parts, Scope::PredictorAlone).is_ok());

    let recipe = Recipe { dates: features::Dates::Days, ..Recipe::default() };
    let days = model(fitted(&table, &recipe, &["day"]), Link::Identity);
    check(&days, &table);

    let constant = Model { predictor: Predictor::Constant(0.3), ..days };
    let text = onnx(&constant, Scope::WholeModel).unwrap_err().to_string();
    assert!(text.contains("the same of every row"), "{text}");
}

#[test]
fn a_column_called_like_an_output_keeps_its_name() {
    let table = table("prediction,y\n1,1\n2,5\n4,2\n", &[]);
    let model = model(fitted(&table, &Recipe::default(), &["prediction"]), Link::Identity);
    let exported = onnx(&model, Scope::WholeModel).unwrap();
    assert_eq!(exported.inputs[0].name, "prediction");
    assert_eq!(exported.outputs[0].name, "prediction_");
    check(&model, &table);
}

//! Several classes: each one's measures and the confusion matrix, as text and as JSON.

use serde_json::{Map, Value, json};

use super::console::Console;
use super::text::{self, TextTable};
use crate::metrics::ClassConfusion;
use crate::train::{Run, Scores};

/// A confusion matrix of more classes than this is told as a list of its largest errors.
const MOST_IN_A_MATRIX: usize = 12;
/// How many of those errors.
const ERRORS: usize = 10;
/// How wide the name of a class may be in the matrix.
const NAME: usize = 10;

/// Scores of several classes, with the classes' names.
pub(super) struct Several<'a> {
    classes: &'a [String],
    confusion: ClassConfusion,
}

impl<'a> Several<'a> {
    /// Nothing unless there are several classes and rows to count.
    pub(super) fn of(classes: &'a [String], scores: &Scores) -> Option<Self> {
        let confusion = ClassConfusion::of(&scores.scored(0.5))?;
        (confusion.n_classes == classes.len()).then_some(Self { classes, confusion })
    }

    /// Those rows of a run that say most of rows it has not seen, and what these are called.
    pub(super) fn of_run(run: &'a Run) -> Option<(&'static str, Self)> {
        let parts = [
            ("test", run.test_scores.as_ref()),
            ("cv", run.oof_scores.as_ref()),
            ("valid", run.valid_scores.as_ref()),
            ("train", Some(&run.train_scores)),
        ];
        let (part, scores) = parts.into_iter().find_map(|(part, scores)| Some((part, scores?)))?;
        Some((part, Self::of(&run.model.classes, scores)?))
    }

    /// Adds `per_class` and `confusion` to an answer.
    pub(super) fn tell(&self, answer: &mut Map<String, Value>) {
        let measures = self.confusion.classes();
        let each = self.classes.iter().zip(&measures).map(|(class, own)| {
            json!({
                "class": class,
                "precision": own.precision,
                "recall": own.recall,
                "f1": own.f1,
                "support": count(own.support),
                "predicted": count(own.predicted),
            })
        });
        answer.insert("per_class".into(), each.collect());
        let lines = self.confusion.cells.chunks_exact(self.confusion.n_classes);
        let counts: Vec<Vec<Value>> =
            lines.map(|line| line.iter().map(|n| count(*n)).collect()).collect();
        answer.insert("confusion".into(), json!({ "classes": self.classes, "counts": counts }));
    }

    /// A table of the classes, and the matrix or its largest errors.
    pub(super) fn text(&self, console: &Console) -> String {
        let titles = ["class", ">precision", ">recall", ">F1", ">rows", ">called so"];
        let mut table = TextTable::new(&titles);
        for (class, own) in self.classes.iter().zip(self.confusion.classes()) {
            table.row([
                class.clone(),
                text::maybe(own.precision),
                text::maybe(own.recall),
                text::maybe(own.f1),
                text::number(own.support),
                text::number(own.predicted),
            ]);
        }
        let by_class = table.render(console.width, console.bold);
        by_class + "\n" + &self.errors(console)
    }

    fn errors(&self, console: &Console) -> String {
        let n = self.confusion.n_classes;
        let wrong = |truth: usize, predicted: usize| self.confusion.at(truth, predicted);
        if n <= MOST_IN_A_MATRIX {
            let names: Vec<String> =
                self.classes.iter().map(|class| text::cut(class, NAME)).collect();
            let titles: Vec<String> = std::iter::once("actual ↓ called →".to_owned())
                .chain(names.iter().map(|name| format!(">{name}")))
                .collect();
            let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
            let mut table = TextTable::new(&titles);
            for (truth, name) in names.iter().enumerate() {
                let cell = |predicted| match wrong(truth, predicted) {
                    0.0 => "·".to_owned(),
                    count => text::number(count),
                };
                table.row(std::iter::once(name.clone()).chain((0..n).map(cell)));
            }
            return table.render(console.width, console.bold);
        }
        let pairs = (0..n).flat_map(|truth| (0..n).map(move |called| (truth, called)));
        let mut pairs: Vec<(usize, usize)> = pairs
            .filter(|(truth, called)| truth != called && 0.0 < wrong(*truth, *called))
            .collect();
        pairs.sort_by(|a, b| wrong(b.0, b.1).total_cmp(&wrong(a.0, a.1)).then(a.cmp(b)));
        if pairs.is_empty() {
            return "no class is taken for another\n".into();
        }
        let mut table = TextTable::new(&["actual", "called", ">rows", ">of its rows"]);
        for (truth, called) in pairs.iter().take(ERRORS) {
            let rows = wrong(*truth, *called);
            table.row([
                self.classes[*truth].clone(),
                self.classes[*called].clone(),
                text::number(rows),
                text::percent(rows / self.confusion.support(*truth)),
            ]);
        }
        table.render(console.width, console.bold)
    }
}

/// A count of rows is whole; a sum of weights need not be.
fn count(value: f64) -> Value {
    if value.fract() == 0.0 { json!(value as u64) } else { json!(value) }
}

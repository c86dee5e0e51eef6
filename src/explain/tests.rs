use ndarray::{Array2, ArrayView2};

use super::*;
use crate::data::{OpenOptions, Table, Task, open_bytes};
use crate::features::{self, Recipe, Scale};
use crate::jobs::Ctx;
use crate::models::{Link, Model, Predictor};

/// A score that is not linear, with its gradient worked out by hand: `x0^2 + x0 x1 + sin(x2)`.
struct Curved;

impl Subject for Curved {
    fn layout(&self) -> Layout {
        Layout::flat(3)
    }

    fn reference(&self) -> Vec<f64> {
        vec![0.5, -1.0, 0.25]
    }

    fn scores(&self, rows: ArrayView2<f64>) -> Vec<f64> {
        rows.rows().into_iter().map(|x| x[0] * x[0] + x[0] * x[1] + x[2].sin()).collect()
    }

    fn gradients(&self, rows: ArrayView2<f64>) -> Option<Array2<f64>> {
        Some(Array2::from_shape_fn(rows.dim(), |(row, i)| {
            let x = rows.row(row);
            [2.0 * x[0] + x[1], x[0], x[2].cos()][i]
        }))
    }
}

/// A picture of 2 x 2 whose map before the pooling is 1 x 2.
struct Mapped;

impl Subject for Mapped {
    fn layout(&self) -> Layout {
        Layout { height: 2, width: 2, channels: 1, n_static: 1 }
    }

    fn reference(&self) -> Vec<f64> {
        vec![0.0; 5]
    }

    fn scores(&self, rows: ArrayView2<f64>) -> Vec<f64> {
        let score = |x: &[f64]| 0.5 + (3.0 * (x[0] + x[2]) - (x[1] + x[3])) / 2.0 + 2.0 * x[4];
        rows.rows().into_iter().map(|x| score(&x.to_vec())).collect()
    }

    fn gradients(&self, _: ArrayView2<f64>) -> Option<Array2<f64>> {
        None
    }

    fn class_map(&self, x: &[f64]) -> Result<ClassMap, String> {
        let values = vec![3.0 * (x[0] + x[2]), -(x[1] + x[3])];
        Ok(ClassMap { height: 1, width: 2, values, of_static: vec![2.0 * x[4]], bias: 0.5 })
    }
}

fn explained(name: &str, subject: &dyn Subject, row: &[f64]) -> Attribution {
    (explainer(name).unwrap().explain)(subject, row, &Ctx::quiet()).unwrap()
}

#[track_caller]
fn close(got: f64, expected: f64, tolerance: f64) {
    assert!((got - expected).abs() <= tolerance, "{got} is not {expected}");
}

fn table() -> Table {
    let csv =
        "age,income,city,y\n20,1000,rome,no\n35,,oslo,yes\n50,3000,rome,no\n65,2500,bonn,yes\n";
    open_bytes("t.csv", csv.as_bytes(), &OpenOptions::default(), &Ctx::quiet()).unwrap()
}

fn logistic(table: &Table) -> Model {
    let names: Vec<String> = ["age", "income", "city"].map(str::to_owned).to_vec();
    let recipe = Recipe { scale: Scale::Standard, rare: 0.0, ..Recipe::default() };
    let recipe = features::fit(table, &recipe, &names, &[0, 1, 2, 3], &Ctx::quiet()).unwrap();
    let coefficients = (0..recipe.outputs.len()).map(|i| 0.5 + 0.25 * i as f64).collect();
    Model {
        kind: "logistic".into(),
        task: Task::Binary,
        target: "y".into(),
        classes: vec!["no".into(), "yes".into()],
        threshold: 0.5,
        recipe,
        sight: None,
        predictor: Predictor::Linear { intercept: -1.0, coefficients, link: Link::Logit },
        averages: None,
        reference: None,
        protected: vec![],
    }
}

#[test]
fn names_are_unique_and_every_explainer_says_what_it_is() {
    for (idx, explainer) in EXPLAINERS.iter().enumerate() {
        assert!(EXPLAINERS[..idx].iter().all(|other| other.name != explainer.name));
        assert!(!explainer.about.is_empty() && !explainer.source.is_empty());
    }
    let text = explainer("ocllusion").unwrap_err().to_string();
    assert_eq!(text, "no method `ocllusion`\nhint: did you mean `occlusion`?");
}

#[test]
fn integrated_gradients_sum_to_the_difference_of_scores() {
    for row in [[0.5, -1.0, 0.25], [2.0, 3.0, -4.0], [-1.5, 0.0, 9.0]] {
        let attribution = explained("integrated_gradients", &Curved, &row);
        close(attribution.remainder(), 0.0, 1e-3);
    }
    // The way is straight, so for x0 x1 alone each factor gets its half of what both add together.
    let attribution = explained("integrated_gradients", &Curved, &[0.5, 3.0, 0.25]);
    close(attribution.contributions[1], 2.0, 1e-9);
    close(attribution.contributions[0], 0.0, 1e-9);
}

#[test]
fn gradient_times_input_of_a_weighted_sum_is_coefficient_times_value() {
    let table = table();
    let model = logistic(&table);
    let request = Request { row: 3, method: Some("gradient_x_input".into()), class: None };
    let explanation = explain(&model, &table, &request, &Ctx::quiet()).unwrap();
    let Predictor::Linear { intercept, coefficients, .. } = &model.predictor else {
        unreachable!()
    };
    for ((got, b), x) in explanation.contributions.iter().zip(coefficients).zip(&explanation.inputs)
    {
        close(*got, b * x, 1e-12);
    }
    close(explanation.base, *intercept, 1e-12);
    close(explanation.remainder, 0.0, 1e-12);
}

#[test]
fn a_map_keeps_its_sum_and_nothing_is_left_over() {
    let attribution = explained("class_map", &Mapped, &[1.0, 2.0, 3.0, 4.0, 0.5]);
    close(attribution.remainder(), 0.0, 1e-12);
    assert_eq!(attribution.contributions, [3.0, -1.5, 3.0, -1.5, 1.0]);
    let error = (explainer("class_map").unwrap().explain)(&Curved, &[0.0; 3], &Ctx::quiet());
    assert!(error.unwrap_err().to_string().contains("no network with a global average pooling"));
}

#[test]
fn hiding_nothing_changes_nothing() {
    let attribution = explained("occlusion", &Curved, &Curved.reference());
    assert_eq!(attribution.contributions, [0.0; 3]);
    // Where inputs do not interact, hiding one shows exactly what it adds.
    let attribution = explained("occlusion", &Mapped, &[1.0, 2.0, 3.0, 4.0, 0.5]);
    assert_eq!(attribution.contributions, [1.5, -1.0, 4.5, -2.0, 1.0]);
}

#[test]
fn exact_contributions_are_measured_from_the_training_means() {
    let table = table();
    let model = logistic(&table);
    let request = Request { row: 2, ..Request::default() };
    let explanation = explain(&model, &table, &request, &Ctx::quiet()).unwrap();
    assert_eq!((explanation.method.name, explanation.space.word()), ("exact", "log_odds"));
    assert_eq!(explanation.class.as_deref(), Some("yes"));
    close(explanation.remainder, 0.0, 1e-12);
    // Row for row the means are taken off, so over the training rows nothing remains.
    let mut sums = [0.0; 3];
    let mut scores = 0.0;
    for row in 1..=4 {
        let request = Request { row, ..Request::default() };
        let explanation = explain(&model, &table, &request, &Ctx::quiet()).unwrap();
        let own = explanation.attributions.iter().map(|a| a.contribution);
        sums.iter_mut().zip(own).for_each(|(sum, own)| *sum += own);
        scores += explanation.score / 4.0;
    }
    for sum in sums {
        close(sum, 0.0, 1e-12);
    }
    close(explanation.base, scores, 1e-12);
    let [age, income, city] = explanation.attributions.as_slice() else { panic!("three columns") };
    assert_eq!((age.feature.as_str(), age.number), ("age", Some(35.0)));
    assert_eq!((income.text.as_deref(), income.number), (None, None));
    assert_eq!((city.text.as_deref(), city.number), (Some("oslo"), None));
}

#[test]
fn of_several_classes_the_predicted_one_is_explained() {
    let table = table();
    let predictor = Predictor::Softmax {
        intercepts: vec![0.0, 0.5, f64::NEG_INFINITY],
        coefficients: vec![vec![1.0; 5], vec![-1.0; 5], vec![0.0; 5]],
    };
    let classes = ["low", "middle", "high"].map(str::to_owned).to_vec();
    let model = Model { task: Task::Multiclass, classes, predictor, ..logistic(&table) };
    assert_eq!(model.recipe.outputs.len(), 5);
    for row in 1..=4 {
        let request = Request { row, ..Request::default() };
        let explanation = explain(&model, &table, &request, &Ctx::quiet()).unwrap();
        let score = model.score(&table, Some(&[row - 1]), &Ctx::quiet()).unwrap()[0];
        assert_eq!(explanation.class, Some(model.predict(score)));
        assert_eq!(explanation.space.word(), "class_score");
        close(explanation.remainder, 0.0, 1e-12);
        let other = Request { row, class: Some("low".into()), ..Request::default() };
        assert_eq!(explain(&model, &table, &other, &Ctx::quiet()).unwrap().class.unwrap(), "low");
    }
    let request = Request { row: 1, class: Some("lower".into()), ..Request::default() };
    let text = explain(&model, &table, &request, &Ctx::quiet()).unwrap_err().to_string();
    assert!(text.contains("`low`, `middle`, `high`"), "{text}");
}

#[test]
fn what_cannot_be_explained_says_why() {
    let table = table();
    let model = logistic(&table);
    let refused = |model: &Model, row: u32, method: &str| {
        let request = Request { row, method: Some(method.into()), class: None };
        explain(model, &table, &request, &Ctx::quiet()).unwrap_err().to_string()
    };
    assert!(refused(&model, 5, "exact").contains("rows 1 to 4"));
    assert!(refused(&model, 0, "exact").contains("there is no row 0"));
    assert!(refused(&model, 1, "shap").contains("no method `shap`"));
    assert!(refused(&model, 1, "class_map").contains("no network"));
    let constant = Model { kind: "baseline".into(), predictor: Predictor::Constant(0.5), ..model };
    assert!(refused(&constant, 1, "exact").contains("the same of every row"));
}

#[test]
fn the_explainers_that_fit_come_the_surest_first() {
    let table = table();
    let names = |model: &Model| fitting(model).iter().map(|own| own.name).collect::<Vec<_>>();
    let linear = logistic(&table);
    assert_eq!(names(&linear), ["exact", "integrated_gradients", "gradient_x_input", "occlusion"]);
    let constant = Model { predictor: Predictor::Constant(0.5), ..linear };
    assert!(names(&constant).is_empty());
    let known_by_scores = |own: &&Explainer| (own.fits)(&Mapped);
    let names: Vec<_> = EXPLAINERS.iter().filter(known_by_scores).map(|own| own.name).collect();
    assert_eq!(names, ["class_map", "permutation", "occlusion"]);
}

use std::sync::{Arc, Mutex};

use ndarray::Array2;

use super::{Params, Seen, fit};
use crate::jobs::{CancelToken, Ctx, MemoryShelf, Report, Shelf};
use crate::models::{Aim, Error, Fitted, Predictor};
use crate::rng::{Seed, stream};

/// Series of 16 steps whose class is whether they rise or fall, with noise.
struct Made {
    tensor: Vec<f32>,
    x: Array2<f64>,
    y: Vec<f64>,
}

fn made(n: usize) -> Made {
    let mut rng = stream(Seed(6), "series");
    let y: Vec<f64> = (0..n).map(|k| (k % 2) as f64).collect();
    let mut tensor = Vec::new();
    for class in &y {
        let slope = 2.0 * class - 1.0;
        tensor.extend((0..16).map(|t| (slope * (f64::from(t) - 7.5) / 8.0 + rng.normal()) as f32));
    }
    Made { tensor, x: Array2::zeros((n, 0)), y }
}

impl Made {
    fn seen(&self) -> Seen<'_> {
        Seen {
            tensor: &self.tensor,
            shape: [1, 16, 1],
            x: self.x.view(),
            y: &self.y,
            weights: None,
        }
    }
}

fn params() -> Params {
    let mut params = Params::new("conv 8x5 bn relu dropout 0.1 | gap | dense out".parse().unwrap());
    (params.epochs, params.batch_size, params.patience) = (12, 16, 0);
    params
}

fn network(fitted: &Fitted) -> &super::FittedNetwork {
    let Predictor::Network(network) = &fitted.predictor else { panic!("no network") };
    network
}

fn trained(params: &Params, ctx: &Ctx) -> Result<Fitted, Error> {
    let (train, valid) = (made(60), made(20));
    Ok(fit(params, Aim::Event, &train.seen(), Some(&valid.seen()), "t", ctx)?)
}

#[test]
fn a_network_learns_rising_from_falling() {
    let params = Params { epochs: 60, learning_rate: super::Rate::Given(0.01), ..params() };
    let fitted = trained(&params, &Ctx::quiet()).unwrap();
    let last = fitted.history.last().unwrap();
    // Dropout hides a tenth from the training rows, and nothing from the others.
    assert!(last.metric.unwrap() > 0.8 && last.valid_metric.unwrap() > 0.9, "{last:?}");
    assert!(last.valid_loss.unwrap() < fitted.history[0].valid_loss.unwrap());
    assert!(fitted.notes.last().unwrap().contains("all epochs"), "{:?}", fitted.notes);
    assert!(!fitted.sheet.lines.is_empty());
}

#[test]
fn patience_ends_a_training_and_the_best_weights_are_kept() {
    let params =
        Params { epochs: 400, patience: 5, learning_rate: super::Rate::Given(0.05), ..params() };
    let fitted = trained(&params, &Ctx::quiet()).unwrap();
    assert!(fitted.converged && fitted.iterations < 400, "{}", fitted.iterations);
    let best = fitted.history.iter().map(|s| s.valid_loss.unwrap()).fold(f64::MAX, f64::min);
    let valid = made(20);
    let outputs = network(&fitted).outputs(valid.x.view(), &valid.tensor);
    let losses = outputs.iter().zip(&valid.y).map(|(p, y)| -(y * p + (1.0 - y) * (1.0 - p)).ln());
    let loss = losses.sum::<f64>() / 20.0;
    assert!((loss - best).abs() < 1e-6, "{loss} {best}");
}

/// A context that stops the training after so many epochs.
fn stopping(after: usize, shelf: &Arc<dyn Shelf>) -> Ctx {
    let token = CancelToken::default();
    let stop = token.clone();
    let heard = Mutex::new(0);
    let sink = move |report| {
        if let Report::Step(progress) = report
            && progress.measured.iter().any(|(name, _)| *name == "loss")
        {
            let mut heard = heard.lock().unwrap();
            *heard = progress.done;
            if progress.done == after {
                stop.cancel();
            }
        }
    };
    Ctx::new(token, sink).on(Arc::clone(shelf))
}

#[test]
fn an_interrupted_training_ends_as_an_undisturbed_one_bit_for_bit() {
    for text in ["adam", "nesterov"] {
        let mut params = params();
        params.optimizer = text.parse().unwrap();
        params.schedule = super::ScheduleKind::Plateau;
        let undisturbed = trained(&params, &Ctx::quiet()).unwrap();
        let shelf: Arc<dyn Shelf> = Arc::new(MemoryShelf::default());
        for after in [3, 4, 9] {
            let stopped = trained(&params, &stopping(after, &shelf));
            assert!(matches!(stopped, Err(Error::Network(super::Error::Cancelled(_)))));
        }
        let resumed = trained(&params, &Ctx::quiet().on(Arc::clone(&shelf))).unwrap();
        assert!(network(&resumed) == network(&undisturbed), "{text}");
        let losses = |fitted: &Fitted| -> Vec<u64> {
            fitted.history.iter().map(|step| step.loss.to_bits()).collect()
        };
        assert_eq!(losses(&resumed), losses(&undisturbed));
        assert!(resumed.notes[0].contains("after epoch 9"), "{:?}", resumed.notes);
        assert!(shelf.take("t").is_none(), "what is finished is not unfinished any more");
    }
}

#[test]
fn a_training_that_is_ended_by_hand_keeps_what_it_has() {
    let token = CancelToken::default();
    let finish = token.clone();
    let sink = move |report| {
        if matches!(report, Report::Step(progress) if progress.done == 4) {
            finish.finish();
        }
    };
    let fitted = trained(&params(), &Ctx::new(token, sink)).unwrap();
    assert_eq!(fitted.iterations, 4);
    assert!(fitted.notes.last().unwrap().contains("by hand after epoch 4"), "{:?}", fitted.notes);
}

#[test]
fn a_rate_that_is_far_too_large_is_stopped_and_explained() {
    let params = Params {
        network: "dense 16 relu | dense 16 relu | dense out".parse().unwrap(),
        learning_rate: super::Rate::Given(1e6),
        optimizer: "sgd".parse().unwrap(),
        ..params()
    };
    let mut flat = made(60);
    flat.x = Array2::from_shape_fn((60, 4), |(row, column)| (row * 7 + column) as f64 / 60.0);
    let seen = Seen { tensor: &[], shape: [0; 3], y: &flat.x.column(0).to_vec(), ..flat.seen() };
    let error = fit(&params, Aim::Number, &seen, None, "t", &Ctx::quiet()).unwrap_err().to_string();
    assert!(error.contains("training diverged in epoch 1"), "{error}");
    assert!(error.contains("hint: use a smaller `learning_rate`, such as 1e-2"), "{error}");
}

#[test]
fn what_cannot_be_trained_is_refused_before() {
    let data = made(20);
    let refused = |network: &str, aim: Aim, seen: &Seen<'_>| {
        let params = Params { network: network.parse().unwrap(), ..params() };
        fit(&params, aim, seen, None, "t", &Ctx::quiet()).unwrap_err().to_string()
    };
    let one = Seen { y: &[1.0; 20], ..data.seen() };
    assert!(refused("gap | dense out", Aim::Event, &one).contains("of one class"));
    assert!(refused("gap | dense out", Aim::Number, &one).contains("target is the same"));
    let long = refused("conv 8x30 | gap | dense out", Aim::Event, &data.seen());
    assert!(long.contains("layer 1: the kernel of `conv 8x30` spans 30 and gets 16"), "{long}");
    let none = Seen { tensor: &[], y: &[], ..data.seen() };
    assert!(refused("gap | dense out", Aim::Event, &none).contains("cannot learn from 0 rows"));
    let mut holes = made(20);
    holes.tensor[16 * 3 + 2] = f32::NAN;
    let hole = refused("gap | dense out", Aim::Event, &holes.seen());
    assert!(hole.contains("training row 4 holds a value that is no number"), "{hole}");
}

#[test]
fn a_found_learning_rate_is_between_nothing_and_one() {
    let params = Params { learning_rate: super::Rate::Find, ..params() };
    let fitted = trained(&params, &Ctx::quiet()).unwrap();
    let rate = fitted.history[0].learning_rate.unwrap();
    assert!(1e-5 < rate && rate < 0.5, "{rate}");
    assert!(fitted.notes[0].contains("found by trying"), "{:?}", fitted.notes);
}

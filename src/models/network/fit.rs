//! Training: epoch by epoch, watched, and put aside.

use std::time::{Duration, Instant};

use super::checkpoint::Checkpoint;
use super::feed::{Fed, Seen, class_weights, feed, moments, not_finite, shape_of};
use super::finder;
use super::params::LossKind;
use super::record::{Epoch, sheet};
use super::{Error, FittedNetwork, Params, Rate};
use crate::jobs::{Cancelled, Ctx, Sheet, Team, Wish};
use crate::models::{Aim, Fitted, Predictor, Step};
use crate::nn::spec::budget;
use crate::nn::{Loss, Network, Plateau, Trainer, Training};
use crate::rng::stream;

/// A training is put aside no more often than this.
const ASIDE: Duration = Duration::from_secs(5);

/// Progress within an epoch is told no more often than this.
const TELL: Duration = Duration::from_millis(150);

/// A loss that has grown to this multiple of what it was at first will not come back.
const EXPLODED: f64 = 1e4;

/// Trains a network on `train` and watches `valid`; `name` is that of the training where unfinished
/// work is put aside.
///
/// # Errors
///
/// When the network cannot be, there is nothing to be learned from the rows, the weights run away,
/// or `ctx` is cancelled.
pub fn fit(
    params: &Params,
    aim: Aim,
    train: &Seen<'_>,
    valid: Option<&Seen<'_>>,
    name: &str,
    ctx: &Ctx,
) -> Result<Fitted, Error> {
    let n_rows = train.y.len();
    if n_rows < 2 {
        return Err(Error::TooFewRows { rows: n_rows });
    }
    let (loss, n_out) = match aim {
        Aim::Number if params.loss == LossKind::Huber => (Loss::Huber { delta: 1.0 }, 1),
        Aim::Number => (Loss::Squared, 1),
        Aim::Event => (Loss::BinaryCrossEntropy, 1),
        Aim::Classes(n) => (Loss::SoftmaxCrossEntropy, n),
    };
    if train.y.iter().all(|y| *y == train.y[0]) {
        return Err(if aim == Aim::Number { Error::ConstantTarget } else { Error::OneClass });
    }
    let (offset, scale) = if aim == Aim::Number { moments(train.y) } else { (0.0, 1.0) };
    let (input, n_static) = shape_of(train);
    let batch_size = params.batch_of(n_rows);
    let traced = params.network.trace(input, n_static, n_out).map_err(Error::Mistake)?;
    let needs = budget(&traced, n_rows, batch_size, 1e11).bytes;
    let may = crate::features::memory_budget();
    if needs > may {
        return Err(Error::TooLarge { bytes: needs, budget: may });
    }
    let class_weights = class_weights(params.class_weight, aim, train.y);
    let fed = |seen: &Seen<'_>| feed(seen, offset, scale, class_weights.as_deref());
    let fed_train = fed(train);
    if let Some(row) = not_finite(&fed_train, n_rows) {
        return Err(Error::NotFinite { rows: "training", row: row + 1 });
    }
    let fed_valid = valid.filter(|valid| !valid.y.is_empty()).map(fed);
    if let (Some(fed), Some(valid)) = (&fed_valid, valid)
        && let Some(row) = not_finite(fed, valid.y.len())
    {
        return Err(Error::NotFinite { rows: "validation", row: row + 1 });
    }
    let network = Network::new(&params.network, input, n_static, n_out, params.seed)
        .map_err(Error::Mistake)?;
    let mut loop_ = Loop {
        params,
        loss,
        scale,
        team: Team::of_all(),
        train: fed_train,
        valid: fed_valid,
        batch_size,
        name,
        ctx,
    };
    loop_.run(network, offset)
}

struct Loop<'a> {
    params: &'a Params,
    loss: Loss,
    scale: f64,
    team: Team,
    train: Fed,
    valid: Option<Fed>,
    batch_size: usize,
    name: &'a str,
    ctx: &'a Ctx,
}

/// Where a training stands.
struct Course {
    rate: f64,
    plateau: Plateau,
    best: (Vec<f32>, Vec<f32>),
    best_epoch: usize,
    best_loss: f64,
    history: Vec<Epoch>,
    notes: Vec<String>,
}

impl Loop<'_> {
    fn run(&mut self, network: Network<f32>, offset: f64) -> Result<Fitted, Error> {
        let training = Training {
            loss: self.loss,
            rule: self.params.rule(),
            weight_decay: self.params.weight_decay,
            clip: self.params.clip_norm,
            chance: stream(self.params.seed, "dropout").next_u64(),
        };
        let aside = self.ctx.shelf().and_then(|shelf| Checkpoint::of(&shelf.take(self.name)?));
        let mut trainer = Trainer::new(network, training, self.batch_size);
        let aside = aside.filter(|aside| aside.is_of(&trainer));
        let mut course = match aside {
            Some(aside) => self.take_up(&mut trainer, aside),
            None => self.begin(&trainer, training)?,
        };
        let epochs = self.params.epochs;
        let mut put_aside = Instant::now();
        let mut finished = "all epochs were trained".to_owned();
        let mut converged = false;
        for epoch in course.history.len() + 1..=epochs {
            if self.is_over(&course) {
                converged = true;
                finished = format!(
                    "stopped early: no progress for {} epochs; the weights are those of epoch {}",
                    self.params.patience, course.best_epoch
                );
                break;
            }
            let wish = self.ctx.rest()?;
            if wish == Wish::Finish && course.best_epoch > 0 {
                finished = format!("ended by hand after epoch {}", epoch - 1);
                break;
            }
            let ended = self.epoch(&mut trainer, &mut course, epoch)?;
            if !ended {
                finished = format!("ended by hand in epoch {epoch}");
                break;
            }
            if put_aside.elapsed() >= ASIDE || epoch == 1 {
                put_aside = Instant::now();
                self.put_aside(&trainer, &course);
            }
            let last = course.history[course.history.len() - 1];
            let per_second = self.train.y.len() as f64 / seconds_of(&course.history).max(1e-9);
            self.ctx.sheet(sheet(&trainer));
            let told = self.ctx.step(epoch, epochs, last.measured(epochs, per_second));
            if told.is_err() {
                self.put_aside(&trainer, &course);
                return Err(Cancelled.into());
            }
        }
        Ok(self.end(trainer, course, offset, converged, finished))
    }

    fn begin(&self, trainer: &Trainer<f32>, training: Training) -> Result<Course, Error> {
        let network = trainer.network();
        let mut notes = Vec::new();
        let rate = match self.params.learning_rate {
            Rate::Given(rate) => rate,
            Rate::Auto => self.params.usual_rate(),
            Rate::Find => {
                self.ctx.note("finding the learning rate");
                let (rows, size, seed) = (self.train.rows(), self.batch_size, self.params.seed);
                let found =
                    finder::find(network, training, rows, size, seed, &self.team, self.ctx)?;
                self.ctx.note("fitting");
                notes.push(match found {
                    Some(rate) => format!("the learning rate {rate:e} was found by trying"),
                    None => "no learning rate was found by trying: the usual one is taken".into(),
                });
                found.unwrap_or(self.params.usual_rate())
            }
        };
        Ok(Course {
            rate,
            plateau: Plateau::default(),
            best: (network.params.to_vec(), network.state.clone()),
            best_epoch: 0,
            best_loss: f64::INFINITY,
            history: Vec::new(),
            notes,
        })
    }

    /// Goes on from what was put aside.
    fn take_up(&self, trainer: &mut Trainer<f32>, aside: Checkpoint) -> Course {
        trainer.resume(&aside.params, &aside.state, aside.memory);
        let epoch = aside.history.len();
        self.ctx.note("resumed");
        for epoch in &aside.history {
            // Nobody is asked to stop by what is already done.
            let _ = self.ctx.step(
                epoch.number,
                self.params.epochs,
                epoch.measured(self.params.epochs, f64::NAN),
            );
        }
        Course {
            rate: aside.rate,
            plateau: aside.plateau,
            best: aside.best,
            best_epoch: aside.best_epoch,
            best_loss: aside.best_loss,
            history: aside.history,
            notes: vec![format!("the training was interrupted and went on after epoch {epoch}")],
        }
    }

    fn put_aside(&self, trainer: &Trainer<f32>, course: &Course) {
        let Some(shelf) = self.ctx.shelf() else { return };
        let network = trainer.network();
        let checkpoint = Checkpoint {
            params: network.params.to_vec(),
            state: network.state.clone(),
            memory: trainer.memory().clone(),
            best: course.best.clone(),
            best_epoch: course.best_epoch,
            best_loss: course.best_loss,
            plateau: course.plateau,
            rate: course.rate,
            history: course.history.clone(),
        };
        let kept = checkpoint.bytes().and_then(|bytes| shelf.put(self.name, &bytes));
        if let Err(error) = kept {
            self.ctx.note(format!("the training could not be put aside: {error}"));
        }
    }

    fn is_over(&self, course: &Course) -> bool {
        let patience = self.params.patience;
        patience > 0 && course.history.len() >= course.best_epoch + patience
    }

    /// One pass over the rows; false if it was ended by hand before any epoch was complete.
    fn epoch(
        &self,
        trainer: &mut Trainer<f32>,
        course: &mut Course,
        epoch: usize,
    ) -> Result<bool, Error> {
        let (begin, mut told) = (Instant::now(), Instant::now());
        let n = self.train.y.len();
        let mut rng = stream(self.params.seed, &format!("shuffle {epoch}"));
        let order: Vec<u32> = rng.permutation(n).into_iter().map(|row| row as u32).collect();
        let n_batches = n.div_ceil(self.batch_size);
        let (mut loss, mut fit, mut weight, mut grad) = (0.0, 0.0, 0.0, 0.0_f64);
        let mut rate = course.rate;
        let mut from = 0;
        for batch in 0..n_batches {
            // Batches of nearly one size, so that the last is not much smaller than the others.
            let to = (batch + 1) * n / n_batches;
            let done = (epoch - 1) as f64 + batch as f64 / n_batches as f64;
            let share = self.params.course().share(
                done / self.params.epochs as f64,
                self.params.warm_up,
                course.plateau.share,
            );
            rate = course.rate * share;
            let rows = self.train.rows();
            let (team, part) = (&self.team, &order[from..to]);
            let outcome = team.enter(|| trainer.step(rows, part, rate, team));
            from = to;
            loss += outcome.loss;
            fit += outcome.fit;
            weight += outcome.weight;
            grad = grad.max(outcome.grad_norm);
            self.check_course(course, &outcome, epoch, rate)?;
            if told.elapsed() >= TELL && batch + 1 < n_batches {
                told = Instant::now();
                let measured = vec![
                    ("batch", (batch + 1) as f64),
                    ("batches", n_batches as f64),
                    ("epoch", epoch as f64),
                    ("epochs", self.params.epochs as f64),
                    ("rows_per_second", to as f64 / begin.elapsed().as_secs_f64()),
                ];
                self.ctx.step(epoch - 1, self.params.epochs, measured)?;
            }
            let wish = self.ctx.rest()?;
            if wish == Wish::Finish && course.best_epoch == 0 {
                let network = trainer.network();
                course.best = (network.params.to_vec(), network.state.clone());
                return Ok(false);
            }
        }
        let of_classes = self.loss.is_of_classes();
        let metric = |fit: f64, weight: f64| (of_classes && weight > 0.0).then(|| fit / weight);
        let (valid_loss, valid_metric) = match &self.valid {
            Some(valid) => {
                let (loss, fit, weight) = self.judge(trainer.network(), valid);
                (Some(loss / weight * self.unit()), metric(fit, weight))
            }
            None => (None, None),
        };
        let spent = course.history.last().map_or(0.0, |last| last.seconds);
        let own_loss = loss / weight.max(f64::MIN_POSITIVE) * self.unit();
        let watched = valid_loss.unwrap_or(own_loss);
        course.history.push(Epoch {
            number: epoch,
            loss: own_loss,
            metric: metric(fit, weight),
            valid_loss,
            valid_metric,
            rate,
            grad_norm: grad,
            seconds: spent + begin.elapsed().as_secs_f64(),
        });
        course.plateau.hear(self.params.course(), watched);
        if watched < course.best_loss {
            course.best_loss = watched;
            course.best_epoch = epoch;
            course.best.0.copy_from_slice(&trainer.network().params);
            course.best.1.copy_from_slice(&trainer.network().state);
        }
        Ok(true)
    }

    /// Losses of a numeric target are told in its own units.
    fn unit(&self) -> f64 {
        if self.loss.is_of_classes() { 1.0 } else { self.scale * self.scale }
    }

    fn check_course(
        &self,
        course: &Course,
        outcome: &crate::nn::Outcome,
        epoch: usize,
        rate: f64,
    ) -> Result<(), Error> {
        let loss = outcome.loss / outcome.weight.max(f64::MIN_POSITIVE);
        let begin = course.history.first().map_or(f64::INFINITY, |first| first.loss / self.unit());
        let what = if !loss.is_finite() {
            "the loss is no number any more".to_owned()
        } else if !outcome.grad_norm.is_finite() {
            "the gradient is no number any more".to_owned()
        } else if loss > EXPLODED * begin.max(1.0) {
            format!("the loss has grown to {loss:.3e}")
        } else {
            return Ok(());
        };
        Err(Error::Diverged { epoch, what, rate })
    }

    /// Sums of losses, of what is right, and of weights, over rows that are only watched.
    fn judge(&self, network: &Network<f32>, fed: &Fed) -> (f64, f64, f64) {
        let outputs = network.outputs(&fed.x, &fed.statics, &self.team);
        let (mut loss, mut fit, mut total) = (0.0, 0.0, 0.0);
        for (idx, row) in outputs.chunks_exact(network.n_out).enumerate() {
            let weight = fed.weight.as_ref().map_or(1.0, |weight| f64::from(weight[idx]));
            let (of_row, right) = self.loss.of(row, fed.y[idx]);
            loss += weight * of_row;
            fit += weight * right;
            total += weight;
        }
        (loss, fit, total.max(f64::MIN_POSITIVE))
    }

    fn end(
        &self,
        trainer: Trainer<f32>,
        course: Course,
        offset: f64,
        converged: bool,
        finished: String,
    ) -> Fitted {
        let last_sheet: Sheet = sheet(&trainer);
        let mut network = trainer.into_network();
        network.params.copy_from_slice(&course.best.0);
        network.state = course.best.1;
        if let Some(shelf) = self.ctx.shelf() {
            shelf.forget(self.name);
        }
        let step = |epoch: &Epoch| Step {
            iteration: epoch.number,
            loss: epoch.loss,
            valid_loss: epoch.valid_loss,
            metric: epoch.metric,
            valid_metric: epoch.valid_metric,
            learning_rate: Some(epoch.rate),
            grad_norm: Some(epoch.grad_norm),
            seconds: Some(epoch.seconds),
        };
        let mut notes = course.notes;
        if self.valid.is_none() {
            notes.push(
                "without validation rows the training loss says which epoch is kept: a share of \
                 them is set by `valid`"
                    .into(),
            );
        }
        notes.push(finished);
        let fitted = FittedNetwork::new(network, self.loss, offset, self.scale);
        Fitted {
            predictor: Predictor::Network(Box::new(fitted)),
            inference: None,
            warnings: Vec::new(),
            notes,
            sheet: last_sheet,
            iterations: course.history.len(),
            history: course.history.iter().map(step).collect(),
            converged,
        }
    }
}

/// Seconds that the last epoch took.
fn seconds_of(history: &[Epoch]) -> f64 {
    match history {
        [.., before, last] => last.seconds - before.seconds,
        [only] => only.seconds,
        [] => 0.0,
    }
}

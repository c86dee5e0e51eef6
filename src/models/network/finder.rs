//! The learning rate, found by trying ever larger ones.

use crate::jobs::{Cancelled, Ctx, Team};
use crate::nn::{Network, Rows, Trainer, Training};
use crate::rng::{Seed, stream};

/// The smallest and the largest rate that are tried.
const RANGE: (f64, f64) = (1e-6, 1.0);
/// Steps from one to the other.
const STEPS: usize = 80;

/// Tries rates that grow from step to step and returns a tenth of the one at which the smoothed
/// loss was lowest, or a third of the one at which it fell most steeply, whichever is smaller
/// (Smith, 2017). `None` if the loss never fell.
pub(super) fn find(
    network: &Network<f32>,
    training: Training,
    rows: Rows<'_, f32>,
    batch_size: usize,
    seed: Seed,
    team: &Team,
    ctx: &Ctx,
) -> Result<Option<f64>, Cancelled> {
    let mut trainer = Trainer::new(network.clone(), training, batch_size);
    let mut rng = stream(seed, "find");
    let n = rows.y.len();
    let (mut order, mut at) = (rng.permutation(n), 0);
    let (mut smooth, mut first) = (None, None);
    let (mut lowest, mut steepest) = ((f64::INFINITY, 0.0), (0.0, 0.0));
    let mut batch: Vec<u32> = Vec::with_capacity(batch_size);
    for step in 0..STEPS {
        ctx.check()?;
        let rate = RANGE.0 * (RANGE.1 / RANGE.0).powf(step as f64 / (STEPS - 1) as f64);
        batch.clear();
        while batch.len() < batch_size.min(n) {
            if at == n {
                (order, at) = (rng.permutation(n), 0);
            }
            batch.push(order[at] as u32);
            at += 1;
        }
        let outcome = trainer.step(rows, &batch, rate, team);
        let loss = outcome.loss / outcome.weight.max(f64::MIN_POSITIVE);
        if !loss.is_finite() {
            break;
        }
        let before = smooth.unwrap_or(loss);
        let now = 0.9 * before + 0.1 * loss;
        smooth = Some(now);
        let begin = *first.get_or_insert(loss);
        if now < lowest.0 {
            lowest = (now, rate);
        }
        // The first steps only fill the average.
        if step > 10 && now - before < steepest.0 {
            steepest = (now - before, rate);
        }
        if now > 4.0 * begin {
            break;
        }
    }
    let found = (lowest.1 / 10.0).min(if steepest.1 > 0.0 { steepest.1 / 3.0 } else { f64::MAX });
    Ok((lowest.1 > RANGE.0 && found > 0.0).then(|| {
        // Two digits, so that it can be typed again.
        format!("{found:.1e}").parse().unwrap_or(found)
    }))
}

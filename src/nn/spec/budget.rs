//! What a training will take, estimated before it starts.

use super::Traced;

/// Memory and time of a training.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budget {
    /// Weights.
    pub n_params: usize,
    /// Bytes of weights, gradients, moments of the optimiser and the values of one batch.
    pub bytes: u64,
    /// Seconds for one pass over the rows, at the speed of this machine.
    pub epoch_seconds: f64,
}

/// Arithmetic of a step in multiples of the forward one: forward, gradient of the weights,
/// gradient of the input.
const STEP: f64 = 3.0;

/// Bytes that pass through memory for each value of a layer in a step, beyond the matrix products.
const TRAFFIC: f64 = 40.0;

/// Estimates a training of the traced layers over `n_rows` rows in batches, on a machine that
/// carries out `flops` multiplications and additions a second in all its threads.
///
/// The estimate counts arithmetic and memory traffic alone; it is right within a factor of two.
pub fn budget(lines: &[Traced], n_rows: usize, batch_size: usize, flops: f64) -> Budget {
    const BYTES_A_SECOND: f64 = 8e9;
    let n_params: usize = lines.iter().map(|line| line.n_params).sum();
    let n_values: usize = lines.iter().map(|line| line.output.len()).sum::<usize>()
        + lines.first().map_or(0, |line| line.input.len());
    let batch = batch_size.min(n_rows).max(1);
    // Weights, two moments, and a gradient for each of four shards; values and their gradients.
    let bytes = 4 * (7 * n_params + 2 * batch * n_values) as u64;
    let n_steps = n_rows.div_ceil(batch) as f64;
    let arithmetic: f64 = lines.iter().map(|line| line.flops).sum();
    let row = STEP * arithmetic / flops + n_values as f64 * TRAFFIC / BYTES_A_SECOND;
    let update = n_params as f64 * 2e-9 + 20e-6;
    Budget { n_params, bytes, epoch_seconds: n_rows as f64 * row + n_steps * update }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::spec::{NetworkSpec, Shape};

    #[test]
    fn more_rows_take_longer_and_larger_batches_more_memory() {
        let fcn = "conv 128x8 bn relu | conv 256x5 bn relu | conv 128x3 bn relu | gap | dense out";
        let lines = fcn.parse::<NetworkSpec>().unwrap().trace(Shape::series(150, 1), 0, 2).unwrap();
        let small = budget(&lines, 64, 16, 1e11);
        let large = budget(&lines, 6_400, 64, 1e11);
        assert!(large.epoch_seconds > 90.0 * small.epoch_seconds && large.bytes > small.bytes);
        // One step of 64 rows is measured at 0.16 s on one core of 1e11 operations a second.
        let step = budget(&lines, 64, 64, 1e11).epoch_seconds;
        assert!((0.1..0.3).contains(&step), "{step}");
    }
}

//! Arithmetic on slices in eight lanes: fast, and always summed in the same order.

const LANES: usize = 8;

/// The sum of the numbers.
pub(super) fn sum(a: &[f64]) -> f64 {
    let mut lanes = [0.0; LANES];
    let (body, rest) = a.as_chunks::<LANES>();
    for chunk in body {
        for (lane, a) in lanes.iter_mut().zip(chunk) {
            *lane += a;
        }
    }
    total(lanes) + rest.iter().sum::<f64>()
}

/// The inner product of two slices of the same length.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; LANES];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (a, b) in a.iter().zip(b) {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += a * b;
        }
    }
    total(lanes) + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f64>()
}

/// Adds `factor * x` to `to`.
pub(super) fn add_scaled(to: &mut [f64], factor: f64, x: &[f64]) {
    for (to, x) in to.iter_mut().zip(x) {
        *to += factor * x;
    }
}

/// The largest absolute value, 0 for none.
pub(super) fn max_abs(a: &[f64]) -> f64 {
    a.iter().fold(0.0, |max, a| a.abs().max(max))
}

fn total(lanes: [f64; LANES]) -> f64 {
    let [a, b, c, d, e, f, g, h] = lanes;
    ((a + e) + (b + f)) + ((c + g) + (d + h))
}

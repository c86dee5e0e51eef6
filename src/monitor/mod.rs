//! x
pub mod counts;
pub mod distance;
#[cfg(test)]
mod fixtures;
pub mod two_samples;

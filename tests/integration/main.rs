//! What can be tested from outside only. All of it is one binary, so that polars is linked once.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod architecture;
mod command_line;
mod deciding;
mod exports;
mod networks;
mod place;
mod refusals;
mod screen;
mod serving;
mod training;

//! Tables: reading them in, what is known of their columns, and how their rows are divided.
//!
//! A [`Table`] is a polars frame with a [`Column`] for each thing a person sees. The room finds
//! out how a file is written ([`open`]), what its columns are, what is wrong with them
//! ([`profile`], [`findings`]), and divides the rows ([`split`]). It knows nothing of models.

mod convert;
mod error;
mod schema;
mod table;

pub use error::{Error, nearest};
pub use schema::{Column, Kind, Overrides, Personal, Protected, Role};
pub use table::{Levels, Origin, ROW, Table};

//! Tables: reading them in, what is known of their columns, and how their rows are divided.
//!
//! A [`Table`] is a polars frame with a [`Column`] for each thing a person sees. The room finds
//! out how a file is written ([`open`]), what its columns are, what is wrong with them
//! ([`profile()`], [`findings()`]), and divides the rows ([`split()`]). It knows nothing of models.

mod ahead;
mod calendar;
mod convert;
mod correlation;
mod error;
mod expr;
mod find;
mod findings;
mod infer;
mod parse;
pub mod privacy;
mod profile;
mod samples;
mod schema;
mod sequence;
mod source;
mod split;
mod sql;
mod steps;
mod table;
mod target;
mod task;
#[cfg(test)]
mod testing;
mod view;
mod write;

pub use ahead::{Ahead, Form};
pub use calendar::text as date_text;
pub use correlation::{Correlation, Matrix, associations, correlations};
pub use error::{Error, nearest};
pub use find::find;
pub use findings::{Finding, FindingKind, Remedy, RemedyAction, Severity, findings};
pub use infer::{Strays, apply_overrides, describe, strays, truth_word};
pub use parse::{Format, Order, Reading, days_of, is_missing, truth_of};
pub use profile::{
    Bin, ColumnProfile, Measure, Outliers, Relation, number_text, profile, profile_column,
};
pub use samples::{SAMPLES, Sample, sample};
pub use schema::{Column, Kind, Overrides, Personal, Protected, Role};
pub use sequence::Sequence;
pub use source::{OpenOptions, head, open, open_bytes, open_stdin};
pub use split::{Fold, Method, Split, SplitSpec, folds, split};
pub use sql::sql;
pub use steps::{Step, apply, check_filter};
pub use table::{Levels, Origin, ROW, Table};
pub use target::Target;
pub use task::{Task, positive_class, task_of};
pub use view::{Sort, View, order};
pub use write::{Added, FileFormat, Values, to_bytes, write};

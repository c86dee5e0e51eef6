//! Why a model says what it says of one row: one interface over all families of models.
//!
//! A [`Subject`] is what an explainer may ask of a model: scores, gradients, coefficients, the map
//! before a global pooling. The table [`EXPLAINERS`] lists what can be done with the answers; each
//! entry turns a row into an [`Attribution`], and [`explain`] brings that back to the columns of a
//! table. Explainers know subjects alone and no family; only [`families`] knows those.

mod attribution;
mod error;
mod exact;
mod explanation;
mod families;
mod gradients;
mod map;
mod network;
mod occlusion;
pub mod permutation;
mod reasons;
mod subject;
mod table;
#[cfg(test)]
mod tests;

pub use attribution::Attribution;
pub use error::Error;
pub use explanation::{Attributed, Explanation, Request, Space, Told, explain, explain_inputs};
pub use reasons::{Adverse, Background, MOST as MOST_REASONS, Reason, Reasoner, Reasons};
pub use subject::{ClassMap, Layout, Subject};
pub use table::{EXPLAINERS, Explainer, explainer, fitting};

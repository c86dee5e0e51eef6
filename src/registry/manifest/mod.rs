//! What stands in the files of a workspace, apart from the types that the program works with.
//!
//! Every stored type is converted by hand, so that a rename elsewhere cannot break a file that
//! was written last year. A field may be added with a default; none is renamed or removed.

mod averages;
mod model;
mod network;
mod number;
mod recipe;
mod reference;
mod run;
mod sight;

pub(super) use model::{FORMAT, StoredFile, StoredVersion};
pub(super) use run::{Parts, StoredRun, StoredSummary};

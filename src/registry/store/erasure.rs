//! Erasures from the log of predictions, told in the log of decisions without a word on whom.

use serde_json::{Value, json};

use super::{Actor, Change, Store};
use crate::registry::Error;

impl Store {
    /// Notes that so many predictions of a subject were erased. The subject is told by the hash
    /// under which the log knew it, which needs the key of the log to be found again.
    pub fn note_erasure(
        &self,
        hash: &str,
        n_predictions: usize,
        actor: &Actor,
        why: &str,
    ) -> Result<i64, Error> {
        self.write(|transaction| {
            Change {
                actor,
                action: "erase",
                model: "",
                subject: hash.to_owned(),
                before: Value::Null,
                after: json!({ "predictions": n_predictions }),
                why,
            }
            .log(transaction)
        })
    }
}

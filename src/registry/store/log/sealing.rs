//! Once sealed, always sealed: what is written later is encrypted without being asked for, and what
//! was written before is encrypted by and by.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::Seal;

/// Rows that are sealed at once.
const PART: i64 = 500;

/// Whether a log is sealed: from the first time on that it was asked for.
pub(super) fn settle(connection: &Connection, asked: bool) -> rusqlite::Result<bool> {
    let sql = "CREATE TABLE IF NOT EXISTS sealing (one INTEGER PRIMARY KEY CHECK (one = 1))";
    connection.execute(sql, [])?;
    // Older programs sealed without writing it down.
    let sql = "SELECT sealed FROM predictions ORDER BY at_ms DESC LIMIT 1";
    let latest: Option<bool> = connection.query_row(sql, [], |row| row.get(0)).optional()?;
    if asked || latest == Some(true) {
        connection.execute("INSERT OR IGNORE INTO sealing (one) VALUES (1)", [])?;
    }
    connection.query_row("SELECT EXISTS (SELECT 1 FROM sealing)", [], |row| row.get(0))
}

/// Where the sealing of older rows has come to.
#[derive(Debug, Default)]
pub(super) enum Rest {
    /// Predictions up to this id.
    Predictions(String),
    /// Labels up to this id.
    Labels(String),
    /// All of them.
    #[default]
    Nothing,
}

impl Rest {
    /// From the beginning.
    pub(super) fn all() -> Self {
        Self::Predictions(String::new())
    }

    /// Seals a part of what is left. What a row says stays the same.
    pub(super) fn seal_part(
        &mut self,
        connection: &mut Connection,
        seal: &Seal,
    ) -> rusqlite::Result<()> {
        let (found, to, next) = match self {
            Self::Predictions(after) => {
                (predictions(connection, after)?, "predictions", Self::Labels(String::new()))
            }
            Self::Labels(after) => (labels(connection, after)?, "labels", Self::Nothing),
            Self::Nothing => return Ok(()),
        };
        let update = match to {
            "labels" => "UPDATE labels SET value = ?, sealed = 1 WHERE id = ? AND sealed = 0",
            _ => {
                "UPDATE predictions SET payload = ?, score = NULL, decision = NULL, sealed = 1 \
                 WHERE id = ? AND sealed = 0"
            }
        };
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for (id, bytes) in &found {
            // What cannot be sealed is tried again when the log is opened next.
            let Some(sealed) = seal.seal(id, bytes) else { continue };
            transaction.prepare_cached(update)?.execute(params![sealed, id])?;
        }
        transaction.commit()?;
        match (self, found.into_iter().last()) {
            (Self::Predictions(after) | Self::Labels(after), Some((id, _))) => *after = id,
            (own, _) => *own = next,
        }
        Ok(())
    }
}

/// The next predictions that are not sealed, with what their payload is to be.
fn predictions(connection: &Connection, after: &str) -> rusqlite::Result<Vec<(String, Vec<u8>)>> {
    let sql = "SELECT id, score, decision, payload FROM predictions \
               WHERE sealed = 0 AND id > ? ORDER BY id LIMIT ?";
    let mut query = connection.prepare_cached(sql)?;
    let rows = query.query_map(params![after, PART], |row| {
        let (score, decision): (Option<f64>, Option<String>) = (row.get(1)?, row.get(2)?);
        let inputs: Vec<u8> = row.get(3)?;
        let said = serde_json::to_string(&(score, decision.unwrap_or_default()));
        // The payload is JSON already, and comes last in the array of all three.
        let said = said.unwrap_or_default();
        let all = [said.trim_end_matches(']').as_bytes(), b",", &inputs, b"]"].concat();
        Ok((row.get(0)?, all))
    })?;
    rows.collect()
}

/// The next labels that are not sealed.
fn labels(connection: &Connection, after: &str) -> rusqlite::Result<Vec<(String, Vec<u8>)>> {
    let sql = "SELECT id, value FROM labels WHERE sealed = 0 AND id > ? ORDER BY id LIMIT ?";
    let mut query = connection.prepare_cached(sql)?;
    let rows = query.query_map(params![after, PART], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

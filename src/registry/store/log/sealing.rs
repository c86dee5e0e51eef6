//! Once sealed, always sealed: what is written later is encrypted without being asked for, and what
//! was written before is encrypted by and by.

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::{Seal, read};

/// Rows that are sealed at once.
const PART: i64 = 500;

/// Whether a log is sealed, from the first time on that it was asked for, and what is left of the
/// rows from before.
pub(super) fn settle(connection: &Connection, asked: bool) -> rusqlite::Result<Option<Rest>> {
    let sql = "CREATE TABLE IF NOT EXISTS sealing \
               (one INTEGER PRIMARY KEY CHECK (one = 1), done INTEGER NOT NULL)";
    connection.execute(sql, [])?;
    // Older programs sealed without writing it down.
    let sql = "SELECT sealed FROM predictions ORDER BY at_ms DESC LIMIT 1";
    let latest: Option<bool> = connection.query_row(sql, [], |row| row.get(0)).optional()?;
    if asked || latest == Some(true) {
        connection.execute("INSERT OR IGNORE INTO sealing (one, done) VALUES (1, 0)", [])?;
    }
    let sql = "SELECT done FROM sealing";
    let done: Option<bool> = connection.query_row(sql, [], |row| row.get(0)).optional()?;
    Ok(done.map(|done| if done { Rest::Nothing } else { Rest::Predictions(String::new()) }))
}

/// Where the sealing of older rows has come to.
#[derive(Debug)]
pub(super) enum Rest {
    /// Predictions up to this id.
    Predictions(String),
    /// Labels up to this id.
    Labels(String),
    /// All of them.
    Nothing,
}

impl Rest {
    /// Seals a part of what is left. What a row says stays the same.
    pub(super) fn seal_part(
        &mut self,
        connection: &mut Connection,
        seal: &Seal,
    ) -> rusqlite::Result<()> {
        // Nearly always: the writer comes by here with every batch, and must not wait for a lock.
        if matches!(self, Self::Nothing) {
            return Ok(());
        }
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let next = match self {
            Self::Predictions(after) => match predictions(&transaction, seal, after)? {
                Some(last) => Self::Predictions(last),
                None => Self::Labels(String::new()),
            },
            Self::Labels(after) => match labels(&transaction, seal, after)? {
                Some(last) => Self::Labels(last),
                None => Self::Nothing,
            },
            Self::Nothing => return Ok(()),
        };
        let is_done = matches!(next, Self::Nothing);
        if is_done {
            transaction.execute("UPDATE sealing SET done = 1", [])?;
        }
        transaction.commit()?;
        if is_done {
            // What was plain is to leave the journal too; a reader may hold it for a moment.
            let _ = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        }
        *self = next;
        Ok(())
    }
}

/// Seals the next predictions and returns the id of the last; nothing where there are none.
fn predictions(
    transaction: &Transaction<'_>,
    seal: &Seal,
    after: &str,
) -> rusqlite::Result<Option<String>> {
    type Said = (String, Option<f64>, Option<String>, Vec<u8>, Option<String>);
    let sql = "SELECT p.id, p.score, p.decision, p.payload, s.names FROM predictions p \
               LEFT JOIN column_sets s ON s.id = p.columns \
               WHERE p.sealed = 0 AND p.id > ? ORDER BY p.id LIMIT ?";
    let mut query = transaction.prepare_cached(sql)?;
    let rows = query.query_map(params![after, PART], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
    })?;
    let mut last = None;
    for (id, score, decision, payload, names) in rows.collect::<rusqlite::Result<Vec<Said>>>()? {
        // Inputs that cannot be read are as little to a reader of the plain row.
        let inputs = read::inputs(names, &payload);
        let all = serde_json::to_vec(&(score, decision.unwrap_or_default(), inputs));
        let sealed = all.ok().and_then(|all| seal.seal(&id, &all)).ok_or_else(no_seal)?;
        let sql = "UPDATE predictions SET payload = ?, score = NULL, decision = NULL, sealed = 1, \
                   columns = NULL WHERE id = ?";
        transaction.prepare_cached(sql)?.execute(params![sealed, id])?;
        last = Some(id);
    }
    Ok(last)
}

/// The same for labels.
fn labels(
    transaction: &Transaction<'_>,
    seal: &Seal,
    after: &str,
) -> rusqlite::Result<Option<String>> {
    let sql = "SELECT id, value FROM labels WHERE sealed = 0 AND id > ? ORDER BY id LIMIT ?";
    let mut query = transaction.prepare_cached(sql)?;
    let rows = query.query_map(params![after, PART], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut last = None;
    for (id, value) in rows.collect::<rusqlite::Result<Vec<(String, Vec<u8>)>>>()? {
        let sealed = seal.seal(&id, &value).ok_or_else(no_seal)?;
        let sql = "UPDATE labels SET value = ?, sealed = 1 WHERE id = ?";
        transaction.prepare_cached(sql)?.execute(params![sealed, id])?;
        last = Some(id);
    }
    Ok(last)
}

/// The system has no random numbers at this moment: nothing is changed, and it is tried again.
fn no_seal() -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure("there are no random numbers".into())
}

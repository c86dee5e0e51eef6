//! Windows: what monitoring found, kept for the screen and for reports.

use rusqlite::{Row, params};
use serde::Serialize;
use serde_json::Value;

use super::Store;
use crate::registry::Error;

/// A window of monitoring, as it was stored.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StoredWindow {
    /// The model.
    pub model: String,
    /// Its version.
    pub version: u32,
    /// When it ended, in milliseconds since 1970.
    pub to_ms: i64,
    /// What was found, in JSON.
    pub report: Value,
}

/// Windows of a version that are kept.
const WINDOWS: i64 = 500;

impl Store {
    /// Keeps what a window showed.
    pub fn keep_window(
        &self,
        model: &str,
        version: u32,
        to_ms: i64,
        report: &Value,
    ) -> Result<(), Error> {
        self.write(|transaction| {
            let sql =
                "INSERT OR REPLACE INTO windows (model, version, to_ms, report) VALUES (?,?,?,?)";
            transaction.execute(sql, params![model, version, to_ms, report.to_string()])?;
            let sql = "DELETE FROM windows WHERE model = ?1 AND version = ?2 AND to_ms <= (SELECT \
                       to_ms FROM windows WHERE model = ?1 AND version = ?2 ORDER BY to_ms DESC \
                       LIMIT 1 OFFSET ?3)";
            transaction.execute(sql, params![model, version, WINDOWS])?;
            Ok(())
        })
    }

    /// The latest windows of a version, oldest first; of all versions when none is given.
    pub fn windows(
        &self,
        model: &str,
        version: Option<u32>,
        limit: u32,
    ) -> Result<Vec<StoredWindow>, Error> {
        let sql = "SELECT model, version, to_ms, report FROM windows WHERE model = ?1 AND \
                   (?2 IS NULL OR version = ?2) ORDER BY to_ms DESC LIMIT ?3";
        let mut windows = self.read(|connection| {
            let row = |row: &Row<'_>| {
                let text: String = row.get(3)?;
                Ok(StoredWindow {
                    model: row.get(0)?,
                    version: row.get(1)?,
                    to_ms: row.get(2)?,
                    report: serde_json::from_str(&text).unwrap_or_default(),
                })
            };
            let mut query = connection.prepare_cached(sql)?;
            query
                .query_map(params![model, version, limit], row)?
                .collect::<rusqlite::Result<Vec<_>>>()
        })?;
        windows.reverse();
        Ok(windows)
    }
}

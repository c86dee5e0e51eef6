//! Settings of the workspace.

use rusqlite::OptionalExtension;
use serde_json::json;

use super::{Actor, Change, Store};
use crate::registry::Error;

impl Store {
    /// A setting of the workspace.
    pub fn setting(&self, name: &str) -> Result<Option<String>, Error> {
        let sql = "SELECT value FROM workspace_settings WHERE name = ?";
        self.read(|connection| connection.query_row(sql, [name], |row| row.get(0)).optional())
    }

    /// Changes a setting of the workspace.
    pub fn set_setting(&self, name: &str, value: &str, actor: &Actor, why: &str) -> Result<i64, Error> {
        self.write(|transaction| {
            let sql = "SELECT value FROM workspace_settings WHERE name = ?";
            let before: Option<String> =
                transaction.query_row(sql, [name], |row| row.get(0)).optional()?;
            let sql = "INSERT OR REPLACE INTO workspace_settings (name, value) VALUES (?, ?)";
            transaction.execute(sql, [name, value])?;
            Change {
                actor,
                action: "setting",
                model: "",
                subject: name.to_owned(),
                before: json!(before),
                after: json!(value),
                why,
            }
            .log(transaction)
        })
    }
}

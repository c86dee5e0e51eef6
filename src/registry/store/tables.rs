//! The tables; each is made where it is missing, beside whatever else lies in the database.

use rusqlite::{Connection, TransactionBehavior};

/// Makes the tables that are missing, and brings those of an earlier version up to this one.
pub(super) fn prepare(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if transaction.table_exists(None, "alerts")?
        && !transaction.column_exists(None, "alerts", "identity")?
    {
        transaction.execute_batch(ALERTS_WITH_IDENTITY)?;
    }
    transaction.execute_batch(TABLES)?;
    transaction.commit()
}

/// What an alert is about was cut to what is shown of it, before it had an identity.
const ALERTS_WITH_IDENTITY: &str = "
    ALTER TABLE alerts ADD COLUMN identity TEXT NOT NULL DEFAULT '';
    UPDATE alerts SET identity = subject;
";

/// The layout, as a script that changes nothing where it is there already.
const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS model_versions (
        name TEXT NOT NULL,
        version INTEGER NOT NULL,
        digest TEXT NOT NULL,
        run TEXT NOT NULL,
        kind TEXT NOT NULL,
        task TEXT NOT NULL,
        target TEXT NOT NULL,
        created_ms INTEGER NOT NULL,
        by TEXT NOT NULL,
        note TEXT NOT NULL DEFAULT '',
        tags TEXT NOT NULL DEFAULT '{}',
        retired INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (name, version)
    );
    CREATE TABLE IF NOT EXISTS model_aliases (
        name TEXT NOT NULL,
        alias TEXT NOT NULL,
        version INTEGER NOT NULL,
        PRIMARY KEY (name, alias)
    );
    CREATE TABLE IF NOT EXISTS model_settings (
        name TEXT PRIMARY KEY,
        settings TEXT NOT NULL
    );
    CREATE TABLE IF NOT EXISTS audit (
        seq INTEGER PRIMARY KEY,
        at_ms INTEGER NOT NULL,
        who TEXT NOT NULL,
        via TEXT NOT NULL,
        action TEXT NOT NULL,
        model TEXT NOT NULL,
        subject TEXT NOT NULL,
        before TEXT NOT NULL,
        after TEXT NOT NULL,
        why TEXT NOT NULL,
        prev TEXT NOT NULL,
        hash TEXT NOT NULL
    );
    CREATE INDEX IF NOT EXISTS audit_of_subject ON audit (model, subject, at_ms);
    CREATE TABLE IF NOT EXISTS audit_head (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        n INTEGER NOT NULL,
        hash TEXT NOT NULL
    );
    CREATE TRIGGER IF NOT EXISTS audit_stays BEFORE DELETE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
    CREATE TRIGGER IF NOT EXISTS audit_is_final BEFORE UPDATE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
    CREATE TRIGGER IF NOT EXISTS audit_follows BEFORE INSERT ON audit
        WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM audit)
        BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
    CREATE TRIGGER IF NOT EXISTS audit_head_stays BEFORE DELETE ON audit_head
        BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
    CREATE TABLE IF NOT EXISTS pending (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at_ms INTEGER NOT NULL,
        who TEXT NOT NULL,
        via TEXT NOT NULL,
        what TEXT NOT NULL,
        why TEXT NOT NULL
    );
    CREATE TABLE IF NOT EXISTS api_keys (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        hash TEXT NOT NULL,
        scopes TEXT NOT NULL,
        models TEXT NOT NULL,
        created_ms INTEGER NOT NULL,
        by TEXT NOT NULL,
        expires_ms INTEGER,
        revoked_ms INTEGER,
        rate_per_second REAL,
        burst REAL,
        daily_requests INTEGER,
        daily_rows INTEGER,
        old_hash TEXT,
        old_until_ms INTEGER,
        last_used_ms INTEGER
    );
    CREATE TABLE IF NOT EXISTS alerts (
        id INTEGER PRIMARY KEY,
        model TEXT NOT NULL,
        version INTEGER NOT NULL,
        kind TEXT NOT NULL,
        identity TEXT NOT NULL,
        subject TEXT NOT NULL,
        value REAL NOT NULL,
        threshold REAL NOT NULL,
        sentence TEXT NOT NULL,
        first_ms INTEGER NOT NULL,
        last_ms INTEGER NOT NULL,
        state TEXT NOT NULL,
        by TEXT NOT NULL DEFAULT '',
        by_ms INTEGER
    );
    DROP INDEX IF EXISTS alerts_open;
    CREATE UNIQUE INDEX IF NOT EXISTS alerts_standing ON alerts (model, version, kind, identity)
        WHERE state != 'resolved';
    CREATE TABLE IF NOT EXISTS windows (
        model TEXT NOT NULL,
        version INTEGER NOT NULL,
        to_ms INTEGER NOT NULL,
        report TEXT NOT NULL,
        PRIMARY KEY (model, version, to_ms)
    );
    CREATE TABLE IF NOT EXISTS retrain (
        model TEXT PRIMARY KEY,
        job TEXT NOT NULL
    );
    CREATE TABLE IF NOT EXISTS workspace_settings (
        name TEXT PRIMARY KEY,
        value TEXT NOT NULL
    );
";

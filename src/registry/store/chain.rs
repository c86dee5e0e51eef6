//! The chain of hashes that runs through the log of decisions.
//!
//! The hash of an event covers its fields and the hash before it; a row of its own keeps the last
//! hash and how many events there are. So an altered event, a missing one and a cut-off end are
//! noticed. Who can write the whole file can also write the whole chain anew, or cut off its end
//! together with the count: against that, note the [`Store::head`] elsewhere now and then, and ask
//! [`Store::check_against`] it. `karat runs verify` prints it, and takes it with `--against`.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::audit::{COLUMNS, Event};
use super::{Store, deny};
use crate::files::sha256_hex;
use crate::registry::Error;

/// What a check of the log found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All of so many events are as they were written.
    Sound(u64),
    /// From this event on nothing can be trusted.
    Broken {
        /// The first event that was altered, is missing, or does not follow from the one before.
        seq: i64,
        /// What is wrong with it.
        what: String,
    },
}

impl Verdict {
    /// How many events there are.
    ///
    /// # Errors
    ///
    /// Names the first event that was altered, is missing, or does not follow from the one before.
    pub fn sound(self) -> Result<u64, Error> {
        match self {
            Self::Sound(n) => Ok(n),
            Self::Broken { seq, what } => Err(broken(seq, &what)),
        }
    }
}

/// The hash before the first event.
pub(super) const NONE: &str = "";

/// The columns of a hash: all texts but the hash itself.
const N_TEXTS: usize = 9;

/// The hash of an event: over its fields in order, each with its length before it.
pub(super) fn hash_of(seq: i64, at_ms: i64, texts: [&[u8]; N_TEXTS]) -> String {
    let mut bytes = Vec::with_capacity(512);
    bytes.extend_from_slice(&seq.to_le_bytes());
    bytes.extend_from_slice(&at_ms.to_le_bytes());
    for text in texts {
        bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
        bytes.extend_from_slice(text);
    }
    sha256_hex(&bytes)
}

/// Whether an event is as it was written.
pub(super) fn is_whole(event: &Event) -> bool {
    let (before, after) = (event.before.to_string(), event.after.to_string());
    let texts = [
        &event.who,
        &event.via,
        &event.action,
        &event.model,
        &event.subject,
        &before,
        &after,
        &event.why,
        &event.prev,
    ];
    hash_of(event.seq, event.at_ms, texts.map(String::as_bytes)) == event.hash
}

/// The error that names a broken event.
pub(super) fn broken(seq: i64, what: &str) -> Error {
    deny(
        format!("the audit log was tampered with: event `{seq}` {what}"),
        "compare it with a backup of `karat.db`; what follows cannot be trusted",
    )
}

/// How many events there are, and the hash of the last.
pub(super) fn head(connection: &Connection) -> rusqlite::Result<(i64, String)> {
    let sql = "SELECT n, hash FROM audit_head";
    let row = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let found = connection.prepare_cached(sql)?.query_row([], row).optional()?;
    Ok(found.unwrap_or((0, NONE.to_owned())))
}

pub(super) fn set_head(transaction: &Transaction<'_>, n: i64, hash: &str) -> rusqlite::Result<()> {
    let sql = "INSERT INTO audit_head (one, n, hash) VALUES (1, ?, ?) \
               ON CONFLICT (one) DO UPDATE SET n = excluded.n, hash = excluded.hash";
    transaction.prepare_cached(sql)?.execute(params![n, hash]).map(drop)
}

impl Store {
    /// How many events there are, and the hash of the last: 64 digits worth noting elsewhere.
    pub fn head(&self) -> Result<(u64, String), Error> {
        self.read(head).map(|(n, hash)| (n.cast_unsigned(), hash))
    }

    /// Checks every event and the chain between them.
    pub fn check(&self) -> Result<Verdict, Error> {
        self.view(|transaction| Ok(check(transaction, None)?))
    }

    /// Checks likewise, and that the log still goes through a head that was noted elsewhere.
    pub fn check_against(&self, n: u64, hash: &str) -> Result<Verdict, Error> {
        self.view(|transaction| Ok(check(transaction, Some((n.cast_signed(), hash)))?))
    }

    /// Checks every event and the chain between them, and returns how many there are.
    ///
    /// # Errors
    ///
    /// Names the first event that was altered, is missing, or does not follow from the one before.
    pub fn verify(&self) -> Result<u64, Error> {
        self.check()?.sound()
    }
}

fn check(transaction: &Transaction<'_>, noted: Option<(i64, &str)>) -> rusqlite::Result<Verdict> {
    let verdict = |seq, what: &str| Ok(Verdict::Broken { seq, what: what.to_owned() });
    let sql = format!("SELECT {COLUMNS} FROM audit ORDER BY seq");
    let mut query = transaction.prepare(&sql)?;
    let mut rows = query.query([])?;
    let mut prev = NONE.to_owned();
    let mut n = 0;
    loop {
        let row = match rows.next() {
            Ok(Some(row)) => row,
            Ok(None) => break,
            Err(error) => return verdict(n + 1, &format!("cannot be read: {error}")),
        };
        if row.get(0) != Ok(n + 1) {
            return verdict(n + 1, "is missing");
        }
        n += 1;
        match follows(row, n, &prev) {
            Ok(hash) => prev = hash,
            Err(what) => return verdict(n, what),
        }
        if noted.is_some_and(|(at, hash)| at == n && hash != prev) {
            return verdict(n, "is another than was noted");
        }
    }
    drop(rows);
    let (counted, last) = head(transaction).unwrap_or((-1, String::new()));
    if counted > n || noted.is_some_and(|(at, _)| at > n) {
        return verdict(n + 1, "is missing");
    }
    if counted < n || last != prev {
        return verdict(n, "is not the one that was written last");
    }
    // A broken index would hide events from whoever asks for a model.
    let sql = "PRAGMA integrity_check('audit')";
    match transaction.query_row(sql, [], |row| row.get::<_, String>(0)) {
        Ok(said) if said == "ok" => Ok(Verdict::Sound(n.cast_unsigned())),
        Ok(said) => verdict(n, &format!("or one before cannot be found: {said}")),
        Err(error) => verdict(n, &format!("or one before cannot be found: {error}")),
    }
}

/// The hash of an event that is whole and follows from the one before, else what is wrong with it.
fn follows(row: &Row<'_>, seq: i64, prev: &str) -> Result<String, &'static str> {
    const ALTERED: &str = "was altered";
    let bytes = |at| row.get_ref(at).ok().and_then(|value| value.as_bytes().ok());
    let at_ms: i64 = row.get(1).map_err(|_| ALTERED)?;
    let mut texts: [&[u8]; N_TEXTS] = [&[]; N_TEXTS];
    for (at, text) in texts.iter_mut().enumerate() {
        *text = bytes(at + 2).ok_or(ALTERED)?;
    }
    let hash = hash_of(seq, at_ms, texts);
    if bytes(N_TEXTS + 2) != Some(hash.as_bytes()) {
        return Err(ALTERED);
    }
    if texts[N_TEXTS - 1] != prev.as_bytes() {
        return Err("does not follow from the one before");
    }
    Ok(hash)
}

//! Hashes and encryption with a secret that lies in the workspace and nowhere else.

use std::fmt::{self, Write as _};
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};

use crate::files::{self, sha256_hex};
use crate::registry::Error;
use crate::registry::store::deny;

/// The file of the secret, in the workspace.
const NAME: &str = "predictions.key";
/// Its length in bytes: half of it encrypts, half of it hashes.
const LENGTH: usize = 64;

/// The secret of a workspace.
#[derive(Clone)]
pub struct Seal {
    cipher: Arc<LessSafeKey>,
    hash: hmac::Key,
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal")
    }
}

impl Seal {
    /// The secret that the log in this file was written with; made, readable by its owner alone,
    /// as long as the log has no rows.
    ///
    /// # Errors
    ///
    /// When the log has rows, and the secret is missing or another one: rows could not be read any
    /// more, and no subject would be found to be erased.
    pub(super) fn of_log(dir: &Path, log: &Path, connection: &Connection) -> Result<Self, Error> {
        let path = dir.join(NAME);
        let failed = |cause| Error::Database { path: log.to_owned(), cause };
        let sql = "CREATE TABLE IF NOT EXISTS secret \
                   (one INTEGER PRIMARY KEY CHECK (one = 1), fingerprint TEXT NOT NULL)";
        connection.execute(sql, []).map_err(failed)?;
        // Of several that open a new log at once the others wait here for the first.
        let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)
            .map_err(failed)?;
        let has_rows = has_rows(&transaction).map_err(failed)?;
        if !path.exists() {
            if has_rows {
                return Err(foreign(&path, "is missing"));
            }
            make(dir, &path)?;
        }
        let secret = fs::read(&path).map_err(|cause| Error::read(&path, cause))?;
        let own = sha256_hex(&secret);
        let known = fingerprint(&transaction).map_err(failed)?;
        let is_known = known.as_ref() == Some(&own);
        if has_rows && known.is_some() && !is_known {
            return Err(foreign(&path, "is not the one that it was written with"));
        }
        let wrong = || Error::altered(&path, format!("it has not {LENGTH} bytes"));
        let seal = Self::new(secret).ok_or_else(wrong)?;
        if !is_known {
            let sql = "INSERT OR REPLACE INTO secret (one, fingerprint) VALUES (1, ?)";
            transaction.execute(sql, [&own]).map_err(failed)?;
        }
        transaction.commit().map_err(failed)?;
        Ok(seal)
    }

    fn new(secret: Vec<u8>) -> Option<Self> {
        let secret: [u8; LENGTH] = secret.try_into().ok()?;
        let cipher = UnboundKey::new(&AES_256_GCM, &secret[..32]).ok()?;
        let hash = hmac::Key::new(hmac::HMAC_SHA256, &secret[32..]);
        Some(Self { cipher: Arc::new(LessSafeKey::new(cipher)), hash })
    }

    /// A keyed hash of a text, in 64 hexadecimal digits (HMAC-SHA-256).
    pub fn hash(&self, text: &str) -> String {
        let tag = hmac::sign(&self.hash, text.as_bytes());
        let bytes = tag.as_ref();
        bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
            write!(text, "{byte:02x}").expect("a String takes all that is written to it");
            text
        })
    }

    /// Encrypts bytes for the row of this id (AES-256-GCM with a random nonce of its own, which
    /// the result begins with).
    pub(super) fn seal(&self, id: &str, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).ok()?;
        let mut sealed = bytes.to_vec();
        let own = Nonce::assume_unique_for_key(nonce);
        self.cipher.seal_in_place_append_tag(own, Aad::from(id.as_bytes()), &mut sealed).ok()?;
        Some([&nonce[..], &sealed].concat())
    }

    /// The opposite of [`Seal::seal`]; nothing for bytes that were altered or moved.
    pub(super) fn open(&self, id: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, rest) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut bytes = rest.to_vec();
        let n = self.cipher.open_in_place(nonce, Aad::from(id.as_bytes()), &mut bytes).ok()?.len();
        bytes.truncate(n);
        Some(bytes)
    }
}

/// Makes the secret. Of several processes that do so at once the first wins: what lies there is
/// never replaced, since rows may be sealed with it already.
fn make(dir: &Path, path: &Path) -> Result<(), Error> {
    let mut secret = [0; LENGTH];
    let mut number = [0; 8];
    getrandom::fill(&mut secret)
        .and_then(|()| getrandom::fill(&mut number))
        .map_err(|e| Error::write(path, io::Error::other(e.to_string())))?;
    let own = dir.join(format!(".{NAME}-{:016x}", u64::from_le_bytes(number)));
    files::write(&own, &secret)?;
    let linked = fs::hard_link(&own, path);
    let _ = fs::remove_file(&own);
    match linked {
        Err(cause) if cause.kind() != io::ErrorKind::AlreadyExists => {
            return Err(Error::write(path, cause));
        }
        _ => {}
    }
    // A power cut must not take away the name while rows stay; some file systems refuse to.
    if let Ok(folder) = File::open(dir) {
        let _ = folder.sync_all();
    }
    Ok(())
}

fn has_rows(transaction: &Transaction<'_>) -> rusqlite::Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM predictions) OR EXISTS (SELECT 1 FROM labels)";
    transaction.query_row(sql, [], |row| row.get(0))
}

/// The digest of the secret that the log was written with.
fn fingerprint(transaction: &Transaction<'_>) -> rusqlite::Result<Option<String>> {
    let sql = "SELECT fingerprint FROM secret";
    transaction.query_row(sql, [], |row| row.get(0)).optional()
}

fn foreign(path: &Path, what: &str) -> Error {
    deny(
        format!("the prediction log cannot be read: its secret `{}` {what}", path.display()),
        "put it back from a backup; to begin a new log move `predictions.db` beside it away",
    )
}

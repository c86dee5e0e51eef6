//! Hashes and encryption with a secret that lies in the workspace and nowhere else.

use std::fmt::{self, Write as _};
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac;

use crate::files;
use crate::registry::Error;

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
    /// The secret of a workspace, made on first use; readable by its owner alone.
    pub fn of(dir: &Path) -> Result<Self, Error> {
        let path = dir.join(NAME);
        if !path.exists() {
            make(dir, &path)?;
        }
        let secret = fs::read(&path).map_err(|cause| Error::read(&path, cause))?;
        let wrong = || Error::altered(&path, format!("it has not {LENGTH} bytes"));
        let secret: [u8; LENGTH] = secret.try_into().map_err(|_| wrong())?;
        Ok(Self {
            cipher: Arc::new(LessSafeKey::new(
                UnboundKey::new(&AES_256_GCM, &secret[..32]).map_err(|_| wrong())?,
            )),
            hash: hmac::Key::new(hmac::HMAC_SHA256, &secret[32..]),
        })
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
            Err(Error::write(path, cause))
        }
        _ => Ok(()),
    }
}

//! Hashes and encryption with keys that lie in the workspace and nowhere else.

use std::fmt;
use std::fs;
use std::path::Path;

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
    secret: [u8; LENGTH],
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal")
    }
}

impl Seal {
    /// The secret of a workspace, made on first use; readable by its owner alone.
    pub(super) fn of(dir: &Path) -> Result<Self, Error> {
        let path = dir.join(NAME);
        let secret = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {
                let mut secret = vec![0; LENGTH];
                getrandom::fill(&mut secret)
                    .map_err(|e| Error::write(&path, std::io::Error::other(e.to_string())))?;
                files::write(&path, &secret)?;
                // Another process may have been quicker: what lies there counts.
                fs::read(&path).map_err(|cause| Error::read(&path, cause))?
            }
            Err(cause) => return Err(Error::read(&path, cause)),
        };
        let secret = secret
            .try_into()
            .map_err(|_| Error::altered(&path, format!("it has not {LENGTH} bytes")))?;
        Ok(Self { secret })
    }

    /// A keyed hash of a text, in hexadecimal digits (HMAC-SHA-256).
    pub(super) fn hash(&self, text: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.secret[32..]);
        let tag = hmac::sign(&key, text.as_bytes());
        tag.as_ref().iter().take(16).fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
    }

    fn key(&self) -> Option<LessSafeKey> {
        UnboundKey::new(&AES_256_GCM, &self.secret[..32]).ok().map(LessSafeKey::new)
    }

    /// Encrypts bytes for the prediction of this id (AES-256-GCM with a nonce of its own).
    pub(super) fn seal(&self, id: &str, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).ok()?;
        let mut sealed = bytes.to_vec();
        let own = Nonce::assume_unique_for_key(nonce);
        self.key()?.seal_in_place_append_tag(own, Aad::from(id.as_bytes()), &mut sealed).ok()?;
        Some([&nonce[..], &sealed].concat())
    }

    /// The opposite of [`Seal::seal`]; nothing for bytes that were altered or moved.
    pub(super) fn open(&self, id: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, rest) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut bytes = rest.to_vec();
        let n = self.key()?.open_in_place(nonce, Aad::from(id.as_bytes()), &mut bytes).ok()?.len();
        bytes.truncate(n);
        Some(bytes)
    }
}

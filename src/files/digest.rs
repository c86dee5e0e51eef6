//! Digests: the fingerprint by which a file is known again.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use sha2::{Digest, Sha256};

use crate::files::Error;

/// The SHA-256 digest of `bytes` as 64 hexadecimal digits.
///
/// ```
/// let digest = karat::files::sha256_hex(b"abc");
/// assert!(digest.starts_with("ba7816bf8f01cfea"));
/// ```
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// The SHA-256 digest of the file's content, read block by block.
///
/// After every block `go_on` hears how many bytes of how many are done, and stops the work with
/// [`Error::Stopped`] when it returns false. A job passes
/// `|done, total| ctx.step(done, total, vec![]).is_ok()`, everyone else `|_, _| true`.
pub fn sha256_file(
    path: &Path,
    mut go_on: impl FnMut(usize, usize) -> bool,
) -> Result<String, Error> {
    let failed = |cause| Error::read(path, cause);
    let mut file = File::open(path).map_err(failed)?;
    let total = file.metadata().map_err(failed)?.len() as usize;
    let mut sha256 = Sha256::new();
    let mut block = vec![0; MIB];
    let mut done = 0;
    loop {
        let n = match file.read(&mut block) {
            Ok(0) => return Ok(hex(&sha256.finalize())),
            Ok(n) => n,
            Err(err) if err.kind() == io::ErrorKind::Interrupted => continue,
            Err(err) => return Err(failed(err)),
        };
        sha256.update(&block[..n]);
        done += n;
        if !go_on(done, total) {
            return Err(Error::Stopped { path: path.to_owned() });
        }
    }
}

const MIB: usize = 1 << 20;

fn hex(digest: &[u8]) -> String {
    let digit = |four: u8| char::from(b"0123456789abcdef"[usize::from(four)]);
    digest.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files;

    #[test]
    fn digests_are_those_of_fips_180_4() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(sha256_hex(b""), empty);
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256_hex(b"abc"), abc);
    }

    #[test]
    fn a_file_has_the_digest_of_its_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("table.csv");
        let bytes = vec![b'7'; MIB + 3];
        files::write(&path, &bytes).unwrap();
        let mut steps = Vec::new();
        let digest = sha256_file(&path, |done, total| {
            steps.push((done, total));
            true
        });
        assert_eq!(digest.unwrap(), sha256_hex(&bytes));
        assert_eq!(steps.last(), Some(&(MIB + 3, MIB + 3)));
    }

    #[test]
    fn a_digest_can_be_stopped() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("table.csv");
        files::write(&path, b"1,2").unwrap();
        assert!(matches!(sha256_file(&path, |_, _| false), Err(Error::Stopped { .. })));
    }

    #[test]
    fn a_folder_has_no_digest() {
        let dir = tempfile::tempdir().unwrap();
        let err = sha256_file(dir.path(), |_, _| true).unwrap_err();
        assert!(err.to_string().contains("it is a folder"), "{err}");
    }
}

//! Secrets: random, written in 62 letters and digits, and never stored.

use crate::files::sha256_hex;

const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// What every key begins with, so that scanners of leaked secrets know it.
pub(super) const PREFIX: &str = "karat_live_";
/// Letters of the public id.
pub(super) const ID: usize = 10;
/// Letters of the secret: 30 of them have 178 bits.
pub(super) const SECRET: usize = 30;
/// Letters of the check.
pub(super) const CHECK: usize = 6;

/// So many random letters, each as likely as any other.
pub(super) fn random(n: usize) -> std::io::Result<String> {
    let mut text = String::with_capacity(n);
    let mut bytes = [0_u8; 64];
    while text.len() < n {
        getrandom::fill(&mut bytes).map_err(|e| std::io::Error::other(e.to_string()))?;
        // Bytes from 248 on would make some letters likelier.
        let letters = bytes.iter().filter(|b| **b < 248).map(|b| LETTERS[usize::from(b % 62)]);
        text.extend(letters.take(n - text.len()).map(char::from));
    }
    Ok(text)
}

/// The check of a text: its CRC-32 in letters, so that a mistyped key is told without a look-up.
pub(super) fn check(text: &str) -> String {
    let mut crc = crc32fast::hash(text.as_bytes());
    let mut letters = [b'0'; CHECK];
    for letter in letters.iter_mut().rev() {
        *letter = LETTERS[(crc % 62) as usize];
        crc /= 62;
    }
    letters.iter().map(|b| char::from(*b)).collect()
}

/// A key of this id and secret as it is shown, once.
pub(super) fn key(id: &str, secret: &str) -> String {
    let body = format!("{PREFIX}{id}_{secret}");
    let check = check(&body);
    body + &check
}

/// Id and secret of a key as it was shown; nothing for what is none.
pub(super) fn parts(key: &str) -> Option<(&str, &str)> {
    let rest = key.strip_prefix(PREFIX)?;
    if !key.is_ascii() || rest.len() != ID + 1 + SECRET + CHECK || rest.as_bytes()[ID] != b'_' {
        return None;
    }
    let (body, own) = key.split_at(key.len() - CHECK);
    (check(body) == own).then(|| (&rest[..ID], &rest[ID + 1..ID + 1 + SECRET]))
}

/// What is stored of a secret.
pub(super) fn stored(secret: &str) -> String {
    // A random secret of this length needs no slow hash: nobody can try them all.
    sha256_hex(secret.as_bytes())
}

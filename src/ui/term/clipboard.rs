//! Copying through the terminal itself (OSC 52), so that it works over SSH.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The longest text that terminals accept, in bytes: 74,994 of them once encoded.
pub const COPY_LIMIT: usize = 74_994 / 4 * 3;

/// The bytes that put a text into the clipboard; `None` where it is longer than [`COPY_LIMIT`].
///
/// Inside tmux the sequence goes twice: for tmux's own buffer, and wrapped so that it passes
/// through to the terminal outside.
pub fn copy_sequence(text: &str, tmux: bool) -> Option<String> {
    if text.len() > COPY_LIMIT {
        return None;
    }
    let plain = format!("\x1b]52;c;{}\x07", STANDARD.encode(text));
    if !tmux {
        return Some(plain);
    }
    let wrapped = plain.replace('\x1b', "\x1b\x1b");
    Some(format!("{plain}\x1bPtmux;{wrapped}\x1b\\"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_encoded_and_wrapped_for_tmux() {
        assert_eq!(copy_sequence("karat", false).as_deref(), Some("\x1b]52;c;a2FyYXQ=\x07"));
        let tmux = copy_sequence("a", true).expect("short");
        assert!(tmux.ends_with("\x1bPtmux;\x1b\x1b]52;c;YQ==\x07\x1b\\"), "{tmux:?}");
        assert_eq!(copy_sequence(&"x".repeat(COPY_LIMIT + 1), false), None);
    }
}

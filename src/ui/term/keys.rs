//! Bytes from a terminal as keys, pasted texts and answers.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// The most of a pasted text that is kept, in bytes.
const PASTE_LIMIT: usize = 1 << 20;

/// The longest control sequence that can be an answer of a terminal, in bytes.
const SEQUENCE_LIMIT: usize = 4096;

/// What bytes turned out to mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// A key was pressed.
    Key(KeyEvent),
    /// A text was pasted, its line ends made `\n`.
    Paste(String),
    /// The terminal tells whether it can hold frames back until they are whole (mode 2026).
    Synchronises(bool),
    /// The terminal answered the question that ends every probe.
    Answered,
}

/// Makes sense of a stream of bytes that may be cut anywhere.
#[derive(Debug, Default)]
pub struct KeyParser {
    pending: Vec<u8>,
    paste: Option<Vec<u8>>,
}

/// What the beginning of the pending bytes is.
enum Step {
    /// So many bytes, with or without a meaning.
    Done(usize, Option<Heard>),
    /// A paste begins behind so many bytes.
    Paste(usize),
    /// Too little to tell.
    More,
}

impl KeyParser {
    /// Takes bytes in and tells what they mean, in order.
    pub fn feed(&mut self, bytes: &[u8], mut hear: impl FnMut(Heard)) {
        self.pending.extend_from_slice(bytes);
        loop {
            if self.paste.is_some() {
                if !self.take_paste(&mut hear) {
                    return;
                }
                continue;
            }
            match step(&self.pending) {
                Step::More if self.pending.len() > SEQUENCE_LIMIT => {
                    self.pending.clear();
                    return;
                }
                Step::More => return,
                Step::Paste(n) => {
                    self.pending.drain(..n);
                    self.paste = Some(Vec::new());
                }
                Step::Done(n, heard) => {
                    self.pending.drain(..n);
                    heard.into_iter().for_each(&mut hear);
                }
            }
        }
    }

    /// Whether bytes wait for more, so that [`Self::settle`] should follow if none come.
    pub fn is_waiting(&self) -> bool {
        !self.pending.is_empty() && self.paste.is_none()
    }

    /// Takes what is pending for what it is on its own: an Escape key, or Alt with a letter.
    pub fn settle(&mut self, mut hear: impl FnMut(Heard)) {
        if !self.is_waiting() {
            return;
        }
        let pending = std::mem::take(&mut self.pending);
        match pending.as_slice() {
            [0x1b] => hear(key(KeyCode::Esc, KeyModifiers::NONE)),
            [0x1b, letter @ b'!'..=b'~'] => {
                hear(key(KeyCode::Char(char::from(*letter)), KeyModifiers::ALT));
            }
            [0x1b, 0x1b] => {
                hear(key(KeyCode::Esc, KeyModifiers::NONE));
                hear(key(KeyCode::Esc, KeyModifiers::NONE));
            }
            // The rest of a sequence that was cut short means nothing.
            _ => {}
        }
    }

    /// Moves pending bytes into the paste; true once it has ended.
    fn take_paste(&mut self, hear: &mut impl FnMut(Heard)) -> bool {
        const END: &[u8] = b"\x1b[201~";
        let end = self.pending.windows(END.len()).position(|window| window == END);
        // Without its end, the last bytes may be the first of it.
        let upto = end.unwrap_or(self.pending.len().saturating_sub(END.len() - 1));
        let paste = self.paste.get_or_insert_with(Vec::new);
        let room = PASTE_LIMIT.saturating_sub(paste.len());
        paste.extend(self.pending.drain(..upto).take(room));
        if end.is_none() {
            return false;
        }
        self.pending.drain(..END.len());
        let bytes = self.paste.take().unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes).replace("\r\n", "\n").replace('\r', "\n");
        hear(Heard::Paste(text));
        true
    }
}

fn step(bytes: &[u8]) -> Step {
    let Some(first) = bytes.first() else { return Step::More };
    match first {
        0x1b => escape(bytes),
        0x80.. => letter(bytes, KeyModifiers::NONE, 0),
        byte => Step::Done(1, Some(plain(*byte, KeyModifiers::NONE))),
    }
}

fn escape(bytes: &[u8]) -> Step {
    match bytes.get(1) {
        None => Step::More,
        Some(b'[') => control_sequence(bytes),
        Some(b'O') => match bytes.get(2) {
            None => Step::More,
            Some(byte) => Step::Done(3, keypad(*byte)),
        },
        Some(b']') => string(bytes, true),
        Some(b'P' | b'X' | b'^' | b'_') => string(bytes, false),
        // Two escapes: the first stands for itself, unless the second begins a key with Alt.
        Some(0x1b) => match bytes.get(2) {
            None => Step::More,
            Some(b'[' | b'O') => match escape(&bytes[1..]) {
                Step::Done(n, heard) => Step::Done(n + 1, heard.map(with_alt)),
                Step::Paste(n) => Step::Paste(n + 1),
                Step::More => Step::More,
            },
            Some(_) => Step::Done(1, Some(key(KeyCode::Esc, KeyModifiers::NONE))),
        },
        Some(0x80..) => letter(bytes, KeyModifiers::ALT, 1),
        Some(byte) => Step::Done(2, Some(plain(*byte, KeyModifiers::ALT))),
    }
}

/// `ESC [`, parameters, a final byte.
fn control_sequence(bytes: &[u8]) -> Step {
    // The console of Linux sends `ESC [ [ A` to `E` for the first function keys.
    if bytes.get(2) == Some(&b'[') {
        return match bytes.get(3) {
            None => Step::More,
            Some(byte @ b'A'..=b'E') => {
                Step::Done(4, Some(key(KeyCode::F(byte - b'A' + 1), KeyModifiers::NONE)))
            }
            Some(_) => Step::Done(4, None),
        };
    }
    let body = &bytes[2..];
    let Some(end) = body.iter().position(|byte| !(0x20..=0x3f).contains(byte)) else {
        return Step::More;
    };
    let (parameters, last) = (&body[..end], body[end]);
    let n = end + 3;
    if !(0x40..=0x7e).contains(&last) {
        // Something else begins in the middle; the sequence is lost and that begins anew.
        return Step::Done(end + 2, None);
    }
    match (parameters, last) {
        // Mouse reports of the oldest kind carry three bytes more; nobody asked for them.
        (b"", b'M') => {
            if bytes.len() < n + 3 {
                Step::More
            } else {
                Step::Done(n + 3, None)
            }
        }
        (b"200", b'~') => Step::Paste(n),
        ([b'?', rest @ ..], b'y') => {
            let numbers = numbers(rest.strip_suffix(b"$").unwrap_or(rest));
            let ours = numbers.first() == Some(&2026);
            // 1 and 2: set or reset by request; 3: always set. 0 and 4 cannot be used.
            let can = matches!(numbers.get(1), Some(1..=3));
            Step::Done(n, ours.then_some(Heard::Synchronises(can)))
        }
        ([b'?', ..], b'c') => Step::Done(n, Some(Heard::Answered)),
        ([b'?' | b'<' | b'=' | b'>', ..], _) => Step::Done(n, None),
        _ => Step::Done(n, sequence_key(&numbers(parameters), last)),
    }
}

/// The key of a control sequence: a number or letter for the key, a number for what is held.
fn sequence_key(numbers: &[u32], last: u8) -> Option<Heard> {
    let first = numbers.first().copied().unwrap_or(1);
    let held = held(numbers.get(1).copied().unwrap_or(1));
    let code = match last {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'H' => KeyCode::Home,
        b'F' => KeyCode::End,
        b'Z' => KeyCode::BackTab,
        b'P'..=b'S' => KeyCode::F(last - b'P' + 1),
        b'u' => return code_point(first, held),
        b'~' => match first {
            1 | 7 => KeyCode::Home,
            2 => KeyCode::Insert,
            3 => KeyCode::Delete,
            4 | 8 => KeyCode::End,
            5 => KeyCode::PageUp,
            6 => KeyCode::PageDown,
            n @ 11..=15 => KeyCode::F((n - 10) as u8),
            n @ 17..=21 => KeyCode::F((n - 11) as u8),
            n @ 23..=26 => KeyCode::F((n - 12) as u8),
            n @ 28..=29 => KeyCode::F((n - 13) as u8),
            n @ 31..=34 => KeyCode::F((n - 14) as u8),
            27 => return code_point(numbers.get(2).copied()?, held),
            _ => return None,
        },
        _ => return None,
    };
    Some(key(code, held))
}

/// A key that a newer protocol names by its code point.
fn code_point(point: u32, held: KeyModifiers) -> Option<Heard> {
    let c = char::from_u32(point)?;
    let upper = held.contains(KeyModifiers::SHIFT) && c.is_lowercase();
    match c {
        '\0'..='\x1f' | '\x7f' => match plain(c as u8, held) {
            Heard::Key(event) => Some(Heard::Key(event)),
            _ => None,
        },
        // Keys without a letter lie in a private area.
        '\u{e000}'..='\u{f8ff}' => None,
        c if upper => Some(key(
            KeyCode::Char(c.to_uppercase().next().unwrap_or(c)),
            held - KeyModifiers::SHIFT,
        )),
        c => Some(key(KeyCode::Char(c), held - KeyModifiers::SHIFT)),
    }
}

/// `ESC O` and one byte: arrows in application mode, and the keypad.
fn keypad(byte: u8) -> Option<Heard> {
    let code = match byte {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'H' => KeyCode::Home,
        b'F' => KeyCode::End,
        b'M' => KeyCode::Enter,
        b'P'..=b'S' => KeyCode::F(byte - b'P' + 1),
        b'j'..=b'y' => KeyCode::Char(char::from(byte - b'j' + b'*')),
        _ => return None,
    };
    Some(key(code, KeyModifiers::NONE))
}

/// A string for the terminal or from it, which ends with `ESC \`, or with BEL; all swallowed.
fn string(bytes: &[u8], bell_ends: bool) -> Step {
    for (i, byte) in bytes.iter().enumerate().skip(2) {
        match byte {
            0x07 if bell_ends => return Step::Done(i + 1, None),
            0x1b => {
                return match bytes.get(i + 1) {
                    None => Step::More,
                    Some(b'\\') => Step::Done(i + 2, None),
                    Some(_) => Step::Done(i, None),
                };
            }
            _ => {}
        }
    }
    Step::More
}

/// A letter in UTF-8 that begins at `at`; bytes that are none are dropped.
fn letter(bytes: &[u8], held: KeyModifiers, at: usize) -> Step {
    let long = match bytes[at] {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return Step::Done(at + 1, None),
    };
    let there = &bytes[at..bytes.len().min(at + long)];
    match std::str::from_utf8(there) {
        Ok(text) => {
            let c = text.chars().next();
            Step::Done(at + long, c.map(|c| key(KeyCode::Char(c), held)))
        }
        Err(error) if error.error_len().is_none() => Step::More,
        Err(error) => Step::Done(at + error.error_len().unwrap_or(1), None),
    }
}

/// A byte below 0x80 that is no escape.
fn plain(byte: u8, held: KeyModifiers) -> Heard {
    let control = held | KeyModifiers::CONTROL;
    match byte {
        b'\t' if held.contains(KeyModifiers::SHIFT) => key(KeyCode::BackTab, held),
        b'\t' => key(KeyCode::Tab, held),
        b'\r' => key(KeyCode::Enter, held),
        0x1b => key(KeyCode::Esc, held),
        0x7f => key(KeyCode::Backspace, held),
        0 => key(KeyCode::Char(' '), control),
        1..=26 => key(KeyCode::Char(char::from(byte - 1 + b'a')), control),
        28..=31 => key(KeyCode::Char(char::from(byte - 28 + b'\\')), control),
        byte => key(KeyCode::Char(char::from(byte)), held),
    }
}

fn key(code: KeyCode, modifiers: KeyModifiers) -> Heard {
    Heard::Key(KeyEvent::new(code, modifiers))
}

fn with_alt(heard: Heard) -> Heard {
    match heard {
        Heard::Key(event) => key(event.code, event.modifiers | KeyModifiers::ALT),
        other => other,
    }
}

/// What is held, from the number that terminals send: one more than a sum of bits.
fn held(number: u32) -> KeyModifiers {
    let bits = number.saturating_sub(1);
    let mut held = KeyModifiers::NONE;
    for (bit, modifier) in
        [(1, KeyModifiers::SHIFT), (2, KeyModifiers::ALT), (4, KeyModifiers::CONTROL)]
    {
        if bits & bit != 0 {
            held |= modifier;
        }
    }
    held
}

/// Numbers between semicolons; what follows a colon is a detail that we do not need.
fn numbers(parameters: &[u8]) -> Vec<u32> {
    let number = |part: &[u8]| {
        let digits = part.split(|byte| *byte == b':').next().unwrap_or_default();
        std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).unwrap_or(1)
    };
    if parameters.is_empty() {
        Vec::new()
    } else {
        parameters.split(|b| *b == b';').map(number).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hear(bytes: &[u8]) -> Vec<Heard> {
        let mut parser = KeyParser::default();
        let mut heard = Vec::new();
        parser.feed(bytes, |h| heard.push(h));
        parser.settle(|h| heard.push(h));
        heard
    }

    #[test]
    fn keys_are_understood() {
        let none = KeyModifiers::NONE;
        let check = |bytes: &str, code, modifiers| {
            assert_eq!(hear(bytes.as_bytes()), [key(code, modifiers)], "{bytes:?}");
        };
        check("a", KeyCode::Char('a'), none);
        check("A", KeyCode::Char('A'), none);
        check("表", KeyCode::Char('表'), none);
        check("\r", KeyCode::Enter, none);
        check("\x03", KeyCode::Char('c'), KeyModifiers::CONTROL);
        check("\x1c", KeyCode::Char('\\'), KeyModifiers::CONTROL);
        check("\x7f", KeyCode::Backspace, none);
        check("\x1b", KeyCode::Esc, none);
        check("\x1bx", KeyCode::Char('x'), KeyModifiers::ALT);
        check("\x1b[", KeyCode::Char('['), KeyModifiers::ALT);
        check("\x1bü", KeyCode::Char('ü'), KeyModifiers::ALT);
        check("\x1b[A", KeyCode::Up, none);
        check("\x1bOA", KeyCode::Up, none);
        check("\x1b[1;5C", KeyCode::Right, KeyModifiers::CONTROL);
        check("\x1b\x1b[D", KeyCode::Left, KeyModifiers::ALT);
        check("\x1b[Z", KeyCode::BackTab, none);
        check("\x1b[3~", KeyCode::Delete, none);
        check("\x1b[5;2~", KeyCode::PageUp, KeyModifiers::SHIFT);
        check("\x1bOP", KeyCode::F(1), none);
        check("\x1b[[E", KeyCode::F(5), none);
        check("\x1b[24~", KeyCode::F(12), none);
        check("\x1b[97;5u", KeyCode::Char('a'), KeyModifiers::CONTROL);
        check("\x1b[97;2u", KeyCode::Char('A'), none);
        check("\x1b[27;5;13~", KeyCode::Enter, KeyModifiers::CONTROL);
        check("\x1bOq", KeyCode::Char('1'), none);
    }

    #[test]
    fn answers_of_the_terminal_are_no_keys() {
        assert_eq!(
            hear(b"\x1b[?2026;2$y\x1b[?62;22c"),
            [Heard::Synchronises(true), Heard::Answered]
        );
        assert_eq!(hear(b"\x1b[?2026;0$y"), [Heard::Synchronises(false)]);
        for noise in [
            "\x1b]11;rgb:0000/0000/0000\x1b\\",
            "\x1b]0;t\x07",
            "\x1bP>|tmux\x1b\\",
            "\x1b[>1;2c",
            "\x1b[I",
            "\x1b[M !!",
            "\x1b[<0;3;4M",
            "\x1b[12;99x",
        ] {
            assert_eq!(hear(format!("{noise}q").as_bytes()), hear(b"q"), "{noise:?}");
        }
    }

    #[test]
    fn a_paste_is_one_event_and_its_keys_are_not_pressed() {
        let heard = hear(b"a\x1b[200~q\x1b[Ax\r\ny\x1b[201~b");
        let paste = Heard::Paste("q\x1b[Ax\ny".to_owned());
        assert_eq!(heard, [hear(b"a"), vec![paste], hear(b"b")].concat());
    }

    #[test]
    fn two_escapes_are_two_keys() {
        assert_eq!(hear(b"\x1b\x1b"), [hear(b"\x1b"), hear(b"\x1b")].concat());
        assert_eq!(hear(b"\x1b\x1bx").len(), 2);
    }

    proptest! {
        #[test]
        fn it_does_not_matter_where_the_stream_is_cut(
            bytes in proptest::collection::vec(
                prop_oneof![Just(0x1b), Just(b'['), Just(b'O'), Just(b'~'), Just(b';'), Just(b'2'), any::<u8>()],
                0..80,
            ),
            cut in 0usize..80,
        ) {
            let cut = cut.min(bytes.len());
            let whole = hear(&bytes);
            let mut parser = KeyParser::default();
            let mut parts = Vec::new();
            parser.feed(&bytes[..cut], |h| parts.push(h));
            parser.feed(&bytes[cut..], |h| parts.push(h));
            parser.settle(|h| parts.push(h));
            prop_assert_eq!(whole, parts);
        }
    }
}

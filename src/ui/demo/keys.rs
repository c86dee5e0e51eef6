//! Keys written as words.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// Reads keys as a script writes them: single characters stand for themselves, longer words are
/// `Enter`, `Esc`, `Tab`, `BackTab`, `Space`, `Up`, `Down`, `Left`, `Right`, `PgUp`, `PgDn`,
/// `Home`, `End`, `Backspace`, `Delete`, and `ctrl-x`; `Right*5` presses five times.
///
/// # Panics
///
/// When a word is none of these: scripts are part of the program.
pub fn parse_keys(text: &str) -> Vec<KeyEvent> {
    let mut keys = Vec::new();
    for word in text.split_whitespace() {
        let (name, times) = match word.rsplit_once('*') {
            Some((name, n)) if !name.is_empty() => (name, n.parse().unwrap_or(1)),
            _ => (word, 1),
        };
        let key = one(name).unwrap_or_else(|| panic!("`{name}` is not a key"));
        keys.extend(std::iter::repeat_n(key, times));
    }
    keys
}

fn one(name: &str) -> Option<KeyEvent> {
    if let Some(letter) = name.strip_prefix("ctrl-") {
        let c = letter.chars().next()?;
        return Some(KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL));
    }
    let code = match name {
        "Enter" => KeyCode::Enter,
        "Esc" => KeyCode::Esc,
        "Tab" => KeyCode::Tab,
        "BackTab" => KeyCode::BackTab,
        "Space" => KeyCode::Char(' '),
        "Up" => KeyCode::Up,
        "Down" => KeyCode::Down,
        "Left" => KeyCode::Left,
        "Right" => KeyCode::Right,
        "PgUp" => KeyCode::PageUp,
        "PgDn" => KeyCode::PageDown,
        "Home" => KeyCode::Home,
        "End" => KeyCode::End,
        "Backspace" => KeyCode::Backspace,
        "Delete" => KeyCode::Delete,
        _ => {
            let mut chars = name.chars();
            let c = chars.next()?;
            if chars.next().is_some() {
                return None;
            }
            KeyCode::Char(c)
        }
    };
    Some(KeyEvent::new(code, KeyModifiers::NONE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_they_are_written() {
        let codes: Vec<KeyCode> = parse_keys("j Enter Right*3 *").iter().map(|k| k.code).collect();
        let right = KeyCode::Right;
        assert_eq!(
            codes,
            [KeyCode::Char('j'), KeyCode::Enter, right, right, right, KeyCode::Char('*')]
        );
        assert_eq!(parse_keys("ctrl-r")[0].modifiers, KeyModifiers::CONTROL);
    }
}

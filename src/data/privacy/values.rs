//! What a single value looks like: an e-mail address, a telephone number, a card, an account, a
//! street with its number, a person.

use super::names;
use super::words;

/// Whether an e-mail address stands anywhere in the text.
pub(super) fn has_email(text: &str) -> bool {
    text.split(|c: char| c.is_whitespace() || ",;<>()\"'".contains(c)).any(is_email)
}

fn is_email(word: &str) -> bool {
    let word = word.trim_end_matches('.').trim_start_matches("mailto:");
    let Some((local, domain)) = word.split_once('@') else { return false };
    let Some((host, top)) = domain.rsplit_once('.') else { return false };
    let is_domain = |c: char| c.is_alphanumeric() || c == '.' || c == '-';
    !local.is_empty()
        && local.chars().all(|c| c.is_alphanumeric() || "._%+-".contains(c))
        && !host.is_empty()
        && host.chars().all(is_domain)
        && top.len() >= 2
        && top.chars().all(char::is_alphabetic)
}

/// A telephone number that is written as one: with `+` or `00` and the country, or in the groups
/// of North America.
pub(super) fn is_written_phone(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    if !only_phone_marks(text) || !(8..=15).contains(&digits) {
        return false;
    }
    if text.starts_with('+') {
        return true;
    }
    let groups: Vec<usize> = text
        .split(|c: char| !c.is_ascii_digit())
        .filter(|group| !group.is_empty())
        .map(str::len)
        .collect();
    matches!(groups.as_slice(), [3, 3, 4] | [1, 3, 3, 4])
        && text.bytes().any(|b| b"(-".contains(&b))
        || text.starts_with("00") && groups.len() > 1
}

/// Digits that may be a telephone number if the column's name says so.
pub(super) fn may_be_phone(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    only_phone_marks(text) && (6..=15).contains(&digits)
}

fn only_phone_marks(text: &str) -> bool {
    let rest = text.strip_prefix('+').unwrap_or(text);
    rest.chars().all(|c| c.is_ascii_digit() || " -/().".contains(c))
}

/// A payment card number: 13 to 19 digits, a known first digit, and the checksum of Luhn
/// (ISO/IEC 7812).
pub(super) fn is_card(text: &str) -> bool {
    let digits: Vec<u32> = text
        .chars()
        .filter(|c| !" -".contains(*c))
        .map(|c| c.to_digit(10))
        .collect::<Option<_>>()
        .unwrap_or_default();
    if !(13..=19).contains(&digits.len()) || !(2..=6).contains(&digits[0]) {
        return false;
    }
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(i, d)| if i % 2 == 0 { *d } else { 2 * d / 10 + 2 * d % 10 })
        .sum();
    sum.is_multiple_of(10)
}

/// An international bank account number, whose remainder by 97 is 1 (ISO 13616).
pub(super) fn is_iban(text: &str) -> bool {
    let chars: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
    let fits = (15..=34).contains(&chars.len())
        && chars[..2].iter().all(char::is_ascii_alphabetic)
        && chars[2..4].iter().all(char::is_ascii_digit)
        && chars.iter().all(char::is_ascii_alphanumeric);
    if !fits {
        return false;
    }
    let moved = chars[4..].iter().chain(&chars[..4]);
    let remainder = moved.filter_map(|c| c.to_digit(36)).fold(0, |rest, value| {
        let scale = if value < 10 { 10 } else { 100 };
        (rest * scale + value) % 97
    });
    remainder == 1
}

/// Words for a street, at the end of its name or alone.
const STREETS: &[&str] = &[
    "strasse",
    "str",
    "weg",
    "platz",
    "allee",
    "gasse",
    "ring",
    "damm",
    "ufer",
    "chaussee",
    "street",
    "st",
    "avenue",
    "ave",
    "road",
    "rd",
    "lane",
    "ln",
    "drive",
    "dr",
    "boulevard",
    "blvd",
    "court",
    "terrace",
    "place",
    "square",
    "highway",
    "rue",
    "chemin",
    "quai",
    "calle",
    "plaza",
    "avenida",
    "paseo",
    "via",
    "viale",
    "piazza",
    "straat",
    "laan",
    "gracht",
];

/// Endings of German and Dutch street names that are written in one word.
const ENDINGS: &[&str] =
    &["strasse", "str", "weg", "platz", "allee", "gasse", "damm", "ufer", "straat", "gracht"];

/// A street with a house number.
pub(super) fn is_street(text: &str) -> bool {
    let is_street = |word: &String| {
        STREETS.contains(&word.as_str())
            || ENDINGS.iter().any(|end| word.len() > end.len() + 2 && word.ends_with(end))
    };
    has_house_number(text) && words::split(text).iter().any(is_street)
}

/// Words beside a short number, which is an address if the column's name says so.
pub(super) fn has_house_number(text: &str) -> bool {
    let mut has_word = false;
    let mut has_number = false;
    for word in text.split(|c: char| c.is_whitespace() || c == ',') {
        let digits = word.bytes().filter(u8::is_ascii_digit).count();
        let begins = word.starts_with(|c: char| c.is_ascii_digit());
        has_number |= begins && (1..=5).contains(&digits) && word.chars().count() <= digits + 1;
        has_word |= digits == 0 && word.chars().filter(|c| c.is_alphabetic()).count() >= 3;
    }
    has_word && has_number
}

/// One to four words that begin with a capital letter and hold nothing but letters.
pub(super) fn is_like_a_name(text: &str) -> bool {
    let words: Vec<&str> = text.split([' ', ',']).filter(|word| !word.is_empty()).collect();
    let is_part = |word: &&str| {
        let is_letter = |c: char| c.is_alphabetic() || "-'’.".contains(c);
        word.chars().all(is_letter)
            && (word.starts_with(char::is_uppercase)
                || ["von", "van", "de", "der", "den", "del", "la", "di", "da", "y"].contains(word))
    };
    (1..=4).contains(&words.len()) && words.iter().all(is_part) && text.chars().count() >= 2
}

/// Two or more words like a name of which the first or last is a common given name.
pub(super) fn is_full_name(text: &str) -> bool {
    if !is_like_a_name(text) {
        return false;
    }
    let words: Vec<String> =
        text.split([' ', ',']).filter(|w| !w.is_empty()).map(words::plain).collect();
    let is_given = |word: Option<&String>| word.is_some_and(|word| names::is_given(word));
    words.len() >= 2 && (is_given(words.first()) || is_given(words.last()))
}

/// A common given name, alone or at the start.
pub(super) fn has_given_name(text: &str) -> bool {
    text.split([' ', ',', '-']).any(|word| names::is_given(&words::plain(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(is: fn(&str) -> bool, yes: &[&str], no: &[&str]) {
        for text in yes {
            assert!(is(text), "{text}");
        }
        for text in no {
            assert!(!is(text), "{text}");
        }
    }

    #[test]
    fn emails_are_found_in_text() {
        check(
            has_email,
            &["a@b.de", "write to Jo.Doe+x@mail.example.com.", "<x_1@y-z.org>"],
            &["a@b", "@b.de", "3 @ 4.50", "a@b.1", "no mail"],
        );
    }

    #[test]
    fn phones_are_told_from_dates_and_amounts() {
        check(
            is_written_phone,
            &["+49 30 1234567", "+15551234567", "(555) 123-4567", "555-123-4567", "0049 30 123456"],
            &["2024-12-31", "31.12.2024", "1234567890", "12.50", "0.0051", "+5", "555 123 4567 x"],
        );
        check(may_be_phone, &["030 1234567", "5551234567"], &["yes", "12", "1234567890123456"]);
    }

    #[test]
    fn checksums_decide_on_cards_and_accounts() {
        check(
            is_card,
            &["4111 1111 1111 1111", "5500005555555559", "340000000000009"],
            &["4111 1111 1111 1112", "1234567890123", "0000000000000000", "4111-x"],
        );
        check(
            is_iban,
            &[
                "DE89 3704 0044 0532 0130 00",
                "GB29NWBK60161331926819",
                "FR1420041010050500013M02606",
            ],
            &["DE88 3704 0044 0532 0130 00", "DE89", "ABCDEFGHIJKLMNOPQRST"],
        );
    }

    #[test]
    fn streets_need_a_number() {
        check(
            is_street,
            &[
                "Hauptstraße 5",
                "12 Main St",
                "Berliner Str. 12a",
                "10 rue de Rivoli",
                "Calle Mayor 3",
            ],
            &["Main Street", "term_36", "A 1", "0 <= ... < 200 DM", "4 years"],
        );
    }

    #[test]
    fn people_are_told_from_things() {
        check(
            is_full_name,
            &["Anna Schmidt", "Schmidt, Anna", "José García López", "Ludwig van Beethoven"],
            &["Anna", "Credit Suisse", "real estate", "Not Verified", "James Bond 007"],
        );
    }

    #[test]
    fn no_text_panics() {
        for text in ["", " ", "€", "é@ü.ß", "DE", "+", "0", "日本語 3", "\u{0}"] {
            for is in [has_email, is_written_phone, may_be_phone, is_card, is_iban, is_street] {
                is(text);
            }
            is_full_name(text);
            has_given_name(text);
        }
    }
}

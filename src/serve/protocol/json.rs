//! JSON read exactly: every number becomes the float nearest to what is written, as everywhere in
//! the program.
//!
//! `serde_json` may be off by the last bit of a float unless it is built otherwise for the whole
//! program, and a score must not depend on the way a row came in. Whatever nobody asks for is
//! passed over without recursion, and what is asked for is nested only so deep.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

/// Arrays and objects within each other, at most.
const DEEPEST: usize = 128;

/// What is wrong with a text, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    kind: Kind,
    at: usize,
    line: usize,
    column: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Syntax,
    End,
    Data,
}

impl Mistake {
    /// Whether it is sound JSON that holds something else than is expected.
    pub fn is_data(&self) -> bool {
        self.kind == Kind::Data
    }

    /// Whether the text ends too early.
    pub fn is_eof(&self) -> bool {
        self.kind == Kind::End
    }

    /// The line, from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// The byte in the line, from 1.
    pub fn column(&self) -> usize {
        self.column
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} column {}", self.line, self.column)
    }
}

impl std::error::Error for Mistake {}

impl de::Error for Mistake {
    // What was found is a value of the caller's, so it is not told.
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self { kind: Kind::Data, at: usize::MAX, line: 0, column: 0 }
    }
}

/// Reads a text with a seed; nothing may follow.
pub fn read<'de, S: DeserializeSeed<'de>>(text: &'de [u8], seed: S) -> Result<S::Value, Mistake> {
    let mut reader = Reader { text, at: 0, depth: 0 };
    let value = seed.deserialize(&mut reader).and_then(|value| {
        reader.blank();
        if reader.at == text.len() { Ok(value) } else { Err(reader.wrong()) }
    });
    value.map_err(|mistake| {
        let at = mistake.at.min(reader.at).min(text.len());
        let line = text[..at].split(|b| *b == b'\n').count();
        let start = text[..at].iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        Mistake { line, column: at - start + 1, ..mistake }
    })
}

struct Reader<'de> {
    text: &'de [u8],
    at: usize,
    depth: usize,
}

impl<'de> Reader<'de> {
    fn mistake(&self, kind: Kind) -> Mistake {
        Mistake { kind, at: self.at, line: 0, column: 0 }
    }

    fn wrong(&self) -> Mistake {
        self.mistake(if self.at < self.text.len() { Kind::Syntax } else { Kind::End })
    }

    fn blank(&mut self) {
        let is_blank = |b: &&u8| matches!(b, b' ' | b'\t' | b'\n' | b'\r');
        self.at += self.text[self.at..].iter().take_while(is_blank).count();
    }

    /// The next letter that is no blank.
    fn peek(&mut self) -> Result<u8, Mistake> {
        self.blank();
        self.text.get(self.at).copied().ok_or_else(|| self.wrong())
    }

    fn expect(&mut self, letter: u8) -> Result<(), Mistake> {
        if self.peek()? == letter {
            self.at += 1;
            Ok(())
        } else {
            Err(self.wrong())
        }
    }

    fn word(&mut self, word: &str) -> Result<(), Mistake> {
        let rest = &self.text[self.at..];
        if rest.starts_with(word.as_bytes()) {
            self.at += word.len();
            return Ok(());
        }
        let same = rest.iter().zip(word.as_bytes()).take_while(|(a, b)| a == b).count();
        self.at += same;
        Err(self.wrong())
    }

    /// A number as it is written, in the grammar of JSON; true for an integer.
    fn number(&mut self) -> Result<(&'de str, bool), Mistake> {
        let start = self.at;
        let digits = |reader: &mut Self| {
            let n = reader.text[reader.at..].iter().take_while(|b| b.is_ascii_digit()).count();
            reader.at += n;
            if n == 0 { Err(reader.wrong()) } else { Ok(()) }
        };
        if self.text.get(self.at) == Some(&b'-') {
            self.at += 1;
        }
        if self.text.get(self.at) == Some(&b'0') {
            self.at += 1;
            if self.text.get(self.at).is_some_and(u8::is_ascii_digit) {
                return Err(self.wrong());
            }
        } else {
            digits(self)?;
        }
        let mut is_integer = true;
        if self.text.get(self.at) == Some(&b'.') {
            is_integer = false;
            self.at += 1;
            digits(self)?;
        }
        if matches!(self.text.get(self.at), Some(b'e' | b'E')) {
            is_integer = false;
            self.at += 1;
            if matches!(self.text.get(self.at), Some(b'+' | b'-')) {
                self.at += 1;
            }
            digits(self)?;
        }
        let text = std::str::from_utf8(&self.text[start..self.at]).map_err(|_| self.wrong())?;
        Ok((text, is_integer))
    }

    /// A string, without its quotes; borrowed where nothing in it is escaped.
    fn string(&mut self) -> Result<Cow<'de, str>, Mistake> {
        self.expect(b'"')?;
        let start = self.at;
        let mut owned: Option<Vec<u8>> = None;
        loop {
            let from = self.at;
            let is_plain = |b: &&u8| **b != b'"' && **b != b'\\' && **b >= 0x20;
            self.at += self.text[self.at..].iter().take_while(is_plain).count();
            if let Some(owned) = &mut owned {
                owned.extend_from_slice(&self.text[from..self.at]);
            }
            match self.text.get(self.at) {
                Some(b'"') => {
                    let end = self.at;
                    self.at += 1;
                    return match owned {
                        None => std::str::from_utf8(&self.text[start..end])
                            .map(Cow::Borrowed)
                            .map_err(|_| self.wrong()),
                        Some(owned) => {
                            String::from_utf8(owned).map(Cow::Owned).map_err(|_| self.wrong())
                        }
                    };
                }
                Some(b'\\') => {
                    let mut own =
                        owned.take().unwrap_or_else(|| self.text[start..self.at].to_vec());
                    self.at += 1;
                    let letter = self.escape()?;
                    own.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
                    owned = Some(own);
                }
                _ => return Err(self.wrong()),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Mistake> {
        let letter = *self.text.get(self.at).ok_or_else(|| self.wrong())?;
        self.at += 1;
        Ok(match letter {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.hex()?;
                if !(0xd800..0xe000).contains(&first) {
                    return char::from_u32(first).ok_or_else(|| self.wrong());
                }
                // The first half of a letter beyond the basic plane; its second has to follow.
                self.word("\\u")?;
                let second = self.hex()?;
                if first >= 0xdc00 || !(0xdc00..0xe000).contains(&second) {
                    return Err(self.mistake(Kind::Syntax));
                }
                let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return char::from_u32(code).ok_or_else(|| self.wrong());
            }
            _ => return Err(self.mistake(Kind::Syntax)),
        })
    }

    fn hex(&mut self) -> Result<u32, Mistake> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.text.get(self.at).and_then(|b| char::from(*b).to_digit(16));
            code = code * 16 + digit.ok_or_else(|| self.wrong())?;
            self.at += 1;
        }
        Ok(code)
    }

    /// Passes over a value, however deep.
    fn skip(&mut self) -> Result<(), Mistake> {
        // Of each array or object that is open, the letter that closes it.
        let mut open: Vec<u8> = Vec::new();
        loop {
            match self.peek()? {
                b'{' => {
                    self.at += 1;
                    if self.peek()? == b'}' {
                        self.at += 1;
                    } else {
                        open.push(b'}');
                        self.key()?;
                        continue;
                    }
                }
                b'[' => {
                    self.at += 1;
                    if self.peek()? == b']' {
                        self.at += 1;
                    } else {
                        open.push(b']');
                        continue;
                    }
                }
                b'"' => drop(self.string()?),
                b't' => self.word("true")?,
                b'f' => self.word("false")?,
                b'n' => self.word("null")?,
                _ => drop(self.number()?),
            }
            loop {
                let Some(close) = open.last().copied() else { return Ok(()) };
                let next = self.peek()?;
                self.at += 1;
                if next == close {
                    open.pop();
                } else if next == b',' {
                    if close == b'}' {
                        self.key()?;
                    }
                    break;
                } else {
                    self.at -= 1;
                    return Err(self.wrong());
                }
            }
        }
    }

    fn key(&mut self) -> Result<Cow<'de, str>, Mistake> {
        let key = self.string()?;
        self.expect(b':')?;
        Ok(key)
    }

    fn enter(&mut self) -> Result<(), Mistake> {
        self.at += 1;
        self.depth += 1;
        if self.depth > DEEPEST { Err(self.mistake(Kind::Syntax)) } else { Ok(()) }
    }
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = Mistake;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        let first = self.peek()?;
        let start = self.at;
        let told = match first {
            b'{' => {
                self.enter()?;
                let value = visitor.visit_map(Members { reader: self, is_first: true })?;
                self.depth -= 1;
                // A visitor that is content early leaves the rest.
                self.expect(b'}')?;
                return Ok(value);
            }
            b'[' => {
                self.enter()?;
                let value = visitor.visit_seq(Members { reader: self, is_first: true })?;
                self.depth -= 1;
                self.expect(b']')?;
                return Ok(value);
            }
            b'"' => match self.string()? {
                Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
                Cow::Owned(text) => visitor.visit_string(text),
            },
            b't' => self.word("true").and_then(|()| visitor.visit_bool(true)),
            b'f' => self.word("false").and_then(|()| visitor.visit_bool(false)),
            b'n' => self.word("null").and_then(|()| visitor.visit_unit()),
            b'-' | b'0'..=b'9' => {
                let (text, is_integer) = self.number()?;
                if is_integer && let Ok(number) = text.parse::<u64>() {
                    visitor.visit_u64(number)
                } else if is_integer
                    && text != "-0"
                    && let Ok(number) = text.parse::<i64>()
                {
                    visitor.visit_i64(number)
                } else {
                    match text.parse::<f64>() {
                        Ok(number) if number.is_finite() => visitor.visit_f64(number),
                        _ => Err(self.mistake(Kind::Syntax)),
                    }
                }
            }
            _ => Err(self.wrong()),
        };
        // A value that is not what is expected is told where it stands.
        told.map_err(|mistake: Mistake| {
            if mistake.at == usize::MAX { Mistake { at: start, ..mistake } } else { mistake }
        })
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        if self.peek()? == b'n' {
            self.word("null")?;
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        self.skip()?;
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
    }
}

/// What an array or object holds.
struct Members<'a, 'de> {
    reader: &'a mut Reader<'de>,
    is_first: bool,
}

impl Members<'_, '_> {
    /// Whether there is another one; the comma before it is passed.
    fn another(&mut self, close: u8) -> Result<bool, Mistake> {
        let next = self.reader.peek()?;
        if next == close && self.is_first {
            return Ok(false);
        }
        if std::mem::take(&mut self.is_first) {
            return Ok(true);
        }
        if next == close {
            return Ok(false);
        }
        self.reader.expect(b',')?;
        if self.reader.peek()? == close { Err(self.reader.wrong()) } else { Ok(true) }
    }
}

impl<'de> SeqAccess<'de> for Members<'_, 'de> {
    type Error = Mistake;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Mistake> {
        if !self.another(b']')? {
            return Ok(None);
        }
        seed.deserialize(&mut *self.reader).map(Some)
    }
}

impl<'de> MapAccess<'de> for Members<'_, 'de> {
    type Error = Mistake;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Mistake> {
        if !self.another(b'}')? {
            return Ok(None);
        }
        if self.reader.peek()? != b'"' {
            return Err(self.reader.wrong());
        }
        seed.deserialize(&mut *self.reader).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Mistake> {
        self.reader.expect(b':')?;
        seed.deserialize(&mut *self.reader)
    }
}

//! Rows as CSV (RFC 4180): the first line names the columns.

use std::cell::RefCell;
use std::collections::HashMap;

use serde::de;

use super::form::{LONGEST, Reading, SUBJECT, ScoreForm};
use super::protocol::{Limits, Refusal, shown};
use super::sent::Cell;

/// Rows as CSV: the first line names the columns.
pub(super) fn csv(
    body: &[u8],
    places: &HashMap<String, usize>,
    limits: &Limits,
) -> Result<ScoreForm, Refusal> {
    let text =
        std::str::from_utf8(body).map_err(|_| Refusal::bad_request("the CSV is not UTF-8"))?;
    let mut form = ScoreForm::default();
    form.rows.n_columns = places.len();
    let reading = Reading { places, limits, refusal: RefCell::default() };
    let mut lines = Lines(text.strip_prefix('\u{feff}').unwrap_or(text));
    let mut header: Vec<Option<usize>> = Vec::new();
    let mut subject_at = None;
    for name in
        lines.line(limits.max_inputs)?.ok_or_else(|| Refusal::bad_request("the CSV is empty"))?
    {
        let place = places.get(name.trim()).copied();
        if place.is_some() && header.contains(&place) {
            let what = format!("column `{}` is there twice", shown(name.trim()));
            return Err(Refusal::bad_request(what));
        }
        if place.is_none() && name.trim() == SUBJECT {
            subject_at = Some(header.len());
        } else if place.is_none() {
            form.rows.note(name.trim());
        }
        header.push(place);
    }
    let mut number = 1_usize;
    while let Some(line) = lines.line(header.len())? {
        number += 1;
        if line.len() == 1 && line[0].is_empty() && header.len() > 1 {
            continue;
        }
        if line.len() != header.len() {
            return Err(Refusal::bad_request(format!(
                "line {number} of the CSV has {} values, and the header has {}",
                line.len(),
                header.len()
            )));
        }
        reading.begin::<de::value::Error>(&mut form.rows).map_err(|_| {
            reading.refusal.take().unwrap_or_else(|| Refusal::too_large("too many rows"))
        })?;
        let start = form.rows.cells.len() - form.rows.n_columns;
        if let Some(subject) = subject_at.map(|at| &line[at]).filter(|text| !text.is_empty()) {
            if subject.chars().count() > LONGEST {
                let what = format!(
                    "line {number} of the CSV: `{SUBJECT}` has more than {LONGEST} letters"
                );
                return Err(Refusal::bad_request(what));
            }
            form.rows.subjects.push((form.rows.n_rows - 1, subject.as_str().into()));
        }
        for (cell, place) in line.into_iter().zip(&header) {
            if let Some(place) = place
                && !cell.is_empty()
            {
                form.rows.cells[start + place] = Cell::Written(cell.into());
            }
        }
    }
    if form.rows.n_rows == 0 {
        return Err(Refusal::bad_request("the request has no row"));
    }
    Ok(form)
}

/// Adds a letter to the last cell.
fn push(cells: &mut [String], letter: char) {
    if let Some(cell) = cells.last_mut() {
        cell.push(letter);
    }
}

/// The lines of a CSV that are left (RFC 4180).
struct Lines<'a>(&'a str);

impl Lines<'_> {
    /// The next line, which may have so many cells.
    fn line(&mut self, most: usize) -> Result<Option<Vec<String>>, Refusal> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let mut cells = vec![String::new()];
        let mut is_quoted = false;
        let mut letters = self.0.char_indices().peekable();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '"' if is_quoted && letters.peek().is_some_and(|(_, next)| *next == '"') => {
                    letters.next();
                    push(&mut cells, '"');
                }
                '"' => is_quoted = !is_quoted,
                ',' if !is_quoted && cells.len() == most => {
                    let what = format!("a line of the CSV has more than {most} values");
                    return Err(Refusal::bad_request(what));
                }
                ',' if !is_quoted => cells.push(String::new()),
                '\r' if !is_quoted && self.0[at + 1..].starts_with('\n') => {}
                '\n' if !is_quoted => {
                    self.0 = &self.0[at + 1..];
                    return Ok(Some(cells));
                }
                letter => {
                    push(&mut cells, letter);
                }
            }
        }
        self.0 = "";
        if is_quoted {
            Err(Refusal::bad_request("a quote in the CSV is not closed"))
        } else {
            Ok(Some(cells))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ScoreForm, Refusal> {
        let places = [("age", 0), ("job", 1)].map(|(name, at)| (name.to_owned(), at)).into();
        csv(text.as_bytes(), &places, &Limits::default())
    }

    #[test]
    fn csv_is_read_with_quotes() {
        let text = "\u{feff}job,extra,age\r\n\"a, \"\"b\"\"\",x,30\nclerk,,\n";
        let form = parse(text).unwrap();
        let written = |text: &str| Cell::Written(text.into());
        let expected = [written("30"), written("a, \"b\""), Cell::Missing, written("clerk")];
        assert_eq!(form.rows.cells, expected);
        for (text, expected) in [
            ("", "empty"),
            ("age\n", "no row"),
            ("age\n1,2\n", "more than 1 values"),
            ("age,job\n1\n", "line 2"),
            ("age\n\"1\n", "closed"),
        ] {
            let refusal = parse(text).unwrap_err();
            assert!(refusal.message.contains(expected), "{text}: {}", refusal.message);
        }
        assert!(parse(&",".repeat(100_000)).is_err(), "before it takes any room");
    }
}

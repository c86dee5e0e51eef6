//! One row at a time, without a table: the same numbers as the matrix, for whoever has values in
//! hand, such as a server.

use std::collections::HashMap;

use super::calendar;
use super::cells::clamped;
use super::fitted::{Encoding, FittedRecipe, Input, Source};
use super::{Groups, Unseen};
use crate::data::{Kind, days_of, is_missing, truth_of, truth_word};

/// A value as it was given, before anyone asked what the column holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Given<'a> {
    /// Nothing.
    Missing,
    /// A number.
    Number(f64),
    /// A word, or a date written as one.
    Text(&'a str),
    /// Anything as it is written in a file of text: a word, a number, a date.
    Written(&'a str),
    /// True or false.
    Truth(bool),
}

/// A value as the recipe looks at it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell {
    /// A number or the days of a date; NaN where missing.
    Number(f64),
    /// The group of a level; `None` for no group at all.
    Group(Option<u32>),
}

/// What is remarkable about a value that was taken nevertheless.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remark {
    /// Nothing.
    Usual,
    /// It is missing.
    Missing,
    /// Training never saw this level.
    Unseen,
    /// It is smaller than any value in training.
    Below,
    /// It is larger than any value in training.
    Above,
}

/// Why a value cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// A number is needed.
    NoNumber,
    /// A date is needed.
    NoDate,
    /// Training never saw this level, and the recipe does not take such.
    NoLevel,
    /// Training never saw a missing value here, and the recipe has no place for one.
    NoMissing,
    /// The number is far larger than any that makes sense.
    TooLarge,
}

/// One column of the recipe, ready to take values.
#[derive(Clone, Debug)]
struct Taker {
    encoding: Encoding,
    /// Codes that count as missing, as numbers.
    special: Vec<f64>,
    min: f64,
    max: f64,
    /// Where a level goes; `None` for one that training saw and that has no group.
    levels: HashMap<String, Option<u32>>,
    /// The levels that stand for false and true, in a column of truth values.
    truths: [Option<String>; 2],
    /// Levels that count as missing.
    special_levels: Vec<String>,
    groups: Groups,
    unseen: Unseen,
}

/// What one column of the matrix is made of.
#[derive(Clone, Copy, Debug)]
enum Made {
    Number { fill: f64, low: Option<f64>, high: Option<f64> },
    Missing,
    Group(Option<u32>),
    Month(usize),
    Weekday(usize),
}

/// A fitted recipe that takes rows one by one; it makes the numbers that
/// [`FittedRecipe::matrix`] makes, bit for bit.
#[derive(Clone, Debug)]
pub struct RowRecipe {
    takers: Vec<Taker>,
    /// For each column of the matrix the input it looks at, what of it, offset and scale.
    outputs: Vec<(usize, Made, f64, f64)>,
}

impl RowRecipe {
    /// Prepares a fitted recipe.
    pub fn new(recipe: &FittedRecipe) -> Self {
        let place = |name: &str| recipe.inputs.iter().position(|input| input.name == name);
        let takers: Vec<Taker> = recipe.inputs.iter().map(|input| taker(recipe, input)).collect();
        let outputs = recipe.outputs.iter().filter_map(|output| {
            let input = place(&output.column)?;
            let made = match &output.source {
                Source::Number { fill, low, high } => {
                    Made::Number { fill: *fill, low: *low, high: *high }
                }
                Source::Missing => Made::Missing,
                Source::Level { level } => {
                    let names = &takers[input].groups.names;
                    Made::Group(names.iter().position(|n| n == level).map(|at| at as u32))
                }
                Source::Month { month } => Made::Month(*month),
                Source::Weekday { weekday } => Made::Weekday(*weekday),
            };
            Some((input, made, output.offset, output.scale))
        });
        let outputs = outputs.collect();
        Self { takers, outputs }
    }

    /// How many columns a row has before the recipe.
    pub fn n_inputs(&self) -> usize {
        self.takers.len()
    }

    /// How many columns the matrix has.
    pub fn n_outputs(&self) -> usize {
        self.outputs.len()
    }

    /// Looks at a value of the input at this place.
    #[inline]
    pub fn take(&self, input: usize, given: Given<'_>) -> Result<(Cell, Remark), Misfit> {
        let taker = &self.takers[input];
        match taker.encoding {
            Encoding::Number | Encoding::Date => taker.number(given),
            Encoding::Levels => taker.level(given),
        }
    }

    /// Whether nothing has to be said of a number at this place: training saw the like of it.
    #[inline]
    pub fn is_usual(&self, input: usize, value: f64) -> bool {
        let taker = &self.takers[input];
        taker.encoding == Encoding::Number
            && taker.special.is_empty()
            && value.is_finite()
            && taker.min <= value
            && value <= taker.max
    }

    /// Makes a row of the matrix of one cell for each input.
    pub fn make(&self, cells: &[Cell], row: &mut [f64]) {
        for ((input, made, offset, scale), to) in self.outputs.iter().zip(row) {
            let flag = |is: bool| if is { 1.0 } else { 0.0 };
            let raw = match (cells[*input], *made) {
                (Cell::Number(value), Made::Number { fill, low, high }) => {
                    clamped(value, fill, low, high)
                }
                (Cell::Number(value), Made::Missing) => flag(value.is_nan()),
                (Cell::Number(value), Made::Month(month)) => {
                    flag(!value.is_nan() && calendar::month(value) == month)
                }
                (Cell::Number(value), Made::Weekday(weekday)) => {
                    flag(!value.is_nan() && calendar::weekday(value) == weekday)
                }
                (Cell::Group(Some(group)), Made::Group(Some(own))) => flag(group == own),
                _ => 0.0,
            };
            *to = (raw - offset) / scale;
        }
    }
}

fn taker(recipe: &FittedRecipe, input: &Input) -> Taker {
    let groups = recipe.groups(input);
    let levels =
        input.levels.iter().map(|level| (level.name.clone(), groups.of_level(level))).collect();
    let truth = |wanted: bool| {
        let mut names = input.levels.iter().map(|level| &level.name);
        names.find(|name| truth_word(name) == Some(wanted)).cloned()
    };
    let is_truth = input.kind == Kind::Boolean;
    Taker {
        truths: if is_truth { [truth(false), truth(true)] } else { [None, None] },
        encoding: input.encoding,
        special: input.special.iter().filter_map(|code| code.parse().ok()).collect(),
        min: input.min.unwrap_or(f64::NEG_INFINITY),
        max: input.max.unwrap_or(f64::INFINITY),
        levels,
        special_levels: input.special.clone(),
        groups,
        unseen: recipe.recipe.unseen,
    }
}

impl Taker {
    #[inline]
    fn number(&self, given: Given<'_>) -> Result<(Cell, Remark), Misfit> {
        let is_date = self.encoding == Encoding::Date;
        let value = match given {
            Given::Missing => f64::NAN,
            Given::Number(value) => value,
            Given::Truth(_) if is_date => return Err(Misfit::NoDate),
            Given::Truth(truth) => f64::from(u8::from(truth)),
            Given::Written(text) if is_missing(text.trim()) => f64::NAN,
            Given::Text(text) | Given::Written(text) if is_date => {
                days_of(text).ok_or(Misfit::NoDate)?
            }
            Given::Text(_) => return Err(Misfit::NoNumber),
            Given::Written(text) => text
                .trim()
                .parse()
                .ok()
                .or_else(|| truth_of(text).map(|truth| f64::from(u8::from(truth))))
                .ok_or(Misfit::NoNumber)?,
        };
        if !value.is_finite() || self.special.contains(&value) {
            return Ok((Cell::Number(f64::NAN), Remark::Missing));
        }
        let remark = if value < self.min {
            Remark::Below
        } else if value > self.max {
            Remark::Above
        } else {
            Remark::Usual
        };
        Ok((Cell::Number(value), remark))
    }

    fn level(&self, given: Given<'_>) -> Result<(Cell, Remark), Misfit> {
        let is_nothing = match given {
            Given::Missing | Given::Text("") => true,
            // Where training had such a word as a level, it is one.
            Given::Written(text) => is_missing(text) && !self.levels.contains_key(text),
            Given::Number(value) => value.is_nan(),
            _ => false,
        };
        if is_nothing {
            return self.missing();
        }
        match given {
            // Numbers are levels as they are written: 1 and 1.0 are one, and so are 0 and -0.
            Given::Number(value) => match self.truth(value == 1.0, value == 0.0 || value == 1.0) {
                Some(level) => self.named(level),
                None => self.named(&(value + 0.0).to_string()),
            },
            Given::Missing => self.missing(),
            Given::Truth(truth) => match self.truth(truth, true) {
                Some(level) => self.named(level),
                None => self.named(if truth { "true" } else { "false" }),
            },
            Given::Text(text) | Given::Written(text) => self.named(text),
        }
    }

    /// The level that stands for a truth value, if `is_one`.
    fn truth(&self, truth: bool, is_one: bool) -> Option<&str> {
        self.truths[usize::from(truth)].as_deref().filter(|_| is_one)
    }

    fn named(&self, name: &str) -> Result<(Cell, Remark), Misfit> {
        if self.special_levels.iter().any(|special| special == name) {
            return self.missing();
        }
        if let Some(group) = self.levels.get(name) {
            let group = group.or(self.groups.unseen);
            return Ok((Cell::Group(group), Remark::Usual));
        }
        match self.groups.unseen {
            Some(group) => Ok((Cell::Group(Some(group)), Remark::Unseen)),
            None if self.unseen == Unseen::Error => Err(Misfit::NoLevel),
            None => Ok((Cell::Group(None), Remark::Unseen)),
        }
    }

    fn missing(&self) -> Result<(Cell, Remark), Misfit> {
        match self.groups.missing {
            Some(group) => Ok((Cell::Group(Some(group)), Remark::Missing)),
            None if self.unseen == Unseen::Error => Err(Misfit::NoMissing),
            None => Ok((Cell::Group(None), Remark::Missing)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{OpenOptions, Table, open_bytes};
    use crate::features::{Recipe, Scale, fit};
    use crate::jobs::Ctx;

    fn table() -> Table {
        let text = "age,job,when,flag,code\n30,clerk,2024-01-31,true,1\n,smith,2024-02-01,false,2\n\
                    50,clerk,2024-03-05,true,1\n41,,2024-12-24,false,3\n22,miner,,true,2\n";
        open_bytes("t.csv", text.as_bytes(), &OpenOptions::default(), &Ctx::quiet()).unwrap()
    }

    #[test]
    fn a_row_gets_the_numbers_of_the_matrix_bit_for_bit() {
        let table = table();
        let features: Vec<String> = table.columns.iter().map(|c| c.name.clone()).collect();
        let rows: Vec<u32> = (0..5).collect();
        for recipe in [
            Recipe { rare: 0.0, ..Recipe::default() },
            Recipe { scale: Scale::Standard, rare: 0.3, winsorise: 0.1, ..Recipe::default() },
        ] {
            let fitted = fit(&table, &recipe, &features, &rows, &Ctx::quiet()).unwrap();
            let matrix = fitted.matrix(&table, &rows, &Ctx::quiet()).unwrap();
            let by_row = RowRecipe::new(&fitted);
            for row in 0..5 {
                let texts: Vec<Option<String>> =
                    fitted.inputs.iter().map(|input| table.text(row, &input.name)).collect();
                let cells: Vec<Cell> = texts
                    .iter()
                    .enumerate()
                    .map(|(place, text)| {
                        let given = text.as_deref().map_or(Given::Missing, Given::Written);
                        by_row.take(place, given).unwrap().0
                    })
                    .collect();
                let mut made = vec![0.0; by_row.n_outputs()];
                by_row.make(&cells, &mut made);
                let bits = |values: &[f64]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
                assert_eq!(bits(&made), bits(&matrix.row(row).to_vec()), "row {row}: {texts:?}");
            }
        }
    }

    #[test]
    fn yes_and_no_are_taken_as_truth_values_and_words_for_nothing_as_missing() {
        let text = "age,home,job\n30,yes,clerk\n41,no,NA\n50,yes,clerk\n22,no,smith\n";
        let table =
            open_bytes("t.csv", text.as_bytes(), &OpenOptions::default(), &Ctx::quiet()).unwrap();
        let names = ["age", "home", "job"].map(str::to_owned);
        let recipe = Recipe { rare: 0.0, ..Recipe::default() };
        let fitted = fit(&table, &recipe, &names, &[0, 1, 2, 3], &Ctx::quiet()).unwrap();
        let by_row = RowRecipe::new(&fitted);
        let take = |place, given| by_row.take(place, given).unwrap();
        for (truth, number, word) in [(true, 1.0, "yes"), (false, 0.0, "no")] {
            let expected = take(1, Given::Text(word));
            assert_eq!(expected.1, Remark::Usual);
            assert_eq!(take(1, Given::Truth(truth)), expected);
            assert_eq!(take(1, Given::Number(number)), expected);
        }
        assert_ne!(take(1, Given::Truth(true)).0, take(1, Given::Truth(false)).0);
        for word in ["NA", "NULL", "?", "nan", ""] {
            for place in 0..3 {
                assert_eq!(take(place, Given::Written(word)).1, Remark::Missing, "{word}");
            }
        }
    }

    #[test]
    fn what_is_remarkable_is_said() {
        let table = table();
        let names = ["age".to_owned(), "job".to_owned()];
        let recipe = Recipe { rare: 0.0, ..Recipe::default() };
        let fitted = fit(&table, &recipe, &names, &[0, 1, 2, 3, 4], &Ctx::quiet()).unwrap();
        let by_row = RowRecipe::new(&fitted);
        let remark = |input, given| by_row.take(input, given).map(|(_, remark)| remark);
        assert_eq!(remark(0, Given::Number(21.0)), Ok(Remark::Below));
        assert_eq!(remark(0, Given::Number(51.0)), Ok(Remark::Above));
        assert_eq!(remark(0, Given::Written("50")), Ok(Remark::Usual));
        assert_eq!(remark(0, Given::Text("50")), Err(Misfit::NoNumber));
        assert_eq!(remark(0, Given::Written("old")), Err(Misfit::NoNumber));
        assert_eq!(remark(0, Given::Missing), Ok(Remark::Missing));
        assert_eq!(remark(1, Given::Text("clown")), Ok(Remark::Unseen));
        assert_eq!(remark(1, Given::Text("clerk")), Ok(Remark::Usual));
        assert_eq!(remark(1, Given::Missing), Ok(Remark::Missing));
    }
}

//! The stored form of a fitted recipe, which is also the input contract of a model.

use serde::{Deserialize, Serialize};

use super::number::{Exact, exact, plain};
use crate::features::{
    Dates, Encoding, FittedRecipe, Impute, Input, Level, Output, Recipe, Scale, Source, Unseen,
};

const IMPUTE: &[(Impute, &str)] = &[
    (Impute::Mean, "mean"),
    (Impute::Median, "median"),
    (Impute::MostFrequent, "most_frequent"),
    (Impute::Constant, "constant"),
];
const UNSEEN: &[(Unseen, &str)] =
    &[(Unseen::Other, "other"), (Unseen::Missing, "missing"), (Unseen::Error, "error")];
const SCALE: &[(Scale, &str)] = &[
    (Scale::None, "none"),
    (Scale::Standard, "standard"),
    (Scale::MinMax, "min_max"),
    (Scale::Robust, "robust"),
];
const DATES: &[(Dates, &str)] =
    &[(Dates::Drop, "drop"), (Dates::Days, "days"), (Dates::Parts, "parts")];
const ENCODING: &[(Encoding, &str)] =
    &[(Encoding::Number, "number"), (Encoding::Levels, "levels"), (Encoding::Date, "date")];

/// The word for a value in a file; the lists above have every value.
fn word<T: PartialEq>(list: &[(T, &'static str)], value: &T) -> String {
    list.iter().find(|(v, _)| v == value).map_or("", |(_, word)| *word).to_owned()
}

fn value<T: Copy>(list: &[(T, &str)], word: &str) -> Result<T, String> {
    let found = list.iter().find(|(_, w)| *w == word).map(|(value, _)| *value);
    found.ok_or_else(|| format!("`{word}` in its recipe is not known"))
}

#[derive(Serialize, Deserialize)]
struct StoredSteps {
    impute: String,
    constant: Exact,
    missing_indicator: bool,
    rare: Exact,
    unseen: String,
    scale: String,
    dates: String,
    winsorise: Exact,
}

#[derive(Serialize, Deserialize)]
struct StoredLevel {
    name: String,
    share: Exact,
    merged: bool,
}

#[derive(Serialize, Deserialize)]
struct StoredInput {
    name: String,
    kind: String,
    encoding: String,
    special: Vec<String>,
    missing: Exact,
    min: Option<Exact>,
    max: Option<Exact>,
    mean: Option<Exact>,
    levels: Vec<StoredLevel>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "source")]
enum StoredSource {
    Number { fill: Exact, low: Option<Exact>, high: Option<Exact> },
    Missing,
    Level { level: String },
    Month { month: usize },
    Weekday { weekday: usize },
}

#[derive(Serialize, Deserialize)]
struct StoredOutput {
    name: String,
    column: String,
    #[serde(flatten)]
    source: StoredSource,
    offset: Exact,
    scale: Exact,
}

/// What the manifest holds of a fitted recipe.
#[derive(Serialize, Deserialize)]
pub(in crate::registry) struct StoredRecipe {
    steps: StoredSteps,
    inputs: Vec<StoredInput>,
    outputs: Vec<StoredOutput>,
    constant: Vec<String>,
}

impl From<&FittedRecipe> for StoredRecipe {
    fn from(fitted: &FittedRecipe) -> Self {
        Self {
            steps: (&fitted.recipe).into(),
            inputs: fitted.inputs.iter().map(Into::into).collect(),
            outputs: fitted.outputs.iter().map(Into::into).collect(),
            constant: fitted.constant.clone(),
        }
    }
}

impl StoredRecipe {
    /// The recipe, when its parts fit together.
    pub(in crate::registry) fn into_recipe(self) -> Result<FittedRecipe, String> {
        let inputs: Vec<Input> =
            self.inputs.into_iter().map(StoredInput::into_input).collect::<Result<_, _>>()?;
        let outputs: Vec<Output> =
            self.outputs.into_iter().map(StoredOutput::into_output).collect::<Result<_, _>>()?;
        if let Some(lost) = outputs.iter().find(|o| !inputs.iter().any(|i| i.name == o.column)) {
            return Err(format!("its column `{}` comes from no input", lost.name));
        }
        Ok(FittedRecipe {
            recipe: self.steps.into_recipe()?,
            inputs,
            outputs,
            constant: self.constant,
        })
    }
}

impl From<&Recipe> for StoredSteps {
    fn from(r: &Recipe) -> Self {
        Self {
            impute: word(IMPUTE, &r.impute),
            constant: Exact(r.constant),
            missing_indicator: r.missing_indicator,
            rare: Exact(r.rare),
            unseen: word(UNSEEN, &r.unseen),
            scale: word(SCALE, &r.scale),
            dates: word(DATES, &r.dates),
            winsorise: Exact(r.winsorise),
        }
    }
}

impl StoredSteps {
    fn into_recipe(self) -> Result<Recipe, String> {
        Ok(Recipe {
            impute: value(IMPUTE, &self.impute)?,
            constant: self.constant.0,
            missing_indicator: self.missing_indicator,
            rare: self.rare.0,
            unseen: value(UNSEEN, &self.unseen)?,
            scale: value(SCALE, &self.scale)?,
            dates: value(DATES, &self.dates)?,
            winsorise: self.winsorise.0,
        })
    }
}

impl From<&Input> for StoredInput {
    fn from(i: &Input) -> Self {
        let level = |l: &Level| StoredLevel {
            name: l.name.clone(),
            share: Exact(l.share),
            merged: l.merged,
        };
        Self {
            name: i.name.clone(),
            kind: i.kind.word().into(),
            encoding: word(ENCODING, &i.encoding),
            special: i.special.clone(),
            missing: Exact(i.missing),
            min: exact(i.min),
            max: exact(i.max),
            mean: exact(i.mean),
            levels: i.levels.iter().map(level).collect(),
        }
    }
}

impl StoredInput {
    fn into_input(self) -> Result<Input, String> {
        let level = |l: StoredLevel| Level { name: l.name, share: l.share.0, merged: l.merged };
        Ok(Input {
            name: self.name,
            kind: self.kind.parse()?,
            encoding: value(ENCODING, &self.encoding)?,
            special: self.special,
            missing: self.missing.0,
            min: plain(self.min),
            max: plain(self.max),
            mean: plain(self.mean),
            levels: self.levels.into_iter().map(level).collect(),
        })
    }
}

impl From<&Output> for StoredOutput {
    fn from(o: &Output) -> Self {
        let source = match &o.source {
            Source::Number { fill, low, high } => {
                StoredSource::Number { fill: Exact(*fill), low: exact(*low), high: exact(*high) }
            }
            Source::Missing => StoredSource::Missing,
            Source::Level { level } => StoredSource::Level { level: level.clone() },
            Source::Month { month } => StoredSource::Month { month: *month },
            Source::Weekday { weekday } => StoredSource::Weekday { weekday: *weekday },
        };
        Self {
            name: o.name.clone(),
            column: o.column.clone(),
            source,
            offset: Exact(o.offset),
            scale: Exact(o.scale),
        }
    }
}

impl StoredOutput {
    fn into_output(self) -> Result<Output, String> {
        let source = match self.source {
            StoredSource::Number { fill, low, high } => {
                Source::Number { fill: fill.0, low: plain(low), high: plain(high) }
            }
            StoredSource::Missing => Source::Missing,
            StoredSource::Level { level } => Source::Level { level },
            StoredSource::Month { month } if month < 12 => Source::Month { month },
            StoredSource::Weekday { weekday } if weekday < 7 => Source::Weekday { weekday },
            StoredSource::Month { .. } | StoredSource::Weekday { .. } => {
                return Err(format!("its column `{}` names no month or weekday", self.name));
            }
        };
        Ok(Output {
            name: self.name,
            column: self.column,
            source,
            offset: self.offset.0,
            scale: self.scale.0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Kind;

    fn output(name: &str, column: &str, source: Source) -> Output {
        Output { name: name.into(), column: column.into(), source, offset: 0.1, scale: 3.0 }
    }

    fn a_recipe() -> FittedRecipe {
        let input = |name: &str, kind, encoding| Input {
            name: name.into(),
            kind,
            encoding,
            special: vec!["-999".into()],
            missing: 1.0 / 3.0,
            min: Some(-1e-300),
            max: None,
            mean: Some(0.1 + 0.2),
            levels: vec![Level { name: "car".into(), share: 0.7, merged: true }],
        };
        let number = Source::Number { fill: 2.0 / 3.0, low: Some(0.0), high: None };
        FittedRecipe {
            recipe: Recipe { rare: 0.02, scale: Scale::Robust, ..Recipe::default() },
            inputs: vec![
                input("age", Kind::Number, Encoding::Number),
                input("purpose", Kind::Category, Encoding::Levels),
                input("since", Kind::Datetime, Encoding::Date),
            ],
            outputs: vec![
                output("age", "age", number),
                output("age is missing", "age", Source::Missing),
                output("purpose = car", "purpose", Source::Level { level: "car".into() }),
                output("since month 3", "since", Source::Month { month: 2 }),
                output("since weekday 7", "since", Source::Weekday { weekday: 6 }),
            ],
            constant: vec!["branch".into()],
        }
    }

    fn stored(recipe: &FittedRecipe) -> Result<FittedRecipe, String> {
        let text = serde_json::to_string(&StoredRecipe::from(recipe)).unwrap();
        serde_json::from_str::<StoredRecipe>(&text).unwrap().into_recipe()
    }

    #[test]
    fn a_recipe_is_read_back_bit_for_bit() {
        assert_eq!(stored(&a_recipe()), Ok(a_recipe()));
    }

    #[test]
    fn every_word_is_read_back() {
        for impute in [Impute::Mean, Impute::Median, Impute::MostFrequent, Impute::Constant] {
            assert_eq!(value(IMPUTE, &word(IMPUTE, &impute)), Ok(impute));
        }
        for unseen in [Unseen::Other, Unseen::Missing, Unseen::Error] {
            assert_eq!(value(UNSEEN, &word(UNSEEN, &unseen)), Ok(unseen));
        }
        for scale in [Scale::None, Scale::Standard, Scale::MinMax, Scale::Robust] {
            assert_eq!(value(SCALE, &word(SCALE, &scale)), Ok(scale));
        }
        for dates in [Dates::Drop, Dates::Days, Dates::Parts] {
            assert_eq!(value(DATES, &word(DATES, &dates)), Ok(dates));
        }
    }

    #[test]
    fn parts_that_do_not_fit_together_are_refused() {
        let mut recipe = a_recipe();
        recipe.outputs.push(output("x", "nowhere", Source::Missing));
        assert!(stored(&recipe).unwrap_err().contains("comes from no input"));
        let mut recipe = a_recipe();
        recipe.outputs.push(output("x", "since", Source::Month { month: 12 }));
        assert!(stored(&recipe).unwrap_err().contains("no month"));
    }
}

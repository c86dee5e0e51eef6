//! Options that say what is asked of a table: target, split, recipe and model.

use anyhow::bail;
use clap::Args;
use serde::de::{DeserializeOwned, IntoDeserializer, value::Error as NoWord};

use super::reading::{Reading, pair};
use crate::data::{Method, OpenOptions, Role};
use crate::train::Experiment;

/// The question, as far as it is given on the command line.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct Asking {
    /// Column to predict; proposed when not given
    #[arg(long, value_name = "COL")]
    target: Option<String>,
    /// Class that counts as positive, of two
    #[arg(long, value_name = "VALUE")]
    positive: Option<String>,
    /// regression, binary or multiclass; inferred when not given
    #[arg(long, value_name = "TASK")]
    task: Option<String>,
    /// Use only these features
    #[arg(long, value_name = "COL,..", value_delimiter = ',')]
    features: Vec<String>,
    /// Leave these features out
    #[arg(long, value_name = "COL,..", value_delimiter = ',')]
    drop: Vec<String>,
    /// Let protected attributes such as age and sex be features
    #[arg(long)]
    use_protected: bool,
    /// Column that names the row
    #[arg(long, value_name = "COL")]
    id: Option<String>,
    /// Column that orders the rows in time; the split then goes by time
    #[arg(long, value_name = "COL")]
    time: Option<String>,
    /// Column that says how much a row counts
    #[arg(long, value_name = "COL")]
    weight: Option<String>,
    /// Parameter of the model; `karat models` lists them
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    set: Vec<(String, String)>,
    #[command(flatten)]
    split: Split,
    #[command(flatten)]
    recipe: Recipe,
    #[command(flatten)]
    reading: Reading,
}

/// Which rows train and which test.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Split")]
struct Split {
    /// random, stratified, group, time, or sklearn (the rows of scikit-learn's `train_test_split`)
    #[arg(long = "split", value_name = "METHOD")]
    method: Option<String>,
    /// Column whose equal values stay together; the split then goes by group
    #[arg(long, value_name = "COL")]
    group: Option<String>,
    /// Test on the rows from this date on
    #[arg(long, value_name = "DATE")]
    test_from: Option<String>,
    /// Share of the rows to test on; 0 trains on all
    #[arg(long, value_name = "SHARE")]
    test: Option<f64>,
    /// Share of the rows to choose the threshold on
    #[arg(long, value_name = "SHARE")]
    valid: Option<f64>,
    /// Seed of every draw of chance
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Folds of cross-validation
    #[arg(long, value_name = "K")]
    cv: Option<usize>,
}

/// How columns become a matrix.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Recipe")]
struct Recipe {
    /// What replaces a missing number: mean, median, `most_frequent` or constant
    #[arg(long, value_name = "HOW")]
    impute: Option<String>,
    /// The value for `--impute constant`
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    constant: Option<f64>,
    /// Add no 0/1 column beside a column with missing values
    #[arg(long)]
    no_indicator: bool,
    /// Merge levels with a smaller share of the training rows than this
    #[arg(long, value_name = "SHARE")]
    rare: Option<f64>,
    /// What a level never seen becomes: other, missing or error
    #[arg(long, value_name = "HOW")]
    unseen: Option<String>,
    /// How numbers are scaled: none, standard, `min_max` or robust
    #[arg(long, value_name = "HOW")]
    scale: Option<String>,
    /// What becomes of dates: drop, days or parts
    #[arg(long, value_name = "HOW")]
    dates: Option<String>,
    /// Cut numbers at this quantile and its mirror image
    #[arg(long, value_name = "SHARE")]
    winsorise: Option<f64>,
    /// Cost of calling a negative positive
    #[arg(long, value_name = "X")]
    cost_fp: Option<f64>,
    /// Cost of calling a positive negative
    #[arg(long, value_name = "X")]
    cost_fn: Option<f64>,
}

impl Asking {
    /// The question on DATA, with the options given in place of what its file says.
    pub(super) fn experiment(&self, data: &str) -> anyhow::Result<Experiment> {
        let mut experiment = self.reading.experiment(data)?;
        let question = &mut experiment.question;
        if self.target.is_some() && self.target != question.target {
            // Class and task were those of another target.
            question.target.clone_from(&self.target);
            question.positive = None;
            question.task = None;
        }
        question.positive = self.positive.clone().or(question.positive.take());
        if let Some(task) = &self.task {
            question.task = Some(word("--task", task)?);
        }
        if !self.features.is_empty() {
            question.features.clone_from(&self.features);
        }
        question.drop.extend(self.drop.iter().cloned());
        question.use_protected |= self.use_protected;
        let roles = &mut experiment.data.columns.roles;
        let said = [
            (&self.id, Role::Id),
            (&self.time, Role::Time),
            (&self.weight, Role::Weight),
            (&self.split.group, Role::Group),
        ];
        for (column, role) in said.into_iter().filter_map(|(c, role)| Some((c.clone()?, role))) {
            roles.insert(column, role);
        }
        for (key, value) in &self.set {
            experiment.model.set.insert(key.clone(), from_file(value)?);
        }
        self.split.apply(self.time.as_deref(), &mut experiment)?;
        self.recipe.apply(&mut experiment)?;
        Ok(experiment)
    }

    /// How the file is to be read, for the screen.
    pub(super) fn open_options(&self) -> OpenOptions {
        self.reading.open_options()
    }

    /// Takes another kind of model, whose parameters are those on the command line alone.
    pub(super) fn choose_model(&self, experiment: &mut Experiment, kind: &str) {
        let model = &mut experiment.model;
        if model.kind != kind {
            kind.clone_into(&mut model.kind);
            let own = self.set.iter().filter_map(|(key, _)| model.set.get_key_value(key));
            model.set = own.map(|(key, value)| (key.clone(), value.clone())).collect();
        }
    }
}

impl Split {
    fn apply(&self, time: Option<&str>, experiment: &mut Experiment) -> anyhow::Result<()> {
        let spec = &mut experiment.split;
        spec.test = share("--test", self.test, 0.95)?.unwrap_or(spec.test);
        spec.valid = share("--valid", self.valid, 0.95)?.unwrap_or(spec.valid);
        spec.seed = self.seed.unwrap_or(spec.seed);
        spec.test_from = self.test_from.clone().or(spec.test_from.take());
        if self.cv == Some(1) {
            bail!("`--cv` cannot be 1\nhint: give it 2 folds or more, or 0 for none");
        }
        experiment.cv = self.cv.unwrap_or(experiment.cv);
        if let Some(group) = &self.group {
            spec.group = Some(group.clone());
            spec.method = Method::Group;
        }
        if let Some(time) = time {
            spec.time = Some(time.to_owned());
            spec.method = Method::Time;
        }
        if spec.test_from.is_some() {
            spec.method = Method::Time;
        }
        if let Some(method) = &self.method {
            spec.method = word("--split", method)?;
        }
        Ok(())
    }
}

impl Recipe {
    fn apply(&self, experiment: &mut Experiment) -> anyhow::Result<()> {
        let recipe = &mut experiment.recipe;
        if let Some(text) = &self.impute {
            recipe.impute = word("--impute", text)?;
        }
        if let Some(text) = &self.unseen {
            recipe.unseen = word("--unseen", text)?;
        }
        if let Some(text) = &self.scale {
            recipe.scale = word("--scale", text)?;
        }
        if let Some(text) = &self.dates {
            recipe.dates = word("--dates", text)?;
        }
        recipe.constant = self.constant.unwrap_or(recipe.constant);
        recipe.missing_indicator &= !self.no_indicator;
        recipe.rare = share("--rare", self.rare, 0.5)?.unwrap_or(recipe.rare);
        recipe.winsorise = share("--winsorise", self.winsorise, 0.25)?.unwrap_or(recipe.winsorise);
        let costs = &mut experiment.costs;
        costs.false_positive =
            share("--cost-fp", self.cost_fp, f64::MAX)?.unwrap_or(costs.false_positive);
        costs.false_negative =
            share("--cost-fn", self.cost_fn, f64::MAX)?.unwrap_or(costs.false_negative);
        Ok(())
    }
}

/// The value of a parameter; `@FILE` stands for what the file holds.
fn from_file(value: &str) -> anyhow::Result<String> {
    let Some(path) = value.strip_prefix('@') else { return Ok(value.to_owned()) };
    std::fs::read_to_string(path)
        .map_err(|error| anyhow::anyhow!("cannot read `{path}`: {error}\nhint: `@` names a file"))
}

/// One of the words of a list; an error names them all.
fn word<T: DeserializeOwned>(option: &str, text: &str) -> anyhow::Result<T> {
    let read = T::deserialize(text.to_lowercase().replace('-', "_").into_deserializer());
    read.map_err(|error: NoWord| {
        let known = error.to_string();
        let known = known.split("expected ").nth(1).unwrap_or("another word").replace('`', "");
        anyhow::anyhow!("`{option}` cannot be `{text}`\nhint: give it {known}")
    })
}

/// A number from 0 to `most`, when one was given.
fn share(option: &str, given: Option<f64>, most: f64) -> anyhow::Result<Option<f64>> {
    match given {
        Some(value) if !(0.0..=most).contains(&value) => {
            let range =
                if most < 1.0 { format!("from 0 to {most}") } else { "of 0 or more".to_owned() };
            bail!("`{option}` cannot be {value}\nhint: give it a number {range}")
        }
        given => Ok(given),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::Impute;

    #[test]
    fn a_wrong_word_names_the_right_ones() {
        assert_eq!(word::<Method>("--split", "time").unwrap(), Method::Time);
        assert_eq!(word::<Impute>("--impute", "most-frequent").unwrap(), Impute::MostFrequent);
        let text = word::<Method>("--split", "tyme").unwrap_err().to_string();
        let hint = "hint: give it one of random, stratified, group, time, sklearn";
        assert_eq!(text, format!("`--split` cannot be `tyme`\n{hint}"));
    }

    #[test]
    fn a_share_lies_between_its_ends() {
        assert_eq!(share("--test", Some(0.2), 0.95).unwrap(), Some(0.2));
        assert_eq!(share("--test", None, 0.95).unwrap(), None);
        let text = share("--test", Some(1.5), 0.95).unwrap_err().to_string();
        assert_eq!(text, "`--test` cannot be 1.5\nhint: give it a number from 0 to 0.95");
        assert!(share("--cost-fp", Some(f64::NAN), f64::MAX).is_err());
    }
}

//! The command line that repeats an experiment.

use super::{Experiment, Question};
use crate::data::{Method, Overrides, SplitSpec, Step};
use crate::features::{Dates, Impute, Recipe, Scale, Unseen};

impl Experiment {
    /// The `karat train` line that carries out the same experiment, quoted for a shell. Where
    /// options cannot say all of it, the line takes the experiment's file.
    ///
    /// ```
    /// use karat::train::Experiment;
    ///
    /// let mut experiment = Experiment::on("my loans.csv");
    /// experiment.model.set.insert("alpha".into(), "0.1".into());
    /// let line = "karat train 'my loans.csv' --model logistic --set alpha=0.1";
    /// assert_eq!(experiment.command_line(), line);
    /// ```
    pub fn command_line(&self) -> String {
        let words = self.words().unwrap_or_else(|| vec!["EXPERIMENT.toml".to_owned()]);
        let quoted = words.iter().map(|word| quoted(word));
        format!("karat train {}", quoted.collect::<Vec<_>>().join(" "))
    }

    /// The words of the line; nothing where options cannot say it.
    fn words(&self) -> Option<Vec<String>> {
        let mut line = Line(vec![self.data.path.to_string_lossy().into_owned()]);
        match self.data.delimiter {
            Some('\t') => line.option("--delimiter", "tab"),
            Some(delimiter) => line.option("--delimiter", &delimiter),
            None => {}
        }
        if let Some(header) = self.data.header {
            line.flag(if header { "--header" } else { "--no-header" });
        }
        line.columns(&self.data.columns, &self.split)?;
        line.steps(&self.data.steps)?;
        line.question(&self.question)?;
        line.option("--model", &self.model.kind);
        for (key, value) in &self.model.set {
            line.pair("--set", key, value)?;
        }
        line.split(&self.split);
        if self.cv > 0 {
            line.option("--cv", &self.cv);
        }
        line.recipe(&self.recipe);
        let usual = Self::default().costs;
        line.unless(&usual.false_positive, "--cost-fp", &self.costs.false_positive);
        line.unless(&usual.false_negative, "--cost-fn", &self.costs.false_negative);
        Some(line.0)
    }
}

struct Line(Vec<String>);

impl Line {
    fn flag(&mut self, name: &str) {
        self.0.push(name.to_owned());
    }

    fn option(&mut self, name: &str, value: &(impl ToString + ?Sized)) {
        self.0.extend([name.to_owned(), value.to_string()]);
    }

    fn unless<T: PartialEq + ToString>(&mut self, usual: &T, name: &str, value: &T) {
        if value != usual {
            self.option(name, value);
        }
    }

    /// `NAME=VALUE`, unless the name itself holds `=`.
    fn pair(&mut self, option: &str, name: &str, value: impl std::fmt::Display) -> Option<()> {
        if name.contains('=') {
            return None;
        }
        self.option(option, &format!("{name}={value}"));
        Some(())
    }

    /// `A,B`, unless a name itself holds a comma.
    fn list(&mut self, option: &str, names: &[String]) -> Option<()> {
        if names.iter().any(|name| name.contains(',')) {
            return None;
        }
        if !names.is_empty() {
            self.option(option, &names.join(","));
        }
        Some(())
    }

    fn columns(&mut self, columns: &Overrides, split: &SplitSpec) -> Option<()> {
        for (name, codes) in &columns.special {
            self.pair("--special", name, codes.join(","))?;
        }
        let by_split = [split.time.as_ref(), split.group.as_ref()];
        for (name, role) in &columns.roles {
            let is_said = match role.word() {
                "time" => by_split[0] == Some(name) && split.method == Method::Time,
                "group" => by_split[1] == Some(name) && split.method == Method::Group,
                _ => false,
            };
            if !is_said {
                self.pair("--role", name, role)?;
            }
        }
        for (name, kind) in &columns.kinds {
            self.pair("--kind", name, kind)?;
        }
        let (mut protected, mut personal, mut harmless) = (Vec::new(), Vec::new(), Vec::new());
        for (marks, yes) in
            [(&columns.protected, &mut protected), (&columns.personal, &mut personal)]
        {
            for (name, is) in marks {
                if *is {
                    yes.push(name.clone());
                } else if !harmless.contains(name) {
                    harmless.push(name.clone());
                }
            }
        }
        self.list("--protected", &protected)?;
        self.list("--personal", &personal)?;
        self.list("--harmless", &harmless)
    }

    /// The command line derives in a fixed order: query, repeated rows, columns, columns that
    /// look ahead, rows.
    fn steps(&mut self, steps: &[Step]) -> Option<()> {
        let mut reached = 0;
        for step in steps {
            let place = match step {
                Step::Sql { query } => {
                    self.option("--sql", query);
                    1
                }
                Step::Dedupe => {
                    self.flag("--dedupe");
                    2
                }
                Step::Compute { name, expr } => {
                    self.pair("--compute", name, expr)?;
                    3
                }
                Step::Ahead(ahead) => {
                    self.option("--ahead", ahead);
                    4
                }
                Step::Filter { expr } => {
                    self.option("--filter", expr);
                    5
                }
            };
            if place < reached || (place == reached && place <= 2) {
                return None;
            }
            reached = place;
        }
        Some(())
    }

    fn question(&mut self, question: &Question) -> Option<()> {
        for (option, value) in [("--target", &question.target), ("--positive", &question.positive)]
        {
            if let Some(value) = value {
                self.option(option, value);
            }
        }
        // A positive class says that there are two.
        if let Some(task) = question.task.filter(|_| question.positive.is_none()) {
            self.option("--task", &task);
        }
        self.list("--features", &question.features)?;
        self.list("--drop", &question.drop)?;
        if question.use_protected {
            self.flag("--use-protected");
        }
        Some(())
    }

    fn split(&mut self, split: &SplitSpec) {
        let usual = SplitSpec::default();
        match (split.method, &split.time, &split.group) {
            (Method::Time, Some(time), _) => self.option("--time", time),
            (Method::Group, _, Some(group)) => self.option("--group", group),
            (method, _, _) => self.unless(&usual.method, "--split", &method),
        }
        if let Some(date) = &split.test_from {
            self.option("--test-from", date);
        }
        self.unless(&usual.test, "--test", &split.test);
        self.unless(&usual.valid, "--valid", &split.valid);
        self.unless(&usual.seed, "--seed", &split.seed);
    }

    fn recipe(&mut self, recipe: &Recipe) {
        let usual = Recipe::default();
        let impute = match recipe.impute {
            Impute::Median => None,
            Impute::Mean => Some("mean"),
            Impute::MostFrequent => Some("most_frequent"),
            Impute::Constant => Some("constant"),
        };
        let unseen = match recipe.unseen {
            Unseen::Other => None,
            Unseen::Missing => Some("missing"),
            Unseen::Error => Some("error"),
        };
        let scale = match recipe.scale {
            Scale::None => None,
            Scale::Standard => Some("standard"),
            Scale::MinMax => Some("min_max"),
            Scale::Robust => Some("robust"),
        };
        let dates = match recipe.dates {
            Dates::Parts => None,
            Dates::Days => Some("days"),
            Dates::Drop => Some("drop"),
        };
        let words =
            [("--impute", impute), ("--unseen", unseen), ("--scale", scale), ("--dates", dates)];
        for (option, word) in words {
            if let Some(word) = word {
                self.option(option, word);
            }
        }
        self.unless(&usual.constant, "--constant", &recipe.constant);
        if !recipe.missing_indicator {
            self.flag("--no-indicator");
        }
        self.unless(&usual.rare, "--rare", &recipe.rare);
        self.unless(&usual.winsorise, "--winsorise", &recipe.winsorise);
    }
}

/// The word as a shell reads it back.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Role, Task};

    #[test]
    fn options_say_what_differs_from_the_usual() {
        let mut experiment = Experiment::on("loans.csv");
        assert_eq!(experiment.command_line(), "karat train loans.csv --model logistic");
        experiment.data.delimiter = Some('\t');
        experiment.data.columns.roles.insert("opened".into(), Role::Time);
        experiment.data.columns.roles.insert("zip code".into(), Role::Ignored);
        experiment.data.steps = vec![Step::Compute { name: "rate".into(), expr: "a / b".into() }];
        experiment.data.steps.push(Step::Ahead("up = sign of rate in 5".parse().unwrap()));
        experiment.question.target = Some("it's bad".into());
        experiment.question.positive = Some("1".into());
        experiment.question.task = Some(Task::Binary);
        experiment.split.method = Method::Time;
        experiment.split.time = Some("opened".into());
        experiment.split.test = 0.3;
        experiment.cv = 5;
        experiment.recipe.impute = Impute::Mean;
        experiment.costs.false_negative = 5.0;
        let expected = r"karat train loans.csv --delimiter tab --role 'zip code=ignored' --compute 'rate=a / b' --ahead 'up = sign of rate in 5' --target 'it'\''s bad' --positive 1 --model logistic --time opened --test 0.3 --cv 5 --impute mean --cost-fn 5";
        assert_eq!(experiment.command_line(), expected);
    }

    #[test]
    fn what_options_cannot_say_takes_the_file() {
        let mut experiment = Experiment::on("loans.csv");
        experiment.question.drop = vec!["a,b".into()];
        assert_eq!(experiment.command_line(), "karat train EXPERIMENT.toml");
        let mut experiment = Experiment::on("loans.csv");
        experiment.data.steps =
            vec![Step::Filter { expr: "a > 1".into() }, Step::Sql { query: "select 1".into() }];
        assert_eq!(experiment.command_line(), "karat train EXPERIMENT.toml");
    }
}

//! The experiment as a TOML file.

use std::path::Path;

use serde::Deserialize;
use toml::{Table, Value};

use super::{Error, Experiment, VERSION};
use crate::data::{self, Step, nearest};
use crate::nn::spec::NetworkSpec;

/// Every key of the file by its section; whatever else stands there is refused.
const KEYS: &[(&str, &[&str])] = &[
    ("", &["version", "data", "question", "split", "cv", "recipe", "model", "costs"]),
    ("data", &["path", "sha256", "delimiter", "header", "steps", "columns"]),
    ("data.columns", &["roles", "kinds", "special", "protected", "personal"]),
    ("question", &["target", "positive", "task", "features", "drop", "use_protected"]),
    ("split", &["method", "test", "valid", "seed", "group", "time", "test_from"]),
    (
        "recipe",
        &[
            "impute",
            "constant",
            "missing_indicator",
            "rare",
            "unseen",
            "scale",
            "dates",
            "winsorise",
        ],
    ),
    ("model", &["kind", "set", "layer"]),
    ("costs", &["false_positive", "false_negative"]),
];

impl Experiment {
    /// An experiment on this table, with everything else left open. A sample of prices is asked
    /// what its gallery says.
    pub fn on(path: &str) -> Self {
        let mut experiment = Self::default();
        experiment.data.path = path.into();
        let sample = path.strip_prefix("sample:").and_then(data::sample);
        if let Some(ahead) = sample.and_then(data::Sample::question) {
            experiment.question.target = Some(ahead.name.clone());
            experiment.data.steps.push(Step::Ahead(ahead));
        }
        experiment
    }

    /// Reads an experiment file.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| Error::Read { path: path.to_owned(), source })?;
        Self::from_toml(&text).map_err(|error| match error {
            Error::File { what, hint, .. } => Error::File { path: Some(path.into()), what, hint },
            other => other,
        })
    }

    /// Reads the text of an experiment file; what it leaves out has its default.
    ///
    /// # Errors
    ///
    /// Names the key that is not known, with the nearest, or whose value cannot be.
    ///
    /// ```
    /// use karat::train::Experiment;
    ///
    /// let text = "[data]\npath = \"loans.csv\"\n[model]\nkind = \"ridge\"\nset = { alpha = 0.1 }\n";
    /// let experiment = Experiment::from_toml(text).unwrap();
    /// assert_eq!(experiment.model.set["alpha"], "0.1");
    /// let wrong = Experiment::from_toml("[split]\ntset = 0.3\n").unwrap_err().to_string();
    /// assert_eq!(wrong, "no key `split.tset`\nhint: did you mean `split.test`?");
    /// ```
    pub fn from_toml(text: &str) -> Result<Self, Error> {
        let refuse = |what: String, hint: String| Error::File { path: None, what, hint };
        let syntax = |error: toml::de::Error| {
            let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
            let hint = "an experiment is a TOML file, such as `export` writes";
            refuse(format!("line {line}: {}", one_line(error.message())), hint.into())
        };
        let mut table: Table = text.parse().map_err(syntax)?;
        for (section, keys) in KEYS {
            check_keys(&table, section, keys)?;
        }
        if let Some(version) = table.get("version").and_then(Value::as_integer)
            && version > i64::from(VERSION)
        {
            let what = format!("this experiment is written in version {version} of the format");
            return Err(refuse(what, format!("this program knows version {VERSION} and older")));
        }
        write_network_in_words(&mut table)?;
        spell_out(&mut table);
        Self::deserialize(table).map_err(|error| {
            let hint = "`export` writes an experiment to compare with";
            refuse(one_line(&error.to_string()), hint.into())
        })
    }

    /// The text of the experiment file.
    pub fn to_toml(&self) -> String {
        toml::to_string_pretty(self)
            .unwrap_or_else(|error| format!("# this experiment cannot be written: {error}\n"))
    }
}

/// A network that is given as `[[model.layer]]` becomes the parameter `network`.
fn write_network_in_words(table: &mut Table) -> Result<(), Error> {
    let Some(model) = table.get_mut("model").and_then(Value::as_table_mut) else { return Ok(()) };
    let Some(layers) = model.remove("layer") else { return Ok(()) };
    let network: Result<NetworkSpec, _> = Table::from_iter([("layer".into(), layers)]).try_into();
    let network = network.map_err(|error| Error::File {
        path: None,
        what: format!("`model.layer`: {}", one_line(error.message())),
        hint: "a layer is `[[model.layer]]` with `kind = \"dense\"` and what belongs to it".into(),
    })?;
    let set = model.entry("set").or_insert_with(|| Value::Table(Table::new()));
    if let Some(set) = set.as_table_mut() {
        set.insert("network".into(), Value::String(network.to_string()));
    }
    Ok(())
}

fn check_keys(table: &Table, section: &str, keys: &[&str]) -> Result<(), Error> {
    let mut inner = Some(table);
    for part in section.split('.').filter(|part| !part.is_empty()) {
        inner = inner.and_then(|table| table.get(part)).and_then(Value::as_table);
    }
    let Some(inner) = inner else { return Ok(()) };
    let Some(key) = inner.keys().find(|key| !keys.contains(&key.as_str())) else { return Ok(()) };
    let full = |key: &str| {
        if section.is_empty() { key.to_owned() } else { format!("{section}.{key}") }
    };
    let hint = match nearest(key, keys.iter().copied()) {
        Some(near) => format!("did you mean `{}`?", full(near)),
        None => format!("here stand {}", keys.join(", ")),
    };
    Err(Error::File { path: None, what: format!("no key `{}`", full(key)), hint })
}

/// Parameters are kept as typed, but a person may write them as numbers.
fn spell_out(table: &mut Table) {
    let set = table.get_mut("model").and_then(|model| model.get_mut("set"));
    let Some(set) = set.and_then(Value::as_table_mut) else { return };
    for (_, value) in set.iter_mut() {
        if !value.is_str() && !value.is_table() && !value.is_array() {
            *value = Value::String(value.to_string());
        }
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Method, Role};

    fn full() -> Experiment {
        let mut experiment = Experiment::on("sample:german_credit");
        experiment.data.sha256 = Some("ab".into());
        experiment.data.delimiter = Some(';');
        experiment.data.header = Some(true);
        experiment.data.steps = vec![
            Step::Compute { name: "rate".into(), expr: "a / b".into() },
            Step::Filter { expr: "a > 1".into() },
        ];
        let columns = &mut experiment.data.columns;
        columns.roles.insert("when".into(), Role::Time);
        columns.special.insert("*".into(), vec!["-999".into()]);
        columns.protected.insert("age".into(), false);
        experiment.question.target = Some("credit risk".into());
        experiment.question.drop = vec!["a".into()];
        experiment.split.method = Method::Time;
        experiment.split.test_from = Some("2024-01-01".into());
        experiment.cv = 5;
        experiment.model.set.insert("alpha".into(), "0.1".into());
        experiment.costs.false_negative = 5.0;
        experiment
    }

    #[test]
    fn what_is_written_is_read_back() {
        for experiment in [Experiment::default(), full()] {
            let text = experiment.to_toml();
            assert_eq!(Experiment::from_toml(&text).unwrap(), experiment, "{text}");
        }
    }

    #[test]
    fn every_key_that_is_written_is_known() {
        let table: Table = full().to_toml().parse().unwrap();
        for (section, keys) in KEYS {
            check_keys(&table, section, keys).unwrap();
        }
    }

    #[test]
    fn errors_name_the_key_or_the_line() {
        let wrong = |text: &str| Experiment::from_toml(text).unwrap_err().to_string();
        assert_eq!(wrong("cvv = 3"), "no key `cvv`\nhint: did you mean `cv`?");
        assert!(wrong("[recipe]\nzzzzzz = 1").contains("here stand impute, constant"));
        assert!(wrong("cv = 3\n[split\n").starts_with("line 2: "), "{}", wrong("cv = 3\n[split\n"));
        let text = wrong("[split]\ntest = \"much\"\n");
        assert!(text.contains("test") && text.contains("much"), "{text}");
        let text = wrong("[split]\nmethod = \"tyme\"\n");
        assert!(text.contains("tyme") && text.contains("stratified"), "{text}");
        assert!(wrong("version = 9").contains("knows version 1"));
    }
}

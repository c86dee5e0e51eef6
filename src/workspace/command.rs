//! The words of the command palette and of the command log: one table of commands.

use super::{Error, Verb};
use crate::data::nearest;
use crate::train::RunId;

/// A command that a person can type after `:`.
pub struct Command {
    /// Its first word.
    pub name: &'static str,
    /// What follows, as a person would write it; empty when nothing does.
    pub usage: &'static str,
    /// What it does, in words.
    pub about: &'static str,
    /// Reads what follows.
    pub read: fn(&str) -> Result<Verb, String>,
}

/// Every command, grouped as the palette shows them.
#[rustfmt::skip]
pub const COMMANDS: &[Command] = &[
    Command { name: "open", usage: "PATH", about: "Open a table, an experiment, or `sample:NAME`", read: |s| text(s, "a path").map(Verb::Open) },
    Command { name: "target", usage: "NAME", about: "Predict this column", read: |s| text(s, "a column").map(Verb::Target) },
    Command { name: "positive", usage: "VALUE", about: "Count this class as positive", read: |s| text(s, "a class").map(Verb::Positive) },
    Command { name: "role", usage: "NAME=ROLE", about: "Say what a column is for: feature, ignored, target, id, time, weight, group, …", read: |s| pair(s).and_then(|(n, v)| Ok(Verb::Role(n, v.parse()?))) },
    Command { name: "kind", usage: "NAME=KIND", about: "Say what a column holds: number, category, boolean, datetime, text, identifier", read: |s| pair(s).and_then(|(n, v)| Ok(Verb::Kind(n, v.parse()?))) },
    Command { name: "special", usage: "NAME=-999,…", about: "Declare codes that stand for missing", read: |s| pair(s).map(|(n, v)| Verb::Special(n, list(&v))) },
    Command { name: "protected", usage: "NAME=on|off", about: "Mark a column as a protected attribute, or not", read: |s| pair(s).and_then(|(n, v)| Ok(Verb::Protected(n, switch(&v)?))) },
    Command { name: "personal", usage: "NAME=on|off", about: "Mark a column as personal data, or not", read: |s| pair(s).and_then(|(n, v)| Ok(Verb::Personal(n, switch(&v)?))) },
    Command { name: "use-protected", usage: "on|off", about: "Let protected attributes be features, or not", read: |s| switch(s).map(Verb::UseProtected) },
    Command { name: "compute", usage: "NAME = EXPRESSION", about: "Add a computed column, such as `rate = amount / income`", read: |s| pair(s).map(|(n, v)| Verb::Compute(n, v)) },
    Command { name: "ahead", usage: "NAME = return of COLUMN in N", about: "Predict what becomes of a column N rows later: return, log_return, difference, sign or class", read: |s| s.parse().map(Verb::Ahead) },
    Command { name: "sql", usage: "QUERY", about: "Replace the table by a query's result; the table is called `data`", read: |s| text(s, "a query").map(Verb::Sql) },
    Command { name: "keep", usage: "EXPRESSION", about: "Keep only the rows for which this holds", read: |s| text(s, "an expression").map(Verb::Keep) },
    Command { name: "dedupe", usage: "", about: "Drop rows that repeat an earlier one", read: |s| none(s, Verb::Dedupe) },
    Command { name: "filter", usage: "EXPRESSION", about: "Show only some rows, such as `age > 60`; nothing shows all", read: |s| Ok(Verb::Filter(s.trim().into())) },
    Command { name: "sort", usage: "NAME or -NAME", about: "Sort the rows on the screen; `-` puts the largest first", read: |s| text(s, "a column").map(|s| match s.strip_prefix('-') { Some(name) => Verb::Sort(name.into(), true), None => Verb::Sort(s, false) }) },
    Command { name: "hide", usage: "NAME", about: "Hide a column on the screen", read: |s| text(s, "a column").map(Verb::Hide) },
    Command { name: "show-all", usage: "", about: "Show every row and column in the file's order", read: |s| none(s, Verb::ShowAll) },
    Command { name: "freeze", usage: "N", about: "Keep the first N columns in sight", read: |s| whole(s).map(Verb::Freeze) },
    Command { name: "model", usage: "KIND", about: "Choose the kind of model: logistic, mlp, fcn, lenet, … (`A` shows them all)", read: |s| text(s, "a kind").map(Verb::Model) },
    Command { name: "set", usage: "KEY=VALUE", about: "Set a parameter of the model; nothing after `=` gives the default back", read: |s| pair(s).map(|(k, v)| Verb::Set(k, v)) },
    Command { name: "split", usage: "KEY=VALUE", about: "Set the split: method, test, valid, seed, group, time, from, cv", read: |s| pair(s).map(|(k, v)| Verb::Split(k, v)) },
    Command { name: "recipe", usage: "KEY=VALUE", about: "Set the recipe: impute, constant, indicator, rare, unseen, scale, dates, winsorise", read: |s| pair(s).map(|(k, v)| Verb::Recipe(k, v)) },
    Command { name: "cost", usage: "KEY=VALUE", about: "Set what a false_positive or a false_negative costs", read: |s| pair(s).and_then(|(k, v)| Ok(Verb::Cost(k, number(&v)?))) },
    Command { name: "train", usage: "", about: "Train with the settings as they are", read: |s| none(s, Verb::Train) },
    Command { name: "cross-validate", usage: "FOLDS", about: "Train with the settings as they are, over so many folds", read: |s| whole(s).map(Verb::CrossValidate) },
    Command { name: "train-all", usage: "", about: "Train every kind in the catalog and compare", read: |s| none(s, Verb::TrainAll) },
    Command { name: "sweep", usage: "", about: "Train over a grid of `alpha`, or of the learning rate of a network", read: |s| none(s, Verb::Sweep) },
    Command { name: "tune", usage: "KEY=V1,V2; KEY=V1,V2; random N; halving; minutes M", about: "Search over several parameters: all combinations, or a random few, within a budget", read: |s| text(s, "what to try")?.parse().map(Verb::Tune) },
    Command { name: "resume", usage: "", about: "Go on with the training that was interrupted last", read: |s| none(s, Verb::Resume) },
    Command { name: "forget", usage: "", about: "Forget the trainings that were interrupted", read: |s| none(s, Verb::Forget) },
    Command { name: "threshold", usage: "RUN=VALUE", about: "Call a row positive above this score", read: |s| pair(s).and_then(|(r, v)| Ok(Verb::Threshold(RunId(r), number(&v)?))) },
    Command { name: "yardstick", usage: "RUN", about: "Compare the other runs with this one", read: |s| text(s, "a run").map(|s| Verb::Yardstick(RunId(s))) },
    Command { name: "note", usage: "RUN=TEXT", about: "Write a note to a run", read: |s| pair(s).map(|(r, v)| Verb::Note(RunId(r), v)) },
    Command { name: "delete", usage: "RUN", about: "Delete a run for good", read: |s| text(s, "a run").map(|s| Verb::Delete(RunId(s))) },
    Command { name: "save", usage: "[RUN=]MODEL.karat", about: "Write the model to a file, to `NAME.onnx` as ONNX; without a run, the one on the screen", read: |s| text(s, "a file").map(|s| match s.split_once('=') { Some((run, path)) => Verb::Save(RunId(run.into()), path.trim().into()), None => Verb::Save(RunId::default(), s) }) },
    Command { name: "undo", usage: "", about: "Take back the latest change", read: |s| none(s, Verb::Undo) },
    Command { name: "redo", usage: "", about: "Bring back what was taken back", read: |s| none(s, Verb::Redo) },
    Command { name: "replay", usage: "FILE", about: "Carry out the lines of a saved command log, one after the other", read: |s| text(s, "a file").map(Verb::Replay) },
    Command { name: "export", usage: "[EXPERIMENT.toml]", about: "Write the experiment as TOML and show the command line that repeats it", read: |s| Ok(Verb::Export(s.trim().into())) },
];

/// Reads a line of the palette or of the command log.
///
/// # Errors
///
/// Names the nearest command, or says what the command expects.
pub fn parse(line: &str) -> Result<Verb, Error> {
    let line = line.trim();
    let (name, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let Some(command) = COMMANDS.iter().find(|c| c.name == name) else {
        let hint = match nearest(name, COMMANDS.iter().map(|c| c.name)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "press : and look through the list".into(),
        };
        return Err(Error::Command { what: format!("no command `{name}`"), hint });
    };
    (command.read)(rest.trim()).map_err(|what| Error::Command {
        what: format!("`{name}`: {what}"),
        hint: format!("write `{} {}`", command.name, command.usage).trim_end().to_owned(),
    })
}

fn text(rest: &str, what: &str) -> Result<String, String> {
    if rest.is_empty() { Err(format!("{what} is missing")) } else { Ok(rest.to_owned()) }
}

fn none(rest: &str, verb: Verb) -> Result<Verb, String> {
    if rest.is_empty() { Ok(verb) } else { Err(format!("nothing is expected, not `{rest}`")) }
}

/// `NAME=VALUE`, where a name that holds `=` stands in backticks.
fn pair(rest: &str) -> Result<(String, String), String> {
    if let Some(quoted) = rest.strip_prefix('`') {
        let mut name = String::new();
        let mut chars = quoted.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            if c != '`' {
                name.push(c);
            } else if chars.next_if(|(_, c)| *c == '`').is_some() {
                name.push('`');
            } else {
                let value = quoted[at + 1..].trim_start().strip_prefix('=');
                let value = value.ok_or("a `=` is missing")?;
                return Ok((name, value.trim().to_owned()));
            }
        }
        return Err("the closing backtick is missing".into());
    }
    let (name, value) = rest.split_once('=').ok_or("a `=` is missing")?;
    text(name.trim(), "a name").map(|name| (name, value.trim().to_owned()))
}

fn list(value: &str) -> Vec<String> {
    value.split(',').map(str::trim).filter(|v| !v.is_empty()).map(str::to_owned).collect()
}

fn switch(value: &str) -> Result<bool, String> {
    match value {
        "on" | "true" | "yes" => Ok(true),
        "off" | "false" | "no" => Ok(false),
        _ => Err(format!("`{value}` is neither `on` nor `off`")),
    }
}

fn number(value: &str) -> Result<f64, String> {
    let number: f64 = value.parse().map_err(|_| format!("`{value}` is not a number"))?;
    if number.is_finite() { Ok(number) } else { Err(format!("`{value}` is not finite")) }
}

fn whole(value: &str) -> Result<usize, String> {
    value.parse().map_err(|_| format!("`{value}` is not a whole number"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Kind, Role};

    #[test]
    fn every_line_reads_back_as_the_verb_it_came_from() {
        let run = RunId("r0001".into());
        let verbs = [
            Verb::Open("a folder/file.csv".into()),
            Verb::Target("credit risk".into()),
            Verb::Positive("bad".into()),
            Verb::Role("a=b`c".into(), Role::Ignored),
            Verb::Kind("zip".into(), Kind::Category),
            Verb::Special("days".into(), vec!["-999".into(), "999".into()]),
            Verb::Special("days".into(), vec![]),
            Verb::Protected("age".into(), false),
            Verb::Personal("name".into(), true),
            Verb::UseProtected(true),
            Verb::Model("ridge".into()),
            Verb::Set("alpha".into(), "0.1".into()),
            Verb::Set("alpha".into(), String::new()),
            Verb::Split("method".into(), "time".into()),
            Verb::Recipe("impute".into(), "mean".into()),
            Verb::Cost("false_negative".into(), 5.0),
            Verb::Compute("r".into(), "a / b".into()),
            Verb::Sql("SELECT * FROM data WHERE a = 1".into()),
            Verb::Keep("a = 1".into()),
            Verb::Dedupe,
            Verb::Ahead("up = sign of close in 5 by share along day".parse().unwrap()),
            Verb::Filter(String::new()),
            Verb::Filter("a >= 2".into()),
            Verb::Sort("a".into(), true),
            Verb::Sort("a".into(), false),
            Verb::Hide("a".into()),
            Verb::ShowAll,
            Verb::Freeze(2),
            Verb::Threshold(run.clone(), 0.42),
            Verb::Yardstick(run.clone()),
            Verb::Note(run.clone(), "a = b".into()),
            Verb::Train,
            Verb::CrossValidate(5),
            Verb::TrainAll,
            Verb::Sweep,
            Verb::Tune("alpha=1,2; random 3".parse().unwrap()),
            Verb::Resume,
            Verb::Forget,
            Verb::Delete(run.clone()),
            Verb::Save(run, "m.karat".into()),
            Verb::Export("e.toml".into()),
            Verb::Export(String::new()),
            Verb::Undo,
            Verb::Redo,
            Verb::Replay(".karat/history.jsonl".into()),
        ];
        for verb in verbs {
            assert_eq!(parse(&verb.line()).unwrap(), verb, "{}", verb.line());
        }
    }

    #[test]
    fn a_mistyped_command_names_the_nearest() {
        let error = parse("targt x").unwrap_err().to_string();
        assert_eq!(error, "no command `targt`\nhint: did you mean `target`?");
        let error = parse("set alpha").unwrap_err().to_string();
        assert_eq!(error, "`set`: a `=` is missing\nhint: write `set KEY=VALUE`");
    }
}

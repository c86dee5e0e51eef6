//! Options that say which table is meant and how it is read, shared by every command on DATA.

use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail};
use clap::Args;

use super::text::sanitise;
use crate::data::{self, Ahead, OpenOptions, Overrides, Role, Step, Table};
use crate::jobs::Ctx;
use crate::train::Experiment;

/// How the file is written, what its columns are, and what is derived from it.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Reading the table")]
pub(super) struct Reading {
    /// Character between fields, when it is not found by looking (`tab` for a tabulator)
    #[arg(long, value_name = "CHAR", value_parser = delimiter)]
    delimiter: Option<char>,
    /// The first line names the columns
    #[arg(long, overrides_with = "no_header")]
    header: bool,
    /// The first line holds values; columns are called x1, x2, ...
    #[arg(long, overrides_with = "header")]
    no_header: bool,
    /// Codes that stand for missing, of one column or of all (`*`)
    #[arg(long, value_name = "COL=CODE,..", value_parser = pair)]
    special: Vec<(String, String)>,
    /// What a column is for: target, feature, id, time, text, weight, group, amount, ignored
    #[arg(long, value_name = "COL=ROLE", value_parser = pair)]
    role: Vec<(String, String)>,
    /// What a column holds: number, category, boolean, datetime, text, identifier
    #[arg(long, value_name = "COL=KIND", value_parser = pair)]
    kind: Vec<(String, String)>,
    /// Columns to declare protected, beside those that are found to be
    #[arg(long, value_name = "COL,..", value_delimiter = ',')]
    protected: Vec<String>,
    /// Columns to declare personal data, beside those that are found to be
    #[arg(long, value_name = "COL,..", value_delimiter = ',')]
    personal: Vec<String>,
    /// Columns to declare neither protected nor personal
    #[arg(long, value_name = "COL,..", value_delimiter = ',')]
    harmless: Vec<String>,
    /// Add a computed column, such as 'rate = amount / income'
    #[arg(long, value_name = "NAME = EXPR", value_parser = pair)]
    compute: Vec<(String, String)>,
    /// Predict what becomes of a column some rows later, such as 'up = sign of close in 1'; return,
    /// `log_return`, difference, sign, class with cuts, or quantile with a number of classes;
    /// `by GROUP along TIME` may follow
    #[arg(long, value_name = "NAME = FORM of COL in N")]
    ahead: Vec<Ahead>,
    /// Keep only the rows for which this holds, such as 'age > 18'
    #[arg(long, value_name = "EXPR")]
    filter: Vec<String>,
    /// Drop rows that repeat an earlier one
    #[arg(long)]
    dedupe: bool,
    /// Replace the table by the result of a query; it is called `data` there
    #[arg(long, value_name = "QUERY")]
    sql: Option<String>,
}

impl Reading {
    /// How the file is to be read, for the screen.
    pub(super) fn open_options(&self) -> OpenOptions {
        OpenOptions {
            delimiter: self.delimiter.map(|c| c as u8),
            header: self.header_said(),
            ..OpenOptions::default()
        }
    }

    /// The question on DATA: an experiment from its file, or a fresh one on a table; the options
    /// given win over what the file says.
    pub(super) fn experiment(&self, data: &str) -> anyhow::Result<Experiment> {
        let path = Path::new(data);
        let is_experiment = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("toml"));
        let mut experiment = if is_experiment {
            Experiment::read(path)?
        } else {
            Experiment::on(&place(data).to_string_lossy())
        };
        let spec = &mut experiment.data;
        spec.delimiter = self.delimiter.or(spec.delimiter);
        spec.header = self.header_said().or(spec.header);
        for (column, codes) in &self.special {
            let codes = codes.split(',').map(|code| code.trim().to_owned()).collect();
            spec.columns.special.insert(column.clone(), codes);
        }
        for (column, role) in &self.role {
            let role = role.parse().map_err(|e| anyhow!("`--role {column}={role}`: {e}"))?;
            spec.columns.roles.insert(column.clone(), role);
        }
        for (column, kind) in &self.kind {
            let kind = kind.parse().map_err(|e| anyhow!("`--kind {column}={kind}`: {e}"))?;
            spec.columns.kinds.insert(column.clone(), kind);
        }
        for column in &self.harmless {
            spec.columns.protected.insert(column.clone(), false);
            spec.columns.personal.insert(column.clone(), false);
        }
        let yes = |column: &String| (column.clone(), true);
        spec.columns.protected.extend(self.protected.iter().map(yes));
        spec.columns.personal.extend(self.personal.iter().map(yes));
        if let Some(ahead) = self.ahead.last() {
            // What a sample proposes to look at gives way to what a person asks for.
            spec.steps.retain(|step| is_experiment || !matches!(step, Step::Ahead(_)));
            let question = &mut experiment.question;
            question.target = Some(ahead.name.clone());
            (question.positive, question.task) = (None, None);
        }
        experiment.data.steps.extend(self.steps());
        Ok(experiment)
    }

    fn header_said(&self) -> Option<bool> {
        match (self.header, self.no_header) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        }
    }

    /// What is derived, a query first, as rows and columns follow from it.
    fn steps(&self) -> Vec<Step> {
        let sql = self.sql.iter().map(|query| Step::Sql { query: query.clone() });
        let filter = self.filter.iter().map(|expr| Step::Filter { expr: expr.clone() });
        let compute = self
            .compute
            .iter()
            .map(|(name, expr)| Step::Compute { name: name.clone(), expr: expr.clone() });
        let ahead = self.ahead.iter().cloned().map(Step::Ahead);
        let rows = sql.chain(self.dedupe.then_some(Step::Dedupe));
        rows.chain(compute).chain(ahead).chain(filter).collect()
    }
}

/// Reads the table that an experiment names, with everything that is derived from it.
pub(super) fn table_of(experiment: &mut Experiment, ctx: &Ctx) -> anyhow::Result<Table> {
    let options = OpenOptions {
        delimiter: experiment.data.delimiter.map(|c| c as u8),
        header: experiment.data.header,
        ..OpenOptions::default()
    };
    if experiment.data.path.as_os_str().is_empty() {
        bail!("the experiment names no table\nhint: add `path = \"FILE\"` under `[data]`");
    }
    ctx.note("reading");
    let mut table = data::open(&experiment.data.path, &options, ctx)?;
    for step in &mut experiment.data.steps {
        ctx.note("deriving");
        settle(step, &experiment.data.columns, &table);
        table = data::apply(&table, step, ctx)?;
    }
    data::apply_overrides(&mut table, &experiment.data.columns)?;
    for column in &table.columns {
        if let Some(strays) = data::strays(&table, column) {
            let words: Vec<&str> = strays.words.iter().map(|(word, _)| word.as_str()).collect();
            // Names and words are those of the file, and may hold anything.
            super::console::say(&sanitise(&format!(
                "`{0}` is taken as words because of `{1}`; `--special '{0}={2}'` takes that as \
                 missing and the rest as numbers",
                column.name,
                words.join("`, `"),
                words.join(",")
            )));
        }
    }
    let found = &table.origin.sha256;
    let expected = experiment.data.sha256.replace(found.clone());
    if expected.is_some_and(|expected| !expected.is_empty() && expected != *found) {
        super::console::say(&format!(
            "`{}` is not the file that the experiment was written for: its digest differs",
            table.origin.label
        ));
    }
    Ok(table)
}

/// Names the columns along which a step looks ahead: as options say, or as the table's roles do.
fn settle(step: &mut Step, said: &Overrides, table: &Table) {
    let Step::Ahead(ahead) = step else { return };
    let of_role = |role: Role| said.roles.iter().find(|(_, r)| **r == role).map(|(c, _)| c.clone());
    ahead.time = ahead.time.take().or_else(|| of_role(Role::Time));
    ahead.group = ahead.group.take().or_else(|| of_role(Role::Group));
    let settled = ahead.settled(table);
    if settled != *ahead {
        super::console::say(&sanitise(&format!("looking ahead as in `{settled}`")));
    }
    *ahead = settled;
}

/// The file that DATA means; a sample may be named without `sample:` where no such file exists.
pub(super) fn place(data: &str) -> PathBuf {
    let is_file = data == "-" || data.starts_with("sample:") || Path::new(data).exists();
    if !is_file && data::sample(data).is_some() {
        return format!("sample:{data}").into();
    }
    data.into()
}

/// `NAME=VALUE`, where the name may not be empty.
pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        }
        Some(_) => Err("a name is missing before `=`".into()),
        None => Err("a `=` is missing".into()),
    }
}

fn delimiter(text: &str) -> Result<char, String> {
    let mut chars = text.chars();
    match (text, chars.next(), chars.next()) {
        ("tab" | "\\t", ..) => Ok('\t'),
        (_, Some(c), None) if c.is_ascii() && !c.is_ascii_alphanumeric() => Ok(c),
        _ => Err("one ASCII character that is no letter or digit is expected, or `tab`".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_cut_at_its_first_equals_sign() {
        assert_eq!(pair("rate = a = b").unwrap(), ("rate".into(), "a = b".into()));
        assert!(pair("rate").is_err());
        assert!(pair("= 1").is_err());
    }

    #[test]
    fn a_delimiter_is_one_character() {
        assert_eq!(delimiter("tab"), Ok('\t'));
        assert_eq!(delimiter(";"), Ok(';'));
        assert!(delimiter("ab").is_err() && delimiter("a").is_err() && delimiter("").is_err());
    }
}

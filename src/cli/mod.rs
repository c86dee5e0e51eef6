//! The command line: what is typed, carried out through the same rooms as the screen.
//!
//! One file for each command. Results go to standard output, as text or as one JSON object, and
//! everything else to standard error. This is the only room that knows clap; it knows nothing of
//! the screen and only says what is to be opened there ([`Next::Open`]).

mod asking;
mod audit;
mod classes;
mod compare;
mod console;
mod decided;
mod demo;
mod evaluate;
mod explain;
mod export;
mod help;
mod import;
mod json;
mod keep;
mod keys;
mod models;
mod monitor;
mod named;
mod numbers;
mod profile;
mod progress;
mod promote;
mod reading;
mod report;
mod runs;
mod score;
mod serve;
mod tags;
mod text;
mod train;
mod tune;

use std::{
    any::Any,
    ffi::OsString,
    panic::{self, AssertUnwindSafe},
    path::PathBuf,
};

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use console::{Console, NobodyReads, say};
pub use demo::Demo;

use crate::data::{OpenOptions, nearest};
use crate::jobs::error_text;
use crate::train::Experiment;

/// The exit status of a command that Ctrl-C ended.
pub(crate) const INTERRUPTED: u8 = 130;

/// What is left to do once the command line has been carried out.
#[derive(Debug)]
pub enum Next {
    /// Leave with this status.
    Exit(u8),
    /// Open the screen.
    Open(Box<Open>),
}

/// What the screen is to be opened on.
#[derive(Clone, Debug)]
pub struct Open {
    /// A table, an experiment or a sample; the gallery without one.
    pub path: Option<String>,
    /// How the table is to be read.
    pub options: OpenOptions,
    /// The question on it, when options say more than how it is read.
    pub experiment: Option<Experiment>,
    /// The folder of the workspace.
    pub workspace: PathBuf,
    /// The demo to play.
    pub demo: Option<Demo>,
}

/// The model workbench for machines reached over SSH
#[derive(Parser, Debug)]
#[command(
    name = "karat",
    version,
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true,
    max_term_width = 100,
    after_help = "Without a command the workbench is opened on PATH, or on a gallery of sample \
                  tables;\nthe options of `karat train` are understood there as well. \
                  `karat help json` lists the\nkeys of every JSON answer."
)]
struct Line {
    /// A table, an experiment (.toml), or a sample such as `german_credit`
    path: Option<String>,
    /// Folder of the workspace [default: `KARAT_WORKSPACE`, or .karat in the current folder]
    #[arg(long, value_name = "DIR")]
    workspace: Option<PathBuf>,
    /// Kind of model, as `karat models` lists them
    #[arg(long, value_name = "KIND")]
    model: Option<String>,
    #[command(flatten)]
    asking: asking::Asking,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Show what a table holds, column by column, and what is wrong with it
    Profile(profile::Args),
    /// Train one model and keep the run
    Train(train::Args),
    /// Train several kinds of models on the same rows and compare them
    Compare(compare::Args),
    /// Search over several parameters, within a budget of time
    Tune(tune::Args),
    /// Measure a model on a table that has the target
    Evaluate(evaluate::Args),
    /// Add a model's predictions to a table
    Score(score::Args),
    /// Explain the score of one row, column by column
    Explain(explain::Args),
    /// Write a model in a format that runs without karat
    Export(export::Args),
    /// List the kinds of models, with their parameters, defaults and ranges
    Models(models::Args),
    /// List, show, delete and export runs; name, promote and audit models; show the command log
    Runs(runs::Args),
    /// Serve registered models over HTTP
    Serve(serve::Args),
    /// Show drift, performance and alerts of served models; train them again
    Monitor(monitor::Args),
    /// Make, list, rotate and revoke the keys of the server
    Keys(keys::Args),
    /// Play a scripted tour of the program; without a name, list them
    Demo(demo::Args),
    /// Explain a command, or the keys of the JSON answers (`help json`)
    Help(help::Args),
}

/// Options of every command.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Output")]
struct Shared {
    /// Answer with one JSON object
    #[arg(long)]
    json: bool,
    /// How progress is shown on standard error: auto, bar, json or none
    #[arg(long, value_name = "HOW", value_enum, default_value_t)]
    #[arg(hide_default_value = true, hide_possible_values = true)]
    progress: progress::Mode,
    /// Folder of the workspace [default: `KARAT_WORKSPACE`, or .karat in the current folder]
    #[arg(long, value_name = "DIR")]
    workspace: Option<PathBuf>,
}

impl Shared {
    fn workspace(&self) -> PathBuf {
        workspace(self.workspace.clone())
    }
}

fn workspace(given: Option<PathBuf>) -> PathBuf {
    let told = std::env::var_os("KARAT_WORKSPACE").filter(|dir| !dir.is_empty());
    given.or(told.map(Into::into)).unwrap_or_else(|| ".karat".into())
}

/// Carries out a command line, the program's name first, and returns what is left to do.
///
/// Errors have been said on standard error when this returns.
pub fn run(line: impl IntoIterator<Item = OsString>) -> Next {
    let line = with_workspace_last(line.into_iter().collect());
    if let Some(status) = mistyped(&line) {
        return Next::Exit(status);
    }
    let matches = command_line().try_get_matches_from(line);
    let parsed = match matches.and_then(|matches| Line::from_arg_matches(&matches)) {
        Ok(parsed) => parsed,
        Err(error) => {
            // A closed pipe is the only reason why this fails, and nobody is left to hear of it.
            let _ = error.print();
            return Next::Exit(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let Some(command) = &parsed.command else {
        return match open(&parsed) {
            Ok(open) => Next::Open(Box::new(open)),
            Err(error) => {
                complain(&error);
                Next::Exit(1)
            }
        };
    };
    if let Command::Demo(args) = command {
        return Next::Open(Box::new(Open {
            path: None,
            options: OpenOptions::default(),
            experiment: None,
            workspace: workspace(None),
            demo: Some(args.demo()),
        }));
    }
    Next::Exit(carry_out(command))
}

/// `--workspace DIR` may stand before the command as well as behind it.
fn with_workspace_last(mut line: Vec<OsString>) -> Vec<OsString> {
    let n_words = match line.get(1).and_then(|word| word.to_str()) {
        Some("--workspace") => 2,
        Some(word) if word.starts_with("--workspace=") => 1,
        _ => return line,
    };
    let names = Line::command();
    let is_command = |word: &OsString| names.get_subcommands().any(|own| word == own.get_name());
    if line.get(1 + n_words).is_some_and(is_command) && !line.iter().any(|word| word == "--") {
        line[1..].rotate_left(n_words);
    }
    line
}

/// The command line as clap sees it; options of the screen are told with `karat train`.
fn command_line() -> clap::Command {
    let own = ["path", "workspace"];
    Line::command().mut_args(|arg| {
        let is_own = own.contains(&arg.get_id().as_str());
        if is_own { arg } else { arg.hide(true) }
    })
}

/// What the screen is to be opened on, when no command was given.
fn open(line: &Line) -> anyhow::Result<Open> {
    let mut experiment = None;
    if let Some(path) = &line.path {
        let mut asked = line.asking.experiment(path)?;
        if let Some(kind) = &line.model {
            line.asking.choose_model(&mut asked, kind);
            crate::models::kind(&asked.model.kind)?;
            crate::models::check(&asked.model.kind, &asked.model.set)?;
        }
        let plain = asking::Asking::default().experiment(path)?;
        experiment = (asked != plain).then_some(asked);
    }
    Ok(Open {
        path: line.path.as_deref().map(|path| reading::place(path).to_string_lossy().into_owned()),
        options: line.asking.open_options(),
        experiment,
        workspace: workspace(line.workspace.clone()),
        demo: None,
    })
}

/// A first word that is almost a command, and no file, is one that was mistyped.
fn mistyped(line: &[OsString]) -> Option<u8> {
    let [_, word, rest @ ..] = line else { return None };
    let word = word.to_str().filter(|word| !word.starts_with('-'))?;
    let commands = Line::command();
    let names: Vec<&str> = commands.get_subcommands().map(clap::Command::get_name).collect();
    let is_known = names.contains(&word) || reading::place(word).to_str() != Some(word);
    if is_known || std::path::Path::new(word).exists() || word.contains(['.', '/', ':']) {
        return None;
    }
    let near = nearest(word, names.iter().copied());
    if near.is_none() && rest.is_empty() {
        return None;
    }
    let hint = near.map_or_else(
        || format!("the commands are {}", names.join(", ")),
        |near| format!("did you mean `{near}`?"),
    );
    say(&format!("error: no command and no file `{word}`\nhint: {hint}"));
    Some(2)
}

/// Carries out a command and returns the exit status; no panic reaches a person.
fn carry_out(command: &Command) -> u8 {
    let shared = match command {
        Command::Profile(args) => args.shared(),
        Command::Train(args) => args.shared(),
        Command::Compare(args) => args.shared(),
        Command::Tune(args) => args.shared(),
        Command::Evaluate(args) => args.shared(),
        Command::Score(args) => args.shared(),
        Command::Explain(args) => args.shared(),
        Command::Export(args) => args.shared(),
        Command::Models(args) => args.shared(),
        Command::Runs(args) => args.shared(),
        Command::Serve(args) => args.shared(),
        Command::Keys(args) => args.shared(),
        Command::Monitor(args) => args.shared(),
        Command::Demo(_) | Command::Help(_) => &Shared::default(),
    };
    let console = Console::new(shared.progress);
    // What a panic has to say is said below, as an error.
    panic::set_hook(Box::new(|_| ()));
    let work = AssertUnwindSafe(|| match command {
        Command::Profile(args) => profile::run(args, &console),
        Command::Train(args) => train::run(args, &console),
        Command::Compare(args) => compare::run(args, &console),
        Command::Tune(args) => tune::run(args, &console),
        Command::Evaluate(args) => evaluate::run(args, &console),
        Command::Score(args) => score::run(args, &console),
        Command::Explain(args) => explain::run(args, &console),
        Command::Export(args) => export::run(args, &console),
        Command::Models(args) => models::run(args, &console),
        Command::Runs(args) => runs::run(args, &console),
        Command::Serve(args) => serve::run(args, &console),
        Command::Keys(args) => keys::run(args, &console),
        Command::Monitor(args) => monitor::run(args, &console),
        Command::Help(args) => help::run(args, &console),
        Command::Demo(_) => Ok(()),
    });
    match panic::catch_unwind(work) {
        Ok(Ok(())) => 0,
        Ok(Err(error)) if error.is::<NobodyReads>() => 0,
        Ok(Err(_)) if console.is_cancelled() => {
            say("cancelled");
            INTERRUPTED
        }
        Ok(Err(error)) => {
            complain(&error);
            1
        }
        Err(panic) => {
            let what = panic_text(&*panic);
            say(&format!("error: internal error: {}", text::sanitise(what)));
            say("hint: this is a mistake in karat; please report it with the command line");
            1
        }
    }
}

/// Says an error, and on a line of its own what helps against it.
fn complain(error: &anyhow::Error) {
    say(&format!("error: {}", text::sanitise(&error_text(&**error))));
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without a message")
}

#[cfg(test)]
mod tests {
    use super::*;

    use clap::error::ErrorKind;

    fn parse(line: &str) -> Result<Line, clap::Error> {
        Line::try_parse_from(line.split_whitespace())
    }

    #[test]
    fn the_command_line_is_sound() {
        Line::command().debug_assert();
    }

    #[test]
    fn every_command_and_option_is_explained() {
        fn check(command: &clap::Command) {
            let name = command.get_name();
            assert!(command.get_about().is_some(), "`{name}` says nothing");
            for option in command.get_arguments() {
                assert!(option.get_help().is_some(), "`{name} {}` says nothing", option.get_id());
            }
            command.get_subcommands().for_each(check);
        }
        let mut line = Line::command();
        line.build();
        check(&line);
    }

    #[test]
    fn a_path_opens_the_screen() {
        let words = |line: &str| line.split(' ').map(OsString::from).collect::<Vec<_>>();
        let Next::Open(open) = run(words("karat german_credit --workspace w --delimiter ;")) else {
            panic!("the screen is opened");
        };
        assert_eq!(open.path.as_deref(), Some("sample:german_credit"));
        assert_eq!(open.workspace, PathBuf::from("w"));
        assert_eq!(open.options.delimiter, Some(b';'));
        let Next::Open(open) = run(words("karat demo compare --speed 2 --keys")) else {
            panic!("a demo is played on the screen");
        };
        let demo = open.demo.unwrap();
        assert_eq!((demo.name.as_deref(), demo.speed, demo.keys), (Some("compare"), 2.0, true));
    }

    #[test]
    fn options_of_the_contract_are_understood() {
        for line in [
            "karat train a.csv --target y --model ridge --set alpha=2 --set solver=gd --json",
            "karat train a.csv --split sklearn --test 0.2 --seed 42 --cv 5 --out m.karat",
            "karat train e.toml --features a,b --drop c --protected d --use-protected",
            "karat train - --id a --time b --weight c --group d --test-from 2024-01-31",
            "karat train a.csv --task binary --positive bad --no-header --delimiter ;",
            "karat compare a.csv --models baseline,linear,logistic --cv 5",
            "karat evaluate m.karat a.csv --json",
            "karat score r0001 a.csv --out b.csv",
            "karat explain m.karat a.csv --row 3 --method integrated_gradients --class b --json",
            "karat explain m.karat a.csv --adverse no --background near_threshold --set a=1 --set b=",
            "karat runs promote r1 --name credit --threshold 0.4",
            "karat keys rotate a --grace 0 --why old",
            "karat monitor erase ann --why asked",
            "karat export m.karat --format onnx --out m.onnx --predictor-only",
            "karat runs delete r0001",
            "karat demo seed --speed 2 --keys --record a.cast",
            "karat help json",
        ] {
            assert!(parse(line).is_ok(), "{line}: {}", parse(line).unwrap_err());
        }
        for line in ["karat train", "karat train a.csv --sed 1", "karat train a.csv --set alpha"] {
            assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line}");
        }
        for line in [
            "karat serve load --seconds nan",
            "karat serve load --rate 0",
            "karat serve load --rate=-1",
            "karat serve load --rate inf",
            "karat keys create --scope infer --expires 0",
            "karat keys create --scope infer --rate nan",
            "karat keys rotate a --grace=-1",
            "karat monitor export credit --out a.csv --days nan",
            "karat runs promote r1 --name credit --threshold nan",
        ] {
            assert_eq!(parse(line).unwrap_err().kind(), ErrorKind::ValueValidation, "{line}");
        }
    }

    /// What `text` would have a person type: each `karat ...` between backticks, with a word in
    /// place of what is filled in.
    fn told(text: &str) -> Vec<String> {
        // A long text goes on after a backslash, in the next line of the source.
        let mut joined = String::new();
        for line in text.lines() {
            match line.trim().strip_suffix('\\') {
                Some(line) => joined += line,
                None => joined.extend([line.trim(), "\n"]),
            }
        }
        let pieces = joined.split('`').filter(|piece| piece.starts_with("karat "));
        let whole =
            pieces.filter(|piece| !piece.contains(['\n', '"', '…', '<']) && !piece.contains(".."));
        let filled = whole.map(|piece| {
            let mut line = String::new();
            for (at, part) in piece.split(['{', '}']).enumerate() {
                line += if at % 2 == 0 { part } else { "1" };
            }
            line
        });
        filled.collect()
    }

    #[test]
    fn every_command_that_is_hinted_at_can_be_typed() {
        fn walk(dir: &std::path::Path, seen: &mut usize) {
            for entry in std::fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, seen);
                } else if path.extension().is_some_and(|ext| ext == "rs") {
                    for line in told(&std::fs::read_to_string(&path).unwrap()) {
                        check(&line, &path);
                        *seen += 1;
                    }
                }
            }
        }
        fn check(line: &str, path: &std::path::Path) {
            let typed = line.replace("on|off", "on");
            // A command is named, alone or with an option that is spoken of; one that is given
            // anything is to be typed as it stands.
            let is_plain = |word: &str| word.chars().all(|c| c.is_ascii_lowercase());
            let is_named =
                typed.split(' ').skip(1).all(|word| is_plain(word) || word.starts_with("--"));
            let Err(error) = parse(&typed) else { return };
            let is_good = match error.kind() {
                // A word may stand for a number, or for one of several.
                ErrorKind::DisplayHelp
                | ErrorKind::DisplayVersion
                | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
                | ErrorKind::ValueValidation
                | ErrorKind::InvalidValue => true,
                ErrorKind::MissingRequiredArgument | ErrorKind::MissingSubcommand => is_named,
                _ => false,
            };
            assert!(is_good, "{}: `{line}` cannot be typed: {error}", path.display());
        }
        let mut seen = 0;
        walk(std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut seen);
        assert!(seen > 50, "only {seen} hints were found");
    }
}

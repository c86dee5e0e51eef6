//! `karat help`: the text of `--help`, and what the keys of the JSON answers mean.

use clap::Args as ClapArgs;

use super::console::Console;
use super::text::TextTable;
use crate::data::nearest;

/// What `help` is given.
#[derive(ClapArgs, Clone, Debug)]
pub(super) struct Args {
    /// A command, or `json` for the keys of the JSON answers
    #[arg(value_name = "COMMAND|json")]
    topic: Vec<String>,
}

/// One key of a JSON answer.
pub(super) struct Key {
    /// The commands that answer with it.
    pub(super) commands: &'static str,
    /// The key, with `.` for what lies within and `[]` for each of a list.
    pub(super) path: &'static str,
    /// What stands there.
    pub(super) about: &'static str,
}

/// Every key. None is ever renamed or removed; what is undefined is null.
#[rustfmt::skip]
pub(super) const KEYS: &[Key] = &[
    Key { commands: "profile", path: "dataset", about: "path, rows, columns, sha256 and format of the table" },
    Key { commands: "profile", path: "target", about: "the column to predict, given or proposed; positive and task beside it" },
    Key { commands: "profile", path: "columns[]", about: "name, kind, kind_guessed, role, role_guessed, personal, protected, reading, special, missing, distinct, min, max, mean, sd, skew, quantiles, zeros, top, histogram, sampled, relation" },
    Key { commands: "profile", path: "columns[].quantiles", about: "by name: p1 p5 p25 p50 p75 p95 p99" },
    Key { commands: "profile", path: "columns[].relation", about: "to the target: measure, auc, rises, iv, correlation, bins[] with label, n, bads, rate; rows it was measured on, training_rows_only" },
    Key { commands: "profile", path: "positive, task, notes", about: "the class that counts, the inferred task, and how the table was read" },
    Key { commands: "profile", path: "findings[]", about: "severity, kind, column, text and remedy" },
    Key { commands: "train, runs show", path: "run_id", about: "the name of the run in its workspace" },
    Key { commands: "train, runs show", path: "model, parameters", about: "the kind of model, and those of its parameters that were set" },
    Key { commands: "train, runs show", path: "task", about: "regression, binary or multiclass" },
    Key { commands: "train, runs show", path: "target, positive, classes", about: "the column it predicts, the class that counts, and the negative and the positive class, or all of several" },
    Key { commands: "train, runs show", path: "dataset", about: "path, rows, columns and sha256 of the table" },
    Key { commands: "train, runs show", path: "split", about: "method, seed, train_rows, valid_rows, test_rows" },
    Key { commands: "train, runs show", path: "metrics.train, .valid, .test, .cv", about: "numbers by the name of the metric; parts that do not exist are absent" },
    Key { commands: "train, runs show", path: "intervals.train, .valid, .test, .cv", about: "low and high of the 95 % interval, by the name of the metric" },
    Key { commands: "train, runs show", path: "folds[]", about: "metrics of each fold of a cross-validation" },
    Key { commands: "train, runs show", path: "threshold", about: "from this score on a row is called positive; means nothing for several classes" },
    Key { commands: "train, runs show", path: "converged, iterations", about: "whether the fit met its tolerance, and after how many steps" },
    Key { commands: "train, runs show", path: "fit_seconds", about: "time of the fit alone" },
    Key { commands: "train, runs show", path: "intercept, intercept_inference", about: "on the scale of the original columns, and its standard error" },
    Key { commands: "train, runs show", path: "coefficients[]", about: "feature, column, value; class of several classes, whose intercepts have no column; where they hold std_error, statistic, p, low, high, odds_ratio, note" },
    Key { commands: "train, runs show", path: "no_inference", about: "why there are no standard errors" },
    Key { commands: "train, runs show", path: "fit_notes[]", about: "how the fit went: what a network looked at, the learning rate it took, where it stopped" },
    Key { commands: "train, runs show", path: "warnings[]", about: "what a person should know of the fit" },
    Key { commands: "train, runs show", path: "measured_on", about: "of several classes: test, cv, valid or train, the rows behind per_class and confusion" },
    Key { commands: "train, runs show, evaluate", path: "per_class[]", about: "of several classes: class, precision, recall, f1, support, predicted (rows called so)" },
    Key { commands: "train, runs show, evaluate", path: "confusion", about: "of several classes: classes, and counts with a line for each true and a place for each predicted class" },
    Key { commands: "train", path: "notes[]", about: "what was inferred, and how the table was read" },
    Key { commands: "train, runs show", path: "experiment", about: "the whole question, as in its TOML file" },
    Key { commands: "train, runs", path: "artifact", about: "the model file; null when nothing can be written" },
    Key { commands: "tune", path: "metric", about: "by which the runs are ordered: over the folds, else on the validation rows" },
    Key { commands: "tune", path: "best", about: "the run_id of the first of them" },
    Key { commands: "tune", path: "runs[]", about: "each combination that was trained to its end, best first: the keys of train without notes and artifact" },
    Key { commands: "runs show, runs list", path: "created, note", about: "seconds since 1970, UTC, and what a person wrote" },
    Key { commands: "runs note", path: "run_id, note", about: "the run, and what is written to it" },
    Key { commands: "compare", path: "leaderboard[]", about: "model, run_id, parameters, metrics, difference, p, p_holm, method, verdict, fit_seconds, artifact, warnings; best first" },
    Key { commands: "compare", path: "leaderboard[].metrics", about: "value, low and high by the name of the metric" },
    Key { commands: "compare", path: "tests[]", about: "model and run_id against another run: metric, method, difference, p, p_holm, verdict" },
    Key { commands: "compare", path: "metric", about: "by which the leaderboard is ranked" },
    Key { commands: "compare", path: "rows", about: "how many rows all runs have in common" },
    Key { commands: "compare", path: "yardstick", about: "the run that the others are compared with" },
    Key { commands: "compare", path: "sentence", about: "what follows, in words" },
    Key { commands: "compare", path: "task, target, positive, dataset, split, notes", about: "as for train; split.folds is the number of folds" },
    Key { commands: "evaluate", path: "model, run_id, task, target, classes, threshold", about: "of the model" },
    Key { commands: "evaluate", path: "rows", about: "rows that have a target" },
    Key { commands: "evaluate", path: "metrics, intervals", about: "numbers by the name of the metric, and low and high" },
    Key { commands: "evaluate", path: "dataset, notes", about: "path, rows, columns and sha256 of the table, and how it was read" },
    Key { commands: "evaluate", path: "trained_on_this_table", about: "whether the model has seen this very table" },
    Key { commands: "score", path: "model, run_id, task, target, classes, threshold", about: "of the model" },
    Key { commands: "score", path: "rows", about: "how many rows were scored" },
    Key { commands: "score", path: "out", about: "the file that was written; null without --out" },
    Key { commands: "score", path: "added[]", about: "the columns that were added" },
    Key { commands: "score", path: "predictions[]", about: "without --out: row, prediction, probability; probability_CLASS for each of several classes" },
    Key { commands: "export", path: "model, run_id, task", about: "of the model" },
    Key { commands: "export", path: "format, out, bytes, files[]", about: "the format, the file that was written, and its size; files of the folder of mlflow" },
    Key { commands: "export", path: "inputs[], outputs[]", about: "name, holds (f64, f32, i64 or text) and width, the values for each row" },
    Key { commands: "export", path: "notes[]", about: "what a person should know before using the file" },
    Key { commands: "explain", path: "model, run_id, task, target, class", about: "of the model; the class whose score is explained" },
    Key { commands: "explain", path: "row, method", about: "the row of the table, counted from 1, and how it was explained" },
    Key { commands: "explain", path: "space", about: "the scale of the numbers: log_odds, class_score, or value" },
    Key { commands: "explain", path: "base, score, remainder", about: "base and all contributions and the remainder sum to the score; the remainder is 0 but for rounding where the method is complete" },
    Key { commands: "explain", path: "attributions[]", about: "feature, value and contribution of each column that the model uses" },
    Key { commands: "explain", path: "decision, before", about: "what the model says of the row, with the names of score and whether it is adverse; before is the same of the row without --set, null when nothing was set" },
    Key { commands: "explain", path: "changed[]", about: "of each column that was set: feature, before, after, and remark: usual, missing, unseen, below or above all of training" },
    Key { commands: "explain", path: "adverse, background, reason_rows", about: "the class that goes against the person, with whom reasons compare, and how many rows stand behind that average" },
    Key { commands: "explain", path: "reasons[], withheld", about: "feature and shortfall, at most four, the weightiest first; owed where decision.adverse; null where the model gives none; whether a protected attribute weighed as much and is not named" },
    Key { commands: "models", path: "models[]", about: "name, label, library, about, tasks, formula, and params[] with name, default, range, about" },
    Key { commands: "runs list", path: "runs[]", about: "run_id, created, model, parameters, task, target, dataset, split, metrics, threshold, fit_seconds, artifact, note" },
    Key { commands: "runs delete", path: "deleted[]", about: "the ids of the runs that are gone" },
    Key { commands: "runs export", path: "run_id, out, experiment, command_line", about: "the file that was written; without --out the question instead" },
    Key { commands: "runs history", path: "history[]", about: "at, in seconds since 1970, and line" },
    Key { commands: "runs promote", path: "name, version, run_id, alias, digest, registered, pending", about: "what was named and the run it came from; registered says whether the version is new; pending is the number of the decision that waits for a second person" },
    Key { commands: "runs rollback, runs retire, runs restore", path: "done, pending", about: "what was decided" },
    Key { commands: "runs registered", path: "models[]", about: "name, versions[], aliases and settings" },
    Key { commands: "runs audit", path: "events[]", about: "seq, at_ms, who, via, action, model, subject, before, after, why, prev, hash" },
    Key { commands: "runs live", path: "name, alias, held", about: "version, digest and event; null where there was none" },
    Key { commands: "runs verify", path: "events, files, ok, head", about: "how many were checked; head is what `--against` takes" },
    Key { commands: "runs note, runs tag", path: "name, version, note, tags", about: "of a version NAME@VERSION, as they are then" },
    Key { commands: "runs pending", path: "approval, pending[]", about: "whether decisions wait for a second person, and those that do" },
    Key { commands: "runs settings", path: "name, settings", about: "how a name is served, as it was set" },
    Key { commands: "runs split", path: "name, split, pending", about: "challenger, its share of the requests, and sticky" },
    Key { commands: "runs approve, runs reject", path: "approved, done, rejected, not_done", about: "the number of the decision, and what it was" },
    Key { commands: "runs import", path: "run_id, model, task, metrics, artifact", about: "as for train" },
    Key { commands: "serve, serve start", path: "url, pid", about: "where it listens, and its process" },
    Key { commands: "serve stop", path: "stopped", about: "the process that ended" },
    Key { commands: "serve status", path: "url, pid, rates, models[], keys[], live[], logged, dropped, memory, troubles[]", about: "how the server is" },
    Key { commands: "serve load", path: "requests, per_second, statuses, broken, p50_ms, p90_ms, p99_ms, max_ms, example", about: "how the server answered" },
    Key { commands: "keys create, keys rotate", path: "id, key, name", about: "the key, shown this once" },
    Key { commands: "keys list", path: "keys[]", about: "id, name, scopes, models, created_ms, by, expires_ms, revoked_ms, last_used_ms and limits" },
    Key { commands: "keys revoke", path: "revoked", about: "the key" },
    Key { commands: "monitor", path: "windows[], alerts[]", about: "the latest window of each version, and the alerts that stand" },
    Key { commands: "monitor check", path: "model, windows[]", about: "columns[], score, estimated[], realised[] and alarms[] of each window" },
    Key { commands: "monitor retrain", path: "champion, candidate, run_id, verdict, sentence, promoted, pending", about: "what came of it" },
    Key { commands: "monitor ack, monitor resolve", path: "acknowledged, resolved", about: "the number of the alert" },
    Key { commands: "monitor retrain", path: "name, schedule", about: "with --never; with --every or --on-alert also model, on_alert, rule, data, last_ms, next_ms, candidate, last" },
    Key { commands: "monitor erase", path: "erased, subject, event", about: "how many predictions are gone, the hash that stood for the subject, and the number of the event in runs audit" },
    Key { commands: "monitor export", path: "rows, out", about: "how many predictions were written, and where" },
    Key { commands: "monitor alerts", path: "alerts[]", about: "id, model, version, kind, subject, value, threshold, sentence, state, by" },
    Key { commands: "--progress json", path: "work, done, total, fraction, parts, measured, note", about: "one object a line on standard error" },
];

pub(super) fn run(args: &Args, console: &Console) -> anyhow::Result<()> {
    let words: Vec<&str> = args.topic.iter().map(String::as_str).collect();
    if words == ["json"] {
        let mut table = TextTable::new(&["command", "key", "what stands there"]).wrapping();
        for key in KEYS {
            table.row([key.commands, key.path, key.about]);
        }
        return console.print(&table.render(console.width, console.bold));
    }
    let mut command = super::command_line();
    command.build();
    for word in words {
        let known: Vec<String> = command.get_subcommands().map(|c| c.get_name().into()).collect();
        let Some(found) = command.find_subcommand(word) else {
            let topics = known.iter().map(String::as_str).chain(["json"]);
            let hint = match nearest(word, topics.clone()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there is help on {}", topics.collect::<Vec<_>>().join(", ")),
            };
            anyhow::bail!("no help on `{word}`\nhint: {hint}");
        };
        command = found.clone();
    }
    console.print(&command.render_help().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_that_answers_in_json_is_documented() {
        let line = crate::cli::command_line();
        let quiet = ["demo", "help"];
        for command in line.get_subcommands().map(clap::Command::get_name) {
            let is_known = KEYS.iter().any(|key| key.commands.contains(command));
            assert!(is_known || quiet.contains(&command), "`{command}` has no documented keys");
        }
    }

    #[test]
    fn every_key_says_something() {
        for key in KEYS {
            assert!(!key.about.is_empty() && !key.path.is_empty(), "{}", key.path);
        }
    }
}

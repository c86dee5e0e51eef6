//! Pages to read: a column in full, the formula of a model, definitions, the command log.

use super::{App, Effect, Overlay, PageLine};
use crate::data::{ColumnProfile, Task};
use crate::metrics::Better;
use crate::train::metrics_for;
use crate::ui::widgets::{numbers, text::fit};

impl App {
    fn page(&mut self, title: impl Into<String>, lines: Vec<PageLine>) {
        self.overlays.push(Overlay::Page { title: title.into(), lines, scroll: 0 });
    }

    /// Everything known of a column.
    pub(super) fn show_column(&mut self, name: &str) {
        let Some(table) = &self.workspace.now.table else { return };
        let Some(column) = table.column(name) else { return };
        let guess = |is: bool| if is { " (a guess)" } else { "" };
        let mut lines = vec![
            pair("kind", format!("{}{}", column.kind, guess(column.kind_guessed))),
            pair("role", format!("{}{}", column.role, guess(column.role_guessed))),
        ];
        if let Some(protected) = column.protected {
            lines.push(pair(
                "protected",
                format!("{protected}; a feature only on your word (role, or use protected)"),
            ));
        }
        if let Some(personal) = column.personal {
            lines.push(pair("personal", format!("{personal}; masked, and kept out of everything")));
        }
        if let Some(reading) = &column.reading {
            lines.push(pair("read as", reading.clone()));
        }
        if !column.special.is_empty() {
            lines.push(pair("missing codes", column.special.join(", ")));
        }
        let profile = self.workspace.survey.as_ref().and_then(|s| s.profiles.get(name));
        match profile {
            Some(profile) => lines.extend(profile_lines(profile, table.n_rows())),
            None => lines.push(PageLine::Text("the profile is being computed …".into())),
        }
        self.page(name.to_owned(), lines);
    }

    /// The formula of the chosen kind, with the coefficients of the shown run.
    pub(super) fn show_formula(&mut self) -> Vec<Effect> {
        let kind = match self.shown() {
            Some(run) => run.model.kind.clone(),
            None => self.workspace.question().model.kind.clone(),
        };
        let mut lines = Vec::new();
        if let Ok(info) = crate::models::kind(&kind) {
            lines.push(PageLine::Heading(info.label.to_owned()));
            lines.push(PageLine::Text(info.about.to_owned()));
            lines.push(PageLine::Fixed(info.formula.to_owned()));
        }
        match self.shown() {
            Some(run) => {
                lines.push(PageLine::Heading(format!("as fitted in run {}", run.id)));
                lines.extend(
                    run.model.formula().to_string().lines().map(|l| PageLine::Fixed(l.to_owned())),
                );
                lines.extend(
                    run.warnings
                        .iter()
                        .map(|w| PageLine::Text(format!("⚠ {}", w.replace("\nhint: ", " · ")))),
                );
            }
            None => lines
                .push(PageLine::Text("Train it with t and its coefficients stand here.".into())),
        }
        self.page("Formula", lines);
        vec![]
    }

    /// What the metrics of a task mean.
    pub(super) fn show_definitions(&mut self, task: Task) {
        let mut lines = Vec::new();
        for metric in metrics_for(task) {
            let better = match metric.better {
                Better::Higher => "higher is better",
                Better::Lower => "lower is better",
            };
            lines.push(PageLine::Heading(format!("{} · {} · {better}", metric.label, metric.name)));
            lines.push(PageLine::Text(format!("{} [{}]", metric.about, metric.source)));
        }
        lines.push(PageLine::Heading("intervals and tests".into()));
        lines.push(PageLine::Text("95 % intervals: DeLong's for the AUC (and for Gini, twice as wide), percentile bootstrap for the others, drawn within each class. Over folds: the mean with the corrected resampled t of Nadeau and Bengio (2003).".into()));
        lines.push(PageLine::Text("Differences are tested on the same rows: DeLong for the AUC, McNemar's exact test for the accuracy of several classes, paired bootstrap for the others; p-values are corrected over all comparisons by Holm's method.".into()));
        self.page("What the numbers mean", lines);
    }

    /// The command log.
    pub(super) fn show_history(&mut self) {
        let mut lines = Vec::new();
        if self.workspace.log.is_empty() {
            lines.push(PageLine::Text("Nothing has been changed yet.".into()));
        }
        for entry in &self.workspace.log {
            let second = entry.at.rem_euclid(86_400);
            let clock = format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
            lines.push(PageLine::Pair(clock, entry.line.clone()));
        }
        lines.push(PageLine::Text("Times are UTC. `karat runs history` prints the log; `:replay FILE` repeats a saved one.".into()));
        self.page("Command log", lines);
    }
}

fn pair(name: &str, value: impl Into<String>) -> PageLine {
    PageLine::Pair(name.to_owned(), value.into())
}

fn profile_lines(profile: &ColumnProfile, n_rows: usize) -> Vec<PageLine> {
    let share = |n: usize| numbers::percent(n as f64 / n_rows.max(1) as f64, 1);
    let number = |v: Option<f64>| v.map_or(numbers::NONE.into(), |v| numbers::significant(v, 5));
    let mut lines = vec![
        pair(
            "missing",
            format!("{} ({})", numbers::count(profile.missing), share(profile.missing)),
        ),
        pair("distinct", numbers::count(profile.distinct)),
    ];
    if profile.mean.is_some() {
        lines.push(pair("mean ± sd", format!("{} ± {}", number(profile.mean), number(profile.sd))));
        lines.push(pair("min … max", format!("{} … {}", number(profile.min), number(profile.max))));
        if let Some(q) = &profile.quantiles {
            let names = ["1 %", "5 %", "25 %", "median", "75 %", "95 %", "99 %"];
            let text: Vec<String> = names
                .iter()
                .zip(q)
                .map(|(n, v)| format!("{n} {}", numbers::significant(*v, 4)))
                .collect();
            lines.push(pair("quantiles", text.join(" · ")));
        }
    }
    if !profile.top.is_empty() {
        let n_rows = profile.sampled.unwrap_or(n_rows);
        let share = |n: usize| numbers::percent(n as f64 / n_rows.max(1) as f64, 1);
        let heading = match profile.sampled {
            Some(n) => format!("most frequent, of a sample of {} rows", numbers::count(n)),
            None => "most frequent".into(),
        };
        lines.push(PageLine::Heading(heading));
        lines.extend(
            profile
                .top
                .iter()
                .take(10)
                .map(|(value, n)| pair(value, format!("{} ({})", numbers::count(*n), share(*n)))),
        );
    }
    if let Some(relation) = &profile.relation {
        lines.push(PageLine::Heading(
            "relation to the target, on training rows once a split exists".into(),
        ));
        if let Some(auc) = relation.auc {
            lines.push(pair(
                "AUC alone",
                format!("{} (0.5 says nothing, 1 gives it away)", numbers::fixed(auc, 3)),
            ));
        }
        if let Some(iv) = relation.iv {
            lines.push(pair("information value", numbers::fixed(iv, 3)));
        }
        if let Some(r) = relation.correlation {
            lines.push(pair("correlation", numbers::fixed(r, 3)));
        }
        lines.extend(relation.bad_rates.iter().map(|bin| {
            let rate = bin.rate.unwrap_or(0.0);
            let label = fit(&bin.label, 30);
            let n = numbers::count(bin.n);
            if bin.bads.is_some() {
                let (share, bar) = (numbers::percent(rate, 1), crate::ui::plot::bar(rate, 20));
                PageLine::Fixed(format!("{label} {n:>7}  {share:>7}  {bar}"))
            } else {
                PageLine::Fixed(format!("{label} {n:>7}  mean {}", numbers::significant(rate, 4)))
            }
        }));
    }
    lines
}

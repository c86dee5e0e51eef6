//! What can be read in full on the Monitor screen: the rows behind a window, a column bin by bin,
//! and what the measures mean.

use super::{App, Effect, MonitorView};
use crate::monitor::{METHODS, Scale};
use crate::ui::app::serve::{time, value};
use crate::ui::app::{Overlay, PageLine};
use crate::ui::widgets::{numbers, text};
use crate::workspace::{LoggedRows, Rate, Seen};

impl App {
    /// Shows the rows behind a window, with the chosen column first.
    pub(in crate::ui::app) fn show_logged(&mut self, logged: &LoggedRows) -> Vec<Effect> {
        let rows = &logged.rows;
        if rows.is_empty() {
            return self.refuse(
                "no predictions of this window are kept\nhint: a server keeps them as many days as it was told when it was started",
            );
        }
        let pane = &self.monitor;
        let column = pane.seen().get(pane.row()).map(|seen| seen.name.clone());
        let column = column.filter(|_| pane.view == MonitorView::Columns);
        let head = column.clone().unwrap_or_else(|| "inputs".into());
        let line = |at: &str, score: &str, called: &str, label: &str, value: &str| {
            PageLine::Fixed(format!(
                "{}  {}  {}  {}  {}",
                text::fit(at, 19),
                text::fit_right(score, 9),
                text::fit(called, 12),
                text::fit(label, 10),
                text::cut(value, 60)
            ))
        };
        let mut lines = vec![line("at (UTC)", "score", "called", "label", &head)];
        lines.extend(rows.iter().rev().map(|own| {
            let shown = match &column {
                Some(name) => value(own.inputs.get(name).unwrap_or(&serde_json::Value::Null)),
                None => value(&own.inputs),
            };
            let label = own.label.as_deref().unwrap_or("not yet");
            let score =
                own.score.map_or("sealed".to_owned(), |score| numbers::significant(score, 4));
            line(&time(own.at_ms), &score, &own.decision, label, &shown)
        }));
        let n = numbers::count(rows.len());
        let all = pane.window().map_or(0, |(window, _)| window.rows as usize);
        let title = if logged.is_cut {
            format!("the first {n} predictions of this window")
        } else if rows.len() < all {
            format!("the log has {n} of the window's {} predictions", numbers::count(all))
        } else {
            format!("{n} predictions of this window")
        };
        self.overlays.push(Overlay::Page { title, lines, scroll: 0 });
        vec![]
    }

    /// What the measures mean, and their limits.
    pub(super) fn show_measures(&mut self) {
        let pairs = |table: &[(&str, &str)]| {
            let pair = |(name, about): &(&str, &str)| {
                PageLine::Pair((*name).to_owned(), (*about).to_owned())
            };
            table.iter().map(pair).collect::<Vec<_>>()
        };
        let mut lines = vec![PageLine::Heading("drift".into())];
        lines.extend(pairs(MEASURES));
        lines.push(PageLine::Heading("performance".into()));
        lines.extend(pairs(LIMITS));
        let title = "What is measured, and its limits".into();
        self.overlays.push(Overlay::Page { title, lines, scroll: 0 });
    }
}

/// Reference against window, bin by bin, and every measure.
pub(super) fn seen_lines(seen: &Seen) -> Vec<PageLine> {
    let pair = |name: &str, value: String| PageLine::Pair(name.to_owned(), value);
    let number = |v: Option<f64>| v.map_or(numbers::NONE.into(), |v| numbers::significant(v, 3));
    let mut lines = Vec::new();
    let most = seen.expected.iter().chain(&seen.actual).copied().fold(0.0, f64::max);
    if most > 0.0 {
        lines.push(PageLine::Heading("shares: training │ this window".into()));
        let names =
            seen.bin_names.iter().map(|bin| text::width(bin)).max().unwrap_or(4).clamp(4, 24);
        for at in 0..seen.expected.len().max(seen.actual.len()) {
            let name = seen.bin_names.get(at).map_or("", String::as_str);
            let share = |shares: &[f64]| shares.get(at).copied().unwrap_or(0.0);
            let bar = |share: f64| crate::ui::plot::bar(share / most, 18);
            let (before, now) = (share(&seen.expected), share(&seen.actual));
            lines.push(PageLine::Fixed(format!(
                "{}  {} {}  {} {}",
                text::fit(name, names),
                text::fit_right(&numbers::percent(before, 1), 7),
                bar(before),
                text::fit_right(&numbers::percent(now, 1), 7),
                bar(now),
            )));
        }
    }
    lines.push(PageLine::Heading("measured".into()));
    lines.push(pair(
        "PSI",
        format!(
            "{} · by chance alone below {} in 95 of 100 windows of this size",
            number(seen.psi),
            number(seen.null)
        ),
    ));
    if !seen.method.is_empty() {
        let is_p = METHODS.iter().any(|m| m.name == seen.method && m.scale == Scale::PValue);
        let (value, side) = if is_p {
            (seen.value.map_or(numbers::NONE.into(), numbers::p_value), "below")
        } else {
            (number(seen.value), "above")
        };
        let said = format!(
            "{value} by {} · drift where {side} {}",
            seen.method.replace('_', " "),
            number(seen.threshold)
        );
        lines.push(pair("chosen", said));
    }
    if let Some(p) = seen.p {
        lines.push(pair(
            "p",
            format!(
                "{} among the tests of all columns (Holm); an alert needs 0.010",
                numbers::p_value(p)
            ),
        ));
    }
    for (name, value, about) in seen.measures() {
        lines.push(pair(name, format!("{} · {about}", number(Some(value)))));
    }
    let rate = |rate: Rate| {
        let (now, before) = (numbers::percent(rate.now, 1), numbers::percent(rate.before, 1));
        format!("{now}, in training {before}")
    };
    lines.push(pair("missing", rate(seen.missing)));
    lines.push(pair("unseen", rate(seen.unseen)));
    lines.push(pair("below", rate(seen.below)));
    lines.push(pair("above", rate(seen.above)));
    lines
}

/// What is measured of drift, and what its number means.
pub(crate) const MEASURES: &[(&str, &str)] = &[
    (
        "PSI",
        "sum over bins of (share here − share in training) × ln of their ratio; bins are those of \
         training, what was never seen has one of its own. 0 means the same",
    ),
    (
        "chance",
        "the 95 % point of the PSI of a window of this size when nothing has changed: \
         (1/N + 1/M) × chi-squared with bins − 1 degrees of freedom (Yurdakul and Naranjo, 2020). \
         A PSI below it says nothing, however large it looks",
    ),
    (
        "p",
        "the smallest p-value of all tests of the column, corrected for the tests of all columns \
         (Holm, 1979); an alert goes by it, and by how large the drift is",
    ),
    ("missing", "the share of rows without a value, beside the share in training"),
    ("unseen", "the share of rows with a level that training never saw"),
    ("outside", "the share of rows below or above every value in training"),
];

/// What the two ways of judging without labels assume.
pub(crate) const LIMITS: &[(&str, &str)] = &[
    (
        "realised",
        "computed from the labels that arrived while the window was gathered, up to 5,000 of them, \
         whichever window their predictions were in; fewer than 50 wait for the next one. Those that \
         arrive early may differ from those that arrive late, and labels often exist only for what \
         was approved",
    ),
    (
        "CBPE",
        "confidence-based estimation: trusts the calibrated probabilities. It sees what changes \
         with the inputs, and is blind to a changed relation of inputs and target",
    ),
    (
        "DLE",
        "direct loss estimation: a model of the loss, learned where labels were known. It is blind \
         to a changed relation of inputs and target, too, and guesses outside of what it saw",
    ),
];

//! What the profile of a column shows by itself.

use super::text::{count, counted, list, percent};
use super::{
    ColumnProfile, Finding, FindingKind, Kind, RemedyAction, Role, Severity, Table, Target,
};
use crate::data::infer::{Strays, strays};
use crate::data::profile::{Bin, MISSING, number_text};
use crate::data::{Column, Personal};

/// From so many findings of a sort on, they are one finding.
const MANY: usize = 5;
/// A column that alone reaches this gives the target away.
const LEAK_AUC: f64 = 0.95;
const LEAK_IV: f64 = 2.0;
const LEAK_CORRELATION: f64 = 0.99;
/// A column whose name speaks of what comes after the event is suspected from here on.
const LATE_AUC: f64 = 0.8;
/// Words for what is known only after the event.
const LATE: &[&str] = &[
    "duration",
    "recover",
    "collection",
    "settle",
    "chargeoff",
    "charged_off",
    "last_pymnt",
    "last_payment",
    "total_pymnt",
    "total_rec",
    "out_prncp",
    "closed",
    "outcome",
    "writeoff",
    "write_off",
    "dpd",
    "arrears",
    "default_date",
    "loss",
];
const LEVELS: usize = 50;

pub(super) fn findings(
    table: &Table,
    profiles: &[ColumnProfile],
    target: Option<&Target>,
) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut missing = Vec::new();
    let mut outliers = Vec::new();
    let mut few = Vec::new();
    let mut protected = Vec::new();
    for profile in profiles {
        let Some(column) = table.column(&profile.name) else { continue };
        if let Some(sort) = column.personal {
            found.push(personal(column, sort));
            continue;
        }
        if target.is_some_and(|t| t.name == column.name) || column.role == Role::Ignored {
            continue;
        }
        let stray = stray_words(table, column);
        // What would be numbers is no name of rows, however different its values are.
        let is_stray = stray.is_some();
        found.extend(stray);
        if let Some(attribute) = column.protected {
            protected.push((column, format!("`{}` ({attribute})", column.name)));
        }
        match profile.distinct {
            0 | 1 => found.push(constant(profile)),
            _ => {
                found.extend(leak(column, profile));
                if !is_stray {
                    found.extend(identifier_or_levels(table, column, profile));
                }
                found.extend(near_constant(column, profile));
                found.extend(codes(column, profile));
                missing.extend(missing_values(column, profile, target));
                outliers.extend(far_out(profile));
                few.extend(few_values(table, column, profile));
            }
        }
    }
    found.extend(together(missing, "miss values", FindingKind::Missing));
    found.extend(together(outliers, "have values far out", FindingKind::Outliers));
    found.extend(together(few, "hold only a few whole numbers", FindingKind::FewValues));
    found.extend(protected_attributes(&protected));
    found
}

/// Findings of one sort, or a single one in their place if there are many. Serious ones stay
/// alone, and those that are merged keep the remedy of the first where it concerns all columns.
fn together(found: Vec<Finding>, what: &str, kind: FindingKind) -> Vec<Finding> {
    let (mut alone, minor): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|f| f.severity > Severity::Info);
    if minor.len() < MANY {
        alone.extend(minor);
        return alone;
    }
    let names: Vec<String> =
        minor.iter().filter_map(|f| f.column.as_ref().map(|c| format!("`{c}`"))).collect();
    let text = format!("{} columns {what}: {}", names.len(), list(&names));
    let remedy = minor.into_iter().next().and_then(|f| f.remedy);
    let for_all =
        remedy.filter(|r| matches!(r.action, RemedyAction::Impute(_) | RemedyAction::Winsorise(_)));
    alone.push(Finding { remedy: for_all, ..Finding::new(Severity::Info, kind, text) });
    alone
}

fn constant(profile: &ColumnProfile) -> Finding {
    let name = &profile.name;
    let text = match (profile.distinct, profile.missing) {
        (0, _) => format!("`{name}` has no values at all"),
        (_, 0) => format!("`{name}` has the same value in every row"),
        (_, _) => format!("`{name}` has the same value in every row that has one"),
    };
    Finding::new(Severity::Warn, FindingKind::Constant, text)
        .of(name)
        .remedy("leave it out", RemedyAction::SetRole(name.clone(), Role::Ignored))
}

fn near_constant(column: &Column, profile: &ColumnProfile) -> Option<Finding> {
    let (value, n) = profile.top.first()?;
    let known: usize = profile.histogram.iter().map(|n| *n as usize).sum();
    if *n * 100 < known * 99 || *n == known {
        return None;
    }
    let name = &column.name;
    let text = format!("`{name}` is `{value}` in {} of the rows", percent(*n, known));
    let finding = Finding::new(Severity::Info, FindingKind::NearConstant, text)
        .of(name)
        .remedy("leave it out", RemedyAction::SetRole(name.clone(), Role::Ignored));
    Some(finding)
}

/// A column that separates the target by itself, or does well and sounds like hindsight.
fn leak(column: &Column, profile: &ColumnProfile) -> Option<Finding> {
    let relation = profile.relation.as_ref()?;
    let name = &column.name;
    // Levels of a few rows each separate anything.
    let is_sparse = column.kind == Kind::Category && profile.distinct * 20 > relation.rows;
    if is_sparse {
        return None;
    }
    let auc = relation.auc.unwrap_or(0.0);
    let iv = relation.iv.unwrap_or(0.0);
    let r = relation.correlation.unwrap_or(0.0).abs();
    let sounds_late = LATE.iter().any(|word| name.to_lowercase().contains(word));
    let (severity, text) = if auc >= LEAK_AUC {
        (
            Severity::Bad,
            format!(
                "`{name}` alone separates the target, with an AUC of {auc:.3}: is it known beforehand?"
            ),
        )
    } else if iv >= LEAK_IV {
        (
            Severity::Bad,
            format!(
                "`{name}` alone says too much about the target, with an information value of {iv:.2}: is it known beforehand?"
            ),
        )
    } else if r >= LEAK_CORRELATION {
        (
            Severity::Bad,
            format!(
                "`{name}` alone gives the target, with a correlation of {r:.4}: is it known beforehand?"
            ),
        )
    } else if auc >= LATE_AUC && sounds_late {
        (
            Severity::Warn,
            format!(
                "`{name}` has an AUC of {auc:.3} by itself, and sounds like something known only afterwards"
            ),
        )
    } else {
        return None;
    };
    let finding = Finding::new(severity, FindingKind::Leak, text)
        .of(name)
        .remedy("keep it out", RemedyAction::KeepOut(name.clone()));
    Some(finding)
}

fn identifier_or_levels(
    table: &Table,
    column: &Column,
    profile: &ColumnProfile,
) -> Option<Finding> {
    if column.role != Role::Feature {
        return None;
    }
    let name = &column.name;
    let known = profile.sampled.unwrap_or(profile.rows - profile.missing);
    let distinct = profile.distinct;
    let is_unique = known >= 50 && distinct * 100 >= known * 98;
    if column.kind == Kind::Category && distinct > LEVELS {
        if distinct * 2 > known {
            let text = format!(
                "`{name}` has {} different values in {} rows: it names rows and cannot be learned from",
                count(distinct),
                count(known)
            );
            let action = RemedyAction::SetKind(name.clone(), Kind::Identifier);
            let finding = Finding::new(Severity::Warn, FindingKind::Identifier, text);
            return Some(finding.of(name).remedy("take it as an identifier", action));
        }
        let text = format!(
            "`{name}` has {} levels, about {} rows for each",
            count(distinct),
            count(known / distinct)
        );
        let finding = Finding::new(Severity::Warn, FindingKind::Cardinality, text);
        let action = RemedyAction::RareLevels(name.clone());
        return Some(finding.of(name).remedy("merge rare levels", action));
    }
    // Whole numbers, each once, and with few left out between the first and the last.
    let is_whole = table.frame.column(name).is_ok_and(|c| c.dtype().is_integer());
    let span = profile.max? - profile.min? + 1.0;
    let is_dense = span <= 2.0 * profile.rows as f64;
    if column.kind == Kind::Number && is_whole && is_unique && is_dense {
        let text =
            format!("`{name}` is different in every row and runs without gaps: it counts rows");
        let action = RemedyAction::SetRole(name.clone(), Role::Id);
        let finding = Finding::new(Severity::Warn, FindingKind::Identifier, text);
        return Some(finding.of(name).remedy("take it as an identifier", action));
    }
    None
}

fn stray_words(table: &Table, column: &Column) -> Option<Finding> {
    let Strays { words, n } = strays(table, column)?;
    let name = &column.name;
    let each: Vec<String> =
        words.iter().map(|(word, n)| format!("`{word}` ({})", count(*n))).collect();
    let text = format!(
        "`{name}` is taken as words because of {} among {} values; all others are numbers",
        list(&each),
        count(n)
    );
    let all = column.special.iter().cloned().chain(words.into_iter().map(|(word, _)| word));
    let finding = Finding::new(Severity::Warn, FindingKind::SpecialCodes, text)
        .of(name)
        .remedy("take it as missing", RemedyAction::Special(name.clone(), all.collect()));
    Some(finding)
}

fn codes(column: &Column, profile: &ColumnProfile) -> Option<Finding> {
    if profile.codes.is_empty() {
        return None;
    }
    let name = &column.name;
    let each: Vec<String> = profile
        .codes
        .iter()
        .map(|(code, n)| format!("{} are {code}", counted(*n, "value", "values")))
        .collect();
    let text =
        format!("{} in `{name}`, apart from all others: does that mean missing?", list(&each));
    let codes = profile.codes.iter().map(|(code, _)| code);
    let all = column.special.iter().chain(codes).cloned().collect();
    let finding = Finding::new(Severity::Warn, FindingKind::SpecialCodes, text)
        .of(name)
        .remedy("take it as missing", RemedyAction::Special(name.clone(), all));
    Some(finding)
}

fn missing_values(
    column: &Column,
    profile: &ColumnProfile,
    target: Option<&Target>,
) -> Option<Finding> {
    let (n, rows) = (profile.missing, profile.rows);
    if n == 0 {
        return None;
    }
    let name = &column.name;
    let told = target.and_then(|target| missing_tells(profile, target));
    let text = format!(
        "`{name}` misses {} of {} values ({}){}",
        count(n),
        count(rows),
        percent(n, rows),
        told.as_deref().unwrap_or_default()
    );
    let finding = |severity| Finding::new(severity, FindingKind::Missing, text).of(name);
    Some(if n * 2 >= rows {
        let action = RemedyAction::SetRole(name.clone(), Role::Ignored);
        finding(Severity::Warn).remedy("leave it out", action)
    } else {
        let severity = if told.is_some() { Severity::Warn } else { Severity::Info };
        finding(severity)
            .remedy("fill all numbers with the median", RemedyAction::Impute(name.clone()))
    })
}

/// How the target differs where the column is missing, if by more than chance (|z| > 3).
fn missing_tells(profile: &ColumnProfile, target: &Target) -> Option<String> {
    let bins = &profile.relation.as_ref()?.bad_rates;
    let missing = bins.iter().find(|bin| bin.label == MISSING)?;
    let total = |of: fn(&Bin) -> usize| bins.iter().map(of).sum::<usize>();
    let (n, bads) = (missing.n, missing.bads?);
    let training = profile.relation.as_ref().is_some_and(|r| r.training);
    let (n_all, bads_all) = (total(|b| b.n), total(|b| b.bads.unwrap_or(0)));
    let (n_rest, bads_rest) = (n_all - n, bads_all - bads);
    if n == 0 || n_rest == 0 {
        return None;
    }
    let rate = |bads: usize, n: usize| bads as f64 / n as f64;
    let pooled = rate(bads_all, n_all);
    let error = (pooled * (1.0 - pooled) * (1.0 / n as f64 + 1.0 / n_rest as f64)).sqrt();
    let z = (rate(bads, n) - rate(bads_rest, n_rest)) / error;
    if z.is_nan() || z.abs() <= 3.0 {
        return None;
    }
    let class = target.positive.as_deref().unwrap_or("the positive class");
    Some(format!(
        "; where it does, {} are `{class}` instead of {}{}",
        percent(bads, n),
        percent(bads_rest, n_rest),
        if training { " (training rows)" } else { "" }
    ))
}

fn far_out(profile: &ColumnProfile) -> Option<Finding> {
    let outliers = profile.outliers?;
    let known: usize = profile.histogram.iter().map(|n| *n as usize).sum();
    if outliers.n == 0 || outliers.n * 20 > known {
        return None;
    }
    let name = &profile.name;
    let (min, max) = (profile.min?, profile.max?);
    let side = match (min < outliers.low, max > outliers.high) {
        (true, true) => format!(
            "below {} or above {}, down to {} and up to {}",
            number_text(outliers.low),
            number_text(outliers.high),
            number_text(min),
            number_text(max)
        ),
        (true, false) => {
            format!("below {}, down to {}", number_text(outliers.low), number_text(min))
        }
        _ => format!("above {}, up to {}", number_text(outliers.high), number_text(max)),
    };
    let text = format!(
        "{} of `{name}` ({}) far out: {side}",
        counted(outliers.n, "value", "values"),
        percent(outliers.n, known)
    );
    let finding = Finding::new(Severity::Info, FindingKind::Outliers, text)
        .of(name)
        .remedy("cut the tails of all numbers at 1 %", RemedyAction::Winsorise(name.clone()));
    Some(finding)
}

fn few_values(table: &Table, column: &Column, profile: &ColumnProfile) -> Option<Finding> {
    let is_whole = table.frame.column(&column.name).is_ok_and(|c| c.dtype().is_integer());
    let few = (3..=6).contains(&profile.distinct) && profile.rows >= 50;
    if !(is_whole && few && column.kind == Kind::Number && column.role == Role::Feature) {
        return None;
    }
    let name = &column.name;
    let text =
        format!("`{name}` holds only {} whole numbers: are they categories?", profile.distinct);
    let finding = Finding::new(Severity::Info, FindingKind::FewValues, text)
        .of(name)
        .remedy("take it as a category", RemedyAction::SetKind(name.clone(), Kind::Category));
    Some(finding)
}

fn personal(column: &Column, sort: Personal) -> Finding {
    let name = &column.name;
    let what = match sort {
        Personal::Name => "names of people",
        Personal::Email => "e-mail addresses",
        Personal::Phone => "telephone numbers",
        Personal::Card => "payment card numbers",
        Personal::Iban => "bank account numbers",
        Personal::Address => "postal addresses",
    };
    let text = format!("`{name}` holds {what}: masked, and kept out of features, logs and exports");
    Finding::new(Severity::Info, FindingKind::Personal, text).of(name)
}

fn protected_attributes(found: &[(&Column, String)]) -> Option<Finding> {
    let names: Vec<String> = found.iter().map(|(_, text)| text.clone()).collect();
    let is_used = |column: &Column| column.role == Role::Feature && !column.role_guessed;
    let n_used = found.iter().filter(|(column, _)| is_used(column)).count();
    let attributes = counted(names.len(), "protected attribute", "protected attributes");
    let (severity, verb) = match n_used {
        0 if names.len() == 1 => (Severity::Info, "is left out of the features".to_owned()),
        0 => (Severity::Info, "are left out of the features".to_owned()),
        n => (Severity::Warn, format!("found, {n} used as a feature")),
    };
    let text = format!("{attributes} {verb}: {}", list(&names));
    (!names.is_empty()).then(|| Finding::new(severity, FindingKind::Protected, text))
}

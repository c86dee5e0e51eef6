//! What is wrong with the target.

use super::text::{count, counted, percent};
use super::{Error, Finding, FindingKind, RemedyAction, Severity, Table, Target};
use crate::data::Task;

pub(super) fn findings(
    table: &Table,
    target: &Target,
    rows: Option<&[u32]>,
) -> Result<Vec<Finding>, Error> {
    let mut found = Vec::new();
    let name = &target.name;
    let truth = target.truth(table)?;
    let n_missing = truth.iter().filter(|v| v.is_nan()).count();
    if n_missing > 0 {
        let text = format!(
            "the target `{name}` is missing in {} of {}; they neither train nor test",
            count(n_missing),
            counted(truth.len(), "row", "rows")
        );
        found.push(Finding::new(Severity::Warn, FindingKind::MissingTarget, text).of(name));
    }
    let known: Vec<f64> = match rows {
        Some(rows) => rows.iter().map(|row| truth[*row as usize]).collect(),
        None => truth,
    };
    let known: Vec<f64> = known.into_iter().filter(|v| !v.is_nan()).collect();
    let Some(first) = known.first() else {
        let text = format!("the target `{name}` has no values");
        found.push(Finding::new(Severity::Bad, FindingKind::OneClass, text).of(name));
        return Ok(found);
    };
    if known.iter().all(|v| v == first) {
        let text =
            format!("the target `{name}` is the same in every row, so there is nothing to learn");
        found.push(Finding::new(Severity::Bad, FindingKind::OneClass, text).of(name));
    } else if target.task == Task::Binary {
        found.extend(imbalance(target, &known));
    } else if target.task == Task::Multiclass {
        found.extend(rare_class(table, target, &known)?);
    }
    Ok(found)
}

fn imbalance(target: &Target, truth: &[f64]) -> Option<Finding> {
    let n = truth.len();
    let positive = truth.iter().filter(|v| **v == 1.0).count();
    let rare = positive.min(n - positive);
    if rare * 20 >= n * 3 {
        return None;
    }
    let name = &target.name;
    let class = target.positive.as_deref().unwrap_or("1");
    let text = format!(
        "the target `{name}` is `{class}` in {} of {} ({})",
        count(positive),
        counted(n, "row", "rows"),
        percent(positive, n)
    );
    let severity = if rare * 50 < n { Severity::Warn } else { Severity::Info };
    let finding = Finding::new(severity, FindingKind::Imbalance, text)
        .of(name)
        .remedy("weigh both classes the same", RemedyAction::ClassWeight);
    Some(finding)
}

fn rare_class(table: &Table, target: &Target, truth: &[f64]) -> Result<Option<Finding>, Error> {
    let levels = table.levels(&target.name)?;
    let mut counts = vec![0; levels.names.len()];
    for class in truth {
        counts[*class as usize] += 1;
    }
    let rarest = levels.names.iter().zip(counts).min_by_key(|(_, n)| *n);
    let Some((class, n)) = rarest.filter(|(_, n)| *n < 10) else { return Ok(None) };
    let text = format!(
        "class `{class}` of the target `{}` has only {}",
        target.name,
        counted(n, "row", "rows")
    );
    let finding = Finding::new(Severity::Warn, FindingKind::Imbalance, text).of(&target.name);
    Ok(Some(finding))
}

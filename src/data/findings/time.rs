//! Dates out of order, in the future, or with gaps.

use std::time::{SystemTime, UNIX_EPOCH};

use super::text::{count, counted};
use super::{Error, Finding, FindingKind, Kind, RemedyAction, Role, Severity, Table};
use crate::data::date_text;

/// Larger tables are not searched for gaps.
const MOST: usize = 2_000_000;

pub(super) fn findings(table: &Table) -> Result<Vec<Finding>, Error> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |t| t.as_secs_f64());
    let today = now / 86_400.0;
    let mut found = Vec::new();
    let is_date = |kind, name| kind == Kind::Datetime && table.allows(name, kind);
    for column in table.columns.iter().filter(|c| is_date(c.kind, &c.name) && !c.is_masked()) {
        if column.role == Role::Ignored {
            continue;
        }
        let name = &column.name;
        let days: Vec<f64> = table.numbers(name)?.into_iter().filter(|day| !day.is_nan()).collect();
        let future = days.iter().filter(|day| **day > today + 1.0).count();
        if future > 0 {
            let latest = days.iter().copied().fold(f64::MIN, f64::max);
            let come = if future == 1 { "is yet to come" } else { "are yet to come" };
            let dates = counted(future, "date", "dates");
            let text = format!("{dates} of `{name}` {come}, up to {}", date_text(latest));
            found.push(Finding::new(Severity::Info, FindingKind::FutureDates, text).of(name));
        }
        found.extend(out_of_order(name, column.role, &days));
        if column.role == Role::Time && days.len() <= MOST {
            found.extend(gaps(name, days));
        }
    }
    Ok(found)
}

fn out_of_order(name: &str, role: Role, days: &[f64]) -> Option<Finding> {
    let back = days.windows(2).filter(|pair| pair[1] < pair[0]).count();
    let forth = days.windows(2).filter(|pair| pair[1] > pair[0]).count();
    // A file that runs from the latest to the first is in order.
    if back == 0 || forth == 0 {
        return None;
    }
    let text = format!(
        "rows are out of order by `{name}`: {} earlier than the row before",
        match back {
            1 => "1 is".to_owned(),
            n => format!("{} are", count(n)),
        }
    );
    let finding = Finding::new(Severity::Info, FindingKind::TimeOrder, text).of(name);
    Some(match role {
        Role::Time => finding,
        _ => finding.remedy("test on the latest rows", RemedyAction::TimeSplit(name.to_owned())),
    })
}

/// Pauses in rows that otherwise come at a steady pace.
fn gaps(name: &str, mut days: Vec<f64>) -> Option<Finding> {
    days.sort_unstable_by(f64::total_cmp);
    days.dedup();
    if days.len() < 10 {
        return None;
    }
    let steps: Vec<f64> = days.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let mut sorted = steps.clone();
    sorted.sort_unstable_by(f64::total_cmp);
    let usual = sorted[sorted.len() / 2];
    let steady = steps.iter().filter(|step| **step <= 3.0 * usual && **step >= usual / 3.0).count();
    let longest = (0..steps.len()).max_by(|a, b| steps[*a].total_cmp(&steps[*b]))?;
    let n = steps.iter().filter(|step| **step > 5.0 * usual).count();
    if n == 0 || steady * 10 < steps.len() * 9 {
        return None;
    }
    let text = format!(
        "{} in `{name}`, the longest from {} to {}",
        counted(n, "gap", "gaps"),
        date_text(days[longest]),
        date_text(days[longest + 1])
    );
    Some(Finding::new(Severity::Info, FindingKind::Gaps, text).of(name))
}

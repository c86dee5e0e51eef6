//! Targets that look ahead: rows whose target lies in the time of a later part must not train.

use super::{Error, Method, Split, SplitSpec, Table, Target, too_few};
use crate::data::Ahead;

/// The step by which the target looks ahead, when it does.
fn ahead<'a>(table: &'a Table, target: Option<&Target>) -> Option<&'a Ahead> {
    table.column(&target?.name)?.ahead.as_ref()
}

/// The warning that rows of the future train, for every division that is not by time.
pub(super) fn shout(table: &Table, target: Option<&Target>, spec: &SplitSpec) -> Option<String> {
    let ahead = ahead(table, target)?;
    let divides = spec.test > 0.0 || spec.valid > 0.0;
    (spec.method != Method::Time && divides).then(|| {
        format!(
            "a `{}` split looks into the future: `{}` is known {} row{} later, and rows of the \
             test period train\nhint: split by time",
            spec.method,
            ahead.name,
            ahead.horizon,
            if ahead.horizon == 1 { "" } else { "s" }
        )
    })
}

/// Leaves out the rows of each part whose target is known no earlier than the next part begins.
pub(super) fn purge(
    table: &Table,
    target: Option<&Target>,
    times: &[f64],
    split: &mut Split,
) -> Result<(), Error> {
    let Some(known) = known_at(table, target, times)? else { return Ok(()) };
    let start = |rows: &[u32]| rows.first().map(|row| times[*row as usize]);
    let (valid, test) = (start(&split.valid), start(&split.test));
    let n_before = (split.train.len(), split.valid.len());
    if let Some(next) = valid.or(test) {
        keep_before(&mut split.train, &known, next);
    }
    if let Some(next) = test {
        keep_before(&mut split.valid, &known, next);
    }
    let purged = [
        (
            n_before.0 - split.train.len(),
            "training",
            if valid.is_some() { "validation" } else { "test" },
        ),
        (n_before.1 - split.valid.len(), "validation", "test"),
    ];
    for (n, part, next) in purged.into_iter().filter(|(n, ..)| *n > 0) {
        let rows = if n == 1 { "1 row whose".to_owned() } else { format!("{n} rows whose") };
        split.notes.push(format!(
            "{rows} target looks from the {part} into the {next} period {} left out",
            if n == 1 { "is" } else { "are" }
        ));
    }
    if split.train.is_empty() || (n_before.1 > 0 && split.valid.is_empty()) {
        return Err(too_few(n_before.0));
    }
    Ok(())
}

/// The rows whose target is known before `next`.
pub(super) fn keep_before(rows: &mut Vec<u32>, known: &[f64], next: f64) {
    rows.retain(|row| known[*row as usize] < next);
}

/// When the target of each row is known, infinity where the table ends before; nothing when the
/// target does not look ahead.
pub(super) fn known_at(
    table: &Table,
    target: Option<&Target>,
    times: &[f64],
) -> Result<Option<Vec<f64>>, Error> {
    let Some(ahead) = ahead(table, target) else { return Ok(None) };
    let rows = ahead.sequence(table)?;
    let known = |row: u32| {
        let later = rows.later(row, ahead.horizon);
        later.map_or(f64::INFINITY, |later| times[later as usize])
    };
    Ok(Some((0..table.n_rows() as u32).map(known).collect()))
}

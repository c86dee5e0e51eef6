//! Folds of cross-validation.

use super::{
    Error, Method, SplitSpec, Table, Target, Task, draw, group_column, order, purge, time_column,
};
use crate::rng::{Seed, numpy::RandomState, stream};

/// One fold: rows to fit and rows to score.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fold {
    /// Positions of the rows that models are fitted to.
    pub train: Vec<u32>,
    /// Positions of the rows that are scored.
    pub test: Vec<u32>,
}

/// Divides the rows at `positions` into `k` folds by the method of `spec`, whose shares play no
/// part.
///
/// `stratified` deals out each class evenly, `group` keeps groups whole and folds about equally
/// large, `time` trains on everything before each of `k` later blocks, and `sklearn` gives the
/// folds of `KFold(k, shuffle=True, random_state=seed)`. Rows without a target are left out.
///
/// # Errors
///
/// When there are fewer rows, groups, moments or rows of a class than folds.
pub fn folds(
    table: &Table,
    spec: &SplitSpec,
    k: usize,
    positions: &[u32],
    target: Option<&Target>,
) -> Result<Vec<Fold>, Error> {
    if k < 2 {
        return Err(Error::Split {
            what: format!("`{k}` folds are no cross-validation"),
            hint: "choose 2 or more, such as 5".into(),
        });
    }
    let truth = target.map(|t| t.truth(table)).transpose()?;
    let is_known = |i: &u32| truth.as_ref().is_none_or(|t| !t[*i as usize].is_nan());
    let rows: Vec<u32> = positions.iter().copied().filter(is_known).collect();
    if rows.len() < k {
        return Err(too_few(&format!("{} rows", rows.len()), k));
    }
    match spec.method {
        Method::Random => Ok(deal(vec![rows], k, spec)),
        Method::Stratified => match (target, &truth) {
            (Some(target), Some(truth)) if target.task != Task::Regression => {
                let classes = draw::by_class(truth, &rows);
                if let Some(small) = classes.iter().find(|class| class.len() < k) {
                    let class = table.text(small[0] as usize, &target.name).unwrap_or_default();
                    let what =
                        format!("{} rows of class `{class}` of `{}`", small.len(), target.name);
                    return Err(too_few(&what, k));
                }
                Ok(deal(classes, k, spec))
            }
            _ => Ok(deal(vec![rows], k, spec)),
        },
        Method::Group => by_group(table, group_column(table, spec)?, &rows, k, spec),
        Method::Time => forward(table, time_column(table, spec)?, &rows, k, target),
        Method::Sklearn => k_fold(&rows, k, spec),
    }
}

fn too_few(what: &str, k: usize) -> Error {
    Error::Split {
        what: format!("{what} are too few for {k} folds"),
        hint: "choose fewer folds, or another method".into(),
    }
}

/// Shuffles each class and deals all of them out like one pack of cards, so that folds differ by
/// one row at most, in each class and in all.
fn deal(classes: Vec<Vec<u32>>, k: usize, spec: &SplitSpec) -> Vec<Fold> {
    let mut rng = stream(Seed(spec.seed), "folds");
    let mut parts = vec![Vec::new(); k];
    let mut next = 0;
    for mut class in classes {
        rng.shuffle(&mut class);
        for row in class {
            parts[next % k].push(row);
            next += 1;
        }
    }
    one_against_rest(parts)
}

/// Puts the largest group that is left into the smallest fold (scikit-learn's `GroupKFold`); the
/// seed decides between groups of the same size.
fn by_group(
    table: &Table,
    name: &str,
    rows: &[u32],
    k: usize,
    spec: &SplitSpec,
) -> Result<Vec<Fold>, Error> {
    let mut groups = draw::by_group(table, name, rows)?;
    if groups.len() < k {
        return Err(too_few(&format!("{} groups of `{name}`", groups.len()), k));
    }
    stream(Seed(spec.seed), "folds").shuffle(&mut groups);
    groups.sort_by_key(|group| std::cmp::Reverse(group.len()));
    let mut parts: Vec<Vec<u32>> = vec![Vec::new(); k];
    for group in groups {
        let smallest = parts.iter_mut().min_by_key(|part| part.len()).expect("k is at least 2");
        smallest.extend(group);
    }
    Ok(one_against_rest(parts))
}

/// Cuts time into `k + 1` blocks; each fold trains on all blocks before the one it scores, as far
/// as their target is known by then.
fn forward(
    table: &Table,
    name: &str,
    rows: &[u32],
    k: usize,
    target: Option<&Target>,
) -> Result<Vec<Fold>, Error> {
    let times = order::times(table, name)?;
    let (order, _) = order::sorted(&times, rows);
    let cuts = order::cuts(&times, &order);
    if cuts.len() < k {
        let what = format!("{} different times of `{name}`", cuts.len() + 1);
        return Err(too_few(&what, k));
    }
    let mut chosen = Vec::with_capacity(k + 1);
    let mut next = 0;
    for block in 1..=k {
        let wish = order.len() * block / (k + 1);
        // The blocks to come need a cut each.
        let free = &cuts[next..=cuts.len() - 1 - (k - block)];
        let nearest = order::nearest(free, wish).expect("one cut is left for each block");
        chosen.push(free[nearest]);
        next += nearest + 1;
    }
    chosen.push(order.len());
    let known = purge::known_at(table, target, &times)?;
    let fold = |ends: &[usize]| {
        let (mut train, test) = (order[..ends[0]].to_vec(), order[ends[0]..ends[1]].to_vec());
        if let (Some(known), Some(first)) = (&known, test.first()) {
            purge::keep_before(&mut train, known, times[*first as usize]);
        }
        if train.is_empty() {
            return Err(too_few("the rows whose target is known before the test", k));
        }
        Ok(Fold { train, test })
    };
    chosen.windows(2).map(fold).collect()
}

/// scikit-learn's `KFold(k, shuffle=True, random_state=seed)`.
fn k_fold(rows: &[u32], k: usize, spec: &SplitSpec) -> Result<Vec<Fold>, Error> {
    let mut random = RandomState::new(spec.seed).map_err(|_| Error::Split {
        what: format!("seed `{}` is too large for scikit-learn", spec.seed),
        hint: "choose one below 4294967296".into(),
    })?;
    let order = random.permutation(rows.len());
    let mut start = 0;
    let mut folds = Vec::with_capacity(k);
    for fold in 0..k {
        let end = start + rows.len() / k + usize::from(fold < rows.len() % k);
        let mut is_test = vec![false; rows.len()];
        for i in &order[start..end] {
            is_test[*i] = true;
        }
        let pick = |test: bool| {
            rows.iter().zip(&is_test).filter(|(_, t)| **t == test).map(|(row, _)| *row).collect()
        };
        folds.push(Fold { train: pick(false), test: pick(true) });
        start = end;
    }
    Ok(folds)
}

fn one_against_rest(mut parts: Vec<Vec<u32>>) -> Vec<Fold> {
    for part in &mut parts {
        part.sort_unstable();
    }
    let fold = |i: usize| {
        let others = parts.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, part)| part);
        let mut train: Vec<u32> = others.flatten().copied().collect();
        train.sort_unstable();
        Fold { train, test: parts[i].clone() }
    };
    (0..parts.len()).map(fold).collect()
}

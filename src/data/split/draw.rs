//! Parts drawn at random: rows, rows within classes, whole groups, or as scikit-learn draws them.

use super::{Error, Split, SplitSpec, too_few};
use crate::data::{Levels, Table, Target};
use crate::rng::{Rng, Seed, numpy, stream};

/// The stream from which the rows of a split are drawn.
fn draws(spec: &SplitSpec) -> Rng {
    stream(Seed(spec.seed), "split")
}

/// How many of `n` rows a share is: none for 0, else at least one.
pub(super) fn count(share: f64, n: usize) -> usize {
    if share == 0.0 { 0 } else { ((share * n as f64).round() as usize).max(1) }
}

pub(super) fn random(mut rows: Vec<u32>, spec: &SplitSpec) -> Result<Split, Error> {
    let n = rows.len();
    let (n_test, n_valid) = (count(spec.test, n), count(spec.valid, n));
    if n <= n_test + n_valid {
        return Err(too_few(n));
    }
    if n_test + n_valid == 0 {
        return Ok(Split { train: rows, ..Split::default() });
    }
    draws(spec).shuffle(&mut rows);
    let train = rows.split_off(n_test + n_valid);
    let valid = rows.split_off(n_test);
    Ok(sorted(train, valid, rows))
}

pub(super) fn stratified(
    table: &Table,
    target: &Target,
    truth: &[f64],
    rows: &[u32],
    spec: &SplitSpec,
) -> Result<Split, Error> {
    let n_parts = 1 + usize::from(spec.test > 0.0) + usize::from(spec.valid > 0.0);
    let mut classes = by_class(truth, rows);
    if let Some(small) = classes.iter().find(|class| class.len() < n_parts) {
        let class = table.text(small[0] as usize, &target.name).unwrap_or_default();
        let n = small.len();
        let rows = if n == 1 { "1 row".to_owned() } else { format!("{n} rows") };
        return Err(Error::Split {
            what: format!(
                "class `{class}` of `{}` has {rows}, too few for {n_parts} parts",
                target.name
            ),
            hint: "filter the class out, or split with the method `random`".into(),
        });
    }
    let sizes: Vec<usize> = classes.iter().map(Vec::len).collect();
    let n_test = shares_of(&sizes, spec.test);
    let n_valid = shares_of(&sizes, spec.valid);
    let mut rng = draws(spec);
    let (mut train, mut valid, mut test) = (Vec::new(), Vec::new(), Vec::new());
    for (class, (n_test, n_valid)) in classes.iter_mut().zip(n_test.into_iter().zip(n_valid)) {
        rng.shuffle(class);
        // A small class gives every part a row before it gives any part its full share.
        let n_test = n_test.min(class.len() + 1 - n_parts);
        let n_valid = n_valid.min(class.len() - n_test - 1);
        test.extend_from_slice(&class[..n_test]);
        valid.extend_from_slice(&class[n_test..n_test + n_valid]);
        train.extend_from_slice(&class[n_test + n_valid..]);
    }
    Ok(sorted(train, valid, test))
}

/// The rows of each class that occurs, in the order of the classes.
pub(super) fn by_class(truth: &[f64], rows: &[u32]) -> Vec<Vec<u32>> {
    let mut classes: Vec<Vec<u32>> = Vec::new();
    for row in rows {
        let class = truth[*row as usize] as usize;
        if classes.len() <= class {
            classes.resize_with(class + 1, Vec::new);
        }
        classes[class].push(*row);
    }
    classes.retain(|class| !class.is_empty());
    classes
}

/// The share of each class in whole rows, at least one each, so that they add up to the share of
/// all rows: what rounding down leaves over goes to the largest remainders.
fn shares_of(sizes: &[usize], share: f64) -> Vec<usize> {
    if share == 0.0 {
        return vec![0; sizes.len()];
    }
    let mut counts: Vec<usize> = sizes.iter().map(|n| (share * *n as f64) as usize).collect();
    let remainder = |i: usize| share * sizes[i] as f64 - counts[i] as f64;
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by(|a, b| remainder(*b).total_cmp(&remainder(*a)).then(a.cmp(b)));
    let left = count(share, sizes.iter().sum()).saturating_sub(counts.iter().sum());
    for class in order.into_iter().take(left) {
        counts[class] += 1;
    }
    counts.into_iter().map(|n| n.max(1)).collect()
}

pub(super) fn grouped(
    table: &Table,
    name: &str,
    rows: &[u32],
    spec: &SplitSpec,
) -> Result<Split, Error> {
    let mut groups = by_group(table, name, rows)?;
    let n_parts = 1 + usize::from(spec.test > 0.0) + usize::from(spec.valid > 0.0);
    if groups.len() < n_parts {
        let (n, s) = (groups.len(), if groups.len() == 1 { "" } else { "s" });
        return Err(Error::Split {
            what: format!("`{name}` has {n} group{s}, too few for {n_parts} parts"),
            hint: "choose another column for the groups, or the method `random`".into(),
        });
    }
    draws(spec).shuffle(&mut groups);
    let reserve = usize::from(spec.valid > 0.0) + 1;
    let test = take_groups(&mut groups, count(spec.test, rows.len()), reserve);
    let valid = take_groups(&mut groups, count(spec.valid, rows.len()), 1);
    Ok(sorted(groups.concat(), valid, test))
}

/// The rows of each group, in the order of the groups' names. A row without a group stands for
/// itself, since nobody knows whose it is.
pub(super) fn by_group(table: &Table, name: &str, rows: &[u32]) -> Result<Vec<Vec<u32>>, Error> {
    let levels = table.levels(name)?;
    let mut groups = vec![Vec::new(); levels.names.len()];
    let mut single = Vec::new();
    for row in rows {
        match levels.codes[*row as usize] {
            Levels::MISSING => single.push(vec![*row]),
            code => groups[code as usize].push(*row),
        }
    }
    groups.retain(|group| !group.is_empty());
    groups.append(&mut single);
    Ok(groups)
}

/// Takes groups from the front as long as each brings the number of rows closer to `want`, at
/// least one, and leaves `reserve` groups behind.
fn take_groups(groups: &mut Vec<Vec<u32>>, want: usize, reserve: usize) -> Vec<u32> {
    let mut taken = Vec::new();
    if want == 0 {
        return taken;
    }
    let mut kept = Vec::new();
    let n_groups = groups.len();
    let mut n_taken = 0;
    for group in groups.drain(..) {
        let closer = (taken.len() + group.len()).abs_diff(want) < taken.len().abs_diff(want);
        if closer && n_taken < n_groups - reserve {
            taken.extend(group);
            n_taken += 1;
        } else {
            kept.push(group);
        }
    }
    if n_taken == 0 {
        // Every group is more than twice as large as wished for: the smallest comes closest.
        let sizes = kept.iter().enumerate().map(|(i, group)| (group.len(), i));
        let smallest = sizes.min().map(|(_, i)| i).expect("the caller has seen enough groups");
        taken = kept.remove(smallest);
    }
    *groups = kept;
    taken
}

/// `train_test_split(rows, test_size=test, random_state=seed)`; validation rows are taken from its
/// training rows by `train_test_split(train, test_size=valid / (1 - test), random_state=seed)`.
pub(super) fn sklearn(rows: &[u32], spec: &SplitSpec) -> Result<Split, Error> {
    let (train, test) = cut(rows, spec.test, spec.seed)?;
    let (train, valid) = cut(&train, spec.valid / (1.0 - spec.test), spec.seed)?;
    Ok(Split { train, valid, test, ..Split::default() })
}

fn cut(rows: &[u32], share: f64, seed: u64) -> Result<(Vec<u32>, Vec<u32>), Error> {
    if share == 0.0 {
        return Ok((rows.to_vec(), vec![]));
    }
    let (train, test) =
        numpy::train_test_split(rows.len(), share, seed).map_err(|error| match error {
            numpy::Error::Empty { rows, .. } => too_few(rows),
            numpy::Error::Seed(_) => Error::Split {
                what: format!("seed `{seed}` is too large for scikit-learn"),
                hint: "choose one below 4294967296".into(),
            },
            numpy::Error::Share(_) => Error::Split {
                what: format!("a share of `{share}` leaves no split"),
                hint: "choose one between 0 and 1, such as 0.2".into(),
            },
        })?;
    let pick = |places: Vec<usize>| places.into_iter().map(|i| rows[i]).collect();
    Ok((pick(train), pick(test)))
}

fn sorted(mut train: Vec<u32>, mut valid: Vec<u32>, mut test: Vec<u32>) -> Split {
    train.sort_unstable();
    valid.sort_unstable();
    test.sort_unstable();
    Split { train, valid, test, ..Split::default() }
}

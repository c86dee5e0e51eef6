//! Ensembles of trees, checked and put into one order. The runtime follows indices without looking,
//! so a tree is written anew from what was found by following it once: whatever the file says, each
//! node is reached by one way from its root.

use std::collections::HashMap;

use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::{AttributeProto, NodeProto};

use super::check::{ML, refused};
use super::limits::at_most;
use super::rewrite::{HINT, Writer, floats, has, int, ints, n_labels, text, texts};
use super::{Error, Limits};

/// A node: where a row goes, or what it collects.
#[derive(Default)]
struct Row {
    tree: i64,
    id: i64,
    feature: i64,
    value: f32,
    mode: &'static str,
    yes: i64,
    no: i64,
    missing_is_yes: bool,
}

/// Trees in the order in which the runtime wants them: numbered from 0, their nodes too.
struct Ensemble {
    rows: Vec<Row>,
    /// Tree, node, output and weight.
    leaves: Vec<(i64, i64, i64, f32)>,
}

pub(super) fn regressor(
    writer: &mut Writer,
    node: &NodeProto,
    limits: &Limits,
) -> Result<(), Error> {
    let n_targets: usize = int(node, "n_targets").unwrap_or(1).try_into().unwrap_or(0);
    at_most("outputs", n_targets, limits.n_outputs)?;
    let mut ensemble = ensemble(node, "target", n_targets, limits)?;
    match text(node, "aggregate_function").as_str() {
        "" | "SUM" => {}
        "AVERAGE" => {
            let n_trees = ensemble.rows.last().map_or(1, |row| row.tree + 1) as f32;
            ensemble.leaves.iter_mut().for_each(|leaf| leaf.3 /= n_trees);
        }
        other => return Err(refused(node, format!("aggregate_function `{other}`"), HINT)),
    }
    let sums = write(writer, node, &ensemble, n_targets)?;
    let sums = with_base(writer, node, &sums, n_targets)?;
    let sums = writer.transformed(node, &sums)?;
    writer.give(node, 0, &sums);
    Ok(())
}

pub(super) fn classifier(
    writer: &mut Writer,
    node: &NodeProto,
    limits: &Limits,
) -> Result<(), Error> {
    let n_classes = n_labels(node, "classlabels_int64s");
    at_most("outputs", n_classes, limits.n_outputs)?;
    let ensemble = ensemble(node, "class", n_classes, limits)?;
    let first = ensemble.leaves.first().map_or(0, |leaf| leaf.2);
    let is_one_score = n_classes == 2 && ensemble.leaves.iter().all(|leaf| leaf.2 == first);
    if !is_one_score {
        let sums = write(writer, node, &ensemble, n_classes)?;
        let sums = with_base(writer, node, &sums, n_classes)?;
        let scores = writer.transformed(node, &sums)?;
        writer.give_scores(node, &scores);
        return Ok(());
    }
    // Two classes of which the leaves vote for one alone: what is told of the other is as in
    // onnxruntime (`ml_common.h`), since the standard is silent.
    let transform = text(node, "post_transform");
    if first != 0 || 1 < floats(node, "base_values").len() {
        return Err(refused(node, "its leaves vote for the second class alone".into(), HINT));
    }
    let sums = write(writer, node, &ensemble, 1)?;
    let score = with_base(writer, node, &sums, 1)?;
    let are_positive = ensemble.leaves.iter().all(|leaf| 0.0 <= leaf.3);
    let scores = match (transform.as_str(), are_positive) {
        ("" | "NONE" | "LOGISTIC", true) => writer.with_complement(&score),
        ("" | "NONE", false) => writer.with_negative(&score),
        ("LOGISTIC", false) => {
            let both = writer.with_negative(&score);
            writer.node("Sigmoid", &[&both], &[])
        }
        (other, _) => {
            return Err(refused(node, format!("post_transform `{other}` of one score"), HINT));
        }
    };
    writer.give_scores(node, &scores);
    Ok(())
}

fn with_base(
    writer: &mut Writer,
    node: &NodeProto,
    sums: &str,
    n_outputs: usize,
) -> Result<String, Error> {
    let base = floats(node, "base_values");
    if base.is_empty() {
        return Ok(sums.to_owned());
    }
    if base.len() != n_outputs {
        let why = format!("`{}` base values for `{n_outputs}` outputs", base.len());
        return Err(refused(node, why, HINT));
    }
    let base = writer.floats(&[1, n_outputs], base);
    Ok(writer.node("Add", &[sums, &base], &[]))
}

/// Reads the trees, following each from its root, and numbers them anew.
fn ensemble(
    node: &NodeProto,
    leaf: &str,
    n_outputs: usize,
    limits: &Limits,
) -> Result<Ensemble, Error> {
    let broken = |why: String| refused(node, why, "check that the file was written whole");
    if node.attribute.iter().any(|attribute| attribute.name.ends_with("_as_tensor")) {
        let hint = "convert with float32 inputs";
        return Err(refused(node, "its thresholds are of double precision".into(), hint));
    }
    let told = rows(node, limits)?;
    let place: HashMap<(i64, i64), usize> =
        told.iter().enumerate().map(|(idx, row)| ((row.tree, row.id), idx)).collect();
    if place.len() != told.len() {
        return Err(broken("two nodes have the same number".into()));
    }
    let collected = leaves(node, leaf, n_outputs, &place)?;

    let mut ensemble = Ensemble { rows: Vec::new(), leaves: Vec::new() };
    let mut is_seen = vec![false; told.len()];
    let mut last = None;
    for (root, row) in told.iter().enumerate() {
        if last == Some(row.tree) || is_seen[root] {
            continue;
        }
        last = Some(row.tree);
        let tree = ensemble.rows.last().map_or(0, |row| row.tree + 1);
        let start = ensemble.rows.len();
        // Children are numbered when their parent is met, so numbers follow the order of `found`.
        let mut found = vec![root];
        is_seen[root] = true;
        let mut at = 0;
        while at < found.len() {
            let from = &told[found[at]];
            let mut row = Row { tree, id: at as i64, ..*from };
            if from.mode == "LEAF" {
                let votes = collected.get(&found[at]).map_or(&[][..], Vec::as_slice);
                ensemble.leaves.extend(votes.iter().map(|(to, weight)| (tree, row.id, *to, *weight)));
            } else {
                for child in [&mut row.yes, &mut row.no] {
                    let place = place.get(&(from.tree, *child)).copied();
                    let place = place.filter(|place| !is_seen[*place]).ok_or_else(|| {
                        broken(format!("node `{}` of tree `{}` has no child `{child}` of its own", from.id, from.tree))
                    })?;
                    is_seen[place] = true;
                    *child = found.len() as i64;
                    found.push(place);
                }
            }
            ensemble.rows.push(row);
            at += 1;
        }
        debug_assert_eq!(ensemble.rows.len(), start + found.len());
    }
    if ensemble.leaves.is_empty() || is_seen.contains(&false) {
        return Err(broken("not every node is reached from the first of its tree".into()));
    }
    fill_empty_leaves(&mut ensemble);
    Ok(ensemble)
}

/// Leaves without votes get one that counts nothing, so that every tree has a leaf with a vote.
fn fill_empty_leaves(ensemble: &mut Ensemble) {
    let voted: std::collections::HashSet<(i64, i64)> =
        ensemble.leaves.iter().map(|leaf| (leaf.0, leaf.1)).collect();
    let output = ensemble.leaves[0].2;
    let silent = ensemble.rows.iter().filter(|row| row.mode == "LEAF");
    let silent: Vec<_> = silent
        .filter(|row| !voted.contains(&(row.tree, row.id)))
        .map(|row| (row.tree, row.id, output, 0.0))
        .collect();
    ensemble.leaves.extend(silent);
    ensemble.leaves.sort_by_key(|leaf| (leaf.0, leaf.1));
}

/// The nodes as the file tells them, comparisons that the runtime lacks turned round.
fn rows(node: &NodeProto, limits: &Limits) -> Result<Vec<Row>, Error> {
    let n = ints(node, "nodes_nodeids").len();
    at_most("nodes of trees", n, limits.n_tree_nodes)?;
    let column = |name: &str| {
        let column = ints(node, name);
        let why = || refused(node, format!("`{name}` has `{}` values, not `{n}`", column.len()), HINT);
        if column.len() == n { Ok(column) } else { Err(why()) }
    };
    let (trees, ids) = (column("nodes_treeids")?, column("nodes_nodeids")?);
    let (features, yes) = (column("nodes_featureids")?, column("nodes_truenodeids")?);
    let no = column("nodes_falsenodeids")?;
    let (values, modes) = (floats(node, "nodes_values"), texts(node, "nodes_modes"));
    let missing = ints(node, "nodes_missing_value_tracks_true");
    let has_missing = has(node, "nodes_missing_value_tracks_true") && !missing.is_empty();
    if n == 0 || values.len() != n || modes.len() != n || (has_missing && missing.len() != n) {
        return Err(refused(node, "its columns have different lengths".into(), HINT));
    }
    let mut rows = Vec::with_capacity(n);
    for idx in 0..n {
        if usize::try_from(features[idx]).map_or(true, |feature| limits.n_features <= feature) {
            return Err(refused(node, format!("it looks at column `{}`", features[idx]), HINT));
        }
        let is_missing_yes = has_missing && missing[idx] != 0;
        let mut row = Row {
            tree: trees[idx],
            id: ids[idx],
            feature: features[idx],
            value: values[idx],
            mode: "LEAF",
            yes: yes[idx],
            no: no[idx],
            missing_is_yes: is_missing_yes,
        };
        row.mode = match modes[idx].as_slice() {
            b"LEAF" => "LEAF",
            b"BRANCH_LEQ" => "BRANCH_LEQ",
            b"BRANCH_LT" => "BRANCH_LT",
            b"BRANCH_GT" => "BRANCH_GT",
            b"BRANCH_EQ" => "BRANCH_EQ",
            b"BRANCH_NEQ" => "BRANCH_NEQ",
            b"BRANCH_GTE" => {
                (row.yes, row.no) = (row.no, row.yes);
                row.missing_is_yes = !is_missing_yes;
                "BRANCH_LT"
            }
            other => {
                let mode = String::from_utf8_lossy(other).into_owned();
                return Err(refused(node, format!("a node of mode `{mode}`"), HINT));
            }
        };
        rows.push(row);
    }
    Ok(rows)
}

/// What each leaf gives: output and weight, by the place of its node.
fn leaves(
    node: &NodeProto,
    leaf: &str,
    n_outputs: usize,
    place: &HashMap<(i64, i64), usize>,
) -> Result<HashMap<usize, Vec<(i64, f32)>>, Error> {
    let [trees, nodes, outputs] =
        ["treeids", "nodeids", "ids"].map(|name| ints(node, &format!("{leaf}_{name}")));
    let weights = floats(node, &format!("{leaf}_weights"));
    let n = weights.len();
    if [trees.len(), nodes.len(), outputs.len()] != [n; 3] {
        return Err(refused(node, "the columns of its leaves have different lengths".into(), HINT));
    }
    let mut leaves: HashMap<usize, Vec<(i64, f32)>> = HashMap::new();
    for idx in 0..n {
        let place = place.get(&(trees[idx], nodes[idx]));
        let is_output = usize::try_from(outputs[idx]).is_ok_and(|output| output < n_outputs);
        let Some(place) = place.filter(|_| is_output) else {
            let why = format!("leaf `{}` of tree `{}` gives to output `{}`", nodes[idx], trees[idx], outputs[idx]);
            return Err(refused(node, why, HINT));
        };
        leaves.entry(*place).or_default().push((outputs[idx], weights[idx]));
    }
    Ok(leaves)
}

/// Writes the trees for the one ensemble that the runtime knows, a classifier, and returns its sums
/// (rows, outputs). Two classes more than there are keep it from its own treatment of two.
fn write(
    writer: &mut Writer,
    node: &NodeProto,
    ensemble: &Ensemble,
    n_outputs: usize,
) -> Result<String, Error> {
    let x = writer.source(node)?;
    let rows = &ensemble.rows;
    let column = |of: fn(&Row) -> i64| rows.iter().map(of).collect();
    let votes = |of: fn(&(i64, i64, i64, f32)) -> i64| ensemble.leaves.iter().map(of).collect();
    let attribute = vec![
        of_ints("nodes_treeids", column(|row| row.tree)),
        of_ints("nodes_nodeids", column(|row| row.id)),
        of_ints("nodes_featureids", column(|row| row.feature)),
        of_ints("nodes_truenodeids", column(|row| row.yes)),
        of_ints("nodes_falsenodeids", column(|row| row.no)),
        of_ints("nodes_missing_value_tracks_true", column(|row| row.missing_is_yes.into())),
        of_floats("nodes_values", rows.iter().map(|row| row.value).collect()),
        AttributeProto {
            name: "nodes_modes".into(),
            r#type: AttributeType::Strings as i32,
            strings: rows.iter().map(|row| row.mode.as_bytes().to_vec()).collect(),
            ..AttributeProto::default()
        },
        of_ints("class_treeids", votes(|leaf| leaf.0)),
        of_ints("class_nodeids", votes(|leaf| leaf.1)),
        of_ints("class_ids", votes(|leaf| leaf.2)),
        of_floats("class_weights", ensemble.leaves.iter().map(|leaf| leaf.3).collect()),
        of_ints("classlabels_int64s", (0..n_outputs as i64 + 2).collect()),
    ];
    let name = format!("{x}.trees");
    writer.push(NodeProto {
        name: name.clone(),
        op_type: "TreeEnsembleClassifier".into(),
        domain: ML.into(),
        input: vec![x],
        output: vec![format!("{name}.label"), format!("{name}.sums")],
        attribute,
        ..NodeProto::default()
    });
    let own: Vec<i64> = (0..n_outputs as i64).collect();
    let own = writer.ints(&own);
    Ok(writer.node("Gather", &[&format!("{name}.sums"), &own], &[("axis", 1)]))
}

fn of_ints(name: &str, ints: Vec<i64>) -> AttributeProto {
    let r#type = AttributeType::Ints as i32;
    AttributeProto { name: name.into(), r#type, ints, ..AttributeProto::default() }
}

fn of_floats(name: &str, floats: Vec<f32>) -> AttributeProto {
    let r#type = AttributeType::Floats as i32;
    AttributeProto { name: name.into(), r#type, floats, ..AttributeProto::default() }
}

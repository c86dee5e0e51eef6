use ndarray::Array2;

use super::*;
use crate::data::{Kind, OpenOptions, Overrides, Table, apply_overrides, open_bytes};
use crate::jobs::Ctx;

/// A table whose columns have these kinds.
fn table(csv: &str, kinds: &[(&str, Kind)]) -> Table {
    let options = OpenOptions { header: Some(true), ..OpenOptions::default() };
    let mut table = open_bytes("t.csv", csv.as_bytes(), &options, &Ctx::quiet()).unwrap();
    let kinds = kinds.iter().map(|(name, kind)| ((*name).to_owned(), *kind)).collect();
    apply_overrides(&mut table, &Overrides { kinds, ..Overrides::default() }).unwrap();
    table
}

fn all(table: &Table) -> Vec<u32> {
    (0..table.n_rows() as u32).collect()
}

fn fitted(table: &Table, recipe: &Recipe, features: &[&str], rows: &[u32]) -> FittedRecipe {
    let features: Vec<String> = features.iter().map(|name| (*name).to_owned()).collect();
    fit(table, recipe, &features, rows, &Ctx::quiet()).unwrap()
}

fn matrix(recipe: &FittedRecipe, table: &Table) -> Array2<f64> {
    recipe.matrix(table, &all(table), &Ctx::quiet()).unwrap()
}

fn column(x: &Array2<f64>, place: usize) -> Vec<f64> {
    x.column(place).to_vec()
}

const PURPOSES: &str = "purpose,n\ncar,1\ntv,2\ncar,3\nboat,4\ntv,5\n,6\ncar,7\ntv,8\n";
const KINDS: &[(&str, Kind)] = &[("purpose", Kind::Category), ("n", Kind::Number)];

#[test]
fn levels_become_columns_but_the_first() {
    let table = table(PURPOSES, KINDS);
    let recipe =
        fitted(&table, &Recipe { rare: 0.0, ..Recipe::default() }, &["purpose"], &all(&table));
    assert_eq!(recipe.names(), ["purpose = car", "purpose = tv", "purpose = missing"]);
    let x = matrix(&recipe, &table);
    assert_eq!(column(&x, 0), [1., 0., 1., 0., 0., 0., 1., 0.]);
    assert_eq!(column(&x, 2), [0., 0., 0., 0., 0., 1., 0., 0.]);
    assert!(x.t().is_standard_layout(), "the matrix is column-major");
    let input = &recipe.inputs[0];
    assert_eq!((input.missing, input.levels.len(), input.levels[1].share), (0.125, 3, 0.375));
}

#[test]
fn rare_levels_are_merged_into_other() {
    let table = table(PURPOSES, KINDS);
    let recipe =
        fitted(&table, &Recipe { rare: 0.2, ..Recipe::default() }, &["purpose"], &all(&table));
    assert_eq!(recipe.names(), ["purpose = tv", "purpose = other", "purpose = missing"]);
    assert_eq!(column(&matrix(&recipe, &table), 1), [0., 0., 0., 1., 0., 0., 0., 0.]);
    let merged: Vec<_> = recipe.inputs[0].levels.iter().filter(|l| l.merged).collect();
    assert_eq!(merged.len(), 1);
    assert_eq!(merged[0].name, "boat");
}

#[test]
fn an_unseen_level_follows_the_policy() {
    let old = table(PURPOSES, KINDS);
    let new = table("purpose,n\nplane,1\nboat,2\n,3\n", KINDS);
    let of = |unseen: Unseen, rare: f64| {
        fitted(&old, &Recipe { rare, unseen, ..Recipe::default() }, &["purpose"], &all(&old))
    };
    // Outputs: tv, other, missing.
    let other = matrix(&of(Unseen::Other, 0.2), &new);
    assert_eq!(other.row(0).to_vec(), [0., 1., 0.]);
    assert_eq!(other.row(1).to_vec(), [0., 1., 0.], "a rare level is known");
    assert_eq!(other.row(2).to_vec(), [0., 0., 1.]);
    let missing = matrix(&of(Unseen::Missing, 0.2), &new);
    assert_eq!(missing.row(0).to_vec(), [0., 0., 1.]);
    // Without `other` the dummies are all 0.
    assert_eq!(matrix(&of(Unseen::Other, 0.0), &new).row(0).to_vec(), [0., 0., 0.]);
    let refused = of(Unseen::Error, 0.2).matrix(&new, &[1, 0], &Ctx::quiet()).unwrap_err();
    let expected = "row 1: column `purpose` is `plane`, which training never saw\nhint: set \
                    `unseen` to `other` or `missing`";
    assert_eq!(refused.to_string(), expected);
}

#[test]
fn a_level_that_is_called_other_takes_in_the_rare_ones() {
    let table = table("c\nother\na\na\na\nb\na\na\na\na\na\n", &[("c", Kind::Category)]);
    let recipe = fitted(&table, &Recipe { rare: 0.15, ..Recipe::default() }, &["c"], &all(&table));
    assert_eq!(recipe.names(), ["c = other"]);
    assert_eq!(column(&matrix(&recipe, &table), 0), [1., 0., 0., 0., 1., 0., 0., 0., 0., 0.]);
}

#[test]
fn numbers_are_imputed_cut_and_scaled() {
    let kinds = [("v", Kind::Number), ("k", Kind::Number)];
    let table = table("v,k\n1,0\n2,1\n,0\n3,1\n2,0\n100,1\n", &kinds);
    let of = |recipe: Recipe| matrix(&fitted(&table, &recipe, &["v"], &all(&table)), &table);
    let plain = Recipe::default();
    let x = of(plain.clone());
    assert_eq!(column(&x, 0), [1., 2., 2., 3., 2., 100.], "the median is 2");
    assert_eq!(column(&x, 1), [0., 0., 1., 0., 0., 0.], "and the gap is told");
    let mean = of(Recipe { impute: Impute::Mean, missing_indicator: false, ..plain.clone() });
    assert_eq!((mean.ncols(), mean[[2, 0]]), (1, 21.6));
    assert_eq!(of(Recipe { impute: Impute::MostFrequent, ..plain.clone() })[[2, 0]], 2.0);
    let constant = Recipe { impute: Impute::Constant, constant: -7.0, ..plain.clone() };
    assert_eq!(of(constant)[[2, 0]], -7.0);
    let cut = of(Recipe { winsorise: 0.25, ..plain.clone() });
    assert_eq!(column(&cut, 0), [2., 2., 2., 3., 2., 3.], "cut at 2 and 3");
    let range = of(Recipe { scale: Scale::MinMax, ..plain.clone() });
    assert_eq!((range[[0, 0]], range[[5, 0]]), (0.0, 1.0));
    let standard = column(&of(Recipe { scale: Scale::Standard, ..plain.clone() }), 0);
    let mean = standard.iter().sum::<f64>() / 6.0;
    let variance = standard.iter().map(|v| v * v).sum::<f64>() / 6.0;
    assert!(mean.abs() < 1e-12 && (variance - 1.0).abs() < 1e-12);
    assert_eq!(of(Recipe { scale: Scale::Robust, ..plain })[[1, 0]], 0.0);
}

#[test]
fn only_the_training_rows_teach_the_recipe() {
    let recipe = Recipe { scale: Scale::Standard, winsorise: 0.1, rare: 0.3, ..Recipe::default() };
    let kinds = [("v", Kind::Number), ("c", Kind::Category)];
    let train = [0, 1, 2, 3];
    let one = table("v,c\n1,a\n2.5,b\n,a\n4,b\n5,a\n6,b\n", &kinds);
    let other = table("v,c\n1,a\n2.5,b\n,a\n4,b\n-900,zzz\n,\n", &kinds);
    let of = |table| fitted(table, &recipe, &["v", "c"], &train);
    assert_eq!(of(&one), of(&other));
}

#[test]
fn special_codes_are_missing_wherever_the_recipe_goes() {
    let kinds = [("v", Kind::Number)];
    let mut old = table("v\n1.5\n-999\n3\n4\n", &kinds);
    old.columns[0].special = vec!["-999".into()];
    let recipe = fitted(&old, &Recipe::default(), &["v"], &all(&old));
    assert_eq!(recipe.names(), ["v", "v is missing"]);
    let x = matrix(&recipe, &table("v\n-999\n2.5\n", &kinds));
    assert_eq!(x.row(0).to_vec(), [3.0, 1.0]);
    assert_eq!(x.row(1).to_vec(), [2.5, 0.0]);
}

#[test]
fn dates_become_days_months_and_weekdays() {
    let table = table(
        "d,z\n2024-01-01,1\n2024-01-06,1\n2024-02-05,1\n,1\n2024-03-04,1\n",
        &[("d", Kind::Datetime)],
    );
    let recipe = fitted(&table, &Recipe::default(), &["d"], &all(&table));
    let names = ["d", "d is missing", "d month = Feb", "d month = Mar", "d weekday = Sat"];
    assert_eq!(recipe.names(), names);
    let x = matrix(&recipe, &table);
    assert_eq!(x.row(0).to_vec(), [19_723.0, 0.0, 0.0, 0.0, 0.0]);
    assert_eq!(x.row(1).to_vec(), [19_728.0, 0.0, 0.0, 0.0, 1.0]);
    assert_eq!(x.row(2).to_vec()[2..], [1.0, 0.0, 0.0]);
    assert_eq!(x.row(3).to_vec()[1..], [1.0, 0.0, 0.0, 0.0]);
    let days = Recipe { dates: Dates::Days, missing_indicator: false, ..Recipe::default() };
    assert_eq!(fitted(&table, &days, &["d"], &all(&table)).names(), ["d"]);
}

#[test]
fn booleans_in_words_are_levels_and_in_digits_numbers() {
    let kinds = [("w", Kind::Boolean), ("z", Kind::Boolean), ("g", Kind::Category)];
    let table = table("w,z,g\nyes,0,1\nno,1,10\nyes,1,2\n", &kinds);
    let recipe = fitted(&table, &Recipe::default(), &["w", "z", "g"], &all(&table));
    assert_eq!(recipe.names().last().unwrap(), "g = 10", "numeric levels go by value");
    assert!(recipe.names().contains(&"z".to_owned()));
    assert_eq!(recipe.outputs.len(), 4);
}

#[test]
fn what_does_not_vary_is_left_out_and_said() {
    let kinds = [("a", Kind::Number), ("b", Kind::Category), ("c", Kind::Number)];
    let table = table("a,b,c\n1,x,1\n1,x,2\n1,x,3\n", &kinds);
    let recipe = fitted(&table, &Recipe::default(), &["a", "b", "c"], &all(&table));
    assert_eq!(recipe.names(), ["c"]);
    let warning = recipe.warning().unwrap();
    assert_eq!(warning, "`a`, `b` do not vary in the training rows and were left out");
    let features = ["a".to_owned()];
    let error = fit(&table, &Recipe::default(), &features, &[0, 1], &Ctx::quiet()).unwrap_err();
    assert!(error.to_string().starts_with("no feature is left: `a` does not vary"), "{error}");
}

#[test]
fn every_column_that_is_not_there_is_named() {
    let old = table(PURPOSES, KINDS);
    let recipe = fitted(&old, &Recipe::default(), &["purpose", "n"], &all(&old));
    let new = table("purposes,m\nx,1\n", &[]);
    let error = recipe.matrix(&new, &[0], &Ctx::quiet()).unwrap_err().to_string();
    let expected =
        "the table has no column `purpose`, `n`\nhint: is `purposes` meant for `purpose`?";
    assert_eq!(error, expected);
}

#[test]
fn text_is_no_feature() {
    let table = table(PURPOSES, &[("purpose", Kind::Text)]);
    let features = ["purpose".to_owned()];
    let error = fit(&table, &Recipe::default(), &features, &[0, 1], &Ctx::quiet()).unwrap_err();
    assert!(error.to_string().starts_with("column `purpose` is text"), "{error}");
}

#[test]
fn a_fitted_recipe_survives_being_written() {
    let table = table(PURPOSES, KINDS);
    let recipe = fitted(&table, &Recipe::default(), &["purpose", "n"], &all(&table));
    let text = serde_json::to_string(&recipe).unwrap();
    assert_eq!(serde_json::from_str::<FittedRecipe>(&text).unwrap(), recipe);
    assert_eq!(recipe.plan(1000).bytes, 8 * 1000 * recipe.outputs.len() as u64);
}

//! What separates, says nothing, or cannot be fitted is named.

use super::*;

#[track_caller]
fn names_the_level_that_separates(solver: Solver) {
    let owned = german_credit(Some(3));
    let fit = owned.fit(Params { solver, ..logistic(0.0) }).unwrap();
    let columns = vec!["purpose = retraining".into()];
    assert_eq!(fit.warnings[1..], [Warning::Separation { columns, complete: false }]);
    assert!(!fit.converged && matches!(fit.inference, Inference::WhyNot(_)));
    assert!(fit.coefficients.iter().all(|value| value.abs() < 30.0), "{fit:?}");
}

#[test]
fn a_level_that_separates_is_named() {
    names_the_level_that_separates(Solver::Irls);
}

#[test]
fn a_level_that_separates_is_named_after_lbfgs_too() {
    names_the_level_that_separates(Solver::Lbfgs);
}

#[test]
fn a_penalty_keeps_what_separates_finite() {
    let fit = german_credit(Some(3)).fit(logistic(1.0)).unwrap();
    assert!(fit.converged && fit.warnings.is_empty(), "{:?}", fit.warnings);
}

#[test]
fn a_column_that_separates_all_rows_is_named() {
    let mut owned = Owned::forty_classes();
    owned.x.column_mut(1).iter_mut().zip(&owned.y).for_each(|(x, y)| *x += 100.0 * y);
    let fit = owned.fit(logistic(0.0)).unwrap();
    let expected = Warning::Separation { columns: vec!["x2".into()], complete: true };
    assert_eq!(fit.warnings, [expected]);
    assert!(fit.coefficients.iter().all(|value| value.abs() < 10.0), "{fit:?}");
}

#[test]
fn columns_without_information_are_left_out_and_named() {
    let plain = Owned::forty();
    let mut columns: Vec<f64> = plain.x.columns().into_iter().flatten().copied().collect();
    let copy: Vec<f64> = (0..40).map(|i| 3.0 * columns[i] - columns[40 + i] + 7.0).collect();
    columns.extend(copy);
    columns.extend([0.1; 40]);
    let owned = Owned::new(5, columns, plain.y.clone());
    let expected = plain.fit(linear()).unwrap();
    let fit = owned.fit(linear()).unwrap();
    near_all(
        &Fit { coefficients: fit.coefficients[..3].to_vec(), ..fit.clone() },
        expected.intercept,
        &expected.coefficients,
        1e-11,
    );
    assert_eq!(fit.coefficients[3..], [0.0, 0.0]);
    assert_eq!((fit.rank, stats(&fit).len()), (4, 4));
    let named = |name: &str| vec![name.to_string()];
    assert_eq!(
        fit.warnings,
        [Warning::Constant { columns: named("x5") }, Warning::Collinear { columns: named("x4") }]
    );
    // A penalty shares the weight between them instead.
    let shared = owned.fit(ridge(1.0)).unwrap();
    assert!(shared.coefficients[3] != 0.0 && shared.warnings.len() == 1);
}

#[test]
fn what_cannot_be_fitted_is_said_plainly() {
    #[track_caller]
    fn refused(owned: &Owned, params: Params, expected: &str) {
        let text = owned.fit(params).unwrap_err().to_string();
        assert!(text.contains(expected), "{text}");
    }
    let forty = Owned::forty;
    let mut owned = forty();
    owned.x[[6, 1]] = f64::NAN;
    refused(&owned, linear(), "column `x2` has no finite value in row 7");
    owned.x[[6, 1]] = 1e300;
    refused(&owned, linear(), "column `x2` holds values too large");
    let mut owned = forty();
    owned.y[3] = f64::INFINITY;
    refused(&owned, linear(), "the target has no finite value in row 4");
    refused(&Owned { y: vec![2.5; 40], ..forty() }, linear(), "the target is `2.5` in every row");
    refused(&Owned { y: vec![1.0; 40], ..forty() }, logistic(1.0), "all rows are of one class");
    refused(&forty(), logistic(1.0), "neither 0 nor 1");
    refused(&Owned { y: vec![1.0; 39], ..forty() }, linear(), "40 rows, but 39 were given");
    refused(&Owned::new(1, vec![3.0; 4], vec![1.0, 2.0, 3.0, 4.0]), linear(), "no feature varies");
    refused(&Owned::new(2, Vec::new(), Vec::new()), linear(), "no rows");
    let with_weights = |weights| Owned { weights: Some(weights), ..Owned::forty_classes() };
    refused(&with_weights(vec![0.0; 40]), logistic(1.0), "weight 0");
    refused(&with_weights(vec![-1.0; 40]), logistic(1.0), "the weight in row 1 is `-1`");
    let by_class = Owned::forty_classes().y;
    refused(&with_weights(by_class), logistic(1.0), "all rows are of one class");
    let lbfgs = Params { solver: Solver::Lbfgs, ..logistic(1.0) };
    refused(&Owned::forty_classes().weighted(), lbfgs, "hint: use solver `irls`");
    let wide =
        Owned::new(3, vec![1.0, 2.0, 3.0, 3.0, 1.0, 2.0, 5.0, 1.0, 7.0], vec![1.0, 2.0, 4.0]);
    refused(&wide, linear(), "3 rows cannot determine 4 coefficients\nhint: use a penalty");
    assert!(wide.fit(ridge(1.0)).unwrap().converged);
}

//! Laws that hold for all fits.

use super::*;

#[test]
fn all_solvers_meet() {
    for alpha in [0.0, 1.0] {
        let owned = Owned::forty_classes();
        let optimum = owned.fit(logistic(alpha)).unwrap();
        let lbfgs = owned.fit(Params { solver: Solver::Lbfgs, ..logistic(alpha) }).unwrap();
        near_all(&lbfgs, optimum.intercept, &optimum.coefficients, 1e-5);
        let gd =
            Params { solver: Solver::Gd, learning_rate: Some(1.0), epochs: 500, ..logistic(alpha) };
        let gd = owned.fit(gd).unwrap();
        near_all(&gd, optimum.intercept, &optimum.coefficients, 1e-5);
        assert!(gd.converged && gd.history.is_sorted_by(|a, b| b.loss <= a.loss));
    }
    for params in [linear(), ridge(2.0)] {
        let owned = Owned::forty().weighted();
        let closed = owned.fit(params.clone()).unwrap();
        let gd = Params { solver: Solver::Gd, epochs: 400, ..params.clone() };
        let gd = owned.fit(gd).unwrap();
        near_all(&gd, closed.intercept, &closed.coefficients, 1e-7);
        near(gd.loss, closed.loss, 1e-6);
        let sgd = Params { solver: Solver::Sgd, learning_rate: Some(0.1), batch_size: 8, ..params };
        let sgd = owned.fit(sgd).unwrap();
        near_all(&sgd, closed.intercept, &closed.coefficients, 1e-2);
        near(sgd.loss, closed.loss, 1e-4);
    }
}

#[test]
fn the_same_seed_gives_the_same_descent() {
    let with_seed = |seed| {
        let params = Params { solver: Solver::Sgd, epochs: 3, seed, ..linear() };
        Owned::forty().fit(params).unwrap().coefficients
    };
    assert_eq!(with_seed(Seed(1)), with_seed(Seed(1)));
    assert_ne!(with_seed(Seed(1)), with_seed(Seed(2)));
}

#[test]
fn too_long_a_stride_is_stopped_and_explained() {
    for (owned, params) in [(Owned::forty(), linear()), (diabetes(), ridge(1.0))] {
        for solver in [Solver::Gd, Solver::Sgd] {
            let error = owned.fit(Params { solver, learning_rate: Some(10.0), ..params.clone() });
            let text = error.unwrap_err().to_string();
            assert!(text.contains("hint: use a smaller `learning_rate`, such as 1"), "{text}");
        }
    }
}

#[test]
fn validation_rows_are_watched() {
    let (owned, valid) = (Owned::forty_classes(), Owned::forty_classes().weighted());
    for solver in [Solver::Irls, Solver::Lbfgs, Solver::Gd] {
        let params = Params { solver, ..logistic(1.0) }.check().unwrap();
        let fit = fit(&owned.problem(), Some(&valid.problem()), &params, &Ctx::quiet()).unwrap();
        let last = fit.history.last().unwrap();
        assert!(fit.history.iter().all(|step| step.valid_loss.is_some()), "{solver}");
        near(last.loss, fit.loss, 1e-12);
        assert_ne!(last.valid_loss, Some(last.loss));
    }
}

#[test]
fn a_fit_stops_when_asked_to() {
    for params in [linear(), logistic(1.0), Params { solver: Solver::Gd, ..logistic(1.0) }] {
        let token = CancelToken::default();
        token.cancel();
        let ctx = Ctx::new(token, |_| ());
        let problem = Owned::forty_classes();
        let stopped = fit(&problem.problem(), None, &params.check().unwrap(), &ctx);
        assert!(matches!(stopped, Err(Error::Cancelled(_))), "{stopped:?}");
    }
    let token = CancelToken::default();
    let stop = token.clone();
    let ctx = Ctx::new(token, move |report| {
        if matches!(report, Report::Step(progress) if progress.done == 3) {
            stop.cancel();
        }
    });
    let params = Params { solver: Solver::Sgd, ..linear() }.check().unwrap();
    let stopped = fit(&Owned::forty().problem(), None, &params, &ctx);
    assert!(matches!(stopped, Err(Error::Cancelled(_))), "{stopped:?}");
}

/// Rows enough for the Gram matrix, with classes that follow the first two columns.
fn many_rows(n_rows: usize, n_columns: usize) -> Owned {
    let mut rng = stream(Seed(7), "rows");
    let x: Vec<f64> = (0..n_rows * n_columns).map(|_| rng.uniform() - 0.5).collect();
    let class = |i: usize| f64::from(x[i] + x[n_rows + i] + rng.uniform() > 0.7);
    let y = (0..n_rows).map(class).collect();
    Owned::new(n_columns, x, y)
}

#[test]
fn threads_do_not_change_a_bit() {
    let owned = many_rows(14_000, 20);
    for params in [
        linear(),
        ridge(1.0),
        logistic(1.0),
        Params { solver: Solver::Gd, epochs: 3, ..logistic(1.0) },
    ] {
        let params = params.check().unwrap();
        let with =
            |workers| fit_with(&owned.problem(), None, &params, workers, &Ctx::quiet()).unwrap();
        assert_eq!(with(Workers::One), with(Workers::All));
    }
}

#[test]
fn both_ways_to_the_triangle_agree() {
    // The same rows twice over: beyond the limit of the Gram matrix, and below it.
    let once = many_rows(8_000, 20);
    let columns = once.x.columns().into_iter().flat_map(|c| c.to_vec().repeat(2)).collect();
    let twice = Owned::new(20, columns, once.y.repeat(2));
    let (small, large) = (once.fit(linear()).unwrap(), twice.fit(linear()).unwrap());
    near_all(&large, small.intercept, &small.coefficients, 1e-9);
    near(large.loss, small.loss, 1e-11);
    let (small, large) = (once.fit(logistic(1.0)).unwrap(), twice.fit(logistic(2.0)).unwrap());
    near_all(&large, small.intercept, &small.coefficients, 1e-9);
}

#[test]
fn rows_first_is_as_good_as_columns_first() {
    let owned = Owned::forty();
    let copy = owned.x.as_standard_layout().to_owned();
    let problem = Problem { x: copy.view(), ..owned.problem() };
    let params = linear().check().unwrap();
    let fit = fit(&problem, None, &params, &Ctx::quiet()).unwrap();
    assert_eq!(fit, owned.fit(linear()).unwrap());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_weight_counts_like_repeated_rows(
        rows in prop::collection::vec((-3.0..3.0_f64, -3.0..3.0_f64, 0_usize..4), 8..40),
    ) {
        let build = |rows: &[(f64, f64, usize)]| {
            let columns = rows.iter().map(|row| row.0).chain(rows.iter().map(|row| row.1));
            let class = |row: &(f64, f64, usize)| f64::from(row.0.to_bits().is_multiple_of(3));
            Owned::new(2, columns.collect(), rows.iter().map(class).collect())
        };
        let repeated: Vec<_> =
            rows.iter().flat_map(|row| std::iter::repeat_n(*row, row.2)).collect();
        let mut weighted = build(&rows);
        weighted.weights = Some(rows.iter().map(|row| row.2 as f64).collect());
        for params in [ridge(1.0), logistic(0.7), Params { standardize: false, ..ridge(2.0) }] {
            match (weighted.fit(params.clone()), build(&repeated).fit(params)) {
                (Ok(a), Ok(b)) => {
                    prop_assert!((a.intercept - b.intercept).abs() < 1e-8);
                    for (a, b) in a.coefficients.iter().zip(&b.coefficients) {
                        prop_assert!((a - b).abs() < 1e-8, "{} {}", a, b);
                    }
                }
                (a, b) => prop_assert_eq!(a.is_err(), b.is_err()),
            }
        }
    }
}

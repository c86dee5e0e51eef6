use super::*;
use crate::data::{Kind, Task};
use crate::features::{FittedRecipe, Input, Level, Output, Recipe, Source};

const ALL: [Dialect; 4] = [Dialect::Sqlite, Dialect::Postgres, Dialect::Duckdb, Dialect::Spark];

fn input(name: &str, kind: Kind, encoding: Encoding) -> Input {
    Input {
        name: name.into(),
        kind,
        encoding,
        special: vec![],
        missing: 0.0,
        min: None,
        max: None,
        mean: None,
        levels: vec![],
    }
}

fn number(name: &str) -> (Input, Output) {
    let source = Source::Number { fill: 0.5, low: None, high: None };
    (input(name, Kind::Number, Encoding::Number), output(name, source))
}

fn levels(name: &str, kind: Kind, names: &[&str]) -> (Input, Output) {
    let mut own = input(name, kind, Encoding::Levels);
    let level = |name: &&str| Level { name: (*name).into(), share: 0.5, merged: false };
    own.levels = names.iter().map(level).collect();
    (own, output(name, Source::Level { level: names[names.len() - 1].into() }))
}

fn output(column: &str, source: Source) -> Output {
    Output { name: column.into(), column: column.into(), source, offset: 0.0, scale: 1.0 }
}

fn model(columns: Vec<(Input, Output)>, classes: &[&str], predictor: Predictor) -> Model {
    let (inputs, outputs) = columns.into_iter().unzip();
    let task = match classes.len() {
        0 => Task::Regression,
        2 => Task::Binary,
        _ => Task::Multiclass,
    };
    Model {
        kind: "logistic".into(),
        task,
        target: "bad".into(),
        classes: classes.iter().map(|class| (*class).into()).collect(),
        threshold: 0.25,
        recipe: FittedRecipe { recipe: Recipe::default(), inputs, outputs, constant: vec![] },
        sight: None,
        predictor,
        averages: None,
        reference: None,
        protected: vec![],
    }
}

/// A logistic model with these columns, each of which counts.
fn logistic_of(columns: Vec<(Input, Output)>) -> Model {
    let coefficients = vec![0.125; columns.len()];
    let predictor = Predictor::Linear { intercept: -1.5, coefficients, link: Link::Logit };
    model(columns, &["no", "yes"], predictor)
}

#[test]
fn the_score_within_is_no_column_that_the_model_knows() {
    for dialect in ALL {
        let text = sql(&logistic_of(vec![number("score")]), dialect, "data").unwrap();
        let (inner, outer) = text.split_once("\nSELECT ").unwrap();
        let [own, score] = [dialect.name("__karat_score"), dialect.name("score")];
        assert!(inner.ends_with(')') && inner.contains(&format!("AS {own}\n")), "{text}");
        assert!(!inner.contains(&format!("AS {score}")), "{text}");
        assert!(outer.contains(&format!("{own} AS {score}")), "{text}");
    }
    let model = logistic_of(vec![number("__KARAT_score_2")]);
    let text = sql(&model, Dialect::Sqlite, "scored").unwrap();
    assert!(text.contains("\"___karat_score\" AS \"score\""), "{text}");
    assert!(
        text.contains("FROM \"scored\" AS t") && text.ends_with("FROM karat_scored\n"),
        "{text}"
    );
}

#[test]
fn a_row_that_cannot_be_scored_is_called_nothing() {
    for dialect in ALL {
        let text = sql(&logistic_of(vec![number("x")]), dialect, "data").unwrap();
        let last = text.lines().find(|line| line.contains("'yes'")).unwrap();
        let threshold = dialect.number(0.25);
        assert!(last.contains(&format!(">= {threshold} THEN 'yes' WHEN ")), "{last}");
        assert!(last.contains(&format!("< {threshold} THEN 'no' END)")), "{last}");
    }
}

#[test]
fn exponents_stay_within_what_every_database_can_say() {
    let softmax = Predictor::Softmax {
        intercepts: vec![0.0, f64::NEG_INFINITY, 1.0],
        coefficients: vec![vec![1.0], vec![0.0], vec![-1.0]],
    };
    let several = model(vec![number("x")], &["a", "b", "c"], softmax);
    for dialect in ALL {
        for model in [&logistic_of(vec![number("x")]), &several] {
            let text = sql(model, dialect, "data").unwrap();
            let n_exp = text.matches("EXP(").count();
            assert_eq!(n_exp, text.matches("EXP(CASE WHEN ").count(), "{text}");
            assert!(text.contains(&dialect.number(-700.0)), "{text}");
        }
        // A class that cannot be takes part in nothing.
        let text = sql(&several, dialect, "data").unwrap();
        let zero = format!("  {} AS {}", dialect.number(0.0), dialect.name("probability_b"));
        assert!(text.contains(&zero), "{text}");
        assert!(!text.contains("__karat_score_1") && !text.contains("308"), "{text}");
        assert!(text.contains("'a'") && !text.contains("'b'"), "{text}");
    }
}

#[test]
fn what_is_no_number_is_missing_in_every_dialect() {
    let text = |dialect| sql(&logistic_of(vec![number("x")]), dialect, "data").unwrap();
    let check = |dialect, expected: &str| {
        let text = text(dialect);
        assert!(text.contains(expected), "{text}");
    };
    check(Dialect::Sqlite, "t.\"x\" = '' OR CAST(t.\"x\" AS REAL) IN (9e999, -9e999) THEN 0.5");
    check(
        Dialect::Postgres,
        "CAST(t.\"x\" AS DOUBLE PRECISION) IN ('NaN', 'Infinity', '-Infinity') THEN 0.5",
    );
    check(Dialect::Duckdb, "NOT isfinite(CAST(t.\"x\" AS DOUBLE)) THEN 5e-1");
    check(
        Dialect::Spark,
        "CAST(t.`x` AS DOUBLE) IN (double('NaN'), double('Infinity'), double('-Infinity')) THEN",
    );
}

#[test]
fn numbers_are_doubles_everywhere() {
    let text = |dialect| sql(&logistic_of(vec![number("x")]), dialect, "data").unwrap();
    for dialect in [Dialect::Duckdb, Dialect::Spark] {
        assert!(text(dialect).contains("-1.5e0\n    + 1.25e-1 * "), "{}", text(dialect));
    }
    assert!(text(Dialect::Postgres).contains("CAST(-1.5 AS DOUBLE PRECISION)\n    + 0.125 * "));
    assert!(text(Dialect::Sqlite).contains("-1.5\n    + 0.125 * "));
}

#[test]
fn levels_that_are_numbers_are_compared_as_numbers() {
    let model = logistic_of(vec![levels("grade", Kind::Category, &["1", "2.5"])]);
    let check = |dialect, expected: &str| {
        let text = sql(&model, dialect, "data").unwrap();
        assert!(text.contains(expected), "{text}");
    };
    check(Dialect::Sqlite, "(+t.\"grade\" IN (2.5) OR +t.\"grade\" IN ('2.5'))");
    check(
        Dialect::Postgres,
        "THEN CAST(CAST(t.\"grade\" AS TEXT) AS DOUBLE PRECISION) END IN (2.5)",
    );
    check(Dialect::Duckdb, "COALESCE(TRY_CAST(t.\"grade\" AS DOUBLE) IN (2.5e0), FALSE)");
    check(Dialect::Spark, "COALESCE(TRY_CAST(t.`grade` AS DOUBLE) IN (2.5e0), FALSE)");
    // `01` is a text, and so is all that stands beside it.
    let model = logistic_of(vec![levels("code", Kind::Category, &["1", "01"])]);
    let text = sql(&model, Dialect::Postgres, "data").unwrap();
    assert!(text.contains("CAST(t.\"code\" AS TEXT) IN ('01')"), "{text}");
}

#[test]
fn true_may_be_kept_as_one() {
    let model = logistic_of(vec![levels("member", Kind::Boolean, &["false", "true"])]);
    for (dialect, text) in [(Dialect::Sqlite, "TEXT"), (Dialect::Duckdb, "VARCHAR")] {
        let sql = sql(&model, dialect, "data").unwrap();
        let expected = format!("LOWER(CAST(t.\"member\" AS {text})) IN ('true', '1')");
        assert!(sql.contains(&expected), "{sql}");
    }
}

#[test]
fn dates_do_not_depend_on_who_asks() {
    let source = Source::Number { fill: 0.0, low: None, high: None };
    let date = (input("day", Kind::Datetime, Encoding::Date), output("day", source));
    let text = sql(&logistic_of(vec![date]), Dialect::Spark, "data").unwrap();
    assert!(!text.contains("unix_timestamp"), "{text}");
    assert!(text.contains("datediff(CAST(t.`day` AS DATE), DATE '1970-01-01')"), "{text}");
}

#[test]
fn texts_are_quoted_as_each_reads_them() {
    let check = |dialect: Dialect, expected| assert_eq!(dialect.quoted("it's \\n"), expected);
    check(Dialect::Sqlite, "'it''s \\n'");
    check(Dialect::Spark, "'it\\'s \\\\n'");
}

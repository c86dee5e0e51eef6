//! Models written for other programs, and what those make of them.

use std::fs;

use rusqlite::Connection;
use rusqlite::types::Value;

use crate::place::Place;

/// Loads a table of text into SQLite; what looks like a number becomes one, nothing becomes NULL.
fn load(connection: &Connection, csv: &str, n_columns: usize) {
    let mut lines = csv.lines();
    let names: Vec<String> = cells(lines.next().unwrap()).into_iter().take(n_columns).collect();
    let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    connection.execute(&format!("CREATE TABLE data ({})", quoted.join(", ")), []).unwrap();
    let marks = vec!["?"; n_columns].join(", ");
    let mut insert = connection.prepare(&format!("INSERT INTO data VALUES ({marks})")).unwrap();
    for line in lines {
        let row = cells(line).into_iter().take(n_columns).map(|cell| match cell.parse::<f64>() {
            Ok(number) if number.fract() == 0.0 => Value::Integer(number as i64),
            Ok(number) => Value::Real(number),
            Err(_) if cell.is_empty() => Value::Null,
            Err(_) => Value::Text(cell),
        });
        insert.execute(rusqlite::params_from_iter(row)).unwrap();
    }
}

/// The cells of a line of CSV.
fn cells(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut is_quoted = false;
    for c in line.chars() {
        match c {
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => cells.push(String::new()),
            c => cells.last_mut().unwrap().push(c),
        }
    }
    cells
}

#[test]
fn sql_gives_the_scores_of_the_program() {
    let place = Place::new();
    for (sample, target, kind) in [
        ("german_credit", "credit_risk", "logistic"),
        ("credit_missing", "", "logistic"),
        ("diabetes", "", "ridge"),
    ] {
        let mut train = vec!["train", sample, "--model", kind, "--out", "m.karat", "--json"];
        if !target.is_empty() {
            train.extend(["--target", target]);
        }
        place.json(&train);
        place.karat(&["score", "m.karat", sample, "--out", "s.csv"]);
        place.karat(&["export", "m.karat", "--format", "sql", "--out", "m.sql"]);
        let scored = fs::read_to_string(place.path("s.csv")).unwrap();
        let header = cells(scored.lines().next().unwrap());
        let is_class = header.iter().any(|name| name == "probability");
        let n_columns = header.len() - if is_class { 2 } else { 1 };
        let connection = Connection::open_in_memory().unwrap();
        load(&connection, &scored, n_columns);
        let sql = fs::read_to_string(place.path("m.sql")).unwrap();
        let wanted = if is_class { "probability" } else { "prediction" };
        // The SQLite within the program has no EXP, so the last step is taken here.
        let (scores, _) = sql.split_once("\nSELECT scored").unwrap();
        let mut query = connection.prepare(&format!("{scores} SELECT score FROM scored")).unwrap();
        let last = |score: f64| if is_class { 1.0 / (1.0 + (-score).exp()) } else { score };
        let got: Vec<f64> =
            query.query_map([], |row| row.get(0)).unwrap().map(|row| last(row.unwrap())).collect();
        let at = header.iter().position(|name| name == wanted).unwrap();
        let expected: Vec<f64> =
            scored.lines().skip(1).map(|line| cells(line)[at].parse().unwrap()).collect();
        assert_eq!(got.len(), expected.len());
        for (row, (got, expected)) in got.iter().zip(&expected).enumerate() {
            let tolerance = 1e-9 * expected.abs().max(1.0);
            assert!((got - expected).abs() < tolerance, "{sample} row {row}: {got} {expected}");
        }
    }
}

#[test]
fn what_sql_cannot_say_is_refused() {
    let place = Place::new();
    place.json(&[
        "train", "digits", "--model", "mlp", "--set", "epochs=1", "--out", "m.karat", "--json",
    ]);
    let said = place.karat(&["export", "m.karat", "--format", "sql", "--out", "m.sql"]);
    assert_eq!(said.status, 1);
    let error = said.err;
    assert!(error.contains("cannot be written as SQL") && error.contains("hint:"), "{error}");
}

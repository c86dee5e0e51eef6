//! Models written for other programs, and what those make of them.

use std::ffi::c_int;
use std::fs;

use rusqlite::types::Value;
use rusqlite::{Connection, ffi};

use crate::place::Place;

/// Gives the exponential function to SQLite, which is built without it here; as strict as
/// `PostgreSQL` is, it knows none of numbers whose exponential is out of range.
#[expect(unsafe_code, reason = "the feature of rusqlite that makes functions is not needed else")]
fn add_exp(connection: &Connection) {
    unsafe extern "C" fn exp(
        context: *mut ffi::sqlite3_context,
        _: c_int,
        values: *mut *mut ffi::sqlite3_value,
    ) {
        unsafe {
            let value = ffi::sqlite3_value_double(*values);
            let is_null = ffi::sqlite3_value_type(*values) == ffi::SQLITE_NULL;
            if is_null || value.abs() > 708.0 {
                ffi::sqlite3_result_null(context);
            } else {
                ffi::sqlite3_result_double(context, value.exp());
            }
        }
    }
    let nothing = std::ptr::null_mut();
    let (name, utf8) = (c"EXP".as_ptr(), ffi::SQLITE_UTF8);
    let done = unsafe {
        let db = connection.handle();
        ffi::sqlite3_create_function_v2(db, name, 1, utf8, nothing, Some(exp), None, None, None)
    };
    assert_eq!(done, ffi::SQLITE_OK);
}

/// Loads a table of text into SQLite. What looks like a number becomes a real one, also where it
/// is whole; true and false become 1 and 0, since SQLite has no others; and nothing becomes NULL.
fn load(csv: &str, n_columns: usize) -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    add_exp(&connection);
    let mut lines = csv.lines();
    let names: Vec<String> = cells(lines.next().unwrap()).into_iter().take(n_columns).collect();
    let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    connection.execute(&format!("CREATE TABLE data ({})", quoted.join(", ")), []).unwrap();
    let marks = vec!["?"; n_columns].join(", ");
    let mut insert = connection.prepare(&format!("INSERT INTO data VALUES ({marks})")).unwrap();
    for line in lines {
        let row = cells(line).into_iter().take(n_columns).map(|cell| match &cell as &str {
            "" => Value::Null,
            "true" => Value::Integer(1),
            "false" => Value::Integer(0),
            _ => cell.parse().map_or(Value::Text(cell), Value::Real),
        });
        insert.execute(rusqlite::params_from_iter(row)).unwrap();
    }
    drop(insert);
    connection
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

/// What a statement gives in the last column of this name.
fn column(connection: &Connection, sql: &str, name: &str) -> Vec<Value> {
    let mut query = connection.prepare(sql).unwrap();
    let names: Vec<&str> = query.column_names().collect();
    let at = names.iter().rposition(|own| *own == name);
    let at = at.unwrap_or_else(|| panic!("no `{name}` in {names:?}"));
    query.query_map([], |row| row.get(at)).unwrap().map(Result::unwrap).collect()
}

/// Scores a table with a model as the program does and by its SQL, compares every column that
/// `karat score` adds, and returns the database with the statement.
fn compare(place: &Place, model: &str, data: &str) -> (Connection, String) {
    let said = place.json(&["score", model, data, "--out", "s.csv", "--json"]);
    let added: Vec<&str> =
        said["added"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    place.json(&["export", model, "--format", "sql", "--out", "m.sql", "--json"]);
    let scored = fs::read_to_string(place.path("s.csv")).unwrap();
    let header = cells(scored.lines().next().unwrap());
    let connection = load(&scored, header.len() - added.len());
    let sql = fs::read_to_string(place.path("m.sql")).unwrap();
    for name in added {
        let at = header.iter().rposition(|own| own == name).unwrap();
        let got = column(&connection, &sql, name);
        assert_eq!(got.len(), scored.lines().count() - 1);
        for (row, (got, line)) in got.iter().zip(scored.lines().skip(1)).enumerate() {
            let expected = &cells(line)[at];
            let is_same = match (got, expected.parse::<f64>()) {
                (Value::Real(got), Ok(expected)) => {
                    (got - expected).abs() < 1e-9 * expected.abs().max(1.0)
                }
                (Value::Text(got), _) => got == expected,
                _ => false,
            };
            assert!(is_same, "{data} `{name}` row {}: {got:?} {expected}", row + 1);
        }
    }
    (connection, sql)
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
        compare(&place, "m.karat", sample);
    }
}

/// A table with everything that is told differently by databases: columns called as the scores,
/// dates, levels that are numbers, true and false, and cells with nothing in them.
fn awkward(class: fn(u32) -> &'static str) -> String {
    let mut text = "score,score_0,opened,grade,member,called\n".to_owned();
    for i in 0..120_u32 {
        let or_nothing = |value: String, every: u32| {
            if i % every == every - 1 { String::new() } else { value }
        };
        let cells = [
            or_nothing(format!("{}.5", i * 7919 % 97), 11),
            (i * 37 % 23).to_string(),
            or_nothing(format!("2024-{:02}-{:02}", 1 + i * 5 % 12, 1 + i * 11 % 28), 13),
            or_nothing((1 + i * 13 % 4).to_string(), 17),
            or_nothing((i * 29 % 3 == 0).to_string(), 19),
            class(i).to_owned(),
        ];
        text.extend([&cells.join(","), "\n"]);
    }
    text
}

#[test]
fn sql_scores_a_table_whose_columns_are_awkward() {
    let place = Place::new();
    let data = place.file("t.csv", awkward(|i| if i * 41 % 7 < 3 { "it's" } else { "not" }));
    let train = ["train", &data, "--target", "called", "--positive", "it's", "--model", "logistic"];
    let columns = ["--kind", "grade=category", "--role", "opened=feature", "--dates", "parts"];
    let others = ["--split", "random", "--out", "m.karat", "--json"];
    place.json(&[&train[..], &columns, &others].concat());
    let (connection, sql) = compare(&place, "m.karat", &data);
    // The table keeps its own column, and the score of the model comes last.
    let own = column(&connection, "SELECT score FROM data", "score");
    assert_ne!(own, column(&connection, &sql, "score"));
    // What is no date has no days, and so the row has no score and is called nothing.
    connection.execute("UPDATE data SET opened = 'whenever' WHERE rowid = 2", []).unwrap();
    for name in ["score", "probability", "prediction"] {
        let got = column(&connection, &sql, name);
        assert_eq!(got[1], Value::Null, "{name}");
        assert_ne!(got[2], Value::Null, "{name}");
    }
    // What is infinite is missing, and a score may be as large as it likes.
    connection.execute("UPDATE data SET score = NULL, opened = NULL WHERE rowid = 3", []).unwrap();
    let missing = column(&connection, &sql, "score")[2].clone();
    connection.execute("UPDATE data SET score = -9e999, opened = '' WHERE rowid = 3", []).unwrap();
    assert_eq!(column(&connection, &sql, "score")[2], missing);
    connection.execute("UPDATE data SET score_0 = 1e9 WHERE rowid = 4", []).unwrap();
    connection.execute("UPDATE data SET score_0 = -1e9 WHERE rowid = 5", []).unwrap();
    let got = column(&connection, &sql, "probability");
    let Value::Real(mut far) = got[3] else { panic!("{:?}", got[3]) };
    let Value::Real(mut near) = got[4] else { panic!("{:?}", got[4]) };
    if far > near {
        std::mem::swap(&mut far, &mut near);
    }
    assert!(far < 1e-300 && near == 1.0, "{far} {near}");
}

#[test]
fn sql_tells_several_classes_apart() {
    let place = Place::new();
    let class = |i: u32| ["fern", "moss", "oak"][((i * 7919 % 97) / 33).min(2) as usize];
    let data = place.file("t.csv", awkward(class));
    let train = ["train", &data, "--target", "called", "--model", "logistic", "--out", "m.karat"];
    let columns = ["--kind", "grade=category", "--role", "opened=feature", "--split", "random"];
    place.json(&[&train[..], &columns, &["--json"]].concat());
    compare(&place, "m.karat", &data);
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

#[test]
fn one_stream_takes_one_thing() {
    let place = Place::new();
    place.json(&["train", "diabetes", "--model", "ridge", "--out", "m.karat", "--json"]);
    fs::remove_dir_all(place.path(".karat")).unwrap();
    for format in ["onnx", "sql", "mlflow"] {
        let export = ["export", "m.karat", "--format", format, "--out", "-", "--json"];
        place.refuses(&export, &["standard output", "hint: name a file with `--out`"]);
    }
    place.refuses(&["export", "m.karat", "--format", "mlflow", "--out", "-"], &["folder"]);
    assert!(!place.path("-").exists());
}

#[test]
fn a_file_is_never_of_another_sort_than_its_name_says() {
    let place = Place::new();
    place.json(&["train", "diabetes", "--model", "ridge", "--out", "m.karat", "--json"]);
    let other = ["score", "m.karat", "diabetes", "--out", "s.xlsx"];
    place.refuses(&other, &["no table is written as `.xlsx`", ".parquet"]);
    place.refuses(&["export", "m.karat", "--out", "m.pmml"], &["`m.pmml`", "--format sql"]);
    let sql = ["export", "m.karat", "--format", "sql", "--out", "m.onnx"];
    place.refuses(&sql, &["`m.onnx`", "--format sql"]);
    for name in ["s.xlsx", "m.pmml", "m.onnx"] {
        assert!(!place.path(name).exists(), "{name}");
    }
}

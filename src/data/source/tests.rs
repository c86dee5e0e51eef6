use std::io::Write;

use polars::prelude::{IpcWriter, ParquetWriter, SerWriter};
use proptest::prelude::*;

use super::*;
use crate::data::{Role, sample};
use crate::files;

fn read(text: impl AsRef<[u8]>) -> Result<Table, Error> {
    open_bytes("t.csv", text.as_ref(), &OpenOptions::default(), &Ctx::quiet())
}

fn ok(text: impl AsRef<[u8]>) -> Table {
    read(text).unwrap()
}

fn wrong(text: impl AsRef<[u8]>) -> String {
    read(text).unwrap_err().to_string()
}

fn cells(table: &Table, name: &str) -> Vec<String> {
    (0..table.n_rows()).map(|i| table.text(i, name).unwrap_or_default()).collect()
}

fn reading(table: &Table, name: &str) -> String {
    table.column(name).unwrap().reading.clone().unwrap_or_default()
}

#[test]
fn numbers_dates_and_words_get_their_types() {
    let table = ok("id,amount,day,paid,who\n1,2.5,2024-12-31,true,a b\n2,-,2025-01-01,false,c\n");
    let kinds: Vec<Kind> = table.columns.iter().map(|c| c.kind).collect();
    let expected = [Kind::Identifier, Kind::Number, Kind::Datetime, Kind::Boolean, Kind::Category];
    assert_eq!(kinds, expected);
    assert!(table.numbers("amount").unwrap()[1].is_nan());
    assert_eq!(reading(&table, "amount"), "`-` counts as missing");
    assert_eq!(table.origin.format, "csv");
    assert_eq!(table.origin.sha256.len(), 64);
    assert!(table.complete);
}

#[test]
fn local_numbers_and_dates_are_understood_and_said() {
    let text = "Betrag;Satz;Preis;Datum;Menge\n1.234,56;12 %;€ 12;31.12.2024;1.500\n-7,5;7,5 %;€ 7,25;01.02.2025;2.000\n";
    let table = ok(text);
    assert_eq!(table.numbers("Betrag").unwrap(), [1234.56, -7.5]);
    assert_eq!(table.numbers("Satz").unwrap(), [0.12, 0.075]);
    assert_eq!(table.numbers("Preis").unwrap(), [12.0, 7.25]);
    assert_eq!(table.numbers("Menge").unwrap(), [1500.0, 2000.0], "as the other columns have it");
    assert_eq!(cells(&table, "Datum"), ["2024-12-31", "2025-02-01"]);
    for (name, word) in
        [("Betrag", "decimal comma"), ("Satz", "share"), ("Preis", "€"), ("Datum", "day.month")]
    {
        assert!(reading(&table, name).contains(word), "{name}: {}", reading(&table, name));
    }
    assert_eq!(table.origin.format, "csv, delimiter `;`");
}

#[test]
fn a_value_that_does_not_fit_makes_the_column_text_and_is_kept() {
    let mut text = "n,d\n".to_owned();
    text.extend((0..60_000).map(|i| format!("{i},2024-01-01\n")));
    text.push_str("007,soon\n");
    let table = ok(&text);
    assert_eq!(table.text(60_000, "n").unwrap(), "007");
    assert_eq!(table.text(60_000, "d").unwrap(), "soon");
    assert_eq!(table.text(0, "n").unwrap(), "0");
    assert_ne!(table.column("n").unwrap().kind, Kind::Number);
}

#[test]
fn whole_numbers_give_way_to_decimals_further_down() {
    let mut text = "n,m\n".to_owned();
    text.extend((0..60_000).map(|i| format!("{i},{i}\n")));
    text.push_str("0.5,NA\n1,12345678901234567890\n");
    let table = ok(&text);
    assert_eq!(table.numbers("n").unwrap()[60_000], 0.5);
    assert_eq!(table.numbers("n").unwrap()[59_999], 59_999.0);
    assert_eq!(table.text(60_001, "m").unwrap(), "12345678901234567890", "no digit is lost");
}

#[test]
fn a_column_that_begins_empty_is_judged_by_all_its_values() {
    let mut text = "a,b\n".to_owned();
    text.extend((0..60_000).map(|_| "x,\n"));
    text.push_str("x,1.5\ny,2\n");
    let table = ok(&text);
    assert_eq!(table.numbers("b").unwrap()[60_001], 2.0);
    assert_eq!(table.column("b").unwrap().kind, Kind::Number);
}

#[test]
fn every_encoding_is_read() {
    let plain = "name,n\nMüller,1\nСидоров,2\n";
    let bom = [b"\xef\xbb\xbf".as_slice(), plain.as_bytes()].concat();
    let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let big = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>();
    let with_mark = [vec![0xff, 0xfe], wide(plain)].concat();
    for bytes in [plain.as_bytes().to_vec(), bom, with_mark] {
        assert_eq!(cells(&ok(&bytes), "name"), ["Müller", "Сидоров"]);
    }
    let latin = "name,n\nMüller,1\nMeier,2\n";
    assert_eq!(cells(&ok(wide(latin)), "name")[0], "Müller");
    assert_eq!(cells(&ok(big(latin)), "name")[0], "Müller");
    let table = ok(b"name,n\nM\xfcller,1\nMeier,2\n");
    assert_eq!(cells(&table, "name")[0], "Müller");
    assert!(
        table.origin.notes.iter().any(|n| n.contains("Windows-1252")),
        "{:?}",
        table.origin.notes
    );
    let options = OpenOptions { encoding: Some("koi8-r".to_owned()), ..OpenOptions::default() };
    let (bytes, ..) = encoding_rs::KOI8_R.encode(plain);
    let table = open_bytes("t.csv", &bytes, &options, &Ctx::quiet()).unwrap();
    assert_eq!(cells(&table, "name")[1], "Сидоров");
    let options = OpenOptions { encoding: Some("klingon".to_owned()), ..OpenOptions::default() };
    assert!(open_bytes("t.csv", b"a,b\n1,2\n", &options, &Ctx::quiet()).is_err());
}

#[test]
fn line_ends_quotes_and_blank_lines_are_coped_with() {
    for text in
        ["a,b\n1,x\n2,y\n", "a,b\r\n1,x\r\n2,y", "a,b\r1,x\r2,y\r", "\na,b\r\n1,x\n\n2,y\r\n\r\n"]
    {
        let table = ok(text);
        assert_eq!(
            (table.n_rows(), cells(&table, "b")),
            (2, vec!["x".to_owned(), "y".to_owned()]),
            "{text:?}"
        );
    }
    let table = ok("a,b\n1,\"x, \"\"y\"\"\nz\"\n2,q\n");
    assert_eq!(cells(&table, "b")[0], "x, \"y\"\nz");
    assert_eq!(ok("a,b\n1,2,,\n3,4\n").n_columns(), 2, "empty fields at the end are no columns");
}

#[test]
fn ragged_lines_are_refused_by_number() {
    let text = wrong("a,b\n\"x\ny\",1\n2\n");
    assert!(text.contains("line 4 of `t.csv` has 1 fields where 2 are expected"), "{text}");
    let text = wrong("a,b\n1,2\n1,2,3\n1,2\n");
    assert!(text.contains("line 3") && text.contains("quotes"), "{text}");
    let mut text = "a,b,c\n".to_owned();
    text.extend((0..400_000).map(|_| "1,2,3\r\n"));
    text.push_str("4,5");
    let text = wrong(&text);
    assert!(text.contains("line 400002") && text.contains("cut off"), "{text}");
}

#[test]
fn a_file_without_header_gets_names_and_the_last_is_the_target() {
    let table = ok("1,2.5,0\n3,4.5,1\n5,6.5,0\n");
    assert!(table.origin.headerless);
    assert_eq!(table.columns[2].name, "x3");
    assert_eq!(table.with_role(Role::Target).unwrap().name, "x3");
    let header = OpenOptions { header: Some(true), ..OpenOptions::default() };
    assert_eq!(
        open_bytes("t", b"1,2\n3,4\n", &header, &Ctx::quiet()).unwrap().columns[0].name,
        "1"
    );
}

#[test]
fn what_is_no_table_is_refused_in_plain_words() {
    for (bytes, word) in [
        (b"".as_slice(), "is empty"),
        (b"\n \n\n", "is empty"),
        (b"a,b\n", "no rows"),
        (b"a,b", "no rows"),
        (b"PK\x03\x04rubbish", "zip archive"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"a,b\n1,\x00\n", "binary"),
        (b"\x01\x02\x03\x04\x05\x06\x07\x08\x0e\x0f", "binary"),
        (b"a,b\n1,\"x\n2,y\n", "never closed"),
        (b"PAR1 and nothing more", "parquet"),
        (b"ARROW1 and nothing more", "ipc"),
        (b"\x1f\x8brubbish rubbish", "unpacked"),
        (b"\x28\xb5\x2f\xfdrubbish rubbish", "unpacked"),
        (b"{\"a\":1}\n[1]\n", "line 2"),
        (b"[{\"a\":1},{\"a\":]", "JSON"),
    ] {
        let text = wrong(bytes);
        assert!(text.contains(word) && text.contains("hint: "), "{bytes:?}: {text}");
    }
}

#[test]
fn paths_that_lead_nowhere_say_where_to_go() {
    let dir = tempfile::tempdir().unwrap();
    files::write(&dir.path().join("loans.csv"), b"a,b\n1,2\n").unwrap();
    files::write(&dir.path().join("empty.csv"), b"").unwrap();
    let fails = |name: &str| {
        open(&dir.path().join(name), &OpenOptions::default(), &Ctx::quiet())
            .unwrap_err()
            .to_string()
    };
    assert!(fails("loan.csv").contains("did you mean"), "{}", fails("loan.csv"));
    assert!(fails("x/loan.csv").contains("no folder"), "{}", fails("x/loan.csv"));
    assert!(fails("").contains("loans.csv"), "{}", fails(""));
    assert!(fails("empty.csv").contains("is empty"));
    let wrong_sample = open(Path::new("sample:german"), &OpenOptions::default(), &Ctx::quiet());
    assert!(wrong_sample.unwrap_err().to_string().contains("german_credit"));
    let table = open(Path::new("sample:diabetes"), &OpenOptions::default(), &Ctx::quiet());
    assert_eq!(table.unwrap().n_rows(), 442);
}

#[test]
fn packed_files_are_unpacked() {
    let text = sample("german_credit").unwrap().content;
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(text).unwrap();
    let gz = gz.finish().unwrap();
    let zst = zstd::encode_all(text, 1).unwrap();
    let plain = ok(text);
    for (bytes, name) in [(&gz, "gzip"), (&zst, "zstd")] {
        let table = ok(bytes);
        assert!(table.frame.equals_missing(&plain.frame));
        assert!(table.origin.format.contains(name));
        assert_eq!(
            table.origin.sha256,
            files::sha256_hex(bytes),
            "the digest is of the stored bytes"
        );
        assert!(read(&bytes[..bytes.len() / 2]).is_err(), "a cut file is refused");
    }
}

#[test]
fn json_comes_in_lines_and_in_an_array() {
    let lines = "{\"a\":1,\"b\":\"x\"}\n{\"a\":2.5,\"c\":{\"d\":true}}\n{\"b\":null,\"a\":3}\n";
    let array = format!("[{}]", lines.trim().replace('\n', ",\n "));
    for (text, format) in [(lines, "ndjson"), (array.as_str(), "json")] {
        let table = ok(text);
        assert_eq!(table.origin.format, format);
        assert_eq!(table.numbers("a").unwrap(), [1.0, 2.5, 3.0]);
        assert_eq!(cells(&table, "b"), ["x", "", ""]);
        assert_eq!(cells(&table, "c.d"), ["", "true", ""]);
        assert_eq!(table.origin.sha256, files::sha256_hex(text.as_bytes()));
    }
    let mut text = String::new();
    text.extend((0..40_000).map(|i| format!("{{\"a\":{i}}}\n")));
    text.push_str("{\"a\":1,\"late\":7}\n");
    let table = ok(&text);
    assert_eq!(table.text(40_000, "late").unwrap(), "7");
}

#[test]
fn parquet_and_ipc_are_read() {
    let mut frame =
        ok("a,b,day\n1,x,2024-12-31\n2,,2025-01-01\n").frame.drop(crate::data::ROW).unwrap();
    let mut parquet = Vec::new();
    ParquetWriter::new(&mut parquet).finish(&mut frame).unwrap();
    let mut ipc = Vec::new();
    IpcWriter::new(&mut ipc).finish(&mut frame).unwrap();
    for (bytes, format) in [(parquet, "parquet"), (ipc, "ipc")] {
        let table = ok(&bytes);
        assert_eq!(table.origin.format, format);
        assert_eq!(table.numbers("a").unwrap(), [1.0, 2.0]);
        assert_eq!(cells(&table, "b"), ["x", ""]);
        assert_eq!(cells(&table, "day"), ["2024-12-31", "2025-01-01"]);
        assert_eq!(table.origin.sha256, files::sha256_hex(&bytes));
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.bin");
        files::write(&path, &bytes).unwrap();
        let first = head(&path, &OpenOptions::default(), 1).unwrap();
        assert_eq!((first.n_rows(), first.complete), (1, false));
        assert!(
            open(&path, &OpenOptions::default(), &Ctx::quiet())
                .unwrap()
                .frame
                .equals_missing(&table.frame)
        );
        let cut = read(&bytes[..bytes.len() - 9]).unwrap_err().to_string();
        assert!(cut.contains("hint:"), "{cut}");
    }
}

#[test]
fn the_head_has_the_first_rows_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("big.csv");
    let mut text = "a,b\n".to_owned();
    text.extend((0..100_000).map(|i| format!("{i},word\n")));
    files::write(&path, text.as_bytes()).unwrap();
    let table = head(&path, &OpenOptions::default(), 500).unwrap();
    assert_eq!((table.n_rows(), table.complete), (500, false));
    assert_eq!(table.text(499, "a").unwrap(), "499");
    let note = table.origin.notes.join(" ");
    assert!(
        note.contains("first 500 of about 100,000 rows") || note.contains("of about 110,000"),
        "{note}"
    );
    assert!(table.origin.sha256.is_empty());
    let small = head(Path::new("sample:diabetes"), &OpenOptions::default(), 1000).unwrap();
    assert!(small.complete);
}

#[test]
fn a_head_of_what_can_be_read_only_once_is_refused() {
    let path = Path::new("/dev/null");
    if path.exists() {
        let text = head(path, &OpenOptions::default(), 9).unwrap_err().to_string();
        assert!(text.contains("only once"), "{text}");
        let text = open(path, &OpenOptions::default(), &Ctx::quiet()).unwrap_err().to_string();
        assert!(text.contains("is empty"), "{text}");
    }
}

#[test]
fn a_changed_file_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.csv");
    files::write(&path, b"a,b\n1,2\n").unwrap();
    let table = open(&path, &OpenOptions::default(), &Ctx::quiet()).unwrap();
    assert!(table.still_same(&path));
    files::write(&path, b"a,b\n1,2\n3,4\n").unwrap();
    assert!(!table.still_same(&path));
    std::fs::remove_file(&path).unwrap();
    assert!(!table.still_same(&path));
}

#[test]
fn reading_stops_when_asked_to() {
    let ctx = Ctx::quiet();
    ctx.cancel_token().cancel();
    let result = open_bytes("t.csv", b"a,b\n1,2\n", &OpenOptions::default(), &ctx);
    assert!(matches!(result, Err(Error::Cancelled(_))), "{result:?}");
}

#[test]
fn namibia_is_no_missing_value() {
    let codes = ["NA", "DE", "FR", "IT", "ES", "PT", "PL", "CZ", "AT", "CH", "NA"];
    let text = codes.iter().fold("land,n\n".to_owned(), |t, c| t + c + ",1\n");
    assert_eq!(cells(&ok(&text), "land")[0], "NA");
    assert_eq!(cells(&ok("a,n\nNA,1\nlong word,2\n"), "a")[0], "");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn rubbish_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let result = std::panic::catch_unwind(|| load(&Input::Bytes(&bytes), "r", None, &OpenOptions::default(), Scope::All, &Ctx::quiet()));
        prop_assert!(result.is_ok());
    }

    #[test]
    fn nearly_csv_never_panics(text in "[a1.,;\"\n\r\t |{}:\\-]{0,120}") {
        let result = std::panic::catch_unwind(|| load(&Input::Bytes(text.as_bytes()), "r", None, &OpenOptions::default(), Scope::All, &Ctx::quiet()));
        prop_assert!(result.is_ok());
    }

    #[test]
    fn what_is_written_is_read_back(rows in proptest::collection::vec(("[a-z\",;\n ]{1,6}x", -1000..1000_i64), 1..20)) {
        let quote = |s: &str| format!("\"{}\"", s.replace('"', "\"\""));
        let text = rows.iter().fold("word,number\n".to_owned(), |t, (w, n)| t + &quote(w) + &format!(",{n}\n"));
        let table = ok(&text);
        prop_assert_eq!(cells(&table, "word"), rows.iter().map(|r| r.0.clone()).collect::<Vec<_>>());
        prop_assert_eq!(table.numbers("number").unwrap(), rows.iter().map(|r| r.1 as f64).collect::<Vec<_>>());
    }
}

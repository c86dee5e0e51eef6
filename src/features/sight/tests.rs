//! Layouts found and said, tensors against numbers worked out by hand, and the law that a window
//! never sees a later row.

use proptest::prelude::*;

use super::*;
use crate::data::{Method, OpenOptions, Role, Table, open_bytes};
use crate::jobs::Ctx;

fn table(text: &str) -> Table {
    open_bytes("t.csv", text.as_bytes(), &OpenOptions::default(), &Ctx::quiet()).unwrap()
}

/// The names of the columns and a few rows of numbers below them.
fn counted(names: &[String], most: usize) -> Table {
    let row = |r: usize| {
        let value = |c: usize| ((r * 7 + c * 3) % (most + 1)).to_string();
        (0..names.len()).map(value).collect::<Vec<_>>().join(",")
    };
    let rows: Vec<String> = (0..12).map(row).collect();
    table(&format!("{}\n{}\n", names.join(","), rows.join("\n")))
}

fn numbered(stem: &str, from: usize, n: usize) -> Vec<String> {
    (from..from + n).map(|i| format!("{stem}{i}")).collect()
}

fn features(table: &Table) -> Vec<String> {
    let names = table.columns.iter().filter(|c| c.role == Role::Feature);
    names.map(|c| c.name.clone()).collect()
}

fn spec(input: InputKind, channels: &str) -> SightSpec {
    SightSpec { input, channels: channels.into(), ..SightSpec::default() }
}

fn found(table: &Table, spec: &SightSpec) -> Layout {
    layout(table, &features(table), spec).unwrap()
}

fn error(table: &Table, spec: &SightSpec) -> String {
    layout(table, &features(table), spec).unwrap_err().to_string()
}

/// Six months of a credit card, named as in the Taiwan data (Yeh and Lien, 2009).
fn cards() -> Table {
    let mut names = vec!["LIMIT_BAL".to_owned(), "PAY_0".into()];
    names.extend(numbered("PAY_", 2, 5));
    names.extend(numbered("BILL_AMT", 1, 6));
    names.extend(numbered("PAY_AMT", 1, 6));
    names.push("target".into());
    counted(&names, 900)
}

/// Prices of two shares, one with a gap.
fn prices() -> Table {
    table(
        "share,day,close,volume,up\n\
         B,2024-01-03,5,70,0\nA,2024-01-01,10,100,0\nA,2024-01-02,11,90,1\nA,2024-01-03,,80,0\n\
         A,2024-01-04,22,70,1\nA,2024-01-05,11,60,0\nB,2024-01-01,8,50,1\nB,2024-01-02,4,60,1\n",
    )
}

fn windows(channels: &str, window: usize) -> SightSpec {
    SightSpec {
        window,
        time: Some("day".into()),
        group: Some("share".into()),
        ..spec(InputKind::Windows, channels)
    }
}

#[test]
fn months_of_several_measures_are_channels() {
    let layout = found(&cards(), &SightSpec::default());
    assert_eq!(layout.text(), "3 channels x 6 steps, 1 static column");
    let names: Vec<_> = layout.channels.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["PAY", "BILL_AMT", "PAY_AMT"]);
    assert_eq!(layout.channels[0].columns[..2], ["PAY_0", "PAY_2"]);
    assert_eq!((layout.shape(), layout.statics), ([1, 6, 3], vec!["LIMIT_BAL".to_owned()]));
}

#[test]
fn numbers_that_only_tell_columns_apart_are_no_series_unless_asked_for() {
    let mut names = numbered("x", 1, 20);
    names.push("y".into());
    let table = counted(&names, 900);
    assert_eq!(found(&table, &SightSpec::default()).kind, InputKind::Table);
    assert_eq!(found(&table, &spec(InputKind::Series, "auto")).shape(), [1, 20, 1]);
    let few = counted(&["a".into(), "b".into(), "y".into()], 900);
    assert!(error(&few, &spec(InputKind::Series, "auto")).contains("no features are numbered"));
    assert!(error(&few, &spec(InputKind::Image, "auto")).contains("2 numeric features"));
}

#[test]
fn a_square_of_pixels_is_an_image_and_steps_of_time_are_not() {
    let check = |names: Vec<String>, most: usize, kind: InputKind, shape: [usize; 3]| {
        let named = names[0].clone();
        let mut names = names;
        names.push("label".into());
        let layout = found(&counted(&names, most), &SightSpec::default());
        assert_eq!((layout.kind, layout.shape()), (kind, shape), "{named}");
    };
    check(numbered("p", 0, 64), 16, InputKind::Image, [8, 8, 1]);
    check(numbered("pixel", 1, 784), 255, InputKind::Image, [28, 28, 1]);
    check(numbered("q", 0, 64), 16, InputKind::Series, [1, 64, 1]);
    check(numbered("grey", 0, 64), 255, InputKind::Image, [8, 8, 1]);
    check(numbered("grey", 0, 64), 256, InputKind::Series, [1, 64, 1]);
    check(numbered("t", 0, 144), 255, InputKind::Series, [1, 144, 1]);
    check(numbered("p", 0, 63), 16, InputKind::Table, [1, 1, 0]);
    let grid: Vec<String> =
        (1..=6).flat_map(|r| (1..=9).map(move |c| format!("{r}x{c}"))).collect();
    check(grid, 900, InputKind::Image, [6, 9, 1]);
    let asked = counted(&numbered("p", 0, 64), 16);
    assert_eq!(found(&asked, &spec(InputKind::Series, "auto")).shape(), [1, 63, 1]);
}

#[test]
fn years_before_months_are_counted() {
    let months = |year: usize, from: usize| {
        (from..from + 6).map(move |month| format!("bill_{year}_{month:02}"))
    };
    let names: Vec<String> =
        months(2006, 1).chain(months(2005, 7)).chain(["target".to_owned()]).collect();
    let layout = found(&counted(&names, 900), &SightSpec::default());
    let columns = &layout.channels[0].columns;
    assert_eq!((columns.len(), columns[0].as_str()), (12, "bill_2005_07"));
    assert_eq!(columns[11], "bill_2006_06");
}

#[test]
fn words_name_channels_with_ranges_and_directions() {
    let text = "status: PAY_0, PAY_2..PAY_6; bill: BILL_AMT6..BILL_AMT1; \
                paid: reversed PAY_AMT1..PAY_AMT6";
    let layout = found(&cards(), &spec(InputKind::Auto, text));
    assert_eq!(layout.shape(), [1, 6, 3]);
    assert_eq!(layout.channels[0].columns[..2], ["PAY_0", "PAY_2"]);
    for (channel, first) in [(1, "BILL_AMT6"), (2, "PAY_AMT6")] {
        assert_eq!(layout.channels[channel].columns[0], first);
    }
    assert_eq!(layout.statics, ["LIMIT_BAL"]);
    let awkward = table("\"a:1;b\",c..d,e,f,y\n1,2,3,4,0\n2,3,4,5,1\n");
    let layout = found(&awkward, &spec(InputKind::Series, "one: `a:1;b`, c..d; `e`, f"));
    assert_eq!(layout.channels[0].columns, ["a:1;b", "c..d"]);
}

#[test]
fn words_that_cannot_be_are_refused_with_a_remedy() {
    let cards = cards();
    let check = |text: &str, expected: &str| {
        let said = error(&cards, &spec(InputKind::Series, text));
        assert!(said.contains(expected), "{text}: {said}");
    };
    check("a: PAY_0..PAY_7", "no column `PAY_7`\nhint: did you mean `PAY_0`?");
    check("a: PAY_0..PAY_6; b: BILL_AMT1..BILL_AMT5", "`a` has 6 columns and `b` has 5");
    check("a: PAY_0, PAY_0", "stands in the channels twice");
    check("a: target, PAY_0", "`target` has the role target, so a network may not look at it");
    check("LIMIT_BAL: return", "in windows alone");
    check("a: PAY_0, b: PAY_2", "put `;` between two channels");
    check(" ; ", "no channel is named");
    let said = error(&cards, &spec(InputKind::Image, "a: PAY_0..PAY_6"));
    assert!(said.contains("6 columns are no square image"), "{said}");
    let said = error(&cards, &spec(InputKind::Windows, "LIMIT_BAL: return"));
    assert!(said.contains("need a column that orders the rows"), "{said}");
    let said = error(&prices(), &windows("clos: return", 2));
    assert!(said.contains("did you mean `close`?"), "{said}");
    let said = error(&prices(), &windows("close: retrun", 2));
    assert!(said.contains("no column `retrun`\nhint: did you mean `return`?"), "{said}");
    let mixed = table("a1,a2,a3,a4,y\n1,x,3,4,0\n2,z,4,5,1\n3,x,4,5,1\n");
    let said = error(&mixed, &spec(InputKind::Series, "a: a1..a4"));
    assert!(said.contains("column `a2` is a category and cannot be a channel"), "{said}");
}

#[test]
fn channels_are_scaled_by_all_training_cells_and_gaps_are_their_mean() {
    let text = "bill_1,bill_2,bill_3,bill_4,y\n1,2,3,4,0\n5,6,,8,1\n9,90,900,9000,0\n";
    let table = table(text);
    let layout = found(&table, &SightSpec::default());
    let fitted = fit(&table, &layout, &[0, 1], &Ctx::quiet()).unwrap();
    // numpy: a = np.array([1,2,3,4,5,6,8.]); a.mean(), a.std()
    let of = &fitted.channels[0];
    assert!((of.offset - 4.142_857_142_857_143).abs() < 1e-14, "{of:?}");
    assert!((of.scale - 2.231_499_907_401_901).abs() < 1e-14, "{of:?}");
    let tensor = fitted.tensor(&table, &[1, 0], &Ctx::quiet()).unwrap();
    assert_eq!((tensor.len(), tensor[2]), (8, 0.0));
    assert!((fitted.unscaled(0, tensor[4]) - 1.0).abs() < 1e-6);
    assert_eq!(fitted.name([0, 2, 0]), "bill_3");
}

#[test]
fn pixels_lie_between_nothing_and_one_row_by_row() {
    let mut names = numbered("p", 0, 25);
    names.push("label".into());
    let table = counted(&names, 16);
    let layout = found(&table, &SightSpec::default());
    let rows: Vec<u32> = (0..12).collect();
    let fitted = fit(&table, &layout, &rows, &Ctx::quiet()).unwrap();
    let tensor = fitted.tensor(&table, &rows, &Ctx::quiet()).unwrap();
    assert!(tensor.iter().all(|v| (0.0..=1.0).contains(v)));
    for (at, cell) in tensor.iter().enumerate() {
        let (row, pixel) = (at / 25, at % 25);
        assert_eq!(*cell, ((row * 7 + pixel * 3) % 17) as f32 / 16.0);
    }
    assert_eq!(fitted.name([1, 2, 0]), "p7");
}

#[test]
fn a_window_holds_the_changes_up_to_its_row_within_its_group() {
    let table = prices();
    let layout = found(&table, &windows("close: return; volume: difference; close", 2));
    assert_eq!(layout.text(), "3 channels x windows of 2 rows");
    let usable = layout.usable(&table).unwrap();
    // Two steps and the row before the first: the third row of each share on.
    assert_eq!(usable, [true, false, false, true, true, true, false, false]);
    let rows = [0, 5];
    let fitted = fit(&table, &layout, &rows, &Ctx::quiet()).unwrap();
    let tensor = fitted.tensor(&table, &rows, &Ctx::quiet()).unwrap();
    let value = |at: usize| fitted.unscaled(at % 3, tensor[at]);
    let expected = [
        // Share B: from 8 to 4 to 5, volumes 50, 60, 70.
        [-0.5, 10.0, 4.0, 0.25, 10.0, 5.0],
        // Share A: the change from the gap to 22 is unknown, so it is the mean of 0.25 and -0.5.
        [-0.125, -10.0, 22.0, -0.5, -10.0, 11.0],
    ];
    for (at, expected) in expected.iter().flatten().enumerate() {
        assert!((value(at) - expected).abs() < 1e-5, "cell {at}: {} {expected}", value(at));
    }
    assert_eq!(fitted.name([0, 0, 0]), "close return 1 row before");
    let refused = fitted.tensor(&table, &[2], &Ctx::quiet()).unwrap_err().to_string();
    assert!(
        refused.contains("the window of row 3 needs 2 earlier rows, and there are 1"),
        "{refused}"
    );
}

#[test]
fn windows_over_prices_are_those_of_pandas() {
    // d = pd.read_csv("us_stocks.csv"); g = d.groupby("ticker")
    // r = g.adj_close.pct_change(); v = np.log(d.volume / g.volume.shift(1))
    // ok = g.cumcount() >= 19; z = lambda c: (c - c[ok].mean()) / c[ok].std(ddof=0)
    // [[z(c)[12153 - 2 * (9 - k)] for c in (r, v, d.high)] for k in range(2)]
    let sample = crate::data::sample("us_stocks").unwrap();
    let table = table(std::str::from_utf8(sample.content).unwrap());
    let spec = SightSpec {
        window: 10,
        stride: 2,
        time: Some("date".into()),
        group: Some("ticker".into()),
        ..spec(InputKind::Windows, "adj_close: return; volume: log_change; high")
    };
    let features = ["adj_close", "volume", "high"].map(str::to_owned);
    let layout = layout(&table, &features, &spec).unwrap();
    let usable = layout.usable(&table).unwrap();
    let rows: Vec<u32> = (0..usable.len() as u32).filter(|r| usable[*r as usize]).collect();
    assert_eq!(rows.len(), 12_059);
    let fitted = fit(&table, &layout, &rows, &Ctx::quiet()).unwrap();
    let expected = [
        (0.000_664_297_709_289_054_8, 0.022_908_231_082_640_108),
        (4.859_381_403_884_887_5e-5, 0.353_494_172_644_822_86),
        (167.609_899_145_866_14, 187.348_974_405_547_07),
    ];
    for (of, (mean, deviation)) in fitted.channels.iter().zip(expected) {
        assert!((of.offset - mean).abs() < 1e-12 * (1.0 + mean), "{of:?}");
        assert!((of.scale - deviation).abs() < 1e-12 * (1.0 + deviation), "{of:?}");
    }
    let tensor = fitted.tensor(&table, &[12_153], &Ctx::quiet()).unwrap();
    let expected =
        [-0.794_830_3, -0.268_330_3, -0.745_079_6, -0.275_083_93, 0.475_208_5, -0.747_641_7];
    for (cell, expected) in tensor.iter().zip(expected) {
        assert!((cell - expected).abs() < 1e-6, "{cell} {expected}");
    }
}

#[test]
fn too_few_rows_for_a_window_are_said_with_their_numbers() {
    let said = error(&prices(), &windows("close: return", 6));
    let expected = "6 steps with a stride of 1 need 7 rows, and the longest of 2 groups of `share` \
                    has 5\nhint: choose a window of 4 or less";
    assert!(said.contains(expected), "{said}");
    let wide = SightSpec { stride: 2, ..windows("close", 4) };
    assert!(error(&prices(), &wide).contains("hint: choose a window of 3 or less"));
    assert!(layout(&prices(), &["close".into()], &SightSpec { window: 3, ..wide }).is_ok());
    assert!(error(&prices(), &windows("close", 0)).contains("at least one step"));
}

#[test]
fn windows_are_found_where_each_moment_comes_once_and_shout_when_drawn_at_random() {
    let daily = table("day,close,y\n2024-01-01,1,0\n2024-01-02,2,1\n2024-01-03,3,0\n");
    let spec = SightSpec { window: 2, ..SightSpec::default() };
    let layout = found(&daily, &spec);
    assert_eq!((layout.kind, layout.shape()), (InputKind::Windows, [1, 2, 1]));
    assert!(layout.warning(Method::Random).unwrap().contains("look into the future"));
    assert_eq!(layout.warning(Method::Time), None);
    let loans = table("day,amount,y\n2024-01-01,1,0\n2024-01-01,2,1\n2024-01-03,3,0\n");
    assert_eq!(found(&loans, &spec).kind, InputKind::Table);
}

#[test]
fn a_table_without_the_columns_is_refused_by_name() {
    let table = cards();
    let layout = found(&table, &SightSpec::default());
    let fitted = fit(&table, &layout, &[0, 1, 2], &Ctx::quiet()).unwrap();
    let other = counted(&numbered("BILL_AMT", 1, 5), 9);
    let said = fitted.tensor(&other, &[0], &Ctx::quiet()).unwrap_err().to_string();
    assert!(said.contains("`PAY_0`") && said.contains("`BILL_AMT6`"), "{said}");
    assert!(matches!(fit(&table, &layout, &[], &Ctx::quiet()), Err(Error::NoRows)));
}

#[test]
fn codes_for_missing_are_remembered_from_training() {
    let text = "bill_1,bill_2,bill_3,bill_4,y\n1,2,3,4,0\n5,6,-9,8,1\n";
    let mut special = table(text);
    special.columns[2].special = vec!["-9".into()];
    let layout = found(&special, &SightSpec::default());
    let fitted = fit(&special, &layout, &[0, 1], &Ctx::quiet()).unwrap();
    assert_eq!(fitted.special, [("bill_3".to_owned(), vec!["-9".to_owned()])]);
    let tensor = fitted.tensor(&table(text), &[1], &Ctx::quiet()).unwrap();
    assert_eq!(tensor[2], 0.0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Whatever stands after a row in time, its tensor is the same bit for bit.
    #[test]
    fn a_window_never_sees_a_later_row(
        days in prop::collection::vec((0_u32..60, 0_u32..3, 1_u32..500), 12..40),
        window in 1_usize..4,
        stride in 1_usize..3,
    ) {
        let line = |(day, group, value): &(u32, u32, u32)| format!("g{group},{day},{value},0");
        let lines: Vec<String> = days.iter().map(line).collect();
        let text = |n: usize| table(&format!("share,day,close,y\n{}\n", lines[..n].join("\n")));
        let spec = SightSpec {
            stride,
            statics: "none".into(),
            ..windows("close: return; close: log_change; close", window)
        };
        let all = text(lines.len());
        let Ok(layout) = layout(&all, &["close".into()], &spec) else { return Ok(()) };
        let usable = layout.usable(&all).unwrap();
        let rows: Vec<u32> = (0..usable.len() as u32).filter(|r| usable[*r as usize]).collect();
        let fitted = fit(&all, &layout, &rows, &Ctx::quiet()).unwrap();
        for row in rows {
            let full = fitted.tensor(&all, &[row], &Ctx::quiet()).unwrap();
            // Rows of a later day are gone, and so are later lines of the same day.
            let is_past = |at: &u32| {
                (days[*at as usize].0, *at) <= (days[row as usize].0, row)
            };
            let past: Vec<u32> = (0..lines.len() as u32).filter(is_past).collect();
            let place = past.iter().position(|at| *at == row).unwrap() as u32;
            let cut = all.take(&past).unwrap();
            let cut = fitted.tensor(&cut, &[place], &Ctx::quiet()).unwrap();
            let bits = |tensor: &[f32]| tensor.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            prop_assert_eq!(bits(&full), bits(&cut));
        }
    }
}

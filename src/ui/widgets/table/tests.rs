//! Tables on small buffers, looked at as text.

use proptest::prelude::*;

use super::*;

const NAMES: [&str; 5] = ["checking_status", "duration", "表の名前", "purpose", "a\u{1b}[31mb"];

fn columns() -> Vec<Column> {
    vec![
        Column::left("column"),
        Column::left("kind").priority(1),
        Column::right("missing").priority(2),
        Column::right("AUC"),
    ]
}

#[expect(clippy::unnecessary_wraps, reason = "tables ask for rows that may not be there")]
fn row(i: usize) -> Option<Vec<Cell>> {
    let name = NAMES[i % NAMES.len()];
    Some(vec![name.into(), "number".into(), Cell::from((i * 1000).to_string()), "0.71".into()])
}

fn table(columns: &[Column], rows: usize) -> DataTable<'_> {
    DataTable {
        columns,
        rows: Some(rows),
        row: &row,
        focused: true,
        cell_cursor: false,
        frozen: 1,
        footer: true,
        empty: "no rows: press f to change the filter",
    }
}

/// The lines as a terminal shows them: the blank behind a wide character is not one of its own.
fn drawn(table: &DataTable<'_>, width: u16, height: u16, state: &mut TableState) -> Vec<String> {
    let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
    table.render(buf.area, &mut buf, &Theme::default(), state);
    let mut lines = Vec::new();
    for cells in buf.content.chunks(usize::from(width.max(1))) {
        let mut line = String::new();
        let mut skip = 0;
        for cell in cells {
            if skip > 0 {
                skip -= 1;
                continue;
            }
            line.push_str(cell.symbol());
            skip = text::width(cell.symbol()).saturating_sub(1);
        }
        lines.push(line);
    }
    lines
}

#[test]
fn columns_line_up_whatever_is_in_them() {
    let columns = columns();
    let mut state = TableState { selected: 1, ..TableState::default() };
    let lines = drawn(&table(&columns, 5), 44, 6, &mut state);
    assert_eq!(
        lines,
        [
            " column           kind    missing   AUC     ",
            " checking_status  number        0  0.71     ",
            "▸duration         number     1000  0.71     ",
            " 表の名前         number     2000  0.71     ",
            " purpose          number     3000  0.71     ",
            " a·[31mb          number     4000  0.71     ",
        ]
    );
}

#[test]
fn narrow_terminals_lose_words_first_and_then_columns() {
    let columns = columns();
    let lines = drawn(&table(&columns, 5), 36, 6, &mut TableState::default());
    assert!(lines[0].contains("kind    missing   AUC"), "{lines:#?}");
    assert!(lines[1].starts_with("▸checking_st…  number "), "{lines:#?}");
    let lines = drawn(&table(&columns, 5), 30, 6, &mut TableState::default());
    assert!(!lines[0].contains("missing") && lines[0].contains("kind"), "{lines:#?}");
    let lines = drawn(&table(&columns, 5), 31, 6, &mut TableState::default());
    assert!(lines[0].ends_with('…'), "columns went without a sign: {lines:#?}");
    let lines = drawn(&table(&columns, 5), 20, 6, &mut TableState::default());
    assert_eq!(lines[1], "▸checking_sta…  0.71");
}

#[test]
fn the_choice_stays_in_view_and_the_footer_says_where_it_is() {
    let columns = columns();
    let table = table(&columns, 2100);
    let mut state = TableState::default();
    drawn(&table, 50, 12, &mut state);
    assert_eq!(state.page, 10);
    state.move_pages(1);
    state.move_by(3);
    let lines = drawn(&table, 50, 12, &mut state);
    assert!(lines[10].starts_with('▸') && state.offset == 3, "{lines:#?}");
    assert!(lines[11].starts_with(" … 2,087 more") && lines[11].ends_with("row 13 of 2,100"));
    state.move_by(isize::MAX);
    drawn(&table, 50, 12, &mut state);
    assert_eq!((state.selected, state.offset), (2099, 2090));
}

#[test]
fn an_empty_table_says_what_to_do() {
    let columns = columns();
    let lines = drawn(&table(&columns, 0), 50, 4, &mut TableState::default());
    assert!(lines[1].starts_with("no rows: press f"), "{lines:#?}");
}

#[test]
fn the_cursor_pulls_columns_into_view_and_frozen_ones_stay() {
    let columns: Vec<Column> = std::iter::once(Column::left("id"))
        .chain((1..30).map(|i| Column::right(format!("column {i}"))))
        .collect();
    let row = |_: usize| Some((0..30).map(|i| Cell::from(format!("{i}"))).collect());
    let table = DataTable { row: &row, cell_cursor: true, ..table(&columns, 3) };
    let mut state = TableState::default();
    for _ in 0..12 {
        state.move_columns(1, columns.len());
    }
    let lines = drawn(&table, 50, 4, &mut state);
    assert!(lines[0].starts_with(" id") && lines[0].contains("column 12"), "{lines:#?}");
    for _ in 0..12 {
        state.move_columns(-1, columns.len());
    }
    let lines = drawn(&table, 50, 4, &mut state);
    assert!(lines[0].starts_with(" id  column 1  column 2"), "{lines:#?}");
}

proptest! {
    #[test]
    fn no_area_and_no_state_make_it_panic(
        width in 0u16..60,
        height in 0u16..12,
        rows in 0usize..40,
        selected in 0usize..60,
        column in 0usize..9,
        cell_cursor: bool,
        frozen in 0usize..6,
    ) {
        let columns = columns();
        let table = DataTable { cell_cursor, frozen, ..table(&columns, rows) };
        let mut state = TableState { selected, column, first_column: column, ..TableState::default() };
        for _ in 0..2 {
            let lines = drawn(&table, width, height, &mut state);
            prop_assert!(lines.iter().all(|line| text::width(line) == usize::from(width)), "{lines:#?}");
        }
    }
}

#[test]
fn a_drawing_can_be_read_in_the_chosen_row() {
    use crate::ui::theme::{Glyphs, Tier};
    let columns = [Column::left("column"), Column::left("bar").drawn()];
    let row = |_: usize| Some(vec![Cell::from("age"), Cell::new("███", Role::Good)]);
    for tier in [Tier::None, Tier::Ansi16] {
        let theme = Theme::new(tier, Glyphs::Braille);
        let mut buf = Buffer::empty(Rect::new(0, 0, 30, 3));
        let table = DataTable { row: &row, frozen: 0, footer: false, ..table(&columns, 1) };
        table.render(buf.area, &mut buf, &theme, &mut TableState::default());
        let bar = buf.content.iter().find(|cell| cell.symbol() == "█").expect("a bar");
        // On a ground of its own it has the look of the choice, and is never turned inside out.
        let role = if tier == Tier::None { Role::Good } else { Role::Selected };
        let look = Style::reset().patch(theme.style(role));
        let (fg, bg) = (look.fg.unwrap_or_default(), look.bg.unwrap_or_default());
        assert_eq!((bar.fg, bar.bg), (fg, bg), "{tier:?}");
        assert!(!bar.modifier.contains(ratatui::style::Modifier::REVERSED), "{tier:?}");
    }
    // Where there is no drawing the choice has no hole.
    let theme = Theme::new(Tier::Ansi16, Glyphs::Braille);
    let row = |_: usize| Some(vec![Cell::from("age"), Cell::new("", Role::Text)]);
    let mut buf = Buffer::empty(Rect::new(0, 0, 12, 3));
    let table = DataTable { row: &row, frozen: 0, footer: false, ..table(&columns, 1) };
    table.render(buf.area, &mut buf, &theme, &mut TableState::default());
    let chosen = |at: u16| buf[(at, 1)].bg;
    assert!((1..12).all(|at| chosen(at) == chosen(0)), "{buf:?}");
}

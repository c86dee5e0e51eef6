//! The screen, driven by real keys without a terminal.

use std::{fmt::Write, time::Duration};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use karat::rng::{Seed, stream};
use karat::ui::app::Overlay;
use karat::ui::demo::SCRIPTS;
use karat::ui::rehearsal::Rehearsal;
use karat::ui::theme::{Glyphs, Theme, Tier};
use ratatui::style::{Color, Modifier};

fn stage(width: u16, height: u16) -> (tempfile::TempDir, Rehearsal) {
    let folder = tempfile::tempdir().unwrap();
    let stage = Rehearsal::new(folder.path(), width, height);
    (folder, stage)
}

#[track_caller]
fn sees(stage: &Rehearsal, text: &str) {
    let screen = stage.text();
    assert!(screen.contains(text), "`{text}` is not on the screen:\n{screen}");
}

#[test]
fn every_demo_plays_to_its_end_at_both_sizes() {
    for script in SCRIPTS {
        for (width, height) in [(80, 24), (120, 36)] {
            let (_folder, mut stage) = stage(width, height);
            stage.play(script);
        }
    }
}

#[test]
fn the_linear_regression_demo_shows_the_number_that_scikit_learn_gives() {
    let (_folder, mut stage) = stage(120, 36);
    stage.open("sample:credit_data");
    for line in ["split method=sklearn", "model linear"] {
        stage.press(":");
        stage.type_text(line);
        stage.press("Enter");
    }
    stage.press("t 4");
    sees(&stage, "0.154465");
    let run = stage.app.shown().unwrap();
    let mse = run.test.as_ref().unwrap()["mse"].value.unwrap();
    assert!((mse - 0.154_465_311_346_968_42).abs() < 1e-9, "{mse}");
}

#[test]
fn all_four_panes_are_in_sight_from_120_by_36() {
    let (_folder, mut stage) = stage(120, 36);
    stage.open("sample:german_credit");
    for pane in ["1 Data", "2 Model", "3 Training", "4 Evaluation"] {
        sees(&stage, pane);
    }
    sees(&stage, "credit_risk = bad");
    sees(&stage, "protected ◆");
}

#[test]
fn one_key_trains_once_the_target_is_accepted() {
    let (_folder, mut stage) = stage(80, 24);
    stage.open("sample:german_credit");
    stage.press("t");
    sees(&stage, "run r0001 logistic");
    stage.press("4");
    sees(&stage, "AUC");
    sees(&stage, "threshold 0.50");
    stage.press("Right Right");
    sees(&stage, "threshold 0.52");
    stage.press("u");
    assert!(stage.app.workspace.now.thresholds.is_empty(), "one undo takes a held key back");
}

#[test]
fn a_confusion_cell_opens_the_rows_behind_it() {
    let (_folder, mut stage) = stage(120, 36);
    stage.open("sample:german_credit");
    stage.press("t 4 Down Down Enter");
    sees(&stage, "actual bad, called good at 0.50");
    stage.press("Esc");
    sees(&stage, "2 Model");
}

#[test]
fn two_runs_are_compared_with_intervals_and_a_sentence() {
    let (_folder, mut stage) = stage(120, 36);
    stage.open("sample:german_credit");
    stage.press("A C");
    sees(&stage, "Leaderboard by AUC");
    sees(&stage, "yardstick");
    sees(&stage, "DeLong");
}

#[test]
fn the_model_form_refuses_what_cannot_be_and_says_why() {
    let (_folder, mut stage) = stage(120, 36);
    stage.open("sample:german_credit");
    for (line, said) in [
        ("set alhpa=1", "did you mean `alpha`?"),
        ("set alpha=-1", "alpha"),
        ("model logistc", "did you mean `logistic`?"),
        ("target credit_rsk", "did you mean `credit_risk`?"),
        ("split test=7", "a share from 0 to 0.9"),
        ("open nowhere.csv", "no file `nowhere.csv`"),
        ("compute x = nonsense_column + 1", "nonsense_column"),
    ] {
        stage.press(":");
        stage.type_text(line);
        stage.press("Enter");
        let message = stage.app.message.clone().unwrap();
        let text = format!("{} {}", message.text, message.hint);
        assert!(text.contains(said), "`{line}` said `{text}`, not `{said}`");
    }
    stage.press("t");
    sees(&stage, "run r0001");
}

#[test]
fn what_was_changed_can_be_taken_back_and_brought_back() {
    let (_folder, mut stage) = stage(120, 36);
    stage.open("sample:german_credit");
    stage.press(":");
    stage.type_text("compute rate = credit_amount / duration_months");
    stage.press("Enter");
    let columns = |s: &Rehearsal| s.app.workspace.now.table.as_ref().unwrap().n_columns();
    assert_eq!(columns(&stage), 22);
    stage.press("u");
    assert_eq!(columns(&stage), 21);
    stage.press("ctrl-r");
    assert_eq!(columns(&stage), 22);
}

#[test]
fn a_session_is_taken_up_where_it_was_left() {
    let folder = tempfile::tempdir().unwrap();
    let mut stage = Rehearsal::new(folder.path(), 120, 36);
    stage.open("sample:german_credit");
    stage.press("t 2");
    let session = stage.app.workspace.session(stage.app.screen_state());
    let mut again = Rehearsal::new(folder.path(), 120, 36);
    again.app.gallery.session = Some(session);
    again.press("Home Enter");
    sees(&again, "german_credit");
    sees(&again, "r0001");
    assert_eq!(again.app.focus, karat::ui::app::Pane::Model);
}

#[test]
fn without_colours_nothing_is_coloured_and_the_choice_still_shows() {
    let (_folder, mut stage) = stage(120, 36);
    stage.app.theme = Theme::new(Tier::None, Glyphs::Ascii);
    stage.open("sample:german_credit");
    stage.press("t 1");
    let buffer = stage.buffer();
    for cell in &buffer.content {
        assert_eq!((cell.fg, cell.bg), (Color::Reset, Color::Reset));
        assert!(cell.symbol().is_ascii(), "`{}` is no ASCII", cell.symbol());
    }
    let reversed =
        buffer.content.iter().filter(|c| c.modifier.contains(Modifier::REVERSED)).count();
    assert!(reversed > 5, "the chosen row is not to be told from the others");
}

#[test]
fn a_screen_too_small_says_so_in_one_line() {
    let (_folder, mut stage) = stage(39, 11);
    sees(&stage, "karat needs 40 × 12");
    stage.resize(1, 1);
    stage.resize(40, 12);
    sees(&stage, "karat");
}

#[test]
fn ten_thousand_random_keys_and_resizes_do_no_harm() {
    const KEYS: &[KeyCode] = &[
        KeyCode::Up,
        KeyCode::Down,
        KeyCode::Left,
        KeyCode::Right,
        KeyCode::PageUp,
        KeyCode::PageDown,
        KeyCode::Home,
        KeyCode::End,
        KeyCode::Enter,
        KeyCode::Esc,
        KeyCode::Tab,
        KeyCode::BackTab,
        KeyCode::Backspace,
        KeyCode::Delete,
    ];
    let (_folder, mut stage) = stage(120, 36);
    stage.open("sample:diabetes");
    let mut rng = stream(Seed(7), "keys");
    for pressed in 0..10_000 {
        if pressed % 50 == 49 {
            let (width, height) = (1 + rng.below(210) as u16, 1 + rng.below(60) as u16);
            stage.resize(width, height);
        }
        let code = if rng.below(3) == 0 {
            KEYS[rng.below(KEYS.len())]
        } else {
            KeyCode::Char((b' ' + rng.below(95) as u8) as char)
        };
        // Two keys write files into the current folder, which is the project's here.
        let typing = matches!(
            stage.app.overlays.last(),
            Some(Overlay::Prompt { .. } | Overlay::Palette { .. })
        );
        if !typing && matches!(code, KeyCode::Char('e' | 'S'))
            || (typing && code == KeyCode::Enter && rng.below(4) != 0)
        {
            continue;
        }
        let modifiers = if rng.below(20) == 0 { KeyModifiers::CONTROL } else { KeyModifiers::NONE };
        stage.key(KeyEvent::new(code, modifiers));
        // Some keys train networks for minutes, or let a training rest.
        if pressed % 25 == 24 {
            stage.settle_within(Duration::from_millis(100));
        }
        assert!(stage.app.overlays.len() < 10, "overlays pile up");
    }
    stage.settle_within(Duration::ZERO);
    assert!(!stage.text().is_empty());
}

#[test]
fn a_saved_log_is_replayed_line_by_line() {
    let (folder, mut stage) = stage(120, 36);
    let log = folder.path().join("log.txt");
    let lines = "# a remark\nopen sample:german_credit\nmodel ridge\nset alpha=10\ntrain\ntarget credit_risk\n";
    karat::files::write(&log, lines.as_bytes()).unwrap();
    stage.press(":");
    stage.type_text(&format!("replay {}", log.display()));
    stage.press("Enter");
    assert_eq!(stage.app.shown().unwrap().model.kind, "ridge");
    let typed: Vec<&str> = stage.app.workspace.log.iter().map(|e| e.line.as_str()).collect();
    assert!(typed.contains(&"set alpha=10") && typed.contains(&"target credit_risk"), "{typed:?}");
}

#[test]
fn a_smaller_table_does_not_leave_a_cursor_behind() {
    let (_folder, mut stage) = stage(120, 36);
    stage.open("sample:credit_data");
    stage.press("[ G Right*20");
    stage.open("sample:german_credit");
    stage.press("[ Enter");
    sees(&stage, "correlation");
}

#[test]
fn a_log_cannot_replay_itself() {
    let (folder, mut stage) = stage(120, 36);
    let log = folder.path().join("log.txt");
    let line = format!("replay {}", log.display());
    karat::files::write(&log, line.as_bytes()).unwrap();
    stage.press(":");
    stage.type_text(&line);
    stage.press("Enter");
    assert!(stage.app.message.as_ref().unwrap().text.contains("replays a log"));
}

#[test]
fn a_session_keeps_thresholds_yardstick_and_view() {
    let folder = tempfile::tempdir().unwrap();
    let mut stage = Rehearsal::new(folder.path(), 120, 36);
    stage.open("sample:german_credit");
    stage.press("t 4 Right*3");
    for line in ["yardstick r0001", "sort -age_years", "hide housing"] {
        stage.press(":");
        stage.type_text(line);
        stage.press("Enter");
    }
    let session = stage.app.workspace.session(stage.app.screen_state());
    let mut again = Rehearsal::new(folder.path(), 120, 36);
    again.app.gallery.session = Some(session.clone());
    again.press("Home Enter");
    let back = again.app.workspace.session(again.app.screen_state());
    assert_eq!(back.thresholds, session.thresholds);
    assert_eq!(back.yardstick, session.yardstick);
    assert_eq!(back.view, session.view);
}

#[test]
fn undo_goes_back_one_setting_at_a_time_and_is_in_the_log() {
    let (_folder, mut stage) = stage(120, 36);
    stage.open("sample:german_credit");
    let set = |stage: &mut Rehearsal, line: &str| {
        stage.press(":");
        stage.type_text(line);
        stage.press("Enter");
    };
    let alpha =
        |stage: &Rehearsal| stage.app.workspace.now.experiment.model.set.get("alpha").cloned();
    set(&mut stage, "set alpha=2");
    stage.press("u");
    set(&mut stage, "set alpha=3");
    stage.press("u");
    assert_eq!(alpha(&stage), None);
    stage.press("ctrl-r");
    assert_eq!(alpha(&stage).as_deref(), Some("3"));
    let lines: Vec<&str> = stage.app.workspace.log.iter().map(|e| e.line.as_str()).collect();
    assert_eq!(lines[1..], ["set alpha=2", "undo", "set alpha=3", "undo", "redo"]);
}

#[test]
fn a_wrong_filter_is_refused_and_changes_nothing() {
    let (_folder, mut stage) = stage(120, 36);
    stage.open("sample:german_credit");
    stage.press("] f");
    stage.type_text("nonsense > 1");
    stage.press("Enter");
    sees(&stage, "nonsense");
    assert!(matches!(stage.app.overlays.last(), Some(Overlay::Prompt { error: Some(_), .. })));
    assert_eq!(stage.app.workspace.now.view.filter, None);
}

#[test]
fn a_search_goes_from_match_to_match() {
    let (_folder, mut stage) = stage(120, 36);
    stage.open("sample:german_credit");
    stage.press("] /");
    stage.type_text("no checking account");
    stage.press("Enter");
    let first = stage.app.data.row;
    assert_eq!(first, 2, "row 3 is the first without an account");
    stage.press("n");
    assert_eq!(stage.app.data.row, 5, "row 6 is the next one");
    stage.press("N");
    assert_eq!(stage.app.data.row, first);
}

#[test]
fn a_column_that_is_gone_takes_its_settings_with_it() {
    let (_folder, mut stage) = stage(120, 36);
    stage.open("sample:german_credit");
    for line in [
        "role foreign_worker=ignored",
        "sql SELECT age_years, credit_amount, credit_risk FROM data",
    ] {
        stage.press(":");
        stage.type_text(line);
        stage.press("Enter");
    }
    assert_eq!(stage.app.workspace.now.table.as_ref().unwrap().n_columns(), 3);
}

#[test]
fn several_classes_are_looked_at_down_to_their_rows() {
    for (width, height) in [(80, 24), (120, 36), (200, 50)] {
        let (folder, mut stage) = stage(width, height);
        let mut text = String::from("height,width,kind\n");
        for i in 0..120_u32 {
            let kind = ["fern", "moss", "oak"][(i % 3) as usize];
            writeln!(text, "{},{},{kind}", 10 * (i % 3) + i * 7 % 17, 5 + i * 11 % 17).unwrap();
        }
        let path = folder.path().join("plants.csv");
        karat::files::write(&path, text.as_bytes()).unwrap();
        stage.open(path.to_str().unwrap());
        stage.press("A 4 z");
        sees(&stage, "Accuracy");
        sees(&stage, "baseline 0.3");
        stage.press("] m");
        sees(&stage, "F1 ↑");
        stage.press("Enter");
        sees(&stage, "largest loss first");
        sees(&stage, "P(actual)");
        stage.press("Esc ] j Right Right Left");
        sees(&stage, "actual moss, called moss");
        stage.press("Enter");
        sees(&stage, "actual moss, called moss");
        stage.press("Esc ]");
        sees(&stage, "P(called)");
        let Some(worst) = stage.app.shown().and_then(|run| stage.app.assessment(run)) else {
            panic!("nothing is shown")
        };
        let first = worst.several.as_ref().unwrap().worst[0].0;
        stage.press("Enter");
        let Some(Overlay::Rows(view)) = stage.app.overlays.last() else { panic!("no rows") };
        let run = stage.app.shown().unwrap();
        let source = run.test_scores.as_ref().unwrap().rows[first];
        assert_eq!(view.table.row_number(view.rows[0].position as usize), Some(source));
        stage.press("Esc C");
        sees(&stage, "McNemar");
    }
}

//! The Training pane, driven by real keys while real models train.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use karat::nn::spec::Shape;
use karat::ui::app::{NetworkEditor, Overlay, Purpose};
use karat::ui::rehearsal::Rehearsal;

fn stage(width: u16, height: u16, settings: &[&str]) -> (tempfile::TempDir, Rehearsal) {
    let folder = tempfile::tempdir().unwrap();
    let mut stage = Rehearsal::new(folder.path(), width, height);
    stage.open("sample:german_credit");
    for setting in settings {
        stage.press(":");
        stage.type_text(setting);
        stage.press("Enter");
    }
    (folder, stage)
}

#[track_caller]
fn sees(stage: &Rehearsal, text: &str) {
    let screen = stage.text();
    assert!(screen.contains(text), "`{text}` is not on the screen:\n{screen}");
}

/// Presses a key and does not wait for what runs.
fn key(stage: &mut Rehearsal, c: char) {
    stage.key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE));
}

const ENDLESS: &[&str] = &["set solver=sgd", "set epochs=100000", "set tol=1e-15"];

#[test]
fn a_training_rests_goes_on_and_ends_early_with_a_run_to_keep() {
    let (_folder, mut stage) = stage(120, 36, ENDLESS);
    for c in ['3', 't', 'p'] {
        key(&mut stage, c);
    }
    sees(&stage, "▌▌ paused");
    sees(&stage, "p lets it go on");
    key(&mut stage, 'p');
    sees(&stage, "logistic goes on");
    key(&mut stage, 'F');
    sees(&stage, "finishing");
    stage.settle();
    let run = stage.app.shown().expect("a run was kept");
    assert!(run.iterations < 100_000 && !run.history.is_empty(), "{}", run.iterations);
    assert!(stage.app.jobs.is_idle());
}

#[test]
fn a_paused_training_can_be_cancelled_and_leaves_no_run() {
    let (_folder, mut stage) = stage(80, 24, ENDLESS);
    for c in ['3', 't', 'p', 'x'] {
        key(&mut stage, c);
    }
    sees(&stage, "cancelling");
    stage.settle();
    assert!(stage.app.shown().is_none());
    sees(&stage, "was cancelled");
}

#[test]
fn folds_do_not_end_early() {
    let (_folder, mut stage) = stage(80, 24, ENDLESS);
    for c in ['3', 'v', 'F'] {
        key(&mut stage, c);
    }
    sees(&stage, "folds cannot end early");
    key(&mut stage, 'x');
    stage.settle();
    for (c, said) in [('p', "nothing is training"), ('F', "nothing is training")] {
        key(&mut stage, c);
        sees(&stage, said);
    }
}

#[test]
fn the_curve_is_read_smoothed_and_zoomed_by_keys() {
    let settings = ["set solver=gd", "set epochs=400", "split valid=0.2"];
    let (_folder, mut stage) = stage(120, 36, &settings);
    stage.press("t 3 z ]");
    sees(&stage, "400 epochs in");
    sees(&stage, "★ best");
    sees(&stage, "── train");
    sees(&stage, "╌╌ valid");
    stage.press("h");
    sees(&stage, "◆ at epoch 400");
    stage.press("h");
    sees(&stage, "◆ at epoch 399");
    stage.press("H");
    sees(&stage, "◆ at epoch 359");
    stage.press("+");
    sees(&stage, "loss 200…400");
    stage.press("a s");
    sees(&stage, "loss log smoothed 0.6 200…400");
    stage.press("0 m");
    sees(&stage, "gradient norm log smoothed 0.6");
    stage.press("m a s s s Esc");
    let chart = &stage.app.training.chart;
    assert_eq!((chart.log, chart.smooth(), chart.range, chart.cursor), (false, None, None, None));
    stage.press("]");
    sees(&stage, "This model has no layers");
}

#[test]
fn a_marked_run_lies_over_the_chosen_one_with_its_own_sign() {
    let settings = ["set solver=gd", "set epochs=300", "split valid=0.2"];
    let (_folder, mut stage) = stage(120, 36, &settings);
    stage.press("t :");
    stage.type_text("set learning_rate=0.02");
    stage.press("Enter t 3 Down Space Up");
    sees(&stage, "─■ r0001");
    sees(&stage, "■ r0001");
    let screen = stage.text();
    assert!(screen.matches('■').count() > 3, "the sign stands along the curve:\n{screen}");
    stage.press("Down Space");
    assert!(!stage.text().contains('■'));
}

#[test]
fn a_network_is_edited_layer_by_layer_and_checked_while_one_types() {
    let (_folder, mut stage) = stage(120, 36, &[]);
    let purpose = Purpose {
        input: Shape::series(24, 1),
        n_static: 0,
        n_out: 2,
        n_rows: 800,
        batch_size: 32,
        flops: 1e11,
    };
    let text = "conv 8x3 bn relu | gap | dense out";
    let editor = NetworkEditor::new("network", text, purpose).unwrap();
    stage.app.overlays.push(Overlay::Network(Box::new(editor)));
    stage.press("Down o");
    stage.type_text("maxpool 2 cnov");
    sees(&stage, "at character 11: `cnov` is no layer");
    sees(&stage, "did you mean `conv`?");
    stage.press("Backspace*5");
    sees(&stage, "58 weights");
    stage.press("Enter");
    sees(&stage, "12 × 8");
    sees(&stage, "✓ the shapes fit");
    stage.press("K K o");
    stage.type_text("conv 4x30");
    stage.press("Enter");
    sees(&stage, "✗ layer 2: the kernel of `conv 4x30` spans 30 and gets 12");
    stage.press("s");
    sees(&stage, "make the kernel shorter");
    stage.press("u Esc");
    sees(&stage, "Leave the network as it was?");
    stage.press("n u u u Esc");
    assert!(stage.app.overlays.is_empty(), "nothing was changed in the end");
}

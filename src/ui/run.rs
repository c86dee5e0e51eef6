//! The loop: take in what happened, carry out what follows, draw once, and only if something
//! changed.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::jobs::{JobId, News};
use crate::ui::app::{App, Effect};
use crate::ui::demo::Player;
use crate::ui::desk::{Desk, Heard};
use crate::ui::term::{self, Event, Signal, Term};
use crate::ui::view::{self, ViewState};

/// Progress alone is drawn at most this often.
const FRAME: Duration = Duration::from_millis(250);

/// How long after the latest change the session is written.
const REST: Duration = Duration::from_millis(800);

/// What the loop holds beside the state of the screen.
pub struct Stage<'a> {
    /// The terminal.
    pub term: Term,
    /// Where jobs run.
    pub desk: Desk,
    /// What reaches the loop.
    pub line: &'a Receiver<Heard>,
    /// The demo that presses the keys, if one plays.
    pub player: Option<Player>,
}

/// Runs the screen until it is left.
pub fn run(app: &mut App, stage: &mut Stage<'_>, first: Vec<Effect>) -> anyhow::Result<()> {
    let mut logged = 0;
    let outcome = go_on(app, stage, first, &mut logged);
    // Also when the terminal was lost on the way.
    save(app, &mut logged, true);
    outcome
}

fn go_on(
    app: &mut App,
    stage: &mut Stage<'_>,
    first: Vec<Effect>,
    logged: &mut usize,
) -> anyhow::Result<()> {
    let begun = Instant::now();
    let mut state = ViewState::default();
    let mut quit = carry_out(app, stage, first)?;
    let mut drawn = Instant::now();
    let mut dirty = true;
    // Jobs that have something to tell, for which there is time once a frame is due.
    let mut fresh: Vec<JobId> = Vec::new();
    let mut unsaved: Option<Instant> = None;
    while !quit {
        if dirty || (!fresh.is_empty() && drawn.elapsed() >= FRAME) {
            for id in fresh.drain(..) {
                app.jobs.catch_up(id, stage.desk.take(id));
            }
            stage.term.draw(|frame| view::draw(app, &mut state, frame))?;
            (app.page, app.scroll_end) = (state.page, state.scroll_end);
            drawn = Instant::now();
            dirty = false;
        }
        let waits = [
            (!fresh.is_empty()).then(|| FRAME.saturating_sub(drawn.elapsed())),
            unsaved.map(|since| REST.saturating_sub(since.elapsed())),
            stage.player.as_ref().and_then(|p| p.wait(app, begun.elapsed())),
        ];
        let heard = match waits.into_iter().flatten().min() {
            None => stage.line.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(wait) => stage.line.recv_timeout(wait),
        };
        tick(app, begun);
        match heard {
            // Everything that has piled up is taken in before the next frame, so that neither a
            // held key nor a chatty job makes the screen lag behind.
            Ok(heard) => {
                for heard in std::iter::once(heard).chain(stage.line.try_iter().collect::<Vec<_>>())
                {
                    let before = app.workspace.log.len();
                    match take_in(app, stage, heard)? {
                        Took::Progress(id) => fresh.push(id),
                        Took::Change => dirty = true,
                        Took::Nothing => {}
                        Took::Quit => quit = true,
                    }
                    if app.workspace.log.len() != before || dirty {
                        unsaved = unsaved.or(Some(Instant::now()));
                    }
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        let play = stage.player.as_mut().and_then(|player| player.next(app, begun.elapsed()));
        if let Some(played) = play {
            dirty = true;
            match played {
                crate::ui::demo::Played::Key(key) => {
                    let effects = app.press(key);
                    quit |= carry_out(app, stage, effects)?;
                }
                crate::ui::demo::Played::Changed => {}
                crate::ui::demo::Played::Over => {
                    stage.player = None;
                    app.caption = None;
                    app.say("the tour is over: the keyboard is yours, q leaves");
                }
            }
        }
        if unsaved.is_some_and(|since| since.elapsed() >= REST) {
            unsaved = None;
            save(app, logged, false);
        }
    }
    Ok(())
}

/// What taking something in led to.
enum Took {
    Progress(JobId),
    Change,
    Nothing,
    Quit,
}

fn take_in(app: &mut App, stage: &mut Stage<'_>, heard: Heard) -> anyhow::Result<Took> {
    let effects = match heard {
        Heard::Fresh(id) => return Ok(Took::Progress(id)),
        Heard::Ended(id, outcome) => {
            app.jobs.catch_up(id, stage.desk.last_words(id));
            app.hear(id, News::Ended(outcome))
        }
        Heard::Product(id, product) => app.receive(id, *product),
        Heard::Outside(told) => {
            let (changed, effects) = app.hear_outside(told);
            let left = carry_out(app, stage, effects)?;
            return Ok(match (left, changed) {
                (true, _) => Took::Quit,
                (false, true) => Took::Change,
                (false, false) => Took::Nothing,
            });
        }
        Heard::Input(Event::Key(key)) => {
            // While a demo plays, a person's keys steer the player.
            if stage.player.as_mut().is_some_and(|player| player.takes(key)) {
                vec![]
            } else {
                app.press(key)
            }
        }
        Heard::Input(Event::Paste(text)) => {
            app.paste(&text);
            vec![]
        }
        Heard::Input(Event::Resize(width, height)) => {
            stage.term.resize(width, height);
            vec![]
        }
        Heard::Input(Event::Signal(signal)) => match signal {
            Signal::Terminate | Signal::Hangup => return Ok(Took::Quit),
            Signal::Interrupt => app.act(crate::ui::action::Action::Interrupt),
            Signal::Continue => {
                stage.term.retake()?;
                vec![]
            }
        },
    };
    Ok(if carry_out(app, stage, effects)? { Took::Quit } else { Took::Change })
}

/// Does what the screen asks of the world; true to leave.
fn carry_out(app: &mut App, stage: &mut Stage<'_>, effects: Vec<Effect>) -> anyhow::Result<bool> {
    for effect in effects {
        match effect {
            Effect::Start(id, work) => stage.desk.start(id, work),
            Effect::Wish(id, wish) => stage.desk.wish(id, wish),
            Effect::AskServer(dir, after) => stage.desk.ask_server(dir, after),
            Effect::StopServer(dir) => stage.desk.stop_server(dir),
            Effect::Copy(text) => {
                if let Err(error) = stage.term.copy(&text) {
                    let text = match error {
                        term::Error::Io(error) => return Err(error.into()),
                        other => other.to_string(),
                    };
                    app.refuse(&text);
                }
            }
            Effect::Edit(text) => {
                let effects = match edit(&mut stage.term, &text) {
                    Ok(edited) => app.edited(&edited),
                    Err(error) => app.refuse(&error.to_string()),
                };
                if carry_out(app, stage, effects)? {
                    return Ok(true);
                }
            }
            Effect::Suspend => stage.term.suspend()?,
            Effect::Redraw => stage.term.repaint(),
            Effect::Quit => return Ok(true),
        }
    }
    Ok(false)
}

/// Lets a person edit a text in the editor of their choice; the terminal is theirs meanwhile.
fn edit(term: &mut Term, text: &str) -> anyhow::Result<String> {
    let editor = ["VISUAL", "EDITOR"].into_iter().find_map(std::env::var_os);
    let editor = editor.filter(|e| !e.is_empty()).unwrap_or_else(|| "vi".into());
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("experiment.toml");
    crate::files::write(&file, text.as_bytes())?;
    // An editor may be given with options, as in `code --wait`.
    let words = editor.to_string_lossy().into_owned();
    let mut words = words.split_whitespace();
    let program = words.next().unwrap_or("vi").to_owned();
    let status = term
        .with_released(|| std::process::Command::new(&program).args(words).arg(&file).status())?;
    match status {
        Ok(status) if status.success() => Ok(std::fs::read_to_string(&file)?),
        Ok(status) => anyhow::bail!("`{program}` ended with {status}; nothing was changed"),
        Err(error) => anyhow::bail!("cannot start `{program}`: {error}\nhint: set EDITOR"),
    }
}

fn tick(app: &mut App, begun: Instant) {
    app.now = begun.elapsed().as_secs_f64();
    if !app.fixed_clock {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        app.at = since.map_or(0, |d| d.as_secs() as i64);
    }
}

/// Writes session and command log; the last line stays back while it may still be replaced.
fn save(app: &mut App, logged: &mut usize, all: bool) {
    let workspace = &app.workspace;
    if workspace.now.table.is_some() {
        let session = workspace.session(app.screen_state());
        let written = serde_json::to_value(session)
            .map_err(|e| e.to_string())
            .and_then(|json| workspace.registry.save_session(&json).map_err(|e| e.to_string()));
        if let Err(error) = written {
            app.warn(format!("the session cannot be kept: {}", error.replace('\n', " ")));
        }
    }
    let end = app.workspace.log.len() - usize::from(!all && !app.workspace.log.is_empty());
    while *logged < end {
        let entry = &app.workspace.log[*logged];
        let line = serde_json::json!({ "at": entry.at, "line": entry.line }).to_string();
        if let Err(error) = app.workspace.registry.append_history(&line) {
            let text = error.to_string().replace('\n', " ");
            app.warn(format!("the command log cannot be kept: {text}"));
            break;
        }
        *logged += 1;
    }
}

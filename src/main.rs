//! The program: reads its command line, then carries it out or opens the screen.

use std::{
    io::{IsTerminal, Write},
    process::ExitCode,
    thread,
};

use karat::cli::{self, Next, Open};
use karat::data::nearest;
use karat::ui;

fn main() -> ExitCode {
    limit_threads();
    match cli::run(std::env::args_os()) {
        Next::Exit(status) => status.into(),
        Next::Open(open) => show(*open),
    }
}

/// Opens the screen, or says what to do where there is no terminal to open it on.
fn show(open: Open) -> ExitCode {
    let demo = match open.demo.map(demo).transpose() {
        Ok(Some(None)) => return ExitCode::SUCCESS,
        Ok(demo) => demo.flatten(),
        Err(error) => return failed(&error),
    };
    if !(std::io::stdin().is_terminal() && std::io::stdout().is_terminal()) {
        return failed(
            "there is no terminal to open the screen on\n\
             hint: over SSH ask for one with `ssh -t HOST karat`; without one there are \
             `karat profile`, `train`, `compare`, `evaluate` and `score`, and `karat help`",
        );
    }
    let launch = ui::Launch {
        path: open.path,
        options: open.options,
        experiment: open.experiment,
        workspace: open.workspace,
        demo,
    };
    match ui::open(launch) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&karat::jobs::error_text(&*error)),
    }
}

/// The demo to play; without a name the tours are listed and there is none.
fn demo(asked: cli::Demo) -> Result<Option<ui::demo::Demo>, String> {
    let tours = || ui::demo::SCRIPTS.iter();
    let Some(name) = asked.name else {
        let width = tours().map(|tour| tour.name.len()).max().unwrap_or(0);
        let line = |tour: &ui::demo::Script| format!("{:width$}  {}\n", tour.name, tour.about);
        let list: String = tours().map(line).collect();
        // Nobody reads it when the pipe is closed.
        let _ = std::io::stdout().write_all(list.as_bytes());
        return Ok(None);
    };
    if ui::demo::script(&name).is_none() {
        let hint = match nearest(&name, tours().map(|tour| tour.name)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`karat demo` lists them".into(),
        };
        return Err(format!("no demo `{name}`\nhint: {hint}"));
    }
    let cli::Demo { speed, step, keys, record, .. } = asked;
    Ok(Some(ui::demo::Demo { name, speed, step, keys, record }))
}

fn failed(text: &str) -> ExitCode {
    // Without standard error there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "error: {text}");
    ExitCode::FAILURE
}

/// Gives polars as many threads as there are processors for this process, and not for the
/// machine; it asks once, when it is first used.
fn limit_threads() {
    const NAME: &str = "POLARS_MAX_THREADS";
    if std::env::var_os(NAME).is_some() {
        return;
    }
    let n_threads = thread::available_parallelism().map_or(1, usize::from);
    #[expect(unsafe_code, reason = "polars takes the number of its threads from there alone")]
    // SAFETY: the program has a single thread until this returns.
    unsafe {
        std::env::set_var(NAME, n_threads.to_string());
    }
}

//! Linear and logistic fits on 1,000,000 rows beside those of scikit-learn, on the same data.
//!
//! `cargo bench --bench fits` makes the data from a fixed seed, fits it, and has the rival fit the
//! same matrix in a process of its own where `python3` (or `$PYTHON`) knows scikit-learn. Rounds
//! are interleaved, and medians are shown with the peak of memory beyond the matrix.
//! `--rows N` and `--rounds N` change the size.

#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use karat::jobs::Ctx;
use karat::models::linear::{Family, Fit, Params, Problem, fit, score_rows, sigmoid};
use karat::rng::{Rng, Seed, stream};
use ndarray::{Array2, ShapeBuilder};

const COLUMNS: usize = 30;
const RIVAL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/benches/fits_sklearn.py");

/// Seconds, megabytes beyond the matrix, and the mean loss reached.
#[derive(Clone, Copy, Debug)]
struct Measured {
    seconds: f64,
    megabytes: f64,
    loss: f64,
}

struct Data {
    x: Array2<f64>,
    numbers: Vec<f64>,
    classes: Vec<f64>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (n_rows, n_rounds) = (argument("--rows", 1_000_000), argument("--rounds", 5));
    let data = make(n_rows, &mut stream(Seed(42), "bench"));
    let folder = tempfile::tempdir()?;
    write(&folder.path().join("x.bin"), data.x.as_slice_memory_order().unwrap_or_default())?;
    write(&folder.path().join("linear.bin"), &data.numbers)?;
    write(&folder.path().join("logistic.bin"), &data.classes)?;

    println!("{n_rows} x {COLUMNS}, {n_rounds} interleaved rounds, medians");
    for (family, name, limit) in
        [(Family::Linear, "linear", 0.15), (Family::Logistic, "logistic", 0.9)]
    {
        let (mut own, mut rival) = (Vec::new(), Vec::new());
        for _ in 0..n_rounds {
            own.push(measure(&data, family)?);
            rival.extend(measure_rival(folder.path(), name, n_rows));
        }
        let own = median(own);
        show(name, "karat", own);
        if rival.is_empty() {
            println!("{name:9} scikit-learn is not installed for python3, so there is no ratio");
            continue;
        }
        let rival = median(rival);
        show(name, "scikit-learn", rival);
        let (time, memory) = (own.seconds / rival.seconds, own.megabytes / rival.megabytes);
        println!("{name:9} time x {time:.3} (at most {limit}), memory x {memory:.3} (at most 1)");
    }
    Ok(())
}

fn argument(name: &str, default: usize) -> usize {
    let mut arguments = std::env::args().skip_while(|argument| argument != name).skip(1);
    arguments.next().and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// Normal features, a linear target with noise, and classes drawn by the logistic model.
fn make(n_rows: usize, rng: &mut Rng) -> Data {
    let values = (0..n_rows * COLUMNS).map(|_| rng.normal()).collect();
    let x = Array2::from_shape_vec((n_rows, COLUMNS).f(), values).expect("rows times columns");
    let weights: Vec<f64> = (0..COLUMNS).map(|_| rng.normal() * 0.5).collect();
    let scores = score_rows(x.view(), -1.5, &weights);
    let numbers = scores.iter().map(|score| score + 2.0 * rng.normal()).collect();
    let classes = scores.iter().map(|score| f64::from(rng.uniform() < sigmoid(*score))).collect();
    Data { x, numbers, classes }
}

fn measure(data: &Data, family: Family) -> Result<Measured, Box<dyn std::error::Error>> {
    let names: Vec<String> = (1..=COLUMNS).map(|i| format!("x{i}")).collect();
    let logistic = family == Family::Logistic;
    let y = if logistic { &data.classes } else { &data.numbers };
    let problem = Problem { x: data.x.view(), y, weights: None, names: &names };
    // The rival scales nothing.
    let params = Params { standardize: false, ..Params::new(family) };
    let params = params.check().map_err(|errors| errors[0].clone())?;
    forget_peak();
    let before = status("VmRSS:");
    let start = Instant::now();
    let Fit { loss, .. } = fit(&problem, None, &params, &Ctx::quiet())?;
    let seconds = start.elapsed().as_secs_f64();
    Ok(Measured { seconds, megabytes: status("VmHWM:") - before, loss })
}

/// Runs the rival once; `None` where it is not installed.
fn measure_rival(folder: &Path, name: &str, n_rows: usize) -> Option<Measured> {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".into());
    let output = Command::new(python)
        .arg(RIVAL)
        .args([folder.as_os_str(), name.as_ref(), n_rows.to_string().as_ref()])
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let mut numbers = text.split_whitespace().map_while(|number| number.parse().ok());
    let (seconds, megabytes, loss) = (numbers.next()?, numbers.next()?, numbers.next()?);
    Some(Measured { seconds, megabytes, loss })
}

fn median(mut rounds: Vec<Measured>) -> Measured {
    rounds.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
    rounds[rounds.len() / 2]
}

fn show(name: &str, who: &str, measured: Measured) {
    let Measured { seconds, megabytes, loss } = measured;
    println!("{name:9} {who:12} {seconds:7.3} s  {megabytes:6.0} MB  loss {loss:.12}");
}

fn write(path: &Path, values: &[f64]) -> Result<(), Box<dyn std::error::Error>> {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    Ok(karat::files::write(path, &bytes)?)
}

/// Lets the peak of memory start from what is held at the moment (Linux; elsewhere it stays 0).
fn forget_peak() {
    let file = std::fs::OpenOptions::new().write(true).open("/proc/self/clear_refs");
    if let Ok(mut file) = file {
        // The peak is then a little too high, which is the safe side.
        let _ = std::io::Write::write_all(&mut file, b"5");
    }
}

/// A line of /proc/self/status, in megabytes.
fn status(key: &str) -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

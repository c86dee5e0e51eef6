//! Training steps and single predictions of networks beside those of PyTorch, in one run.
//!
//! `cargo bench --bench nets` times a step (forward, backward, SGD) on a batch of 64 and the
//! prediction of one row, on 1 and on 2 threads, and has PyTorch do the same in a process of its
//! own where `python3` (or `$PYTHON`) knows torch. Rounds are interleaved, and medians of their
//! medians are shown with the peak of memory. `--rounds N` and `--only NAME` narrow it down. It
//! also counts what a step allocates.

#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use karat::jobs::Team;
use karat::nn::spec::{NetworkSpec, Shape};
use karat::nn::{Loss, Network, Rows, Rule, Trainer, Training};
use karat::rng::{Seed, stream};

const RIVAL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/benches/nets_torch.py");
const BATCH: usize = 64;

/// A network with its input, its outputs, and the share of the rival's time it may take at most, on
/// 1 and on 2 threads.
struct Case {
    name: &'static str,
    text: &'static str,
    input: Shape,
    n_out: usize,
    n_steps: usize,
    limits: [f64; 2],
}

const IMAGE: Shape = Shape { height: 28, width: 28, channels: 1 };

const CASES: &[Case] = &[
    Case {
        name: "fcn",
        text: "conv 128x8 bn relu | conv 256x5 bn relu | conv 128x3 bn relu | gap | dense out",
        input: Shape { height: 1, width: 150, channels: 1 },
        n_out: 5,
        n_steps: 20,
        limits: [0.8, 0.75],
    },
    Case {
        name: "lenet",
        text: "conv 6x5x5 relu | maxpool 2 | conv 16x5x5 valid relu | maxpool 2 | flatten | \
               dense 120 relu | dense 84 relu | dense out",
        input: IMAGE,
        n_out: 10,
        n_steps: 100,
        limits: [0.5, 0.5],
    },
    Case {
        name: "3x3",
        text: "conv 32x3x3 relu | maxpool 2 | conv 64x3x3 relu | maxpool 2 | flatten | \
               dense 128 relu | dense out",
        input: IMAGE,
        n_out: 10,
        n_steps: 40,
        limits: [0.9, 0.9],
    },
];

/// Counts what is asked of the system's allocator.
struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

#[expect(unsafe_code, reason = "an allocator is unsafe by its nature")]
// SAFETY: everything is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static GLOBAL: Counting = Counting;

/// Milliseconds of a step and of one row, and megabytes at most.
#[derive(Clone, Copy)]
struct Measured {
    step: f64,
    row: f64,
    megabytes: f64,
}

fn main() {
    let own = std::env::args().skip_while(|a| a != "--own").nth(1);
    let only = std::env::args().skip_while(|a| a != "--only").nth(1);
    if let Some(name) = own {
        // A process of its own, so that its peak of memory is that of one network alone.
        let n_threads = argument("--threads", 1);
        if let Some(case) = CASES.iter().find(|case| case.name == name) {
            let Measured { step, row, megabytes } = measure(case, n_threads);
            println!("{step} {row} {megabytes}");
        }
        return;
    }
    let n_rounds = argument("--rounds", 3);
    println!("batch {BATCH}, {n_rounds} interleaved rounds, medians");
    for case in CASES.iter().filter(|case| only.as_ref().is_none_or(|only| only == case.name)) {
        count_allocations(case);
        for (n_threads, limit) in [1, 2].into_iter().zip(case.limits) {
            let (mut own, mut rival) = (Vec::new(), Vec::new());
            for _ in 0..n_rounds {
                own.extend(apart(case.name, n_threads));
                rival.extend(of_rival(case.name, n_threads));
            }
            compare(case.name, n_threads, limit, &own, &rival);
        }
    }
}

fn compare(name: &str, n_threads: usize, limit: f64, own: &[Measured], rival: &[Measured]) {
    let Some(own) = median(own) else { return };
    let show = |who: &str, m: Measured| {
        println!(
            "{name:6} {n_threads} threads {who:6} step {:8.2} ms   one row {:7.3} ms   {:6.0} MB",
            m.step, m.row, m.megabytes
        );
    };
    show("karat", own);
    let Some(rival) = median(rival) else {
        println!("{name:6} torch is not installed for python3, so there is no ratio");
        return;
    };
    show("torch", rival);
    println!(
        "{name:6} {n_threads} threads ratio  step {:8.3} (at most {limit})   one row {:.3} (at most \
         0.2)   memory {:.2} (at most 0.5)",
        own.step / rival.step,
        own.row / rival.row,
        own.megabytes / rival.megabytes
    );
}

/// A trainer with rows made from a fixed seed.
fn made(case: &Case) -> (Trainer<f32>, Vec<f32>, Vec<f32>) {
    let spec: NetworkSpec = case.text.parse().expect("the cases are networks");
    let network = Network::new(&spec, case.input, 0, case.n_out, Seed(1)).expect("that fit");
    let mut rng = stream(Seed(2), "bench");
    let x = (0..BATCH * case.input.len()).map(|_| rng.normal() as f32).collect();
    let y = (0..BATCH).map(|row| (row % case.n_out) as f32).collect();
    let training = Training {
        loss: Loss::SoftmaxCrossEntropy,
        rule: Rule::Sgd,
        weight_decay: 0.0,
        clip: 0.0,
        chance: 0,
    };
    (Trainer::new(network, training, BATCH), x, y)
}

fn measure(case: &Case, n_threads: usize) -> Measured {
    let (mut trainer, x, y) = made(case);
    let rows = Rows { x: &x, statics: &[], y: &y, weight: None };
    let batch: Vec<u32> = (0..BATCH as u32).collect();
    let team = Team::new(n_threads);
    let mut steps = Vec::new();
    for _ in 0..case.n_steps + 3 {
        let begin = Instant::now();
        team.enter(|| trainer.step(rows, &batch, 1e-3, &team));
        steps.push(begin.elapsed().as_secs_f64() * 1e3);
    }
    steps.drain(..3);
    let network = trainer.into_network();
    let (mut scorer, one) = (network.scorer(), &x[..case.input.len()]);
    let mut row = Vec::new();
    for _ in 0..200 {
        let begin = Instant::now();
        black_box(scorer.row(one, &[], &team));
        row.push(begin.elapsed().as_secs_f64() * 1e3);
    }
    Measured { step: middle(steps), row: middle(row), megabytes: peak() }
}

/// Prints how often a step asks for memory once it is under way, and how many of these are left
/// when two are granted to each matrix product.
fn count_allocations(case: &Case) {
    let (mut trainer, x, y) = made(case);
    let rows = Rows { x: &x, statics: &[], y: &y, weight: None };
    let batch: Vec<u32> = (0..BATCH as u32).collect();
    let team = Team::new(1);
    trainer.step(rows, &batch, 1e-3, &team);
    let (before, products) = (ALLOCATIONS.load(Ordering::Relaxed), karat::nn::products());
    trainer.step(rows, &batch, 1e-3, &team);
    let n = ALLOCATIONS.load(Ordering::Relaxed) - before;
    let products = karat::nn::products() - products;
    println!(
        "{:6} a step asks for memory {n} times in {products} matrix products (at most two each); \
         of our own: {}",
        case.name,
        n.saturating_sub(2 * products)
    );
}

fn apart(name: &str, n_threads: usize) -> Option<Measured> {
    let own = std::env::current_exe().ok()?;
    let args = ["--own", name, "--threads", &n_threads.to_string()];
    read(&Command::new(own).args(args).output().ok()?.stdout)
}

fn of_rival(name: &str, n_threads: usize) -> Option<Measured> {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".into());
    let args = [RIVAL, name, &n_threads.to_string()];
    read(&Command::new(python).args(args).output().ok()?.stdout)
}

fn read(stdout: &[u8]) -> Option<Measured> {
    let text = String::from_utf8_lossy(stdout);
    let numbers: Vec<f64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let [step, row, megabytes] = numbers.try_into().ok()?;
    Some(Measured { step, row, megabytes })
}

fn median(all: &[Measured]) -> Option<Measured> {
    let of = |f: fn(&Measured) -> f64| middle(all.iter().map(f).collect());
    (!all.is_empty()).then(|| Measured {
        step: of(|m| m.step),
        row: of(|m| m.row),
        megabytes: of(|m| m.megabytes),
    })
}

fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The peak of this process's memory in megabytes, where the system tells.
fn peak() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|l| l.split_whitespace().next()?.parse::<f64>().ok())
        .map_or(0.0, |kb| kb / 1024.0)
}

fn argument(name: &str, default: usize) -> usize {
    let given = std::env::args().skip_while(|a| a != name).nth(1);
    given.and_then(|value| value.parse().ok()).unwrap_or(default)
}

//! The store as others use it: several hands, several processes, damaged files.

mod alerts;
mod approval;
mod chain;
mod keys;
mod models;

use super::*;

/// Someone at the terminal.
fn ann() -> Actor {
    Actor { who: "ann from 10.0.0.1".into(), via: Via::Login }
}

/// Someone else.
fn bob() -> Actor {
    Actor { who: "bob".into(), via: Via::Login }
}

fn pd() -> ModelName {
    ModelName::new("pd").unwrap()
}

/// A store in memory, in which `pd` has so many versions.
fn with_versions(n: u8) -> Store {
    let store = Store::in_memory().unwrap();
    for number in 0..n {
        store.register(&pd(), &[number], &NewVersion::default(), &ann(), "").unwrap();
    }
    store
}

fn text<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    result.unwrap_err().to_string()
}

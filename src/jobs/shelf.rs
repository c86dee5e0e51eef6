//! A place where unfinished work is put aside, so that it can go on after a crash.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// Keeps what a job needs to go on where it was. Whoever starts the job decides where that is.
pub trait Shelf: Send + Sync {
    /// Keeps these bytes under this name, in place of what was there, whole or not at all.
    ///
    /// # Errors
    ///
    /// In words, when nothing could be kept; what was there before is then unharmed.
    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), String>;

    /// What was kept under this name.
    fn take(&self, name: &str) -> Option<Vec<u8>>;

    /// Forgets it.
    fn forget(&self, name: &str);
}

/// A shelf that lasts as long as the program.
#[derive(Debug, Default)]
pub struct MemoryShelf(Mutex<HashMap<String, Vec<u8>>>);

impl Shelf for MemoryShelf {
    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), String> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(name.to_owned(), bytes.to_vec());
        Ok(())
    }

    fn take(&self, name: &str) -> Option<Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    fn forget(&self, name: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}

//! Where work is carried out: one thread for each job, and one line on which all of them report.

use std::collections::HashMap;
use std::sync::mpsc::Sender;

use crate::jobs::{self, JobHandle, JobId, News, Outcome};
use crate::ui::term::Event;
use crate::workspace::{Product, Work};

/// What reaches the loop.
pub enum Heard {
    /// A key, a paste, a resize, a signal.
    Input(Event),
    /// How far a job has come, or that it has ended.
    News(JobId, News<()>),
    /// Something a job has made.
    Product(JobId, Box<Product>),
}

/// Starts jobs and asks them to stop.
pub struct Desk {
    line: Sender<Heard>,
    handles: HashMap<JobId, JobHandle>,
}

impl Desk {
    /// A desk whose jobs report on `line`.
    pub fn new(line: Sender<Heard>) -> Self {
        Self { line, handles: HashMap::new() }
    }

    /// Starts a job; if the system refuses a thread, that is how the job ends.
    pub fn start(&mut self, id: JobId, work: Work) {
        self.handles.retain(|_, handle| !handle.is_finished());
        let label = work.label();
        let (news, products) = (self.line.clone(), self.line.clone());
        // Nobody listens any more once the screen is gone; then there is nobody to tell.
        let sink = move |id, told| drop(news.send(Heard::News(id, told)));
        let spawned = jobs::spawn(id, &label, sink, move |ctx| {
            let mut out = |product| drop(products.send(Heard::Product(id, Box::new(product))));
            work.carry_out(ctx, &mut out)
        });
        match spawned {
            Ok(handle) => {
                self.handles.insert(id, handle);
            }
            Err(error) => {
                let outcome = Outcome::Failed(format!("no thread for {label}: {error}"));
                let _ = self.line.send(Heard::News(id, News::Ended(outcome)));
            }
        }
    }

    /// Asks a job to stop.
    pub fn stop(&self, id: JobId) {
        if let Some(handle) = self.handles.get(&id) {
            handle.cancel();
        }
    }
}

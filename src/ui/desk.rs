//! Where work is carried out: one thread for each job, and one line on which all of them report.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::mpsc::Sender;
use std::time::Duration;

use crate::jobs::{self, Fresh, JobHandle, JobId, News, Outcome, Slot, Wish};
use crate::ui::app::Told;
use crate::ui::served::Asker;
use crate::ui::term::Event;
use crate::workspace::{Product, Work};

/// What reaches the loop.
pub enum Heard {
    /// A key, a paste, a resize, a signal.
    Input(Event),
    /// A job has something to tell, for which [`Desk::take`] asks when there is time for it.
    Fresh(JobId),
    /// A job has ended.
    Ended(JobId, Outcome<()>),
    /// Something a job has made.
    Product(JobId, Box<Product>),
    /// What is told from outside the program.
    Outside(Told),
}

/// Starts jobs, listens to them, and tells them what is wished.
pub struct Desk {
    line: Sender<Heard>,
    handles: HashMap<JobId, JobHandle>,
    slots: HashMap<JobId, Slot>,
    /// How a server is asked.
    pub asker: Asker,
}

impl Desk {
    /// A desk whose jobs report on `line`.
    pub fn new(line: Sender<Heard>) -> Self {
        let asker = Asker::default();
        Self { line, handles: HashMap::new(), slots: HashMap::new(), asker }
    }

    /// Starts a job; if the system refuses a thread, that is how the job ends.
    pub fn start(&mut self, id: JobId, work: Work) {
        self.handles.retain(|_, handle| !handle.is_finished());
        let label = work.label();
        let (news, products) = (self.line.clone(), self.line.clone());
        // Nobody listens any more once the screen is gone; then there is nobody to tell.
        // A thousand steps between two frames are one message.
        let slot = Slot::default();
        self.slots.insert(id, slot.clone());
        let sink = move |id, told| match told {
            News::Report(report) => {
                if slot.put(report) {
                    drop(news.send(Heard::Fresh(id)));
                }
            }
            News::Ended(outcome) => drop(news.send(Heard::Ended(id, outcome))),
        };
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
                let _ = self.line.send(Heard::Ended(id, outcome));
            }
        }
    }

    /// What a job has told since it was last asked.
    pub fn take(&self, id: JobId) -> Fresh {
        self.slots.get(&id).map(Slot::take).unwrap_or_default()
    }

    /// The last words of a job that has ended.
    pub fn last_words(&mut self, id: JobId) -> Fresh {
        self.slots.remove(&id).map(|slot| slot.take()).unwrap_or_default()
    }

    /// Asks the server of a workspace folder how it is, after a while.
    pub fn ask_server(&self, dir: PathBuf, after: Duration) {
        let ask = self.asker.status;
        self.outside("ask the server", move || {
            std::thread::sleep(after);
            Told::Status(ask(&dir).map(Box::new))
        });
    }

    /// Asks the server of a workspace folder to stop.
    pub fn stop_server(&self, dir: PathBuf) {
        let stop = self.asker.stop;
        self.outside("stop the server", move || Told::Stopping(stop(&dir)));
    }

    /// Asks something outside on a thread of its own. A thread that cannot be had asks nothing.
    fn outside(&self, name: &str, ask: impl FnOnce() -> Told + Send + 'static) {
        let line = self.line.clone();
        let _ = jobs::service(name, move || drop(line.send(Heard::Outside(ask()))));
    }

    /// Tells a job what is wished of it.
    pub fn wish(&self, id: JobId, wish: Wish) {
        let Some(handle) = self.handles.get(&id) else { return };
        match wish {
            Wish::Go => handle.rest(false),
            Wish::Rest => handle.rest(true),
            Wish::Finish => handle.finish(),
            Wish::Stop => handle.cancel(),
        }
    }
}

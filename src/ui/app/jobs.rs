//! The jobs as the screen knows them: what runs, what waits, how far it has come.

use std::collections::VecDeque;

use crate::jobs::{JobId, News, Outcome, Report, Sheet};
use crate::train::Point;
use crate::workspace::Work;

/// How many points of a live curve are kept.
const MOST_POINTS: usize = 20_000;

/// A job that runs, or is about to end.
#[derive(Clone, Debug)]
pub struct Job {
    /// Which one.
    pub id: JobId,
    /// What it does.
    pub label: String,
    /// The slot it fills; later work of the same slot takes its place.
    pub slot: Option<&'static str>,
    /// Whether it trains.
    pub is_training: bool,
    /// Seconds on the program's clock when it began.
    pub since: f64,
    /// How much of it is done, from 0 to 1.
    pub fraction: f64,
    /// What it is at: "fitting fold 2 of 5".
    pub note: String,
    /// The curve so far.
    pub curve: Vec<Point>,
    /// How the parts of the work are, such as the layers of a network.
    pub sheet: Sheet,
    /// Whether it was asked to stop and has not ended yet.
    pub stopping: bool,
}

impl Job {
    /// Seconds until it ends, once enough of it is done to tell.
    pub fn time_left(&self, now: f64) -> Option<f64> {
        let elapsed = now - self.since;
        (self.fraction > 0.02 && elapsed > 0.2)
            .then(|| elapsed * (1.0 - self.fraction) / self.fraction)
    }
}

/// What came of hearing news.
#[derive(Debug, PartialEq)]
pub enum Heard {
    /// It was stale, or only progress.
    Nothing,
    /// The job has ended; whether it trained, its label, and how.
    Ended(bool, String, Outcome<()>),
}

/// All jobs.
#[derive(Debug, Default)]
pub struct Jobs {
    /// Those that run.
    pub running: Vec<Job>,
    /// Training that waits for its turn.
    pub queue: VecDeque<Work>,
    next: u64,
}

impl Jobs {
    /// Takes in work: says which job begins now, and which one makes room for it.
    pub fn take(&mut self, work: Work, now: f64) -> (Option<(JobId, Work)>, Option<JobId>) {
        if work.is_training() && self.training().is_some_and(|job| !job.stopping) {
            self.queue.push_back(work);
            return (None, None);
        }
        let slot = work.slot();
        let old = self.running.iter_mut().find(|j| slot.is_some() && j.slot == slot);
        let old = old.map(|job| {
            job.stopping = true;
            job.slot = None;
            job.id
        });
        (Some((self.begin(&work, now), work)), old)
    }

    fn begin(&mut self, work: &Work, now: f64) -> JobId {
        self.next += 1;
        let id = JobId(self.next);
        self.running.push(Job {
            id,
            label: work.label(),
            slot: work.slot(),
            is_training: work.is_training(),
            since: now,
            fraction: 0.0,
            note: String::new(),
            curve: Vec::new(),
            sheet: Sheet::default(),
            stopping: false,
        });
        id
    }

    /// The training that runs.
    pub fn training(&self) -> Option<&Job> {
        self.running.iter().find(|j| j.is_training)
    }

    /// Whether nothing runs and nothing waits.
    pub fn is_idle(&self) -> bool {
        self.running.is_empty() && self.queue.is_empty()
    }

    /// Whether news of this job still count.
    pub fn is_current(&self, id: JobId) -> bool {
        self.running.iter().any(|j| j.id == id && !j.stopping)
    }

    /// Marks the job to be cancelled next: the training first, then the youngest of the others.
    pub fn cancel_one(&mut self) -> Option<(JobId, String)> {
        // What the panes need to be complete is not cancelled by hand.
        let asked_for = |j: &Job| !matches!(j.slot, Some("survey" | "order")) && j.label != "load";
        let at = self.running.iter().position(|j| j.is_training && !j.stopping);
        let at = at.or_else(|| self.running.iter().rposition(|j| !j.stopping && asked_for(j)))?;
        let job = &mut self.running[at];
        job.stopping = true;
        Some((job.id, job.label.clone()))
    }

    /// Takes in news.
    pub fn hear(&mut self, id: JobId, news: News<()>) -> Heard {
        let Some(at) = self.running.iter().position(|j| j.id == id) else { return Heard::Nothing };
        let job = &mut self.running[at];
        match news {
            News::Report(Report::Note(text)) => job.note = text,
            News::Report(Report::Sheet(sheet)) => job.sheet = sheet,
            News::Report(Report::Step(progress)) => {
                job.fraction = progress.fraction;
                let measured = |name| {
                    progress.measured.iter().find(|(n, _)| *n == name).map(|(_, value)| *value)
                };
                let (loss, valid_loss) = (measured("loss"), measured("valid_loss"));
                if loss.is_some() || valid_loss.is_some() {
                    // A new fold or candidate begins a curve of its own.
                    if job.curve.last().is_some_and(|p| p.step > progress.done as f64) {
                        job.curve.clear();
                    }
                    if job.curve.len() >= MOST_POINTS {
                        let every_second = job.curve.iter().step_by(2);
                        job.curve = every_second.cloned().collect();
                    }
                    job.curve.push(Point {
                        step: progress.done as f64,
                        loss,
                        valid_loss,
                        metric: measured("metric"),
                        valid_metric: measured("valid_metric"),
                        learning_rate: measured("learning_rate"),
                        grad_norm: measured("grad_norm"),
                        seconds: measured("seconds"),
                    });
                }
            }
            News::Ended(outcome) => {
                let job = self.running.remove(at);
                // What was replaced by later work of its slot ends without a word.
                if job.stopping && job.slot.is_none() && !job.is_training {
                    return Heard::Nothing;
                }
                return Heard::Ended(job.is_training, job.label, outcome);
            }
        }
        Heard::Nothing
    }
}

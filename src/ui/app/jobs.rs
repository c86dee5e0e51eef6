//! The jobs as the screen knows them: what runs, what waits, how far it has come.

use std::collections::VecDeque;

use super::Curves;
use crate::data::Task;
use crate::jobs::{Fresh, JobId, News, Outcome, Progress, Sheet, Slot, Wish};
use crate::train::{ModelSpec, Point};
use crate::workspace::{Plan, Work};

/// A job that runs, or is about to end.
#[derive(Clone, Debug)]
pub struct Job {
    /// Which one.
    pub id: JobId,
    /// What it does.
    pub label: String,
    /// The slot it fills; later work of the same slot takes its place.
    pub slot: Option<&'static str>,
    /// What it trains, if it trains.
    pub trains: Option<Trains>,
    /// Seconds on the program's clock when it began.
    pub since: f64,
    /// How much of it is done, from 0 to 1.
    pub fraction: f64,
    /// What it is at: "fitting fold 2 of 5".
    pub note: String,
    /// What was measured so far.
    pub curves: Curves,
    /// How the parts of the work are, such as the layers of a network.
    pub sheet: Sheet,
    /// What was wished of it last.
    pub wish: Wish,
    /// The latest figures, by name.
    figures: Vec<(&'static str, f64)>,
    /// Seconds for which it has rested, and since when it rests.
    rested: (f64, Option<f64>),
}

/// What a training trains.
#[derive(Clone, Debug, PartialEq)]
pub struct Trains {
    /// The model with its settings.
    pub model: ModelSpec,
    /// Regression or classification, once that is settled.
    pub task: Option<Task>,
    /// How often.
    pub plan: Plan,
    /// Over how many folds; none without cross-validation.
    pub folds: usize,
}

impl Job {
    /// Whether it trains.
    pub fn is_training(&self) -> bool {
        self.trains.is_some()
    }

    /// Whether it was asked to stop and has not ended yet.
    pub fn stops(&self) -> bool {
        self.wish == Wish::Stop
    }

    /// Whether it can end early and keep what there is. Folds cannot: those that are left would be
    /// judged by a model that was hardly trained.
    pub fn can_finish(&self) -> bool {
        self.trains
            .as_ref()
            .is_some_and(|t| t.folds < 2 && !matches!(t.plan, Plan::Sweep | Plan::Tune(_)))
    }

    /// The latest value of a figure that it measures: `epoch`, `rows_per_second`.
    pub fn figure(&self, name: &str) -> Option<f64> {
        self.figures.iter().find(|(n, _)| *n == name).map(|(_, value)| *value)
    }

    /// The word for what is wished of it; empty while it goes on.
    pub fn state(&self) -> &'static str {
        match self.wish {
            Wish::Go => "",
            Wish::Rest => "paused",
            Wish::Finish => "finishing",
            Wish::Stop => "cancelling",
        }
    }

    /// Seconds until it ends, once enough of it is done to tell, and while it does not rest.
    pub fn time_left(&self, now: f64) -> Option<f64> {
        let elapsed = now - self.since - self.rested.0;
        (self.wish == Wish::Go && self.fraction > 0.02 && elapsed > 0.2)
            .then(|| elapsed * (1.0 - self.fraction) / self.fraction)
    }

    /// Takes over what is wished of it.
    fn wish(&mut self, wish: Wish, now: f64) {
        if let Some(since) = self.rested.1.take() {
            self.rested.0 += now - since;
        }
        if wish == Wish::Rest {
            self.rested.1 = Some(now);
        }
        self.wish = wish;
    }

    fn measure(&mut self, step: &Progress) {
        for (name, value) in &step.measured {
            match self.figures.iter_mut().find(|(n, _)| n == name) {
                Some(figure) => figure.1 = *value,
                None => self.figures.push((name, *value)),
            }
        }
        let measured = |name| step.measured.iter().find(|(n, _)| *n == name).map(|(_, v)| *v);
        let (loss, valid_loss) = (measured("loss"), measured("valid_loss"));
        // Within an epoch only the progress is told; a curve has its points between them.
        if loss.is_some() || valid_loss.is_some() {
            self.curves.push(&Point {
                step: step.done as f64,
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
        if work.is_training() && self.training().is_some_and(|job| !job.stops()) {
            self.queue.push_back(work);
            return (None, None);
        }
        let slot = work.slot();
        let old = self.running.iter_mut().find(|j| slot.is_some() && j.slot == slot);
        let old = old.map(|job| {
            job.wish(Wish::Stop, now);
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
            trains: trains(work),
            since: now,
            fraction: 0.0,
            note: String::new(),
            curves: Curves::default(),
            sheet: Sheet::default(),
            wish: Wish::Go,
            figures: Vec::new(),
            rested: (0.0, None),
        });
        id
    }

    /// The training that runs.
    pub fn training(&self) -> Option<&Job> {
        self.running.iter().find(|j| j.is_training())
    }

    /// Whether nothing runs and nothing waits.
    pub fn is_idle(&self) -> bool {
        self.running.is_empty() && self.queue.is_empty()
    }

    /// Whether news of this job still count.
    pub fn is_current(&self, id: JobId) -> bool {
        self.running.iter().any(|j| j.id == id && !j.stops())
    }

    /// Marks the job to be cancelled next: the training first, then the youngest of the others.
    pub fn cancel_one(&mut self, now: f64) -> Option<(JobId, String)> {
        // What the panes need to be complete is not cancelled by hand.
        let asked_for = |j: &Job| !matches!(j.slot, Some("survey" | "order")) && j.label != "load";
        let at = self.running.iter().position(|j| j.is_training() && !j.stops());
        let at = at.or_else(|| self.running.iter().rposition(|j| !j.stops() && asked_for(j)))?;
        let job = &mut self.running[at];
        job.wish(Wish::Stop, now);
        Some((job.id, job.label.clone()))
    }

    /// Takes over what is wished of the training that runs; `None` without any.
    pub fn wish(&mut self, wish: Wish, now: f64) -> Option<JobId> {
        let job = self.running.iter_mut().find(|j| j.is_training())?;
        job.wish(wish, now);
        Some(job.id)
    }

    /// Takes in what a job has told since it was last asked.
    pub fn catch_up(&mut self, id: JobId, fresh: Fresh) {
        let Some(job) = self.running.iter_mut().find(|j| j.id == id) else { return };
        fresh.measured.iter().for_each(|step| job.measure(step));
        if let Some(latest) = fresh.latest {
            job.fraction = latest.fraction;
        }
        job.note = fresh.note.unwrap_or(std::mem::take(&mut job.note));
        job.sheet = fresh.sheet.unwrap_or(std::mem::take(&mut job.sheet));
    }

    /// Takes in news.
    pub fn hear(&mut self, id: JobId, news: News<()>) -> Heard {
        match news {
            News::Report(report) => {
                let slot = Slot::default();
                slot.put(report);
                self.catch_up(id, slot.take());
                Heard::Nothing
            }
            News::Ended(outcome) => {
                let Some(at) = self.running.iter().position(|j| j.id == id) else {
                    return Heard::Nothing;
                };
                let job = self.running.remove(at);
                // What was replaced by later work of its slot ends without a word.
                if job.stops() && job.slot.is_none() && !job.is_training() {
                    return Heard::Nothing;
                }
                Heard::Ended(job.is_training(), job.label, outcome)
            }
        }
    }
}

fn trains(work: &Work) -> Option<Trains> {
    let Work::Train { experiment, plan, .. } = work else { return None };
    Some(Trains {
        model: experiment.model.clone(),
        task: experiment.question.task,
        plan: *plan,
        folds: experiment.cv,
    })
}

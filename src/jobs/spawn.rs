//! Threads: one for each job, and those that live as long as the program.

use std::{
    any::Any,
    error::Error,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread::{self, JoinHandle},
};

use crate::jobs::{CancelToken, Ctx, JobId, News, Outcome, error_text};

/// A running job. Dropping the handle asks the job to stop but does not wait for it.
#[derive(Debug)]
pub struct JobHandle {
    /// Which job this is.
    pub id: JobId,
    cancel: CancelToken,
    thread: Option<JoinHandle<()>>,
}

impl JobHandle {
    /// Asks the job to stop at its next step.
    pub fn cancel(&self) {
        self.cancel.cancel();
    }

    /// Asks the job to end early and to keep what there is.
    pub fn finish(&self) {
        self.cancel.finish();
    }

    /// Asks the job to rest, or to go on.
    pub fn rest(&self, rest: bool) {
        self.cancel.rest(rest);
    }

    /// Whether the job has been asked to stop, by this handle or any clone of its token.
    pub fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }

    /// Whether the thread is gone; its outcome has then been passed on.
    pub fn is_finished(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Waits for the job to end. Meant for scripts, never for the event loop.
    pub fn join(mut self) {
        if let Some(thread) = self.thread.take() {
            // The job reports its own panics, so there is nothing left to learn here.
            let _ = thread.join();
        }
    }
}

impl Drop for JobHandle {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

/// Runs `work` at low priority on a thread named after it and passes its news to `sink`, which
/// hears reports and then, whatever happens, exactly one outcome.
///
/// # Errors
/// If the system has no thread left to give; `sink` then hears nothing.
pub fn spawn<T, E>(
    id: JobId,
    name: &str,
    sink: impl Fn(JobId, News<T>) + Send + Sync + 'static,
    work: impl FnOnce(&Ctx) -> Result<T, E> + Send + 'static,
) -> io::Result<JobHandle>
where
    T: 'static,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    let cancel = CancelToken::default();
    let asked = cancel.clone();
    let thread = thread::Builder::new().name(format!("job {} {name}", id.0)).spawn(move || {
        be_nice();
        let sink = Arc::new(sink);
        let reports = Arc::clone(&sink);
        let ctx = Ctx::new(asked.clone(), move |report| reports(id, News::Report(report)));
        let outcome = match catch_unwind(AssertUnwindSafe(|| work(&ctx))) {
            Ok(Ok(value)) => Outcome::Done(value),
            // The token decides, not the shape of the error, which may be wrapped many times over.
            Ok(Err(_)) if asked.is_cancelled() => Outcome::Cancelled,
            Ok(Err(err)) => Outcome::Failed(error_text(&*err.into())),
            Err(panic) => Outcome::Failed(format!("internal error: {}", panic_text(&*panic))),
        };
        sink(id, News::Ended(outcome));
    })?;
    Ok(JobHandle { id, cancel, thread: Some(thread) })
}

/// Starts a thread that lives as long as the program, such as the one that waits for keys.
///
/// It runs at the program's own priority. Whoever drops the handle leaves the thread alone.
pub fn service(
    name: &str,
    work: impl FnOnce() + Send + 'static,
) -> io::Result<thread::JoinHandle<()>> {
    thread::Builder::new().name(name.to_owned()).spawn(work)
}

/// The same at low priority, for work that others must not feel, such as writing a log.
pub fn background(
    name: &str,
    work: impl FnOnce() + Send + 'static,
) -> io::Result<thread::JoinHandle<()>> {
    service(name, move || {
        be_nice();
        work();
    })
}

/// Lets everything else that wants the processor go first, above all the thread that draws.
#[cfg(target_os = "linux")]
pub(super) fn be_nice() {
    const NICE: libc::c_int = 10;
    // The longer a turn a thread asks for, the sooner the kernel takes the processor from it when
    // one with shorter turns wakes up; in nanoseconds, and this is the longest that it knows.
    const TURN: u64 = 100_000_000;
    let about = libc::sched_attr {
        size: size_of::<libc::sched_attr>() as u32,
        sched_policy: libc::SCHED_OTHER.cast_unsigned(),
        sched_flags: 0,
        sched_nice: NICE,
        sched_priority: 0,
        sched_runtime: TURN,
        sched_deadline: 0,
        sched_period: 0,
    };
    // On Linux the process id 0 stands for the calling thread. A refusal costs smoothness only;
    // kernels before 6.12 pass over the length of the turn.
    #[expect(unsafe_code, reason = "the standard library has no thread priorities")]
    // SAFETY: the kernel reads `size` bytes of `about`, which lives until the call is over, and
    // setpriority takes plain numbers.
    unsafe {
        if libc::syscall(libc::SYS_sched_setattr, 0, &raw const about, 0) != 0 {
            libc::setpriority(libc::PRIO_PROCESS, 0, NICE);
        }
    }
}

/// Elsewhere a priority belongs to the whole process, and the interface would suffer with it.
#[cfg(not(target_os = "linux"))]
pub(super) fn be_nice() {}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("panicked without a message")
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::jobs::{Cancelled, Progress, Report};

    #[derive(Debug, thiserror::Error)]
    enum TrainError {
        #[error("the loss is not finite")]
        Diverged,
        #[error(transparent)]
        Cancelled(#[from] Cancelled),
    }

    fn news_of(
        work: impl FnOnce(&Ctx) -> Result<u8, TrainError> + Send + 'static,
    ) -> Vec<News<u8>> {
        let (tx, rx) = mpsc::channel();
        spawn(JobId(1), "test", move |_, news| tx.send(news).unwrap(), work).unwrap().join();
        rx.into_iter().collect()
    }

    #[test]
    fn reports_come_before_the_outcome() {
        let news = news_of(|ctx| {
            ctx.note("fitting");
            ctx.step(1, 2, vec![("loss", 0.5)])?;
            Ok(7)
        });
        let progress = Progress {
            done: 1,
            total: 2,
            fraction: 0.5,
            parts: vec![],
            measured: vec![("loss", 0.5)],
        };
        let expected = [
            News::Report(Report::Note("fitting".into())),
            News::Report(Report::Step(progress)),
            News::Ended(Outcome::Done(7)),
        ];
        assert_eq!(news, expected);
    }

    #[test]
    fn an_error_is_reported_in_its_own_words() {
        let news = news_of(|_| Err(TrainError::Diverged));
        assert_eq!(news, [News::Ended(Outcome::Failed("the loss is not finite".into()))]);
    }

    #[test]
    fn a_panic_is_an_outcome_too() {
        let news = news_of(|_| panic!("index {} out of range", 3));
        let text = "internal error: index 3 out of range";
        assert_eq!(news, [News::Ended(Outcome::Failed(text.into()))]);
    }

    #[test]
    fn cancelling_ends_an_endless_job() {
        let (tx, rx) = mpsc::channel::<News<u8>>();
        let endless = |ctx: &Ctx| -> Result<u8, TrainError> {
            loop {
                ctx.step(1, usize::MAX, vec![])?;
            }
        };
        let sink = move |_, news| drop(tx.send(news));
        let handle = spawn(JobId(2), "endless", sink, endless).unwrap();
        handle.cancel();
        assert!(handle.is_cancelled());
        handle.join();
        assert_eq!(rx.into_iter().last(), Some(News::Ended(Outcome::Cancelled)));
    }

    #[test]
    fn dropping_the_handle_asks_the_job_to_stop() {
        let (tx, rx) = mpsc::channel::<News<u8>>();
        let endless = |ctx: &Ctx| loop {
            ctx.check()?;
        };
        let sink = move |_, news| drop(tx.send(news));
        drop(spawn::<u8, Cancelled>(JobId(3), "dropped", sink, endless).unwrap());
        assert_eq!(rx.into_iter().last(), Some(News::Ended(Outcome::Cancelled)));
    }

    #[test]
    fn a_value_in_time_is_kept_although_the_job_was_cancelled() {
        let news = news_of(|ctx| {
            ctx.cancel_token().cancel();
            Ok(1)
        });
        assert_eq!(news, [News::Ended(Outcome::Done(1))]);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_job_is_nice_and_bears_its_name() {
        let (tx, rx) = mpsc::channel();
        let work = move |_: &Ctx| -> Result<(), Cancelled> {
            let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
            tx.send((thread::current().name().map(str::to_owned), stat)).unwrap();
            Ok(())
        };
        spawn(JobId(4), "train", |_, _| (), work).unwrap().join();
        let (name, stat) = rx.recv().unwrap();
        assert_eq!(name.as_deref(), Some("job 4 train"));
        // The name in brackets may hold blanks; niceness is the 17th field after it.
        let nice = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(16));
        assert_eq!(nice, Some("10"));
    }

    #[test]
    fn a_service_runs_on_a_thread_of_its_own() {
        let (tx, rx) = mpsc::channel();
        let work = move || tx.send(thread::current().name().map(str::to_owned)).unwrap();
        service("keys", work).unwrap().join().unwrap();
        assert_eq!(rx.recv().unwrap().as_deref(), Some("keys"));
    }
}

//! Threads that stay together, so that a step of a training or a layer of a row costs no new ones.

use std::sync::OnceLock;

use rayon::iter::{IndexedParallelIterator, IntoParallelRefMutIterator, ParallelIterator};
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::spawn::be_nice;
use super::standby::Standby;

/// A few threads that take turns at the parts of one piece of work after another.
///
/// Which thread takes which part changes nothing as long as each part depends on itself alone;
/// whoever sums over the parts does so afterwards, in their order.
#[derive(Debug)]
pub struct Team {
    pool: Option<ThreadPool>,
    /// For [`Team::share`], once someone asks for it.
    standby: OnceLock<Option<Standby>>,
}

impl Team {
    /// A team of this many threads; with one, or when the system refuses more, the caller works
    /// alone.
    pub fn new(n_threads: usize) -> Self {
        let pool = (n_threads > 1).then(|| {
            ThreadPoolBuilder::new()
                .num_threads(n_threads)
                .thread_name(|idx| format!("team {idx}"))
                .start_handler(|_| be_nice())
                .build()
                .ok()
        });
        Self { pool: pool.flatten(), standby: OnceLock::new() }
    }

    /// A team with a thread for each processor.
    pub fn of_all() -> Self {
        Self::new(std::thread::available_parallelism().map_or(1, usize::from))
    }

    /// The team that everybody shares who needs one for a moment only.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Team> = OnceLock::new();
        SHARED.get_or_init(Self::of_all)
    }

    /// How many threads there are.
    pub fn len(&self) -> usize {
        self.pool.as_ref().map_or(1, ThreadPool::current_num_threads)
    }

    /// Whether the caller works alone.
    pub fn is_empty(&self) -> bool {
        self.pool.is_none()
    }

    /// Runs `work` within the team, so that every [`Team::each`] in it starts without delay.
    pub fn enter<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        match &self.pool {
            Some(pool) => pool.install(work),
            None => work(),
        }
    }

    /// Hands each part, with its place, to one thread, and returns when all are done.
    pub fn each<T: Send>(&self, parts: &mut [T], work: impl Fn(usize, &mut T) + Sync) {
        match &self.pool {
            Some(pool) if parts.len() > 1 => pool.install(|| {
                parts
                    .par_iter_mut()
                    .with_max_len(1)
                    .enumerate()
                    .for_each(|(idx, part)| work(idx, part));
            }),
            _ => parts.iter_mut().enumerate().for_each(|(idx, part)| work(idx, part)),
        }
    }

    /// The same for parts of a few microseconds: the caller takes some of them, and the others are
    /// kept awake for a moment, in case there is more.
    pub fn share<T: Send>(&self, parts: &mut [T], work: impl Fn(usize, &mut T) + Sync) {
        let n = self.len();
        let standby = || self.standby.get_or_init(|| Standby::new(n - 1)).as_ref();
        match if n > 1 && parts.len() > 1 { standby() } else { None } {
            Some(standby) => standby.share(parts, work),
            None => parts.iter_mut().enumerate().for_each(|(idx, part)| work(idx, part)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_done_once_by_any_team() {
        for n_threads in [0, 1, 2, 5] {
            let team = Team::new(n_threads);
            let mut parts = vec![0; 7];
            team.enter(|| {
                team.each(&mut parts, |idx, part| *part += idx);
                team.each(&mut parts, |_, part| *part *= 2);
            });
            team.share(&mut parts, |idx, part| *part += idx);
            assert_eq!(parts, [0, 3, 6, 9, 12, 15, 18]);
        }
    }
}

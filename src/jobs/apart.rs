//! Threads that stay out of one another's way.

use std::sync::atomic::{AtomicI32, Ordering};

/// A thread as the system knows it, once it has started.
#[derive(Debug, Default)]
pub(super) struct Known(AtomicI32);

impl Known {
    /// It is the thread that calls.
    pub(super) fn is_this(&self) {
        self.0.store(own_id(), Ordering::Relaxed);
    }
}

/// Keeps threads off the processor on which the caller runs, if the process may run on others.
///
/// A thread that is woken is often put behind the one that woke it, and waits there for
/// milliseconds although another processor has nothing to do.
pub(super) fn keep_off(threads: &[Known]) {
    let known = threads.iter().map(|thread| thread.0.load(Ordering::Relaxed));
    keep_off_own(known.filter(|id| *id > 0));
}

#[cfg(target_os = "linux")]
fn own_id() -> i32 {
    // SAFETY: it takes nothing and cannot fail.
    #[expect(unsafe_code, reason = "the standard library does not tell the system's own number")]
    unsafe {
        libc::gettid()
    }
}

#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "the standard library does not say where threads run")]
fn keep_off_own(threads: impl Iterator<Item = i32>) {
    let size = size_of::<libc::cpu_set_t>();
    // SAFETY: all zeros are an empty set, the system is told how long the set is, and nothing
    // refers to it afterwards. The threads live as long as their pool, which whoever calls holds.
    unsafe {
        let mut processors: libc::cpu_set_t = std::mem::zeroed();
        let own = libc::sched_getcpu();
        if own < 0 || libc::sched_getaffinity(libc::getpid(), size, &raw mut processors) != 0 {
            return;
        }
        libc::CPU_CLR(own.cast_unsigned() as usize, &mut processors);
        if libc::CPU_COUNT(&processors) > 0 {
            for id in threads {
                libc::sched_setaffinity(id, size, &raw const processors);
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn own_id() -> i32 {
    0
}

#[cfg(not(target_os = "linux"))]
fn keep_off_own(_: impl Iterator<Item = i32>) {}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// On how many processors the thread that asks may run.
    fn n_allowed() -> u32 {
        let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed:")).unwrap();
        line.chars().filter_map(|digit| digit.to_digit(16)).map(u32::count_ones).sum()
    }

    #[test]
    fn a_thread_leaves_the_processor_of_the_caller() {
        let (known, before) = (Known::default(), n_allowed());
        let ((started, start), (ask, asked)) = (mpsc::channel(), mpsc::channel());
        std::thread::scope(|scope| {
            let known = &known;
            let own = scope.spawn(move || {
                known.is_this();
                started.send(()).unwrap();
                asked.recv().unwrap();
                n_allowed()
            });
            start.recv().unwrap();
            keep_off(&[Known::default(), Known(AtomicI32::new(known.0.load(Ordering::Relaxed)))]);
            ask.send(()).unwrap();
            assert!(own.join().unwrap() < before || before == 1);
        });
        assert_eq!(n_allowed(), before);
    }
}

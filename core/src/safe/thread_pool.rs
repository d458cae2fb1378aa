//! A pool of threads, which stays as long as anything needs it.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;
use core::ptr::NonNull;

use crate::error::Error;
use crate::pool::Pool;
use crate::port::host::{PORT, Threads};
use crate::timer::Timers;

/// Threads that run the works of queues. A clone is another handle of the same pool.
///
/// The threads are named `btwq-0` and so on. They run as long as there is a handle, or a queue of
/// this pool: so it does not matter which of them is dropped first. Whoever drops the last stops the
/// threads and joins them; dropped on one of those very threads, as what a work owns may be, the pool
/// is leaked, since a thread can not join itself.
///
/// ```
/// use btwq::safe::*;
///
/// /// Does its work three times, and is then gone.
/// struct Poll(u32, std::sync::mpsc::Sender<u32>);
///
/// impl Job for Poll {
///     fn run(&mut self, _: Running<'_>) {
///         self.0 += 1;
///         self.1.send(self.0).unwrap();
///     }
///     /// Submits itself again, without an allocation.
///     fn free(work: BoxedWork<Self>, queue: &Queue) {
///         if work.0 < 3 {
///             queue.submit_delayed(work, 2).unwrap(); // Milliseconds.
///         }
///     }
/// }
///
/// let pool = ThreadPool::with_clock(2)?;
/// let queue = SharedQueue::new(&pool, c"poll");
/// let (sender, receiver) = std::sync::mpsc::channel();
/// queue.submit(BoxedWork::new(Poll(0, sender)))?;
/// drop(pool); // The threads stay as long as the queue.
/// drop(queue); // Waits for the job, and what it submits.
/// assert_eq!(receiver.iter().collect::<Vec<_>>(), [1, 2, 3]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Memory: allocated when the pool is made.
///
/// Context: to make and to drop it, threads; it blocks while the threads end.
#[derive(Clone)]
pub struct ThreadPool(Arc<Crew>);

/// What the handles of a pool, and its queues, count.
pub(super) struct Crew(NonNull<Parts>);

/// What must stay where it is.
struct Parts {
    pool: Pool,
    timers: Timers,
    threads: Threads,
}

// SAFETY: it is made of what every thread may use: a pool, timers, and threads.
unsafe impl Send for Crew {}
// SAFETY: as for Send.
unsafe impl Sync for Crew {}

impl ThreadPool {
    /// Starts `n` threads.
    ///
    /// # Errors
    /// [`Error::Invalid`]: none are wanted. [`Error::Again`]: the system gave too few; those that it
    /// gave are gone again.
    pub fn new(n: usize) -> Result<Self, Error> {
        Self::start(n, false)
    }

    /// Starts `n` threads, and one more, `btwq-clock`, so that works may be
    /// [delayed](super::Queue::submit_delayed).
    ///
    /// # Errors
    /// As of [`ThreadPool::new`].
    pub fn with_clock(n: usize) -> Result<Self, Error> {
        Self::start(n, true)
    }

    fn start(n: usize, clock: bool) -> Result<Self, Error> {
        if n == 0 {
            return Err(Error::Invalid);
        }
        // SAFETY: a constant, and so static.
        let pool = unsafe { Pool::new(&PORT) };
        let parts = Box::new(Parts { pool, timers: Timers::new(), threads: Threads::new() });
        let this = Self(Arc::new(Crew(NonNull::from(Box::leak(parts)))));
        let parts = this.0.parts();
        // SAFETY: the parts stay until `destroy` has returned (`Crew::drop`); the timers are no other
        // pool's, the threads have one pool, and its port is theirs.
        unsafe {
            if clock {
                parts.pool.set_timers(NonNull::from(&parts.timers))?;
            }
            parts.threads.start(NonNull::from(&parts.pool), n)?;
        }
        Ok(this)
    }

    /// The pool behind it, valid as long as the crew.
    pub(super) fn raw(&self) -> *const Pool {
        &raw const self.0.parts().pool
    }

    /// What keeps it.
    pub(super) fn crew(&self) -> Arc<Crew> {
        Arc::clone(&self.0)
    }
}

impl Crew {
    fn parts(&self) -> &Parts {
        // SAFETY: valid until `drop`.
        unsafe { self.0.as_ref() }
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        let parts = self.parts();
        // SAFETY: neither a handle nor a queue is left, and so nobody uses the pool but its threads.
        let destroyed = unsafe { parts.threads.destroy(NonNull::from(&parts.pool)) };
        // If it was refused, the caller is one of the threads, which need the parts: they stay.
        if destroyed.is_ok() {
            // SAFETY: made by `Box` in `start`, and the threads have been joined.
            drop(unsafe { Box::from_raw(self.0.as_ptr()) });
        }
    }
}

impl fmt::Debug for ThreadPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadPool").finish_non_exhaustive()
    }
}

//! What `run` is told, and works that are completed later.

use core::ptr::NonNull;

use super::queue::Queue;
use super::submit::Header;

#[cfg(feature = "alloc")]
use alloc::sync::Arc;

/// The status of a work whose [`Completion`] was dropped: the negative number of Linux's
/// `EOWNERDEAD`.
pub const ABANDONED: i32 = -130;

/// A job that is in its `run`.
pub struct Running<'a> {
    header: NonNull<Header>,
    queue: &'a Queue,
}

impl<'a> Running<'a> {
    /// For the `run` of a work, once in it.
    ///
    /// # Safety
    /// The caller is the `func` of that work, which was submitted by the safe face; `'a` does not go
    /// beyond it.
    pub(super) unsafe fn new(header: NonNull<Header>) -> Self {
        // SAFETY: as the caller says; the work is not released before its last callback.
        Self { header, queue: unsafe { header.as_ref().queue() } }
    }

    /// The queue that the job was submitted to, as long as `run` is.
    ///
    /// Context: everywhere in `run`. Wait-free.
    #[must_use]
    pub fn queue(&self) -> &'a Queue {
        self.queue
    }

    /// Lets the job be in progress when `run` has returned, until what this returns is completed.
    /// So the job's `ordered`, and those of all behind it, come after both.
    ///
    /// Allocates nothing.
    ///
    /// Context: everywhere in `run`. Wait-free; with a `SharedQueue` it counts a reference.
    #[must_use = "to drop it completes the work as `ABANDONED`"]
    pub fn later(self) -> Completion {
        // SAFETY: `func` runs, as `self` tells, so that the work is valid.
        let work = unsafe { self.header.as_ref() }.work();
        // Not refused: the work is initialised.
        let is_async = work.set_async().is_ok();
        Completion {
            header: is_async.then_some(self.header),
            #[cfg(feature = "alloc")]
            _memory: self.queue.keep(),
        }
    }
}

/// The duty to say that a job is over whose `run` has taken [`Running::later`]. It may be sent
/// wherever the job's end becomes known.
///
/// It is used once: by [`Completion::complete`], or by being dropped, which completes the job as
/// [`ABANDONED`], so that an order does not stop for something that was lost on the way. To forget
/// it (`mem::forget`) leaves the job, and all behind it, waiting for ever: also whoever drains the
/// queue, or drops it.
///
/// ```
/// use btwq::safe::*;
/// use std::sync::Mutex;
///
/// static REQUEST: Mutex<Option<Completion>> = Mutex::new(None);
///
/// struct Read(Mutex<i32>);
///
/// impl StaticJob for Read {
///     fn run(&'static self, running: Running<'_>) {
///         *REQUEST.lock().unwrap() = Some(running.later()); // The device is told to read.
///     }
///     fn ordered(&'static self, status: i32, _: &Queue) {
///         *self.0.lock().unwrap() = status;
///     }
/// }
///
/// static POOL: StaticPool = StaticPool::new();
/// static QUEUE: StaticQueue = StaticQueue::new(&POOL, c"disk");
/// static LOOP: StaticWorker = StaticWorker::new(&POOL);
/// static READ: StaticWork<Read> = StaticWork::new(Read(Mutex::new(0)));
///
/// QUEUE.get().submit(&READ)?;
/// let mut worker = LOOP.take().ok_or("somebody is at it")?;
/// worker.run_until_idle(); // `run` is over, but not the work.
/// assert_eq!(*READ.job().0.lock().unwrap(), 0);
///
/// REQUEST.lock().unwrap().take().ok_or("nothing read")?.complete(-5); // The device has failed.
/// worker.run_until_idle();
/// assert_eq!(*READ.job().0.lock().unwrap(), -5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Memory: of a `SharedQueue` it keeps the memory, and the pool, until it is used; not the queue
/// from being drained: that waits for the completion.
#[derive(Debug)]
pub struct Completion {
    /// The work that is still to be completed.
    header: Option<NonNull<Header>>,
    /// The call that completes the work may still touch the queue's pool when the work is over, and
    /// the queue destroyed.
    #[cfg(feature = "alloc")]
    _memory: Option<Arc<Queue>>,
}

// SAFETY: a work may be completed by any thread, and queues may be used by every one.
unsafe impl Send for Completion {}
// SAFETY: nothing can be done by a shared reference.
unsafe impl Sync for Completion {}

impl Completion {
    /// Says that the job is over, with a status that its `ordered` gets: 0, or a negative number.
    /// Returns nothing. No callback runs in this call.
    ///
    /// Context: threads, and callbacks of all queues; for queues in statics interrupts and signal
    /// handlers too. Lock-free; but if the `SharedQueue`, and everything else that needs its pool, is
    /// gone when this returns, then it frees them, and joins the pool's threads.
    pub fn complete(mut self, status: i32) {
        self.finish(status);
    }

    fn finish(&mut self, status: i32) {
        if let Some(header) = self.header.take() {
            // Not refused: `func` was called, so the work is not cancelled; it is asynchronous, and
            // there was one completion for this life of it, which is taken now.
            // SAFETY: valid until that. Its `func` has begun.
            let _ = unsafe { crate::Queue::complete(header.cast(), status) };
            // The work must not be touched past this point: it may be gone.
        }
    }
}

impl Drop for Completion {
    fn drop(&mut self) {
        self.finish(ABANDONED);
    }
}

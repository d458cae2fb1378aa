//! Works in statics: no heap, and no end, so that they may be submitted again and again.

use core::ptr::NonNull;

use super::queue::Queue;
use super::running::Running;
use super::submit::{Header, Raw};
use crate::error::Error;
use crate::sync::{Atomic, Ordering, const_fn};
use crate::work::{Work, WorkOps};

/// What is to be done, in three steps, for a job that is never freed.
///
/// The job is shared, since whoever sees the static may look at it: what is to be changed is in
/// atomics, or behind a lock of the user's. The methods of one life of the work are called one after
/// the other, each on some worker; each sees what the one before wrote. A panic in one of them
/// aborts the process.
pub trait StaticJob: Sync + Sized + 'static {
    /// The work itself: concurrently with that of other jobs.
    ///
    /// If it begins something that ends later, it takes [`Running::later`], and may return before
    /// that is over.
    ///
    /// Context: on a worker. It may call everything, but not wait for its own queue.
    fn run(&'static self, running: Running<'_>);

    /// What is to be done in order: after `run`, and after the `ordered` of all jobs that were
    /// submitted to the queue before, with the same priority. Never two of those at once.
    ///
    /// `status` is what the job's [`Completion`](super::Completion) was completed with, or 0; `queue`
    /// is the one that the job was submitted to.
    ///
    /// Context: as of `run`.
    fn ordered(&'static self, status: i32, queue: &Queue) {
        let _ = (status, queue);
    }

    /// The end of this life, after `ordered`, in the same order: `work` may be submitted again, from
    /// here or elsewhere, before this has returned too.
    ///
    /// Context: as of `run`.
    fn free(work: &'static StaticWork<Self>, queue: &Queue) {
        let _ = (work, queue);
    }
}

/// A job in a static, with what the queue needs for it. A `&'static` of it can be submitted, by any
/// number of threads: all but one are told [`Error::Busy`], until its `free` is called.
///
/// ```
/// use btwq::safe::*;
/// use std::sync::atomic::{AtomicU32, Ordering};
///
/// struct Blink(AtomicU32);
///
/// impl StaticJob for Blink {
///     fn run(&'static self, _: Running<'_>) {
///         self.0.fetch_add(1, Ordering::Relaxed);
///     }
/// }
///
/// static POOL: StaticPool = StaticPool::new();
/// static QUEUE: StaticQueue = StaticQueue::new(&POOL, c"leds");
/// static LOOP: StaticWorker = StaticWorker::new(&POOL);
/// static BLINK: StaticWork<Blink> = StaticWork::new(Blink(AtomicU32::new(0)));
///
/// QUEUE.get().submit(&BLINK)?;
/// let refused = QUEUE.get().submit(&BLINK).unwrap_err();
/// assert_eq!(refused.error, btwq::Error::Busy);
///
/// let mut worker = LOOP.take().ok_or("somebody is at it")?;
/// assert_eq!(worker.run_until_idle(), 1); // As a main loop does.
/// assert_eq!(BLINK.job().0.load(Ordering::Relaxed), 1);
/// QUEUE.get().submit(&BLINK)?; // Its life is over, and it may have another.
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[repr(C)]
pub struct StaticWork<J: StaticJob> {
    header: Header,
    job: J,
    /// Whether somebody has reserved it, or a queue has it.
    taken: Atomic<u32>,
    high: bool,
}

impl<J: StaticJob> StaticWork<J> {
    const OPS: &'static WorkOps = &WorkOps {
        func: Some(run::<J>),
        ordered_func: Some(ordered::<J>),
        ordered_free: Some(free::<J>),
    };

    const_fn! {
        /// A work of normal priority.
        #[must_use]
        pub const fn new(job: J) -> Self {
            Self { header: Header::new(Self::OPS), job, taken: Atomic::new(0), high: false }
        }
    }

    const_fn! {
        /// A work that goes before those of normal priority, in an order of its own.
        #[must_use]
        pub const fn new_high_priority(job: J) -> Self {
            Self { header: Header::new(Self::OPS), job, taken: Atomic::new(0), high: true }
        }
    }

    /// The job, which may be in any of its methods.
    ///
    /// Context: everywhere. Wait-free.
    #[must_use]
    pub fn job(&self) -> &J {
        &self.job
    }
}

// SAFETY: what is static stays where it is; `taken` lets one in, until it is released.
unsafe impl<J: StaticJob> Raw for &'static StaticWork<J> {
    fn reserve(&self) -> Result<(), Error> {
        // Acquire: pairs with the Release in `release`: what was done with it before is over.
        if self.taken.swap(1, Ordering::Acquire) != 0 {
            return Err(Error::Busy);
        }
        // Not refused: the work is initialised, and not queued, since it was free.
        let _ = self.header.work().set_high_priority(self.high);
        Ok(())
    }

    unsafe fn release(&self) {
        // Release: pairs with the Acquire in `reserve`.
        self.taken.store(0, Ordering::Release);
    }

    fn header(&self) -> NonNull<Header> {
        NonNull::from(*self).cast()
    }
}

/// What a callback's work belongs to.
///
/// # Safety
/// The work's table is that of `J`.
unsafe fn around<J: StaticJob>(work: NonNull<Work>) -> &'static StaticWork<J> {
    // SAFETY: only static works have this table: nothing else can be submitted that has it; and the
    // pointer is that of `header`, by which all of it may be reached.
    unsafe { work.cast::<StaticWork<J>>().as_ref() }
}

unsafe extern "C" fn run<J: StaticJob>(work: NonNull<Work>) {
    // SAFETY: only works of `J` have this table.
    let (this, running) = unsafe { (around::<J>(work), Running::new(work.cast())) };
    this.job.run(running);
}

unsafe extern "C" fn ordered<J: StaticJob>(work: NonNull<Work>) {
    // SAFETY: as in `run`; this is an ordered callback, and has not released the work.
    let (this, status, queue) = unsafe {
        let this = around::<J>(work);
        (this, this.header.work().status(), this.header.queue())
    };
    this.job.ordered(status, queue);
}

unsafe extern "C" fn free<J: StaticJob>(work: NonNull<Work>) {
    // SAFETY: as in `ordered`.
    let (this, queue) = unsafe {
        let this = around::<J>(work);
        (this, this.header.queue())
    };
    // The last callback: the library has done with the work. From here on it may be reserved again.
    // SAFETY: it was reserved when it was submitted, and no queue has it any more.
    unsafe { (&this).release() };
    J::free(this, queue);
}

//! What can be submitted, how it is handed over, and how a refusal gives it back.
//!
//! Each such work begins with a [`Header`], whatever else is behind it: so a callback, which gets
//! the address of a `Work`, finds the header there, and behind that, since it knows its kind, the
//! job.

use core::fmt;
use core::ptr::{self, NonNull};

use super::queue::Queue;
use crate::error::Error;
use crate::sync::{Cell, const_fn};
use crate::work::{Work, WorkOps};

/// A work that can be submitted to a [`Queue`]: a `BoxedWork`, or a `&'static` [`StaticWork`]. There
/// are no others: it can not be implemented elsewhere.
///
/// [`StaticWork`]: super::StaticWork
pub trait Submit: Raw {}

impl<W: Raw> Submit for W {}

/// How a work is handed over, and taken back.
///
/// # Safety
/// `header` is the header of memory that stays where it is, and valid, until `self` is dropped; and
/// all of it may be reached by the pointer. From a `reserve` that succeeds until `release` nobody
/// but the caller touches the header, or submits the work.
pub unsafe trait Raw: Sized {
    /// Makes the work the caller's own.
    ///
    /// # Errors
    /// [`Error::Busy`]: it is somebody's.
    fn reserve(&self) -> Result<(), Error>;

    /// Undoes `reserve`.
    ///
    /// # Safety
    /// The caller has reserved the work, and no queue has it. (Whoever has a `Submit` can call this.)
    unsafe fn release(&self);

    /// Where the work is.
    fn header(&self) -> NonNull<Header>;
}

/// What every work of the safe face begins with.
#[repr(C)]
pub struct Header {
    work: Work,
    /// Where it was submitted last: written by who has reserved it, read by its callbacks.
    queue: Cell<*const Queue>,
}

// SAFETY: `queue` is used by one party at a time, as said above; queues may be used by every thread.
unsafe impl Send for Header {}
// SAFETY: as for Send.
unsafe impl Sync for Header {}

impl Header {
    const_fn! {
        /// Of a work of the kind `ops`.
        pub(super) const fn new(ops: &'static WorkOps) -> Self {
            // SAFETY: a static table.
            Self { work: unsafe { Work::new(ops) }, queue: Cell::new(ptr::null()) }
        }
    }

    /// The work.
    pub(super) fn work(&self) -> &Work {
        &self.work
    }

    /// Notes where the work is about to be submitted.
    ///
    /// # Safety
    /// The caller has reserved the work.
    pub(super) unsafe fn set_queue(&self, queue: &Queue) {
        // SAFETY: reserved.
        unsafe { self.queue.set(queue) };
    }

    /// The queue whose callback the caller is.
    ///
    /// # Safety
    /// The caller is a callback of the work, which was submitted by `Queue::hand_over`, and has not
    /// released it; `'a` does not go beyond the callback.
    pub(super) unsafe fn queue<'a>(&self) -> &'a Queue {
        // SAFETY: set before the submission; a queue is not freed before its callbacks are over.
        unsafe { &*self.queue.get() }
    }
}

/// A submission that was refused, and what was to be submitted.
pub struct Refused<W> {
    /// Why.
    pub error: Error,
    /// The work, as it was.
    pub work: W,
}

impl<W> fmt::Debug for Refused<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refused").field("error", &self.error).finish_non_exhaustive()
    }
}

impl<W> fmt::Display for Refused<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<W> core::error::Error for Refused<W> {}

impl<W> From<Refused<W>> for Error {
    fn from(refused: Refused<W>) -> Self {
        refused.error
    }
}

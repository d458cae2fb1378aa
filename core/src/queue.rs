//! A queue: a place in the order for each work, and a pool to run it.
//!
//! One lane today. The high-priority lane stands beside it as a second [`OrderedList`].

use core::ffi::c_char;
use core::ptr::{self, NonNull};

use crate::error::Error;
use crate::ordered::OrderedList;
use crate::pool::Pool;
use crate::sync::const_fn;
use crate::work::Work;

/// An ordered work queue.
///
/// A queue must stay where it is, and valid, from the first submission until the last of its works
/// has gone and its pool's workers have come out of the call that ran it.
#[repr(C)]
pub struct Queue {
    lane: OrderedList,
    pool: *const Pool,
    name: *const c_char,
}

// SAFETY: `pool` and `name` are constant, the pool may be used from everywhere, and so may the lane.
unsafe impl Send for Queue {}
// SAFETY: as for Send.
unsafe impl Sync for Queue {}

impl Queue {
    const_fn! {
        /// A queue whose works the workers of `pool` run. The name is for traces.
        ///
        /// # Safety
        /// `pool` is valid as long as the queue is used, and `name` is null or a string that ends in
        /// a zero and is valid as long.
        #[must_use]
        pub const unsafe fn new(pool: *const Pool, name: *const c_char) -> Self {
            Self { lane: OrderedList::new(), pool, name }
        }
    }

    /// Queues `work`: its `func` runs on some worker; its ordered callbacks run after that, and after
    /// those of all works queued here before. Lock-free; callable from interrupts and callbacks.
    ///
    /// # Errors
    /// [`Error::Busy`]: it is queued already. [`Error::Invalid`]: it was never initialised, or has no
    /// callback. Nothing has changed then.
    ///
    /// # Safety
    /// `work` is initialised memory that stays valid, and where it is, until the work's last callback
    /// is entered, and the queue as long as its own documentation says. The work belongs to the
    /// caller: nobody else submits it at the same time and then frees it.
    pub unsafe fn submit(&self, work: NonNull<Work>) -> Result<(), Error> {
        // SAFETY: valid, says the caller.
        let this = unsafe { work.as_ref() };
        this.state.submit()?;
        let ops = this.ops().inspect_err(|_| this.state.end())?;
        // SAFETY: in no list yet, so the field is ours.
        unsafe { this.owner.set(ptr::from_ref(self).cast()) };
        let pool = self.pool;
        if ops.is_ordered() {
            // SAFETY: queued, in no list, and known to nobody else.
            unsafe { self.lane.push(work) };
        }
        // Neither the work nor this queue may be dereferenced past this point: the work may run, and
        // be the last one, before the call returns.
        // SAFETY: queued, in no chain; the pool is valid.
        unsafe { (*pool).submit(work) };
        Ok(())
    }

    /// The name, as it was given.
    pub fn name(&self) -> *const c_char {
        self.name
    }

    pub(crate) fn lane(&self) -> &OrderedList {
        &self.lane
    }
}

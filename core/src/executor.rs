//! Where works go that become ready: to the pool's workers, or to an executor of the user's.

use core::ffi::c_void;
use core::ptr::NonNull;

use crate::batch::Batch;
use crate::chain;
use crate::lane::Lane;
use crate::ordered::Turn;
use crate::pool::Pool;
use crate::work::{Func, Work};

/// An executor: a constant table that outlives the queue that names it.
///
/// One that tells running works by (address, function), as the kernel's does, needs a helper for
/// each queue: the memory of a work that is just being freed may be queued elsewhere already, and
/// with one helper for all it would be taken for the work that is still running (9e0af2376434 in
/// Linux).
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Executor {
    /// Arranges for `helper(work)` to be called once, somewhere else: never within this call, which
    /// may come from an interrupt, and must not block.
    pub dispatch: unsafe extern "C" fn(arg: *mut c_void, helper: Func, work: NonNull<Work>),
    /// What is to be called: the queue's own function, which calls
    /// [`helper`](crate::Queue::helper).
    pub helper: Func,
    /// What `dispatch` is given.
    pub arg: *mut c_void,
}

/// Where a queue's ready works go. Stays usable when the queue is gone.
#[derive(Clone, Copy)]
pub(crate) struct Route {
    pub(crate) pool: *const Pool,
    pub(crate) executor: *const Executor,
}

impl Route {
    /// Makes the works of `batch` ready, which go by `lane`. They must not be dereferenced past this
    /// call.
    ///
    /// # Safety
    /// The works are queued and in no other chain, and their `next` is the caller's. The pool and
    /// the executor are valid.
    pub(crate) unsafe fn make_ready(self, lane: Lane, batch: &Batch) {
        // SAFETY: null, or valid.
        match unsafe { self.executor.as_ref() } {
            // SAFETY: as the caller says.
            None => unsafe { (*self.pool).submit(lane, batch) },
            // SAFETY: as the caller says.
            Some(executor) => unsafe { executor.dispatch_all(batch) },
        }
    }

    /// The same for one.
    ///
    /// # Safety
    /// As of `make_ready`.
    pub(crate) unsafe fn make_one_ready(self, lane: Lane, work: NonNull<Work>) {
        // SAFETY: as the caller says.
        unsafe { self.make_ready(lane, &Batch::of(work)) };
    }

    /// Does what is owed after the turn of `lane` has gone where `turn` says.
    ///
    /// # Safety
    /// As of `make_ready`; and the caller is who gave the turn away.
    pub(crate) unsafe fn settle(self, lane: Lane, turn: Turn) {
        match turn {
            Turn::Ended | Turn::Rests => {}
            // SAFETY: handed over: ours, and in no chain.
            Turn::Passed(next) => unsafe { self.make_one_ready(lane, next) },
            Turn::Woke(address) => self.wake(address),
        }
    }

    /// Wakes who sleeps on the word at `address`, which may be gone.
    pub(crate) fn wake(self, address: *const u32) {
        // SAFETY: the pool is valid.
        if let Some(port) = unsafe { (*self.pool).port() } {
            port.wake(address);
        }
    }
}

impl Executor {
    /// # Safety
    /// As of [`Route::make_ready`].
    #[cold]
    unsafe fn dispatch_all(&self, batch: &Batch) {
        // SAFETY: the caller's.
        unsafe { batch.oldest().as_ref().next.set(core::ptr::null_mut()) };
        // SAFETY: the chain is the caller's, and a work is not given away before it is returned.
        for work in unsafe { chain::walk(chain::reverse(batch.newest())) } {
            // SAFETY: the hook is as its documentation says.
            unsafe { (self.dispatch)(self.arg, self.helper, work) };
            // `work` must not be dereferenced past this point.
        }
    }
}

//! A worker's record, and the list of the workers of a pool.
//!
//! | field    | used by                                                                        |
//! |----------|--------------------------------------------------------------------------------|
//! | `slots`  | its worker alone puts a chain there; anybody may take it                       |
//! | `rest`   | whether it sleeps; moved as `sleep.rs` says                                    |
//! | `next`   | written before the record joins the list, constant from then on                |
//! | the rest | its worker alone (`joined` fills a half word, so that C's mirror has no gap)   |
//!
//! The list only grows: a record stays in it, and must stay valid, as long as the pool is used. So
//! everybody may walk it at any time without a lock and without a reclamation scheme. A record
//! whose thread has gone may be taken over by another thread.

use core::ptr::{self, NonNull};

use crate::chain::Chain;
use crate::lane::PerLane;
use crate::sync::{Atomic, AtomicPtr, Cell, Ordering, const_fn};

/// A worker of one pool. Used by one thread at a time; valid as long as the pool is used.
#[repr(C)]
pub struct Worker {
    pub(crate) slots: PerLane<Chain>,
    next: Cell<*const Worker>,
    pub(crate) rest: Atomic<u32>,
    pub(crate) claims: Cell<u8>,
    pub(crate) takes: Cell<u8>,
    joined: Cell<u16>,
}

// SAFETY: the cells are used by one party at a time, as the table above says; the rest is atomic.
unsafe impl Send for Worker {}
// SAFETY: as for Send.
unsafe impl Sync for Worker {}

impl Worker {
    const_fn! {
        /// A worker that has not joined a pool yet: it does so when it first runs something.
        #[must_use]
        pub const fn new() -> Self {
            Self {
                slots: PerLane::new(Chain::new(), Chain::new()),
                next: Cell::new(ptr::null()),
                rest: Atomic::new(crate::sleep::AWAKE),
                claims: Cell::new(0),
                takes: Cell::new(0),
                joined: Cell::new(0),
            }
        }
    }
}

impl Default for Worker {
    fn default() -> Self {
        Self::new()
    }
}

/// The workers of a pool.
#[repr(transparent)]
pub(crate) struct Workers(AtomicPtr<Worker>);

impl Workers {
    const_fn! {
        /// None yet.
        pub(crate) const fn new() -> Self {
            Self(AtomicPtr::new(ptr::null_mut()))
        }
    }

    /// Adds `worker` if it is not there; says whether it was added. Lock-free: each retry means
    /// that another worker has joined.
    ///
    /// # Safety
    /// The caller is the worker's one user, and the record stays valid as long as the list is used.
    pub(crate) unsafe fn join(&self, worker: &Worker) -> bool {
        // SAFETY: the worker's own field.
        if unsafe { worker.joined.get() } != 0 {
            return false;
        }
        let this = ptr::from_ref(worker).cast_mut();
        // Relaxed: a guess, which the compare-and-swap checks.
        let mut seen = self.0.load(Ordering::Relaxed);
        loop {
            // SAFETY: not in the list yet, so the field is ours.
            unsafe { worker.next.set(seen) };
            // Release: pairs with the Acquire in `iter`, and here. Acquire: pairs with the Release
            // here: `behind` walks on from `seen`. Relaxed on failure: another guess.
            match self.0.compare_exchange_weak(seen, this, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => break,
                Err(found) => seen = found,
            }
        }
        // SAFETY: the worker's own field.
        unsafe { worker.joined.set(1) };
        true
    }

    /// All that have joined, the latest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Worker> {
        // Acquire: pairs with the Release in `join`: the record and its `next` are seen.
        self.walk(self.0.load(Ordering::Acquire))
    }

    /// Those that joined before `worker`, which has.
    pub(crate) fn behind(&self, worker: &Worker) -> impl Iterator<Item = &Worker> {
        // SAFETY: constant since it joined. Those behind it were seen when it joined itself.
        self.walk(unsafe { worker.next.get() })
    }

    fn walk(&self, from: *const Worker) -> impl Iterator<Item = &Worker> {
        let mut at = NonNull::new(from.cast_mut());
        core::iter::from_fn(move || {
            // SAFETY: a record in the list stays valid.
            let worker: &Worker = unsafe { at?.as_ref() };
            // SAFETY: constant since it joined.
            at = NonNull::new(unsafe { worker.next.get() }.cast_mut());
            Some(worker)
        })
    }
}

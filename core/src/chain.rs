//! A word that holds a chain of ready works, linked by `next`: pushed to, taken whole, put,
//! touched.
//!
//! Nobody ever follows the `next` of a work that is still in a chain which others can take: a chain
//! is taken *whole*, by a swap, and only then walked. So there is no reclamation problem: who walks
//! a chain owns every work in it.
//!
//! [`Chain::is_empty`], the *touch*, is what makes it safe to go to sleep. It is a
//! read-modify-write that changes nothing: all such steps on one word stand in one order, so that
//! of a sleeper's touch and another party's push or put, one comes second and sees all that the
//! first did before. (That is why it must not be a load: a load may see an old value while the
//! other party sees an old value of the sleeper's announcement too, and both go by. A fence that
//! orders all would do as well, at the price of one in every put.)

use core::ptr::{self, NonNull};

use crate::batch::Batch;
use crate::sync::{AtomicPtr, Ordering, const_fn};
use crate::work::Work;

/// The chain, possibly empty.
#[repr(transparent)]
pub(crate) struct Chain(AtomicPtr<Work>);

impl Chain {
    const_fn! {
        /// An empty one.
        pub(crate) const fn new() -> Self {
            Self(AtomicPtr::new(ptr::null_mut()))
        }
    }

    /// Puts the works of `batch` before all others; says whether there was none. Lock-free: each
    /// retry means that another party has changed the chain.
    ///
    /// # Safety
    /// The works are valid, in no other chain, and their `next` is the caller's.
    pub(crate) unsafe fn push(&self, batch: &Batch) -> bool {
        // Relaxed: a guess, which the compare-and-swap checks.
        let mut seen = self.0.load(Ordering::Relaxed);
        loop {
            // SAFETY: the caller's until the push.
            unsafe { batch.oldest().as_ref().next.set(seen) };
            // Release: pairs with the Acquire in `take`: the taker sees the works. Acquire: pairs
            // with the Release in `is_empty`: if the touch came first, the sleeper is seen. Relaxed
            // on failure: another guess.
            match self.0.compare_exchange_weak(
                seen,
                batch.newest().as_ptr(),
                Ordering::AcqRel,
                Ordering::Relaxed,
            ) {
                Ok(_) => return seen.is_null(),
                Err(found) => seen = found,
            }
        }
    }

    /// Takes all, if there seems to be anything. Wait-free.
    ///
    /// The glance may show an old value. A worker that misses something by it finds out at the
    /// latest when it touches the chain before it sleeps; from then on it sees it.
    pub(crate) fn glance_and_take(&self) -> Option<NonNull<Work>> {
        // Relaxed: a glance, see above.
        if self.0.load(Ordering::Relaxed).is_null() {
            return None;
        }
        // Acquire: pairs with the Release in `push` and in `put`.
        NonNull::new(self.0.swap(ptr::null_mut(), Ordering::Acquire))
    }

    /// Puts a whole chain where there was none. Wait-free.
    ///
    /// # Safety
    /// The chain is the caller's, and so is the right to put one here: nobody else puts or pushes.
    pub(crate) unsafe fn put(&self, chain: NonNull<Work>) {
        // A swap and not a store, so that it stands in one order with the sleepers' touches.
        // Release: pairs with the Acquire in `take`. Acquire: pairs with the Release in `is_empty`.
        let old = self.0.swap(chain.as_ptr(), Ordering::AcqRel);
        debug_assert!(old.is_null(), "two parties put chains into one place");
    }

    /// Touches the chain: whether there is none, for certain, and in one order with all pushes and
    /// puts (see above). Lock-free: each retry means that another party has changed the chain.
    pub(crate) fn is_empty(&self) -> bool {
        let mut seen = ptr::null_mut();
        loop {
            // Release: pairs with the Acquire in `push` and in `put`. Acquire: pairs with the
            // Release of an earlier touch: a worker that has joined, or a stop, is seen. Relaxed on
            // failure: a guess.
            match self.0.compare_exchange_weak(seen, seen, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return seen.is_null(),
                Err(found) => seen = found,
            }
        }
    }
}

/// Turns a chain round, newest first to oldest first.
///
/// # Safety
/// The chain is the caller's.
pub(crate) unsafe fn reverse(newest: NonNull<Work>) -> NonNull<Work> {
    let mut oldest = newest;
    let mut done = ptr::null_mut();
    let mut rest = newest.as_ptr();
    while let Some(work) = NonNull::new(rest) {
        // SAFETY: every work of the chain is valid, and its `next` the caller's.
        unsafe {
            rest = work.as_ref().next.get();
            work.as_ref().next.set(done);
        }
        done = work.as_ptr();
        oldest = work;
    }
    oldest
}

/// The works of a chain. Each is the caller's to change, or to give away, once it was returned.
///
/// # Safety
/// The chain is the caller's.
pub(crate) unsafe fn walk(first: NonNull<Work>) -> impl Iterator<Item = NonNull<Work>> {
    let mut rest = Some(first);
    core::iter::from_fn(move || {
        let work = rest?;
        // SAFETY: every work of the chain is valid, and its `next` the caller's.
        rest = NonNull::new(unsafe { work.as_ref().next.get() });
        Some(work)
    })
}

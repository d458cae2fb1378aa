//! The ordered list of one lane: a push stack, a turn, one drainer.
//!
//! ```text
//!             push (any context)                 retire (the holder of the turn)
//!                  │                                          │
//!                  ▼                                          ▼
//!   stack ──► newest ──► … ──► oldest ──► ACTIVE     front ──► oldest ──► … ──► null
//!                    links, newest to oldest   └─ turned round ─┘  links, oldest to newest
//! ```
//!
//! `stack` is one of
//!
//! - `IDLE` (null): nothing in the lane, and nobody has the turn;
//! - `ACTIVE`: somebody has the turn, and nothing was pushed since the stack was last turned round;
//! - a work: the newest, linked newest to oldest, the oldest one's link being `ACTIVE`.
//!
//! `front` holds the oldest works, turned round already. Only the holder of the turn uses it.
//!
//! The **turn** is the right, and the duty, to retire the next work. There is one exactly when
//! `stack` is not `IDLE`. It is either held by a thread that is inside [`OrderedList::retire`], or
//! rests in the state word of the oldest work, as its `TURN` bit, until that work is finished.
//!
//! Rules:
//!
//! 1. A push publishes works that are linked already, by one compare-and-swap: there is no moment
//!    at which a stopped submitter hides a work that was pushed after its own, and the order of the
//!    works is the order of those steps. A batch is pushed by one such step, and so stands
//!    together.
//! 2. A work that is pushed on an `IDLE` lane (the oldest of a batch) gets the turn from its
//!    submitter, who is the only one to know the work at that time. A work that is pushed on a lane
//!    that is not `IDLE` gets it from the drainer.
//! 3. The turn leaves the drainer by one read-modify-write that is also the last look: setting
//!    `TURN` says whether the work is done meanwhile, and `ACTIVE` to `IDLE` succeeds only if
//!    nothing was pushed meanwhile. So no work is left behind without a turn that is on its way to
//!    it.
//! 4. After the turn has left, the drainer touches nothing of the lane.
//! 5. `front` is stored before the turn leaves, so that the next holder finds it.
//! 6. A drainer that has retired [`BUDGET`] works hands the next one over, with the turn, and
//!    leaves.
//!
//! Why no push ever needs to look at a work that somebody else may free: it compares `stack` with
//! what it has seen there, and *stores* that as its own link, but never follows it. The pointer may
//! meanwhile stand for a work that was freed and pushed again (ABA): it is then again the newest of
//! the chain, which is all that the link claims.

use core::ptr::{self, NonNull};

use crate::batch::Batch;
use crate::state::Owed;
use crate::sync::{AtomicPtr, Cell, IN_MODEL, Ordering, const_fn, model_only};
use crate::work::Work;

/// How many works a drainer retires before it hands the turn over, so that no worker is kept for
/// ever by other people's ordered callbacks.
pub(crate) const BUDGET: usize = if IN_MODEL { 2 } else { 64 };

/// Nothing in the lane.
const IDLE: *mut Work = ptr::null_mut();
/// Somebody has the turn, nothing newly pushed. No work has this address.
const ACTIVE: *mut Work = ptr::without_provenance_mut(1);

/// One lane's order.
#[repr(C)]
pub(crate) struct OrderedList {
    stack: AtomicPtr<Work>,
    front: Cell<*mut Work>,
}

impl OrderedList {
    const_fn! {
        /// An empty lane.
        pub(crate) const fn new() -> Self {
            Self { stack: AtomicPtr::new(IDLE), front: Cell::new(ptr::null_mut()) }
        }
    }

    /// Gives the works of `batch` their places: after all that were pushed before, in their order,
    /// and together. Lock-free: each retry means that another push, or a drainer, has got on.
    ///
    /// # Safety
    /// The works are in state `Queued` and in no list, and the caller is the only one to know them.
    pub(crate) unsafe fn push(&self, batch: &Batch) {
        // Relaxed: a guess, which the compare-and-swap checks.
        let mut seen = self.stack.load(Ordering::Relaxed);
        loop {
            // SAFETY: the links are the submitter's until the push.
            let new = unsafe { link_on(batch, seen) };
            // Release: pairs with the Acquire in `turn_round`, which reads the links and, by way of
            // the states, the rest. The pushes below this one are in the same release sequence.
            // Acquire: pairs with the Release in `leave`: on an idle lane these works' callbacks
            // come after those of the works that ran it empty. Relaxed on failure: another guess.
            match self.stack.compare_exchange_weak(seen, new, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(IDLE) => {
                    // Rule 2. It is not done: nobody has seen it yet.
                    // SAFETY: valid, and ours until it is in the ready list.
                    let owed = unsafe { batch.oldest().as_ref() }.state.take_turn();
                    debug_assert!(owed == Owed::Nothing);
                    return;
                }
                Ok(_) => return,
                Err(found) => seen = found,
            }
        }
    }

    /// Retires `first` and all that is ready behind it, within the budget; then the turn is
    /// somewhere else. A work that is returned is to be retired by somebody else, by a call of this
    /// function: the turn goes with it (rule 6).
    ///
    /// `retire_one` runs a work's ordered callbacks; it is called for the works in their order, by
    /// one caller at a time. Beside those calls this takes a bounded number of steps for each work
    /// that it retires. Neither `first` nor, if nothing is returned, the list may be dereferenced
    /// past this call, unless something else keeps them alive.
    ///
    /// # Safety
    /// The caller holds the turn, `first` is the oldest work, and it is done.
    #[must_use]
    pub(crate) unsafe fn retire(
        &self,
        first: NonNull<Work>,
        retire_one: impl Fn(NonNull<Work>),
    ) -> Option<NonNull<Work>> {
        retire_one(first); // `first` must not be dereferenced past this point.
        for _ in 1..BUDGET {
            // SAFETY: we still hold the turn.
            let next = unsafe { self.pass_turn() }?;
            retire_one(next); // `next` must not be dereferenced past this point.
        }
        // SAFETY: we still hold the turn.
        let next = unsafe { self.pass_turn() }?;
        // SAFETY: done, and not retired.
        let owed = unsafe { next.as_ref() }.state.take_turn();
        debug_assert!(owed == Owed::Retire);
        Some(next)
        // On every way out: nothing of the lane may be touched past this point (rule 4).
    }

    /// Takes the turn to the next work: `Some` if that is done, and so to be retired by the caller.
    ///
    /// # Safety
    /// The caller holds the turn. If the result is `None` he no longer does.
    unsafe fn pass_turn(&self) -> Option<NonNull<Work>> {
        // SAFETY: `front` belongs to the holder of the turn.
        let front = NonNull::new(unsafe { self.front.get() });
        // SAFETY: the caller holds the turn.
        let head = front.or_else(|| unsafe { self.turn_round() })?;
        // SAFETY: the oldest work is not retired, hence valid; its link is the holder's.
        let (state, rest) = unsafe { (&head.as_ref().state, head.as_ref().link.get()) };
        // SAFETY: `front` belongs to the holder of the turn. Stored before the turn leaves: rule 5.
        unsafe { self.front.set(rest) };
        if state.is_done() || state.take_turn() == Owed::Retire {
            return Some(head);
        }
        None // Neither `head` nor the list may be dereferenced past this point (rules 3 and 4).
    }

    /// The oldest of the works pushed meanwhile, linked oldest to newest; or `None`, and the lane
    /// is idle.
    ///
    /// # Safety
    /// The caller holds the turn, and `front` is empty. If the result is `None` he no longer does.
    unsafe fn turn_round(&self) -> Option<NonNull<Work>> {
        if self.leave() {
            return None;
        }
        // Acquire: pairs with the Release of the pushes.
        let mut rest = self.stack.swap(ACTIVE, Ordering::Acquire);
        let mut oldest = ptr::null_mut();
        while let Some(work) = NonNull::new(rest).filter(|_| rest != ACTIVE) {
            // SAFETY: the chain is the holder's of the turn; nothing of it is retired.
            let link = unsafe { &work.as_ref().link };
            // SAFETY: as above.
            unsafe {
                rest = link.get();
                link.set(oldest);
            }
            oldest = work.as_ptr();
        }
        NonNull::new(oldest)
    }

    /// Gives the turn back if nothing was pushed (rule 3).
    fn leave(&self) -> bool {
        // Release: pairs with the Acquire in `push`. Relaxed on failure: `turn_round` looks again.
        self.stack.compare_exchange(ACTIVE, IDLE, Ordering::Release, Ordering::Relaxed).is_ok()
    }
}

/// Links `batch` on what was `seen` in the stack; says what the stack is then.
///
/// # Safety
/// The links of the batch are the caller's.
unsafe fn link_on(batch: &Batch, seen: *mut Work) -> *mut Work {
    let (oldest, second) = (batch.oldest(), batch.second());
    let below_second = match seen {
        IDLE => ACTIVE, // The oldest gets the turn, and stands apart.
        _ => {
            // SAFETY: valid, and the link is the caller's.
            unsafe { oldest.as_ref().link.set(seen) };
            oldest.as_ptr()
        }
    };
    let Some(second) = second else { return below_second };
    // SAFETY: valid, and the link is the caller's.
    unsafe { second.as_ref().link.set(below_second) };
    batch.newest().as_ptr()
}

model_only! {
    impl OrderedList {
        /// Ends the list's life; a use that is not known to have come before is a fault.
        pub(crate) fn revoke(&mut self) {
            self.stack.with_mut(|_| ());
            self.front.revoke();
        }
    }
}

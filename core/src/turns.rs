//! A list of works in the order of their arrival, and the *turn*: the right, and the duty, to take
//! the next one.
//!
//! It serves twice. In `ordered.rs` it is the order of a lane (works linked by `link`), and the turn
//! is the right to retire. In `backlog.rs` it is what waits for a lane's limit (works linked by
//! `next`), and the turn is the right to start.
//!
//! ```text
//!             push (any context)                 next (the holder of the turn)
//!                  │                                          │
//!                  ▼                                          ▼
//!   stack ──► newest ──► … ──► oldest ──► ACTIVE     front ──► oldest ──► … ──► null
//!                    links, newest to oldest   └─ turned round ─┘  links, oldest to newest
//! ```
//!
//! `stack` is one of
//!
//! - `IDLE` (null): nothing in the list, and nobody has the turn;
//! - `ACTIVE`: somebody has the turn, and nothing was pushed since the stack was last turned round;
//! - a work: the newest, linked newest to oldest, the oldest one's link being `ACTIVE`.
//!
//! `front` holds the oldest works, turned round already. Only the holder of the turn uses it.
//!
//! Rules:
//!
//! 1. A push publishes works that are linked already, by one compare-and-swap: there is no moment
//!    at which a stopped submitter hides a work that was pushed after its own, and the order of the
//!    works is the order of those steps. A batch is pushed by one such step, and so stands
//!    together.
//! 2. There is a turn exactly when `stack` is not `IDLE`. A push on an `IDLE` list makes it: the
//!    turn is then the pusher's, and the oldest of what he pushed is in his hand, not in the list.
//! 3. The turn ends by one read-modify-write that is also the last look: `ACTIVE` to `IDLE` succeeds
//!    only if nothing was pushed meanwhile. So no work is left behind without a turn. Whoever has
//!    ended the turn, or given it to somebody else, touches nothing of the list any more.
//! 4. `front` is stored before the turn can leave, so that the next holder finds it.
//!
//! Why no push ever needs to look at a work that somebody else may free: it compares `stack` with
//! what it has seen there, and *stores* that as its own link, but never follows it. The pointer may
//! meanwhile stand for a work that was freed and pushed again (ABA): it is then again the newest of
//! the chain, which is all that the link claims.

use core::marker::PhantomData;
use core::ptr::{self, NonNull};

use crate::batch::Batch;
use crate::sync::{AtomicPtr, Cell, Ordering, const_fn, model_only};
use crate::work::Work;

/// Nothing in the list.
const IDLE: *mut Work = ptr::null_mut();
/// Somebody has the turn, nothing newly pushed. No work has this address.
const ACTIVE: *mut Work = ptr::without_provenance_mut(1);

/// Which field of a work links it.
pub(crate) trait By {
    /// The field.
    fn field(work: &Work) -> &Cell<*mut Work>;
}

/// By `link`.
pub(crate) struct ByLink;

impl By for ByLink {
    fn field(work: &Work) -> &Cell<*mut Work> {
        &work.link
    }
}

/// By `next`.
pub(crate) struct ByNext;

impl By for ByNext {
    fn field(work: &Work) -> &Cell<*mut Work> {
        &work.next
    }
}

/// The list.
#[repr(C)]
pub(crate) struct Turns<B> {
    stack: AtomicPtr<Work>,
    front: Cell<*mut Work>,
    by: PhantomData<B>,
}

impl<B: By> Turns<B> {
    const_fn! {
        /// An empty list.
        pub(crate) const fn new() -> Self {
            Self { stack: AtomicPtr::new(IDLE), front: Cell::new(ptr::null_mut()), by: PhantomData }
        }
    }

    /// Puts the works of `batch` behind all that were pushed before, in their order, and together.
    /// True if the turn is the caller's (rule 2), with the oldest of the batch in his hand.
    /// Lock-free: each retry means that another push, or the holder of the turn, has got on.
    ///
    /// # Safety
    /// The works are queued and in no list of this kind, and the caller is the only one to know
    /// their fields of this kind.
    #[must_use]
    pub(crate) unsafe fn push(&self, batch: &Batch) -> bool {
        // Relaxed: a guess, which the compare-and-swap checks.
        let mut seen = self.stack.load(Ordering::Relaxed);
        loop {
            // SAFETY: the links are the submitter's until the push.
            let new = unsafe { link_on::<B>(batch, seen) };
            // Release: pairs with the Acquire in `turn_round`, which reads the links and, by way of
            // the states, the rest. The pushes below this one are in the same release sequence.
            // Acquire: pairs with the Release in `leave`: on an idle list what the holder of this
            // turn does comes after what the last one did. Relaxed on failure: another guess.
            match self.stack.compare_exchange_weak(seen, new, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(old) => return old == IDLE,
                Err(found) => seen = found,
            }
        }
    }

    /// The oldest, taken out of the list; or `None`, and the turn has ended.
    ///
    /// # Safety
    /// The caller has the turn. If the result is `None` he no longer has it.
    pub(crate) unsafe fn next(&self) -> Option<NonNull<Work>> {
        // SAFETY: `front` belongs to the holder of the turn.
        let front = NonNull::new(unsafe { self.front.get() });
        // SAFETY: the caller has the turn.
        let oldest = front.or_else(|| unsafe { self.turn_round() })?;
        // SAFETY: what is in the list is valid; its link is the holder's; and so is `front`, which
        // is stored before the turn leaves (rule 4).
        unsafe { self.front.set(B::field(oldest.as_ref()).get()) };
        Some(oldest)
    }

    /// The oldest of the works pushed meanwhile, linked oldest to newest; or `None`, and the turn
    /// has ended.
    ///
    /// # Safety
    /// The caller has the turn, and `front` is empty. If the result is `None` he no longer has it.
    unsafe fn turn_round(&self) -> Option<NonNull<Work>> {
        if self.leave() {
            return None;
        }
        // Acquire: pairs with the Release of the pushes.
        let mut rest = self.stack.swap(ACTIVE, Ordering::Acquire);
        let mut oldest = ptr::null_mut();
        while let Some(work) = NonNull::new(rest).filter(|_| rest != ACTIVE) {
            // SAFETY: the chain belongs to the holder of the turn, and what is in it is valid.
            let link = unsafe { B::field(work.as_ref()) };
            // SAFETY: as above.
            unsafe {
                rest = link.get();
                link.set(oldest);
            }
            oldest = work.as_ptr();
        }
        NonNull::new(oldest)
    }

    /// Ends the turn if nothing was pushed (rule 3).
    fn leave(&self) -> bool {
        // Release: pairs with the Acquire in `push` and in `is_idle`. Relaxed on failure:
        // `turn_round` looks again.
        self.stack.compare_exchange(ACTIVE, IDLE, Ordering::Release, Ordering::Relaxed).is_ok()
    }

    /// Whether there is nothing in the list, and nobody has the turn. What was done in turns before
    /// is seen then.
    pub(crate) fn is_idle(&self) -> bool {
        // Acquire: pairs with the Release in `leave`.
        self.stack.load(Ordering::Acquire) == IDLE
    }
}

/// Links `batch` on what was `seen` in the stack; says what the stack is then.
///
/// # Safety
/// The links of the batch are the caller's.
unsafe fn link_on<B: By>(batch: &Batch, seen: *mut Work) -> *mut Work {
    let (oldest, second) = (batch.oldest(), batch.second());
    let below_second = match seen {
        IDLE => ACTIVE, // The oldest stays in the pusher's hand (rule 2).
        _ => {
            // SAFETY: valid, and the link is the caller's.
            unsafe { B::field(oldest.as_ref()).set(seen) };
            oldest.as_ptr()
        }
    };
    let Some(second) = second else { return below_second };
    // SAFETY: valid, and the link is the caller's.
    unsafe { B::field(second.as_ref()).set(below_second) };
    batch.newest().as_ptr()
}

model_only! {
    impl<B> Turns<B> {
        /// Ends the list's life; a use that is not known to have come before is a fault.
        pub(crate) fn revoke(&mut self) {
            self.stack.with_mut(|_| ());
            self.front.revoke();
        }
    }
}

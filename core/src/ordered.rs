//! The ordered list: who retires which work, and when.
//!
//! The list itself, and the *turn*, are those of `turns.rs`; here the turn is the right, and the
//! duty, to retire the next work. It is either held by a thread that is inside
//! [`OrderedList::retire`], or rests in the state word of the oldest work, as its `TURN` bit, until
//! that work is done.
//!
//! Rules:
//!
//! 1. A work that is pushed on an idle lane (the oldest of a batch) gets the turn from its
//!    submitter, who is the only one to know the work at that time. A work that is pushed on a lane
//!    that is not idle gets it from the drainer.
//! 2. The turn leaves the drainer by one read-modify-write that is also the last look: setting
//!    `TURN` says whether the work is done meanwhile. After the turn has left, the drainer touches
//!    nothing of the lane.
//! 3. A drainer that has retired [`BUDGET`] works hands the next one over, with the turn, and
//!    leaves.
//! 4. Who *stands* in the order, by a barrier of his own, gets the turn like a work that is never
//!    done: everything before him is retired then, and every drainer has left the lane. He gives
//!    the turn on by [`OrderedList::pass_on`].
//! 5. A *messenger* is retired where it is found, and never handed over: nobody but the drainers, and
//!    who has sent it, knows of it.

use core::ptr::NonNull;

use crate::batch::Batch;
use crate::state::Owed;
use crate::sync::{IN_MODEL, const_fn, model_only};
use crate::turns::{ByLink, Turns};
use crate::work::Work;

/// How many works a drainer retires before it hands the turn over, so that no worker is kept for
/// ever by other people's ordered callbacks.
pub(crate) const BUDGET: usize = if IN_MODEL { 2 } else { 64 };

/// One lane's order.
#[repr(transparent)]
pub(crate) struct OrderedList(Turns<ByLink>);

/// Where the turn has gone, and what its last holder still owes.
#[must_use]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Turn {
    /// There is none any more: the lane has run empty.
    Ended,
    /// It rests in the oldest work, which is not done.
    Rests,
    /// This work is done, and its turn has come: it is to be retired by a call of
    /// [`OrderedList::retire`], by the caller or by somebody in his place.
    Passed(NonNull<Work>),
    /// Somebody stands there, who is to be woken by this address.
    Woke(*const u32),
}

/// Why the oldest work is visited.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Visit {
    /// It is to be retired.
    Retire,
    /// It has become the oldest, and is not done.
    Wait,
}

impl OrderedList {
    const_fn! {
        /// An empty lane.
        pub(crate) const fn new() -> Self {
            Self(Turns::new())
        }
    }

    /// Gives the works of `batch` their places: after all that were pushed before, in their order,
    /// and together. True if the turn has come to the oldest. Lock-free, as [`Turns::push`].
    ///
    /// # Safety
    /// The works are in state `Queued` and in no list, and the caller is the only one to know them.
    pub(crate) unsafe fn push(&self, batch: &Batch) -> bool {
        // SAFETY: as the caller says.
        let ours = unsafe { self.0.push(batch) };
        if ours {
            // Rule 1. A work is not done: nobody has seen it yet.
            // SAFETY: valid, and ours until it is in the ready list.
            let _ = unsafe { batch.oldest().as_ref() }.state.take_turn();
        }
        ours
    }

    /// Retires `first` and what is ready behind it, `budget` works at most; says where the turn is
    /// then.
    ///
    /// `visit` is called by one caller at a time: to retire a work, for the works in their order;
    /// and with the oldest work when it has become that, and is not done. Beside those calls this
    /// takes a bounded number of steps for each work that it retires. Neither `first` nor the list
    /// may be dereferenced past this call, unless something else keeps them alive.
    ///
    /// # Safety
    /// The caller holds the turn, `first` is the oldest work, and it is done.
    pub(crate) unsafe fn retire(
        &self,
        first: NonNull<Work>,
        budget: usize,
        visit: impl Fn(Visit, NonNull<Work>),
    ) -> Turn {
        visit(Visit::Retire, first); // `first` must not be dereferenced past this point.
        for _ in 1..budget {
            // SAFETY: we still hold the turn.
            match unsafe { self.next(&visit) } {
                // Not to be dereferenced past this point.
                Turn::Passed(next) => visit(Visit::Retire, next),
                gone => return gone,
            }
        }
        // SAFETY: we still hold the turn.
        unsafe { self.pass_on(visit) }
        // Nothing of the lane may be touched past this point (rule 2).
    }

    /// Gives the turn to the next work, by its state, also if that is done: it is handed over then.
    /// `visit` is called for the messengers before it.
    ///
    /// # Safety
    /// The caller holds the turn; he no longer does after this.
    pub(crate) unsafe fn pass_on(&self, visit: impl Fn(Visit, NonNull<Work>)) -> Turn {
        loop {
            // SAFETY: we still hold the turn.
            let turn = unsafe { self.next(&visit) };
            let Turn::Passed(next) = turn else { return turn };
            // SAFETY: done, and not retired.
            let state = unsafe { &next.as_ref().state };
            if !state.look().is_barrier() {
                let owed = state.take_turn();
                debug_assert!(owed == Owed::Retire);
                return turn;
            }
            visit(Visit::Retire, next); // Rule 5. Not to be dereferenced past this point.
        }
    }

    /// Takes the turn to the next work.
    ///
    /// # Safety
    /// The caller holds the turn. Unless it is passed to a work that is done he no longer does.
    unsafe fn next(&self, visit: &impl Fn(Visit, NonNull<Work>)) -> Turn {
        // SAFETY: the caller holds the turn.
        let Some(head) = (unsafe { self.0.next() }) else { return Turn::Ended };
        // SAFETY: the oldest work is not retired, hence valid.
        let state = unsafe { &head.as_ref().state };
        if state.is_done() {
            return Turn::Passed(head);
        }
        visit(Visit::Wait, head);
        let address = state.address();
        match state.take_turn() {
            Owed::Retire => Turn::Passed(head),
            // Neither `head` nor the list may be dereferenced past this point (rule 2).
            Owed::Nothing => Turn::Rests,
            Owed::Wake => Turn::Woke(address),
        }
    }

    /// Whether nothing is in the lane. What the ordered callbacks wrote is seen then.
    pub(crate) fn is_idle(&self) -> bool {
        self.0.is_idle()
    }
}

model_only! {
    impl OrderedList {
        /// Ends the list's life; a use that is not known to have come before is a fault.
        pub(crate) fn revoke(&mut self) {
            self.0.revoke();
        }
    }
}

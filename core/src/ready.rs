//! The ready list: works that wait for a worker.
//!
//! ```text
//!   submit (anybody)                   claim (worker A)
//!        │ push                         │ 1 its own slot   2 the inbox   3 another's slot
//!        ▼                              ▼
//!   inbox ──► newest ──► … ──► oldest      A.slot ──► oldest ──► …      B.slot ──► oldest ──► …
//!        (one compare-and-swap)            (takes a chain whole, keeps its first, puts the rest)
//! ```
//!
//! Rules:
//!
//! 1. Submission is one compare-and-swap on the inbox: never full, nothing half-done, nothing
//!    allocated.
//! 2. A claimer takes a chain whole (by a swap), keeps the first of it, and puts the rest into its
//!    own slot, where everybody else may take it. Only a slot's own worker puts something there, and
//!    only after having found it empty, so a put never meets a chain.
//! 3. A chain stands oldest first in a slot. What is in a slot is older than what was in the inbox
//!    when it was taken; a single worker therefore runs the works in the order of submission.
//! 4. A worker that is stopped between its swap and its put holds back the chain in its hand and
//!    nothing else; one that is stopped anywhere else holds back at most the one work it runs.
//! 5. Every [`OTHERS_FIRST`]th time that a worker's own slot is empty it looks at the others' before
//!    the inbox: so a chain whose worker is stuck in a long callback, or has gone, is taken up even
//!    if the inbox never runs empty.
//!
//! The order among ready works is a matter of fairness only; what the spec calls order is the
//! ordered list's business.

use core::ptr::{self, NonNull};

use crate::chain::{Chain, reverse};
use crate::sync::const_fn;
use crate::work::Work;
use crate::worker::{Worker, Workers};

/// How often (in times of finding its own slot empty) a worker looks at other slots first.
const OTHERS_FIRST: u16 = 8;

/// The ready list of a pool: the inbox. The slots are in the workers' records.
#[repr(transparent)]
pub(crate) struct Ready {
    inbox: Chain,
}

/// A work that is now the caller's to run.
#[must_use]
pub(crate) struct Claim {
    /// The work.
    pub(crate) work: NonNull<Work>,
    /// Whether there were more, which have been put where other workers find them.
    pub(crate) more: bool,
}

impl Ready {
    const_fn! {
        /// Nothing ready.
        pub(crate) const fn new() -> Self {
            Self { inbox: Chain::new() }
        }
    }

    /// Makes `work` ready; says whether the inbox was empty. `work` must not be dereferenced past
    /// this call.
    ///
    /// # Safety
    /// `work` is queued, in no chain, and its `next` is the caller's.
    pub(crate) unsafe fn submit(&self, work: NonNull<Work>) -> bool {
        // SAFETY: as the caller says.
        unsafe { self.inbox.push(work) }
    }

    /// The next work for `me`.
    ///
    /// # Safety
    /// The caller is the one user of `me`, which is in `workers`.
    pub(crate) unsafe fn claim(&self, me: &Worker, workers: &Workers) -> Option<Claim> {
        // SAFETY: as the caller says.
        let first = unsafe { self.take(me, workers) }?;
        // SAFETY: the chain is ours, and its first work valid.
        let rest = NonNull::new(unsafe { first.as_ref().next.get() });
        if let Some(rest) = rest {
            // SAFETY: ours, and our slot, which is empty since `take` (rule 2).
            unsafe { me.slot.put(rest) };
        }
        Some(Claim { work: first, more: rest.is_some() })
    }

    /// A whole chain for `me`, oldest first, whose own slot is empty then.
    ///
    /// # Safety
    /// As of `claim`.
    unsafe fn take(&self, me: &Worker, workers: &Workers) -> Option<NonNull<Work>> {
        if !me.slot.seems_empty() {
            // Only others take from our slot, and only we put: it is empty after this, whoever won.
            if let Some(chain) = me.slot.take() {
                return Some(chain);
            }
        }
        // SAFETY: the worker's own field.
        let takes = unsafe { me.takes.get() }.wrapping_add(1);
        // SAFETY: the worker's own field.
        unsafe { me.takes.set(takes) };
        match takes % OTHERS_FIRST {
            0 => take_from_others(me, workers).or_else(|| self.take_inbox()),
            _ => self.take_inbox().or_else(|| take_from_others(me, workers)),
        }
    }

    /// What was submitted, oldest first.
    fn take_inbox(&self) -> Option<NonNull<Work>> {
        // Taken without a glance before: a worker that was woken for a work must see it.
        let newest = self.inbox.take()?;
        // SAFETY: the chain is ours.
        Some(unsafe { reverse(newest) })
    }

    /// Whether nothing is ready, for a worker that has announced that it will sleep: it and whoever
    /// makes something ready later stand in one order (see `chain.rs`).
    pub(crate) fn touch(&self, me: &Worker, workers: &Workers) -> bool {
        self.touch_inbox() && workers.iter().all(|w| ptr::eq(w, me) || w.slot.touch())
    }

    /// The same for the inbox alone.
    pub(crate) fn touch_inbox(&self) -> bool {
        self.inbox.touch()
    }

    /// Lets `me` look at the inbox before anything else when it has slept.
    ///
    /// # Safety
    /// The caller is the one user of `me`.
    pub(crate) unsafe fn inbox_next(me: &Worker) {
        // SAFETY: the worker's own field.
        unsafe { me.takes.set(0) };
    }
}

/// Another worker's chain.
fn take_from_others(me: &Worker, workers: &Workers) -> Option<NonNull<Work>> {
    workers.iter().filter(|w| !ptr::eq(*w, me) && !w.slot.seems_empty()).find_map(|w| w.slot.take())
}

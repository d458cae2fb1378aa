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
//! There is an inbox for each lane, and in each worker a slot for each lane.
//!
//! Rules:
//!
//! 1. Submission is one compare-and-swap on an inbox: never full, nothing half-done, nothing
//!    allocated.
//! 2. A claimer takes a chain whole (by a swap), keeps the first of it, and puts the rest into its
//!    own slot, where everybody else may take it. Only a slot's own worker puts something there,
//!    and only after having found it empty, so a put never meets a chain.
//! 3. A chain stands oldest first in a slot. What is in a slot is older than what was in the inbox
//!    when it was taken; a single worker therefore runs the works of a lane in the order of
//!    submission.
//! 4. A worker that is stopped between its swap and its put holds back the chain in its hand and
//!    nothing else; one that is stopped anywhere else holds back at most the one work it runs.
//! 5. Every [`OTHERS_FIRST`]th time that a worker's own slot is empty it looks at the others'
//!    before the inbox, beginning behind itself in the list of workers: so a chain whose worker is
//!    stuck in a long callback, or has gone, is taken up even if the inbox never runs empty, and
//!    even if others keep chains of their own in their slots. (Were all to begin at the head of the
//!    list, two busy workers there could take each other's for ever.)
//! 6. A worker prefers the high lane, but every [`NORMAL_FIRST`]th of its claims prefers the normal
//!    one: so of any eight works that a worker claims one is a normal work, if any is ready.
//! 7. `high` counts the works of the high lane that are ready. It is raised before they are pushed,
//!    and lowered when they have been claimed, so while it is 0 there is nothing to look for. It is
//!    a hint: a worker that reads an old value finds out before it sleeps, when it touches both
//!    lanes.
//!
//! The order among ready works is a matter of fairness only; what the spec calls order is the
//! ordered list's business.

use core::ptr::{self, NonNull};

use crate::batch::Batch;
use crate::chain::{Chain, reverse};
use crate::lane::{Lane, PerLane};
use crate::sync::{AtomicUsize, Cell, IN_MODEL, Ordering, const_fn};
use crate::work::Work;
use crate::worker::{Worker, Workers};

/// How often (in times of finding its own slot empty) a worker looks at other slots first. Odd,
/// since an idle worker looks at the two lanes in turns.
const OTHERS_FIRST: u8 = if IN_MODEL { 2 } else { 7 };
/// How often (in claims) a worker looks at the normal lane first.
const NORMAL_FIRST: u8 = 8;

/// The ready list of a pool: the inboxes. The slots are in the workers' records.
#[repr(C)]
pub(crate) struct Ready {
    inboxes: PerLane<Chain>,
    high: AtomicUsize,
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
            Self { inboxes: PerLane::new(Chain::new(), Chain::new()), high: AtomicUsize::new(0) }
        }
    }

    /// Makes the works of `batch` ready, all of which go by `lane`; says whether its inbox was
    /// empty. The works must not be dereferenced past this call.
    ///
    /// # Safety
    /// The works are queued, in no other chain, and their `next` is the caller's.
    pub(crate) unsafe fn submit(&self, lane: Lane, batch: &Batch) -> bool {
        if lane == Lane::High {
            // Relaxed: the push publishes it (rule 7).
            self.high.fetch_add(batch.len(), Ordering::Relaxed);
        }
        // SAFETY: as the caller says.
        unsafe { self.inboxes.of(lane).push(batch) }
    }

    /// The next work for `me`.
    ///
    /// # Safety
    /// The caller is the one user of `me`, which is in `workers`.
    pub(crate) unsafe fn claim(&self, me: &Worker, workers: &Workers) -> Option<Claim> {
        // SAFETY: as the caller says.
        let from = |lane| unsafe { self.claim_from(lane, me, workers) };
        // Relaxed: a hint (rule 7).
        if self.high.load(Ordering::Relaxed) == 0 {
            return from(Lane::Normal);
        }
        // SAFETY: the worker's own field.
        let normal = match unsafe { count(&me.claims) } % NORMAL_FIRST {
            0 => from(Lane::Normal),
            _ => None,
        };
        if normal.is_some() {
            return normal;
        }
        let Some(claim) = from(Lane::High) else { return from(Lane::Normal) };
        // Relaxed: a hint (rule 7).
        self.high.fetch_sub(1, Ordering::Relaxed);
        Some(claim)
    }

    /// The next work of a lane.
    ///
    /// # Safety
    /// As of `claim`.
    unsafe fn claim_from(&self, lane: Lane, me: &Worker, workers: &Workers) -> Option<Claim> {
        // SAFETY: as the caller says.
        let first = unsafe { self.take(lane, me, workers) }?;
        // SAFETY: the chain is ours, and its first work valid.
        let rest = NonNull::new(unsafe { first.as_ref().next.get() });
        if let Some(rest) = rest {
            // SAFETY: ours, and our slot, which is empty since `take` (rule 2).
            unsafe { me.slots.of(lane).put(rest) };
        }
        Some(Claim { work: first, more: rest.is_some() })
    }

    /// A whole chain for `me`, oldest first, whose own slot is empty then.
    ///
    /// # Safety
    /// As of `claim`.
    unsafe fn take(&self, lane: Lane, me: &Worker, workers: &Workers) -> Option<NonNull<Work>> {
        let slot = me.slots.of(lane);
        // Only others take from our slot, and only we put: it is empty after this, whoever won.
        if let Some(chain) = slot.glance_and_take() {
            return Some(chain);
        }
        // SAFETY: the worker's own field.
        match unsafe { count(&me.takes) } % OTHERS_FIRST {
            0 => take_from(lane, workers.behind(me))
                .or_else(|| take_from(lane, workers.iter()))
                .or_else(|| self.take_inbox(lane)),
            _ => self.take_inbox(lane).or_else(|| take_from(lane, workers.iter())),
        }
    }

    /// What was submitted, oldest first.
    fn take_inbox(&self, lane: Lane) -> Option<NonNull<Work>> {
        let newest = self.inboxes.of(lane).glance_and_take()?;
        // SAFETY: the chain is ours.
        Some(unsafe { reverse(newest) })
    }

    /// Whether nothing is ready; by touching everything, for a worker that has announced that it
    /// will sleep: it and whoever makes something ready later stand in one order (see `chain.rs`).
    pub(crate) fn is_empty(&self, me: &Worker, workers: &Workers) -> bool {
        let others = |w: &Worker| ptr::eq(w, me) || w.slots.both().into_iter().all(Chain::is_empty);
        self.inboxes.both().into_iter().all(Chain::is_empty) && workers.iter().all(others)
    }

    /// Touches what every sleeper touches: for news that is no work.
    pub(crate) fn touch(&self) {
        self.inboxes.of(Lane::High).is_empty();
    }
}

/// Counts one more.
///
/// # Safety
/// The cell is the caller's.
unsafe fn count(cell: &Cell<u8>) -> u8 {
    // SAFETY: as the caller says.
    unsafe {
        cell.set(cell.get().wrapping_add(1));
        cell.get()
    }
}

/// The chain of one of these workers. (The slot of who asks is empty.)
fn take_from<'a>(
    lane: Lane,
    mut workers: impl Iterator<Item = &'a Worker>,
) -> Option<NonNull<Work>> {
    workers.find_map(|w| w.slots.of(lane).glance_and_take())
}

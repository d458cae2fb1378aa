//! A queue's control: limits, and the counts that statistics and bounds are made of. Optional: a
//! queue without one pays a branch.
//!
//! | count      | goes up                               | by whom                                  |
//! |------------|---------------------------------------|------------------------------------------|
//! | `queued`   | before a work is pushed to the backlog| the submitter                            |
//! | `started`  | when a work may start                 | the holder of the right to start         |
//! | `freed`    | when its last callback has returned   | who called it                            |
//! | `in_flight`| up before all that, down after it     | the submitter; who called the last one   |
//!
//! The first three only grow, modulo 2^32, and each is at most what the one before it is: so their
//! differences are how many works there are between. They are read in the opposite order, each by an
//! Acquire that pairs with the Release by which it grows: so nothing is seen to be freed that is not
//! seen to have started, and nothing started that is not seen to be queued.

use core::ptr::{self, NonNull};

use crate::batch::Batch;
use crate::error::Error;
use crate::lane::{Lane, PerLane};
use crate::limit::{Limit, THRESHOLD};
use crate::sync::{Atomic, AtomicPtr, Ordering, const_fn};
use crate::turns::{ByNext, Turns};
use crate::work::Work;

/// What a queue may have beside its order: limits, and counts. For one queue, and as long as that.
#[repr(C)]
pub struct Control {
    lanes: PerLane<LaneControl>,
    in_flight: Atomic<u32>,
    bound: Atomic<u32>,
    threshold: Atomic<u32>,
    /// For faces in other languages: what tells an initialised one.
    tag: u32,
}

/// The same for one lane.
#[repr(C)]
struct LaneControl {
    backlog: Turns<ByNext>,
    limit: Limit,
    head: AtomicPtr<Work>,
    moved: Atomic<u32>,
    queued: Atomic<u32>,
    started: Atomic<u32>,
    freed: Atomic<u32>,
    largest: Atomic<u32>,
    /// So that there is no gap at the end.
    spare: u32,
}

// SAFETY: the cells in the limits and backlogs are used by the holder of the right to start; the
// rest is atomic.
unsafe impl Send for Control {}
// SAFETY: as for Send.
unsafe impl Sync for Control {}

/// How a lane stands. Each number was right at some moment during the call.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stats {
    /// Works queued, whose `func` has not started.
    pub pending: u32,
    /// Works whose `func` is running.
    pub running: u32,
    /// Works whose `func` has returned, and that are not freed: they wait for their turn, or for
    /// their completion.
    pub waiting: u32,
    /// Works freed so far, modulo 2^32.
    pub done: u32,
    /// How many may run at once at present.
    pub current_active: u32,
    /// How many may run at once at most.
    pub limit_active: u32,
    /// The largest number of works that were pending at once.
    pub largest_backlog: u32,
    /// For how many ticks the oldest work has been the oldest; 0 if there is none.
    pub head_age: u32,
}

/// Whether a work may start.
#[must_use]
pub(crate) enum Admission {
    /// It may. The next one, if there is any, is to be made ready, with the right to start.
    Admitted(Option<NonNull<Work>>),
    /// It is parked, and must not be touched any more.
    Parked,
}

impl Control {
    const_fn! {
        /// No bound, no threshold, and the largest limit.
        #[must_use]
        pub const fn new() -> Self {
            Self {
                lanes: PerLane::new(LaneControl::new(), LaneControl::new()),
                in_flight: Atomic::new(0),
                bound: Atomic::new(0),
                threshold: Atomic::new(0),
                tag: 0,
            }
        }
    }

    /// Counts `n` works as being in flight.
    pub(crate) fn hold(&self, n: u32) {
        // Relaxed: a number.
        self.in_flight.fetch_add(n, Ordering::Relaxed);
    }

    /// The same for one, if the bound allows it.
    ///
    /// # Errors
    /// [`Error::Again`]: it does not.
    pub(crate) fn try_hold(&self) -> Result<(), Error> {
        // Relaxed, here and below: numbers. Who sees room sees what was freed by way of that work.
        let bound = self.bound.load(Ordering::Relaxed);
        if bound == 0 {
            self.hold(1);
            return Ok(());
        }
        let mut seen = self.in_flight.load(Ordering::Relaxed);
        while seen < bound {
            let (new, order) = (seen + 1, Ordering::Relaxed);
            match self.in_flight.compare_exchange(seen, new, order, order) {
                Ok(_) => return Ok(()),
                Err(found) => seen = found,
            }
        }
        Err(Error::Again)
    }

    /// Undoes a `hold` of one.
    pub(crate) fn unhold(&self) {
        // Relaxed: a number.
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
    }

    /// Puts `batch` into the backlog. Returns the work that is to be made ready, with the right to
    /// start, if that is the caller's.
    ///
    /// # Safety
    /// As of [`Turns::push`].
    #[must_use]
    pub(crate) unsafe fn push(&self, lane: Lane, batch: &Batch) -> Option<NonNull<Work>> {
        let this = self.lanes.of(lane);
        // At most 2^32 works are in flight.
        let n = u32::try_from(batch.len()).unwrap_or(u32::MAX);
        // Relaxed: a number.
        this.queued.fetch_add(n, Ordering::Relaxed);
        raise(&this.largest, this.pending());
        // SAFETY: as the caller says.
        unsafe { this.backlog.push(batch) }.then(|| batch.oldest())
    }

    /// Whether `work` may start.
    ///
    /// # Safety
    /// The caller has claimed `work`, and with it the right to start; he no longer has it then.
    pub(crate) unsafe fn admit(&self, lane: Lane, work: NonNull<Work>) -> Admission {
        let this = self.lanes.of(lane);
        // SAFETY: the right is the caller's.
        if !unsafe { this.limit.enter(work) } {
            return Admission::Parked;
        }
        // Release: pairs with the Acquire in `pending` and `stats`. Only we count what has started.
        let started = this.started.fetch_add(1, Ordering::Release).wrapping_add(1);
        // Relaxed, both: numbers; what has started was queued before.
        let threshold = self.threshold.load(Ordering::Relaxed);
        if threshold != 0 {
            let pending = this.queued.load(Ordering::Relaxed).wrapping_sub(started);
            // SAFETY: the right is the caller's.
            unsafe { this.limit.adapt(pending, threshold) };
        }
        // SAFETY: the right is the caller's; here he gives it on.
        Admission::Admitted(unsafe { this.backlog.next() })
    }

    /// A work that was admitted runs no longer. Returns the work that is to be made ready in its
    /// place, if any.
    #[must_use]
    pub(crate) fn release(&self, lane: Lane) -> Option<NonNull<Work>> {
        self.lanes.of(lane).limit.leave()
    }

    /// The last callback of a work has returned.
    pub(crate) fn free(&self, lane: Lane) {
        // Release: pairs with the Acquire in `stats`.
        self.lanes.of(lane).freed.fetch_add(1, Ordering::Release);
        self.unhold();
    }

    /// The oldest work of a lane is this one, or none that counts, from `now` on. The address is kept
    /// to be shown, not to be used.
    pub(crate) fn note_head(&self, lane: Lane, head: *mut Work, now: u32) {
        let this = self.lanes.of(lane);
        // Relaxed, both: for statistics.
        this.moved.store(now, Ordering::Relaxed);
        this.head.store(head, Ordering::Relaxed);
    }

    /// The oldest work of a lane as an address, and for how long it has been that; or that what was
    /// noted last was none.
    pub(crate) fn head(&self, lane: Lane, now: u32) -> Option<(*mut Work, u32)> {
        let this = self.lanes.of(lane);
        // Relaxed, both: for statistics. A head that is noted just now may be in the future.
        let age = now.wrapping_sub(this.moved.load(Ordering::Relaxed));
        let age = if age > u32::MAX / 2 { 0 } else { age };
        let head = this.head.load(Ordering::Relaxed);
        (!head.is_null()).then_some((head, age))
    }

    /// Sets the limit of both lanes. Returns what is to be made ready.
    ///
    /// # Errors
    /// As of [`Limit::set_max`].
    pub(crate) fn set_max(&self, limit: u32) -> Result<PerLane<Option<NonNull<Work>>>, Error> {
        let set = |lane| self.lanes.of(lane).limit.set_max(limit);
        Ok(PerLane::new(set(Lane::Normal)?, set(Lane::High)?))
    }

    /// Sets the threshold of both lanes. Returns what is to be made ready.
    ///
    /// # Errors
    /// [`Error::Invalid`]: above 2^20.
    pub(crate) fn set_threshold(
        &self,
        threshold: u32,
    ) -> Result<PerLane<Option<NonNull<Work>>>, Error> {
        let threshold = match threshold {
            0 => THRESHOLD,
            1..THRESHOLD => 0,
            THRESHOLD..=0x0010_0000 => threshold,
            _ => return Err(Error::Invalid),
        };
        // Relaxed: whoever starts the next work.
        self.threshold.store(threshold, Ordering::Relaxed);
        let set = |lane| self.lanes.of(lane).limit.set_adapting(threshold != 0);
        Ok(PerLane::new(set(Lane::Normal), set(Lane::High)))
    }

    /// Sets the bound; 0 is none.
    pub(crate) fn set_bound(&self, bound: u32) {
        // Relaxed: a number.
        self.bound.store(bound, Ordering::Relaxed);
    }

    /// Whether more than twice the threshold are pending in one of the lanes.
    pub(crate) fn is_congested(&self) -> bool {
        // Relaxed: a number.
        let threshold = self.threshold.load(Ordering::Relaxed);
        let congested = |lane: &LaneControl| lane.pending() > 2 * threshold;
        threshold != 0 && self.lanes.both().into_iter().any(congested)
    }

    /// How a lane stands; but for the age of its head.
    pub(crate) fn stats(&self, lane: Lane) -> Stats {
        let this = self.lanes.of(lane);
        // Acquire: pairs with the Release in `free`.
        let done = this.freed.load(Ordering::Acquire);
        let (running, current_active, limit_active) = this.limit.numbers();
        // Acquire: pairs with the Release in `admit`. Relaxed: what has started was queued before.
        let started = this.started.load(Ordering::Acquire);
        let pending = this.queued.load(Ordering::Relaxed).wrapping_sub(started);
        let unfreed = started.wrapping_sub(done);
        let running = running.min(unfreed); // What has just come in is still pending.
        Stats {
            pending,
            running,
            waiting: unfreed - running,
            done,
            current_active,
            limit_active,
            // Relaxed: a number.
            largest_backlog: this.largest.load(Ordering::Relaxed),
            head_age: 0,
        }
    }
}

impl Default for Control {
    fn default() -> Self {
        Self::new()
    }
}

impl LaneControl {
    const_fn! {
        const fn new() -> Self {
            Self {
                backlog: Turns::new(),
                limit: Limit::new(),
                head: AtomicPtr::new(ptr::null_mut()),
                moved: Atomic::new(0),
                queued: Atomic::new(0),
                started: Atomic::new(0),
                freed: Atomic::new(0),
                largest: Atomic::new(0),
                spare: 0,
            }
        }
    }

    fn pending(&self) -> u32 {
        // Acquire: pairs with the Release in `admit`; the smaller number first. Relaxed: what has
        // started was queued before.
        let started = self.started.load(Ordering::Acquire);
        self.queued.load(Ordering::Relaxed).wrapping_sub(started)
    }
}

/// Makes `word` at least `value`. Lock-free: a retry means that somebody else has raised it.
fn raise(word: &Atomic<u32>, value: u32) {
    // Relaxed, all: a number.
    let mut seen = word.load(Ordering::Relaxed);
    while seen < value {
        match word.compare_exchange(seen, value, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => return,
            Err(found) => seen = found,
        }
    }
}

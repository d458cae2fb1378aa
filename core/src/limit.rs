//! How many works of a lane may run at once: the limit, the threshold, and who waits for them.
//!
//! All that is decided about it is in one word, the *gate*: how many run, how many may at present
//! (`current`), how many ever (`limit`), whether the number adapts to the backlog, and whether a
//! work is *parked*: its claimer found no room, and whoever makes room takes it up.
//!
//! ```text
//!   submit          claim               1 enter: room               2 leave
//!   ──────► backlog ─────► the oldest ──────────────────► running ──────────► func is over
//!                              │  ▲
//!             1 enter: no room ▼  │ 2 leave, or set: room
//!                             parked
//! ```
//!
//! Rules:
//!
//! 1. The right to start works of a lane is one: the turn of the backlog (`turns.rs`). It goes with
//!    the oldest work that has not started, which alone of all that wait is in the ready list. Who
//!    claims that one holds the right: he enters, and passes the right on to the next; or parks the
//!    work, and with it the right.
//! 2. Entering, and parking, is one read-modify-write of the gate, and so is making room and taking
//!    up the parked: no work is parked while there is room, and none stays so.
//! 3. `parked`, and `since`, belong to the holder of the right.
//!
//! With a threshold, `current` starts at 1. Once in an interval of a quarter of the threshold in
//! started works it goes up by one if more works than the threshold are pending, and down by one if
//! less than half as many are. The holder of the right does it, who is a worker: never an interrupt.
//! (The original means the same, but its test is turned round: it skips the first of each interval
//! and looks at all the others.)

use core::ptr::{self, NonNull};

use crate::error::Error;
use crate::sync::{Atomic, Cell, Ordering, Word, const_fn};
use crate::work::Work;

/// The largest limit.
pub(crate) const MAX: u32 = (1 << BITS) - 1;
/// The threshold if none is given, and the smallest that is one.
pub(crate) const THRESHOLD: u32 = 32;

const BITS: u32 = 10;

/// A snapshot of the gate: three numbers of ten bits, and two bits.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
struct Gate(u32);

// SAFETY: transparent over a u32, in which every bit is initialised.
unsafe impl bytemuck::NoUninit for Gate {}

// SAFETY: transparent over a u32.
unsafe impl Word for Gate {
    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }
    fn bits(self) -> u32 {
        self.0
    }
}

impl Gate {
    const PARKED: u32 = 1 << (3 * BITS);
    const ADAPTS: u32 = 1 << (3 * BITS + 1);
    const FLAGS: u32 = Self::PARKED | Self::ADAPTS;
    /// Nothing runs, and up to [`MAX`] may. It is 0 since the two other numbers stand here as what
    /// they lack of [`MAX`].
    const OPEN: Self = Self(0);

    const fn running(self) -> u32 {
        self.0 & MAX
    }
    const fn current(self) -> u32 {
        MAX - (self.0 >> BITS & MAX)
    }
    const fn limit(self) -> u32 {
        MAX - (self.0 >> (2 * BITS) & MAX)
    }
    const fn has(self, flag: u32) -> bool {
        self.0 & flag != 0
    }
    const fn has_room(self) -> bool {
        self.running() < self.current()
    }
    const fn one_more(self) -> Self {
        Self(self.0 + 1)
    }
    const fn one_less(self) -> Self {
        Self(self.0 - 1)
    }
    const fn with(self, flag: u32) -> Self {
        Self(self.0 | flag)
    }
    const fn without(self, flag: u32) -> Self {
        Self(self.0 & !flag)
    }
    /// With these two numbers; what is not between 1 and the limit becomes so.
    const fn allowing(self, current: u32, limit: u32) -> Self {
        let current = if current > limit {
            limit
        } else if current == 0 {
            1
        } else {
            current
        };
        Self(self.0 & (Self::FLAGS | MAX) | (MAX - current) << BITS | (MAX - limit) << (2 * BITS))
    }
    /// The parked work is taken up if there is room (rule 2).
    const fn taken_up(self) -> Self {
        if self.has_room() { self.without(Self::PARKED) } else { self }
    }
}

/// The limit of one lane.
#[repr(C)]
pub(crate) struct Limit {
    parked: Cell<*mut Work>,
    gate: Atomic<Gate>,
    since: Cell<u32>,
}

impl Limit {
    const_fn! {
        /// Up to [`MAX`] at once, whatever the backlog.
        pub(crate) const fn new() -> Self {
            let (parked, since) = (Cell::new(ptr::null_mut()), Cell::new(0));
            Self { parked, gate: Atomic::new(Gate::OPEN), since }
        }
    }

    /// Whether `work` may run now: then it does, until `leave`. Otherwise it is parked, and must not
    /// be dereferenced past this call.
    ///
    /// # Safety
    /// The caller has the right to start, with `work`; after a refusal he no longer has it.
    pub(crate) unsafe fn enter(&self, work: NonNull<Work>) -> bool {
        // SAFETY: the right is the caller's (rule 3). Stored before the gate says so.
        unsafe { self.parked.set(work.as_ptr()) };
        self.change(|gate| if gate.has_room() { gate.one_more() } else { gate.with(Gate::PARKED) })
            .has_room()
    }

    /// A work that had entered runs no longer. Returns the one that was parked, if there is room for
    /// it now: it is to be made ready, with the right to start.
    #[must_use]
    pub(crate) fn leave(&self) -> Option<NonNull<Work>> {
        self.make_room(Gate::one_less)
    }

    /// From now on at most `limit` at once. Those that run beyond that go on. Returns as `leave`.
    ///
    /// # Errors
    /// [`Error::Invalid`]: not between 1 and [`MAX`].
    pub(crate) fn set_max(&self, limit: u32) -> Result<Option<NonNull<Work>>, Error> {
        if !(1..=MAX).contains(&limit) {
            return Err(Error::Invalid);
        }
        Ok(self.make_room(|gate| {
            let current = if gate.has(Gate::ADAPTS) { gate.current() } else { limit };
            gate.allowing(current, limit)
        }))
    }

    /// From now on the number adapts, and begins with 1; or it is the limit. Returns as `leave`.
    #[must_use]
    pub(crate) fn set_adapting(&self, adapts: bool) -> Option<NonNull<Work>> {
        self.make_room(|gate| {
            if adapts {
                gate.with(Gate::ADAPTS).allowing(1, gate.limit())
            } else {
                gate.without(Gate::ADAPTS).allowing(gate.limit(), gate.limit())
            }
        })
    }

    /// Counts a started work, and at the end of an interval adapts to how many are `pending`.
    ///
    /// # Safety
    /// The caller has the right to start.
    pub(crate) unsafe fn adapt(&self, pending: u32, threshold: u32) {
        // SAFETY: the right is the caller's (rule 3).
        let since = unsafe { self.since.get() } + 1;
        let over = since >= threshold / 4;
        // SAFETY: as above.
        unsafe { self.since.set(if over { 0 } else { since }) };
        if !over {
            return;
        }
        let step = |gate: Gate| match gate.current() {
            _ if !gate.has(Gate::ADAPTS) => gate,
            current if pending > threshold => gate.allowing(current + 1, gate.limit()),
            current if pending < threshold / 2 => gate.allowing(current - 1, gate.limit()),
            _ => gate,
        };
        self.change(step); // Nothing is parked: the caller has the right.
    }

    /// How many run, how many may at present, how many ever.
    pub(crate) fn numbers(&self) -> (u32, u32, u32) {
        // Relaxed: for statistics.
        let gate = self.gate.load(Ordering::Relaxed);
        (gate.running(), gate.current(), gate.limit())
    }

    /// Makes `change`, and takes up the parked work if that leaves room.
    fn make_room(&self, change: impl Fn(Gate) -> Gate) -> Option<NonNull<Work>> {
        let before = self.change(|gate| change(gate).taken_up());
        if !before.has(Gate::PARKED) || !change(before).has_room() {
            return None;
        }
        // SAFETY: the bit is gone by our hand, so the right is ours, and `parked` with it (rule 3).
        NonNull::new(unsafe { self.parked.get() })
    }

    /// Changes the gate; says what it was. Lock-free: a retry means that somebody else has got on.
    fn change(&self, change: impl Fn(Gate) -> Gate) -> Gate {
        // Relaxed, both: a guess.
        let mut seen = self.gate.load(Ordering::Relaxed);
        loop {
            // Release and Acquire pair with each other: who enters sees what those did that have
            // left; and who takes up a parked work sees it, and its lane's backlog.
            match self.gate.compare_exchange(
                seen,
                change(seen),
                Ordering::AcqRel,
                Ordering::Relaxed,
            ) {
                Ok(before) => return before,
                Err(found) => seen = found,
            }
        }
    }
}

//! The life of a work, in one word.
//!
//! The word is 32 bits: above a magic number of four bits, which (with the twelve that must be 0 in
//! an idle work) tells an initialised work from chance memory; then the number of the work's life,
//! fourteen bits, which goes up each time that it is queued; and these bits below:
//!
//! | bit          | set by                                   | means                                      |
//! |--------------|------------------------------------------|--------------------------------------------|
//! | `QUEUED`     | the submitter, [`queue`]                 | the library has the work                   |
//! | `STARTED`    | its claimer, [`start`]                   | too late to cancel it                      |
//! | `RETURNED`   | the worker that ran `func`, [`finish`]   | `func` has returned, or will never run     |
//! | `COMPLETED`  | the same, or whoever [`complete`]s it    | what `func` has begun is over              |
//! | `TURN`       | the holder of the turn, [`take_turn`]    | everything before it in its lane is retired|
//! | `ASYNC`      | the owner, or `func`, [`set_async`]      | the completion comes later, from elsewhere |
//! | `COMPLETING` | who completes it first                   | the status is being written                |
//! | `CANCELLED`  | anybody, [`cancel`]                      | `func` will not run                        |
//! | `DELAYED`    | the submitter; lifted by [`expire`]      | the timers have it, and no list has        |
//! | `AWAITED`    | who waits for the end of the delay       | [`expire`] is to wake him                  |
//! | `HIGH`       | the owner, [`set_high`]                  | the work goes by the high-priority lane    |
//! | `CONTROLLED` | the submitter                            | its queue's control counts it              |
//! | `PHASE`      | the submitter                            | which of two counts it is in (`count.rs`)  |
//! | `BARRIER`    | from the beginning                       | no work: somebody waits for his turn       |
//!
//! A work is **done** when it has both `RETURNED` and `COMPLETED`. `finish` sets both at once,
//! unless the work is `ASYNC`; then it sets the first, and `complete` the second, in whichever
//! order.
//!
//! ```text
//!                 1 queue               2 finish (and complete, if ASYNC)
//!   ╭────────╮ ───────────► ╭────────╮ ───────────► ╭─────────────╮
//!   │  Idle  │              │ Queued │              │ Queued Done │
//!   ╰────────╯ ◄─────╮      ╰────────╯              ╰─────────────╯
//!    │    ▲   5 end  │       ▲   │ 3 take_turn             │ 3 take_turn
//!  1 │    │ (no      │       │   ▼                         ▼
//!    │    │  place   │       │  ╭─────────────╮  4 as 2   ╭──────────────────╮
//!    │    │  in the  │       │  │ Queued Turn │ ────────► │ Queued Done Turn │
//!    │    │  order)  │       │  ╰─────────────╯           ╰──────────────────╯
//!    │    ╰── Queued ╰───────┼──────────────── 5 end ─────────╯
//!    ▼                       │ 6 expire
//!   ╭────────────────╮       │
//!   │ Queued Delayed │ ──────╯
//!   ╰────────────────╯
//! ```
//!
//! **Whoever sets the last of `RETURNED`, `COMPLETED` and `TURN` retires the work**, or sees to it
//! that somebody does. All three moves are read-modify-writes on one word, so one party is last,
//! and only one: nobody waits, nobody polls. As a short cut the holder of the turn may find the
//! work done by [`is_done`] and need not set `TURN`.
//!
//! **Whoever sets the first of `STARTED` and `CANCELLED` decides** whether `func` runs: so a cancel
//! that is told that it came in time did.
//!
//! A *barrier* is no work of the user's, but somebody who waits for his turn in the order. There are
//! two kinds. One is never done: who stands in the order by it gets the turn itself, and is woken by
//! whoever brings it. The other, a *messenger*, is done from the beginning: its last callback tells
//! who waits, and no worker ever claims it.
//!
//! | state              | linked where               | who may dereference it      | may it be freed?    |
//! |--------------------|----------------------------|-----------------------------|---------------------|
//! | `Idle`             | nowhere                    | its owner, not the library  | yes, by its owner   |
//! | `Queued Delayed`   | the timers                 | who has the timers          | no                  |
//! | `Queued`           | ordered and ready lists,   | holder of the turn, claimer,| no                  |
//! |                    | or ordered list and backlog| who is to complete it       |                     |
//! | `Queued Done`      | ordered list               | holder of the turn          | no                  |
//! | `Queued Turn`      | ready list, or running, or | its claimer, who is to      | no                  |
//! |                    | nowhere until completed    | complete it                 |                     |
//! | `Queued Done Turn` | nowhere, or ready list     | who set the last bit, or    | by its last callback|
//! |                    | (to be retired)            | claims it then              |                     |
//!
//! "Claimer" is whoever took the chain that the work hangs in, later the worker that runs it. Who
//! cancels or flushes a work looks at this word, and at `owner`, by a right of his own: the memory
//! is his, or he knows that it stays.
//!
//! Rules, cited by number elsewhere:
//!
//! 1. A work with ordered callbacks is retired by the party that sets the last of the three bits,
//!    or by the one to whom that party hands it over by the ready list, and by no other.
//! 2. A party that sets one of the three that is not the last does not touch the work any more.
//! 3. [`end`] comes before the last callback of a work is entered, and is the last that the library
//!    does to it: that callback may free the work, or queue it again.
//! 4. `HIGH`, `CONTROLLED` and `PHASE` do not change while the work is queued; the first stays when
//!    it ends. `ASYNC` is set at the latest by `func`, and ends with the work.
//!
//! [`queue`]: AtomicState::queue
//! [`start`]: AtomicState::start
//! [`cancel`]: AtomicState::cancel
//! [`expire`]: AtomicState::expire
//! [`finish`]: AtomicState::finish
//! [`complete`]: AtomicState::complete
//! [`take_turn`]: AtomicState::take_turn
//! [`is_done`]: AtomicState::is_done
//! [`set_async`]: AtomicState::set_async
//! [`set_high`]: AtomicState::set_high
//! [`end`]: AtomicState::end

use crate::error::Error;
use crate::lane::Lane;
use crate::sync::{Atomic, Ordering, Word, const_fn, model_only};

/// A snapshot of the word.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct State(u32);

// SAFETY: transparent over a u32, in which every bit is initialised.
unsafe impl bytemuck::NoUninit for State {}

// SAFETY: transparent over a u32.
unsafe impl Word for State {
    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }
    fn bits(self) -> u32 {
        self.0
    }
}

impl State {
    /// Initialised, and nobody's but its owner's. A "B" above, no bit below.
    pub(crate) const IDLE: Self = Self(0xb000_0000);
    const MAGIC_MASK: u32 = 0xf000_0000;
    const LIFE_MASK: u32 = 0x0fff_c000;
    const NEXT_LIFE: u32 = 0x0000_4000;
    /// What may be set in an idle work.
    const KEPT: u32 = Self::MAGIC_MASK | Self::LIFE_MASK | Self::HIGH.0 | Self::ASYNC.0;
    /// What the submitter adds: the queue's control counts the work.
    pub(crate) const CONTROLLED: Self = Self(1 << 11);
    /// What the submitter adds: the second of the two counts.
    pub(crate) const PHASE: Self = Self(1 << 12);
    /// What the submitter adds: the timers are to have the work first.
    pub(crate) const DELAYED: Self = Self(1 << 8);
    /// Nothing.
    pub(crate) const NONE: Self = Self(0);
    const QUEUED: Self = Self(1 << 0);
    const RETURNED: Self = Self(1 << 1);
    const COMPLETED: Self = Self(1 << 2);
    const TURN: Self = Self(1 << 3);
    const ASYNC: Self = Self(1 << 4);
    const COMPLETING: Self = Self(1 << 5);
    const STARTED: Self = Self(1 << 6);
    const CANCELLED: Self = Self(1 << 7);
    const AWAITED: Self = Self(1 << 9);
    const HIGH: Self = Self(1 << 10);
    const BARRIER: Self = Self(1 << 13);
    const DONE: Self = Self::RETURNED.with(Self::COMPLETED);
    const DONE_AND_TURN: Self = Self::DONE.with(Self::TURN);

    pub(crate) const fn with(self, bits: Self) -> Self {
        Self(self.0 | bits.0)
    }

    const fn without(self, bits: Self) -> Self {
        Self(self.0 & !bits.0)
    }

    pub(crate) const fn has(self, bits: Self) -> bool {
        self.0 & bits.0 == bits.0
    }

    /// The lane that the work goes by.
    pub(crate) const fn lane(self) -> Lane {
        if self.has(Self::HIGH) { Lane::High } else { Lane::Normal }
    }

    /// The same in the next life, the numbers of which begin anew after the last.
    const fn in_next_life(self) -> Self {
        let life = self.0.wrapping_add(Self::NEXT_LIFE) & Self::LIFE_MASK;
        Self(self.0 & !Self::LIFE_MASK | life)
    }

    /// Whether this is no work, but somebody who waits.
    pub(crate) const fn is_barrier(self) -> bool {
        self.has(Self::BARRIER)
    }

    /// Whether the queue's control counts the work.
    pub(crate) const fn is_controlled(self) -> bool {
        self.has(Self::CONTROLLED)
    }

    /// Whether the work was cancelled.
    pub(crate) const fn is_cancelled(self) -> bool {
        self.has(Self::CANCELLED)
    }

    /// Which of the two counts the work is in.
    pub(crate) const fn is_odd(self) -> bool {
        self.has(Self::PHASE)
    }

    /// Whether the work was handed over to be retired.
    pub(crate) const fn is_to_be_retired(self) -> bool {
        self.has(Self::DONE_AND_TURN)
    }

    const fn is_initialised(self) -> bool {
        self.0 & Self::MAGIC_MASK == Self::IDLE.0
    }
}

/// Whether `func` is to run.
#[must_use]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Start {
    /// It is.
    Run,
    /// It was cancelled in time.
    Skip,
}

/// Who has a work that was cancelled.
#[must_use]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Cancelled {
    /// It is in a lane, and will be claimed.
    InLane,
    /// The timers have it, and must be told.
    InTimers,
    /// It was cancelled before, and has not ended.
    Before,
}

/// What a party owes next that has set one of the bits by which a work is retired.
#[must_use]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Owed {
    /// It was the last: the work is to be retired, by the caller or by somebody in its place.
    Retire,
    /// It was not: the work is not to be touched any more (rule 2).
    Nothing,
    /// It has brought the turn to a barrier: who stands there is to be woken, by the address of the
    /// word, which is not to be touched any more.
    Wake,
}

impl Owed {
    /// For who has set `bits` where `before` was.
    fn after(before: State, bits: State) -> Self {
        match before {
            _ if before.with(bits).has(State::DONE_AND_TURN) => Self::Retire,
            _ if before.has(State::BARRIER) => Self::Wake,
            _ => Self::Nothing,
        }
    }
}

/// The word itself, in the work.
#[repr(transparent)]
pub(crate) struct AtomicState(Atomic<State>);

impl AtomicState {
    const_fn! {
        /// The word of a work that is nobody's but its owner's.
        pub(crate) const fn new() -> Self {
            Self(Atomic::new(State::IDLE))
        }
    }

    const_fn! {
        /// The word of a barrier: as of a work that is queued, and never done.
        pub(crate) const fn barrier() -> Self {
            Self(Atomic::new(State::IDLE.with(State::QUEUED).with(State::BARRIER)))
        }
    }

    const_fn! {
        /// The word of a messenger: a barrier that is done.
        pub(crate) const fn messenger() -> Self {
            let barrier = State::IDLE.with(State::QUEUED).with(State::BARRIER);
            Self(Atomic::new(barrier.with(State::DONE)))
        }
    }

    /// What the work is like, if it is idle.
    ///
    /// # Errors
    /// [`Error::Busy`] when the work is queued; [`Error::Invalid`] when the magic is missing.
    pub(crate) fn idle(&self) -> Result<State, Error> {
        // Relaxed: who may submit the work got it by a synchronisation of his own.
        match self.0.load(Ordering::Relaxed) {
            seen if !seen.is_initialised() => Err(Error::Invalid),
            seen if seen.has(State::QUEUED) => Err(Error::Busy),
            seen if seen.0 & !State::KEPT != 0 => Err(Error::Invalid),
            seen => Ok(seen),
        }
    }

    /// Edge 1: the library takes the work, which is `idle`. A store, since nobody else may move it.
    pub(crate) fn queue(&self, idle: State, bits: State) {
        let queued = idle.in_next_life().with(State::QUEUED).with(bits);
        // Release: pairs with the Acquire in `life`: where the work is counted is seen.
        self.0.store_among(queued, Ordering::Release);
    }

    /// Undoes [`AtomicState::queue`], before a list has the work.
    pub(crate) fn unqueue(&self) {
        // Relaxed, both: nobody else looks at it.
        let idle = State(self.0.load(Ordering::Relaxed).0 & State::KEPT);
        self.0.store_among(idle, Ordering::Relaxed);
    }

    /// Chooses the lane, while the work is idle.
    ///
    /// # Errors
    /// As of `idle`.
    pub(crate) fn set_high(&self, high: bool) -> Result<(), Error> {
        let idle = self.idle()?;
        let new = if high { idle.with(State::HIGH) } else { idle.without(State::HIGH) };
        // Relaxed: the owner's own affair, until a list publishes the work.
        self.0.store_among(new, Ordering::Relaxed);
        Ok(())
    }

    /// Says that `func` is not to run, if it is not too late. Wait-free in one life of the work: a
    /// retry means that a bit of it was set meanwhile, and there are so many bits.
    ///
    /// # Errors
    /// [`Error::Busy`] when it is too late, or the work is not queued; [`Error::Invalid`] when the
    /// magic is missing. Nothing has changed then.
    pub(crate) fn cancel(&self) -> Result<Cancelled, Error> {
        // Relaxed, but for one: only which of this and `start` is first is decided here.
        let mut seen = self.0.load(Ordering::Relaxed);
        loop {
            if !seen.is_initialised() {
                return Err(Error::Invalid);
            }
            if !seen.has(State::QUEUED) {
                return Err(Error::Busy);
            }
            if seen.has(State::CANCELLED) {
                return Ok(Cancelled::Before);
            }
            if seen.has(State::STARTED) {
                return Err(Error::Busy);
            }
            let new = seen.with(State::CANCELLED);
            // Acquire: pairs with the Release in `is_cancelled_before`.
            match self.0.compare_exchange(seen, new, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) if seen.has(State::DELAYED) => return Ok(Cancelled::InTimers),
                Ok(_) => return Ok(Cancelled::InLane),
                Err(found) => seen = found,
            }
        }
    }

    /// Whether the work was cancelled before this; if it is after this, who cancels it sees what its
    /// submitter has written.
    pub(crate) fn is_cancelled_before(&self) -> bool {
        // A read-modify-write that changes nothing: it and `cancel` stand in one order. Release:
        // pairs with the Acquire in `cancel`.
        self.0.fetch_or(State::NONE, Ordering::Release).is_cancelled()
    }

    /// From here on it is too late to cancel the work; says whether it was.
    pub(crate) fn start(&self) -> Start {
        // Relaxed: as `cancel`.
        let before = self.0.fetch_or(State::STARTED, Ordering::Relaxed);
        if before.has(State::CANCELLED) { Start::Skip } else { Start::Run }
    }

    /// Which life the work is in, or was in last.
    pub(crate) fn life(&self) -> u32 {
        // Acquire: pairs with the Release in `queue` and `end`.
        self.0.load(Ordering::Acquire).0 & State::LIFE_MASK
    }

    /// Adds what a work without a place is counted by when its delay is over.
    pub(crate) fn add(&self, bits: State) {
        // Relaxed: a list publishes it.
        self.0.fetch_or(bits, Ordering::Relaxed);
    }

    /// Edge 6: the delay is over, and the work has its place. Says whether somebody waits for that,
    /// who is to be woken by the address of the word.
    #[must_use]
    pub(crate) fn expire(&self) -> bool {
        let keep = State(!State::DELAYED.with(State::AWAITED).0);
        // Release: pairs with the Acquire in `await_expiry`: what stands behind the work in the
        // order stands behind it for who waits, too.
        self.0.fetch_and(keep, Ordering::Release).has(State::AWAITED)
    }

    /// The value of the word to wait on until the delay is over, or `None` if it is. Lock-free.
    pub(crate) fn await_expiry(&self) -> Option<u32> {
        // Acquire, both: pair with the Release in `expire`.
        let mut seen = self.0.load(Ordering::Acquire);
        while seen.has(State::DELAYED) {
            let new = seen.with(State::AWAITED);
            match self.0.compare_exchange(seen, new, Ordering::Relaxed, Ordering::Acquire) {
                Ok(_) => return Some(new.0),
                Err(found) => seen = found,
            }
        }
        None
    }

    /// The value of a barrier's word to wait on until it has the turn, or `None` if it has.
    pub(crate) fn await_turn(&self) -> Option<u32> {
        // Acquire: pairs with the Release in `take_turn`: all that the ordered callbacks before
        // wrote is seen, and `front`.
        let seen = self.0.load(Ordering::Acquire);
        (!seen.has(State::TURN)).then_some(seen.0)
    }

    /// Where the word is, for a port's hooks.
    pub(crate) fn address(&self) -> *const u32 {
        self.0.address()
    }

    /// Says that the completion comes later, by [`AtomicState::complete`].
    ///
    /// # Errors
    /// [`Error::Invalid`] when the magic is missing.
    pub(crate) fn set_async(&self) -> Result<(), Error> {
        // Relaxed, both: said by the thread that submits the work, or runs its `func`.
        if !self.0.load(Ordering::Relaxed).is_initialised() {
            return Err(Error::Invalid);
        }
        self.0.fetch_or(State::ASYNC, Ordering::Relaxed);
        Ok(())
    }

    /// A look at the word by somebody who has a right to the work: for its flags, which are
    /// constant (rule 4), and, for its claimer, whether it was handed over.
    pub(crate) fn look(&self) -> State {
        // Relaxed: who has handed it over did so by the ready list, which orders it.
        self.0.load(Ordering::Relaxed)
    }

    /// Edges 2 and 4: `func` has returned, and unless the work is `ASYNC` that is all.
    pub(crate) fn finish(&self) -> Owed {
        // Relaxed: `ASYNC` is set by this thread, or before the work was published (rule 4).
        let is_async = self.0.load(Ordering::Relaxed).has(State::ASYNC);
        let bits = if is_async { State::RETURNED } else { State::DONE };
        // Release: pairs with the Acquire in `is_done`, `take_turn` and `complete`: who retires the
        // work sees all that its `func` wrote. Acquire: pairs with the Release in `take_turn`: if
        // the turn is here, so are `front` and all that the ordered callbacks before wrote; and
        // with that in `complete`: if the completion is here, so is what was written before it.
        Owed::after(self.0.fetch_or(bits, Ordering::AcqRel), bits)
    }

    /// Edges 2 and 4, for a work that was cancelled. `write_status` is called unless the work was
    /// completed all the same.
    pub(crate) fn finish_cancelled(&self, write_status: impl FnOnce()) -> Owed {
        // Relaxed: only which completion is the first is decided here.
        let late = self.0.fetch_or(State::COMPLETING, Ordering::Relaxed).has(State::COMPLETING);
        let bits = if late {
            State::RETURNED
        } else {
            write_status();
            State::DONE
        };
        // Acquire and Release: as of `finish`.
        Owed::after(self.0.fetch_or(bits, Ordering::AcqRel), bits)
    }

    /// Edges 2 and 4: what `func` began is over. `write_status` is called if this is the first
    /// completion, while the work still waits for it. Wait-free: as `cancel`.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the work is not queued, or delayed, or not `ASYNC`; [`Error::Busy`]
    /// when it was completed already, or cancelled. Nothing has changed then.
    pub(crate) fn complete(&self, write_status: impl FnOnce()) -> Result<Owed, Error> {
        // Relaxed, all: only which completion is the first is decided here. A compare-and-swap, since
        // the work may be cancelled meanwhile, and end without this.
        let mut seen = self.0.load(Ordering::Relaxed);
        loop {
            let waits = seen.has(State::QUEUED.with(State::ASYNC)) && !seen.has(State::DELAYED);
            if !seen.is_initialised() || !waits {
                return Err(Error::Invalid);
            }
            if seen.has(State::COMPLETING) || seen.has(State::CANCELLED) {
                return Err(Error::Busy);
            }
            let new = seen.with(State::COMPLETING);
            match self.0.compare_exchange(seen, new, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => break,
                Err(found) => seen = found,
            }
        }
        write_status();
        // Release: pairs with the Acquire in `is_done`, `take_turn` and `finish`: who retires the
        // work sees the status, and what was written before. Acquire: pairs with the Release in
        // `finish` and `take_turn`.
        let before = self.0.fetch_or(State::COMPLETED, Ordering::AcqRel);
        Ok(Owed::after(before, State::COMPLETED))
    }

    /// Whether the work is done, for the holder of the turn.
    pub(crate) fn is_done(&self) -> bool {
        // Acquire: pairs with the Release in `finish` and `complete`.
        self.0.load(Ordering::Acquire).has(State::DONE)
    }

    /// Edge 3: everything before this work has retired.
    pub(crate) fn take_turn(&self) -> Owed {
        // Release: pairs with the Acquire in `finish`, `complete` and `await_turn`. Acquire: pairs
        // with the Release in `finish` and `complete`.
        Owed::after(self.0.fetch_or(State::TURN, Ordering::AcqRel), State::TURN)
    }

    /// Edge 5: the library has done with the work (rule 3). A store, since nobody else may move the
    /// work at this point.
    pub(crate) fn end(&self) {
        let kept = State::KEPT & !State::ASYNC.0;
        // Relaxed: set by this thread, or known to it. Release: pairs with the Acquire in `life`.
        // To whomever the callback that follows hands the work, it does so by a synchronisation of
        // its own.
        let idle = State(self.0.load(Ordering::Relaxed).0 & kept);
        self.0.store_among(idle, Ordering::Release);
    }
}

model_only! {
    impl AtomicState {
        /// Ends the word's life; every later use is a fault.
        pub(crate) fn revoke(&mut self) {
            self.0.revoke();
        }
    }
}

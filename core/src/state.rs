//! The life of a work, in one word.
//!
//! The word is 32 bits: a magic number above, which tells an initialised work from chance memory,
//! and these bits below:
//!
//! | bit          | set by                                   | means                                      |
//! |--------------|------------------------------------------|--------------------------------------------|
//! | `QUEUED`     | the submitter, [`submit`]                | the library has the work                   |
//! | `RETURNED`   | the worker that ran `func`, [`finish`]   | `func` has returned                        |
//! | `COMPLETED`  | the same, or whoever [`complete`]s it    | what `func` has begun is over              |
//! | `TURN`       | the holder of the turn, [`take_turn`]    | everything before it in its lane is retired|
//! | `ASYNC`      | the owner, or `func`, [`set_async`]      | the completion comes later, from elsewhere |
//! | `COMPLETING` | who completes it first, [`complete`]     | the status is being written                |
//! | `HIGH`       | the owner, [`set_high`]                  | the work goes by the high-priority lane    |
//!
//! The other 9 bits are kept for cancelling and delays.
//!
//! A work is **done** when it has both `RETURNED` and `COMPLETED`. `finish` sets both at once,
//! unless the work is `ASYNC`; then it sets the first, and `complete` the second, in whichever
//! order.
//!
//! ```text
//!                 1 submit              2 finish (and complete, if ASYNC)
//!   ╭────────╮ ───────────► ╭────────╮ ───────────► ╭─────────────╮
//!   │  Idle  │              │ Queued │              │ Queued Done │
//!   ╰────────╯ ◄─────╮      ╰────────╯              ╰─────────────╯
//!         ▲   5 end  │           │ 3 take_turn             │ 3 take_turn
//!         │ (no      │           ▼                         ▼
//!         │  place   │      ╭─────────────╮  4 as 2   ╭──────────────────╮
//!         │  in the  │      │ Queued Turn │ ────────► │ Queued Done Turn │
//!         │  order)  │      ╰─────────────╯           ╰──────────────────╯
//!         ╰── Queued ╰──────────────────────── 5 end ─────────╯
//! ```
//!
//! **Whoever sets the last of `RETURNED`, `COMPLETED` and `TURN` retires the work**, or sees to it
//! that somebody does. All three moves are read-modify-writes on one word, so one party is last,
//! and only one: nobody waits, nobody polls. As a short cut the holder of the turn may find the
//! work done by [`is_done`] and need not set `TURN`.
//!
//! | state              | linked where               | who may dereference it      | may it be freed?    |
//! |--------------------|----------------------------|-----------------------------|---------------------|
//! | `Idle`             | nowhere                    | its owner, not the library  | yes, by its owner   |
//! | `Queued`           | ordered and ready lists    | holder of the turn, claimer,| no                  |
//! |                    |                            | who is to complete it       |                     |
//! | `Queued Done`      | ordered list               | holder of the turn          | no                  |
//! | `Queued Turn`      | ready list, or running, or | its claimer, who is to      | no                  |
//! |                    | nowhere until completed    | complete it                 |                     |
//! | `Queued Done Turn` | nowhere, or ready list     | who set the last bit, or    | by its last callback|
//! |                    | (to be retired)            | claims it then              |                     |
//!
//! "Claimer" is whoever took the chain that the work hangs in, later the worker that runs it.
//!
//! Rules, cited by number elsewhere:
//!
//! 1. A work with ordered callbacks is retired by the party that sets the last of the three bits,
//!    or by the one to whom that party hands it over by the ready list, and by no other.
//! 2. A party that sets one of the three that is not the last does not touch the work any more.
//! 3. [`end`] comes before the last callback of a work is entered, and is the last that the library
//!    does to it: that callback may free the work, or queue it again.
//! 4. `HIGH` does not change while the work is queued, and stays when it ends; `ASYNC` is set at
//!    the latest by `func`, and ends with the work.
//!
//! [`submit`]: AtomicState::submit
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
    /// Initialised, and nobody's but its owner's. "bt" above, no bit below.
    pub(crate) const IDLE: Self = Self(0x6274_0000);
    const MAGIC_MASK: u32 = 0xffff_0000;
    const QUEUED: Self = Self(1 << 0);
    const RETURNED: Self = Self(1 << 1);
    const COMPLETED: Self = Self(1 << 2);
    const TURN: Self = Self(1 << 3);
    const ASYNC: Self = Self(1 << 4);
    const COMPLETING: Self = Self(1 << 5);
    const HIGH: Self = Self(1 << 6);
    const DONE: Self = Self::RETURNED.with(Self::COMPLETED);
    const DONE_AND_TURN: Self = Self::DONE.with(Self::TURN);

    const fn with(self, bits: Self) -> Self {
        Self(self.0 | bits.0)
    }

    const fn without(self, bits: Self) -> Self {
        Self(self.0 & !bits.0)
    }

    const fn has(self, bits: Self) -> bool {
        self.0 & bits.0 == bits.0
    }

    /// The lane that the work goes by.
    pub(crate) const fn lane(self) -> Lane {
        if self.has(Self::HIGH) { Lane::High } else { Lane::Normal }
    }

    /// Whether the work was handed over to be retired.
    pub(crate) const fn is_to_be_retired(self) -> bool {
        self.has(Self::DONE_AND_TURN)
    }

    const fn is_initialised(self) -> bool {
        self.0 & Self::MAGIC_MASK == Self::IDLE.0
    }
}

/// What a party owes next that has set one of the bits by which a work is retired.
#[must_use]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Owed {
    /// It was the last: the work is to be retired, by the caller or by somebody in its place.
    Retire,
    /// It was not: the work is not to be touched any more (rule 2).
    Nothing,
}

impl Owed {
    /// For who has set `bits` where `before` was.
    fn after(before: State, bits: State) -> Self {
        if before.with(bits).has(State::DONE_AND_TURN) { Self::Retire } else { Self::Nothing }
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

    /// Edge 1: the library takes the work, and says which lane it goes by; or refuses it and
    /// changes nothing. Lock-free: a retry means that the owner has changed a flag meanwhile.
    ///
    /// # Errors
    /// [`Error::Busy`] when the work is queued already; [`Error::Invalid`] when the magic is missing.
    pub(crate) fn submit(&self) -> Result<Lane, Error> {
        // Relaxed: who may submit the work got it by a synchronisation of his own, and nobody else
        // looks at it until a list has published it.
        self.update(|idle| idle.with(State::QUEUED)).map(State::lane)
    }

    /// Undoes [`AtomicState::submit`], before a list has the work.
    pub(crate) fn unsubmit(&self) {
        // Relaxed, both: as `submit`.
        let queued = self.0.load(Ordering::Relaxed);
        self.0.store(queued.without(State::QUEUED), Ordering::Relaxed);
    }

    /// Chooses the lane, while the work is idle.
    ///
    /// # Errors
    /// As of `submit`.
    pub(crate) fn set_high(&self, high: bool) -> Result<(), Error> {
        self.update(|idle| if high { idle.with(State::HIGH) } else { idle.without(State::HIGH) })
            .map(|_| ())
    }

    /// Changes the word of an idle work; says what it was.
    fn update(&self, change: impl Fn(State) -> State) -> Result<State, Error> {
        let mut seen = State::IDLE;
        loop {
            // Relaxed, both: the owner's own affair, until a list publishes the work.
            match self.0.compare_exchange(seen, change(seen), Ordering::Relaxed, Ordering::Relaxed)
            {
                Ok(_) => return Ok(seen),
                Err(found) if !found.is_initialised() => return Err(Error::Invalid),
                Err(found) if found.has(State::QUEUED) => return Err(Error::Busy),
                Err(found) => seen = found,
            }
        }
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

    /// Edges 2 and 4: what `func` began is over. `write_status` is called if this is the first
    /// completion, while the work still waits for it.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the work is not queued, or not `ASYNC`; [`Error::Busy`] when it was
    /// completed already. Nothing has changed then.
    pub(crate) fn complete(&self, write_status: impl FnOnce()) -> Result<Owed, Error> {
        // Relaxed, both: only which completion is the first is decided here.
        let seen = self.0.load(Ordering::Relaxed);
        if !(seen.is_initialised() && seen.has(State::QUEUED.with(State::ASYNC))) {
            return Err(Error::Invalid);
        }
        if self.0.fetch_or(State::COMPLETING, Ordering::Relaxed).has(State::COMPLETING) {
            return Err(Error::Busy);
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
        // Release: pairs with the Acquire in `finish` and `complete`. Acquire: pairs with the
        // Release in `finish` and `complete`.
        Owed::after(self.0.fetch_or(State::TURN, Ordering::AcqRel), State::TURN)
    }

    /// Edge 5: the library has done with the work (rule 3). A store, since nobody else may move the
    /// work at this point.
    pub(crate) fn end(&self) {
        // Relaxed, both: the callback that follows is on this same thread; to whomever it hands the
        // work, it does so by a synchronisation of its own.
        let kept = self.0.load(Ordering::Relaxed).has(State::HIGH);
        let idle = if kept { State::IDLE.with(State::HIGH) } else { State::IDLE };
        self.0.store(idle, Ordering::Relaxed);
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

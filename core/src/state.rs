//! The life of a work, in one word.
//!
//! The word is 32 bits: a magic number above, which tells an initialised work from chance memory,
//! and these bits below:
//!
//! | bit      | set by                                | means                                         |
//! |----------|---------------------------------------|-----------------------------------------------|
//! | `QUEUED` | the submitter, [`submit`]             | the library has the work                      |
//! | `DONE`   | the worker that ran `func`, [`finish`]| the concurrent part is over                   |
//! | `TURN`   | the holder of the turn, [`take_turn`] | everything before it in its lane has retired  |
//!
//! The other 13 bits are kept for lanes, cancelling, delays and completion from elsewhere.
//!
//! ```text
//!                 1 submit              2 finish
//!   ╭────────╮ ───────────► ╭────────╮ ─────────► ╭─────────────╮
//!   │  Idle  │              │ Queued │            │ Queued Done │
//!   ╰────────╯ ◄─────╮      ╰────────╯            ╰─────────────╯
//!         ▲   5 end  │           │ 3 take_turn           │ 3 take_turn
//!         │ (no      │           ▼                       ▼
//!         │  place   │      ╭─────────────╮ 4 finish ╭──────────────────╮
//!         │  in the  │      │ Queued Turn │ ───────► │ Queued Done Turn │
//!         │  order)  │      ╰─────────────╯          ╰──────────────────╯
//!         ╰── Queued ╰──────────────────────── 5 end ────────╯
//! ```
//!
//! **Whoever sets the second of `DONE` and `TURN` retires the work.** Both moves are one
//! read-modify-write on one word, so one party is second, and only one: nobody waits, nobody polls.
//! As a short cut the holder of the turn may find `DONE` by [`is_done`] and need not set `TURN`.
//!
//! | state              | linked where              | who may dereference it     | may it be freed?    |
//! |--------------------|---------------------------|----------------------------|---------------------|
//! | `Idle`             | nowhere                   | its owner, not the library | yes, by its owner   |
//! | `Queued`           | ordered and ready lists   | holder of the turn, claimer| no                  |
//! | `Queued Done`      | ordered list              | holder of the turn         | no                  |
//! | `Queued Turn`      | ready list, or running    | its claimer                | no                  |
//! | `Queued Done Turn` | nowhere                   | who set the second bit     | by its last callback|
//!
//! "Claimer" is whoever took the chain that the work hangs in, later the worker that runs it.
//!
//! Rules, cited by number elsewhere:
//!
//! 1. A work with ordered callbacks is retired by the party that sets the second of `DONE` and
//!    `TURN`, and by no other.
//! 2. A party that sets the first of the two does not touch the work any more.
//! 3. [`end`] comes before the last callback of a work is entered, and is the last that the library
//!    does to it: that callback may free the work, or queue it again.
//!
//! [`submit`]: AtomicState::submit
//! [`finish`]: AtomicState::finish
//! [`take_turn`]: AtomicState::take_turn
//! [`is_done`]: AtomicState::is_done
//! [`end`]: AtomicState::end

use crate::error::Error;
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
    const DONE: Self = Self(1 << 1);
    const TURN: Self = Self(1 << 2);

    const fn with(self, bits: Self) -> Self {
        Self(self.0 | bits.0)
    }

    const fn has(self, bits: Self) -> bool {
        self.0 & bits.0 == bits.0
    }

    const fn is_initialised(self) -> bool {
        self.0 & Self::MAGIC_MASK == Self::IDLE.0
    }
}

/// What the worker that has run `func` owes next.
#[must_use]
#[derive(PartialEq, Eq, Debug)]
pub(crate) enum Finished {
    /// The turn was there already: retire the work.
    Retire,
    /// The work is the turn's now: do not touch it any more (rule 2).
    Leave,
}

/// What the holder of the turn owes next.
#[must_use]
#[derive(PartialEq, Eq, Debug)]
pub(crate) enum Turn {
    /// The work is done already: retire it.
    Retire,
    /// The turn has passed to the work, and whoever finishes it retires it (rule 2).
    Passed,
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

    /// Edge 1: the library takes the work, or refuses it and changes nothing.
    ///
    /// # Errors
    /// [`Error::Busy`] when the work is queued already; [`Error::Invalid`] when the magic is missing.
    pub(crate) fn submit(&self) -> Result<(), Error> {
        let queued = State::IDLE.with(State::QUEUED);
        // Relaxed, both: who may submit the work got it by a synchronisation of his own, and nobody
        // else looks at it until a list has published it.
        match self.0.compare_exchange(State::IDLE, queued, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => Ok(()),
            Err(found) if found.is_initialised() => Err(Error::Busy),
            Err(_) => Err(Error::Invalid),
        }
    }

    /// Edges 2 and 4: the concurrent part is over.
    pub(crate) fn finish(&self) -> Finished {
        // Release: pairs with the Acquire in `is_done` and in `take_turn`: who retires the work sees
        // all that its `func` wrote. Acquire: pairs with the Release in `take_turn`: if the turn is
        // here, so are `front` and all that the ordered callbacks before this one wrote.
        match self.0.fetch_or(State::DONE, Ordering::AcqRel).has(State::TURN) {
            true => Finished::Retire,
            false => Finished::Leave,
        }
    }

    /// Whether the concurrent part is over, for the holder of the turn.
    pub(crate) fn is_done(&self) -> bool {
        // Acquire: pairs with the Release in `finish`.
        self.0.load(Ordering::Acquire).has(State::DONE)
    }

    /// Edge 3: everything before this work has retired.
    pub(crate) fn take_turn(&self) -> Turn {
        // Release: pairs with the Acquire in `finish`. Acquire: pairs with the Release in `finish`.
        match self.0.fetch_or(State::TURN, Ordering::AcqRel).has(State::DONE) {
            true => Turn::Retire,
            false => Turn::Passed,
        }
    }

    /// Edge 5: the library has done with the work (rule 3). A store, since nobody else may move the
    /// work at this point.
    pub(crate) fn end(&self) {
        // Relaxed: the callback that follows is on this same thread; to whomever it hands the work,
        // it does so by a synchronisation of its own.
        self.0.store(State::IDLE, Ordering::Relaxed);
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

//! Going to sleep, and being woken: no wake is lost, and none is paid for while nobody sleeps.
//!
//! A worker's `rest` is `AWAKE` or `ASLEEP`. It becomes `ASLEEP` by its own announcement, and
//! `AWAKE` again by whoever picks it: a waker, or the worker itself. Both try by compare-and-swap,
//! so exactly one does, and it takes the worker out of `count`.
//!
//! The worker:                                  Whoever makes a work ready:
//!
//! ```text
//!   a  announce: count + 1, rest = ASLEEP        x  push to the inbox, or put into a slot
//!   b  touch the inbox and every slot            y  count != 0? pick one that is ASLEEP, wake it
//!   c  all empty, not stopped: port.wait while rest is ASLEEP
//!   d  rest = AWAKE unless picked
//! ```
//!
//! The touch and the push (or put) are read-modify-writes on the same word, so one is first. If it
//! is `b`, then `x` has seen `a`, and `y` finds the worker, or finds that somebody else has picked
//! it meanwhile. If it is `x`, `b` finds the work, and the worker does not sleep.
//!
//! So for each place (inbox or slot) that comes to hold works while somebody sleeps, one worker is
//! on its way that takes from one such place; if it leaves some of a chain behind, that is another
//! such event. A worker that was picked for one place at `d`, when it had found another at `b`, is
//! one worker for two places: it passes the wake on.
//!
//! A worker that takes a chain and has some left wakes the next one (`y` after a put), and so on: a
//! submitter wakes at most one, and only when its work came into an empty inbox.
//!
//! What is *not* promised: a submitter that is stopped between `x` and `y` leaves a sleeping worker
//! asleep until it goes on; workers that are awake take the work all the same.

use crate::sync::{Atomic, Ordering, const_fn};
use crate::worker::{Worker, Workers};

/// The worker is awake, or on its way.
pub(crate) const AWAKE: u32 = 0;
/// The worker sleeps, or is about to, and nobody has taken it upon himself to wake it.
pub(crate) const ASLEEP: u32 = 1;

/// How many workers of a pool are asleep.
#[repr(transparent)]
pub(crate) struct Sleepers {
    count: Atomic<u32>,
}

impl Sleepers {
    const_fn! {
        /// Nobody sleeps.
        pub(crate) const fn new() -> Self {
            Self { count: Atomic::new(0) }
        }
    }

    /// Step a.
    pub(crate) fn announce(&self, me: &Worker) {
        // Relaxed, both: the touches that follow publish them.
        self.count.fetch_add(1, Ordering::Relaxed);
        me.rest.store(ASLEEP, Ordering::Relaxed);
    }

    /// Step y: one that sleeps, and is now the caller's to wake.
    pub(crate) fn pick_one<'a>(&self, workers: &'a Workers) -> Option<&'a Worker> {
        // Relaxed: the read-modify-write that made the work ready has put us behind every sleeper
        // that has not seen it. A count that is passing through a stale value costs a look.
        if self.count.load(Ordering::Relaxed) == 0 {
            return None;
        }
        workers.iter().find(|w| self.pick(w))
    }

    /// Takes `worker` out of the sleepers, if it is one and nobody else has: step d, when that is
    /// the caller.
    pub(crate) fn pick(&self, worker: &Worker) -> bool {
        // Relaxed: says only whose the worker is. What it was woken for it finds by itself; and if
        // it passes the wake on, those whom that is for stand behind it in the list, since the
        // picker took the first who slept: so they joined before, and it sees them.
        let picked = worker
            .rest
            .compare_exchange(ASLEEP, AWAKE, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok();
        if picked {
            // Relaxed: a number.
            self.count.fetch_sub(1, Ordering::Relaxed);
        }
        picked
    }
}

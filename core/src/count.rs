//! Counts of what is to be waited for, in one word each.
//!
//! The top bit of the word says that somebody waits. Whoever takes the last off a count sees it in
//! the same read-modify-write, and wakes by the word's address: the count itself may be gone by
//! then.
//!
//! [`Phases`] is for what comes and goes all the time: works without a place in the order. Who waits
//! must not wait for those that come later, so there are two counts, and a number whose last bit
//! says which of them new works go into. A flush turns that to the other count, and waits until the
//! first is zero. A submitter that was stopped between reading the number and counting goes into
//! the wrong one; so the flush does it twice, and has then waited for both. (It is the way of the
//! kernel's sleepable read-copy-update.) Flushes take turns, by a [`Turnstile`].

use crate::port::Port;
use crate::sync::{Atomic, Ordering, const_fn, model_only};

/// Bit of the word: somebody waits.
const AWAITED: u32 = 1 << 31;

/// How many there are.
#[repr(transparent)]
pub(crate) struct Count(Atomic<u32>);

impl Count {
    const_fn! {
        /// None.
        pub(crate) const fn new() -> Self {
            Self(Atomic::new(0))
        }
    }

    /// One more.
    pub(crate) fn add(&self) {
        // Relaxed: who waits for it does so after it was added, by a synchronisation of his own.
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// One less. Whoever waits is to be woken by the address that is returned; nothing of the count
    /// may be touched past this call.
    #[must_use]
    pub(crate) fn done(&self) -> Option<*const u32> {
        let address = self.0.address();
        // Release: pairs with the Acquire in `value_to_wait_on`: who waited sees what was done.
        let last = self.0.fetch_sub(1, Ordering::Release) == AWAITED | 1;
        last.then_some(address)
    }

    /// Returns when there is none. Blocks in the port's `wait`.
    pub(crate) fn wait(&self, port: &Port) {
        while let Some(value) = self.value_to_wait_on() {
            port.wait(self.0.address(), value);
        }
    }

    /// Whether there is none now.
    pub(crate) fn is_zero(&self) -> bool {
        // Acquire: pairs with the Release in `done`.
        self.0.load(Ordering::Acquire) & !AWAITED == 0
    }

    fn value_to_wait_on(&self) -> Option<u32> {
        // Acquire, all loads: pair with the Release in `done`.
        let mut seen = self.0.load(Ordering::Acquire);
        loop {
            let new = match seen {
                0 => return None,
                AWAITED => 0, // The next who takes the last off need not wake anybody.
                _ => seen | AWAITED,
            };
            match self.0.compare_exchange(seen, new, Ordering::Relaxed, Ordering::Acquire) {
                Ok(_) if new == 0 => return None,
                Ok(_) => return Some(new),
                Err(found) => seen = found,
            }
        }
    }
}

/// Two counts, and which of them is used now.
#[repr(C)]
pub(crate) struct Phases {
    number: Atomic<u32>,
    even: Count,
    odd: Count,
}

impl Phases {
    const_fn! {
        /// None in either.
        pub(crate) const fn new() -> Self {
            Self { number: Atomic::new(0), even: Count::new(), odd: Count::new() }
        }
    }

    /// One more; says in which count, for `done`.
    pub(crate) fn add(&self) -> bool {
        // Relaxed: an old number is allowed for, see above.
        let odd = self.number.load(Ordering::Relaxed) & 1 != 0;
        self.of(odd).add();
        odd
    }

    /// One less. As [`Count::done`].
    #[must_use]
    pub(crate) fn done(&self, odd: bool) -> Option<*const u32> {
        self.of(odd).done()
    }

    /// Returns when all that were added before the call are done. Blocks in the port's `wait`. One
    /// caller at a time.
    pub(crate) fn flush(&self, port: &Port) {
        if self.is_zero() {
            return;
        }
        for _ in 0..2 {
            // Relaxed: an old number is allowed for, see above.
            let before = self.number.fetch_add(1, Ordering::Relaxed);
            self.of(before & 1 != 0).wait(port);
        }
    }

    /// Whether there is none now.
    pub(crate) fn is_zero(&self) -> bool {
        self.even.is_zero() && self.odd.is_zero()
    }

    fn of(&self, odd: bool) -> &Count {
        if odd { &self.odd } else { &self.even }
    }
}

/// Lets one caller through at a time; the others sleep. For calls that wait anyway.
#[repr(transparent)]
pub(crate) struct Turnstile(Atomic<u32>);

/// Nobody is in.
const FREE: u32 = 0;
/// Somebody is in.
const TAKEN: u32 = 1;
/// And somebody may be waiting.
const CROWDED: u32 = 2;

impl Turnstile {
    const_fn! {
        /// Nobody is in.
        pub(crate) const fn new() -> Self {
            Self(Atomic::new(FREE))
        }
    }

    /// Comes in, when nobody else is in.
    pub(crate) fn enter(&self, port: &Port) {
        // Acquire, both: pair with the Release in `leave`.
        if self.0.compare_exchange(FREE, TAKEN, Ordering::Acquire, Ordering::Relaxed).is_ok() {
            return;
        }
        while self.0.swap(CROWDED, Ordering::Acquire) != FREE {
            port.wait(self.0.address(), CROWDED);
        }
    }

    /// Goes out, and wakes who waits.
    pub(crate) fn leave(&self, port: &Port) {
        let address = self.0.address();
        // Release: pairs with the Acquire in `enter`.
        if self.0.swap(FREE, Ordering::Release) == CROWDED {
            port.wake(address);
        }
    }
}

model_only! {
    impl Count {
        /// Ends the count's life; a use that is not known to have come before is a fault.
        pub(crate) fn revoke(&mut self) {
            self.0.revoke();
        }
    }

    impl Phases {
        /// As of a count.
        pub(crate) fn revoke(&mut self) {
            self.number.revoke();
            self.even.revoke();
            self.odd.revoke();
        }
    }

    impl Turnstile {
        /// As of a count.
        pub(crate) fn revoke(&mut self) {
            self.0.revoke();
        }
    }
}

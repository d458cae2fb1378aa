//! Delayed works.
//!
//! ```text
//!   delay (anybody)                  tick (one caller at a time)
//!        │ push                            │
//!        ▼                                 ▼
//!   inbox ──► newest ──► …  ──►  lists[0..=32], by how far off ──► due: to their queues
//! ```
//!
//! The lists are a *radix heap*: a work hangs in list `b` if the highest bit in which its time
//! differs from `last` is bit `b - 1`; in list 0 if the two are equal. `last` never goes beyond the
//! earliest time that is waited for. So the earliest is in the first list that is not empty, and
//! when `last` becomes that time, the works of that list all move to lists before it, and no other
//! work moves. A work moves at most 32 times in its life, and only one link is needed. Works of
//! equal time are always in the same list, and stay in their order: a list is newest first, and is
//! turned round before it is given out again.
//!
//! Times are modulo 2^32, and no delay is longer than [`MAX_DELAY`], a quarter of that. When a work is
//! hung up, `last` is not more than a sixteenth behind what is present, or late. So "earlier" is
//! well-defined as long as nobody calls `tick` an eighth of it late.
//!
//! A cancelled work can not be taken out of its list by who cancels it. He leaves word, and the next
//! tick goes through all lists once, for all that were cancelled meanwhile.
//!
//! `busy` says that somebody is in `tick`; `lists`, `last`, `next` and `len` are his. It is not
//! waited for: who comes second is told so.

use core::ptr::{self, NonNull};

use crate::batch::Batch;
use crate::chain::{Chain, reverse, walk};
use crate::error::Error;
use crate::port::Port;
use crate::queue::Queue;
use crate::sync::{Atomic, Cell, Ordering, array_of, const_fn};
use crate::work::Work;

/// The longest delay, in ticks.
pub const MAX_DELAY: u32 = (1 << 30) - 1;
/// What [`Pool::tick`](crate::Pool::tick) returns when nothing is delayed.
pub const NEVER: u32 = i32::MAX as u32;

/// How far `last` may be behind when works are hung up.
const MAX_BEHIND: u32 = 1 << 28;
const LISTS: usize = 33;

/// What a pool needs for delayed works. For one pool, and as long as that.
#[repr(C)]
pub struct Timers {
    inbox: Chain,
    lists: [Cell<*mut Work>; LISTS],
    last: Cell<u32>,
    next: Cell<u32>,
    len: Cell<usize>,
    busy: Atomic<u32>,
    cancelled: Atomic<u32>,
    bell: Atomic<u32>,
    /// For faces in other languages: what tells an initialised one.
    tag: u32,
}

// SAFETY: the cells are used by who is in `tick`, as said above; the rest is atomic.
unsafe impl Send for Timers {}
// SAFETY: as for Send.
unsafe impl Sync for Timers {}

impl Timers {
    const_fn! {
        /// Nothing is delayed.
        #[must_use]
        pub const fn new() -> Self {
            Self {
                inbox: Chain::new(),
                lists: array_of![Cell::new(ptr::null_mut()); LISTS],
                last: Cell::new(0),
                next: Cell::new(0),
                len: Cell::new(0),
                busy: Atomic::new(0),
                cancelled: Atomic::new(0),
                bell: Atomic::new(0),
                tag: 0,
            }
        }
    }

    /// Takes a work, and queues it when `due` has come. It must not be dereferenced past this call.
    /// Lock-free.
    ///
    /// # Safety
    /// The work is accepted as delayed, and in no list.
    pub(crate) unsafe fn push(&self, work: NonNull<Work>, due: u32, port: &Port) {
        // SAFETY: accepted, so its status is ours; `next` too.
        unsafe {
            work.as_ref().status.set(due.cast_signed());
            self.inbox.push(&Batch::of(work));
        }
        self.ring(port);
    }

    /// Says that there are works which were cancelled.
    pub(crate) fn note_cancelled(&self, port: &Port) {
        // A swap and not a store, so that it stands in one order with those of the ticks. Release:
        // pairs with the Acquire in `collect`: the bits in the works are seen.
        self.cancelled.swap(1, Ordering::Release);
        self.ring(port);
    }

    /// Lets who waits for the next time look again.
    pub(crate) fn ring(&self, port: &Port) {
        // Release: pairs with the Acquire in `bell`.
        self.bell.fetch_add(1, Ordering::Release);
        port.wake(self.bell.address());
    }

    /// What is to be waited on after a tick: the word, and the value that it had before the tick.
    #[cfg(any(feature = "std", test))]
    #[cfg_attr(not(feature = "std"), allow(dead_code, reason = "a model uses it"))]
    pub(crate) fn bell(&self) -> (*const u32, u32) {
        // Acquire: pairs with the Release in `ring`: the tick finds what was rung for.
        (self.bell.address(), self.bell.load(Ordering::Acquire))
    }

    /// Queues what is due at `now`; says after how many ticks something will be, or [`NEVER`].
    ///
    /// # Errors
    /// [`Error::Busy`]: somebody else is at it.
    pub(crate) fn tick(&self, now: u32) -> Result<u32, Error> {
        // Acquire: pairs with the Release below.
        if self.busy.swap(1, Ordering::Acquire) != 0 {
            return Err(Error::Busy);
        }
        // SAFETY: we have set `busy`.
        let next = unsafe {
            self.collect(now);
            self.expire(now);
            match self.len.get() {
                0 => NEVER,
                _ => self.next.get().wrapping_sub(now),
            }
        };
        // Release: pairs with the Acquire above: the next in `tick` sees the lists.
        self.busy.store(0, Ordering::Release);
        Ok(next)
    }

    /// Takes up what was pushed, and what was cancelled.
    ///
    /// # Safety
    /// The caller has set `busy`. So for all that follow.
    unsafe fn collect(&self, now: u32) {
        // Acquire: pairs with the Release in `note_cancelled`.
        let any_cancelled = self.cancelled.swap(0, Ordering::Acquire) != 0;
        // SAFETY: what was pushed is ours; the lists too.
        unsafe {
            if let Some(newest) = self.inbox.glance_and_take() {
                self.insert(reverse(newest), now);
            }
            if any_cancelled {
                self.sweep();
            }
        }
    }

    /// Hangs the works of a chain, oldest first, where they belong.
    unsafe fn insert(&self, oldest: NonNull<Work>, now: u32) {
        // SAFETY: the lists are ours, and so are the works.
        unsafe {
            let first = walk(oldest).fold(now, |first, work| earlier(due(work), first));
            if self.len.get() == 0 {
                self.last.set(first);
                self.next.set(due(oldest));
            }
            let safe = earlier(first, self.next.get());
            if is_before(self.last.get().wrapping_add(MAX_BEHIND), safe) {
                self.advance(safe);
            }
            for work in walk(oldest) {
                // A time that has been gone past while the work was on its way becomes `last`.
                let due = later(due(work), self.last.get());
                work.as_ref().status.set(due.cast_signed());
                self.next.set(earlier(due, self.next.get()));
                self.hang(work);
                self.len.set(self.len.get().wrapping_add(1));
            }
        }
    }

    /// Queues what is due at `now`.
    unsafe fn expire(&self, now: u32) {
        // SAFETY: the lists are ours.
        unsafe {
            while self.len.get() != 0 && !is_before(now, self.next.get()) {
                self.advance(self.next.get());
                if let Some(oldest) = self.lists.first().and_then(|list| take(list)) {
                    walk(oldest).for_each(|work| self.submit(work));
                }
                self.find_next();
            }
        }
    }

    /// `last` becomes `to`, which is not beyond the earliest time: so all lists but the first that
    /// is not empty stay as they are.
    unsafe fn advance(&self, to: u32) {
        // SAFETY: the lists are ours.
        unsafe {
            let moving = self.first().and_then(|list| take(list));
            self.last.set(to);
            if let Some(oldest) = moving {
                walk(oldest).for_each(|work| self.hang(work));
            }
        }
    }

    /// Queues what was cancelled, whenever it is due.
    unsafe fn sweep(&self) {
        for list in &self.lists {
            // SAFETY: the lists are ours.
            unsafe {
                let Some(oldest) = take(list) else { continue };
                for work in walk(oldest) {
                    if work.as_ref().state.look().is_cancelled() {
                        self.submit(work);
                    } else {
                        self.hang(work);
                    }
                }
            }
        }
        // SAFETY: as above.
        unsafe { self.find_next() };
    }

    /// Gives a work that hangs nowhere to its queue.
    unsafe fn submit(&self, work: NonNull<Work>) {
        // SAFETY: ours, and in no list now; it must not be dereferenced past this point.
        unsafe {
            self.len.set(self.len.get().wrapping_sub(1));
            Queue::submit_expired(work);
        }
    }

    /// Hangs a work in the list where it belongs, as the newest.
    unsafe fn hang(&self, work: NonNull<Work>) {
        // SAFETY: the lists are ours, and so is the work.
        unsafe {
            let bits = u32::BITS - (due(work) ^ self.last.get()).leading_zeros();
            if let Some(list) = self.lists.get(bits as usize) {
                work.as_ref().next.set(list.get());
                list.set(work.as_ptr());
            }
        }
    }

    /// Notes the earliest time.
    unsafe fn find_next(&self) {
        // SAFETY: the lists are ours.
        unsafe {
            let newest = self.first().and_then(|list| NonNull::new(list.get()));
            let Some(newest) = newest else { return };
            self.next.set(walk(newest).fold(due(newest), |first, work| earlier(due(work), first)));
        }
    }

    /// The first list that is not empty: that with the earliest time.
    unsafe fn first(&self) -> Option<&Cell<*mut Work>> {
        // SAFETY: the lists are ours.
        self.lists.iter().find(|list| !unsafe { list.get() }.is_null())
    }
}

impl Default for Timers {
    fn default() -> Self {
        Self::new()
    }
}

/// Takes all that hangs in `list`, oldest first.
///
/// # Safety
/// The list is the caller's.
unsafe fn take(list: &Cell<*mut Work>) -> Option<NonNull<Work>> {
    // SAFETY: as the caller says.
    unsafe {
        let newest = NonNull::new(list.get())?;
        list.set(ptr::null_mut());
        Some(reverse(newest))
    }
}

/// When a delayed work is due.
///
/// # Safety
/// The work is delayed, and the caller's.
unsafe fn due(work: NonNull<Work>) -> u32 {
    // SAFETY: as the caller says.
    unsafe { work.as_ref().status.get() }.cast_unsigned()
}

fn is_before(a: u32, b: u32) -> bool {
    a.wrapping_sub(b).cast_signed() < 0
}

fn earlier(a: u32, b: u32) -> u32 {
    if is_before(a, b) { a } else { b }
}

fn later(a: u32, b: u32) -> u32 {
    if is_before(a, b) { b } else { a }
}

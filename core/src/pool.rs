//! Workers: run one, run until idle, run; sleep and wake; stop.
//!
//! A pool is the ready list, the workers that have joined, and who of them sleeps. Any number of
//! queues share it. It needs no worker to take works: they wait.
//!
//! Stopping: `runs` is even while the pool runs and odd while it is stopped, and grows with each
//! stop and each resumption. A worker's loop ends as soon as `runs` is not what it was when the
//! loop began. A stop is "made ready" like a work, by a touch of the inbox, so that it is not lost
//! on a worker that is just going to sleep.

use core::ptr::NonNull;

use crate::batch::Batch;
use crate::helper;
use crate::lane::Lane;
use crate::port::Port;
use crate::ready::Ready;
use crate::sleep::{ASLEEP, Sleepers};
use crate::sync::{Atomic, Ordering, const_fn};
use crate::work::Work;
use crate::worker::{Worker, Workers};

/// Bit of `runs`: the pool is stopped.
const STOPPED: u32 = 1;

/// Works that are ready, and the workers that run them.
///
/// A pool must stay where it is from its first use on, and so must every worker that has joined it,
/// for as long as it is used.
#[repr(C)]
pub struct Pool {
    ready: Ready,
    workers: Workers,
    port: *const Port,
    sleepers: Sleepers,
    runs: Atomic<u32>,
}

// SAFETY: all fields are atomic but `port`, which is constant, and whose hooks are callable from
// everywhere.
unsafe impl Send for Pool {}
// SAFETY: as for Send.
unsafe impl Sync for Pool {}

/// A period between two stops.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Run(u32);

impl Pool {
    const_fn! {
        /// A pool on `port`. Without a port (null) no worker can sleep, so [`Pool::run`] is not to
        /// be called, but [`Pool::run_one`] and [`Pool::run_until_idle`] are.
        ///
        /// # Safety
        /// `port` is null, or points to a table that outlives the pool.
        #[must_use]
        pub const unsafe fn new(port: *const Port) -> Self {
            Self {
                ready: Ready::new(),
                workers: Workers::new(),
                port,
                sleepers: Sleepers::new(),
                runs: Atomic::new(0),
            }
        }
    }

    /// Makes the works of `batch` ready, which go by `lane`, and wakes a worker if one sleeps. The
    /// works must not be dereferenced past this call. Lock-free; callable from an interrupt.
    ///
    /// # Safety
    /// The works are queued and in no other chain, and their `next` is the caller's.
    pub(crate) unsafe fn submit(&self, lane: Lane, batch: &Batch) {
        // SAFETY: as the caller says.
        if unsafe { self.ready.submit(lane, batch) } {
            self.wake_one();
        }
    }

    /// Runs one work, and the ordered callbacks that become ready by it, but not more than a few
    /// dozen. False if nothing was ready.
    ///
    /// # Safety
    /// The caller is the one user of `me`, which has joined no other pool, and which stays valid as
    /// long as the pool is used. Not from an interrupt.
    pub unsafe fn run_one(&self, me: &Worker) -> bool {
        // SAFETY: as the caller says.
        let Some(work) = (unsafe { self.claim(me) }) else { return false };
        // SAFETY: just claimed.
        if let Some(next) = unsafe { helper::run(work) } {
            // SAFETY: handed over: ours, in no chain; its lane is constant.
            unsafe { self.submit(next.as_ref().state.look().lane(), &Batch::of(next)) };
        }
        true
    }

    /// Runs works until none is ready; says how many.
    ///
    /// # Safety
    /// As of [`Pool::run_one`].
    pub unsafe fn run_until_idle(&self, me: &Worker) -> usize {
        let mut n = 0;
        // SAFETY: as the caller says.
        while unsafe { self.run_one(me) } {
            n += 1;
        }
        n
    }

    /// The present run, for a worker that is about to come; or `None` if the pool is stopped.
    pub fn current_run(&self) -> Option<Run> {
        // Relaxed: a stop that matters to the caller happened before the call.
        let runs = self.runs.load(Ordering::Relaxed);
        (runs & STOPPED == 0).then_some(Run(runs))
    }

    /// Runs works, and sleeps while there are none, until `run` is over.
    ///
    /// # Safety
    /// As of [`Pool::run_one`]; and the pool has a port.
    pub unsafe fn run(&self, me: &Worker, run: Run) {
        while self.current_run() == Some(run) {
            // SAFETY: as the caller says.
            if !unsafe { self.run_one(me) } {
                // SAFETY: as the caller says.
                unsafe { self.sleep(me, run) };
            }
        }
    }

    /// Ends the present run: every worker leaves [`Pool::run`] when it has done with the work in
    /// its hand. Works that are queued stay queued. Lock-free; callable from an interrupt.
    pub fn stop(&self) {
        // Relaxed: the touch publishes it.
        self.runs.fetch_or(STOPPED, Ordering::Relaxed);
        self.ready.touch();
        for worker in self.workers.iter().filter(|w| self.sleepers.pick(w)) {
            self.wake(worker);
        }
    }

    /// Begins a new run if the pool is stopped; the present one otherwise.
    pub fn resume(&self) -> Run {
        // Relaxed, all: who starts workers tells them the run by a synchronisation of his own.
        let mut seen = self.runs.load(Ordering::Relaxed);
        while seen & STOPPED != 0 {
            let new = seen.wrapping_add(1);
            match self.runs.compare_exchange(seen, new, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Run(new),
                Err(found) => seen = found,
            }
        }
        Run(seen)
    }

    /// # Safety
    /// As of [`Pool::run_one`].
    unsafe fn claim(&self, me: &Worker) -> Option<NonNull<Work>> {
        // SAFETY: as the caller says.
        if unsafe { self.workers.join(me) } {
            // A sleeper that has not seen us in the list is seen by us from here on.
            self.ready.touch();
        }
        // SAFETY: as the caller says; it has joined.
        let claim = unsafe { self.ready.claim(me, &self.workers) }?;
        if claim.more {
            self.wake_one();
        }
        Some(claim.work)
    }

    /// Sleeps, unless there is something to do; the steps are those of `sleep.rs`.
    ///
    /// # Safety
    /// As of [`Pool::run`].
    unsafe fn sleep(&self, me: &Worker, run: Run) {
        self.sleepers.announce(me);
        let idle = self.ready.is_empty(me, &self.workers) && self.current_run() == Some(run);
        if idle {
            // SAFETY: the pool has a port, and the word is ours.
            unsafe { ((*self.port).wait)(me.rest.address(), ASLEEP) };
        }
        if !self.sleepers.pick(me) && !idle {
            // Picked for one thing, while we had found another, or that our run is over.
            self.wake_one();
        }
    }

    fn wake_one(&self) {
        if let Some(worker) = self.sleepers.pick_one(&self.workers) {
            self.wake(worker);
        }
    }

    fn wake(&self, worker: &Worker) {
        // SAFETY: a pool whose workers sleep has a port.
        unsafe { ((*self.port).wake)(worker.rest.address()) };
    }
}

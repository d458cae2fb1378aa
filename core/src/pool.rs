//! Workers: run one, run until idle, run; sleep and wake; stop.
//!
//! A pool is the ready list, the workers that have joined, and who of them sleeps. Any number of
//! queues share it. It needs no worker to take works: they wait.
//!
//! Stopping: `runs` is even while the pool runs and odd while it is stopped, and grows with each
//! stop and each resumption. A worker's loop ends as soon as `runs` is not what it was when the
//! loop began. A stop is "made ready" like a work, by a touch of the inbox, so that it is not lost
//! on a worker that is just going to sleep.

use core::ptr::{self, NonNull};

use crate::batch::Batch;
use crate::error::Error;
use crate::frame::{Frame, with_frame};
use crate::helper;
use crate::lane::Lane;
use crate::ordered::BUDGET;
use crate::port::Port;
use crate::ready::Ready;
use crate::sleep::{ASLEEP, Sleepers};
use crate::sync::{Atomic, AtomicPtr, Ordering, const_fn};
use crate::timer::{MAX_DELAY, Timers};
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
    timers: AtomicPtr<Timers>,
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
                timers: AtomicPtr::new(ptr::null_mut()),
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
        // SAFETY: as the caller says; the frame is this context's.
        with_frame(self.port(), |frame| unsafe { self.run_next(me, frame) })
    }

    /// Runs works until none is ready; says how many.
    ///
    /// # Safety
    /// As of [`Pool::run_one`].
    pub unsafe fn run_until_idle(&self, me: &Worker) -> usize {
        with_frame(self.port(), |frame| {
            let mut n = 0;
            // SAFETY: as the caller says; the frame is this context's.
            while unsafe { self.run_next(me, frame) } {
                n += 1;
            }
            n
        })
    }

    /// Runs the next work that no limit holds up. False if there is none.
    ///
    /// # Safety
    /// As of [`Pool::run_one`]; the frame is this context's.
    unsafe fn run_next(&self, me: &Worker, frame: &Frame) -> bool {
        // SAFETY: as the caller says.
        while let Some(work) = unsafe { self.claim(me) } {
            // SAFETY: just claimed; the rest as the caller says.
            if unsafe { helper::run(work, frame, BUDGET) } {
                return true;
            }
        }
        false
    }

    /// Gives the pool what it needs for delayed works; once, before the first of them.
    ///
    /// # Errors
    /// [`Error::Busy`]: it has that. [`Error::Invalid`]: its port has no time.
    ///
    /// # Safety
    /// `timers` is valid as long as the pool is used, and no other pool's.
    pub unsafe fn set_timers(&self, timers: NonNull<Timers>) -> Result<(), Error> {
        self.port().and_then(Port::now).ok_or(Error::Invalid)?;
        // Relaxed, both: set before the first work that needs them.
        let (new, order) = (timers.as_ptr(), Ordering::Relaxed);
        match self.timers.compare_exchange(ptr::null_mut(), new, order, order) {
            Ok(_) => Ok(()),
            Err(_) => Err(Error::Busy),
        }
    }

    /// Queues the works whose delay is over; says in how many ticks it wants to be called again, or
    /// [`NEVER`](crate::NEVER). A work that is delayed later may be due before that; the port's
    /// `wake` is called then. Takes some steps for each work that is due, and now and then for each
    /// that is delayed; callable from interrupts and callbacks.
    ///
    /// # Errors
    /// [`Error::Invalid`]: the pool has no timers. [`Error::Busy`]: another call is in progress.
    pub fn tick(&self) -> Result<u32, Error> {
        let now = self.port().and_then(Port::now).ok_or(Error::Invalid)?;
        self.timers().ok_or(Error::Invalid)?.tick(now)
    }

    /// What is so many ticks from now.
    ///
    /// # Errors
    /// [`Error::Invalid`]: too far off, or the pool has no timers.
    pub(crate) fn due_in(&self, ticks: u32) -> Result<u32, Error> {
        let now = self.port().and_then(Port::now).ok_or(Error::Invalid)?;
        if ticks > MAX_DELAY || self.timers().is_none() {
            return Err(Error::Invalid);
        }
        Ok(now.wrapping_add(ticks))
    }

    /// Queues `work` when it is `due`. It must not be dereferenced past this call.
    ///
    /// # Safety
    /// The work is accepted as delayed, and in no list; `due` comes from `due_in`.
    pub(crate) unsafe fn delay(&self, work: NonNull<Work>, due: u32) {
        if let (Some(timers), Some(port)) = (self.timers(), self.port()) {
            // SAFETY: as the caller says.
            unsafe { timers.push(work, due, port) };
        }
    }

    /// Says that a delayed work was cancelled.
    pub(crate) fn note_cancelled(&self) {
        if let (Some(timers), Some(port)) = (self.timers(), self.port()) {
            timers.note_cancelled(port);
        }
    }

    /// What there is for delayed works.
    pub(crate) fn timers(&self) -> Option<&Timers> {
        // Relaxed: set before the first work that needs them.
        // SAFETY: null, or valid as long as the pool is used.
        unsafe { self.timers.load(Ordering::Relaxed).as_ref() }
    }

    /// The port, if there is one.
    pub(crate) fn port(&self) -> Option<&Port> {
        // SAFETY: null, or a table that outlives the pool.
        unsafe { self.port.as_ref() }
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
        with_frame(self.port(), |frame| {
            while self.current_run() == Some(run) {
                // SAFETY: as the caller says; the frame is this context's.
                if !unsafe { self.run_next(me, frame) } {
                    // SAFETY: as the caller says.
                    unsafe { self.sleep(me, run) };
                }
            }
        });
    }

    /// Ends the present run: every worker leaves [`Pool::run`] when it has done with the work in
    /// its hand. Works that are queued stay queued. Lock-free; callable from an interrupt.
    pub fn stop(&self) {
        // Relaxed: the touch publishes it.
        self.runs.fetch_or(STOPPED, Ordering::Relaxed);
        self.ready.touch();
        if let (Some(timers), Some(port)) = (self.timers(), self.port()) {
            timers.ring(port);
        }
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
        if idle && let Some(port) = self.port() {
            port.wait(me.rest.address(), ASLEEP);
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
        if let Some(port) = self.port() {
            port.wake(worker.rest.address());
        }
    }
}

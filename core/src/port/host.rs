//! The port for hosts: workers that sleep on a futex, and threads to be workers.
//!
//! The hooks are what the operating system has (a futex on Linux): none but `wait` blocks or takes a
//! lock, and they may be called from a signal handler. A tick is a millisecond.
//!
//! If the pool has timers, one more thread, the *clock*, calls its `tick` when something is due.
//!
//! Starting and stopping threads is the control plane: here, and only here, there is a lock and an
//! allocation.

use core::cell::Cell;
use core::ptr::{self, NonNull};
use std::boxed::Box;
use std::format;
use std::string::String;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::{Builder, JoinHandle};
use std::vec::Vec;

use crate::error::Error;
use crate::pool::{Pool, Run};
use crate::port::Port;
use crate::port::clock;
use crate::sync::{AtomicPtr, AtomicU32, Ordering};
use crate::worker::Worker;

/// The hooks for hosts.
pub const PORT: Port = Port { wait, wake, now: Some(now), local: Some(local) };

unsafe extern "C" fn wait(word: *const u32, value: u32) {
    // SAFETY: the word is valid during the call, and only ever used atomically.
    atomic_wait::wait(unsafe { AtomicU32::from_ptr(word.cast_mut()) }, value);
}

unsafe extern "C" fn wake(word: *const u32) {
    atomic_wait::wake_all(word.cast::<AtomicU32>());
}

unsafe extern "C" fn now() -> u32 {
    clock::now()
}

unsafe extern "C" fn local() -> *mut *const () {
    LOCAL.with(Cell::as_ptr)
}

std::thread_local! {
    /// What the hook `local` gives out.
    static LOCAL: Cell<*const ()> = const { Cell::new(ptr::null()) };
    /// The pool whose thread this is, if it is one of ours.
    static POOL: Cell<*const Pool> = const { Cell::new(ptr::null()) };
}

/// The threads of one pool: none until they are started, and again after they have been stopped.
#[repr(transparent)]
pub struct Threads(AtomicPtr<Mutex<Crew>>);

/// Records outlive their threads, since a pool's list of workers only grows; they are used again.
#[derive(Default)]
#[expect(clippy::vec_box, reason = "a record must not move when the vector grows")]
struct Crew {
    records: Vec<Box<Record>>,
    running: Vec<JoinHandle<()>>,
}

/// A worker with cache lines (and the prefetcher's neighbour lines) of its own.
#[repr(align(128))]
struct Record(Worker);

/// Shut while threads are being born; then it says which run they are for.
type Gate = Arc<RwLock<Option<Run>>>;

/// What a thread is born with. It waits until the gate opens, and then runs, or goes if there is no
/// run. Without a worker it is the clock.
struct Orders {
    pool: *const Pool,
    worker: Option<NonNull<Worker>>,
    gate: Gate,
}

// SAFETY: pools and workers may be used from every thread.
unsafe impl Send for Orders {}

impl Threads {
    /// None.
    #[must_use]
    pub const fn new() -> Self {
        Self(AtomicPtr::new(ptr::null_mut()))
    }

    /// Starts `n` threads named `btwq-0` and so on, each of them a worker of `pool`, and ends a
    /// stop of the pool; with `n` = 0 it does only the latter.
    ///
    /// # Errors
    /// [`Error::Busy`]: threads of the pool are running already. [`Error::Again`]: the system gave too
    /// few; nothing has changed.
    ///
    /// # Safety
    /// `pool` is the same in every call, and stays valid until [`Threads::destroy`] has returned; unless
    /// `n` is 0 its port is [`PORT`].
    pub unsafe fn start(&self, pool: NonNull<Pool>, n: usize) -> Result<(), Error> {
        if POOL.get() == pool.as_ptr().cast_const() {
            // One of its threads is calling; to wait for the lock could be to wait for its own end.
            return Err(Error::Busy);
        }
        if n == 0 && self.existing_crew().is_none() {
            // SAFETY: valid, says the caller.
            unsafe { pool.as_ref() }.resume();
            return Ok(());
        }
        let mut crew = lock(self.crew());
        if !crew.running.is_empty() {
            return Err(Error::Busy);
        }
        let gate = Gate::default();
        let mut run = gate.write().unwrap_or_else(PoisonError::into_inner);
        let born = (0..n).all(|i| crew.spawn_worker(i, pool, &gate).is_ok())
            // SAFETY: valid, says the caller.
            && (unsafe { pool.as_ref() }.timers().is_none() || crew.spawn_clock(pool, &gate).is_ok());
        // SAFETY: valid, says the caller.
        *run = born.then(|| unsafe { pool.as_ref() }.resume());
        drop(run); // Opens the gate.
        if !born {
            crew.join();
            return Err(Error::Again);
        }
        Ok(())
    }

    /// Whether threads are running, or just being started or stopped.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.existing_crew().is_some_and(|crew| match crew.try_lock() {
            Ok(crew) => !crew.running.is_empty(),
            Err(_) => true,
        })
    }

    /// Stops the pool and joins the threads. Works that are queued stay queued.
    ///
    /// # Errors
    /// [`Error::Deadlock`]: called from one of these threads, hence from a callback.
    ///
    /// # Safety
    /// As of [`Threads::start`].
    pub unsafe fn stop(&self, pool: NonNull<Pool>) -> Result<(), Error> {
        if POOL.get() == pool.as_ptr().cast_const() {
            return Err(Error::Deadlock);
        }
        // SAFETY: valid, says the caller.
        let pool = unsafe { pool.as_ref() };
        pool.stop();
        // Looked for only now, so that a start which has come between is stopped too.
        if let Some(crew) = self.existing_crew() {
            let mut crew = lock(crew);
            pool.stop();
            crew.join();
        }
        Ok(())
    }

    /// Stops the pool, joins the threads, and gives their memory back.
    ///
    /// # Errors
    /// As of [`Threads::stop`].
    ///
    /// # Safety
    /// As of [`Threads::start`]; and neither the pool nor `self` is in use elsewhere, now or later.
    pub unsafe fn destroy(&self, pool: NonNull<Pool>) -> Result<(), Error> {
        // SAFETY: as the caller says.
        unsafe { self.stop(pool) }?;
        // Acquire: pairs with the Release in `crew`.
        let crew = self.0.swap(ptr::null_mut(), Ordering::Acquire);
        if !crew.is_null() {
            // SAFETY: made by `Box` in `crew`, and nobody else has it, says the caller.
            drop(unsafe { Box::from_raw(crew) });
        }
        Ok(())
    }

    /// The crew, if there is one yet.
    fn existing_crew(&self) -> Option<&Mutex<Crew>> {
        // Acquire: pairs with the Release in `crew`: what the box holds is seen.
        // SAFETY: it stays until `destroy`, after which nobody uses `self`.
        unsafe { self.0.load(Ordering::Acquire).as_ref() }
    }

    /// The crew, made when it is first needed.
    fn crew(&self) -> &Mutex<Crew> {
        if let Some(crew) = self.existing_crew() {
            return crew;
        }
        let new = Box::into_raw(Box::new(Mutex::new(Crew::default())));
        // Release: pairs with the Acquire here, and in `existing_crew` and `destroy`.
        match self.0.compare_exchange(ptr::null_mut(), new, Ordering::Release, Ordering::Acquire) {
            // SAFETY: it stays until `destroy`, after which nobody uses `self`.
            Ok(_) => unsafe { &*new },
            Err(found) => {
                // SAFETY: made above, and nobody else has seen it.
                drop(unsafe { Box::from_raw(new) });
                // SAFETY: as above.
                unsafe { &*found }
            }
        }
    }
}

impl Default for Threads {
    fn default() -> Self {
        Self::new()
    }
}

impl Crew {
    /// Starts worker `i`, which waits at the gate.
    fn spawn_worker(&mut self, i: usize, pool: NonNull<Pool>, gate: &Gate) -> std::io::Result<()> {
        if self.records.len() == i {
            self.records.push(Box::new(Record(Worker::new())));
        }
        let worker = self.records.get(i).map(|record| NonNull::from(&record.0));
        self.spawn(format!("btwq-{i}"), Orders { pool: pool.as_ptr(), worker, gate: gate.clone() })
    }

    /// Starts the clock, which waits at the gate.
    fn spawn_clock(&mut self, pool: NonNull<Pool>, gate: &Gate) -> std::io::Result<()> {
        let orders = Orders { pool: pool.as_ptr(), worker: None, gate: gate.clone() };
        self.spawn("btwq-clock".into(), orders)
    }

    fn spawn(&mut self, name: String, orders: Orders) -> std::io::Result<()> {
        self.running.push(Builder::new().name(name).spawn(move || orders.carry_out())?);
        Ok(())
    }

    /// Joins the threads, which are on their way out.
    fn join(&mut self) {
        for thread in self.running.drain(..) {
            // An error is the payload of a panic, which these threads end with the process.
            let _ = thread.join();
        }
    }
}

impl Orders {
    fn carry_out(self) {
        let run = *self.gate.read().unwrap_or_else(PoisonError::into_inner);
        let Some(run) = run else { return };
        POOL.set(self.pool);
        // SAFETY: valid until `destroy`, which joins this thread.
        let pool = unsafe { &*self.pool };
        match self.worker {
            // SAFETY: as valid; the record is in use by this thread alone, since `start` refuses
            // while threads run; the pool has a port.
            Some(worker) => unsafe { pool.run(worker.as_ref(), run) },
            None => clock::run(pool, run),
        }
    }
}

fn lock(crew: &Mutex<Crew>) -> MutexGuard<'_, Crew> {
    crew.lock().unwrap_or_else(PoisonError::into_inner)
}

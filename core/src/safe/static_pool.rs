//! A pool in a static, and workers of one's own: for firmware, and for threads that one has already.

use core::ptr;

use crate::error::Error;
use crate::port::Port;
use crate::sync::{Atomic, Ordering, const_fn};

/// A pool in a static. Its workers are [`StaticWorker`]s.
pub struct StaticPool {
    raw: crate::Pool,
    port: Option<&'static Port>,
}

impl StaticPool {
    const_fn! {
        /// A pool without a port: its workers never sleep, but are called by a main loop, by
        /// [`Worker::run_one`] and [`Worker::run_until_idle`]; and nobody may wait for works.
        #[must_use]
        pub const fn new() -> Self {
            // SAFETY: no port.
            Self { raw: unsafe { crate::Pool::new(ptr::null()) }, port: None }
        }
    }

    const_fn! {
        /// A pool on a port of one's own.
        ///
        /// # Safety
        /// The port's hooks do what its documentation says.
        #[must_use]
        pub const unsafe fn with_port(port: &'static Port) -> Self {
            // SAFETY: static.
            Self { raw: unsafe { crate::Pool::new(port) }, port: Some(port) }
        }
    }

    /// A pool on the port for hosts: any thread may take a worker, and let it [run](Worker::run).
    #[cfg(feature = "std")]
    #[must_use]
    pub const fn on_host() -> Self {
        // SAFETY: the crate's own hooks.
        unsafe { Self::with_port(&crate::port::host::PORT) }
    }

    /// Lets every worker leave [`Worker::run`] when it has done with the work in its hand. Works that
    /// are queued stay queued.
    ///
    /// Context: everywhere. Lock-free.
    pub fn stop(&self) {
        self.raw.stop();
    }

    /// Ends a stop: workers may [run](Worker::run) again.
    ///
    /// Context: everywhere. Lock-free.
    pub fn resume(&self) {
        self.raw.resume();
    }

    /// The pool behind it.
    pub(super) const fn raw(&'static self) -> *const crate::Pool {
        &raw const self.raw
    }

    /// Whether somebody may wait for the works of its queues.
    #[cfg(feature = "alloc")]
    pub(super) fn can_wait(&self) -> bool {
        self.port.is_some_and(|port| port.local.is_some())
    }
}

impl Default for StaticPool {
    fn default() -> Self {
        Self::new()
    }
}

/// A worker's record, which stays as long as the pool: for ever.
pub struct StaticWorker {
    raw: crate::Worker,
    pool: &'static StaticPool,
    taken: Atomic<u32>,
}

impl StaticWorker {
    const_fn! {
        /// A worker of `pool`.
        #[must_use]
        pub const fn new(pool: &'static StaticPool) -> Self {
            Self { raw: crate::Worker::new(), pool, taken: Atomic::new(0) }
        }
    }

    /// The worker, for the caller alone; or `None` if somebody has it. It is free again when what is
    /// returned is dropped.
    ///
    /// Context: everywhere. Wait-free.
    #[must_use]
    pub fn take(&'static self) -> Option<Worker> {
        // Acquire: pairs with the Release in `drop`: what its last user did is over.
        (self.taken.swap(1, Ordering::Acquire) == 0).then_some(Worker(self))
    }
}

/// A worker that was taken: whoever has it runs works of the pool. One at a time has it, since it can
/// be sent, but neither cloned nor, as its methods are, used by reference from two threads.
pub struct Worker(&'static StaticWorker);

impl Worker {
    /// Runs one work, if one is ready, and the ordered methods that become ready by it, but of at
    /// most a few dozen works. False if there was none. Also on a pool that is stopped.
    ///
    /// Context: threads, tasks, main loops, callbacks; not interrupts. Lock-free beside the
    /// callbacks, and does not wait.
    pub fn run_one(&mut self) -> bool {
        let Self(StaticWorker { raw, pool, .. }) = self;
        // SAFETY: we are the one who has taken it, and used by nobody else meanwhile; it is static,
        // and of this pool alone.
        unsafe { pool.raw.run_one(raw) }
    }

    /// Runs works until none is ready; says how many.
    ///
    /// Context: as of [`Worker::run_one`].
    pub fn run_until_idle(&mut self) -> usize {
        let Self(StaticWorker { raw, pool, .. }) = self;
        // SAFETY: as in `run_one`.
        unsafe { pool.raw.run_until_idle(raw) }
    }

    /// Runs works, and sleeps while there are none, until the pool is stopped; returns at once if it
    /// is.
    ///
    /// Context: threads and tasks; neither callbacks nor interrupts. Blocks, without spinning.
    ///
    /// # Errors
    /// [`Error::Invalid`]: the pool has no port.
    pub fn run(&mut self) -> Result<(), Error> {
        let Self(StaticWorker { raw, pool, .. }) = self;
        pool.port.ok_or(Error::Invalid)?;
        if let Some(run) = pool.raw.current_run() {
            // SAFETY: as in `run_one`; it has a port.
            unsafe { pool.raw.run(raw, run) };
        }
        Ok(())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Release: pairs with the Acquire in `take`.
        self.0.taken.store(0, Ordering::Release);
    }
}

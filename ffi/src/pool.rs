//! A pool, and its port.

use core::ffi::c_void;
use core::ptr::NonNull;

use btwq::{Pool, Port, host};

use crate::check::{Mirror, core, initialised};
use crate::status::{BTWQ_EINVAL, BTWQ_OK, btwq_status, status};

/// What a platform must give: a constant table that outlives the pools that name it. On hosts use
/// `BTWQ_PORT_HOST`. `wait` and `wake` are a futex: one context sleeps on a word as long as that has
/// some value; another changes the word and then wakes it. The other two may be NULL.
///
/// With interrupts and one core: `wait` disables interrupts, waits for one (WFI) if `*word ==
/// value`, and enables them; `wake` does nothing; `local` gives out one static pointer. With a
/// mutex and a condition variable: `wait` waits for the condition while `*word == value`, `wake`
/// broadcasts it, both holding the mutex; but on such a port `wake` may block, so nothing that
/// wakes is lock-free or to be called from interrupts and signal handlers there.
#[repr(C)]
pub struct btwq_port {
    /// Blocks the caller as long as `*word == value`: looks, and goes to sleep if so, such that a
    /// `wake` for the word which comes after the look is not lost. May return early, for no reason.
    /// Read the word atomically (or `volatile`, as large as it is); it is changed by others
    /// meanwhile. Never called from an interrupt.
    pub wait: Option<unsafe extern "C" fn(word: *const u32, value: u32)>,
    /// Lets every `wait` for `word` return. Called after the word was changed, by whoever makes a
    /// work ready: a thread, a callback, an interrupt. Must not block, and must not dereference
    /// `word`, which may be gone.
    pub wake: Option<unsafe extern "C" fn(word: *const u32)>,
    /// The time in ticks, modulo 2^32. Called from wherever works are queued, interrupts too. Without
    /// it nothing can be delayed, and ages are 0. `BTWQ_PORT_HOST`: milliseconds.
    pub now: Option<unsafe extern "C" fn() -> u32>,
    /// The address of a pointer that belongs to the calling thread or task alone, as long as that
    /// lives, and is NULL at first; an interrupt gets that of the context that it has interrupted.
    /// By it the library knows which queue's callback a caller is in. Without it the calls that wait
    /// are refused.
    pub local: Option<unsafe extern "C" fn() -> *mut *mut c_void>,
}

/// Works that wait for a worker, and the workers that run them, for any number of queues. All
/// fields are the library's.
///
/// Memory: yours, and it stays where it is from its first use until `btwq_pool_destroy`.
///
/// A pool takes works whether it runs, is stopped, or has no worker at all.
#[repr(C)]
pub struct btwq_pool {
    priv_inbox: *mut c_void,
    priv_high_inbox: *mut c_void,
    priv_high: usize,
    priv_workers: *mut c_void,
    priv_port: *const btwq_port,
    priv_timers: *mut c_void,
    priv_sleepers: u32,
    priv_runs: u32,
    priv_threads: *mut c_void,
    priv_magic: u32,
    priv_reserved: u32,
}

/// What `priv_magic` is in an initialised pool. Use `BTWQ_POOL_INIT`.
pub const BTWQ_PRIV_POOL_MAGIC: u32 = 0x6274_706f;

const _: () = {
    assert!(size_of::<Pool>() == 6 * size_of::<*const ()>() + 8);
    assert!(size_of::<btwq_pool>() == 7 * size_of::<*const ()>() + 16);
    assert!(align_of::<btwq_pool>() == align_of::<Pool>());
    assert!(size_of::<btwq_port>() == size_of::<Port>());
    assert!(size_of::<host::Threads>() == size_of::<*const ()>());
};

// SAFETY: the core's pool is two inboxes, a count, the workers, a port, the timers, two words, in this
// order.
unsafe impl Mirror for btwq_pool {
    type Core = Pool;
    const MAGIC: u32 = BTWQ_PRIV_POOL_MAGIC;
    unsafe fn magic(this: *const Self) -> u32 {
        // SAFETY: memory of the type, says the caller.
        unsafe { (*this).priv_magic }
    }
}

/// The pool's threads.
///
/// # Safety
/// `pool` is initialised, and stays so for as long as the result is used.
pub(crate) unsafe fn threads<'a>(pool: NonNull<btwq_pool>) -> &'a host::Threads {
    // SAFETY: `Threads` is transparent over an atomic pointer, and there are none while it is null.
    unsafe { &*(&raw const (*pool.as_ptr()).priv_threads).cast() }
}

/// Whether workers can sleep on `port`.
///
/// # Safety
/// `port` is NULL or points to a port.
unsafe fn is_port(port: *const btwq_port) -> bool {
    // SAFETY: as the caller says.
    unsafe { port.as_ref() }.is_some_and(|port| port.wait.is_some() && port.wake.is_some())
}

/// Whether the workers of `pool` can sleep.
///
/// # Safety
/// `pool` is initialised.
pub(crate) unsafe fn has_port(pool: NonNull<btwq_pool>) -> bool {
    // SAFETY: initialised, so its port is NULL or one that outlives it.
    unsafe { is_port((*pool.as_ptr()).priv_port) }
}

/// The port for hosts (threads of an operating system): a worker sleeps on a futex or what the
/// system has in its place, and is woken without a lock, from signal handlers too.
#[unsafe(no_mangle)]
pub static btwq_port_host: btwq_port = {
    // SAFETY: the same two pointers to functions of the same ABI; the size is asserted above.
    unsafe { core::mem::transmute::<Port, btwq_port>(host::PORT) }
};

/// Initialises a pool. `BTWQ_POOL_INIT(port)` does the same in a declaration.
///
/// Parameters: `pool`, memory for it, whatever it holds, but not a pool in use; `port`, how its
/// workers sleep, or NULL if none ever does (`btwq_run_one` and `btwq_run_until_idle` need none).
/// Returns: `BTWQ_OK`; `BTWQ_EINVAL` if `pool`, or a hook of the port, is NULL.
/// Memory: keeps `port`, which must outlive the pool. Undo it with `btwq_pool_destroy`.
/// Context: anywhere, interrupts too. Wait-free.
///
/// # Safety
/// As said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btwq_pool_init(
    pool: *mut btwq_pool,
    port: *const btwq_port,
) -> btwq_status {
    // SAFETY: NULL or a port, says the caller.
    if pool.is_null() || !(port.is_null() || unsafe { is_port(port) }) {
        return BTWQ_EINVAL;
    }
    let new = btwq_pool {
        priv_inbox: core::ptr::null_mut(),
        priv_high_inbox: core::ptr::null_mut(),
        priv_high: 0,
        priv_workers: core::ptr::null_mut(),
        priv_port: port,
        priv_timers: core::ptr::null_mut(),
        priv_sleepers: 0,
        priv_runs: 0,
        priv_threads: core::ptr::null_mut(),
        priv_magic: BTWQ_PRIV_POOL_MAGIC,
        priv_reserved: 0,
    };
    // SAFETY: memory for a pool, says the caller.
    unsafe { pool.write(new) };
    BTWQ_OK
}

/// Starts threads, named `btwq-0`, `btwq-1` and so on, each a worker of the pool; and ends a stop,
/// so that workers of your own may run as well. If the pool has timers, a thread `btwq-clock` more
/// calls `btwq_pool_tick` whenever that is due. The threads have stacks of 2 MiB and inherit the
/// caller's signal mask.
///
/// Parameters: `pool`, initialised, with `BTWQ_PORT_HOST` as its port unless `n_threads` is 0;
/// `n_threads`, how many, where 0 starts none and only ends a stop.
/// Returns: `BTWQ_OK`; `BTWQ_EBUSY` if threads of the pool are running; `BTWQ_EAGAIN` if the system
/// gave too few (those that it gave have been joined again); `BTWQ_EINVAL` if the pool is NULL, was
/// never initialised, or has another port. After an error nothing has changed.
/// Memory: allocates, once, a record of 128 bytes for each thread; `btwq_pool_destroy` frees them. If
/// there is no memory for that, or for what Rust's standard library keeps of a thread, the process
/// aborts; no other function allocates.
/// Context: threads, callbacks; not interrupts or signal handlers. May block while another thread
/// starts or stops the same pool.
///
/// # Safety
/// As said above.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn btwq_pool_start(pool: *mut btwq_pool, n_threads: u32) -> btwq_status {
    // SAFETY: NULL or memory for a pool, says the caller.
    let Some(pool) = (unsafe { initialised(pool) }) else { return BTWQ_EINVAL };
    let Ok(n) = usize::try_from(n_threads) else { return BTWQ_EINVAL };
    // SAFETY: initialised.
    let port = unsafe { (*pool.as_ptr()).priv_port };
    if n != 0 && !core::ptr::eq(port, &raw const btwq_port_host) {
        return BTWQ_EINVAL;
    }
    // SAFETY: the port is the host's unless `n` is 0, and the pool stays until it is destroyed.
    status(unsafe { threads(pool).start(core(pool), n) })
}

/// Stops the pool: every worker leaves as soon as it has done with the work in its hand, and the
/// threads that `btwq_pool_start` made are joined. `btwq_worker_run` returns, and returns at once
/// when called again, until the next `btwq_pool_start`. Works that are queued stay queued, and run
/// when workers come back, or by `btwq_run_until_idle`. Stopping twice does no harm.
///
/// Parameters: `pool`, initialised.
/// Returns: `BTWQ_OK`; `BTWQ_EDEADLK` from a callback on one of those threads; `BTWQ_EINVAL` if the
/// pool is NULL or was never initialised.
/// Memory: when it has returned, the threads that `btwq_pool_start` made touch nothing of any work,
/// queue or pool any more. A `btwq_worker_run` of your own does so until it has returned itself.
/// Context: threads; not interrupts or signal handlers. Blocks while works are running, without
/// spinning.
///
/// # Safety
/// As said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btwq_pool_stop(pool: *mut btwq_pool) -> btwq_status {
    // SAFETY: NULL or memory for a pool, says the caller.
    let Some(pool) = (unsafe { initialised(pool) }) else { return BTWQ_EINVAL };
    // SAFETY: the pool stays until it is destroyed.
    status(unsafe { threads(pool).stop(core(pool)) })
}

/// Stops the pool, as `btwq_pool_stop`, and frees what it has allocated. The memory of the pool,
/// and of the workers that have run on it, is yours again. What is to be used with a pool in this
/// memory later must be initialised anew: the pool, every worker that has run on it, and queues and
/// works that were not idle.
///
/// Parameters: `pool`, initialised, and in use by nobody: every call with it, its workers or its
/// queues has returned, and none comes later. (That a work has ended does not tell that the call
/// which queued it has returned.) Works that are still queued are forgotten.
/// Returns: `BTWQ_OK`; `BTWQ_EDEADLK` from a callback on one of its threads; `BTWQ_EINVAL` if it is
/// NULL, was never initialised, or is destroyed already.
/// Context: threads; not interrupts or signal handlers. Blocks while works are running, without
/// spinning.
///
/// # Safety
/// As said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btwq_pool_destroy(pool: *mut btwq_pool) -> btwq_status {
    // SAFETY: NULL or memory for a pool, says the caller.
    let Some(this) = (unsafe { initialised(pool) }) else { return BTWQ_EINVAL };
    // SAFETY: in use by nobody else, says the caller.
    let result = unsafe { threads(this).destroy(core(this)) };
    if result.is_ok() {
        // SAFETY: as before; nobody else uses it.
        unsafe { (*pool).priv_magic = 0 };
    }
    status(result)
}

//! A worker of one's own: any thread, task or main loop.

use core::ffi::c_void;
use core::ptr::NonNull;

use btwq::Worker;

use crate::check::{Mirror, core, initialised};
use crate::pool::{btwq_pool, has_port};
use crate::status::{BTWQ_EINVAL, BTWQ_OK, btwq_status};

/// A worker of one's own: with it any thread, task or main loop runs works of the pool. The threads
/// of `btwq_pool_start` need none. All fields are the library's.
///
/// Memory: yours, and it stays where it is, and valid, from its first use until the pool is
/// destroyed, since others may find works in it. One thread at a time uses it; when that has gone,
/// another may.
#[repr(C)]
pub struct btwq_worker {
    priv_slot: *mut c_void,
    priv_high_slot: *mut c_void,
    priv_next: *mut c_void,
    priv_rest: u32,
    priv_claims: u8,
    priv_takes: u8,
    priv_joined: u16,
    priv_pool: *mut btwq_pool,
    priv_magic: u32,
    priv_reserved: u32,
}

/// What `priv_magic` is in an initialised worker. Use `BTWQ_WORKER_INIT`.
pub const BTWQ_PRIV_WORKER_MAGIC: u32 = 0x6274_776f;

const _: () = {
    assert!(size_of::<Worker>() == 3 * size_of::<*const ()>() + 8);
    assert!(size_of::<btwq_worker>() == 4 * size_of::<*const ()>() + 16);
    assert!(align_of::<btwq_worker>() == align_of::<Worker>());
};

// SAFETY: the core's worker is two slots, a next, a word, two bytes and a half word, in this order.
unsafe impl Mirror for btwq_worker {
    type Core = Worker;
    const MAGIC: u32 = BTWQ_PRIV_WORKER_MAGIC;
    unsafe fn magic(this: *const Self) -> u32 {
        // SAFETY: memory of the type, says the caller.
        unsafe { (*this).priv_magic }
    }
}

/// The worker and its pool, if both are usable.
///
/// # Safety
/// `worker` is NULL, or memory for a worker.
unsafe fn worker_and_pool(
    worker: *mut btwq_worker,
) -> Option<(NonNull<btwq_worker>, NonNull<btwq_pool>)> {
    // SAFETY: as the caller says.
    let worker = unsafe { initialised(worker) }?;
    // SAFETY: initialised, so its pool is NULL or memory for one.
    Some((worker, unsafe { initialised((*worker.as_ptr()).priv_pool) }?))
}

/// Initialises a worker. `BTWQ_WORKER_INIT(pool)` does the same in a declaration.
///
/// Parameters: `worker`, memory for it, whatever it holds, but not a worker that has run works of a
/// pool which is not destroyed yet; `pool`, whose works it will run, and which need not be
/// initialised yet.
/// Returns: `BTWQ_OK`; `BTWQ_EINVAL` if an argument is NULL.
/// Memory: keeps `pool`. The worker's memory must stay as the type says: so not on the stack of a
/// thread that ends before the pool is destroyed.
/// Context: anywhere, interrupts too. Wait-free.
///
/// # Safety
/// As said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btwq_worker_init(
    worker: *mut btwq_worker,
    pool: *mut btwq_pool,
) -> btwq_status {
    if worker.is_null() || pool.is_null() {
        return BTWQ_EINVAL;
    }
    // SAFETY: memory for a worker, says the caller.
    unsafe {
        worker.write(btwq_worker {
            priv_slot: core::ptr::null_mut(),
            priv_high_slot: core::ptr::null_mut(),
            priv_next: core::ptr::null_mut(),
            priv_rest: 0,
            priv_claims: 0,
            priv_takes: 0,
            priv_joined: 0,
            priv_pool: pool,
            priv_magic: BTWQ_PRIV_WORKER_MAGIC,
            priv_reserved: 0,
        });
    }
    BTWQ_OK
}

/// Runs one work, if one is ready, and the ordered callbacks that become ready by it, but of at
/// most 64 works: what is ready beyond that waits for a worker as another work does. Also on a pool
/// that is stopped.
///
/// Parameters: `worker`, initialised, used by no other thread at this time (but a callback that it
/// runs may pass it again), in memory that stays valid until the pool is destroyed.
/// Returns: 1 if a work was run, or the retiring of works was taken over that another call had
/// left; 0 if nothing was ready; `BTWQ_EINVAL` if `worker` or its pool is NULL or was never
/// initialised.
/// Context: threads, tasks, main loops, callbacks; not interrupts. Lock-free beside the callbacks,
/// and does not wait.
///
/// # Safety
/// As said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btwq_run_one(worker: *mut btwq_worker) -> btwq_status {
    // SAFETY: NULL or memory for a worker, says the caller.
    let Some((worker, pool)) = (unsafe { worker_and_pool(worker) }) else { return BTWQ_EINVAL };
    // SAFETY: the mirrors agree with the core's types; the worker is the caller's, and stays.
    i32::from(unsafe { core(pool).as_ref().run_one(core(worker).as_ref()) })
}

/// Runs works until none is ready. Others may still be running some then, on other workers. Works
/// that queue themselves again are ready again: with such it does not return. A stop does not end
/// it.
///
/// Parameters: as of `btwq_run_one`.
/// Returns: how many calls of `btwq_run_one` that would have taken, at most `INT32_MAX`;
/// `BTWQ_EINVAL` as `btwq_run_one`.
/// Context: as of `btwq_run_one`.
///
/// # Safety
/// As said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btwq_run_until_idle(worker: *mut btwq_worker) -> btwq_status {
    // SAFETY: NULL or memory for a worker, says the caller.
    let Some((worker, pool)) = (unsafe { worker_and_pool(worker) }) else { return BTWQ_EINVAL };
    // SAFETY: the mirrors agree with the core's types; the worker is the caller's, and stays.
    let n = unsafe { core(pool).as_ref().run_until_idle(core(worker).as_ref()) };
    i32::try_from(n).unwrap_or(i32::MAX)
}

/// Makes the calling thread a worker: runs works, and sleeps in the port's `wait` while there are
/// none, until the pool is stopped. Returns at once if it is stopped already.
///
/// Parameters: as of `btwq_run_one`; the pool must have a port.
/// Returns: `BTWQ_OK`, when the pool was stopped; `BTWQ_EINVAL` if `worker` or its pool is NULL or
/// was never initialised, or the pool has no port.
/// Context: threads, tasks, main loops; neither callbacks nor interrupts. Blocks, without spinning.
///
/// # Safety
/// As said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btwq_worker_run(worker: *mut btwq_worker) -> btwq_status {
    // SAFETY: NULL or memory for a worker, says the caller.
    let Some((worker, pool)) = (unsafe { worker_and_pool(worker) }) else { return BTWQ_EINVAL };
    // SAFETY: initialised.
    if !unsafe { has_port(pool) } {
        return BTWQ_EINVAL;
    }
    // SAFETY: the mirrors agree with the core's types; the pool outlives the call.
    let pool = unsafe { core(pool).as_ref() };
    if let Some(run) = pool.current_run() {
        // SAFETY: the worker is the caller's, and stays; the pool has a port.
        unsafe { pool.run(core(worker).as_ref(), run) };
    }
    BTWQ_OK
}

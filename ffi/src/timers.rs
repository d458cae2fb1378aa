//! Delayed works.

use core::ffi::c_void;
use core::ptr::NonNull;

use btwq::Timers;

use crate::check::{Mirror, core, initialised};
use crate::pool::{btwq_pool, threads};
use crate::queue::{btwq_queue, usable};
use crate::status::{BTWQ_EBUSY, BTWQ_EINVAL, BTWQ_OK, btwq_status, status};
use crate::work::btwq_work;

/// What a pool needs so that works may be delayed. All fields are the library's.
///
/// Memory: yours, for one pool, and it stays where it is until that is destroyed.
#[repr(C)]
pub struct btwq_timers {
    priv_inbox: *mut c_void,
    priv_lists: [*mut c_void; 33],
    priv_times: [u32; 2],
    priv_len: usize,
    priv_words: [u32; 3],
    priv_magic: u32,
}

/// What `priv_magic` is in initialised timers. Use `BTWQ_TIMERS_INIT`.
pub const BTWQ_PRIV_TIMERS_MAGIC: u32 = 0x6274_7469;

/// The longest delay, in ticks.
pub const BTWQ_MAX_DELAY: u32 = 1_073_741_823;

const _: () = {
    assert!(size_of::<btwq_timers>() == 35 * size_of::<*const ()>() + 24);
    assert!(size_of::<btwq_timers>() == size_of::<Timers>());
    assert!(align_of::<btwq_timers>() == align_of::<Timers>());
    assert!(BTWQ_MAX_DELAY == btwq::MAX_DELAY);
};

// SAFETY: the core's timers are an inbox, the lists, two times, a length, three words and a tag, in
// this order.
unsafe impl Mirror for btwq_timers {
    type Core = Timers;
    const MAGIC: u32 = BTWQ_PRIV_TIMERS_MAGIC;
    unsafe fn magic(this: *const Self) -> u32 {
        // SAFETY: memory of the type, says the caller.
        unsafe { (*this).priv_magic }
    }
}

/// Initialises timers. `BTWQ_TIMERS_INIT` does the same in a declaration.
///
/// Parameters: `timers`, memory for them, whatever it holds, but not those of a pool in use.
/// Returns: `BTWQ_OK`; `BTWQ_EINVAL` if it is NULL.
/// Memory: nothing is to be undone later.
/// Context: anywhere, interrupts too. Wait-free.
///
/// # Safety
/// As said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btwq_timers_init(timers: *mut btwq_timers) -> btwq_status {
    if timers.is_null() {
        return BTWQ_EINVAL;
    }
    // SAFETY: memory for timers, says the caller.
    unsafe {
        timers.write(btwq_timers {
            priv_inbox: core::ptr::null_mut(),
            priv_lists: [core::ptr::null_mut(); 33],
            priv_times: [0; 2],
            priv_len: 0,
            priv_words: [0; 3],
            priv_magic: BTWQ_PRIV_TIMERS_MAGIC,
        });
    }
    BTWQ_OK
}

/// Gives a pool timers, so that works may be delayed on its queues.
///
/// Parameters: `pool`, whose port has `now`, before `btwq_pool_start`; `timers`, of no other pool.
/// Returns: `BTWQ_OK`; `BTWQ_EBUSY` if the pool has timers, or threads of it are running;
/// `BTWQ_EINVAL` if an argument is NULL or was never initialised, or the port has no `now`.
/// Memory: keeps `timers`, as the type says.
/// Context: threads; not interrupts. Wait-free unless another thread starts or stops the pool.
///
/// # Safety
/// As said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btwq_pool_set_timers(
    pool: *mut btwq_pool,
    timers: *mut btwq_timers,
) -> btwq_status {
    // SAFETY: NULL or memory of these types, says the caller.
    let (Some(pool), Some(timers)) = (unsafe { (initialised(pool), initialised(timers)) }) else {
        return BTWQ_EINVAL;
    };
    // SAFETY: initialised; the threads, if any, are the pool's.
    if unsafe { threads(pool).is_running() } {
        return BTWQ_EBUSY;
    }
    // SAFETY: the mirrors agree with the core's types; the rest is the caller's word.
    status(unsafe { core(pool).as_ref().set_timers(core(timers)) })
}

/// Queues a work when a delay is over: it takes its place in the order then, as if it were queued at
/// that time. Works whose delays end at the same tick are queued in the order of the calls.
///
/// Parameters: `queue`, on a pool that has timers; `work`, as of `btwq_queue_work`; `ticks` of the
/// port (on hosts milliseconds), at most `BTWQ_MAX_DELAY`; the delay is over when so many ticks have
/// begun since the call, and with 0 at the next `btwq_pool_tick`.
/// Returns: as `btwq_queue_work`; `BTWQ_EINVAL` also if the delay is too long, or the pool has no
/// timers.
/// Memory: as of `btwq_queue_work`.
/// Context: anywhere: threads, callbacks, interrupts, signal handlers. Lock-free.
///
/// # Safety
/// As said above.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn btwq_queue_work_delayed(
    queue: *mut btwq_queue,
    work: *mut btwq_work,
    ticks: u32,
) -> btwq_status {
    // SAFETY: NULL or memory for a queue, says the caller.
    let Some(queue) = (unsafe { usable(queue) }) else { return BTWQ_EINVAL };
    let Some(work) = NonNull::new(work) else { return BTWQ_EINVAL };
    // SAFETY: the mirrors agree with the core's types; the rest is the caller's word.
    status(unsafe { core(queue).as_ref().submit_delayed(work.cast(), ticks) })
}

/// Queues the works whose delay is over, in the order of their times, and those that were cancelled.
/// To be called from a timer interrupt or a main loop; the threads of `btwq_pool_start` need no such
/// call, since one of them makes it. A work whose delay ends while nobody calls is just late; but no
/// work may be so late by more than 2^28 ticks.
///
/// Parameters: `pool`, with timers.
/// Returns: in how many ticks to call again, at least 1; `INT32_MAX` if nothing is delayed (calling
/// earlier does no harm, and is needed when a work with a shorter delay is queued: the port's `wake`
/// is called then); `BTWQ_EBUSY` if another call is in progress; `BTWQ_EINVAL` if the pool is NULL,
/// was never initialised, or has no timers.
/// Context: one caller at a time: threads, callbacks, interrupts. Does not wait. Takes some steps for
/// each work that is due; now and then (at most 32 times in a work's life, and whenever works were
/// cancelled) some for others.
///
/// # Safety
/// As said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btwq_pool_tick(pool: *mut btwq_pool) -> btwq_status {
    // SAFETY: NULL or memory for a pool, says the caller.
    let Some(pool) = (unsafe { initialised(pool) }) else { return BTWQ_EINVAL };
    // SAFETY: the mirrors agree with the core's types.
    let next = unsafe { core(pool).as_ref().tick() };
    next.map_or_else(|error| status(Err(error)), |ticks| i32::try_from(ticks).unwrap_or(i32::MAX))
}

//! A queue's control: limits and statistics.

use core::ffi::c_void;
use core::ptr::NonNull;

use btwq::{Control, Stats};

use crate::check::{Mirror, core, initialised};
use crate::queue::{btwq_queue, usable};
use crate::status::{BTWQ_EINVAL, BTWQ_OK, btwq_status, status};
use crate::work::btwq_work;

/// What a control keeps for one lane. All fields are the library's.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct btwq_priv_lane {
    priv_backlog: *mut c_void,
    priv_front: *mut c_void,
    priv_parked: *mut c_void,
    priv_gate: u32,
    priv_since: u32,
    priv_head: *mut c_void,
    priv_counts: [u32; 6],
}

/// What a queue may have beside its order: a limit on how many works run at once, one on how many
/// are in flight, and counts. A queue without one pays nothing for it. All fields are the library's.
///
/// Memory: yours, for one queue, and it stays where it is as long as that is in use.
#[repr(C)]
pub struct btwq_control {
    priv_normal: btwq_priv_lane,
    priv_high: btwq_priv_lane,
    priv_counts: [u32; 3],
    priv_magic: u32,
}

/// What `priv_magic` is in an initialised control. Use `BTWQ_CONTROL_INIT`.
pub const BTWQ_PRIV_CONTROL_MAGIC: u32 = 0x6274_636f;

/// How a lane of a queue stands: each number was right at some moment during the call.
#[repr(C)]
pub struct btwq_stats {
    /// Works queued, whose `func` has not started.
    pub pending: u32,
    /// Works whose `func` is running.
    pub running: u32,
    /// Works whose `func` is over, and that are not freed: they wait for their turn, or for their
    /// completion.
    pub waiting: u32,
    /// Works freed so far, modulo 2^32.
    pub done: u32,
    /// How many callbacks `func` may run at once at present.
    pub current_active: u32,
    /// How many may run at once at most.
    pub limit_active: u32,
    /// The largest number of works that were pending at once.
    pub largest_backlog: u32,
    /// For how many ticks of the port the oldest work has been the oldest; 0 if there is none, or
    /// the port has no `now`.
    pub head_age: u32,
}

const _: () = {
    assert!(size_of::<btwq_control>() == 8 * size_of::<*const ()>() + 80);
    assert!(size_of::<btwq_control>() == size_of::<Control>());
    assert!(align_of::<btwq_control>() == align_of::<Control>());
    assert!(size_of::<btwq_stats>() == size_of::<Stats>());
};

// SAFETY: the core's control is two lanes, three words and a tag; a lane is three pointers, two
// words, a pointer and six words; in this order.
unsafe impl Mirror for btwq_control {
    type Core = Control;
    const MAGIC: u32 = BTWQ_PRIV_CONTROL_MAGIC;
    unsafe fn magic(this: *const Self) -> u32 {
        // SAFETY: memory of the type, says the caller.
        unsafe { (*this).priv_magic }
    }
}

/// Initialises a control. `BTWQ_CONTROL_INIT` does the same in a declaration. Its limit is 1023, and
/// it has no threshold and no bound.
///
/// Parameters: `control`, memory for it, whatever it holds, but not one in use.
/// Returns: `BTWQ_OK`; `BTWQ_EINVAL` if it is NULL.
/// Memory: nothing is to be undone later.
/// Context: anywhere, interrupts too. Wait-free.
///
/// # Safety
/// As said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btwq_control_init(control: *mut btwq_control) -> btwq_status {
    if control.is_null() {
        return BTWQ_EINVAL;
    }
    let null = core::ptr::null_mut();
    let lane = btwq_priv_lane {
        priv_backlog: null,
        priv_front: null,
        priv_parked: null,
        priv_gate: 0,
        priv_since: 0,
        priv_head: null,
        priv_counts: [0; 6],
    };
    // SAFETY: memory for a control, says the caller.
    unsafe {
        control.write(btwq_control {
            priv_normal: lane,
            priv_high: lane,
            priv_counts: [0; 3],
            priv_magic: BTWQ_PRIV_CONTROL_MAGIC,
        });
    }
    BTWQ_OK
}

/// Gives a queue a control.
///
/// Parameters: `queue`, before its first work; `control`, of no other queue.
/// Returns: `BTWQ_OK`; `BTWQ_EBUSY` if the queue has one; `BTWQ_EINVAL` if an argument, or the
/// queue's pool, is NULL or was never initialised.
/// Memory: keeps `control`, as the type says.
/// Context: anywhere, interrupts too. Wait-free.
///
/// # Safety
/// As said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btwq_queue_set_control(
    queue: *mut btwq_queue,
    control: *mut btwq_control,
) -> btwq_status {
    // SAFETY: NULL or memory of these types, says the caller.
    let (Some(queue), Some(control)) = (unsafe { (usable(queue), initialised(control)) }) else {
        return BTWQ_EINVAL;
    };
    // SAFETY: the mirrors agree with the core's types; the rest is the caller's word.
    status(unsafe { core(queue).as_ref().set_control(core(control)) })
}

/// Sets how many callbacks `func` of the queue may run at once, in each lane: what `limit_active` is
/// in btrfs. Works beyond that wait. It may be changed at any time: when it is lowered those that run
/// already go on, but none starts until fewer than the new limit run.
///
/// Parameters: `queue`, with a control; `limit_active`, from 1 to 1023.
/// Returns: `BTWQ_OK`; `BTWQ_EINVAL` if the limit is out of range, the queue has no control, or it or
/// its pool is NULL or was never initialised. After an error nothing has changed.
/// Context: anywhere: threads, callbacks, interrupts. Lock-free.
///
/// # Safety
/// As said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btwq_queue_set_max(
    queue: *mut btwq_queue,
    limit_active: u32,
) -> btwq_status {
    // SAFETY: NULL or memory for a queue, says the caller.
    let Some(queue) = (unsafe { usable(queue) }) else { return BTWQ_EINVAL };
    // SAFETY: the mirrors agree with the core's types.
    status(unsafe { core(queue).as_ref().set_max(limit_active) })
}

/// Lets the number of callbacks `func` that may run at once adapt to the backlog. It begins with 1,
/// in each lane. Once in every `thresh / 4` works that start it goes up by one if more than `thresh`
/// works are pending, and down by one if fewer than `thresh / 2` are; between 1 and the limit. It is
/// looked at where works start, by workers, and never in an interrupt.
///
/// Parameters: `queue`, with a control; `thresh`, in works, at most 1048576; 0 stands for 32; less
/// than 32 is none: as many may run as the limit allows.
/// Returns: `BTWQ_OK`; `BTWQ_EINVAL` if the threshold is out of range, the queue has no control, or
/// it or its pool is NULL or was never initialised. After an error nothing has changed.
/// Context: as of `btwq_queue_set_max`.
///
/// # Safety
/// As said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btwq_queue_set_threshold(
    queue: *mut btwq_queue,
    thresh: u32,
) -> btwq_status {
    // SAFETY: NULL or memory for a queue, says the caller.
    let Some(queue) = (unsafe { usable(queue) }) else { return BTWQ_EINVAL };
    // SAFETY: the mirrors agree with the core's types.
    status(unsafe { core(queue).as_ref().set_threshold(thresh) })
}

/// Sets how many works may be in flight as far as `btwq_queue_try_work` is concerned: queued, and
/// their last callback has not returned; both lanes together, delayed works too.
///
/// Parameters: `queue`, with a control; `bound`, in works; 0 is any number.
/// Returns: `BTWQ_OK`; `BTWQ_EINVAL` if the queue has no control, or it or its pool is NULL or was
/// never initialised.
/// Context: anywhere, interrupts too. Wait-free.
///
/// # Safety
/// As said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btwq_queue_set_bound(queue: *mut btwq_queue, bound: u32) -> btwq_status {
    // SAFETY: NULL or memory for a queue, says the caller.
    let Some(queue) = (unsafe { usable(queue) }) else { return BTWQ_EINVAL };
    // SAFETY: the mirrors agree with the core's types.
    status(unsafe { core(queue).as_ref().set_bound(bound) })
}

/// Queues a work as `btwq_queue_work`, unless the queue's bound is reached. On a queue without a
/// control or a bound it is the same.
///
/// Parameters: as of `btwq_queue_work`.
/// Returns: as `btwq_queue_work`; `BTWQ_EAGAIN` if as many works are in flight as the bound allows.
/// There is room again when a last callback has returned.
/// Memory: as of `btwq_queue_work`.
/// Context: as of `btwq_queue_work`.
///
/// # Safety
/// As said above.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn btwq_queue_try_work(
    queue: *mut btwq_queue,
    work: *mut btwq_work,
) -> btwq_status {
    // SAFETY: NULL or memory for a queue, says the caller.
    let Some(queue) = (unsafe { usable(queue) }) else { return BTWQ_EINVAL };
    let Some(work) = NonNull::new(work) else { return BTWQ_EINVAL };
    // SAFETY: the mirrors agree with the core's types; the rest is the caller's word.
    status(unsafe { core(queue).as_ref().try_submit(work.cast()) })
}

/// Whether a queue has more to do than it should: more than twice the threshold is pending in one of
/// its lanes.
///
/// Parameters: `queue`, initialised.
/// Returns: 1 if so; 0 if not, or there is no threshold; `BTWQ_EINVAL` if the queue, or its pool, is
/// NULL or was never initialised.
/// Context: anywhere, interrupts too. Wait-free.
///
/// # Safety
/// As said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btwq_queue_congested(queue: *mut btwq_queue) -> btwq_status {
    // SAFETY: NULL or memory for a queue, says the caller.
    let Some(queue) = (unsafe { usable(queue) }) else { return BTWQ_EINVAL };
    // SAFETY: the mirrors agree with the core's types.
    i32::from(unsafe { core(queue).as_ref().is_congested() })
}

/// Says how a lane of a queue stands.
///
/// Parameters: `queue`, with a control; `high`, 0 for the normal lane, else the high one; `stats`,
/// where to write it.
/// Returns: `BTWQ_OK`; `BTWQ_EINVAL` if the queue has no control, `stats` is NULL, or the queue or
/// its pool is NULL or was never initialised. After an error nothing is written.
/// Context: anywhere, interrupts too. Wait-free.
///
/// # Safety
/// As said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btwq_queue_stats(
    queue: *mut btwq_queue,
    high: i32,
    stats: *mut btwq_stats,
) -> btwq_status {
    // SAFETY: NULL or memory for a queue, says the caller.
    let Some(queue) = (unsafe { usable(queue) }) else { return BTWQ_EINVAL };
    let Some(stats) = NonNull::new(stats) else { return BTWQ_EINVAL };
    // SAFETY: the mirrors agree with the core's types, and the statistics are alike in memory.
    status(unsafe { core(queue).as_ref().stats(high != 0).map(|now| stats.cast().write(now)) })
}

/// What is told of a work that holds its lane up. `head` is the oldest work of the lane, as an
/// address to be compared: it may end meanwhile, so do not touch it unless you know that it has not.
/// `age` is in ticks.
pub type btwq_stuck_t = Option<
    unsafe extern "C" fn(arg: *mut c_void, queue: *mut btwq_queue, head: *mut btwq_work, age: u32),
>;

/// Calls `stuck` for each lane of a queue whose oldest work has been the oldest for longer than a
/// given time: because its `func` runs, it was not completed, no worker has taken it up, or an
/// ordered callback does not return. What is to be done then is for the caller to know. Meant to be
/// called now and then, from a timer or a loop.
///
/// Parameters: `queue`, with a control, on a pool whose port has `now`; `ticks`; `stuck`, called
/// within this call; `arg`, passed to it.
/// Returns: how often `stuck` was called: 0, 1 or 2; `BTWQ_EINVAL` if `stuck` is NULL, the queue has
/// no control, or it or its pool is NULL or was never initialised.
/// Context: anywhere, interrupts too. Wait-free beside what it calls.
///
/// # Safety
/// As said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btwq_queue_check(
    queue: *mut btwq_queue,
    ticks: u32,
    stuck: btwq_stuck_t,
    arg: *mut c_void,
) -> btwq_status {
    // SAFETY: NULL or memory for a queue, says the caller.
    let Some(queue) = (unsafe { usable(queue) }) else { return BTWQ_EINVAL };
    let Some(stuck) = stuck else { return BTWQ_EINVAL };
    // SAFETY: the mirrors agree with the core's types; the callback is the caller's.
    let n = unsafe {
        core(queue).as_ref().check(ticks, |head, age| stuck(arg, queue.as_ptr(), head.cast(), age))
    };
    n.map_or_else(|error| status(Err(error)), |n| i32::try_from(n).unwrap_or(0))
}

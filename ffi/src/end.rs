//! Cancel, flush, drain, destroy.

use btwq::Error;

use crate::check::core;
use crate::queue::{btwq_queue, usable};
use crate::status::{BTWQ_EINVAL, btwq_status, status};
use crate::work::{btwq_work, known};

/// Cancels a work, if its `func` was not claimed by a worker yet. Then `func` does not run; the
/// ordered callbacks do, in their place, with `BTWQ_ECANCELED` as the work's status. A work that has
/// `func` alone ends without a word: it is yours again after `btwq_work_flush`. A delayed work's
/// delay ends at the next `btwq_pool_tick`, which on the host port is at once. An asynchronous work
/// that was cancelled needs no completion; one that came before counts, and its status with it.
///
/// Parameters: `work`, initialised; its submission has returned.
/// Returns: `BTWQ_OK`, also if it was cancelled before and has not ended yet; `BTWQ_EBUSY` if it is
/// too late, or the work is not queued; `BTWQ_EINVAL` if it is NULL or was never initialised. After
/// an error nothing has changed.
/// Memory: the work's must be valid during the call (so it is not for works that free themselves,
/// unless you know that they have not); and its queue's, if the work is delayed.
/// Context: anywhere: threads, callbacks, interrupts, signal handlers. Wait-free.
///
/// # Safety
/// As said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btwq_work_cancel(work: *mut btwq_work) -> btwq_status {
    // SAFETY: NULL or memory for a work, says the caller.
    let Some(work) = (unsafe { known(work) }) else { return BTWQ_EINVAL };
    // SAFETY: as the caller says.
    status(unsafe { work.cancel() })
}

/// Cancels a work if it is not too late, and waits in any case until it has been freed: its last
/// callback has returned. If that callback queues the work again, delayed or not, that life is
/// cancelled as well: so a work that repeats itself is stopped; one that does so without a delay may
/// get through a few lives more before it is met. Any number of callers at once.
///
/// Parameters: `work`, initialised; its submission has returned.
/// Returns: `BTWQ_OK` if it was cancelled, by this call or another, in this life or a later one; 1
/// if it was too late, or the work was not queued; `BTWQ_EDEADLK` from a callback of the work's
/// queue; `BTWQ_EINVAL` if the work is NULL or was never initialised, or the pool of its queue has
/// no port with `local`. After an error nothing has changed.
/// Memory: the work's, and that of the queue that it was last queued on, must be valid during the
/// call.
/// Context: threads, and callbacks of other queues; not interrupts. Blocks in the port's `wait`,
/// without spinning, and needs workers, as works do. It may also wait for other works of the queue
/// that were queued before the call, as `btwq_queue_flush` does.
///
/// # Safety
/// As said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btwq_work_cancel_sync(work: *mut btwq_work) -> btwq_status {
    // SAFETY: NULL or memory for a work, says the caller.
    let Some(work) = (unsafe { known(work) }) else { return BTWQ_EINVAL };
    // SAFETY: as the caller says.
    match unsafe { work.cancel_sync() } {
        Ok(cancelled) => i32::from(!cancelled),
        Err(error) => status(Err(error)),
    }
}

/// Waits until a work has been freed: its last callback has returned. A delayed work's delay is
/// waited for too. It may also wait for other works of the queue that were queued before the call,
/// as `btwq_queue_flush` does; also if the work is not queued, since its last callback may still be
/// running.
///
/// Parameters: `work`, initialised; its submission has returned.
/// Returns: `BTWQ_OK`; `BTWQ_EDEADLK` and `BTWQ_EINVAL` as `btwq_work_cancel_sync`.
/// Memory: as of `btwq_work_cancel_sync`.
/// Context: as of `btwq_work_cancel_sync`.
///
/// # Safety
/// As said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btwq_work_flush(work: *mut btwq_work) -> btwq_status {
    // SAFETY: NULL or memory for a work, says the caller.
    let Some(work) = (unsafe { known(work) }) else { return BTWQ_EINVAL };
    // SAFETY: as the caller says.
    status(unsafe { work.flush() })
}

/// Waits until everything that was queued before the call has been freed. It does not wait for
/// delayed works whose delay is not over. Of works that have `func` alone it may also wait for some
/// that are queued while it waits, but never for one after the other without end.
///
/// Parameters: `queue`, initialised.
/// Returns: `BTWQ_OK`; `BTWQ_EDEADLK` from a callback of this queue, also if that is an outer one on
/// this thread; `BTWQ_EINVAL` if the queue, or its pool, is NULL or was never initialised, or the
/// pool has no port with `local`. After an error nothing has changed.
/// Context: threads, and callbacks of other queues; not interrupts. Blocks in the port's `wait`,
/// without spinning, and needs workers, as works do: while the pool is stopped it waits for the next
/// start. On an empty queue it returns at once.
///
/// # Safety
/// As said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btwq_queue_flush(queue: *mut btwq_queue) -> btwq_status {
    // SAFETY: NULL or memory for a queue, says the caller.
    let Some(queue) = (unsafe { usable(queue) }) else { return BTWQ_EINVAL };
    // SAFETY: the mirrors agree with the core's types.
    status(unsafe { core(queue).as_ref().flush() })
}

/// Waits until nothing is left in the queue, delayed works included. Meanwhile it takes works from
/// its own callbacks alone, and waits for those too; other submissions return `BTWQ_ESHUTDOWN`.
/// (An interrupt counts as the context that it has interrupted.) After that the queue takes works
/// as before. Several drains at once are fine.
///
/// Parameters: `queue`, initialised.
/// Returns: as `btwq_queue_flush`.
/// Context: as of `btwq_queue_flush`. A work that queues itself again for ever is never done; and on
/// a port of your own somebody must call `btwq_pool_tick` if works are delayed.
///
/// # Safety
/// As said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btwq_queue_drain(queue: *mut btwq_queue) -> btwq_status {
    // SAFETY: NULL or memory for a queue, says the caller.
    let Some(queue) = (unsafe { usable(queue) }) else { return BTWQ_EINVAL };
    // SAFETY: the mirrors agree with the core's types.
    status(unsafe { core(queue).as_ref().drain() })
}

/// Drains the queue, and ends its life: when it has returned nobody touches the queue's memory, or
/// that of its control, any more, and it may be freed or used for something else at once.
///
/// Parameters: `queue`, initialised. Every call with it, or with a work that is queued on it, has
/// returned when this returns, and none comes later, but for those that its own callbacks make.
/// Returns: as `btwq_queue_flush`; `BTWQ_EBUSY` if it is being destroyed already; `BTWQ_EINVAL` also
/// if it has been destroyed, as long as its memory was left alone.
/// Context: as of `btwq_queue_drain`.
///
/// # Safety
/// As said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btwq_queue_destroy(queue: *mut btwq_queue) -> btwq_status {
    // SAFETY: NULL or memory for a queue, says the caller.
    let Some(this) = (unsafe { usable(queue) }) else { return BTWQ_EINVAL };
    // SAFETY: the mirrors agree with the core's types; the rest is the caller's word.
    let result: Result<(), Error> = unsafe { core(this).as_ref().destroy() };
    if result.is_ok() {
        // SAFETY: it is the caller's alone again.
        unsafe { (*queue).priv_magic = 0 };
    }
    status(result)
}

//! A work.

use core::ffi::c_void;
use core::ptr::NonNull;

use btwq::{Queue, Work, WorkOps};

use crate::status::{BTWQ_EINVAL, BTWQ_OK, btwq_status, status};

/// A callback. It gets the work; embed the work in a struct of your own and find that around it.
///
/// A callback may call any function, but of those that wait (flush, drain and so on) only for other
/// queues than its own, and then another worker must be there to run their works. It must return:
/// neither `longjmp`, nor a C++ exception, nor the end of its thread may take it past the library.
pub type btwq_func_t = Option<unsafe extern "C" fn(work: *mut btwq_work)>;

/// The callbacks of one kind of work: a constant table, usually `static const`, for all works of
/// the kind. It must stay valid as long as any of them is in use.
///
/// Each may be NULL, but not all three. A work that has `ordered_func` or `ordered_free` has a
/// place in its queue's order, one that has only `func` has none.
///
/// The last callback that is there ends the work's life: from the moment it is entered the library
/// neither reads, writes nor compares anything of the work. So that callback may free the work,
/// reuse it, or queue it again, on this queue or another.
#[repr(C)]
pub struct btwq_work_ops {
    /// Runs on any worker, concurrently with other works.
    pub func: btwq_func_t,
    /// Runs after `func` has returned, and after the ordered callbacks of all works queued on the
    /// same queue (and lane) before; it sees all that `func`, and those, wrote. Never two at once.
    pub ordered_func: btwq_func_t,
    /// Runs after `ordered_func`, in the same order, not overlapping either.
    pub ordered_free: btwq_func_t,
}

/// A work. Embed it in what it works on; it needs no other memory. All fields are the library's.
///
/// Memory: yours, and it stays where it is from `btwq_queue_work` until its last callback is
/// entered.
#[repr(C)]
pub struct btwq_work {
    priv_link: *mut c_void,
    priv_next: *mut c_void,
    priv_owner: *mut c_void,
    priv_ops: *const btwq_work_ops,
    priv_state: u32,
    priv_status: i32,
}

/// What `priv_state` is in a work that is initialised and not queued. Use `BTWQ_WORK_INIT`.
pub const BTWQ_PRIV_WORK_MAGIC: u32 = 0xb000_0000;

const _: () = {
    assert!(size_of::<btwq_work>() == 4 * size_of::<*const ()>() + 8);
    assert!(size_of::<btwq_work>() == size_of::<Work>());
    assert!(align_of::<btwq_work>() == align_of::<Work>());
    assert!(size_of::<btwq_work_ops>() == size_of::<WorkOps>());
};

/// Initialises a work. `BTWQ_WORK_INIT(ops)` does the same in a declaration.
///
/// Parameters: `work`, memory for it, whatever it holds, but not a work that is queued; `ops`, its
/// callbacks.
/// Returns: `BTWQ_OK`; `BTWQ_EINVAL` if an argument, or each of the three callbacks, is NULL.
/// Memory: keeps `ops`, which must outlive the work. Nothing is to be undone later.
/// Context: anywhere, interrupts too. Wait-free.
///
/// # Safety
/// As said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btwq_work_init(
    work: *mut btwq_work,
    ops: *const btwq_work_ops,
) -> btwq_status {
    // SAFETY: null, or a table that outlives the work, says the caller.
    let Some(table) = (unsafe { ops.as_ref() }) else { return BTWQ_EINVAL };
    let empty =
        table.func.is_none() && table.ordered_func.is_none() && table.ordered_free.is_none();
    if work.is_null() || empty {
        return BTWQ_EINVAL;
    }
    // SAFETY: memory for a work, says the caller.
    unsafe {
        work.write(btwq_work {
            priv_link: core::ptr::null_mut(),
            priv_next: core::ptr::null_mut(),
            priv_owner: core::ptr::null_mut(),
            priv_ops: ops,
            priv_state: BTWQ_PRIV_WORK_MAGIC,
            priv_status: 0,
        });
    }
    BTWQ_OK
}

/// The work as the core knows it, or nothing for NULL.
///
/// # Safety
/// `work` is NULL or memory for a work, which is not freed while the result is used.
pub(crate) unsafe fn known<'a>(work: *mut btwq_work) -> Option<&'a Work> {
    // SAFETY: the mirror agrees with the core's type, in which all that changes is in cells.
    unsafe { work.cast::<Work>().as_ref() }
}

/// Lets a work go by the high-priority lane of the queues it is queued on, or by the normal one
/// again. Each lane has an order of its own; workers prefer works of the high lane, but one of
/// eight works that a worker takes is a normal one, if any is ready. It stays so until it is said
/// otherwise.
///
/// Parameters: `work`, initialised and not queued; `high`, 0 for the normal lane, else high.
/// Returns: `BTWQ_OK`; `BTWQ_EBUSY` if the work is queued; `BTWQ_EINVAL` if it is NULL or was never
/// initialised.
/// Context: anywhere, interrupts too. Wait-free.
///
/// # Safety
/// As said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btwq_work_set_high_priority(
    work: *mut btwq_work,
    high: i32,
) -> btwq_status {
    // SAFETY: NULL or memory for a work, says the caller.
    let Some(work) = (unsafe { known(work) }) else { return BTWQ_EINVAL };
    status(work.set_high_priority(high != 0))
}

/// Says that a work is not done when its `func` returns, but when `btwq_work_complete` was called
/// as well, in whichever order: for what ends in an interrupt or an I/O completion. To be called
/// before the work is queued, or from its `func`; it holds until the work ends, and is to be said
/// again in its next life. It says nothing to a work that has `func` alone.
///
/// Parameters: `work`, initialised.
/// Returns: `BTWQ_OK`; `BTWQ_EINVAL` if it is NULL or was never initialised.
/// Context: the work's owner or its `func`; interrupts too. Wait-free.
///
/// # Safety
/// As said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btwq_work_set_async(work: *mut btwq_work) -> btwq_status {
    // SAFETY: NULL or memory for a work, says the caller.
    let Some(work) = (unsafe { known(work) }) else { return BTWQ_EINVAL };
    status(work.set_async())
}

/// Completes an asynchronous work. When its `func` has returned too, and its turn has come, its
/// ordered callbacks run: on a worker, never in this call.
///
/// Parameters: `work`, asynchronous and queued, that is, `btwq_queue_work` has returned or its
/// `func` has begun: so begin in `func`, or after queueing, what is to complete it; `result`, what
/// `btwq_work_status` will return: 0, or a negative error of your own.
/// Returns: `BTWQ_OK`; `BTWQ_EBUSY` if it was completed already, or cancelled; `BTWQ_EINVAL` if it
/// is NULL, still delayed, was never initialised, is not queued, or not asynchronous. After an
/// error nothing has changed.
/// Memory: do not touch the work after the call unless it is yours again: it may have ended
/// meanwhile. So complete it once; a second call is an error that is recognised only as long as the
/// work lives. What was written before this call is seen by the ordered callbacks.
/// Context: anywhere: threads, callbacks, its own `func`, interrupts, signal handlers. Wait-free,
/// but when it is the last that the work waits for: then as `btwq_queue_work`.
///
/// # Safety
/// As said above.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn btwq_work_complete(work: *mut btwq_work, result: i32) -> btwq_status {
    let Some(work) = NonNull::new(work) else { return BTWQ_EINVAL };
    // SAFETY: the mirror agrees with the core's type; memory for a work, says the caller.
    status(unsafe { Queue::complete(work.cast(), result) })
}

/// What a work was completed with.
///
/// Parameters: `work`, from one of its own ordered callbacks, or when it is yours again.
/// Returns: what `btwq_work_complete` was given; `BTWQ_ECANCELED` if the work was cancelled; 0
/// otherwise; `BTWQ_EINVAL` if it is NULL.
/// Context: as the parameter says. Wait-free.
///
/// # Safety
/// As said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btwq_work_status(work: *const btwq_work) -> i32 {
    // SAFETY: NULL or memory for a work, says the caller.
    let Some(work) = (unsafe { known(work.cast_mut()) }) else { return BTWQ_EINVAL };
    // SAFETY: its callback, or its owner, says the caller.
    unsafe { work.status() }
}

//! Executors of one's own.

use core::ffi::c_void;
use core::ptr::NonNull;

use btwq::{Executor, Queue};

use crate::check::core;
use crate::queue::{btwq_queue, usable};
use crate::status::{BTWQ_EINVAL, btwq_status, status};
use crate::work::{btwq_func_t, btwq_work};

/// Arranges for `helper(work)` to be called once, somewhere else: on another thread or task, or
/// later on this one, but not within this call. It must not fail, nor wait for works.
///
/// It is called wherever works are queued, completed and retired: from interrupts, if you do that in
/// interrupts. A work may be dispatched several times in its life: to run its `func`, to retire it
/// later, again when a limit held it up; but never before the call of the helper that it had before
/// has begun, and has nothing more to do with it. `arg` is what the executor's table says.
pub type btwq_dispatch_t =
    Option<unsafe extern "C" fn(arg: *mut c_void, helper: btwq_func_t, work: *mut btwq_work)>;

/// An executor of your own for the works of a queue, in place of the pool's workers: a constant table
/// that outlives the queues that name it. The queue's pool needs no workers then, but is still there
/// for its port.
///
/// One call of the helper runs the `func` of at most one work, and retires at most one: the work that
/// it was called with, and that as the last thing it does with works; everything that becomes ready
/// by it is dispatched. An executor that tells works by their address and function, as Linux's
/// does, needs a helper for each queue: the memory of a work that is just being freed may be queued
/// elsewhere already, and must not be taken for the work that is still running there
/// (9e0af2376434 in Linux). `BTWQ_DEFINE_HELPER(name)` defines one.
#[repr(C)]
pub struct btwq_executor {
    /// How works get there.
    pub dispatch: btwq_dispatch_t,
    /// What is to be called for each.
    pub helper: btwq_func_t,
    /// What `dispatch` is given.
    pub arg: *mut c_void,
}

const _: () = assert!(size_of::<btwq_executor>() == size_of::<Executor>());

/// Lets an executor run the works of a queue.
///
/// Parameters: `queue`, before its first work; `executor`, without a NULL hook.
/// Returns: `BTWQ_OK`; `BTWQ_EBUSY` if the queue has one; `BTWQ_EINVAL` if an argument, a hook, or
/// the queue's pool is NULL, or one of them was never initialised.
/// Memory: keeps `executor`, which must outlive the queue.
/// Context: anywhere, interrupts too. Wait-free.
///
/// # Safety
/// As said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btwq_queue_set_executor(
    queue: *mut btwq_queue,
    executor: *const btwq_executor,
) -> btwq_status {
    // SAFETY: NULL or memory of these types, says the caller.
    let (queue, table) = unsafe { (usable(queue), executor.as_ref()) };
    let (Some(queue), Some(table)) = (queue, table) else { return BTWQ_EINVAL };
    if table.dispatch.is_none() || table.helper.is_none() {
        return BTWQ_EINVAL;
    }
    // SAFETY: the mirrors agree with the core's types: the same two pointers to functions, which are
    // not NULL, and the argument.
    status(unsafe { core(queue).as_ref().set_executor(NonNull::from(table).cast()) })
}

/// What a helper does. Use `BTWQ_DEFINE_HELPER`, so that each queue has a helper of its own.
///
/// Parameters: `work`, which was dispatched: this is the one call for that; `tag`, an address that
/// makes the calling function different from all others, so that no linker folds them into one.
/// Memory: the work may be gone when it returns.
/// Context: threads, tasks, main loops; not interrupts, nor within `dispatch`. Lock-free beside the
/// callbacks.
///
/// # Safety
/// As said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btwq_helper(work: *mut btwq_work, tag: *const c_void) {
    let _ = tag;
    if let Some(work) = NonNull::new(work) {
        // SAFETY: dispatched, says the caller; the mirror agrees with the core's type.
        unsafe { Queue::helper(work.cast()) };
    }
}

//! A queue.

use core::ffi::{c_char, c_void};
use core::ptr::NonNull;

use btwq::{Queue, Work};

use crate::check::{Mirror, core, initialised};
use crate::pool::btwq_pool;
use crate::status::{BTWQ_EINVAL, BTWQ_OK, btwq_status, status};
use crate::work::btwq_work;

/// An ordered work queue: an order of works (one for each of its two lanes), on a pool that it may
/// share with other queues. All fields are the library's.
///
/// Memory: yours, and it stays where it is from the first submission on, until `btwq_queue_destroy`
/// has returned. Without that it may be freed when every `btwq_queue_work` on it has returned, and
/// so has the last callback of its last work, on a thread that was joined since (as
/// `btwq_pool_stop` does), or in a call of `btwq_run_one` and its like that has returned since.
#[repr(C)]
pub struct btwq_queue {
    priv_stack: *mut c_void,
    priv_front: *mut c_void,
    priv_high_stack: *mut c_void,
    priv_high_front: *mut c_void,
    priv_pool: *mut btwq_pool,
    priv_name: *const c_char,
    priv_control: *mut c_void,
    priv_executor: *const c_void,
    priv_counts: [u32; 7],
    pub(crate) priv_magic: u32,
}

/// What `priv_magic` is in an initialised queue. Use `BTWQ_QUEUE_INIT`.
pub const BTWQ_PRIV_QUEUE_MAGIC: u32 = 0x6274_7175;

const _: () = {
    assert!(size_of::<btwq_queue>() == 8 * size_of::<*const ()>() + 32);
    assert!(size_of::<btwq_queue>() == size_of::<Queue>());
    assert!(align_of::<btwq_queue>() == align_of::<Queue>());
};

// SAFETY: the core's queue is two lanes of a stack and a front each, a pool, a name, two pointers,
// seven words and a tag, in this order; a pool of the header begins with the core's.
unsafe impl Mirror for btwq_queue {
    type Core = Queue;
    const MAGIC: u32 = BTWQ_PRIV_QUEUE_MAGIC;
    unsafe fn magic(this: *const Self) -> u32 {
        // SAFETY: memory of the type, says the caller.
        unsafe { (*this).priv_magic }
    }
}

/// Initialises a queue. `BTWQ_QUEUE_INIT(pool, name)` does the same in a declaration.
///
/// Parameters: `queue`, memory for it, whatever it holds, but not a queue in use; `pool`, whose
/// workers run its works, and which need not be initialised yet; `name`, for traces, or NULL.
/// Returns: `BTWQ_OK`; `BTWQ_EINVAL` if `queue` or `pool` is NULL.
/// Memory: keeps `pool` and `name`, which must outlive the queue. `btwq_queue_destroy` ends its
/// life; a queue in which nothing is queued may also just be forgotten.
/// Context: anywhere, interrupts too. Wait-free.
///
/// # Safety
/// As said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btwq_queue_init(
    queue: *mut btwq_queue,
    pool: *mut btwq_pool,
    name: *const c_char,
) -> btwq_status {
    if queue.is_null() || pool.is_null() {
        return BTWQ_EINVAL;
    }
    // SAFETY: memory for a queue, says the caller.
    unsafe {
        queue.write(btwq_queue {
            priv_stack: core::ptr::null_mut(),
            priv_front: core::ptr::null_mut(),
            priv_high_stack: core::ptr::null_mut(),
            priv_high_front: core::ptr::null_mut(),
            priv_pool: pool,
            priv_name: name,
            priv_control: core::ptr::null_mut(),
            priv_executor: core::ptr::null(),
            priv_counts: [0; 7],
            priv_magic: BTWQ_PRIV_QUEUE_MAGIC,
        });
    }
    BTWQ_OK
}

/// The queue, if it and its pool are initialised.
///
/// # Safety
/// `queue` is NULL, or memory for a queue.
pub(crate) unsafe fn usable(queue: *mut btwq_queue) -> Option<NonNull<btwq_queue>> {
    // SAFETY: as the caller says; an initialised queue's pool is NULL or memory for one.
    unsafe { initialised(queue).filter(|q| initialised((*q.as_ptr()).priv_pool).is_some()) }
}

/// Queues a work. Its `func` will run on some worker of the pool; its ordered callbacks after that,
/// and after those of all works that were queued on this queue before (and on the same lane: see
/// `btwq_work_set_high_priority`). Submissions of one thread (or
/// task, or interrupt) keep its order; those of several take effect in some order, and that is it.
///
/// It never fails for want of room or memory, and a pool without workers takes works all the same:
/// they wait. If workers sleep, one is woken.
///
/// Parameters: `queue` and `work`, both initialised; the work yours, not queued, and submitted by
/// nobody else at this time.
/// Returns: `BTWQ_OK`; `BTWQ_EBUSY` if the work is queued already; `BTWQ_ESHUTDOWN` if the queue is
/// being drained or destroyed, and the caller is none of its callbacks; `BTWQ_EINVAL` if an
/// argument, or the queue's pool, is NULL or was never initialised. After an error nothing has
/// changed. `BTWQ_EBUSY` is for finding mistakes, not for waiting: only the last callback, or
/// whoever that tells, knows that the work may be queued again.
/// Memory: the work is the library's until its last callback is entered, which may be before this
/// call returns; do not touch it until then.
/// Context: anywhere: threads, callbacks, interrupts, signal handlers. Lock-free: a retry means
/// that somebody else has got on. The wake is the port's `wake`.
///
/// # Safety
/// As said above.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn btwq_queue_work(
    queue: *mut btwq_queue,
    work: *mut btwq_work,
) -> btwq_status {
    // SAFETY: NULL or memory for a queue, says the caller.
    let Some(queue) = (unsafe { usable(queue) }) else { return BTWQ_EINVAL };
    let Some(work) = NonNull::new(work) else { return BTWQ_EINVAL };
    // SAFETY: the mirrors agree with the core's types; the rest is the caller's word, and whether
    // the work was initialised and is not queued is checked there.
    status(unsafe { core(queue).as_ref().submit(work.cast()) })
}

/// Queues several works at once, all or none. Those of one lane take consecutive places in its
/// order, in the order of the array: no work that is queued elsewhere comes between them. It is
/// cheaper than as many calls of `btwq_queue_work`. If workers sleep, one is woken, which wakes the
/// next.
///
/// Parameters: `queue`; `works`, an array of `n` pointers, each as the work of `btwq_queue_work`,
/// none twice; `n`, where 0 does nothing.
/// Returns: as `btwq_queue_work`, if any of the works would be refused; `BTWQ_EINVAL` too if
/// `works` is NULL and `n` is not 0. After an error nothing has changed.
/// Memory: the works as of `btwq_queue_work`; the array is yours again after the call.
/// Context: as of `btwq_queue_work`. Takes a few steps for each work, and then is lock-free as
/// that.
///
/// # Safety
/// As said above.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn btwq_queue_work_batch(
    queue: *mut btwq_queue,
    works: *const *mut btwq_work,
    n: usize,
) -> btwq_status {
    // SAFETY: NULL or memory for a queue, says the caller.
    let Some(queue) = (unsafe { usable(queue) }) else { return BTWQ_EINVAL };
    if n == 0 {
        return BTWQ_OK;
    }
    if works.is_null() {
        return BTWQ_EINVAL;
    }
    // SAFETY: an array of that many pointers, says the caller; those without NULL are `NonNull`s.
    let works = unsafe {
        if core::slice::from_raw_parts(works, n).iter().any(|work| work.is_null()) {
            return BTWQ_EINVAL;
        }
        core::slice::from_raw_parts(works.cast::<NonNull<Work>>(), n)
    };
    // SAFETY: the mirrors agree with the core's types; the rest is the caller's word.
    status(unsafe { core(queue).as_ref().submit_batch(works) })
}

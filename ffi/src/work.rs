//! A work.

use core::ffi::c_void;

use btwq::{Work, WorkOps};

use crate::status::{BTWQ_EINVAL, BTWQ_OK, btwq_status};

/// A callback. It gets the work; embed the work in a struct of your own and find that around it.
///
/// A callback may call any function that is not documented to wait. It must return: neither
/// `longjmp`, nor a C++ exception, nor the end of its thread may take it past the library.
pub type btwq_func_t = Option<unsafe extern "C" fn(work: *mut btwq_work)>;

/// The callbacks of one kind of work: a constant table, usually `static const`, for all works of the
/// kind. It must stay valid as long as any of them is in use.
///
/// Each may be NULL, but not all three. A work that has `ordered_func` or `ordered_free` has a place
/// in its queue's order, one that has only `func` has none.
///
/// The last callback that is there ends the work's life: from the moment it is entered the library
/// neither reads, writes nor compares anything of the work. So that callback may free the work, reuse
/// it, or queue it again, on this queue or another.
#[repr(C)]
pub struct btwq_work_ops {
    /// Runs on any worker, concurrently with other works.
    pub func: btwq_func_t,
    /// Runs after `func` has returned, and after the ordered callbacks of all works queued on the
    /// same queue before; it sees all that `func`, and those, wrote. Never two of a queue at once.
    pub ordered_func: btwq_func_t,
    /// Runs after `ordered_func`, in the same order, not overlapping either.
    pub ordered_free: btwq_func_t,
}

/// A work. Embed it in what it works on; it needs no other memory. All fields are the library's.
///
/// Memory: yours, and it stays where it is from `btwq_queue_work` until its last callback is entered.
#[repr(C)]
pub struct btwq_work {
    priv_link: *mut c_void,
    priv_next: *mut c_void,
    priv_owner: *const c_void,
    priv_ops: *const btwq_work_ops,
    priv_state: u32,
    priv_reserved: u32,
}

/// What `priv_state` is in a work that is initialised and not queued. Use `BTWQ_WORK_INIT`.
pub const BTWQ_PRIV_WORK_MAGIC: u32 = 0x6274_0000;

const _: () = {
    assert!(size_of::<btwq_work>() == 4 * size_of::<*const ()>() + 8);
    assert!(size_of::<btwq_work>() >= size_of::<Work>());
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
            priv_owner: core::ptr::null(),
            priv_ops: ops,
            priv_state: BTWQ_PRIV_WORK_MAGIC,
            priv_reserved: 0,
        });
    }
    BTWQ_OK
}

//! Results as C sees them, and the version.

use core::ffi::{CStr, c_char};

use btwq::Error;

/// What a call returns: `BTWQ_OK`, or a number that the call's documentation names, or one of the
/// negative errors below. A call that returns an error has changed nothing. The errors have the
/// numbers of Linux's `errno`, negated, on every target.
pub type btwq_status = i32;

/// It is done.
pub const BTWQ_OK: btwq_status = 0;
/// There is no room, or the system would not give another thread. Try again later.
pub const BTWQ_EAGAIN: btwq_status = -11;
/// It is done already, or being done: the work is queued, claimed or completed, the pool's threads
/// are running, and the like.
pub const BTWQ_EBUSY: btwq_status = -16;
/// An argument is NULL, out of range, or was never initialised.
pub const BTWQ_EINVAL: btwq_status = -22;
/// The call would wait for the very callback that makes it.
pub const BTWQ_EDEADLK: btwq_status = -35;
/// The queue is being drained or destroyed.
pub const BTWQ_ESHUTDOWN: btwq_status = -108;
/// The work was cancelled: no call returns this, but `btwq_work_status` does.
pub const BTWQ_ECANCELED: btwq_status = -125;

/// Version of this header, to be compared with `btwq_version`.
pub const BTWQ_VERSION_MAJOR: u32 = 0;
/// Version of this header, to be compared with `btwq_version`.
pub const BTWQ_VERSION_MINOR: u32 = 1;
/// Version of this header, to be compared with `btwq_version`.
pub const BTWQ_VERSION_PATCH: u32 = 0;

/// The status for a result of the core.
pub(crate) fn status(result: Result<(), Error>) -> btwq_status {
    match result {
        Ok(()) => BTWQ_OK,
        Err(Error::Busy) => BTWQ_EBUSY,
        Err(Error::Again) => BTWQ_EAGAIN,
        Err(Error::Deadlock) => BTWQ_EDEADLK,
        Err(Error::Shutdown) => BTWQ_ESHUTDOWN,
        Err(_) => BTWQ_EINVAL,
    }
}

/// Says what a status means.
///
/// Parameters: `status`, a result of any call.
/// Returns: a sentence without a full stop; never NULL, also for numbers that no call returns.
/// Memory: constant; not to be freed.
/// Context: anywhere, interrupts too. Wait-free.
#[unsafe(no_mangle)]
pub extern "C" fn btwq_strerror(status: btwq_status) -> *const c_char {
    let text: &CStr = match status {
        BTWQ_OK => c"success",
        BTWQ_EAGAIN => c"no room, or no thread, at present",
        BTWQ_EBUSY => c"done already, or being done",
        BTWQ_EINVAL => c"argument is NULL, out of range or was never initialised",
        BTWQ_EDEADLK => c"the call would wait for the callback that makes it",
        BTWQ_ESHUTDOWN => c"the queue is being drained or destroyed",
        BTWQ_ECANCELED => c"the work was cancelled",
        1.. => c"success, with a count",
        _ => c"unknown error",
    };
    text.as_ptr()
}

/// The version of the library.
///
/// Returns: `major << 16 | minor << 8 | patch`, as `BTWQ_VERSION` is for the header. A program that
/// was compiled with one `major.minor` must not run with another: before 1.0 the sizes of types may
/// change with each minor version.
/// Context: anywhere, interrupts too. Wait-free.
#[unsafe(no_mangle)]
pub extern "C" fn btwq_version() -> u32 {
    BTWQ_VERSION_MAJOR << 16 | BTWQ_VERSION_MINOR << 8 | BTWQ_VERSION_PATCH
}

//! A work: two links, its owner, its callbacks, its state. Forty bytes on 64-bit, twenty on 32-bit.
//!
//! Who may use which field when:
//!
//! | field   | used by                                                                            |
//! |---------|------------------------------------------------------------------------------------|
//! | `link`  | the ordered list: its submitter until it is pushed, then the holder of the turn    |
//! | `next`  | the ready list: its submitter until it is pushed, then its claimer                 |
//! | `owner` | written by the submitter before both; then read by the worker that runs the work   |
//! | `ops`   | constant from initialisation on                                                    |
//! | `state` | as `state.rs` says                                                                 |
//!
//! The two links are apart since a work is in both lists at once. The callbacks are one pointer to a
//! constant table, as Linux's `file_operations`, for each *kind* of work, not three for each work:
//! that is what brings a work from 56 bytes to 40 (from 32 to 20 on 32-bit), and its hot part into
//! one cache line.

use core::ptr::{self, NonNull};

use crate::error::Error;
use crate::state::AtomicState;
use crate::sync::{Cell, const_fn, model_only};

/// A callback. It gets the work; what the work belongs to is found around it (`container_of`).
pub type Func = unsafe extern "C" fn(NonNull<Work>);

/// The callbacks of one kind of work: a constant table that outlives every work that names it.
///
/// The last callback that is there ends the work's life: from the moment at which it is entered the
/// library neither reads, writes nor compares anything of the work, so that it may free it, reuse
/// it or queue it again. After btrfs's `func`, `ordered_func` and `ordered_free`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct WorkOps {
    /// Runs on any worker, concurrently with others.
    pub func: Option<Func>,
    /// Runs after `func`, in the order of submission, never two of a queue's at once.
    pub ordered_func: Option<Func>,
    /// Runs after `ordered_func`, in the same order.
    pub ordered_free: Option<Func>,
}

impl WorkOps {
    /// Whether works of this kind take a place in the order.
    pub(crate) const fn is_ordered(&self) -> bool {
        self.ordered_func.is_some() || self.ordered_free.is_some()
    }
}

/// A work. It must stay where it is, and initialised, from submission until its last callback is
/// entered.
#[repr(C)]
pub struct Work {
    pub(crate) link: Cell<*mut Work>,
    pub(crate) next: Cell<*mut Work>,
    pub(crate) owner: Cell<*const ()>,
    ops: *const WorkOps,
    pub(crate) state: AtomicState,
}

// SAFETY: the cells are used by one party at a time, as the table above says; the state is atomic;
// `ops` is constant. Which thread runs a work is nothing to the work.
unsafe impl Send for Work {}
// SAFETY: as for Send.
unsafe impl Sync for Work {}

impl Work {
    const_fn! {
        /// A work of the kind `ops`, nobody's yet.
        ///
        /// # Safety
        /// `ops` points to a table that outlives the work, or is null, in which case the work is
        /// refused when it is submitted.
        #[must_use]
        pub const unsafe fn new(ops: *const WorkOps) -> Self {
            Self {
                link: Cell::new(ptr::null_mut()),
                next: Cell::new(ptr::null_mut()),
                owner: Cell::new(ptr::null()),
                ops,
                state: AtomicState::new(),
            }
        }
    }

    /// The callbacks.
    ///
    /// # Errors
    /// [`Error::Invalid`] when there are none.
    pub(crate) fn ops(&self) -> Result<WorkOps, Error> {
        // SAFETY: null, or a table that outlives the work (`new`).
        let ops = unsafe { self.ops.as_ref() }.ok_or(Error::Invalid)?;
        if ops.func.is_none() && !ops.is_ordered() {
            return Err(Error::Invalid);
        }
        Ok(*ops)
    }
}

model_only! {
    impl Work {
        /// Ends the work's life; every later use of it is a fault.
        pub(crate) fn revoke(&mut self) {
            self.link.revoke();
            self.next.revoke();
            self.owner.revoke();
            self.state.revoke();
        }
    }
}

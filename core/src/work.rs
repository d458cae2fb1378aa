//! A work: two links, its owner, its callbacks, its state and status. Forty bytes on 64-bit,
//! twenty-four on 32-bit.
//!
//! Who may use which field when:
//!
//! | field   | used by                                                                            |
//! |---------|------------------------------------------------------------------------------------|
//! | `link`  | the ordered list: its submitter until it is pushed, then the holder of the turn    |
//! | `next`  | the ready list: its submitter until it is pushed, then its claimer                 |
//! | `owner` | the queue: written by the submitter before both; read by who runs, completes,      |
//! |         | cancels or flushes the work. Atomic since the last two may do so at any time       |
//! | `ops`   | constant from initialisation on                                                    |
//! | `state` | as `state.rs` says                                                                 |
//! | `status`| written by the submitter, then by the first to complete it; read by its callbacks. |
//! |         | While the work is delayed: when the delay ends                                     |
//!
//! The two links are apart since a work is in both lists at once. (`next` links it in the timers and
//! the backlog too, one after the other.) The callbacks are one pointer to
//! a constant table, as Linux's `file_operations`, for each *kind* of work, not three for each
//! work: that is what brings a work from 56 bytes to 40 (from 32 to 24 on 32-bit), and into one
//! cache line.

use core::ptr::{self, NonNull};

use crate::error::Error;
use crate::queue::Queue;
use crate::state::AtomicState;
use crate::sync::{AtomicPtr, Cell, Ordering, const_fn, model_only};

/// The status of a work that was cancelled.
pub const CANCELLED: i32 = -125;

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
    /// Runs after `func`, in the order of submission, never two of a lane's at once.
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
    owner: AtomicPtr<Queue>,
    ops: *const WorkOps,
    pub(crate) state: AtomicState,
    pub(crate) status: Cell<i32>,
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
                owner: AtomicPtr::new(ptr::null_mut()),
                ops,
                state: AtomicState::new(),
                status: Cell::new(0),
            }
        }
    }

    /// Lets the work go by the high-priority lane of its queues, or by the normal one again. It
    /// stays so until it is said otherwise. Lock-free; callable from everywhere.
    ///
    /// # Errors
    /// [`Error::Busy`]: the work is queued. [`Error::Invalid`]: it was never initialised.
    pub fn set_high_priority(&self, high: bool) -> Result<(), Error> {
        self.state.set_high(high)
    }

    /// Says, before the work is queued or from its `func`, that it is not done when `func` returns,
    /// but when [`Queue::complete`](crate::Queue::complete) was called as well, in whichever order.
    /// That holds until the work ends. It says nothing to a work without ordered callbacks.
    ///
    /// # Errors
    /// [`Error::Invalid`]: it was never initialised.
    pub fn set_async(&self) -> Result<(), Error> {
        self.state.set_async()
    }

    /// What the work was completed with; [`CANCELLED`] if it was cancelled; 0 otherwise.
    ///
    /// # Safety
    /// The caller is one of the work's ordered callbacks, or has the work back.
    #[must_use]
    pub unsafe fn status(&self) -> i32 {
        // SAFETY: written before the work was done, says the caller.
        unsafe { self.status.get() }
    }

    /// A barrier: a work that is queued, and never done.
    pub(crate) fn barrier() -> Self {
        // SAFETY: it is never submitted as works are.
        Self { state: AtomicState::barrier(), ..unsafe { Self::new(ptr::null()) } }
    }

    /// A messenger: a work that is queued, and done, and whose last callback `ops` names.
    pub(crate) fn messenger(ops: &'static WorkOps) -> Self {
        // SAFETY: a static table.
        Self { state: AtomicState::messenger(), ..unsafe { Self::new(ops) } }
    }

    /// Notes whose the work is. The caller may submit it.
    pub(crate) fn set_queue(&self, queue: &Queue) {
        // Relaxed: published with the state, or with the work.
        self.owner.store(ptr::from_ref(queue).cast_mut(), Ordering::Relaxed);
    }

    /// The queue that the work was last submitted to, or null. It is valid as long as the work is
    /// queued.
    pub(crate) fn queue(&self) -> *const Queue {
        // Relaxed: who has the work knows that it was submitted.
        self.owner.load(Ordering::Relaxed)
    }

    /// Whether a work that is to be queued takes a place in the order.
    ///
    /// # Errors
    /// [`Error::Invalid`]: it has no table, or that no callback.
    pub(crate) fn is_ordered(&self) -> Result<bool, Error> {
        // SAFETY: null, or a table that outlives the work (`new`).
        match unsafe { self.ops.as_ref() } {
            Some(ops) if ops.is_ordered() => Ok(true),
            Some(ops) if ops.func.is_some() => Ok(false),
            _ => Err(Error::Invalid),
        }
    }

    /// The callbacks of a work that is queued.
    ///
    /// # Safety
    /// The work is queued, so that it has a table.
    pub(crate) unsafe fn ops(&self) -> &WorkOps {
        // SAFETY: checked when it was queued; it outlives the work.
        unsafe { &*self.ops }
    }
}

model_only! {
    impl Work {
        /// Ends the work's life; every later use of it is a fault.
        pub(crate) fn revoke(&mut self) {
            self.link.revoke();
            self.next.revoke();
            self.owner.with_mut(|_| ());
            self.state.revoke();
            self.status.revoke();
        }
    }
}

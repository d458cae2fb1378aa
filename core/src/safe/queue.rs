//! A queue, as whoever submits sees it: behind a reference.
//!
//! Nobody has a [`Queue`] of his own: there are only references to it, and each is valid for a
//! reason that keeps the queue where it is. That is what makes its methods safe:
//!
//! | where a `&Queue` comes from | what keeps the queue                                            |
//! |-----------------------------|-----------------------------------------------------------------|
//! | `SharedQueue`               | the handle: the last one to go drains the queue first           |
//! | [`StaticQueue::get`]        | it is a static, or leaked                                       |
//! | a callback's parameter      | the queue is not freed before its last callback has returned    |
//!
//! [`StaticQueue::get`]: super::StaticQueue::get

use core::ffi::CStr;
use core::fmt;
use core::mem::ManuallyDrop;
use core::ptr::NonNull;
#[cfg(feature = "alloc")]
use {
    super::boxed_work::{BoxedWork, Job, as_works},
    crate::control::Control,
    alloc::boxed::Box,
    alloc::sync::{Arc, Weak},
    alloc::vec::Vec,
};

use super::submit::{Refused, Submit};
#[cfg(feature = "std")]
use super::thread_pool::Crew;
use crate::control::Stats;
use crate::error::Error;
use crate::sync::const_fn;
use crate::work::Work;

/// An ordered work queue, which is used by reference.
///
/// Get one from `SharedQueue`, which dereferences to it, from
/// [`StaticQueue::get`](super::StaticQueue::get), or from the parameter of a job's method: that is
/// the queue which the job was submitted to.
pub struct Queue {
    raw: crate::Queue,
    name: &'static CStr,
    #[cfg(feature = "alloc")]
    control: Option<Box<Control>>,
    /// Itself, if it is counted: so that a completion can keep its memory.
    #[cfg(feature = "alloc")]
    me: Weak<Queue>,
    /// What keeps its pool, if that is counted.
    #[cfg(feature = "std")]
    _crew: Option<Arc<Crew>>,
}

impl Queue {
    const_fn! {
        /// A queue on `pool`.
        ///
        /// # Safety
        /// `pool` is valid as long as the queue, which is not used before it is where it stays, and
        /// stays there until it has been destroyed, or for ever.
        pub(super) const unsafe fn new(pool: *const crate::Pool, name: &'static CStr) -> Self {
            Self {
                // SAFETY: as the caller says; the name is static.
                raw: unsafe { crate::Queue::new(pool, name.as_ptr()) },
                name,
                #[cfg(feature = "alloc")]
                control: None,
                #[cfg(feature = "alloc")]
                me: Weak::new(),
                #[cfg(feature = "std")]
                _crew: None,
            }
        }
    }

    /// The same, counted; and with a control, which is used from [`Queue::use_control`] on.
    ///
    /// # Safety
    /// As of `new`.
    #[cfg(feature = "alloc")]
    pub(super) unsafe fn counted(
        pool: *const crate::Pool,
        name: &'static CStr,
        control: Option<Box<Control>>,
        me: Weak<Queue>,
    ) -> Self {
        // SAFETY: as the caller says.
        Self { control, me, ..unsafe { Self::new(pool, name) } }
    }

    /// The same, with what keeps its pool.
    #[cfg(feature = "std")]
    pub(super) fn with_crew(self, crew: Arc<Crew>) -> Self {
        Self { _crew: Some(crew), ..self }
    }

    /// Submits a work: its `run` is called on some worker; its `ordered` after that, and after those
    /// of all works submitted here before (of the same priority); then its `free`, which has the
    /// work back. Never fails for want of room or memory.
    ///
    /// Returns nothing; the work belongs to the queue now.
    ///
    /// Context: threads, and callbacks of all queues; interrupts and signal handlers too. Lock-free.
    ///
    /// # Errors
    /// [`Error::Busy`]: a static work that is submitted, or just being submitted, already.
    /// [`Error::Shutdown`]: the queue is being drained, and the caller is none of its callbacks. The
    /// work comes back with the error, and nothing has changed.
    pub fn submit<W: Submit>(&self, work: W) -> Result<(), Refused<W>> {
        // SAFETY: `hand_over` sees to the work, and who has given out `self` to the queue.
        self.hand_over(work, |work| unsafe { self.raw.submit(work) })
    }

    /// As [`Queue::submit`], unless as many works are in flight as the bound allows: submitted, and
    /// their `free` has not returned. Without a bound it is the same.
    ///
    /// Context: as of [`Queue::submit`]. Lock-free.
    ///
    /// # Errors
    /// [`Error::Again`]: so many are in flight. The others as of [`Queue::submit`].
    pub fn try_submit<W: Submit>(&self, work: W) -> Result<(), Refused<W>> {
        // SAFETY: as in `submit`.
        self.hand_over(work, |work| unsafe { self.raw.try_submit(work) })
    }

    /// Submits a work when so many ticks of the pool's port have passed (on hosts milliseconds): it
    /// takes its place in the order then. On a pool with a clock (`ThreadPool::with_clock`).
    ///
    /// Context: as of [`Queue::submit`]. Lock-free.
    ///
    /// # Errors
    /// [`Error::Invalid`]: the pool has no clock, or the delay is longer than
    /// [`MAX_DELAY`](crate::MAX_DELAY). The others as of [`Queue::submit`].
    pub fn submit_delayed<W: Submit>(&self, work: W, ticks: u32) -> Result<(), Refused<W>> {
        // SAFETY: as in `submit`.
        self.hand_over(work, |work| unsafe { self.raw.submit_delayed(work, ticks) })
    }

    /// Submits several works of one kind at once, all or none. They take consecutive places, in
    /// their order: nothing that is submitted elsewhere comes between those of one priority.
    ///
    /// Context: as of [`Queue::submit`]; takes a few steps for each work, and then is lock-free.
    ///
    /// # Errors
    /// As of [`Queue::submit`], if any of the works would be refused; [`Error::Busy`] also if a
    /// static work is there twice. All come back with the error, and nothing has changed.
    pub fn submit_all<W: Submit, const N: usize>(
        &self,
        works: [W; N],
    ) -> Result<(), Refused<[W; N]>> {
        for (reserved, work) in works.iter().enumerate() {
            if let Err(error) = work.reserve() {
                // SAFETY: reserved above, and not submitted.
                works.iter().take(reserved).for_each(|work| unsafe { work.release() });
                return Err(Refused { error, work: works });
            }
        }
        let works = ManuallyDrop::new(works);
        let raw: [NonNull<Work>; N] = works.each_ref().map(|work| self.prepare(work));
        // SAFETY: as in `submit`; reserved, so that none is there twice.
        match unsafe { self.raw.submit_batch(&raw) } {
            // The works must not be touched past this point: they may be gone.
            Ok(()) => Ok(()),
            Err(error) => {
                // SAFETY: reserved above, and refused.
                works.iter().for_each(|work| unsafe { work.release() });
                Err(Refused { error, work: ManuallyDrop::into_inner(works) })
            }
        }
    }

    /// As [`Queue::submit_all`], with any number of works: empties the vector, which keeps its
    /// memory, or leaves it as it is. Allocates nothing.
    ///
    /// Context: as of [`Queue::submit_all`].
    ///
    /// # Errors
    /// [`Error::Shutdown`]: as of [`Queue::submit`]. The works are still in the vector.
    #[cfg(feature = "alloc")]
    pub fn submit_batch<J: Job>(&self, works: &mut Vec<BoxedWork<J>>) -> Result<(), Error> {
        works.iter().for_each(|work| {
            self.prepare(work);
        });
        // SAFETY: as in `submit`; each box is there once.
        unsafe {
            self.raw.submit_batch(as_works(works))?;
            // They are the queue's now, and may be gone already.
            works.set_len(0);
        }
        Ok(())
    }

    /// Returns when everything that was submitted before the call has been freed; but not what is
    /// still delayed. Needs workers, as works do.
    ///
    /// Context: threads, and callbacks of other queues; not interrupts. Blocks, without spinning.
    ///
    /// # Errors
    /// [`Error::Deadlock`]: called from a callback of this queue. [`Error::Invalid`]: the pool's port
    /// can not wait.
    pub fn flush(&self) -> Result<(), Error> {
        self.raw.flush()
    }

    /// Returns when nothing is left, delayed works included. Meanwhile only the queue's own
    /// callbacks may submit; then it is as before.
    ///
    /// Context: as of [`Queue::flush`].
    ///
    /// # Errors
    /// As of [`Queue::flush`].
    pub fn drain(&self) -> Result<(), Error> {
        self.raw.drain()
    }

    /// From now on at most `limit` works of each priority are in `run` at once. Those that are
    /// beyond that go on.
    ///
    /// Context: threads, callbacks, interrupts. Lock-free.
    ///
    /// # Errors
    /// [`Error::Invalid`]: the queue was made without a control, or the limit is 0 or more than 1023.
    pub fn set_max(&self, limit: u32) -> Result<(), Error> {
        self.raw.set_max(limit)
    }

    /// From now on the number of works that may be in `run` at once adapts to how many are pending:
    /// it begins with 1, and goes up and down between that and the limit. 0 stands for a threshold of
    /// 32; less than 32 means none.
    ///
    /// Context: as of [`Queue::set_max`]. Lock-free.
    ///
    /// # Errors
    /// [`Error::Invalid`]: the queue was made without a control, or the threshold is above 2^20.
    pub fn set_threshold(&self, threshold: u32) -> Result<(), Error> {
        self.raw.set_threshold(threshold)
    }

    /// From now on [`Queue::try_submit`] lets at most so many works be in flight; 0 is any number.
    ///
    /// Context: as of [`Queue::set_max`]. Wait-free.
    ///
    /// # Errors
    /// [`Error::Invalid`]: the queue was made without a control.
    pub fn set_bound(&self, bound: u32) -> Result<(), Error> {
        self.raw.set_bound(bound)
    }

    /// Whether more works than twice the threshold are pending. Always false without a threshold.
    ///
    /// Context: as of [`Queue::set_max`]. Wait-free.
    #[must_use]
    pub fn is_congested(&self) -> bool {
        self.raw.is_congested()
    }

    /// How the works of normal, or of high priority stand.
    ///
    /// Context: as of [`Queue::set_max`]. Wait-free.
    ///
    /// # Errors
    /// [`Error::Invalid`]: the queue was made without a control.
    pub fn stats(&self, high: bool) -> Result<Stats, Error> {
        self.raw.stats(high)
    }

    /// The name that it was given.
    ///
    /// Context: everywhere. Wait-free.
    #[must_use]
    pub fn name(&self) -> &'static CStr {
        self.name
    }

    /// Uses the control, if there is one. When the queue is where it stays, before its first work.
    #[cfg(feature = "alloc")]
    pub(super) fn use_control(&self) {
        if let Some(control) = &self.control {
            // Not refused: the queue has none in use yet.
            // SAFETY: as valid as the queue, since it is dropped with it, and no other's.
            let _ = unsafe { self.raw.set_control(NonNull::from(&**control)) };
        }
    }

    /// What keeps the queue's memory, if it is counted.
    #[cfg(feature = "alloc")]
    pub(super) fn keep(&self) -> Option<Arc<Queue>> {
        self.me.upgrade()
    }

    /// Destroys the queue, as its documentation says.
    ///
    /// # Errors
    /// As of [`Queue::flush`].
    ///
    /// # Safety
    /// As of [`destroy`](crate::Queue::destroy).
    #[cfg(feature = "alloc")]
    pub(super) unsafe fn destroy(&self) -> Result<(), Error> {
        // SAFETY: as the caller says.
        unsafe { self.raw.destroy() }
    }

    /// Gives a work to `submit`, or back.
    fn hand_over<W: Submit>(
        &self,
        work: W,
        submit: impl FnOnce(NonNull<Work>) -> Result<(), Error>,
    ) -> Result<(), Refused<W>> {
        if let Err(error) = work.reserve() {
            return Err(Refused { error, work });
        }
        let work = ManuallyDrop::new(work);
        match submit(self.prepare(&*work)) {
            // The work must not be touched past this point: it may be gone.
            Ok(()) => Ok(()),
            Err(error) => {
                // SAFETY: reserved above, and refused.
                unsafe { work.release() };
                Err(Refused { error, work: ManuallyDrop::into_inner(work) })
            }
        }
    }

    /// The work, with a note of where it goes. It is reserved.
    fn prepare<W: Submit>(&self, work: &W) -> NonNull<Work> {
        let header = work.header();
        // SAFETY: valid as long as `work`, and reserved by the caller.
        unsafe { header.as_ref().set_queue(self) };
        header.cast()
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").field("name", &self.name).finish_non_exhaustive()
    }
}

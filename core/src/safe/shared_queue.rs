//! A queue that any number of handles share, and that is drained before it goes.
//!
//! There are two counts. Handles count an [`Owner`]: when the last has gone the queue is destroyed,
//! and whoever drops that handle waits. Completions that are on their way count the memory alone:
//! they must not keep the queue from being drained, since that waits for them; but the call that
//! completes the last work may still be on its way out when the queue has been destroyed.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::ffi::CStr;
use core::fmt;
use core::mem;
use core::ops::Deref;

use super::queue::Queue;
use super::static_pool::StaticPool;
#[cfg(feature = "std")]
use super::thread_pool::ThreadPool;
use crate::control::Control;
use crate::error::Error;

/// A handle of a queue; it dereferences to the [`Queue`]. A clone is another handle of the same.
///
/// **Drop.** When the last handle is dropped the queue is drained: the drop blocks, without
/// spinning, until every work that was submitted has been freed, those that wait for a
/// [`Completion`](super::Completion), and delayed ones, too. What its own callbacks submit meanwhile
/// is drained as well.
///
/// If the last handle is dropped in a callback of the very queue, that wait would never end. So the
/// queue stays then: it is leaked, with its pool, and goes on until it has nothing more to do. A job
/// needs no handle for submitting to its own queue, and better has none: its methods are given that
/// queue.
///
/// Memory: allocated when the queue is made, freed when it is drained, and the last completion has
/// returned.
///
/// Context: to make and to drop handles, threads, and callbacks of other queues if another worker can
/// run this one's works; not interrupts.
#[derive(Clone)]
pub struct SharedQueue(Arc<Owner>);

struct Owner(Arc<Queue>);

impl SharedQueue {
    /// A queue on `pool`, with a name for traces. Without a control: there is no limit on how many
    /// works run at once but the number of threads.
    ///
    /// Allocates.
    #[cfg(feature = "std")]
    #[must_use]
    pub fn new(pool: &ThreadPool, name: &'static CStr) -> Self {
        Self::on_threads(pool, name, None)
    }

    /// A queue on `pool`, with a control: limits, bounds and statistics, for the price of some
    /// counting. The limit is 1023 until [`Queue::set_max`] says otherwise.
    ///
    /// Allocates.
    #[cfg(feature = "std")]
    #[must_use]
    pub fn with_control(pool: &ThreadPool, name: &'static CStr) -> Self {
        Self::on_threads(pool, name, Some(Box::default()))
    }

    /// A queue on a pool in a static, without a control. Allocates.
    ///
    /// # Errors
    /// [`Error::Invalid`]: the pool has no port by which a drop could wait.
    pub fn on_static(pool: &'static StaticPool, name: &'static CStr) -> Result<Self, Error> {
        Self::on_checked(pool, name, None)
    }

    /// A queue on a pool in a static, with a control, as of `with_control`. Allocates.
    ///
    /// # Errors
    /// As of [`SharedQueue::on_static`].
    pub fn on_static_with_control(
        pool: &'static StaticPool,
        name: &'static CStr,
    ) -> Result<Self, Error> {
        Self::on_checked(pool, name, Some(Box::default()))
    }

    #[cfg(feature = "std")]
    fn on_threads(pool: &ThreadPool, name: &'static CStr, control: Option<Box<Control>>) -> Self {
        Self::own(Arc::new_cyclic(|me| {
            // SAFETY: valid as long as the crew, which is counted; what is in an `Arc` stays there.
            let queue = unsafe { Queue::counted(pool.raw(), name, control, me.clone()) };
            queue.with_crew(pool.crew())
        }))
    }

    fn on_checked(
        pool: &'static StaticPool,
        name: &'static CStr,
        control: Option<Box<Control>>,
    ) -> Result<Self, Error> {
        if !pool.can_wait() {
            return Err(Error::Invalid);
        }
        Ok(Self::own(Arc::new_cyclic(|me| {
            // SAFETY: the pool is static; what is in an `Arc` stays there.
            unsafe { Queue::counted(pool.raw(), name, control, me.clone()) }
        })))
    }

    fn own(queue: Arc<Queue>) -> Self {
        queue.use_control();
        Self(Arc::new(Owner(queue)))
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        // SAFETY: there is no handle any more, so that nobody but the queue's callbacks can have a
        // reference to it, or will; of the calls that complete works some may be on their last
        // steps, in which they need the pool alone, and they keep that, and the queue's memory.
        let destroyed = unsafe { self.0.destroy() };
        if destroyed.is_err() {
            // The caller is one of the queue's callbacks. It is still in use, and stays.
            mem::forget(Arc::clone(&self.0));
        }
    }
}

impl Deref for SharedQueue {
    type Target = Queue;

    fn deref(&self) -> &Queue {
        &self.0.0
    }
}

impl fmt::Debug for SharedQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SharedQueue").field(&self.name()).finish()
    }
}

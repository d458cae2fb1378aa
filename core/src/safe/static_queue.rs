//! A queue in a static, which is never freed.

use core::ffi::CStr;

use super::queue::Queue;
use super::static_pool::StaticPool;
use crate::sync::const_fn;

/// A queue in a static. [`StaticQueue::get`] gives a reference to the [`Queue`].
///
/// It has no control: no limit but the number of workers, no bound, no statistics.
#[repr(transparent)]
pub struct StaticQueue(Queue);

impl StaticQueue {
    const_fn! {
        /// A queue on `pool`, with a name for traces.
        #[must_use]
        pub const fn new(pool: &'static StaticPool, name: &'static CStr) -> Self {
            // SAFETY: the pool is static; and the queue is used by `get` alone, so when it is.
            Self(unsafe { Queue::new(pool.raw(), name) })
        }
    }

    /// The queue.
    ///
    /// Context: everywhere. Wait-free.
    #[must_use]
    pub fn get(&'static self) -> &'static Queue {
        &self.0
    }
}

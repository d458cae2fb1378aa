//! Which queues' callbacks the calling context is in: so that none of them waits for itself.
//!
//! Whoever runs works leaves a frame on its stack, which says whose callback runs now, and hangs it
//! before the frame of an outer callback, if that has called it. The chain begins at the pointer
//! that the port keeps for each context.

use core::cell::Cell;
use core::ptr;

use crate::port::Port;
use crate::queue::Queue;

/// One nested call that runs works.
pub(crate) struct Frame {
    queue: Cell<*const Queue>,
    outer: *const Frame,
}

impl Frame {
    /// Notes that what follows is in a callback of `queue`.
    pub(crate) fn enter(&self, queue: &Queue) {
        self.queue.set(queue);
    }
}

/// Calls `run` with a frame in the chain of this context, if the port has one.
pub(crate) fn with_frame<R>(port: Option<&Port>, run: impl FnOnce(&Frame) -> R) -> R {
    let Some(local) = port.and_then(|port| port.local) else {
        return run(&Frame { queue: Cell::new(ptr::null()), outer: ptr::null() });
    };
    // SAFETY: the pointer belongs to this context, and stays as long as that; what it points to is a
    // frame further out on this stack.
    let chain: &Cell<*const Frame> = unsafe { &*local().cast() };
    let frame = Frame { queue: Cell::new(ptr::null()), outer: chain.get() };
    chain.set(&raw const frame);
    let result = run(&frame);
    chain.set(frame.outer);
    result
}

/// Whether the calling context is in a callback of `queue`; `None` if the port can not tell.
pub(crate) fn is_inside(port: &Port, queue: &Queue) -> Option<bool> {
    // SAFETY: as in `with_frame`.
    let mut at = unsafe { (port.local?)().cast::<*const Frame>().read() };
    // SAFETY: the frames of the chain stand further out on this stack.
    while let Some(frame) = unsafe { at.as_ref() } {
        if ptr::eq(frame.queue.get(), queue) {
            return Some(true);
        }
        at = frame.outer;
    }
    Some(false)
}

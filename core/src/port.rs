//! What a platform must give: how a worker sleeps, and how it is woken.

#[cfg(feature = "std")]
pub mod host;

use core::ptr::NonNull;

use crate::worker::Worker;

/// The hooks of a platform: a constant table that outlives every pool that names it.
///
/// Together the two are a binary semaphore for each worker, and nothing more: `wake` gives it,
/// `wait` takes it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Port {
    /// Blocks the calling worker until `wake` has been called for it since its last return from
    /// here; returns at once if it has been already. It may return early, for no reason at all.
    /// Called by the worker itself, never from an interrupt.
    pub wait: unsafe extern "C" fn(NonNull<Worker>),
    /// Lets the worker's `wait`, the present one or the next, return. Called by whoever makes a work
    /// ready: any thread, or an interrupt. It must not block. The record is valid during the call.
    pub wake: unsafe extern "C" fn(NonNull<Worker>),
}

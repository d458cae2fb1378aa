//! What a platform must give: how somebody sleeps, and is woken; what time it is; and a pointer for
//! each context.

#[cfg(feature = "std")]
mod clock;
#[cfg(feature = "std")]
pub mod host;

/// The hooks of a platform: a constant table that outlives every pool that names it.
///
/// `wait` and `wake` together are a futex, and nothing more: one context sleeps on a word as long as
/// that has some value; another changes the word, and then wakes it. After Linux's `futex(2)`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Port {
    /// Blocks the caller as long as `*word` is `value`: looks at it, and goes to sleep if so, in
    /// such a way that a `wake` for the word which comes after the look is not lost. It may return
    /// early, for no reason at all. `word` is valid during the call, and changed by others,
    /// atomically. Never called from an interrupt.
    pub wait: unsafe extern "C" fn(word: *const u32, value: u32),
    /// Lets every `wait` for `word` return. Called after the word was changed, by whoever makes a
    /// work ready: any thread, or an interrupt. It must not block, and must not dereference `word`:
    /// that may be gone.
    pub wake: unsafe extern "C" fn(word: *const u32),
    /// The time, in ticks, modulo 2^32. Callable from everywhere. Without it (null) nothing can be
    /// delayed, and ages are 0.
    pub now: Option<unsafe extern "C" fn() -> u32>,
    /// Where a pointer stands that belongs to the calling thread or task alone, and is null at
    /// first. An interrupt may be given that of the context that it has interrupted. Without it
    /// (null) nobody may wait for works, since a callback that did so could not be told from others.
    pub local: Option<unsafe extern "C" fn() -> *mut *const ()>,
}

impl Port {
    /// Sleeps as long as the word at `address` is `value`, or less.
    pub(crate) fn wait(&self, address: *const u32, value: u32) {
        // SAFETY: called where the word is known to stay; the hook is as its documentation says.
        unsafe { (self.wait)(address, value) }
    }

    /// Wakes who sleeps on the word at `address`, which may be gone.
    pub(crate) fn wake(&self, address: *const u32) {
        // SAFETY: the hook does not dereference it.
        unsafe { (self.wake)(address) }
    }

    /// The time.
    pub(crate) fn now(&self) -> Option<u32> {
        // SAFETY: callable from everywhere.
        self.now.map(|now| unsafe { now() })
    }
}

//! What a platform must give: how a worker sleeps, and how it is woken.

#[cfg(feature = "std")]
pub mod host;

/// The hooks of a platform: a constant table that outlives every pool that names it.
///
/// Together the two are a futex, and nothing more: one context sleeps on a word as long as that has
/// some value; another changes the word, and then wakes it. After Linux's `futex(2)`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Port {
    /// Blocks the caller as long as `*word` is `value`: looks at it, and goes to sleep if so, in
    /// such a way that a `wake` for the word which comes after the look is not lost. It may return
    /// early, for no reason at all. `word` is valid during the call, and changed by others,
    /// atomically. Never called from an interrupt.
    pub wait: unsafe extern "C" fn(word: *const u32, value: u32),
    /// Lets the `wait` for `word` return. Called after the word was changed, by whoever makes a
    /// work ready: any thread, or an interrupt. It must not block, and must not dereference `word`:
    /// that may be gone.
    pub wake: unsafe extern "C" fn(word: *const u32),
}

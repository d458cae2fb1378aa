//! From a pointer that C passed to something that may be used, or not.

use core::ptr::NonNull;

/// A type of the header whose initialised values carry a magic number.
///
/// Values of such a type are never referred to by a Rust reference, since its plain fields are the
/// core's atomics and cells: they are reached through pointers, or as the core's type.
///
/// # Safety
/// `Core`'s fields are the first of the type's, in the same order and of the same types in memory.
pub(crate) unsafe trait Mirror: Sized {
    /// The type of the core that stands at the beginning.
    type Core;
    /// What an initialised value carries.
    const MAGIC: u32;

    /// What the value at `this` carries.
    ///
    /// # Safety
    /// `this` points to memory of the type.
    unsafe fn magic(this: *const Self) -> u32;
}

/// The value at `this`, if there is one, and it was initialised.
///
/// # Safety
/// `this` is null or points to memory of that type.
pub(crate) unsafe fn initialised<T: Mirror>(this: *mut T) -> Option<NonNull<T>> {
    // SAFETY: memory of the type, says the caller.
    NonNull::new(this).filter(|this| unsafe { T::magic(this.as_ptr()) } == T::MAGIC)
}

/// The same value as the core knows it.
pub(crate) fn core<T: Mirror>(this: NonNull<T>) -> NonNull<T::Core> {
    this.cast()
}

//! The ground floor: the only importer of atomics and cells, with one face for all backends.
//!
//! | face       | chosen when                                  | made of                          |
//! |------------|----------------------------------------------|----------------------------------|
//! | `native`   | the target has compare-and-swap              | `core::sync::atomic`, `atomic`   |
//! | `model`    | `--cfg loom`                                 | loom, which explores all orders  |
//! | `critical` | the target has none (not there yet)          | a critical section               |
//!
//! Every other module names only what this one exports, and says neither `cfg(loom)` nor
//! `target_has_atomic`:
//!
//! - [`Atomic<T>`]: a word of the size of a `u32` with a type of its own ([`Word`]);
//! - [`AtomicPtr<T>`]: a pointer; [`AtomicUsize`]: a number of the same size;
//! - [`Cell<T>`]: plain memory that one party at a time may use, which party being the business of
//!   the protocol around it (loom checks that claim at every access);
//! - `const_fn!`: a constructor that is `const` wherever the backend's types allow it;
//! - `array_of!`: an array of such things;
//! - `model_only!`, `native_only!`: items for the tests of one kind.

#[cfg(loom)]
mod model;
#[cfg(loom)]
use model as face;

#[cfg(all(not(loom), target_has_atomic = "32", target_has_atomic = "ptr"))]
mod native;
#[cfg(all(not(loom), target_has_atomic = "32", target_has_atomic = "ptr"))]
use native as face;

#[cfg(all(not(loom), not(all(target_has_atomic = "32", target_has_atomic = "ptr"))))]
compile_error!("btwq needs compare-and-swap on u32 and pointers, and this target has none");

pub(crate) use core::sync::atomic::Ordering;
pub(crate) use face::{Atomic, AtomicPtr, AtomicUsize, Cell};
#[cfg(feature = "std")]
pub(crate) use native::AtomicU32;

/// Whether this is a model: limits are small there, so that they are reached.
pub(crate) const IN_MODEL: bool = cfg!(loom);

/// What [`Atomic`] can hold: a value that is a `u32` in memory.
///
/// # Safety
/// The type is `repr(transparent)` over a `u32`.
pub(crate) unsafe trait Word: bytemuck::NoUninit {
    /// The value with these bits.
    fn from_bits(bits: u32) -> Self;
    /// The bits of the value.
    fn bits(self) -> u32;
}

// SAFETY: a u32 is a u32.
unsafe impl Word for u32 {
    fn from_bits(bits: u32) -> Self {
        bits
    }
    fn bits(self) -> u32 {
        self
    }
}

/// Declares a constructor: `const`, but for the model, whose types can not be made at compile time.
macro_rules! const_fn {
    ($(#[$meta:meta])* $vis:vis const $($rest:tt)*) => {
        #[cfg(not(loom))]
        $(#[$meta])*
        $vis const $($rest)*
        #[cfg(loom)]
        $(#[$meta])*
        $vis $($rest)*
    };
}
pub(crate) use const_fn;

/// An array of things of the face, `array_of![thing; N]`.
macro_rules! array_of {
    ($thing:expr; $n:expr) => {{
        #[cfg(not(loom))]
        let array = [const { $thing }; $n];
        #[cfg(loom)]
        let array: [_; $n] = core::array::from_fn(|_| $thing);
        array
    }};
}
pub(crate) use array_of;

/// Declares items that only the models need.
macro_rules! model_only {
    ($($item:item)*) => { $(#[cfg(all(test, loom))] $item)* };
}
pub(crate) use model_only;

/// Declares items for tests on real threads.
#[cfg(test)]
macro_rules! native_only {
    ($($item:item)*) => { $(#[cfg(all(test, not(loom)))] $item)* };
}
#[cfg(test)]
pub(crate) use native_only;

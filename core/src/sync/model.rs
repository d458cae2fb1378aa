//! The face for loom: same methods, every access explored and checked.

use super::{Ordering, Word};
use core::marker::PhantomData;

pub(crate) use loom::sync::atomic::AtomicPtr;

/// A typed word, changed by one read-modify-write at a time.
pub(crate) struct Atomic<T>(loom::sync::atomic::AtomicU32, PhantomData<T>);

impl<T: Word> Atomic<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(loom::sync::atomic::AtomicU32::new(value.bits()), PhantomData)
    }

    pub(crate) fn load(&self, order: Ordering) -> T {
        T::from_bits(self.0.load(order))
    }

    pub(crate) fn store(&self, value: T, order: Ordering) {
        self.0.store(value.bits(), order);
    }

    pub(crate) fn compare_exchange(
        &self,
        current: T,
        new: T,
        success: Ordering,
        failure: Ordering,
    ) -> Result<T, T> {
        self.0
            .compare_exchange(current.bits(), new.bits(), success, failure)
            .map(T::from_bits)
            .map_err(T::from_bits)
    }

    pub(crate) fn fetch_or(&self, bits: T, order: Ordering) -> T {
        T::from_bits(self.0.fetch_or(bits.bits(), order))
    }

    pub(crate) fn fetch_add(&self, n: u32, order: Ordering) -> T {
        T::from_bits(self.0.fetch_add(n, order))
    }

    pub(crate) fn fetch_sub(&self, n: u32, order: Ordering) -> T {
        T::from_bits(self.0.fetch_sub(n, order))
    }
}

/// Plain memory; loom fails the run when two parties use it without an order between them.
pub(crate) struct Cell<T>(loom::cell::UnsafeCell<T>);

impl<T: Copy> Cell<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(loom::cell::UnsafeCell::new(value))
    }

    /// # Safety
    /// As of the native face.
    pub(crate) unsafe fn get(&self) -> T {
        // SAFETY: no concurrent writer, says the caller, and loom checks it.
        self.0.with(|value| unsafe { *value })
    }

    /// # Safety
    /// As of the native face.
    pub(crate) unsafe fn set(&self, value: T) {
        // SAFETY: no concurrent user, says the caller, and loom checks it.
        self.0.with_mut(|old| unsafe { *old = value });
    }
}

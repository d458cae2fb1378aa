//! The face for targets with compare-and-swap.

use core::cell::UnsafeCell;

use super::{Ordering, Word};

pub(crate) use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicUsize};

/// A typed word, changed by one read-modify-write at a time.
#[repr(transparent)]
pub(crate) struct Atomic<T>(atomic::Atomic<T>);

// The `atomic` crate falls back to spin locks for sizes that the target lacks: never here.
const _: () = assert!(atomic::Atomic::<u32>::is_lock_free());
const _: () = assert!(size_of::<Atomic<u32>>() == 4 && align_of::<Atomic<u32>>() == 4);

impl<T: Word> Atomic<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(atomic::Atomic::new(value))
    }

    pub(crate) fn load(&self, order: Ordering) -> T {
        self.0.load(order)
    }

    pub(crate) fn store(&self, value: T, order: Ordering) {
        self.0.store(value, order);
    }

    /// A store that may meet read-modify-writes of others, with which it stands in one order.
    pub(crate) fn store_among(&self, value: T, order: Ordering) {
        self.store(value, order);
    }

    pub(crate) fn swap(&self, value: T, order: Ordering) -> T {
        self.0.swap(value, order)
    }

    pub(crate) fn compare_exchange(
        &self,
        current: T,
        new: T,
        success: Ordering,
        failure: Ordering,
    ) -> Result<T, T> {
        self.0.compare_exchange(current, new, success, failure)
    }

    /// Where the word is, for a port's hooks.
    pub(crate) fn address(&self) -> *const u32 {
        core::ptr::from_ref(self).cast()
    }

    pub(crate) fn fetch_or(&self, bits: T, order: Ordering) -> T {
        T::from_bits(self.as_u32().fetch_or(bits.bits(), order))
    }

    pub(crate) fn fetch_and(&self, bits: T, order: Ordering) -> T {
        T::from_bits(self.as_u32().fetch_and(bits.bits(), order))
    }

    pub(crate) fn fetch_add(&self, n: u32, order: Ordering) -> T {
        T::from_bits(self.as_u32().fetch_add(n, order))
    }

    pub(crate) fn fetch_sub(&self, n: u32, order: Ordering) -> T {
        T::from_bits(self.as_u32().fetch_sub(n, order))
    }

    /// The same word as the number it is: the crate has arithmetic and bit operations for integers
    /// only, and a compare-and-swap loop instead would not be wait-free.
    fn as_u32(&self) -> &AtomicU32 {
        // SAFETY: `atomic::Atomic<T>` is transparent over an `UnsafeCell` of `T`, `T` over a `u32`
        // (that is what `Word` demands), and `AtomicU32` has the same size and alignment
        // (asserted above); the memory is only ever used atomically.
        unsafe { AtomicU32::from_ptr(core::ptr::from_ref(self).cast_mut().cast()) }
    }
}

/// Plain memory, used by one party at a time.
#[repr(transparent)]
pub(crate) struct Cell<T>(UnsafeCell<T>);

impl<T: Copy> Cell<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }

    /// Reads the value.
    ///
    /// # Safety
    /// Nobody writes it meanwhile, and the last write happened before.
    pub(crate) unsafe fn get(&self) -> T {
        // SAFETY: no concurrent writer, says the caller.
        unsafe { *self.0.get() }
    }

    /// Writes the value.
    ///
    /// # Safety
    /// Nobody else uses it meanwhile, and the last use happened before.
    pub(crate) unsafe fn set(&self, value: T) {
        // SAFETY: no concurrent user, says the caller.
        unsafe { *self.0.get() = value }
    }
}

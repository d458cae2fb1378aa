//! The face for loom: same methods, every access explored and checked.
//!
//! Beyond what loom checks, a word or cell can be *revoked*: that fails unless all uses of it so
//! far happened before, and so does every use after it, on the same thread too. The models revoke a
//! work when its last callback is entered.

use core::marker::PhantomData;
use core::sync::atomic::AtomicBool;

use super::{Ordering, Word};

pub(crate) use loom::sync::atomic::{AtomicPtr, AtomicUsize};

/// Whether the thing it belongs to has been revoked. Not part of what is modelled.
#[derive(Default)]
struct Revoked(AtomicBool);

impl Revoked {
    fn revoke(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn check(&self) {
        assert!(!self.0.load(Ordering::SeqCst), "touched after its life has ended");
    }
}

/// A typed word, changed by one read-modify-write at a time.
pub(crate) struct Atomic<T> {
    word: loom::sync::atomic::AtomicU32,
    revoked: Revoked,
    of: PhantomData<T>,
}

impl<T: Word> Atomic<T> {
    pub(crate) fn new(value: T) -> Self {
        let word = loom::sync::atomic::AtomicU32::new(value.bits());
        Self { word, revoked: Revoked::default(), of: PhantomData }
    }

    fn word(&self) -> &loom::sync::atomic::AtomicU32 {
        self.revoked.check();
        &self.word
    }

    pub(crate) fn load(&self, order: Ordering) -> T {
        T::from_bits(self.word().load(order))
    }

    pub(crate) fn store(&self, value: T, order: Ordering) {
        self.word().store(value.bits(), order);
    }

    /// As of the native face. A swap here: loom does not put a store and a read-modify-write that
    /// meet in one order, as the language does, but lets the latter overlook the former.
    pub(crate) fn store_among(&self, value: T, order: Ordering) {
        self.swap(value, order);
    }

    pub(crate) fn swap(&self, value: T, order: Ordering) -> T {
        T::from_bits(self.word().swap(value.bits(), order))
    }

    pub(crate) fn compare_exchange(
        &self,
        current: T,
        new: T,
        success: Ordering,
        failure: Ordering,
    ) -> Result<T, T> {
        self.word()
            .compare_exchange(current.bits(), new.bits(), success, failure)
            .map(T::from_bits)
            .map_err(T::from_bits)
    }

    /// Where the word is, for a port's hooks: the whole of it, which the models' port knows.
    pub(crate) fn address(&self) -> *const u32 {
        core::ptr::from_ref(self).cast()
    }

    pub(crate) fn fetch_or(&self, bits: T, order: Ordering) -> T {
        T::from_bits(self.word().fetch_or(bits.bits(), order))
    }

    pub(crate) fn fetch_and(&self, bits: T, order: Ordering) -> T {
        T::from_bits(self.word().fetch_and(bits.bits(), order))
    }

    pub(crate) fn fetch_add(&self, n: u32, order: Ordering) -> T {
        T::from_bits(self.word().fetch_add(n, order))
    }

    pub(crate) fn fetch_sub(&self, n: u32, order: Ordering) -> T {
        T::from_bits(self.word().fetch_sub(n, order))
    }

    /// Ends the word's life.
    pub(crate) fn revoke(&mut self) {
        self.revoked.check();
        self.word.with_mut(|_| ());
        self.revoked.revoke();
    }
}

/// Plain memory; loom fails the run when two parties use it without an order between them.
pub(crate) struct Cell<T> {
    value: loom::cell::UnsafeCell<T>,
    revoked: Revoked,
}

impl<T: Copy> Cell<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { value: loom::cell::UnsafeCell::new(value), revoked: Revoked::default() }
    }

    /// # Safety
    /// As of the native face.
    pub(crate) unsafe fn get(&self) -> T {
        self.revoked.check();
        // SAFETY: no concurrent writer, says the caller, and loom checks it.
        self.value.with(|value| unsafe { *value })
    }

    /// # Safety
    /// As of the native face.
    pub(crate) unsafe fn set(&self, value: T) {
        self.revoked.check();
        // SAFETY: no concurrent user, says the caller, and loom checks it.
        self.value.with_mut(|old| unsafe { *old = value });
    }

    /// Ends the cell's life.
    pub(crate) fn revoke(&mut self) {
        self.revoked.check();
        self.value.with_mut(|_| ());
        self.revoked.revoke();
    }
}

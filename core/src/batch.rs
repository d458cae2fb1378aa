//! Works that are submitted together: chained by the submitter, before anybody else knows them.
//!
//! The same works are chained twice: by `link`, for the ordered list (those that have a place in
//! the order), and by `next`, for the ready list (all of them). Both chains run from newest to
//! oldest. One work is a batch of one.

use core::ptr::NonNull;

use crate::sync::Cell;
use crate::work::Work;

/// A chain of works, newest to oldest.
#[derive(Clone, Copy)]
pub(crate) struct Batch {
    newest: NonNull<Work>,
    second: Option<NonNull<Work>>,
    oldest: NonNull<Work>,
    len: usize,
}

impl Batch {
    /// Just `work`.
    pub(crate) fn of(work: NonNull<Work>) -> Self {
        Self { newest: work, second: None, oldest: work, len: 1 }
    }

    /// Adds `work` as the newest, by its `link` or `next`, which `field` chooses.
    ///
    /// # Safety
    /// `work` is valid, and that field the caller's.
    pub(crate) unsafe fn add(&mut self, work: NonNull<Work>, field: fn(&Work) -> &Cell<*mut Work>) {
        // SAFETY: as the caller says.
        unsafe { field(work.as_ref()).set(self.newest.as_ptr()) };
        self.second.get_or_insert(work);
        self.newest = work;
        self.len = self.len.wrapping_add(1);
    }

    /// How many works there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The work that was added last.
    pub(crate) fn newest(&self) -> NonNull<Work> {
        self.newest
    }

    /// The work that was added first after the oldest, if any was.
    pub(crate) fn second(&self) -> Option<NonNull<Work>> {
        self.second
    }

    /// The work that the batch was begun with.
    pub(crate) fn oldest(&self) -> NonNull<Work> {
        self.oldest
    }
}

//! Works on the heap: a job, and what the queue needs for it, in one box.

use alloc::boxed::Box;
use core::mem::ManuallyDrop;
use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;

use super::queue::Queue;
use super::running::Running;
use super::submit::{Header, Raw};
use crate::error::Error;
use crate::work::{Work, WorkOps};

/// What is to be done, in three steps.
///
/// The methods are called one after the other, never two of one job at once, each on some worker;
/// each sees what the one before wrote. A panic in one of them aborts the process.
pub trait Job: Send + Sized + 'static {
    /// The work itself: concurrently with that of other jobs.
    ///
    /// If it begins something that ends later, it takes [`Running::later`], and may return before
    /// that is over.
    ///
    /// Context: on a worker. It may call everything, but not wait for its own queue.
    fn run(&mut self, running: Running<'_>);

    /// What is to be done in order: after `run`, and after the `ordered` of all jobs that were
    /// submitted to the queue before, with the same priority. Never two of those at once.
    ///
    /// `status` is what the job's [`Completion`](super::Completion) was completed with, or 0; `queue`
    /// is the one that the job was submitted to.
    ///
    /// Context: as of `run`.
    fn ordered(&mut self, status: i32, queue: &Queue) {
        let _ = (status, queue);
    }

    /// The end, after `ordered`, in the same order: the work is the caller's again. Drops it, unless
    /// it is written otherwise: the box may be kept, or submitted again, without an allocation. (If
    /// that is refused the box is in the refusal, and dropped with it.)
    ///
    /// Context: as of `run`.
    fn free(work: BoxedWork<Self>, queue: &Queue) {
        let _ = queue;
        drop(work);
    }
}

/// A job in a box that has room for what the queue needs, so that to submit it allocates nothing.
///
/// Memory: one allocation, made by [`BoxedWork::new`], and freed when this is dropped.
#[repr(transparent)]
pub struct BoxedWork<J: Job>(NonNull<Node<J>>);

// SAFETY: it owns a job that may be sent, and a header that may be.
unsafe impl<J: Job> Send for BoxedWork<J> {}
// SAFETY: what can be reached by a shared reference is a job that may be shared.
unsafe impl<J: Job + Sync> Sync for BoxedWork<J> {}

/// What is in the box.
#[repr(C)]
struct Node<J> {
    header: Header,
    job: J,
}

impl<J: Job> Node<J> {
    const OPS: &'static WorkOps = &WorkOps {
        func: Some(run::<J>),
        ordered_func: Some(ordered::<J>),
        ordered_free: Some(free::<J>),
    };
}

impl<J: Job> BoxedWork<J> {
    /// Puts a job into a box. Allocates.
    ///
    /// Context: where the allocator may be called.
    #[must_use]
    pub fn new(job: J) -> Self {
        let node = Node { header: Header::new(Node::<J>::OPS), job };
        Self(NonNull::from(Box::leak(Box::new(node))))
    }

    /// Lets the work go before those of normal priority, in an order of its own; or not. It stays so
    /// until it is said otherwise.
    ///
    /// Context: everywhere. Wait-free.
    pub fn set_high_priority(&mut self, high: bool) {
        // SAFETY: valid as long as `self`.
        let header = unsafe { &self.0.as_ref().header };
        // Not refused: the work is initialised, and not queued, since it is here.
        let _ = header.work().set_high_priority(high);
    }

    /// The job. Frees the box.
    ///
    /// Context: where the allocator may be called.
    #[must_use]
    pub fn into_inner(self) -> J {
        let this = ManuallyDrop::new(self);
        // SAFETY: made by `Box` in `new`; nobody else has it, and `this` is not dropped.
        unsafe { Box::from_raw(this.0.as_ptr()) }.job
    }
}

impl<J: Job> Drop for BoxedWork<J> {
    fn drop(&mut self) {
        // SAFETY: made by `Box` in `new`, and nobody else has it.
        drop(unsafe { Box::from_raw(self.0.as_ptr()) });
    }
}

impl<J: Job> Deref for BoxedWork<J> {
    type Target = J;

    fn deref(&self) -> &J {
        // SAFETY: valid as long as `self`; nobody else has it.
        unsafe { &(*self.0.as_ptr()).job }
    }
}

impl<J: Job> DerefMut for BoxedWork<J> {
    fn deref_mut(&mut self) -> &mut J {
        // SAFETY: as in `deref`.
        unsafe { &mut (*self.0.as_ptr()).job }
    }
}

// SAFETY: the box stays where it is until it is dropped; who has it is the only one who has.
unsafe impl<J: Job> Raw for BoxedWork<J> {
    fn reserve(&self) -> Result<(), Error> {
        Ok(())
    }

    unsafe fn release(&self) {}

    fn header(&self) -> NonNull<Header> {
        self.0.cast()
    }
}

/// The boxes as what is in them begins with.
pub(super) fn as_works<J: Job>(boxes: &[BoxedWork<J>]) -> &[NonNull<Work>] {
    // SAFETY: a box is transparent over a pointer to a node, which is as any thin pointer; and a
    // node begins with its header, and that with its work.
    unsafe { core::slice::from_raw_parts(boxes.as_ptr().cast(), boxes.len()) }
}

unsafe extern "C" fn run<J: Job>(work: NonNull<Work>) {
    // SAFETY: only nodes of `J` have this table. The job is its callback's alone.
    let (running, job) =
        unsafe { (Running::new(work.cast()), &mut (*work.cast::<Node<J>>().as_ptr()).job) };
    job.run(running);
}

unsafe extern "C" fn ordered<J: Job>(work: NonNull<Work>) {
    // SAFETY: as in `run`; this is an ordered callback, and has not released the work.
    let (status, queue, job) = unsafe {
        let header = work.cast::<Header>().as_ref();
        (header.work().status(), header.queue(), &mut (*work.cast::<Node<J>>().as_ptr()).job)
    };
    job.ordered(status, queue);
}

unsafe extern "C" fn free<J: Job>(work: NonNull<Work>) {
    // SAFETY: as in `ordered`.
    let queue = unsafe { work.cast::<Header>().as_ref().queue() };
    // The last callback: the library has done with the work, so that it is ours.
    J::free(BoxedWork(work.cast()), queue);
}

//! A queue: a place in the order for each work, and a pool to run it.
//!
//! Two lanes, each with an order of its own, after btrfs's high-priority queue beside the normal
//! one.

use core::ffi::c_char;
use core::ptr::{self, NonNull};

use crate::batch::Batch;
use crate::error::Error;
use crate::lane::{Lane, PerLane};
use crate::ordered::OrderedList;
use crate::pool::Pool;
use crate::state::Owed;
use crate::sync::{Cell, const_fn};
use crate::work::Work;

/// An ordered work queue.
///
/// A queue must stay where it is, and valid, from the first submission until the last of its works
/// has gone and its pool's workers have come out of the call that ran it.
#[repr(C)]
pub struct Queue {
    lists: PerLane<OrderedList>,
    pool: *const Pool,
    name: *const c_char,
}

// SAFETY: `pool` and `name` are constant, the pool may be used from everywhere, and so may the
// lane.
unsafe impl Send for Queue {}
// SAFETY: as for Send.
unsafe impl Sync for Queue {}

impl Queue {
    const_fn! {
        /// A queue whose works the workers of `pool` run. The name is for traces.
        ///
        /// # Safety
        /// `pool` is valid as long as the queue is used, and `name` is null or a string that ends in
        /// a zero and is valid as long.
        #[must_use]
        pub const unsafe fn new(pool: *const Pool, name: *const c_char) -> Self {
            Self { lists: PerLane::new(OrderedList::new(), OrderedList::new()), pool, name }
        }
    }

    /// Queues `work`: its `func` runs on some worker; its ordered callbacks run after that, and
    /// after those of all works queued here, on the same lane, before. Lock-free; callable from
    /// interrupts and callbacks.
    ///
    /// # Errors
    /// [`Error::Busy`]: it is queued already. [`Error::Invalid`]: it was never initialised, or has no
    /// callback. Nothing has changed then.
    ///
    /// # Safety
    /// `work` is initialised memory that stays valid, and where it is, until the work's last callback
    /// is entered, and the queue as long as its own documentation says. The work belongs to the
    /// caller: nobody else submits it at the same time and then frees it.
    pub unsafe fn submit(&self, work: NonNull<Work>) -> Result<(), Error> {
        // SAFETY: valid, says the caller.
        let lane = unsafe { take(work) }?;
        // SAFETY: taken, and in no list.
        unsafe { self.adopt(work) };
        let (pool, batch) = (self.pool, Batch::of(work));
        // SAFETY: taken.
        if unsafe { work.as_ref().ops() }.is_ordered() {
            // SAFETY: queued, in no list, and known to nobody else.
            unsafe { self.list(lane).push(&batch) };
        }
        // Neither the work nor this queue may be dereferenced past this call: the work may run, and
        // be the last one, before it returns.
        // SAFETY: queued, in no chain; the pool is valid.
        unsafe { (*pool).submit(lane, &batch) };
        Ok(())
    }

    /// Queues all of `works`, in their order, or none. Those of one lane take their places by one
    /// atomic step: nothing that is submitted elsewhere comes between them. Lock-free, as
    /// [`Queue::submit`], but for the steps that prepare each work.
    ///
    /// # Errors
    /// As of [`Queue::submit`], if any of them would be refused. Nothing has changed then.
    ///
    /// # Safety
    /// As of [`Queue::submit`], for each of them.
    pub unsafe fn submit_batch(&self, works: &[NonNull<Work>]) -> Result<(), Error> {
        for (taken, work) in works.iter().enumerate() {
            // SAFETY: valid, says the caller.
            if let Err(error) = unsafe { take(*work) } {
                for work in works.iter().take(taken) {
                    // SAFETY: taken above, and in no list.
                    unsafe { work.as_ref() }.state.unsubmit();
                }
                return Err(error);
            }
        }
        // SAFETY: taken, and in no list.
        works.iter().for_each(|work| unsafe { self.adopt(*work) });
        // SAFETY: taken, in no list, and known to nobody else.
        let batches = [Lane::High, Lane::Normal].map(|lane| (lane, unsafe { chain(works, lane) }));
        let pool = self.pool;
        for (lane, (ordered, _)) in &batches {
            if let Some(batch) = ordered {
                // SAFETY: as above.
                unsafe { self.list(*lane).push(batch) };
            }
        }
        // Neither the works nor this queue may be dereferenced past this point, as in `submit`.
        for (lane, (_, ready)) in &batches {
            if let Some(batch) = ready {
                // SAFETY: queued, in no chain; the pool is valid.
                unsafe { (*pool).submit(*lane, batch) };
            }
        }
        Ok(())
    }

    /// Says that what an asynchronous work has begun is over, with `status`, which its ordered
    /// callbacks find by [`Work::status`]. Once for each life of a work; before `func` has
    /// returned, or after. No callback runs in this call: if the work's turn has come, a worker is
    /// found for it. Lock-free; callable from interrupts and callbacks.
    ///
    /// # Errors
    /// [`Error::Invalid`]: the work was never initialised, is not queued, or not asynchronous.
    /// [`Error::Busy`]: it was completed already. Nothing has changed then.
    ///
    /// # Safety
    /// `work` is valid. (It stays so at least until its first completion.) Its submission has
    /// returned, or its `func` has begun.
    pub unsafe fn complete(work: NonNull<Work>, status: i32) -> Result<(), Error> {
        // SAFETY: valid, says the caller.
        let this = unsafe { work.as_ref() };
        // SAFETY: called for the first completion, while the status is nobody else's.
        if this.state.complete(|| unsafe { this.status.set(status) })? == Owed::Retire {
            // SAFETY: state rule 1: the work is ours to hand over; a queue outlives its works.
            unsafe {
                let pool = (*this.owner.get().cast::<Self>()).pool;
                (*pool).submit(this.state.look().lane(), &Batch::of(work));
            }
        }
        // `work` must not be dereferenced past this point (state rule 2).
        Ok(())
    }

    /// Notes where `work` belongs, and that it has no status yet.
    ///
    /// # Safety
    /// `work` is taken, and in no list.
    unsafe fn adopt(&self, work: NonNull<Work>) {
        // SAFETY: taken, so valid, and the fields are ours.
        unsafe {
            work.as_ref().owner.set(ptr::from_ref(self).cast());
            work.as_ref().status.set(0);
        }
    }

    /// The name, as it was given.
    pub fn name(&self) -> *const c_char {
        self.name
    }

    /// The order of a lane.
    pub(crate) fn list(&self, lane: Lane) -> &OrderedList {
        self.lists.of(lane)
    }
}

/// Makes `work` the library's (edge 1 of its state), and says which lane it goes by; or refuses it,
/// and changes nothing.
///
/// # Errors
/// As of [`Queue::submit`].
///
/// # Safety
/// As of [`Queue::submit`].
unsafe fn take(work: NonNull<Work>) -> Result<Lane, Error> {
    // SAFETY: valid, says the caller.
    let this = unsafe { work.as_ref() };
    let lane = this.state.submit()?;
    if !this.has_callbacks() {
        this.state.unsubmit();
        return Err(Error::Invalid);
    }
    Ok(lane)
}

/// The works that go by `lane`, chained for the ordered list, those that have a place there, and
/// for the ready list, all.
///
/// # Safety
/// The works are queued, and their links the caller's.
unsafe fn chain(works: &[NonNull<Work>], lane: Lane) -> (Option<Batch>, Option<Batch>) {
    let (mut ordered, mut ready) = (None, None);
    for &work in works {
        // SAFETY: valid, and ours.
        let this = unsafe { work.as_ref() };
        if this.state.look().lane() != lane {
            continue;
        }
        // SAFETY: queued.
        if unsafe { this.ops() }.is_ordered() {
            // SAFETY: the link is ours.
            unsafe { extend(&mut ordered, work, |work| &work.link) };
        }
        // SAFETY: the link is ours.
        unsafe { extend(&mut ready, work, |work| &work.next) };
    }
    (ordered, ready)
}

/// Adds `work` to a batch, or begins one with it.
///
/// # Safety
/// As of [`Batch::add`].
unsafe fn extend(
    batch: &mut Option<Batch>,
    work: NonNull<Work>,
    field: fn(&Work) -> &Cell<*mut Work>,
) {
    match batch {
        // SAFETY: as the caller says.
        Some(batch) => unsafe { batch.add(work, field) },
        None => *batch = Some(Batch::of(work)),
    }
}

//! How works end that are not left to themselves: cancel, flush, drain, destroy.
//!
//! **Flush.** Who flushes a lane puts a messenger into the order, on his stack: a work that is done
//! from the beginning, whose last callback tells him. Everything queued before has been freed then.
//! No worker claims it, no limit holds it up, no executor sees it. A lane that is idle needs none.
//! Works without a place are counted (`count.rs`).
//!
//! **Drain.** While `closing` is not 0 only the queue's own callbacks may submit, and every such
//! submission counts `late` up before it does anything else. After a flush the drain *stands* in
//! each lane, by a barrier, until the turn itself has come to it (`ordered.rs`, rule 4). It does so
//! until in a whole round it has found nobody in the lanes, before itself or behind, and `late` has
//! not moved since before the flush: then nothing is left, since what a callback submits, it submits
//! before it is over, and the flush waited for all of them.
//!
//! **Destroy.** The same, for ever. A messenger is told from within the last callback, when there is
//! still a drainer in the lane; who has stood knows that every drainer has left, and has ended the
//! turn himself. (A flush does not stand, so that a lane never waits for a flusher to be scheduled.)
//!
//! **Cancel and wait.** A work that is idle may still be in its last callback, and that may queue it
//! again. So who cancels notes which life of the work he has met, and waits for that. If the work is
//! idle then, and in the same life, and on the queue that he has waited for, it is over; otherwise
//! there is another life to be met. (The numbers of lives begin anew after 16384, and whoever misses
//! just so many while he sleeps once is mistaken. So he does not believe it until he has seen it
//! again, or has not slept.) Lives that he knows nothing of may have gone by before he came. So the
//! number is read by an Acquire that pairs with the Release by which a work is queued, and ends: who
//! sees a life sees where it is counted, and which queue it is on if it has got beyond being queued.
//!
//! **No wait for oneself.** Before anything else each of these looks whether it is called from a
//! callback of the queue that it would wait for.

use core::ptr::{self, NonNull};

use crate::batch::Batch;
use crate::error::Error;
use crate::frame;
use crate::helper;
use crate::lane::Lane;
use crate::port::Port;
use crate::queue::Queue;
use crate::state::Cancelled;
use crate::sync::{Atomic, Ordering};
use crate::work::{Work, WorkOps};

/// Bit of `closing`: for ever.
const DESTROYED: u32 = 1 << 31;

/// A work whose last callback tells who waits.
#[repr(C)]
struct Messenger<'a> {
    work: Work,
    port: &'a Port,
    arrived: Atomic<u32>,
}

static ARRIVE: WorkOps = WorkOps { func: None, ordered_func: None, ordered_free: Some(arrive) };

unsafe extern "C" fn arrive(work: NonNull<Work>) {
    // SAFETY: the work stands at the beginning of a messenger, which stays until it has arrived.
    let messenger = unsafe { work.cast::<Messenger<'_>>().as_ref() };
    let (port, address) = (messenger.port, messenger.arrived.address());
    messenger.tell();
    // The messenger must not be dereferenced past this point.
    port.wake(address);
}

impl<'a> Messenger<'a> {
    fn new(port: &'a Port) -> Self {
        Self { work: Work::messenger(&ARRIVE), port, arrived: Atomic::new(0) }
    }

    /// Puts it into the order of a lane. It must stay where it is until `wait` has returned.
    fn send(&self, queue: &Queue, lane: Lane) {
        let list = queue.list(lane);
        if list.is_idle() {
            self.tell();
            return;
        }
        // SAFETY: in no list, and known to nobody else; all of it may be reached by the pointer.
        if unsafe { list.push(&Batch::of(NonNull::from(self).cast())) } {
            self.tell();
            // SAFETY: there was nobody, so the turn is ours.
            unsafe { helper::pass_on(queue, lane) };
        }
    }

    /// Lets it have arrived.
    fn tell(&self) {
        // Release: pairs with the Acquire in `wait`: all that was done before is seen.
        self.arrived.store(1, Ordering::Release);
    }

    /// Waits until it has arrived. False if it had already.
    fn wait(&self) -> bool {
        let mut has_slept = false;
        // Acquire: pairs with the Release in `tell`.
        while self.arrived.load(Ordering::Acquire) == 0 {
            self.port.wait(self.arrived.address(), 0);
            has_slept = true;
        }
        has_slept
    }
}

impl Queue {
    /// Returns when everything that was queued before the call has been freed; but not what is still
    /// delayed. Of works that have no place in the order it may also wait for some that are queued
    /// while it waits, but not for more and more of them. Blocks, without spinning, and needs workers
    /// as works do.
    ///
    /// # Errors
    /// [`Error::Deadlock`]: called from a callback of this queue. [`Error::Invalid`]: the pool has no
    /// port, or that no `local`.
    pub fn flush(&self) -> Result<(), Error> {
        let port = self.waiting_port()?;
        self.flush_all(port);
        Ok(())
    }

    /// Lets only the queue's own callbacks submit, until nothing is left, delayed works included;
    /// then the queue is as before. Blocks, without spinning, and needs workers as works do.
    ///
    /// # Errors
    /// As of [`Queue::flush`].
    pub fn drain(&self) -> Result<(), Error> {
        let port = self.waiting_port()?;
        // Relaxed, both: a submission that is under way may be either.
        self.closing.fetch_add(1, Ordering::Relaxed);
        self.wait_till_empty(port);
        self.closing.fetch_sub(1, Ordering::Relaxed);
        Ok(())
    }

    /// Drains the queue for ever. When this has returned nobody touches the queue any more: its
    /// memory, and that of its control, may be freed.
    ///
    /// # Errors
    /// As of [`Queue::flush`]; [`Error::Busy`]: it is being destroyed already.
    ///
    /// # Safety
    /// Every call with the queue, or one of its works, has returned when this returns, and none
    /// comes later; but for those that the queue's callbacks make. (A [`Queue::complete`] may still
    /// be on its way out, if the pool stays until it has returned.)
    pub unsafe fn destroy(&self) -> Result<(), Error> {
        let port = self.waiting_port()?;
        // Relaxed: as `drain`.
        if self.closing.fetch_or(DESTROYED, Ordering::Relaxed) & DESTROYED != 0 {
            return Err(Error::Busy);
        }
        self.wait_till_empty(port);
        Ok(())
    }

    /// What to wait by, if the caller may wait for this queue.
    ///
    /// # Errors
    /// As of [`Queue::flush`].
    fn waiting_port(&self) -> Result<&Port, Error> {
        let port = self.port().ok_or(Error::Invalid)?;
        match frame::is_inside(port, self) {
            Some(false) => Ok(port),
            Some(true) => Err(Error::Deadlock),
            None => Err(Error::Invalid),
        }
    }

    /// Returns after a round in which there was nothing to wait for.
    fn wait_till_empty(&self, port: &Port) {
        loop {
            let late = self.late();
            self.delayed().wait(port);
            self.flush_all(port);
            let was_alone = [Lane::High, Lane::Normal].map(|lane| self.stand(lane, port));
            let nothing = self.loose().is_zero() && self.delayed().is_zero();
            if was_alone == [true; 2] && nothing && late == self.late() {
                return;
            }
        }
    }

    fn late(&self) -> u32 {
        // Relaxed: what matters is seen by way of the flush.
        self.late.load(Ordering::Relaxed)
    }

    fn flush_all(&self, port: &Port) {
        let messengers = [Messenger::new(port), Messenger::new(port)];
        let [high, normal] = &messengers;
        high.send(self, Lane::High);
        normal.send(self, Lane::Normal);
        self.flush_loose(port);
        high.wait();
        normal.wait();
    }

    /// Returns when the works without a place that were queued before are over. False if there were
    /// none.
    fn flush_loose(&self, port: &Port) -> bool {
        if self.loose().is_zero() {
            return false;
        }
        self.turnstile().enter(port);
        self.loose().flush(port);
        self.turnstile().leave(port);
        true
    }

    /// Waits until the turn of a lane has come to the caller, and passes it on; whether there was
    /// nobody, before or behind.
    fn stand(&self, lane: Lane, port: &Port) -> bool {
        let barrier = Work::barrier();
        // SAFETY: queued, in no list, and it stays until it has the turn.
        let was_first = unsafe { self.list(lane).push(&Batch::of(NonNull::from(&barrier))) };
        while let Some(value) = barrier.state.await_turn() {
            port.wait(barrier.state.address(), value);
        }
        // SAFETY: the turn is ours.
        let was_last = unsafe { helper::pass_on(self, lane) };
        was_first && was_last
    }

    /// Returns when what `work` was when this was called is over: its delay, and the rest of its
    /// life, or the callback that it is in. False if there was nothing to wait for.
    fn wait_for(&self, work: &Work, port: &Port) -> bool {
        let mut has_slept = false;
        while let Some(value) = work.state.await_expiry() {
            port.wait(work.state.address(), value);
            has_slept = true;
        }
        // SAFETY: it was queued once, so it has a table.
        if unsafe { work.ops() }.is_ordered() {
            let messenger = Messenger::new(port);
            messenger.send(self, work.state.look().lane());
            messenger.wait() || has_slept
        } else {
            self.flush_loose(port) || has_slept
        }
    }
}

impl Work {
    /// Cancels the work, if its `func` was not claimed yet: `func` does not run, but the ordered
    /// callbacks do, in their place, with status [`CANCELLED`](crate::CANCELLED). A work that has
    /// `func` alone ends without a word; [`Work::flush`] waits for that. Wait-free; callable from
    /// everywhere.
    ///
    /// # Errors
    /// [`Error::Busy`]: it is too late, or the work is not queued. [`Error::Invalid`]: it was never
    /// initialised. Nothing has changed then.
    ///
    /// # Safety
    /// The work stays valid during the call, and if it is delayed so does its queue; its submission
    /// has returned.
    pub unsafe fn cancel(&self) -> Result<(), Error> {
        if self.state.cancel()? == Cancelled::InTimers {
            // SAFETY: null, if the submission has not got so far, and then it will see to it; or it is
            // queued, or was when it was cancelled, and so the queue is valid.
            if let Some(queue) = unsafe { self.queue().as_ref() } {
                queue.pool().note_cancelled();
            }
        }
        Ok(())
    }

    /// Cancels the work if it can be, and waits in any case until it has been freed: its last
    /// callback has returned. True if it was cancelled. If that callback queues the work again, that
    /// life is cancelled as well, or, if it comes too quickly for that, one after it. Any number of
    /// callers at once. It may also wait for others, as [`Work::flush`]. Blocks as [`Queue::flush`].
    ///
    /// # Errors
    /// [`Error::Invalid`]: the work was never initialised. Otherwise as of [`Queue::flush`], for the
    /// work's queue. Nothing has changed then, but for a life that is over already.
    ///
    /// # Safety
    /// The work, and the queue that it was last submitted to, stay valid during the call; its
    /// submission has returned.
    pub unsafe fn cancel_sync(&self) -> Result<bool, Error> {
        let (mut cancelled, mut seemed_over) = (false, false);
        loop {
            let life = self.state.life();
            // SAFETY: as the caller says.
            let Some((queue, port)) = (unsafe { self.awaited() })? else { return Ok(cancelled) };
            // SAFETY: as the caller says.
            cancelled |= unsafe { self.cancel() }.is_ok();
            let has_slept = queue.wait_for(self, port);
            // The life first, and then whether it is on the queue that was waited for.
            let is_idle = self.state.life() == life && self.state.idle().is_ok();
            let seems_over = is_idle && ptr::eq(self.queue(), queue);
            if seems_over && (seemed_over || !has_slept) {
                return Ok(cancelled);
            }
            seemed_over = seems_over;
        }
    }

    /// Returns when the work has been freed: its last callback has returned. It may also wait for
    /// others, as [`Queue::flush`] does; also if the work is idle, since its last callback may still
    /// be running. Blocks as [`Queue::flush`].
    ///
    /// # Errors
    /// As of [`Work::cancel_sync`].
    ///
    /// # Safety
    /// As of [`Work::cancel_sync`].
    pub unsafe fn flush(&self) -> Result<(), Error> {
        // SAFETY: as the caller says.
        if let Some((queue, port)) = unsafe { self.awaited() }? {
            queue.wait_for(self, port);
        }
        Ok(())
    }

    /// The queue to wait for, and what by; or `None` if the work was never queued.
    ///
    /// # Errors
    /// As of [`Work::cancel_sync`].
    ///
    /// # Safety
    /// As of [`Work::cancel_sync`].
    unsafe fn awaited(&self) -> Result<Option<(&Queue, &Port)>, Error> {
        if self.state.idle() == Err(Error::Invalid) {
            return Err(Error::Invalid);
        }
        // SAFETY: null, or valid, says the caller.
        let Some(queue) = (unsafe { self.queue().as_ref() }) else { return Ok(None) };
        Ok(Some((queue, queue.waiting_port()?)))
    }
}

const _: () = assert!(core::mem::offset_of!(Messenger<'_>, work) == 0);

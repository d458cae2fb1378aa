//! What the user of a queue with a control sets, and sees: limits and statistics.

use core::ptr::{self, NonNull};

use crate::control::{Control, Stats};
use crate::error::Error;
use crate::lane::{Lane, PerLane};
use crate::port::Port;
use crate::queue::Queue;
use crate::work::Work;

impl Queue {
    /// From now on at most `limit` callbacks `func` of each lane run at once. Those that run beyond
    /// that go on. Lock-free; callable from callbacks.
    ///
    /// # Errors
    /// [`Error::Invalid`]: the queue has no control, or the limit is 0 or more than 1023.
    pub fn set_max(&self, limit: u32) -> Result<(), Error> {
        self.change(|control| control.set_max(limit))
    }

    /// From now on the number of works that may run at once adapts to the backlog: it begins with 1,
    /// and goes up and down between that and the limit. 0 stands for a threshold of 32; less than 32
    /// means none. Lock-free; callable from callbacks.
    ///
    /// # Errors
    /// [`Error::Invalid`]: the queue has no control, or the threshold is above 2^20.
    pub fn set_threshold(&self, threshold: u32) -> Result<(), Error> {
        self.change(|control| control.set_threshold(threshold))
    }

    /// From now on [`Queue::try_submit`] lets at most so many works be in flight; 0 is any number.
    /// Wait-free; callable from everywhere.
    ///
    /// # Errors
    /// [`Error::Invalid`]: the queue has no control.
    pub fn set_bound(&self, bound: u32) -> Result<(), Error> {
        self.control().ok_or(Error::Invalid)?.set_bound(bound);
        Ok(())
    }

    /// Whether more works than twice the threshold are pending in one of the lanes. Wait-free;
    /// callable from everywhere.
    pub fn is_congested(&self) -> bool {
        self.control().is_some_and(Control::is_congested)
    }

    /// How a lane stands. Wait-free; callable from everywhere.
    ///
    /// # Errors
    /// [`Error::Invalid`]: the queue has no control.
    pub fn stats(&self, high: bool) -> Result<Stats, Error> {
        let lane = if high { Lane::High } else { Lane::Normal };
        let stats = self.control().ok_or(Error::Invalid)?.stats(lane);
        let age = self.head(lane).map_or(0, |(_, age)| age);
        Ok(Stats { head_age: age, ..stats })
    }

    /// Calls `stuck` for each lane whose oldest work has been that for more than so many ticks, with
    /// it and its age; says how many there were. The work is an address to be compared: it may have
    /// ended meanwhile. Wait-free beside those calls; callable from everywhere.
    ///
    /// # Errors
    /// [`Error::Invalid`]: the queue has no control.
    pub fn check(&self, ticks: u32, stuck: impl Fn(*mut Work, u32)) -> Result<u32, Error> {
        if self.control().is_none() {
            return Err(Error::Invalid);
        }
        let heads = [Lane::High, Lane::Normal].map(|lane| self.head(lane));
        let old = heads.into_iter().flatten().filter(|(_, age)| *age > ticks);
        Ok(old.map(|(head, age)| stuck(head, age)).fold(0, |n, ()| n + 1))
    }

    /// The oldest work of a lane, as an address, and its age; if there is one.
    fn head(&self, lane: Lane) -> Option<(*mut Work, u32)> {
        if self.list(lane).is_idle() {
            return None;
        }
        self.control()?.head(lane, self.port()?.now()?)
    }

    /// Notes that `work` has become the oldest of a lane: for statistics, so that a barrier, which
    /// nobody counts, is nobody.
    ///
    /// The work is queued, and the caller holds the turn.
    pub(crate) fn note_head(&self, control: &Control, lane: Lane, work: NonNull<Work>) {
        // SAFETY: queued.
        let is_counted = unsafe { work.as_ref() }.state.look().is_controlled();
        let head = if is_counted { work.as_ptr() } else { ptr::null_mut() };
        control.note_head(lane, head, self.port().and_then(Port::now).unwrap_or(0));
    }

    /// Makes a change to the control, and ready what that has taken up.
    fn change(
        &self,
        change: impl FnOnce(&Control) -> Result<PerLane<Option<NonNull<Work>>>, Error>,
    ) -> Result<(), Error> {
        let taken_up = change(self.control().ok_or(Error::Invalid)?)?;
        let route = self.route();
        for lane in [Lane::High, Lane::Normal] {
            if let Some(work) = *taken_up.of(lane) {
                // SAFETY: taken up: ours, with the right to start.
                unsafe { route.make_one_ready(lane, work) };
            }
        }
        Ok(())
    }
}

//! The ordered list by itself: threads push and finish; what a pool does between is left out.

use core::ptr::NonNull;

use loom::sync::Arc;
use loom::thread;

use super::rig::{self, Jobs, ORDERED};
use crate::ordered::OrderedList;
use crate::work::Work;

/// A lane and its jobs.
#[derive(Clone)]
struct Lane(Arc<OrderedList>, Arc<Jobs>);

impl Lane {
    fn new(n: usize) -> Self {
        Self(Arc::new(OrderedList::new()), Jobs::new(&ORDERED, n))
    }

    /// Pushes job `i`.
    fn push(&self, i: usize) {
        // SAFETY: each job is pushed once, by one thread.
        unsafe { self.0.push(self.1.work(i)) };
    }

    /// Does what a worker does with job `i`.
    fn run(&self, i: usize) {
        self.1.run_func(i);
        // SAFETY: each job is run once, after it was pushed.
        unsafe { self.0.finish(self.1.work(i), retire) };
    }

    /// Pushes and runs job `i`.
    fn pass(&self, i: usize) {
        self.push(i);
        self.run(i);
    }

    /// A thread that pushes and runs these, one after the other.
    fn spawn_pass(&self, jobs: &'static [usize]) -> thread::JoinHandle<()> {
        let lane = self.clone();
        thread::spawn(move || jobs.iter().for_each(|&i| lane.pass(i)))
    }

    /// A thread that runs a job that has been pushed.
    fn spawn_run(&self, i: usize) -> thread::JoinHandle<()> {
        let lane = self.clone();
        thread::spawn(move || lane.run(i))
    }

    fn place(&self, i: usize) -> usize {
        self.1.place(i)
    }
}

fn retire(work: NonNull<Work>) {
    // SAFETY: the list calls it for a job.
    unsafe {
        rig::ordered_func(work);
        rig::end(work);
    }
}

fn join(threads: impl IntoIterator<Item = thread::JoinHandle<()>>) {
    for thread in threads {
        thread.join().unwrap();
    }
}

/// Three works pushed, three workers finish them in any order: the turn against every `DONE`.
#[test]
fn finish_against_turn() {
    rig::check(None, || {
        let lane = Lane::new(3);
        (0..3).for_each(|i| lane.push(i));
        let others = [lane.spawn_run(0), lane.spawn_run(1)];
        lane.run(2);
        join(others);
        (0..3).for_each(|i| assert_eq!(lane.place(i), i));
    });
}

/// The last work retires while the next is pushed: the lane runs empty, or does not, and fills again.
#[test]
fn push_against_leave() {
    rig::check(None, || {
        let lane = Lane::new(3);
        lane.push(0);
        let other = lane.spawn_run(0);
        lane.pass(1);
        lane.pass(2);
        join([other]);
        (0..3).for_each(|i| assert_eq!(lane.place(i), i));
    });
}

/// Works are pushed on works that are not turned round yet, while the drainer turns others round.
#[test]
fn push_against_turn_round() {
    rig::check(Some(3), || {
        let lane = Lane::new(4);
        (0..2).for_each(|i| lane.push(i));
        let others = [lane.spawn_run(0), lane.spawn_run(1)];
        lane.push(2);
        lane.push(3);
        lane.run(3);
        lane.run(2);
        join(others);
        (0..4).for_each(|i| assert_eq!(lane.place(i), i));
    });
}

/// Two submitters that are workers too: each one's own order is kept, and nothing is lost.
#[test]
fn push_against_push() {
    rig::check(Some(3), || {
        let lane = Lane::new(4);
        let other = lane.spawn_pass(&[0, 1]);
        lane.pass(2);
        lane.pass(3);
        join([other]);
        assert!(lane.place(0) < lane.place(1) && lane.place(2) < lane.place(3));
    });
}

/// Three submitters on an idle lane: one of them, and one only, gets the turn.
#[test]
fn three_on_an_idle_lane() {
    rig::check(Some(3), || {
        let lane = Lane::new(3);
        let others = [lane.spawn_pass(&[0]), lane.spawn_pass(&[1])];
        lane.pass(2);
        join(others);
        let mut places: std::vec::Vec<_> = (0..3).map(|i| lane.place(i)).collect();
        places.sort_unstable();
        assert_eq!(places, [0, 1, 2]);
    });
}

/// A work is ordered before what its submitter caused: the second push happens after the first.
#[test]
fn order_is_causal() {
    rig::check(None, || {
        let lane = Lane::new(2);
        lane.push(0);
        let other = lane.spawn_pass(&[1]);
        lane.run(0);
        join([other]);
        assert_eq!((lane.place(0), lane.place(1)), (0, 1));
    });
}

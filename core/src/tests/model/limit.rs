//! Limits: who starts, who parks, who takes up.
//!
//! Threads submit jobs to a control, and do at once what workers do with those that become ready.
//! With a limit of 1 all `func`s write one plain counter: that two run at once is a fault.

use core::ptr::NonNull;
use std::vec::Vec;

use loom::sync::Arc;
use loom::thread;

use super::rig::{self, Jobs, PLAIN};
use crate::batch::Batch;
use crate::control::{Admission, Control};
use crate::lane::Lane;
use crate::sync::Cell;
use crate::work::Work;

/// A control, jobs, and what they write while they run.
struct Hall {
    control: Control,
    jobs: Arc<Jobs>,
    runs: Cell<usize>,
}

// SAFETY: loom checks every use of the cell.
unsafe impl Send for Hall {}
// SAFETY: as for Send.
unsafe impl Sync for Hall {}

impl Hall {
    fn new(n: usize, limit: u32) -> Arc<Self> {
        let control = Control::new();
        assert!(control.set_max(limit).is_ok());
        Arc::new(Self { control, jobs: Jobs::new(&PLAIN, n), runs: Cell::new(0) })
    }

    /// Submits these together, and runs what becomes ready by that.
    fn submit(&self, jobs: &[usize]) {
        let mut batch = Batch::of(self.jobs.work(jobs[0]));
        // SAFETY: each job is submitted once.
        let ready = unsafe {
            jobs[1..].iter().for_each(|&i| batch.add(self.jobs.work(i), |work| &work.next));
            self.control.push(Lane::Normal, &batch)
        };
        self.run(ready);
    }

    /// Runs this work, and what becomes ready by it.
    fn run(&self, work: Option<NonNull<Work>>) {
        let mut ready = Vec::from_iter(work);
        while let Some(work) = ready.pop() {
            ready.extend(self.start(work).into_iter().flatten().flatten());
            // What has started runs to its end before the next is looked at.
        }
    }

    /// Starts a work, if it may, and runs it to its end; says what has become ready.
    fn start(&self, work: NonNull<Work>) -> Option<[Option<NonNull<Work>>; 2]> {
        // SAFETY: ready, so with the right to start.
        let Admission::Admitted(next) = (unsafe { self.control.admit(Lane::Normal, work) }) else {
            return None;
        };
        // SAFETY: nobody else runs, with a limit of 1; loom checks it. The work is a job's.
        unsafe {
            self.runs.set(self.runs.get() + 1);
            rig::func_and_end(work);
        }
        Some([next, self.control.release(Lane::Normal)])
    }
}

/// Works are submitted while others run, with a limit of 1: never two run at once, and all run.
#[test]
fn submit_against_leave() {
    rig::check(Some(3), || {
        let hall = Hall::new(3, 1);
        let there = hall.clone();
        let other = thread::spawn(move || there.submit(&[0]));
        hall.submit(&[1, 2]);
        other.join().unwrap();
        hall.jobs.check_ended();
    });
}

/// A work is parked, or about to be, while the one that keeps it out leaves: it is taken up.
#[test]
fn park_against_leave() {
    rig::check(None, || {
        let hall = Hall::new(2, 1);
        let there = hall.clone();
        let other = thread::spawn(move || there.submit(&[0]));
        hall.submit(&[1]);
        other.join().unwrap();
        hall.jobs.check_ended();
    });
}

/// The limit goes up while a work is parked, or about to be, and nobody leaves: it is taken up.
#[test]
fn park_against_set_max() {
    rig::check(None, || {
        let hall = Hall::new(2, 1);
        let first = hall.jobs.work(0);
        // SAFETY: submitted once, and with the right to start.
        unsafe {
            assert!(hall.control.push(Lane::Normal, &Batch::of(first)) == Some(first));
            assert!(matches!(hall.control.admit(Lane::Normal, first), Admission::Admitted(None)));
        }
        let there = hall.clone();
        let other = thread::spawn(move || there.submit(&[1]));
        let taken_up = hall.control.set_max(2).unwrap();
        hall.run(*taken_up.of(Lane::Normal));
        other.join().unwrap();
        hall.jobs.assert_ended(1);
        // SAFETY: the first is still to be run.
        unsafe { rig::func_and_end(first) };
        assert!(hall.control.release(Lane::Normal).is_none());
        hall.jobs.check_ended();
    });
}

/// The limit goes down and up again while works come and go: all run, and nobody stays parked.
#[test]
fn set_max_against_all() {
    rig::check(Some(2), || {
        let hall = Hall::new(2, 1);
        let there = hall.clone();
        let setter = thread::spawn(move || {
            // Both leave the limit as it is: what matters is that they meet the others.
            for _ in 0..2 {
                let taken_up = there.control.set_max(1).unwrap();
                there.run(*taken_up.of(Lane::Normal));
            }
        });
        let there = hall.clone();
        let other = thread::spawn(move || there.submit(&[0]));
        hall.submit(&[1]);
        other.join().unwrap();
        setter.join().unwrap();
        hall.jobs.check_ended();
    });
}

/// Statistics are taken while a work goes through its life: no number is less than nothing.
#[test]
fn stats_against_life() {
    rig::check(None, || {
        let hall = Hall::new(1, 1);
        assert!(hall.control.set_threshold(32).is_ok());
        let there = hall.clone();
        let other = thread::spawn(move || {
            there.submit(&[0]);
            there.control.free(Lane::Normal);
        });
        let stats = hall.control.stats(Lane::Normal);
        assert!(stats.pending <= 1 && stats.running <= 1 && stats.waiting <= 1 && stats.done <= 1);
        assert!(stats.largest_backlog <= 1);
        assert!(!hall.control.is_congested());
        other.join().unwrap();
        assert_eq!(hall.control.stats(Lane::Normal).done, 1);
    });
}

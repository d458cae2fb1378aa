//! The ordered list by itself: threads push and finish; what a pool does between is left out.

use core::ptr::NonNull;

use loom::sync::Arc;
use loom::thread;

use super::rig::{self, Jobs, ORDERED};
use crate::batch::Batch;
use crate::ordered::{BUDGET, OrderedList, Turn, Visit};
use crate::state::{Owed, State};
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
        self.push_batch(&[i]);
    }

    /// Pushes these together.
    fn push_batch(&self, jobs: &[usize]) {
        let mut batch = Batch::of(self.1.work(jobs[0]));
        // SAFETY: each job is pushed once, by one thread.
        unsafe {
            for &i in jobs {
                queue(self.1.work(i));
            }
            jobs[1..].iter().for_each(|&i| batch.add(self.1.work(i), |work| &work.link));
            self.0.push(&batch);
        }
    }

    /// Does what a worker does with job `i`; says which work it retired last, if any.
    fn run(&self, i: usize) -> Option<NonNull<Work>> {
        self.1.run_func(i);
        // SAFETY: each job is run once, after it was pushed.
        let owed = unsafe { self.1.work(i).as_ref() }.state.finish();
        self.settle(owed, i)
    }

    /// Does what a worker does with these, one after the other.
    fn run_all(&self, jobs: &[usize]) {
        for &i in jobs {
            self.run(i);
        }
    }

    /// Completes job `i`, with its own number.
    fn complete(&self, i: usize) {
        // SAFETY: a job is completed once.
        let work = unsafe { self.1.work(i).as_ref() };
        // SAFETY: the first completion, as the state says.
        let owed = work.state.complete(|| unsafe { work.status.set(i as i32) }).unwrap();
        self.settle(owed, i);
    }

    /// Retires job `i` if that is owed, and what is handed over, as the next worker would. Says
    /// which work was the last, if any.
    fn settle(&self, owed: Owed, i: usize) -> Option<NonNull<Work>> {
        let mut next = Some(self.1.work(i)).filter(|_| owed == Owed::Retire);
        let last = std::cell::Cell::new(None);
        let visit = |visit, work| {
            if visit == Visit::Retire {
                last.set(Some(work));
                retire(work);
            }
        };
        while let Some(work) = next {
            // SAFETY: the turn is with it.
            next = match unsafe { self.0.retire(work, BUDGET, visit) } {
                Turn::Passed(work) => Some(work),
                Turn::Woke(word) => {
                    rig::FUTEX.wake(word);
                    None
                }
                Turn::Ended | Turn::Rests => None,
            };
            // SAFETY: handed over: done, and not retired.
            assert!(next.is_none_or(|work| unsafe { work.as_ref() }.state.look().is_to_be_retired()));
        }
        last.get()
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
        thread::spawn(move || lane.run_all(&[i]))
    }

    fn place(&self, i: usize) -> usize {
        self.1.place(i)
    }
}

/// Makes a job's work the library's.
fn queue(work: NonNull<Work>) {
    // SAFETY: alive.
    let state = unsafe { &work.as_ref().state };
    state.queue(state.idle().unwrap(), State::NONE);
}

fn retire(work: NonNull<Work>) {
    // SAFETY: the list calls it for a job.
    unsafe {
        rig::ordered_func(work);
        rig::ordered_free(work);
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

/// The last work retires while the next is pushed: the lane runs empty, or does not, and fills
/// again.
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

/// A batch on a lane that is idle, or is just running empty, or is not: its works stand together,
/// and in their order.
#[test]
fn batch_against_leave() {
    rig::check(Some(3), || {
        let lane = Lane::new(4);
        lane.push(0);
        let other = lane.spawn_run(0);
        lane.push_batch(&[1, 2, 3]);
        lane.run_all(&[3, 2, 1]);
        join([other]);
        (0..4).for_each(|i| assert_eq!(lane.place(i), i));
    });
}

/// A batch and single works from elsewhere: none of those comes between the works of the batch.
#[test]
fn batch_against_push() {
    rig::check(Some(3), || {
        let lane = Lane::new(4);
        let other = lane.spawn_pass(&[2, 3]);
        lane.push_batch(&[0, 1]);
        lane.run(1);
        lane.run(0);
        join([other]);
        assert_eq!(lane.place(1), lane.place(0) + 1);
        assert!(lane.place(2) < lane.place(3));
    });
}

/// More works are ready than one drainer's budget: the turn is handed over, and the order kept.
#[test]
fn budget_hand_over() {
    rig::check(Some(3), || {
        let lane = Lane::new(5);
        (0..5).for_each(|i| lane.push(i));
        lane.run_all(&[1, 2, 3]);
        let other = lane.spawn_run(4);
        lane.run(0);
        join([other]);
        (0..5).for_each(|i| assert_eq!(lane.place(i), i));
    });
}

/// An asynchronous work: the return of `func`, the completion and the turn, each on its own thread.
#[test]
fn complete_against_return_and_turn() {
    rig::check(None, || {
        let lane = Lane::new(2);
        // SAFETY: alive.
        unsafe { lane.1.work(1).as_ref() }.set_async().unwrap();
        (0..2).for_each(|i| lane.push(i));
        let there = lane.clone();
        let others = [lane.spawn_run(0), thread::spawn(move || there.complete(1))];
        lane.run(1);
        join(others);
        (0..2).for_each(|i| assert_eq!(lane.place(i), i));
        assert_eq!(lane.1.status(1), 1);
    });
}

/// Whoever has retired the last work and left may take the lane's memory away: nobody else is still
/// looking at it.
#[test]
fn nobody_looks_at_a_lane_that_was_left() {
    rig::check(None, || {
        let lane = Lane::new(2);
        (0..2).for_each(|i| lane.push(i));
        let run_and_revoke = |lane: &Lane, i: usize| {
            if lane.run(i) == Some(lane.1.work(1)) {
                // SAFETY: the lane is idle, and nobody pushes any more.
                unsafe { (*Arc::as_ptr(&lane.0).cast_mut()).revoke() };
            }
        };
        let there = lane.clone();
        let other = thread::spawn(move || run_and_revoke(&there, 0));
        run_and_revoke(&lane, 1);
        join([other]);
        (0..2).for_each(|i| assert_eq!(lane.place(i), i));
    });
}

/// Somebody stands in the order while works before him are retired, and one behind him: the turn
/// comes to him, everything before is done then, and every drainer has left.
#[test]
fn stand_against_retire() {
    rig::check(Some(2), || {
        let lane = Lane::new(2);
        lane.push(0);
        let others = [lane.spawn_run(0), lane.spawn_pass(&[1])];
        let barrier = Work::barrier();
        let state = &barrier.state;
        // SAFETY: queued, in no list, and it stays until it has the turn.
        unsafe { lane.0.push(&Batch::of(NonNull::from(&barrier))) };
        while let Some(value) = state.await_turn() {
            rig::FUTEX.wait(state.address(), value);
        }
        lane.1.assert_ended(0);
        // SAFETY: the turn is ours.
        if let Turn::Passed(work) = unsafe { lane.0.pass_on(|_, _| ()) } {
            // SAFETY: passed on.
            assert!(unsafe { work.as_ref() }.state.look().is_to_be_retired());
            lane.settle(Owed::Retire, 1);
        }
        join(others);
        (0..2).for_each(|i| assert_eq!(lane.place(i).min(1), lane.place(i)));
    });
}

/// Whoever has stood, and ended the turn, may take the lane's memory away.
#[test]
fn nobody_looks_at_a_lane_that_was_stood_in() {
    rig::check(None, || {
        let lane = Lane::new(1);
        lane.push(0);
        let other = lane.spawn_run(0);
        let barrier = Work::barrier();
        let state = &barrier.state;
        // SAFETY: queued, in no list, and it stays until it has the turn.
        unsafe { lane.0.push(&Batch::of(NonNull::from(&barrier))) };
        while let Some(value) = state.await_turn() {
            rig::FUTEX.wait(state.address(), value);
        }
        // SAFETY: the turn is ours.
        assert_eq!(unsafe { lane.0.pass_on(|_, _| ()) }, Turn::Ended);
        // SAFETY: the lane is idle, and nobody pushes any more.
        unsafe { (*Arc::as_ptr(&lane.0).cast_mut()).revoke() };
        join([other]);
        assert_eq!(lane.place(0), 0);
    });
}

//! The ready list by itself: submit against claim against steal. Nobody sleeps.

use loom::sync::Arc;
use loom::thread;

use super::rig::{self, Jobs, PLAIN};
use crate::batch::Batch;
use crate::lane::Lane;
use crate::ready::Ready;
use crate::worker::{Worker, Workers};

/// A ready list, two workers that have joined, and jobs.
struct Hall {
    ready: Ready,
    workers: Workers,
    records: [Worker; 2],
    jobs: Arc<Jobs>,
}

impl Hall {
    fn new(n: usize) -> Arc<Self> {
        let hall = Arc::new(Self {
            ready: Ready::new(),
            workers: Workers::new(),
            records: [Worker::new(), Worker::new()],
            jobs: Jobs::new(&PLAIN, n),
        });
        for record in &hall.records {
            // SAFETY: the record lives as long as the list.
            unsafe { hall.workers.join(record) };
        }
        hall
    }

    fn submit(&self, i: usize) {
        // SAFETY: each job is submitted once.
        unsafe { self.ready.submit(Lane::Normal, &Batch::of(self.jobs.work(i))) };
    }

    /// Submits these together.
    fn submit_batch(&self, jobs: &[usize]) {
        let mut batch = Batch::of(self.jobs.work(jobs[0]));
        // SAFETY: each job is submitted once.
        unsafe {
            jobs[1..].iter().for_each(|&i| batch.add(self.jobs.work(i), |work| &work.next));
            self.ready.submit(Lane::Normal, &batch);
        }
    }

    /// Claims and runs one as worker `me`; false if there was none.
    fn run_one(&self, me: usize) -> bool {
        // SAFETY: one thread is worker `me` at a time.
        let claim = unsafe { self.ready.claim(&self.records[me], &self.workers) };
        // SAFETY: claimed.
        claim.map(|claim| unsafe { rig::func_and_end(claim.work) }).is_some()
    }

    /// A thread that is worker `me` for so many claims, found something or not.
    fn spawn_worker(hall: &Arc<Self>, me: usize, claims: usize) -> thread::JoinHandle<()> {
        let hall = hall.clone();
        thread::spawn(move || {
            for _ in 0..claims {
                hall.run_one(me);
            }
        })
    }

    /// What is left is found by whoever looks last.
    fn finish(&self, me: usize) {
        while self.run_one(me) {}
        self.jobs.check_ended();
    }
}

/// Two workers claim while works are submitted.
#[test]
fn submit_against_claim() {
    rig::check(Some(3), || {
        let hall = Hall::new(3);
        hall.submit(0);
        let workers = [Hall::spawn_worker(&hall, 0, 2), Hall::spawn_worker(&hall, 1, 2)];
        hall.submit(1);
        hall.submit(2);
        workers.into_iter().for_each(|worker| worker.join().unwrap());
        hall.finish(0);
    });
}

/// A worker takes a chain and puts the rest back, while the other takes it from there.
#[test]
fn put_against_steal() {
    rig::check(None, || {
        let hall = Hall::new(3);
        (0..3).for_each(|i| hall.submit(i));
        let other = Hall::spawn_worker(&hall, 1, 2);
        hall.run_one(0);
        hall.run_one(0);
        other.join().unwrap();
        hall.finish(1);
    });
}

/// Two submitters, one with a batch, and a worker.
#[test]
fn submit_against_submit() {
    rig::check(Some(3), || {
        let hall = Hall::new(4);
        let worker = Hall::spawn_worker(&hall, 0, 2);
        let there = hall.clone();
        let submitter = thread::spawn(move || {
            there.submit(0);
            there.submit(1);
        });
        hall.submit_batch(&[2, 3]);
        submitter.join().unwrap();
        worker.join().unwrap();
        hall.finish(0);
    });
}

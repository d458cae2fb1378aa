//! The safe face without a heap: works, queues, pools and workers in statics.

use core::sync::atomic::{AtomicU32, Ordering};
use std::sync::Mutex;
use std::vec::Vec;

use crate::Error;
use crate::safe::*;

/// Tells what is called, and does something more in `free`.
struct Tell {
    id: u32,
    said: &'static Mutex<Vec<(&'static str, u32)>>,
    again: AtomicU32,
}

impl Tell {
    const fn new(id: u32, said: &'static Mutex<Vec<(&'static str, u32)>>) -> Self {
        Self { id, said, again: AtomicU32::new(0) }
    }
    fn say(&self, what: &'static str) {
        self.said.lock().unwrap().push((what, self.id));
    }
}

impl StaticJob for Tell {
    fn run(&'static self, _: Running<'_>) {
        self.say("run");
    }
    fn ordered(&'static self, status: i32, _: &Queue) {
        assert_eq!(status, 0);
        self.say("ordered");
    }
    fn free(work: &'static StaticWork<Self>, queue: &Queue) {
        work.job().say("free");
        if work.job().again.load(Ordering::Relaxed) > 0 {
            work.job().again.fetch_sub(1, Ordering::Relaxed);
            queue.submit(work).unwrap();
        }
    }
}

#[test]
fn order_reuse_and_refusal() {
    static SAID: Mutex<Vec<(&str, u32)>> = Mutex::new(Vec::new());
    static POOL: StaticPool = StaticPool::new();
    static QUEUE: StaticQueue = StaticQueue::new(&POOL, c"static");
    static WORKER: StaticWorker = StaticWorker::new(&POOL);
    static A: StaticWork<Tell> = StaticWork::new(Tell::new(1, &SAID));
    static B: StaticWork<Tell> = StaticWork::new_high_priority(Tell::new(2, &SAID));
    let queue = QUEUE.get();
    assert_eq!(queue.name(), c"static");

    queue.submit(&A).unwrap();
    queue.submit(&B).unwrap();
    assert_eq!(queue.submit(&A).unwrap_err().error, Error::Busy);
    assert_eq!(queue.submit_all([&A, &B]).unwrap_err().error, Error::Busy);
    let mut worker = WORKER.take().unwrap();
    assert!(WORKER.take().is_none());
    assert!(worker.run_one());
    assert_eq!(
        core::mem::take(&mut *SAID.lock().unwrap()),
        [("run", 2), ("ordered", 2), ("free", 2)]
    );
    assert_eq!(worker.run_until_idle(), 1);
    assert_eq!(
        core::mem::take(&mut *SAID.lock().unwrap()),
        [("run", 1), ("ordered", 1), ("free", 1)]
    );

    // Twice in one batch: refused, and nothing has changed.
    assert_eq!(queue.submit_all([&A, &B, &A]).unwrap_err().error, Error::Busy);
    assert_eq!(worker.run_until_idle(), 0);
    queue.submit_all([&A, &B]).unwrap();
    A.job().again.store(3, Ordering::Relaxed);
    assert_eq!(worker.run_until_idle(), 5);
    let said = core::mem::take(&mut *SAID.lock().unwrap());
    assert_eq!(said.iter().filter(|said| **said == ("free", 1)).count(), 4);

    drop(worker);
    assert_eq!(WORKER.take().unwrap().run(), Err(Error::Invalid));
    assert_eq!(queue.flush(), Err(Error::Invalid));
    assert_eq!(queue.submit_delayed(&A, 1).unwrap_err().error, Error::Invalid);
    assert_eq!(queue.set_max(1), Err(Error::Invalid));
    queue.submit(&A).unwrap(); // It was released by the refusal.
    assert_eq!(WORKER.take().unwrap().run_until_idle(), 1);
}

#[cfg(feature = "alloc")]
#[test]
fn boxes_without_threads() {
    struct Add(u32, std::sync::Arc<AtomicU32>);
    impl Job for Add {
        fn run(&mut self, _: Running<'_>) {
            self.0 *= 2;
        }
        fn ordered(&mut self, _: i32, _: &Queue) {
            self.1.fetch_add(self.0, Ordering::Relaxed);
        }
    }
    static POOL: StaticPool = StaticPool::new();
    static QUEUE: StaticQueue = StaticQueue::new(&POOL, c"boxes");
    static WORKER: StaticWorker = StaticWorker::new(&POOL);
    let sum = std::sync::Arc::new(AtomicU32::new(0));
    let boxed = |n| BoxedWork::new(Add(n, sum.clone()));
    QUEUE.get().submit(boxed(1)).unwrap();
    QUEUE.get().submit_all([boxed(10), boxed(100)]).unwrap();
    QUEUE.get().submit_all::<BoxedWork<Add>, 0>([]).unwrap();
    let mut works = std::vec![boxed(1000), boxed(10_000)];
    QUEUE.get().submit_batch(&mut works).unwrap();
    assert!(works.is_empty() && works.capacity() >= 2);
    QUEUE.get().submit_batch(&mut works).unwrap();
    assert_eq!(WORKER.take().unwrap().run_until_idle(), 5);
    assert_eq!(sum.load(Ordering::Relaxed), 22_222);
    assert_eq!(std::sync::Arc::strong_count(&sum), 1);
    assert_eq!(boxed(7).into_inner().0, 7);
    // What could not wait for its works when it is dropped is not made.
    assert_eq!(SharedQueue::on_static(&POOL, c"none").unwrap_err(), Error::Invalid);
    assert_eq!(SharedQueue::on_static_with_control(&POOL, c"none").unwrap_err(), Error::Invalid);
}

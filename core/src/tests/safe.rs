//! The safe face with threads: order, reuse, refusals, what is dropped where, completions.

use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::vec::Vec;

use crate::Error;
use crate::safe::*;

/// How many jobs, where many are wanted.
const MANY: usize = if cfg!(miri) { 60 } else { 5_000 };

/// What the callbacks did: `(what, id)`.
type Said = Arc<Mutex<Vec<(&'static str, usize)>>>;

/// Says what is called, and when it is dropped.
struct Tell {
    id: usize,
    said: Said,
}

impl Tell {
    fn boxed(id: usize, said: &Said) -> BoxedWork<Self> {
        BoxedWork::new(Self { id, said: said.clone() })
    }
    fn say(&self, what: &'static str) {
        self.said.lock().unwrap().push((what, self.id));
    }
}

impl Drop for Tell {
    fn drop(&mut self) {
        self.say("drop");
    }
}

impl Job for Tell {
    fn run(&mut self, _: Running<'_>) {
        self.say("run");
    }
    fn ordered(&mut self, status: i32, _: &Queue) {
        assert_eq!(status, 0);
        self.say("ordered");
    }
}

/// The ids of those that did `what`, in order.
fn ids(said: &Said, what: &str) -> Vec<usize> {
    said.lock().unwrap().iter().filter(|said| said.0 == what).map(|said| said.1).collect()
}

/// Waits in `run` until it is told to go on.
struct Gate(Receiver<()>);

impl Job for Gate {
    fn run(&mut self, _: Running<'_>) {
        self.0.recv().unwrap();
    }
}

fn gate() -> (BoxedWork<Gate>, Sender<()>) {
    let (sender, receiver) = channel();
    (BoxedWork::new(Gate(receiver)), sender)
}

#[test]
fn what_may_go_to_other_threads() {
    fn shared<T: Send + Sync>() {}
    fn sent<T: Send>() {}
    shared::<Queue>();
    shared::<SharedQueue>();
    shared::<ThreadPool>();
    shared::<Completion>();
    shared::<BoxedWork<Tell>>();
    shared::<StaticPool>();
    sent::<BoxedWork<Gate>>();
    sent::<Worker>();
}

#[test]
fn many_in_order_and_the_drop_waits() {
    let (said, pool) = (Said::default(), ThreadPool::new(4).unwrap());
    let queue = SharedQueue::new(&pool, c"many");
    (0..MANY).for_each(|id| queue.submit(Tell::boxed(id, &said)).unwrap());
    drop(pool); // The threads stay as long as the queue.
    drop(queue);
    let all: Vec<usize> = (0..MANY).collect();
    assert_eq!(ids(&said, "ordered"), all);
    assert_eq!(ids(&said, "drop"), all);
    assert_eq!(ids(&said, "run").len(), MANY);
}

#[test]
fn many_submitters_share_a_queue() {
    let (said, pool) = (Said::default(), ThreadPool::new(3).unwrap());
    let queue = SharedQueue::with_control(&pool, c"shared");
    queue.set_max(2).unwrap();
    let each = MANY / 4;
    thread::scope(|scope| {
        for submitter in 0..4 {
            let (queue, said) = (queue.clone(), &said);
            scope.spawn(move || {
                for i in 0..each {
                    let mut work = Tell::boxed(submitter * each + i, said);
                    work.set_high_priority(submitter == 3);
                    queue.submit(work).unwrap();
                }
            });
        }
    });
    queue.flush().unwrap();
    let stats = queue.stats(false).unwrap();
    assert_eq!((stats.done as usize, stats.limit_active), (3 * each, 2));
    drop((queue, pool));
    let ordered = ids(&said, "ordered");
    assert_eq!(ordered.len(), 4 * each);
    for submitter in 0..4 {
        let own: Vec<_> = ordered.iter().filter(|id| **id / each == submitter).copied().collect();
        assert_eq!(own, (submitter * each..(submitter + 1) * each).collect::<Vec<_>>());
    }
}

#[test]
fn a_box_is_used_again() {
    struct Again(usize, Arc<AtomicUsize>);
    impl Job for Again {
        fn run(&mut self, _: Running<'_>) {
            self.0 += 1;
        }
        fn free(mut work: BoxedWork<Self>, queue: &Queue) {
            if work.0 < 100 {
                work.set_high_priority(work.0.is_multiple_of(2));
                queue.submit(work).unwrap();
            } else {
                let Again(n, last) = work.into_inner();
                last.store(n, Ordering::Relaxed);
            }
        }
    }
    let (pool, last) = (ThreadPool::new(2).unwrap(), Arc::new(AtomicUsize::new(0)));
    let queue = SharedQueue::new(&pool, c"again");
    queue.submit(BoxedWork::new(Again(0, last.clone()))).unwrap();
    drop(queue); // Its own callbacks may submit meanwhile.
    assert_eq!(last.load(Ordering::Relaxed), 100);
    assert_eq!(Arc::strong_count(&last), 1);
}

#[test]
fn a_refusal_gives_the_work_back() {
    static BLINK: StaticWork<Blink> = StaticWork::new(Blink(AtomicU32::new(0)));
    let (said, pool) = (Said::default(), ThreadPool::new(2).unwrap());
    let queue = SharedQueue::with_control(&pool, c"refuse");
    queue.set_bound(1).unwrap();
    let (work, go) = gate();
    queue.submit(work).unwrap();
    let refused = queue.try_submit(Tell::boxed(7, &said)).unwrap_err();
    assert_eq!((refused.error, refused.work.id), (Error::Again, 7));
    let refused = queue.submit_delayed(refused.work, 1).unwrap_err(); // No clock.
    assert_eq!((refused.error, refused.work.id), (Error::Invalid, 7));
    thread::scope(|scope| {
        scope.spawn(|| queue.drain().unwrap());
        let mut work = Tell::boxed(8, &said);
        work = loop {
            match queue.submit(work) {
                Ok(()) => work = Tell::boxed(8, &said), // The drain has not begun.
                Err(refused) => break refused.work,
            }
        };
        let batch = queue.submit_all([work, Tell::boxed(9, &said)]).unwrap_err();
        assert_eq!(batch.error, Error::Shutdown);
        assert_eq!(batch.work.each_ref().map(|work| work.id), [8, 9]);
        let mut batch = Vec::from(batch.work);
        assert_eq!(queue.submit_batch(&mut batch), Err(Error::Shutdown));
        assert_eq!(batch.len(), 2);
        assert_eq!(queue.submit(&BLINK).unwrap_err().error, Error::Shutdown);
        assert_eq!(ids(&said, "drop"), []);
        go.send(()).unwrap();
    });
    queue.submit(refused.work).unwrap();
    queue.submit(&BLINK).unwrap();
    drop(queue);
    assert_eq!(ids(&said, "run").last(), Some(&7));
    assert_eq!(BLINK.job().0.load(Ordering::Relaxed), 1);
}

struct Blink(AtomicU32);

impl StaticJob for Blink {
    fn run(&'static self, _: Running<'_>) {}
    fn free(work: &'static StaticWork<Self>, _: &Queue) {
        work.job().0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Each submission of a static work that is not refused is one life of it, whoever submits it where.
#[test]
fn a_static_work_is_submitted_by_all_at_once() {
    static WORK: StaticWork<Blink> = StaticWork::new(Blink(AtomicU32::new(0)));
    let pool = ThreadPool::new(2).unwrap();
    let queues = [c"one", c"other"].map(|name| SharedQueue::new(&pool, name));
    let accepted = AtomicU32::new(0);
    thread::scope(|scope| {
        for i in 0..4 {
            let (queue, accepted) = (&queues[i % 2], &accepted);
            scope.spawn(move || {
                for _ in 0..MANY {
                    match queue.submit(&WORK) {
                        Ok(()) => accepted.fetch_add(1, Ordering::Relaxed),
                        Err(refused) => {
                            assert_eq!(refused.error, Error::Busy);
                            0
                        }
                    };
                }
            });
        }
    });
    drop(queues);
    assert_eq!(WORK.job().0.load(Ordering::Relaxed), accepted.load(Ordering::Relaxed));
}

/// Whoever drops the last handle in a callback of the queue does not wait for himself: the queue
/// stays, and takes works from its callbacks.
#[test]
fn the_last_handle_is_dropped_in_a_callback() {
    struct Last {
        handle: Receiver<SharedQueue>,
        end: Sender<&'static str>,
    }
    struct End(Sender<&'static str>);
    impl Job for Last {
        fn run(&mut self, running: Running<'_>) {
            let handle = self.handle.recv().unwrap();
            assert_eq!(handle.flush(), Err(Error::Deadlock));
            drop(handle);
            running.queue().submit(BoxedWork::new(End(self.end.clone()))).unwrap();
        }
        fn free(work: BoxedWork<Self>, queue: &Queue) {
            work.end.send("free").unwrap();
            queue.submit(BoxedWork::new(End(work.end.clone()))).unwrap();
        }
    }
    impl Job for End {
        fn run(&mut self, _: Running<'_>) {}
        fn ordered(&mut self, _: i32, _: &Queue) {
            self.0.send("end").unwrap();
        }
    }
    let pool = ThreadPool::new(2).unwrap();
    let queue = SharedQueue::new(&pool, c"inside");
    let ((sender, handle), (end, ended)) = (channel(), channel());
    queue.submit(BoxedWork::new(Last { handle, end })).unwrap();
    drop(pool);
    sender.send(queue).unwrap();
    let mut all: Vec<_> = ended.iter().collect();
    all.sort_unstable();
    assert_eq!(all, ["end", "end", "free"]);
}

/// In a callback of another queue the drop waits, and another thread runs what it waits for.
#[test]
fn the_last_queue_is_dropped_by_another_queue() {
    struct Holder(Option<SharedQueue>, Said);
    impl Job for Holder {
        fn run(&mut self, _: Running<'_>) {
            let queue = self.0.take().unwrap();
            queue.submit(Tell::boxed(1, &self.1)).unwrap();
            drop(queue); // Another thread runs its work.
            assert_eq!(ids(&self.1, "drop"), [1]);
        }
    }
    let (said, pool) = (Said::default(), ThreadPool::new(2).unwrap());
    let (outer, inner) = (SharedQueue::new(&pool, c"outer"), SharedQueue::new(&pool, c"inner"));
    outer.submit(BoxedWork::new(Holder(Some(inner), said.clone()))).unwrap();
    drop((pool, outer));
    assert_eq!(ids(&said, "drop"), [1]);
}

/// Takes a completion in `run`, and sends it somewhere; tells the status.
struct Later(Sender<Completion>, Sender<i32>);

impl Job for Later {
    fn run(&mut self, running: Running<'_>) {
        self.0.send(running.later()).unwrap();
    }
    fn ordered(&mut self, status: i32, _: &Queue) {
        self.1.send(status).unwrap();
    }
}

#[test]
fn completions_hold_the_order() {
    let (said, pool) = (Said::default(), ThreadPool::new(2).unwrap());
    let queue = SharedQueue::new(&pool, c"later");
    let ((completions, taken), (statuses, told)) = (channel(), channel());
    for id in 0..3 {
        queue.submit(BoxedWork::new(Later(completions.clone(), statuses.clone()))).unwrap();
        queue.submit(Tell::boxed(id, &said)).unwrap();
    }
    drop((completions, statuses));
    let [first, second, third] = [(); 3].map(|()| taken.recv().unwrap());
    assert_eq!(ids(&said, "ordered"), []);
    let (third, waiter) = thread::scope(|scope| {
        scope.spawn(move || second.complete(-5));
        scope.spawn(move || drop(first));
        let waiter = thread::spawn(move || drop(queue)); // Waits for the third.
        (third, waiter)
    });
    assert!(!waiter.is_finished());
    third.complete(0);
    waiter.join().unwrap();
    let mut all: Vec<i32> = told.iter().collect();
    all.sort_unstable(); // Which completion was whose is not known.
    assert_eq!(all, [ABANDONED, -5, 0]);
    assert_eq!(ids(&said, "ordered"), [0, 1, 2]);
}

/// Completed in `run`, dropped in `run`, completed by whoever is first: many times, while the last
/// handle is being dropped.
#[test]
fn completions_in_all_places() {
    struct Place(usize, Sender<Completion>, Arc<AtomicUsize>);
    impl Job for Place {
        fn run(&mut self, running: Running<'_>) {
            match self.0 % 4 {
                0 => running.later().complete(1),
                1 => drop(running.later()),
                2 => self.1.send(running.later()).unwrap(),
                _ => {}
            }
        }
        fn ordered(&mut self, status: i32, _: &Queue) {
            assert_eq!(status, [1, ABANDONED, 2, 0][self.0 % 4]);
            assert_eq!(self.2.fetch_add(1, Ordering::Relaxed), self.0);
        }
    }
    for _ in 0..if cfg!(miri) { 2 } else { 50 } {
        let (pool, n) = (ThreadPool::new(2).unwrap(), Arc::new(AtomicUsize::new(0)));
        let queue = SharedQueue::new(&pool, c"places");
        let (sender, receiver) = channel::<Completion>();
        let completer = thread::spawn(move || receiver.iter().for_each(|done| done.complete(2)));
        for id in 0..40 {
            queue.submit(BoxedWork::new(Place(id, sender.clone(), n.clone()))).unwrap();
        }
        drop((sender, pool));
        drop(queue);
        assert_eq!(n.load(Ordering::Relaxed), 40);
        completer.join().unwrap();
    }
}

#[test]
fn delays_are_waited_for() {
    let (said, pool) = (Said::default(), ThreadPool::with_clock(1).unwrap());
    let queue = SharedQueue::new(&pool, c"delay");
    queue.submit_delayed(Tell::boxed(1, &said), 20).unwrap();
    queue.submit_delayed(Tell::boxed(2, &said), 1).unwrap();
    let refused = queue.submit_delayed(Tell::boxed(3, &said), u32::MAX).unwrap_err();
    assert_eq!(refused.error, Error::Invalid);
    drop((pool, refused, queue));
    let mut dropped = ids(&said, "drop");
    dropped.sort_unstable(); // On a slow machine the first delay is over first.
    assert_eq!(dropped, [1, 2, 3]);
}

#[test]
fn forgotten_handles_do_no_harm() {
    let (said, pool) = (Said::default(), ThreadPool::new(1).unwrap());
    let queue = SharedQueue::new(&pool, c"forgotten");
    queue.submit(Tell::boxed(1, &said)).unwrap();
    queue.flush().unwrap();
    queue.submit(Tell::boxed(2, &said)).unwrap();
    core::mem::forget(queue);
    drop(pool);
    while ids(&said, "drop") != [1, 2] {
        thread::yield_now();
    }
}

#[test]
fn queues_come_and_go() {
    let (said, pool) = (Said::default(), ThreadPool::new(3).unwrap());
    let rounds = if cfg!(miri) { 5 } else { 300 };
    for round in 0..rounds {
        let queue = SharedQueue::with_control(&pool, c"short");
        let works = [(); 5].map(|()| Tell::boxed(round, &said));
        queue.submit_all(works).unwrap();
        drop(queue);
        assert_eq!(ids(&said, "drop").len(), 5 * (round + 1));
    }
    assert_eq!(ThreadPool::new(0).unwrap_err(), Error::Invalid);
}

#[test]
fn workers_of_ones_own() {
    static POOL: StaticPool = StaticPool::on_host();
    static WORKER: StaticWorker = StaticWorker::new(&POOL);
    let said = Said::default();
    let thread = thread::spawn(|| WORKER.take().unwrap().run());
    let queue = SharedQueue::on_static_with_control(&POOL, c"own").unwrap();
    (0..100).for_each(|id| queue.submit(Tell::boxed(id, &said)).unwrap());
    drop(queue);
    assert_eq!(ids(&said, "ordered"), (0..100).collect::<Vec<_>>());
    POOL.stop();
    thread.join().unwrap().unwrap();
    let mut worker = WORKER.take().unwrap(); // Another thread's now.
    worker.run().unwrap(); // Stopped.
    POOL.resume();
}

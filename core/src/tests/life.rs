//! The life of a work, step by step on one thread, and misuse.

use core::cell::RefCell;
use core::ptr::{self, NonNull};
use std::boxed::Box;
use std::vec;
use std::vec::Vec;

use crate::error::Error;
use crate::pool::Pool;
use crate::queue::Queue;
use crate::work::{Func, Work, WorkOps};
use crate::worker::Worker;

/// Called in each callback, with its name.
type Then = Box<dyn Fn(&'static str, NonNull<Work>)>;

std::thread_local! {
    /// What the callbacks of this test's thread did: which, and to which work.
    static SAID: RefCell<Vec<(&'static str, usize)>> = const { RefCell::new(Vec::new()) };
    /// What they are to do beside.
    static THEN: RefCell<Option<Then>> = const { RefCell::new(None) };
}

#[repr(C)]
struct Job {
    work: Work,
    id: usize,
}

fn say(what: &'static str, work: NonNull<Work>) {
    // SAFETY: every work of these tests is the first field of a job, and alive.
    let id = unsafe { work.cast::<Job>().as_ref() }.id;
    SAID.with_borrow_mut(|said| said.push((what, id)));
    THEN.with_borrow(|then| {
        if let Some(then) = then {
            then(what, work);
        }
    });
}

unsafe extern "C" fn func(work: NonNull<Work>) {
    say("func", work);
}
unsafe extern "C" fn ordered(work: NonNull<Work>) {
    say("ordered", work);
}
unsafe extern "C" fn free(work: NonNull<Work>) {
    say("free", work);
}

const FUNC: Option<Func> = Some(func);
const ORDERED: Option<Func> = Some(ordered);
const FREE: Option<Func> = Some(free);

/// A table with these callbacks.
fn ops(func: Option<Func>, ordered_func: Option<Func>, ordered_free: Option<Func>) -> WorkOps {
    WorkOps { func, ordered_func, ordered_free }
}

/// A pool, a queue, a worker, on one thread.
struct Bench {
    pool: Box<Pool>,
    queue: Box<Queue>,
    worker: Worker,
}

impl Bench {
    fn new() -> Self {
        // SAFETY: without a port no worker sleeps.
        let pool = Box::new(unsafe { Pool::new(ptr::null()) });
        // SAFETY: the pool is boxed beside it.
        let queue = Box::new(unsafe { Queue::new(&raw const *pool, c"bench".as_ptr()) });
        Self { pool, queue, worker: Worker::new() }
    }

    fn submit(&self, job: &Job) -> Result<(), Error> {
        // SAFETY: the jobs outlive the bench's use.
        unsafe { self.queue.submit(NonNull::from(job).cast()) }
    }

    fn run_one(&self) -> bool {
        // SAFETY: one thread, and the worker stays.
        unsafe { self.pool.run_one(&self.worker) }
    }

    fn run_until_idle(&self) -> usize {
        // SAFETY: one thread, and the worker stays.
        unsafe { self.pool.run_until_idle(&self.worker) }
    }
}

fn jobs(ops: &WorkOps, n: usize) -> Vec<Job> {
    // SAFETY: the table outlives the jobs in every test.
    (0..n).map(|id| Job { work: unsafe { Work::new(ops) }, id }).collect()
}

fn said() -> Vec<(&'static str, usize)> {
    SAID.take()
}

#[test]
fn callbacks_in_order() {
    let (bench, ops) = (Bench::new(), ops(FUNC, ORDERED, FREE));
    let jobs = jobs(&ops, 2);
    jobs.iter().for_each(|job| bench.submit(job).unwrap());
    assert_eq!(said(), []);
    assert!(bench.run_one());
    assert_eq!(said(), [("func", 0), ("ordered", 0), ("free", 0)]);
    assert_eq!(bench.run_until_idle(), 1);
    assert_eq!(said(), [("func", 1), ("ordered", 1), ("free", 1)]);
    assert!(!bench.run_one());
}

/// Each subset of callbacks: just those are called, in their order.
#[test]
fn missing_callbacks() {
    for set in 1..8_usize {
        let has = |bit: usize, func: Option<Func>| func.filter(|_| set & bit != 0);
        let (bench, ops) = (Bench::new(), ops(has(1, FUNC), has(2, ORDERED), has(4, FREE)));
        let job = &jobs(&ops, 1)[0];
        bench.submit(job).unwrap();
        assert_eq!(bench.run_until_idle(), 1);
        let names = [(1, "func"), (2, "ordered"), (4, "free")];
        let expected: Vec<_> =
            names.iter().filter(|(bit, _)| set & bit != 0).map(|(_, name)| (*name, 0)).collect();
        assert_eq!(said(), expected);
    }
}

/// A work in the middle that is not finished holds back those behind it, and nothing else.
#[test]
fn order_waits_for_the_oldest() {
    let (bench, ops) = (Bench::new(), ops(FUNC, ORDERED, None));
    let jobs = jobs(&ops, 3);
    jobs.iter().for_each(|job| bench.submit(job).unwrap());
    // While job 0 is in its `func`, another worker runs the others.
    let (pool, other) = (&raw const *bench.pool, Box::leak(Box::new(Worker::new())));
    let other = &raw const *other;
    THEN.set(Some(Box::new(move |what, work| {
        // SAFETY: the bench and the worker stay; the worker is used by this thread alone.
        unsafe {
            if what == "func" && work.cast::<Job>().as_ref().id == 0 {
                (*pool).run_until_idle(&*other);
            }
        }
    })));
    assert_eq!(bench.run_until_idle(), 1);
    THEN.set(None);
    let expected =
        vec![("func", 0), ("func", 1), ("func", 2), ("ordered", 0), ("ordered", 1), ("ordered", 2)];
    assert_eq!(said(), expected);
    // SAFETY: leaked above, and no longer used: the pool has run dry and is not used again.
    drop(unsafe { Box::from_raw(other.cast_mut()) });
}

#[test]
fn double_submission_is_refused_and_changes_nothing() {
    let (bench, ops) = (Bench::new(), ops(FUNC, ORDERED, FREE));
    let jobs = jobs(&ops, 2);
    bench.submit(&jobs[0]).unwrap();
    assert_eq!(bench.submit(&jobs[0]), Err(Error::Busy));
    bench.submit(&jobs[1]).unwrap();
    assert_eq!(bench.submit(&jobs[0]), Err(Error::Busy));
    assert_eq!(bench.run_until_idle(), 2);
    assert_eq!(said().iter().filter(|(what, _)| *what == "free").count(), 2);
    bench.submit(&jobs[0]).unwrap();
    assert_eq!(bench.run_until_idle(), 1);
    said();
}

#[test]
fn works_without_callbacks_are_refused() {
    let (bench, ops) = (Bench::new(), ops(None, None, None));
    let job = &jobs(&ops, 1)[0];
    assert_eq!(bench.submit(job), Err(Error::Invalid));
    assert_eq!(bench.submit(job), Err(Error::Invalid));
    // SAFETY: a null table is refused.
    let job = Job { work: unsafe { Work::new(ptr::null()) }, id: 0 };
    assert_eq!(bench.submit(&job), Err(Error::Invalid));
    assert!(!bench.run_one());
}

#[test]
fn chance_memory_is_refused() {
    let bench = Bench::new();
    for byte in [0x00, 0xff, 0x62] {
        let mut memory = core::mem::MaybeUninit::<Work>::uninit();
        // SAFETY: a work is made of pointers and a word, for which all bytes are valid.
        let result = unsafe {
            memory.as_mut_ptr().write_bytes(byte, 1);
            bench.queue.submit(NonNull::from(&mut memory).cast())
        };
        assert_eq!(result, Err(Error::Invalid));
    }
    assert!(!bench.run_one());
}

/// The last callback queues the work again, from each of the three kinds of it.
#[test]
fn requeue_from_the_last_callback() {
    for (ops, last) in [
        (ops(FUNC, ORDERED, FREE), "free"),
        (ops(FUNC, ORDERED, None), "ordered"),
        (ops(FUNC, None, None), "func"),
    ] {
        let bench = Bench::new();
        let job = &jobs(&ops, 1)[0];
        let (queue, left) = (&raw const *bench.queue, core::cell::Cell::new(4));
        THEN.set(Some(Box::new(move |what, work| {
            if what == last && left.replace(left.get() - 1) > 0 {
                // SAFETY: the queue stays, and the work is ours again.
                unsafe { (*queue).submit(work) }.unwrap();
            }
        })));
        bench.submit(job).unwrap();
        assert_eq!(bench.run_until_idle(), 5);
        THEN.set(None);
        assert_eq!(said().iter().filter(|(what, _)| *what == last).count(), 5);
    }
}

/// What one worker took and has not run is found by another.
#[test]
fn left_over_works_are_found() {
    let (bench, ops) = (Bench::new(), ops(FUNC, ORDERED, FREE));
    let jobs = jobs(&ops, 3);
    jobs.iter().for_each(|job| bench.submit(job).unwrap());
    assert!(bench.run_one());
    let other = Worker::new();
    // SAFETY: one thread; the worker outlives the use of the pool.
    assert_eq!(unsafe { bench.pool.run_until_idle(&other) }, 2);
    assert!(!bench.run_one());
    said();
}

/// A chain whose worker has gone is taken up even if there is always something in the inbox.
#[test]
fn no_chain_starves() {
    let (bench, ops) = (Bench::new(), ops(FUNC, None, None));
    let jobs = jobs(&ops, 60);
    (0..3).for_each(|i| bench.submit(&jobs[i]).unwrap());
    assert!(bench.run_one()); // Works 1 and 2 are in this worker's slot now, and it never comes back.
    let other = Worker::new();
    for job in &jobs[3..] {
        bench.submit(job).unwrap();
        // SAFETY: one thread; the worker outlives the use of the pool.
        assert!(unsafe { bench.pool.run_one(&other) });
    }
    let ran: Vec<usize> = said().iter().map(|(_, id)| *id).collect();
    assert!(ran[..20].contains(&1) && ran[..20].contains(&2), "starved: {ran:?}");
}

#[test]
fn sizes() {
    assert!(size_of::<Work>() <= if size_of::<usize>() == 8 { 40 } else { 24 });
}

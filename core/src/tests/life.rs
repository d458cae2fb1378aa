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

fn works(jobs: &[Job]) -> Vec<NonNull<Work>> {
    jobs.iter().map(|job| NonNull::from(job).cast()).collect()
}

#[test]
fn a_batch_keeps_its_order() {
    let (bench, ops) = (Bench::new(), ops(FUNC, ORDERED, FREE));
    for n in [0, 1, 2, 3, 7] {
        let jobs = jobs(&ops, n);
        // SAFETY: the jobs outlive the bench's use.
        unsafe { bench.queue.submit_batch(&works(&jobs)) }.unwrap();
        assert_eq!(bench.run_until_idle(), n);
        let all = (0..n).flat_map(|id| [("func", id), ("ordered", id), ("free", id)]);
        assert_eq!(said(), all.collect::<Vec<_>>());
    }
}

/// One work of the batch is queued already, or has no callbacks: none is queued, none has changed.
#[test]
fn a_batch_is_queued_whole_or_not_at_all() {
    let (bench, ops) = (Bench::new(), ops(FUNC, ORDERED, FREE));
    let jobs = jobs(&ops, 4);
    bench.submit(&jobs[2]).unwrap();
    // SAFETY: the jobs outlive the bench's use.
    let batch = |jobs: &[Job]| unsafe { bench.queue.submit_batch(&works(jobs)) };
    assert_eq!(batch(&jobs), Err(Error::Busy));
    // SAFETY: a null table is refused.
    let empty = Job { work: unsafe { Work::new(ptr::null()) }, id: 9 };
    let with_empty = [works(&jobs[..1]), works(core::slice::from_ref(&empty))].concat();
    // SAFETY: as above.
    assert_eq!(unsafe { bench.queue.submit_batch(&with_empty) }, Err(Error::Invalid));
    let twice = [works(&jobs[..1]), works(&jobs[..1])].concat();
    // SAFETY: as above.
    assert_eq!(unsafe { bench.queue.submit_batch(&twice) }, Err(Error::Busy));
    assert_eq!(bench.run_until_idle(), 1);
    assert_eq!(said(), [("func", 2), ("ordered", 2), ("free", 2)]);
    batch(&jobs).unwrap();
    assert_eq!(bench.run_until_idle(), 4);
    said();
}

#[test]
fn the_high_lane_goes_first_and_has_an_order_of_its_own() {
    let (bench, ops) = (Bench::new(), ops(FUNC, ORDERED, None));
    let jobs = jobs(&ops, 4);
    for (i, job) in jobs.iter().enumerate() {
        job.work.set_high_priority(i >= 2).unwrap();
        bench.submit(job).unwrap();
    }
    assert_eq!(jobs[0].work.set_high_priority(true), Err(Error::Busy));
    assert_eq!(bench.run_until_idle(), 4);
    let order: Vec<usize> = said().iter().filter(|e| e.0 == "ordered").map(|e| e.1).collect();
    assert_eq!(order, [2, 3, 0, 1]);
    // It stays so in the next life.
    bench.submit(&jobs[0]).unwrap();
    bench.submit(&jobs[3]).unwrap();
    bench.run_until_idle();
    assert_eq!(said()[0], ("func", 3));
}

/// A constant flood of high works: of any eight works run one is a normal one.
#[test]
fn the_normal_lane_does_not_starve() {
    let (bench, ops) = (Bench::new(), ops(FUNC, ORDERED, None));
    let (normal, high) = (jobs(&ops, 10), jobs(&ops, 2));
    normal.iter().for_each(|job| bench.submit(job).unwrap());
    let mut ran_high = 0;
    high.iter().for_each(|job| job.work.set_high_priority(true).unwrap());
    for _ in 0..80 {
        // As soon as a high work has ended it is queued again.
        ran_high += high.iter().filter(|job| bench.submit(job).is_ok()).count();
        assert!(bench.run_one());
    }
    let normal_at: Vec<usize> = normal.iter().map(|job| {
        // SAFETY: not used by anybody else.
        usize::from(bench.submit(job).is_ok())
    }).collect();
    assert_eq!(normal_at.iter().sum::<usize>(), 10, "all ten normal works have run");
    assert!(ran_high >= 70);
    bench.run_until_idle();
    said();
}

/// Asynchronous works: completed in `func`, and after it; the status; what is refused.
#[test]
fn completion() {
    let (bench, ops) = (Bench::new(), ops(FUNC, ORDERED, None));
    let jobs = jobs(&ops, 3);
    let work = |i: usize| NonNull::from(&jobs[i]).cast::<Work>();
    // SAFETY: the jobs are alive.
    let complete = |i: usize, status| unsafe { Queue::complete(work(i), status) };
    assert_eq!(complete(0, 0), Err(Error::Invalid), "not queued");
    jobs[0].work.set_async().unwrap();
    assert_eq!(complete(0, 0), Err(Error::Invalid), "not queued");
    jobs.iter().for_each(|job| bench.submit(job).unwrap());
    jobs[1].work.set_async().unwrap();
    assert_eq!(complete(2, 0), Err(Error::Invalid), "not asynchronous");
    complete(1, -7).unwrap();
    assert_eq!(complete(1, -8), Err(Error::Busy), "twice");
    assert_eq!(bench.run_until_idle(), 3);
    assert_eq!(said(), [("func", 0), ("func", 1), ("func", 2)]);
    complete(0, -6).unwrap();
    assert_eq!(said(), [], "no callback in the call that completes");
    assert_eq!(bench.run_until_idle(), 1);
    assert_eq!(said(), [("ordered", 0), ("ordered", 1), ("ordered", 2)]);
    // SAFETY: all have ended.
    let status = |i: usize| unsafe { jobs[i].work.status() };
    assert_eq!([status(0), status(1), status(2)], [-6, -7, 0]);
    // A batch that is refused changes nothing of it.
    let refused = [work(0), work(0)];
    // SAFETY: the jobs are alive.
    assert_eq!(unsafe { bench.queue.submit_batch(&refused) }, Err(Error::Busy));
    assert_eq!(status(0), -6);
    // In its next life it is not asynchronous any more, and has no status.
    bench.submit(&jobs[0]).unwrap();
    assert_eq!(bench.run_until_idle(), 1);
    assert_eq!((said().len(), status(0)), (2, 0));
}

/// Two hundred works are done when the first one's turn ends: one call retires no more than its
/// budget.
#[test]
fn a_drainer_has_a_budget() {
    let (bench, ops) = (Bench::new(), ops(FUNC, ORDERED, None));
    let jobs = jobs(&ops, 200);
    jobs[0].work.set_async().unwrap();
    jobs.iter().for_each(|job| bench.submit(job).unwrap());
    assert_eq!(bench.run_until_idle(), 200);
    said();
    // SAFETY: queued.
    unsafe { Queue::complete(NonNull::from(&jobs[0]).cast(), 0) }.unwrap();
    let mut retired = Vec::new();
    while bench.run_one() {
        let now = said();
        assert!(now.len() <= crate::ordered::BUDGET);
        retired.extend(now);
    }
    assert_eq!(retired, (0..200).map(|id| ("ordered", id)).collect::<Vec<_>>());
}

/// Two workers are busy with chains that they put into their slots; a third has gone, and left one.
#[test]
fn no_chain_starves_behind_two_busy_workers() {
    for batch in 1..=10 {
        let (bench, ops) = (Bench::new(), ops(FUNC, None, None));
        let (stuck, busy) = (jobs(&ops, 2), jobs(&ops, 2 * batch));
        stuck.iter().for_each(|job| bench.submit(job).unwrap());
        assert!(bench.run_one()); // The second is in this worker's slot now, and it never comes back.
        said();
        let others = [Worker::new(), Worker::new()];
        let mut ran = 0;
        while bench.submit(&stuck[1]).is_err() {
            // What has ended is queued again, so that the inbox never runs empty for long.
            for job in &busy {
                let _ = bench.submit(job);
            }
            for other in &others {
                // SAFETY: one thread; the workers outlive the use of the pool.
                unsafe { bench.pool.run_one(other) };
                ran += 1;
            }
            assert!(ran < 1000, "starved, in batches of {batch}");
        }
        said();
    }
}

/// A worker's run is over when the pool has been stopped, also if it was resumed since.
#[test]
fn runs_do_not_come_back() {
    // SAFETY: without a port no worker sleeps; none does here, since its run is over.
    let pool = unsafe { Pool::new(ptr::null()) };
    let worker = Worker::new();
    let mut seen = Vec::new();
    for _ in 0..5 {
        let run = pool.current_run().unwrap();
        assert!(!seen.contains(&run));
        seen.push(run);
        pool.stop();
        assert!(pool.current_run().is_none());
        pool.stop();
        pool.resume();
        // SAFETY: one thread; the worker outlives the use of the pool.
        unsafe { pool.run(&worker, run) };
        assert!(pool.resume() == pool.current_run().unwrap());
    }
}

/// Until its last callback is entered a work is the library's: it can not be queued in the one
/// before.
#[test]
fn a_work_is_busy_until_its_last_callback() {
    let (bench, ops) = (Bench::new(), ops(FUNC, ORDERED, FREE));
    let job = &jobs(&ops, 1)[0];
    let queue = &raw const *bench.queue;
    THEN.set(Some(Box::new(move |what, work| {
        if what != "free" {
            // SAFETY: refused.
            assert_eq!(unsafe { (*queue).submit(work) }, Err(Error::Busy));
        }
    })));
    bench.submit(job).unwrap();
    assert_eq!(bench.run_until_idle(), 1);
    THEN.set(None);
    assert_eq!(said().len(), 3);
}

#[test]
fn sizes() {
    assert!(size_of::<Work>() <= if size_of::<usize>() == 8 { 40 } else { 24 });
}

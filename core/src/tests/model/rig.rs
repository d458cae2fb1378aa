//! What the models are built of: jobs, the log of their order, and a port.

use core::ptr::{self, NonNull};
use std::boxed::Box;
use std::vec::Vec;

use loom::sync::{Arc, Condvar, Mutex};
use loom::thread;

use crate::pool::Pool;
use crate::port::Port;
use crate::queue::Queue;
use crate::sync::{Atomic, Cell, Ordering};
use crate::work::{Work, WorkOps};
use crate::worker::Worker;

/// Explores `model`, with at most so many preemptions in one run, or all.
pub(super) fn check(preemptions: Option<usize>, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = preemptions;
    builder.max_branches = 10_000;
    let runs = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = runs.clone();
    builder.check(move || {
        counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        model();
    });
    let runs = runs.load(std::sync::atomic::Ordering::Relaxed);
    assert!(runs > 1, "nothing was explored");
}

/// What the ordered callbacks of one lane share: plain memory, used by one of them at a time.
pub(super) struct Log {
    retired: Cell<usize>,
    freed: Cell<usize>,
}

impl Log {
    pub(super) fn new() -> Self {
        Self { retired: Cell::new(0), freed: Cell::new(0) }
    }

    /// The next number in the order.
    fn count(&self) -> usize {
        // SAFETY: ordered callbacks of one lane do not overlap; loom checks it.
        unsafe {
            let n = self.retired.get();
            self.retired.set(n + 1);
            n
        }
    }
}

/// A work with plain memory around it.
#[repr(C)]
pub(super) struct Job {
    pub(super) work: Work,
    log: *const Log,
    /// How often `func` ran: plain memory, written by `func`, read by the ordered callback.
    ran: Cell<usize>,
    /// Its number in the order, and how often it was retired.
    place: Cell<Option<usize>>,
    ended: Cell<usize>,
    /// What its ordered callback found as its status.
    status: Cell<i32>,
    /// What else `func`, and the last callback, do.
    act: Act,
}

/// What a job does beside being counted.
#[derive(Clone)]
pub(super) enum Act {
    /// Nothing.
    Nothing,
    /// `func` waits for others in a meeting.
    Meet(Arc<Meeting>),
    /// The last callback waits for others in a meeting.
    MeetLast(Arc<Meeting>),
    /// The last callback leaves the work as it is: others have a right to look at it.
    Keep,
    /// The first time, the last callback queues the job again.
    Requeue(Arc<Place>),
    /// The same, and others may look at the work, and cancel it.
    RequeueOnce(Arc<Place>),
    /// The same on another queue.
    Move(Arc<Queue>),
}

/// Threads wait here until so many have come.
pub(super) struct Meeting {
    missing: Mutex<usize>,
    complete: Condvar,
}

impl Meeting {
    pub(super) fn of(n: usize) -> Arc<Self> {
        Arc::new(Self { missing: Mutex::new(n), complete: Condvar::new() })
    }

    /// Comes, and waits for the others.
    pub(super) fn meet(&self) {
        let mut missing = self.missing.lock().unwrap();
        *missing -= 1;
        if *missing == 0 {
            self.complete.notify_all();
        }
        while *missing != 0 {
            missing = self.complete.wait(missing).unwrap();
        }
    }
}

/// A pool and a queue on it.
pub(super) struct Place {
    pub(super) pool: Box<Pool>,
    pub(super) queue: Queue,
}

impl Place {
    pub(super) fn new() -> Arc<Self> {
        Self::on(&PORT)
    }

    pub(super) fn on(port: &'static Port) -> Arc<Self> {
        // SAFETY: a static table.
        let pool = Box::new(unsafe { Pool::new(port) });
        // SAFETY: the pool is boxed, and dropped with the queue.
        let queue = unsafe { Queue::new(&raw const *pool, ptr::null()) };
        Arc::new(Self { pool, queue })
    }

    pub(super) fn submit(&self, work: NonNull<Work>) {
        // SAFETY: a job's work, alive, and the model's to submit.
        unsafe { self.queue.submit(work) }.unwrap();
    }

    /// A thread that is a worker until the run is over.
    pub(super) fn spawn_worker(place: &Arc<Self>) -> thread::JoinHandle<Arc<Bed>> {
        let (place, run, bed) = (place.clone(), place.pool.current_run().unwrap(), Bed::new());
        thread::spawn(move || {
            // SAFETY: the bed is this thread's, and lives until the handle's result is dropped.
            unsafe { place.pool.run(&bed.worker, run) };
            bed
        })
    }

    /// Ends the run, and joins the workers. Their records must outlive the use of the pool.
    pub(super) fn stop<const N: usize>(
        &self,
        workers: [thread::JoinHandle<Arc<Bed>>; N],
    ) -> [Arc<Bed>; N] {
        self.pool.stop();
        workers.map(|worker| worker.join().unwrap())
    }
}

// SAFETY: loom checks every use of the cells.
unsafe impl Send for Job {}
// SAFETY: as for Send.
unsafe impl Sync for Job {}

impl Job {
    /// How often it is queued.
    fn lives(&self) -> usize {
        if matches!(self.act, Act::Requeue(_)) { 2 } else { 1 }
    }
}

/// `func`, `ordered_func`, `ordered_free`.
pub(super) static ORDERED: WorkOps =
    WorkOps { func: Some(func), ordered_func: Some(ordered_func), ordered_free: Some(ordered_free) };
/// `func` alone.
pub(super) static PLAIN: WorkOps =
    WorkOps { func: Some(func_and_end), ordered_func: None, ordered_free: None };

/// The jobs of one model. They are given back when the model is over, not when they end: a use
/// after the end is then a fault that is found, not undefined behaviour.
pub(super) struct Jobs {
    /// Kept for the jobs, which point to it.
    _log: Box<Log>,
    jobs: Vec<NonNull<Job>>,
}

// SAFETY: loom checks every use of what is shared.
unsafe impl Send for Jobs {}
// SAFETY: as for Send.
unsafe impl Sync for Jobs {}

impl Jobs {
    pub(super) fn new(ops: &'static WorkOps, n: usize) -> Arc<Self> {
        Self::acting(ops, &std::vec![Act::Nothing; n])
    }

    /// Jobs that others may look at when they have ended, and that may be cancelled.
    pub(super) fn keeping(ops: &'static WorkOps, n: usize) -> Arc<Self> {
        Self::acting(ops, &std::vec![Act::Keep; n])
    }

    /// Jobs that also do these.
    pub(super) fn acting(ops: &'static WorkOps, acts: &[Act]) -> Arc<Self> {
        let log = Box::new(Log::new());
        let job = |act: &Act| {
            let job = Job {
                // SAFETY: a static table.
                work: unsafe { Work::new(ops) },
                log: &raw const *log,
                ran: Cell::new(0),
                place: Cell::new(None),
                ended: Cell::new(0),
                status: Cell::new(0),
                act: act.clone(),
            };
            NonNull::from(Box::leak(Box::new(job)))
        };
        let jobs = acts.iter().map(job).collect();
        Arc::new(Self { _log: log, jobs })
    }

    /// A job's work.
    pub(super) fn work(&self, i: usize) -> NonNull<Work> {
        self.jobs[i].cast()
    }

    /// Runs a job's `func` by hand.
    pub(super) fn run_func(&self, i: usize) {
        // SAFETY: the model calls it in the place of a worker.
        unsafe { func(self.work(i)) }
    }

    /// The job's number in the order, which it must have got, once, after its `func` ran, once.
    pub(super) fn place(&self, i: usize) -> usize {
        // SAFETY: all threads of the model have been joined.
        unsafe {
            let job = self.jobs[i].as_ref();
            assert_eq!(job.ran.get(), 1, "func of job {i} did not run once");
            assert_eq!(job.ended.get(), job.lives(), "job {i} did not end once");
            job.place.get().expect("has a place")
        }
    }

    /// Checks that a job has ended, as far as the caller has learnt of it.
    pub(super) fn assert_ended(&self, i: usize) {
        // SAFETY: ended, and loom checks that the caller has learnt of it.
        unsafe { assert_eq!(self.jobs[i].as_ref().ended.get(), 1, "job {i} has not ended") };
    }

    /// How often a job's last callback was called, as far as the caller has learnt of it.
    pub(super) fn lives_so_far(&self, i: usize) -> usize {
        // SAFETY: loom checks that the caller has learnt of it.
        unsafe { self.jobs[i].as_ref().ended.get() }
    }

    /// Whether a job's `func` has run; it must have ended, once, if its last callback was called.
    pub(super) fn has_run(&self, i: usize) -> bool {
        // SAFETY: all threads of the model have been joined.
        unsafe {
            let job = self.jobs[i].as_ref();
            assert!(job.work.state.idle().is_ok(), "job {i} has not ended");
            let called = job.work.ops().is_ordered() || job.ran.get() == 1;
            assert_eq!(job.ended.get(), usize::from(called), "job {i} did not end once");
            job.ran.get() == 1
        }
    }

    /// The status that the job's ordered callback found.
    pub(super) fn status(&self, i: usize) -> i32 {
        // SAFETY: all threads of the model have been joined.
        unsafe { self.jobs[i].as_ref().status.get() }
    }

    /// Checks that all have run and ended, each as often as it was queued.
    pub(super) fn check_ended(&self) {
        for job in &self.jobs {
            // SAFETY: all threads of the model have been joined.
            unsafe {
                assert_eq!(job.as_ref().ran.get(), 1);
                assert_eq!(job.as_ref().ended.get(), job.as_ref().lives());
            }
        }
    }
}

impl Drop for Jobs {
    fn drop(&mut self) {
        for job in self.jobs.drain(..) {
            // SAFETY: leaked by `acting`, and dropped once.
            drop(unsafe { Box::from_raw(job.as_ptr()) });
        }
    }
}

unsafe fn job<'a>(work: NonNull<Work>) -> &'a Job {
    // SAFETY: every work of the models is the first field of a job.
    unsafe { work.cast().as_ref() }
}

unsafe extern "C" fn func(work: NonNull<Work>) {
    // SAFETY: called for a job, whose cells loom checks.
    unsafe {
        let job = job(work);
        job.ran.set(job.ran.get() + 1);
        if let Act::Meet(others) = &job.act {
            others.meet();
        }
    }
}

pub(super) unsafe extern "C" fn func_and_end(work: NonNull<Work>) {
    // SAFETY: as above.
    unsafe {
        func(work);
        end(work);
    }
}

/// The ordered callback: sees that `func` has run, and takes the next number.
pub(super) unsafe extern "C" fn ordered_func(work: NonNull<Work>) {
    // SAFETY: as above.
    unsafe {
        let job = job(work);
        assert!(job.ran.get() == 1 || matches!(job.act, Act::Keep), "ordered before func");
        job.place.set(Some((*job.log).count()));
        job.status.set(job.work.status());
    }
}

/// `ordered_free`: one at a time too, and not beside another's `ordered_func`.
pub(super) unsafe extern "C" fn ordered_free(work: NonNull<Work>) {
    // SAFETY: as above.
    unsafe {
        let log = &*job(work).log;
        assert_eq!(log.freed.get() + 1, log.retired.get(), "freed beside another's callback");
        log.freed.set(log.freed.get() + 1);
        end(work);
    }
}

/// The last callback: nobody may touch the work from now on.
pub(super) unsafe extern "C" fn end(work: NonNull<Work>) {
    // SAFETY: the work is this callback's alone; loom, and the revocation, check it.
    unsafe {
        let job = job(work);
        job.ended.set(job.ended.get() + 1);
        match &job.act {
            Act::Requeue(place) if job.ended.get() == 1 => {
                job.ran.set(0);
                place.submit(work);
            }
            Act::RequeueOnce(place) if job.ended.get() == 1 => place.submit(work),
            Act::Move(queue) if job.ended.get() == 1 => queue.submit(work).unwrap(),
            Act::Keep | Act::RequeueOnce(_) | Act::Move(_) => {}
            Act::MeetLast(others) => {
                (*work.as_ptr()).revoke();
                others.meet();
            }
            _ => (*work.as_ptr()).revoke(),
        }
    }
}

/// A worker and its bell.
#[repr(C)]
pub(super) struct Bed {
    pub(super) worker: Worker,
    rung: Mutex<bool>,
    bell: Condvar,
}

// SAFETY: workers may be.
unsafe impl Send for Bed {}
// SAFETY: workers may be.
unsafe impl Sync for Bed {}

impl Bed {
    pub(super) fn new() -> Arc<Self> {
        let (rung, bell) = (Mutex::new(false), Condvar::new());
        let bed = Arc::new(Self { worker: Worker::new(), rung, bell });
        (&raw const *bed).expose_provenance();
        bed
    }

    /// Whether the worker was woken and has not noticed; it counts as noticed then.
    pub(super) fn take_ring(&self) -> bool {
        core::mem::take(&mut *self.rung.lock().unwrap())
    }

    /// The bed in whose worker the word `rest` is.
    unsafe fn of<'a>(rest: *const u32) -> &'a Self {
        let bed = rest.addr() - core::mem::offset_of!(Worker, rest);
        // SAFETY: every worker of the models is the first field of a bed, which was exposed.
        unsafe { &*ptr::with_exposed_provenance(bed) }
    }
}

/// The port of the models. Its workers are in beds. A bell is a binary semaphore, which is a futex
/// that remembers. (It adds an order between waker and sleeper, as every port's wait and wake do.)
pub(super) static PORT: Port = Port { wait, wake, now: None, local: None };

unsafe extern "C" fn wait(rest: *const u32, _: u32) {
    // SAFETY: the word of a worker of the models.
    let bed = unsafe { Bed::of(rest) };
    let mut rung = bed.rung.lock().unwrap();
    while !*rung {
        rung = bed.bell.wait(rung).unwrap();
    }
    *rung = false;
}

unsafe extern "C" fn wake(rest: *const u32) {
    // SAFETY: the word of a worker of the models.
    let bed = unsafe { Bed::of(rest) };
    *bed.rung.lock().unwrap() = true;
    bed.bell.notify_one();
}

/// A port for those who wait for anything else: a futex for all words, that wakes everybody.
pub(super) static FUTEX: Port =
    Port { wait: futex_wait, wake: futex_wake, now: Some(now), local: Some(local) };

loom::lazy_static! {
    static ref TABLE: (Mutex<()>, Condvar) = (Mutex::new(()), Condvar::new());
}

loom::thread_local! {
    static LOCAL: std::cell::Cell<*const ()> = std::cell::Cell::new(ptr::null());
}

unsafe extern "C" fn futex_wait(word: *const u32, value: u32) {
    let guard = TABLE.0.lock().unwrap();
    // SAFETY: the address of a word of the model's, see `Atomic::address`.
    if unsafe { &*word.cast::<Atomic<u32>>() }.load(Ordering::Relaxed) == value {
        drop(TABLE.1.wait(guard).unwrap());
    }
}

unsafe extern "C" fn futex_wake(_: *const u32) {
    drop(TABLE.0.lock().unwrap());
    TABLE.1.notify_all();
}

unsafe extern "C" fn now() -> u32 {
    0
}

unsafe extern "C" fn local() -> *mut *const () {
    LOCAL.with(std::cell::Cell::as_ptr)
}

//! Jobs that record all that happens to them, and the rules that such a record must keep.
//!
//! Events are appended to one array by one atomic counter, so that their order is a real one: what
//! happened before stands before. The rules are those of the whole record: what must not happen
//! would stand in it.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicUsize, Ordering};
use std::boxed::Box;
use std::collections::{HashMap, HashSet};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::vec::Vec;

use crate::queue::Queue;
use crate::work::{Work, WorkOps};

/// What happens to a job.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Kind {
    Submit,
    Submitted,
    Func,
    FuncOver,
    Ordered,
    OrderedOver,
    Free,
    FreeOver,
}

/// Which callbacks a job has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shape {
    /// All three.
    Full,
    /// No `ordered_free`.
    NoFree,
    /// No `ordered_func`.
    NoOrdered,
    /// `ordered_func` and `ordered_free`: nothing to run concurrently.
    NoFunc,
    /// `func` alone.
    FuncOnly,
}

pub(super) const SHAPES: [Shape; 5] =
    [Shape::Full, Shape::NoFree, Shape::NoOrdered, Shape::NoFunc, Shape::FuncOnly];

impl Shape {
    fn ops(self) -> &'static WorkOps {
        static FULL: WorkOps =
            WorkOps { func: Some(func), ordered_func: Some(ordered), ordered_free: Some(free) };
        static NO_FREE: WorkOps =
            WorkOps { func: Some(func), ordered_func: Some(ordered_last), ordered_free: None };
        static NO_ORDERED: WorkOps =
            WorkOps { func: Some(func), ordered_func: None, ordered_free: Some(free) };
        static NO_FUNC: WorkOps =
            WorkOps { func: None, ordered_func: Some(ordered), ordered_free: Some(free) };
        static FUNC_ONLY: WorkOps =
            WorkOps { func: Some(func_last), ordered_func: None, ordered_free: None };
        match self {
            Self::Full => &FULL,
            Self::NoFree => &NO_FREE,
            Self::NoOrdered => &NO_ORDERED,
            Self::NoFunc => &NO_FUNC,
            Self::FuncOnly => &FUNC_ONLY,
        }
    }

    fn is_ordered(self) -> bool {
        self != Self::FuncOnly
    }

    /// All that must happen to a job, each once, in this order, submission aside.
    fn story(self) -> &'static [Kind] {
        use Kind::{Free, FreeOver, Func, FuncOver, Ordered, OrderedOver};
        match self {
            Self::Full => &[Func, FuncOver, Ordered, OrderedOver, Free, FreeOver],
            Self::NoFree => &[Func, FuncOver, Ordered, OrderedOver],
            Self::NoOrdered => &[Func, FuncOver, Free, FreeOver],
            Self::NoFunc => &[Ordered, OrderedOver, Free, FreeOver],
            Self::FuncOnly => &[Func, FuncOver],
        }
    }
}

/// When the job's work is complete. (No matter for `NoFunc` and `FuncOnly`.)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    /// When `func` returns.
    Sync,
    /// It completes itself in `func`.
    InFunc,
    /// Another thread completes it.
    Elsewhere,
}

/// The record: the jobs, and what happened.
pub(super) struct Trace {
    events: Box<[AtomicUsize]>,
    used: AtomicUsize,
    jobs: Vec<Told>,
    /// Where jobs go that are completed elsewhere.
    elsewhere: Sender<Begun>,
}

/// A job that waits for its completion.
pub(super) struct Begun(NonNull<Work>, i32);

// SAFETY: works may be completed from every thread.
unsafe impl Send for Begun {}

impl Begun {
    pub(super) fn complete(self) {
        // SAFETY: queued, as it is not complete.
        unsafe { Queue::complete(self.0, self.1) }.unwrap();
    }
}

/// What is known of a job beforehand.
#[derive(Clone, Copy)]
pub(super) struct Told {
    pub(super) queue: usize,
    pub(super) high: bool,
    /// The batch that it is submitted in, if it is; its jobs have numbers in a row.
    pub(super) batch: Option<usize>,
    pub(super) shape: Shape,
    pub(super) end: End,
    /// How long its `func` takes, in turns of an empty loop.
    pub(super) length: u32,
}

/// A job in its own memory, freed by its last callback.
#[repr(C)]
struct Job {
    work: Work,
    trace: *const Trace,
    id: usize,
    length: u32,
    /// Written by `func`, read by the ordered callbacks: plain memory.
    ran: bool,
}

impl Trace {
    /// A record of these jobs, and the jobs that somebody must complete.
    pub(super) fn new(jobs: Vec<Told>) -> (Self, Receiver<Begun>) {
        let events = (0..jobs.len() * 10).map(|_| AtomicUsize::new(usize::MAX)).collect();
        let (elsewhere, begun) = channel();
        (Self { events, used: AtomicUsize::new(0), jobs, elsewhere }, begun)
    }

    fn note(&self, id: usize, kind: Kind) {
        let at = self.used.fetch_add(1, Ordering::SeqCst);
        self.events[at].store(id * 8 + kind as usize, Ordering::SeqCst);
    }

    /// Job `id`, in memory of its own.
    fn make(&self, id: usize) -> NonNull<Work> {
        let told = self.jobs[id];
        let job = Box::new(Job {
            // SAFETY: a static table.
            work: unsafe { Work::new(told.shape.ops()) },
            trace: self,
            id,
            length: told.length,
            ran: false,
        });
        job.work.set_high_priority(told.high).unwrap();
        NonNull::from(Box::leak(job)).cast()
    }

    /// Queues the jobs `ids`, by one call.
    pub(super) fn submit(&self, ids: &[usize], queue: &Queue) {
        let works: Vec<_> = ids.iter().map(|&id| self.make(id)).collect();
        ids.iter().for_each(|&id| self.note(id, Kind::Submit));
        match *works {
            // SAFETY: it is freed by its last callback; the trace outlives the workers.
            [work] if self.jobs[ids[0]].batch.is_none() => unsafe { queue.submit(work) },
            // SAFETY: as above.
            _ => unsafe { queue.submit_batch(&works) },
        }
        .unwrap();
        ids.iter().for_each(|&id| self.note(id, Kind::Submitted));
    }

    /// How many jobs have come to their last event.
    pub(super) fn ended(&self) -> usize {
        let last = |&(id, kind): &(usize, Kind)| self.jobs[id].shape.story().last() == Some(&kind);
        self.record().iter().filter(|event| last(event)).count()
    }

    /// What happened so far.
    fn record(&self) -> Vec<(usize, Kind)> {
        use Kind::{
            Free, FreeOver, Func, FuncOver, Ordered, OrderedOver, Submit, Submitted,
        };
        const KINDS: [Kind; 8] =
            [Submit, Submitted, Func, FuncOver, Ordered, OrderedOver, Free, FreeOver];
        self.events
            .iter()
            .map(|event| event.load(Ordering::SeqCst))
            .take_while(|&event| event != usize::MAX)
            .map(|event| (event / 8, KINDS[event % 8]))
            .collect()
    }

    /// Checks a finished record against all rules.
    pub(super) fn check(&self) {
        let record = self.record();
        self.check_stories(&record);
        for queue in 0..=self.jobs.iter().map(|job| job.queue).max().unwrap_or(0) {
            for lane in [(queue, false), (queue, true)] {
                self.check_overlap(&record, lane);
                self.check_order(&record, lane);
                self.check_batches(&record, lane);
            }
        }
    }

    fn is_of(&self, id: usize, (queue, high): (usize, bool)) -> bool {
        self.jobs[id].queue == queue && self.jobs[id].high == high
    }

    /// Each job: each of its events once, in their order, and no other.
    fn check_stories(&self, record: &[(usize, Kind)]) {
        let mut stories: Vec<Vec<Kind>> = self.jobs.iter().map(|_| Vec::new()).collect();
        for &(id, kind) in record {
            if !matches!(kind, Kind::Submit | Kind::Submitted) {
                stories[id].push(kind);
            }
        }
        for (id, (job, story)) in self.jobs.iter().zip(stories).enumerate() {
            assert_eq!(story, job.shape.story(), "job {id}");
        }
    }

    /// Ordered callbacks of a lane do not overlap, and those of one work are not parted.
    fn check_overlap(&self, record: &[(usize, Kind)], lane: (usize, bool)) {
        let mut open: Option<usize> = None;
        for &(id, kind) in record.iter().filter(|(id, _)| self.is_of(*id, lane)) {
            match kind {
                Kind::Ordered | Kind::Free => {
                    assert_eq!(open.replace(id), None, "{id} overlaps");
                }
                Kind::OrderedOver | Kind::FreeOver => {
                    assert_eq!(open.take(), Some(id), "{id} overlaps");
                }
                _ => (),
            }
        }
    }

    /// The works of a lane in the order in which they retired.
    fn retired(&self, record: &[(usize, Kind)], lane: (usize, bool)) -> Vec<usize> {
        let retires = |&&(id, kind): &&(usize, Kind)| {
            let story = self.jobs[id].shape.story();
            let first = story.iter().find(|k| matches!(k, Kind::Ordered | Kind::Free));
            self.is_of(id, lane) && self.jobs[id].shape.is_ordered() && Some(&kind) == first
        };
        record.iter().filter(retires).map(|(id, _)| *id).collect()
    }

    /// The works of a lane retire in an order that their submissions allow: a work whose submission
    /// was over before another's began comes first. (That includes each submitter's own order.)
    fn check_order(&self, record: &[(usize, Kind)], lane: (usize, bool)) {
        let at: HashMap<_, _> = record.iter().enumerate().map(|(at, event)| (*event, at)).collect();
        let mut latest_begin = 0;
        for id in self.retired(record, lane) {
            let over = at[&(id, Kind::Submitted)];
            assert!(over > latest_begin, "job {id} retired after one that was submitted later");
            latest_begin = latest_begin.max(at[&(id, Kind::Submit)]);
        }
    }

    /// The works of a batch retire one after the other, in their order, with nothing between them.
    fn check_batches(&self, record: &[(usize, Kind)], lane: (usize, bool)) {
        let retired = self.retired(record, lane);
        let mut seen = HashSet::new();
        for run in retired.chunk_by(|&a, &b| self.jobs[a].batch == self.jobs[b].batch) {
            if let Some(batch) = self.jobs[run[0]].batch {
                assert!(seen.insert(batch), "batch {batch} is parted");
                assert!(run.is_sorted(), "batch {batch} is out of order");
            }
        }
    }
}

unsafe fn note(work: NonNull<Work>, kind: Kind) {
    // SAFETY: every work here is the first field of a job, whose trace outlives it.
    unsafe {
        let job = work.cast::<Job>().as_ref();
        (*job.trace).note(job.id, kind);
    }
}

unsafe extern "C" fn func(work: NonNull<Work>) {
    // SAFETY: the job is this callback's while it runs.
    unsafe {
        note(work, Kind::Func);
        let job = work.cast::<Job>();
        (0..job.as_ref().length).for_each(|i| {
            core::hint::black_box(i);
        });
        // Not by a reference to the whole job: others may be at its work's state.
        (&raw mut (*job.as_ptr()).ran).write(true);
        note(work, Kind::FuncOver);
        begin_completion(job.as_ref());
    }
}

/// Does what the job's end asks for.
fn begin_completion(job: &Job) {
    // SAFETY: the trace outlives its jobs.
    let trace = unsafe { &*job.trace };
    let begun = Begun(NonNull::from(job).cast(), job.expected_status());
    match trace.jobs[job.id].end {
        End::Sync => (),
        End::InFunc => {
            job.work.set_async().unwrap();
            begun.complete();
        }
        End::Elsewhere => {
            job.work.set_async().unwrap();
            trace.elsewhere.send(begun).unwrap();
        }
    }
}

impl Job {
    /// What its ordered callback must find.
    fn expected_status(&self) -> i32 {
        // SAFETY: the trace outlives its jobs.
        let told = unsafe { &(&(*self.trace).jobs)[self.id] };
        match (told.end, told.shape) {
            (End::Sync, _) | (_, Shape::NoFunc) => 0,
            _ => -1 - self.id as i32,
        }
    }
}

unsafe extern "C" fn func_last(work: NonNull<Work>) {
    // SAFETY: the last callback: the job's memory is ours.
    unsafe {
        let job = work.cast::<Job>();
        let (trace, id) = (job.as_ref().trace, job.as_ref().id);
        (*trace).note(id, Kind::Func);
        drop(Box::from_raw(job.as_ptr()));
        (*trace).note(id, Kind::FuncOver);
    }
}

unsafe extern "C" fn ordered(work: NonNull<Work>) {
    // SAFETY: the job is this callback's while it runs.
    unsafe {
        note(work, Kind::Ordered);
        let job = work.cast::<Job>().as_ref();
        let has_func = (&*job.trace).jobs[job.id].shape != Shape::NoFunc;
        assert_eq!(job.ran, has_func, "does not see what func wrote");
        assert_eq!(job.work.status(), job.expected_status());
        note(work, Kind::OrderedOver);
    }
}

unsafe extern "C" fn ordered_last(work: NonNull<Work>) {
    // SAFETY: the last callback: the job's memory is ours.
    unsafe {
        note(work, Kind::Ordered);
        let job = Box::from_raw(work.cast::<Job>().as_ptr());
        assert!(job.ran, "does not see what func wrote");
        assert_eq!(job.work.status(), job.expected_status());
        let (trace, id) = (job.trace, job.id);
        drop(job);
        (*trace).note(id, Kind::OrderedOver);
    }
}

unsafe extern "C" fn free(work: NonNull<Work>) {
    // SAFETY: the last callback: the job's memory is ours.
    unsafe {
        let job = work.cast::<Job>();
        let (trace, id) = (job.as_ref().trace, job.as_ref().id);
        (*trace).note(id, Kind::Free);
        drop(Box::from_raw(job.as_ptr()));
        (*trace).note(id, Kind::FreeOver);
    }
}

/// The checker itself can fail: each of these records breaks one rule.
mod teeth {
    use super::Kind::{
        Free, FreeOver, Func, FuncOver, Ordered, OrderedOver, Submit, Submitted,
    };
    use super::*;

    const FULL: Told = Told {
        queue: 0,
        high: false,
        batch: None,
        shape: Shape::Full,
        end: End::Sync,
        length: 0,
    };

    fn check(jobs: usize, record: &[(usize, Kind)]) {
        check_told(std::vec![FULL; jobs], record);
    }

    fn check_told(jobs: Vec<Told>, record: &[(usize, Kind)]) {
        let (trace, _) = Trace::new(jobs);
        record.iter().for_each(|&(id, kind)| trace.note(id, kind));
        trace.check();
    }

    fn story(id: usize) -> Vec<(usize, Kind)> {
        FULL.shape.story().iter().map(|&kind| (id, kind)).collect()
    }

    fn submitted(ids: &[usize]) -> Vec<(usize, Kind)> {
        ids.iter().flat_map(|&id| [(id, Submit), (id, Submitted)]).collect()
    }

    #[test]
    fn a_good_record_passes() {
        check(2, &[submitted(&[0, 1]), story(0), story(1)].concat());
    }

    #[test]
    #[should_panic = "retired after one that was submitted later"]
    fn order() {
        check(2, &[submitted(&[0, 1]), story(1), story(0)].concat());
    }

    #[test]
    #[should_panic = "job 0"]
    fn twice() {
        check(1, &[submitted(&[0]), story(0), std::vec![(0, Free)]].concat());
    }

    #[test]
    #[should_panic = "job 1"]
    fn never() {
        check(2, &[submitted(&[0, 1]), story(0)].concat());
    }

    #[test]
    #[should_panic = "job 0"]
    fn ordered_before_func_is_over() {
        let story = [(0, Func), (0, Ordered), (0, FuncOver), (0, OrderedOver), (0, Free), (0, FreeOver)];
        check(1, &[submitted(&[0]), story.to_vec()].concat());
    }

    #[test]
    #[should_panic = "overlaps"]
    fn overlap() {
        let funcs = [(0, Func), (0, FuncOver), (1, Func), (1, FuncOver)];
        let rest = [(0, Ordered), (1, Ordered), (0, OrderedOver), (1, OrderedOver)];
        let frees = [(0, Free), (0, FreeOver), (1, Free), (1, FreeOver)];
        check(2, &[submitted(&[0, 1]), funcs.to_vec(), rest.to_vec(), frees.to_vec()].concat());
    }
    #[test]
    #[should_panic = "overlaps"]
    fn free_overlaps_the_next() {
        let first = [(0, Func), (0, FuncOver), (0, Ordered), (0, OrderedOver), (0, Free)];
        let second = [(1, Func), (1, FuncOver), (1, Ordered), (0, FreeOver), (1, OrderedOver)];
        let rest = [(1, Free), (1, FreeOver)];
        check(2, &[submitted(&[0, 1]), first.to_vec(), second.to_vec(), rest.to_vec()].concat());
    }

    #[test]
    #[should_panic = "batch 7 is parted"]
    fn a_parted_batch() {
        let batched = Told { batch: Some(7), ..FULL };
        let submit = [(0, Submit), (1, Submit), (2, Submit)];
        let submitted = [(0, Submitted), (1, Submitted), (2, Submitted)];
        let record = [&submit[..], &submitted, &story(0), &story(1), &story(2)].concat();
        check_told(std::vec![batched, FULL, batched], &record);
    }
}

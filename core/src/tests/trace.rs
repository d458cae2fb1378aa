//! Jobs that record all that happens to them, and the rules that such a record must keep.
//!
//! Events are appended to one array by one atomic counter, so that their order is a real one: what
//! happened before stands before. The rules are those of the whole record: what must not happen
//! would stand in it.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicUsize, Ordering};
use std::boxed::Box;
use std::collections::HashMap;
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
        use Kind::{Free, Func, FuncOver, Ordered, OrderedOver};
        match self {
            Self::Full => &[Func, FuncOver, Ordered, OrderedOver, Free],
            Self::NoFree => &[Func, FuncOver, Ordered, OrderedOver],
            Self::NoOrdered => &[Func, FuncOver, Free],
            Self::NoFunc => &[Ordered, OrderedOver, Free],
            Self::FuncOnly => &[Func, FuncOver],
        }
    }
}

/// The record: the jobs, and what happened.
pub(super) struct Trace {
    events: Box<[AtomicUsize]>,
    used: AtomicUsize,
    jobs: Vec<Told>,
}

/// What is known of a job beforehand.
#[derive(Clone, Copy)]
pub(super) struct Told {
    pub(super) queue: usize,
    pub(super) submitter: usize,
    pub(super) shape: Shape,
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
    pub(super) fn new(jobs: Vec<Told>) -> Self {
        let events = (0..jobs.len() * 8).map(|_| AtomicUsize::new(usize::MAX)).collect();
        Self { events, used: AtomicUsize::new(0), jobs }
    }

    fn note(&self, id: usize, kind: Kind) {
        let at = self.used.fetch_add(1, Ordering::SeqCst);
        self.events[at].store(id * 8 + kind as usize, Ordering::SeqCst);
    }

    /// Queues job `id`, in memory of its own.
    pub(super) fn submit(&self, id: usize, queue: &Queue) {
        let told = self.jobs[id];
        let job = Box::new(Job {
            // SAFETY: a static table.
            work: unsafe { Work::new(told.shape.ops()) },
            trace: self,
            id,
            length: told.length,
            ran: false,
        });
        self.note(id, Kind::Submit);
        // SAFETY: it is freed by its last callback; the trace outlives the workers.
        unsafe { queue.submit(NonNull::from(Box::leak(job)).cast()) }.unwrap();
        self.note(id, Kind::Submitted);
    }

    /// How many jobs have come to their last event.
    pub(super) fn ended(&self) -> usize {
        let last = |&(id, kind): &(usize, Kind)| self.jobs[id].shape.story().last() == Some(&kind);
        self.record().iter().filter(|event| last(event)).count()
    }

    /// What happened so far.
    fn record(&self) -> Vec<(usize, Kind)> {
        use Kind::{Free, Func, FuncOver, Ordered, OrderedOver, Submit, Submitted};
        const KINDS: [Kind; 7] = [Submit, Submitted, Func, FuncOver, Ordered, OrderedOver, Free];
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
            self.check_overlap(&record, queue);
            self.check_order(&record, queue);
        }
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

    /// Ordered callbacks of a queue do not overlap, and those of one work are not parted.
    fn check_overlap(&self, record: &[(usize, Kind)], queue: usize) {
        let mut open: Option<usize> = None;
        for &(id, kind) in record.iter().filter(|(id, _)| self.jobs[*id].queue == queue) {
            match kind {
                Kind::Ordered => assert_eq!(open.replace(id), None, "{id} overlaps"),
                Kind::OrderedOver => assert_eq!(open.take(), Some(id), "{id} overlaps"),
                Kind::Free => assert_eq!(open, None, "{id} freed within another's callback"),
                _ => (),
            }
        }
    }

    /// The works of a queue retire in an order that their submissions allow: a work whose submission
    /// was over before another's began comes first. (That includes each submitter's own order.)
    fn check_order(&self, record: &[(usize, Kind)], queue: usize) {
        let at: HashMap<_, _> = record.iter().enumerate().map(|(at, event)| (*event, at)).collect();
        let mut latest_begin = 0;
        for (id, kind) in record {
            let job = self.jobs[*id];
            let first = job.shape.story().iter().find(|k| matches!(k, Kind::Ordered | Kind::Free));
            if job.queue != queue || !job.shape.is_ordered() || Some(kind) != first {
                continue;
            }
            let over = at[&(*id, Kind::Submitted)];
            assert!(over > latest_begin, "job {id} retired after one that was submitted later");
            latest_begin = latest_begin.max(at[&(*id, Kind::Submit)]);
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
        let job = work.cast::<Job>().as_mut();
        (0..job.length).for_each(|i| {
            core::hint::black_box(i);
        });
        job.ran = true;
        note(work, Kind::FuncOver);
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
        note(work, Kind::OrderedOver);
    }
}

unsafe extern "C" fn ordered_last(work: NonNull<Work>) {
    // SAFETY: the last callback: the job's memory is ours.
    unsafe {
        note(work, Kind::Ordered);
        let job = Box::from_raw(work.cast::<Job>().as_ptr());
        assert!(job.ran, "does not see what func wrote");
        let (trace, id) = (job.trace, job.id);
        drop(job);
        (*trace).note(id, Kind::OrderedOver);
    }
}

unsafe extern "C" fn free(work: NonNull<Work>) {
    // SAFETY: the last callback: the job's memory is ours.
    unsafe {
        note(work, Kind::Free);
        drop(Box::from_raw(work.cast::<Job>().as_ptr()));
    }
}

/// The checker itself can fail: each of these records breaks one rule.
mod teeth {
    use super::Kind::{Free, Func, FuncOver, Ordered, OrderedOver, Submit, Submitted};
    use super::*;

    const FULL: Told = Told { queue: 0, submitter: 0, shape: Shape::Full, length: 0 };

    fn check(jobs: usize, record: &[(usize, Kind)]) {
        let trace = Trace::new(std::vec![FULL; jobs]);
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
        let story = [(0, Func), (0, Ordered), (0, FuncOver), (0, OrderedOver), (0, Free)];
        check(1, &[submitted(&[0]), story.to_vec()].concat());
    }

    #[test]
    #[should_panic = "overlaps"]
    fn overlap() {
        let funcs = [(0, Func), (0, FuncOver), (1, Func), (1, FuncOver)];
        let rest = [(0, Ordered), (1, Ordered), (0, OrderedOver), (1, OrderedOver)];
        let frees = [(0, Free), (1, Free)];
        check(2, &[submitted(&[0, 1]), funcs.to_vec(), rest.to_vec(), frees.to_vec()].concat());
    }
}

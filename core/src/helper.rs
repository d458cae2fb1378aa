//! What is done with one work that was claimed: its `func`, then as much of the order as is ready.
//!
//! A work may also be claimed that has been through its `func`, and was handed over to be retired:
//! by whoever completed it where no callbacks may run, or by a drainer whose budget was spent.
//!
//! What only works with a control need stands in functions of its own, marked `#[cold]`: so that it
//! takes no registers, and no room in the cache, on the way that every work takes.

use core::ptr::NonNull;

use crate::control::{Admission, Control};
use crate::frame::Frame;
use crate::lane::Lane;
use crate::ordered::{Turn, Visit};
use crate::queue::Queue;
use crate::state::{Owed, Start};
use crate::work::{CANCELLED, Func, Work};

/// Runs `work`, and retires what becomes ready by it, `budget` works at most: what is ready beyond
/// that is made ready for others. False if it did nothing, since the work was parked by the limit.
/// `work` must not be dereferenced past this call.
///
/// # Safety
/// The caller has claimed `work`, and is no interrupt. The frame is this context's.
pub(crate) unsafe fn run(work: NonNull<Work>, frame: &Frame, budget: usize) -> bool {
    // SAFETY: a claimed work is valid and, until its state says otherwise, ours; the queue that it
    // was submitted to outlives it.
    let (this, queue) = unsafe { (work.as_ref(), &*work.as_ref().queue()) };
    frame.enter(queue);
    let state = this.state.look();
    let lane = state.lane();
    if !state.is_to_be_retired() {
        let control = queue.control_of(state);
        // SAFETY: claimed; and if there is a control, from its backlog, with the right to start.
        if control.is_some_and(|control| unsafe { !admit(control, queue, lane, work) }) {
            return false; // `work` must not be dereferenced past this point.
        }
        // SAFETY: claimed and admitted.
        if unsafe { run_func(work, queue, control, lane) } == Owed::Nothing {
            return true; // `work` must not be dereferenced past this point (state rule 2).
        }
    }
    let route = queue.route();
    // SAFETY: state rule 1 makes us the holder of the turn; we owe what the list says.
    unsafe {
        let turn = queue.list(lane).retire(work, budget, |v, w| visit(queue, lane, v, w));
        route.settle(lane, turn);
    }
    true
}

/// Passes the turn of a lane on for somebody who is no worker; says whether there was nobody to pass
/// it to.
///
/// # Safety
/// The caller holds the turn; he no longer does after this.
pub(crate) unsafe fn pass_on(queue: &Queue, lane: Lane) -> bool {
    let route = queue.route();
    // SAFETY: the turn is the caller's, and we owe what the list says.
    unsafe {
        let turn = queue.list(lane).pass_on(|v, w| visit(queue, lane, v, w));
        route.settle(lane, turn);
        turn == Turn::Ended
    }
}

/// What is done with the oldest work of a lane, by the holder of the turn.
fn visit(queue: &Queue, lane: Lane, visit: Visit, work: NonNull<Work>) {
    match queue.control() {
        Some(control) => visit_counted(queue, control, lane, visit, work),
        None if visit == Visit::Retire => retire(work),
        None => {}
    }
}

#[cold]
fn visit_counted(queue: &Queue, control: &Control, lane: Lane, visit: Visit, work: NonNull<Work>) {
    queue.note_head(control, lane, work);
    if visit == Visit::Retire {
        // SAFETY: not retired yet, so valid.
        let is_counted = unsafe { work.as_ref() }.state.look().is_controlled();
        retire(work);
        // `work` must not be dereferenced past this point.
        if is_counted {
            control.free(lane);
        }
    }
}

/// Whether `work` may start; then the next one is made ready, if there is any.
///
/// # Safety
/// The work is claimed from the backlog.
#[cold]
unsafe fn admit(control: &Control, queue: &Queue, lane: Lane, work: NonNull<Work>) -> bool {
    // SAFETY: so the right to start is ours.
    let Admission::Admitted(next) = (unsafe { control.admit(lane, work) }) else { return false };
    if let Some(next) = next {
        // SAFETY: ours, and the right to start goes with it.
        unsafe { queue.route().make_one_ready(lane, next) };
    }
    true
}

/// A work that was admitted runs no longer: the one that was kept out by it is made ready.
#[cold]
fn release(control: &Control, queue: &Queue, lane: Lane) {
    if let Some(parked) = control.release(lane) {
        // SAFETY: taken up: ours, with the right to start.
        unsafe { queue.route().make_one_ready(lane, parked) };
    }
}

/// Runs the `func` of `work`, unless that was cancelled; says whether the work is to be retired.
///
/// # Safety
/// The work is claimed, and admitted by the control, if there is one.
unsafe fn run_func(
    work: NonNull<Work>,
    queue: &Queue,
    control: Option<&Control>,
    lane: Lane,
) -> Owed {
    // SAFETY: claimed.
    let (this, ops) = unsafe { (work.as_ref(), work.as_ref().ops()) };
    if !ops.is_ordered() {
        // SAFETY: as the caller says.
        unsafe { run_loose(work, queue, control, lane) };
        return Owed::Nothing;
    }
    let start = this.state.start();
    if start == Start::Run {
        call(ops.func, work);
    }
    if let Some(control) = control {
        release(control, queue, lane);
    }
    match start {
        Start::Run => this.state.finish(),
        // SAFETY: called for the first completion, while the status is nobody else's.
        Start::Skip => this.state.finish_cancelled(|| unsafe { this.status.set(CANCELLED) }),
    }
}

/// The same for a work that has `func` alone, which ends its life.
///
/// # Safety
/// As of `run_func`.
unsafe fn run_loose(work: NonNull<Work>, queue: &Queue, control: Option<&Control>, lane: Lane) {
    // SAFETY: claimed.
    let (this, ops) = unsafe { (work.as_ref(), work.as_ref().ops()) };
    let (start, is_odd, route) = (this.state.start(), this.state.look().is_odd(), queue.route());
    this.state.end();
    // Nothing of `work` may be touched past this point: `func` ends its life (state rule 3).
    if start == Start::Run {
        call(ops.func, work);
    }
    // The queue is there as long as the work is counted.
    if let Some(control) = control {
        release(control, queue, lane);
        control.free(lane);
    }
    if let Some(address) = queue.loose().done(is_odd) {
        route.wake(address);
    }
}

/// Runs the ordered callbacks of `work`, whose turn it is and which is gone then.
fn retire(work: NonNull<Work>) {
    // SAFETY: not retired yet, so valid.
    let (this, ops) = unsafe { (work.as_ref(), work.as_ref().ops()) };
    if ops.ordered_free.is_some() {
        call(ops.ordered_func, work);
    }
    this.state.end();
    // Nothing of `work` may be touched past this point: its last callback ends its life.
    call(ops.ordered_free.or(ops.ordered_func), work);
}

fn call(func: Option<Func>, work: NonNull<Work>) {
    if let Some(func) = func {
        // SAFETY: the owner's function, called with a work of the kind that it is for.
        unsafe { func(work) };
    }
}

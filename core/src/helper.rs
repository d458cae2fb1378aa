//! What is done with one work that was claimed: its `func`, then as much of the order as is ready.
//!
//! A work may also be claimed that has been through its `func`, and was handed over to be retired:
//! by whoever completed it where no callbacks may run, or by a drainer whose budget was spent.

use core::ptr::NonNull;

use crate::control::{Admission, Control};
use crate::executor::Route;
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
    let (lane, route) = (state.lane(), queue.route());
    let control = queue.control_of(state);
    if !state.is_to_be_retired() {
        if let Some(control) = control {
            // SAFETY: claimed from the backlog, so with the right to start.
            match unsafe { control.admit(lane, work) } {
                Admission::Parked => return false, // `work` must not be dereferenced past this point.
                // SAFETY: the work is ours, and the right to start goes with it.
                Admission::Admitted(next) => unsafe { pass(route, lane, next) },
            }
        }
        // SAFETY: ours.
        if unsafe { run_func(work, queue, control) } == Owed::Nothing {
            return true; // `work` must not be dereferenced past this point (state rule 2).
        }
    }
    // SAFETY: state rule 1 makes us the holder of the turn; we owe what the list says.
    unsafe {
        route.settle(lane, queue.list(lane).retire(work, budget, |v, w| visit(queue, lane, v, w)))
    };
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
    queue.note_head(lane, work);
    if visit == Visit::Retire {
        // SAFETY: not retired yet, so valid.
        let control = queue.control_of(unsafe { work.as_ref() }.state.look());
        retire(work);
        // `work` must not be dereferenced past this point.
        if let Some(control) = control {
            control.free(lane);
        }
    }
}

/// Runs the `func` of `work`, unless that was cancelled; says whether the work is to be retired.
///
/// # Safety
/// The work is claimed, and admitted by the control, if there is one.
unsafe fn run_func(work: NonNull<Work>, queue: &Queue, control: Option<&Control>) -> Owed {
    // SAFETY: claimed.
    let (this, ops) = unsafe { (work.as_ref(), work.as_ref().ops()) };
    let (state, route) = (this.state.look(), queue.route());
    let release = || {
        if let Some(control) = control {
            // SAFETY: taken up: ours, with the right to start.
            unsafe { pass(route, state.lane(), control.release(state.lane())) };
        }
    };
    let start = this.state.start();
    if ops.is_ordered() {
        if start == Start::Run {
            call(ops.func, work);
        }
        release();
        return match start {
            Start::Run => this.state.finish(),
            // SAFETY: called for the first completion, while the status is nobody else's.
            Start::Skip => this.state.finish_cancelled(|| unsafe { this.status.set(CANCELLED) }),
        };
    }
    this.state.end();
    if start == Start::Run {
        call(ops.func, work);
    }
    // Nothing of `work` may be touched past this point: `func` ends its life (state rule 3). The
    // queue may be, until the work is no longer counted.
    release();
    if let Some(control) = control {
        control.free(state.lane());
    }
    if let Some(address) = queue.loose().done(state.is_odd()) {
        route.wake(address);
    }
    Owed::Nothing
}

/// Makes `next` ready, if there is one.
///
/// # Safety
/// As of [`Route::make_ready`].
unsafe fn pass(route: Route, lane: Lane, next: Option<NonNull<Work>>) {
    if let Some(next) = next {
        // SAFETY: as the caller says.
        unsafe { route.make_one_ready(lane, next) };
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

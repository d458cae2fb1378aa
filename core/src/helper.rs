//! What is done with one work that was claimed: its `func`, then as much of the order as is ready.
//!
//! A work may also be claimed that has been through its `func`, and was handed over to be retired:
//! by whoever completed it where no callbacks may run, or by a drainer whose budget was spent.

use core::ptr::NonNull;

use crate::queue::Queue;
use crate::state::Owed;
use crate::work::{Func, Work};

/// Runs `work`, and retires what becomes ready by it, within the budget. `work` must not be
/// dereferenced past this call. A work that is returned is to be made ready, and retired by whoever
/// claims it.
///
/// # Safety
/// The caller has claimed `work`, and is no interrupt.
#[must_use]
pub(crate) unsafe fn run(work: NonNull<Work>) -> Option<NonNull<Work>> {
    // SAFETY: a claimed work is valid and, until its state says otherwise, ours.
    let (this, ops) = unsafe { (work.as_ref(), work.as_ref().ops()) };
    if !ops.is_ordered() {
        this.state.end();
        // `func` ends its life (state rule 3).
        call(ops.func, work);
        return None;
    }
    // SAFETY: written before it was submitted. A queue outlives its works.
    let queue = unsafe { &*this.owner.get().cast::<Queue>() };
    let state = this.state.look();
    if !state.is_to_be_retired() {
        call(ops.func, work);
        if this.state.finish() == Owed::Nothing {
            return None; // `work` must not be dereferenced past this point (state rule 2).
        }
    }
    // SAFETY: state rule 1 makes us the holder of the turn.
    unsafe { queue.list(state.lane()).retire(work, retire) }
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

//! What is done with one work that was claimed: its `func`, then as much of the order as is ready.

use core::ptr::NonNull;

use crate::queue::Queue;
use crate::work::{Func, Work};

/// Runs `work`, and retires what becomes ready by it. `work` must not be dereferenced past this call.
///
/// # Safety
/// The caller has claimed `work`, and is no interrupt.
pub(crate) unsafe fn run(work: NonNull<Work>) {
    // SAFETY: a claimed work is valid and, until its state says otherwise, ours.
    let this = unsafe { work.as_ref() };
    let Ok(ops) = this.ops() else { return }; // Checked by `submit`.
    if !ops.is_ordered() {
        this.state.end();
        // `func` ends its life (state rule 3).
        return call(ops.func, work);
    }
    call(ops.func, work);
    // SAFETY: written before it was submitted, and ours until it is finished. A queue outlives its
    // works.
    let queue = unsafe { &*this.owner.get().cast::<Queue>() };
    // SAFETY: pushed there by `submit`, and `func` has run.
    unsafe { queue.lane().finish(work, retire) };
}

/// Runs the ordered callbacks of `work`, whose turn it is and which is gone then.
fn retire(work: NonNull<Work>) {
    // SAFETY: not retired yet, so valid.
    let this = unsafe { work.as_ref() };
    let Ok(ops) = this.ops() else { return }; // Checked by `submit`.
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

//! Counts that are waited for.

use loom::sync::Arc;
use loom::thread;

use super::rig::{self, FUTEX};
use crate::count::{Count, Phases, Turnstile};
use crate::sync::Cell;

/// Something that is counted: plain memory, written before it is done, read by who has waited.
struct Thing(Cell<bool>);

// SAFETY: loom checks every use of the cell.
unsafe impl Send for Thing {}
// SAFETY: as for Send.
unsafe impl Sync for Thing {}

impl Thing {
    fn new() -> Arc<Self> {
        Arc::new(Self(Cell::new(false)))
    }

    fn finish(&self) {
        // SAFETY: loom checks it.
        unsafe { self.0.set(true) };
    }

    fn assert_finished(&self) {
        // SAFETY: loom checks it.
        assert!(unsafe { self.0.get() }, "not waited for");
    }
}

fn wake(word: Option<*const u32>) {
    if let Some(word) = word {
        FUTEX.wake(word);
    }
}

/// Two things end while somebody waits for both, who takes the count's memory away then.
#[test]
fn wait_against_done() {
    rig::check(None, || {
        let (count, things) = (Arc::new(Count::new()), [Thing::new(), Thing::new()]);
        let threads = things.clone().map(|thing| {
            count.add();
            let count = count.clone();
            thread::spawn(move || {
                thing.finish();
                wake(count.done());
            })
        });
        count.wait(&FUTEX);
        things.iter().for_each(|thing| thing.assert_finished());
        // SAFETY: the count is zero, and nobody adds to it.
        unsafe { (*Arc::as_ptr(&count).cast_mut()).revoke() };
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

/// Two wait for one thing: both are woken.
#[test]
fn two_wait() {
    rig::check(Some(3), || {
        let (count, thing) = (Arc::new(Count::new()), Thing::new());
        count.add();
        let threads = [(); 2].map(|()| {
            let (count, thing) = (count.clone(), thing.clone());
            thread::spawn(move || {
                count.wait(&FUTEX);
                thing.assert_finished();
            })
        });
        thing.finish();
        wake(count.done());
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

/// A flush waits for what was added before, wherever its submitter counted it, and not for what
/// comes later and never ends.
#[test]
fn flush_against_add() {
    rig::check(Some(3), || {
        let (phases, thing) = (Arc::new(Phases::new()), Thing::new());
        let odd = phases.add();
        let (there, its) = (phases.clone(), thing.clone());
        let ends = thread::spawn(move || {
            its.finish();
            wake(there.done(odd));
        });
        phases.flush(&FUTEX);
        thing.assert_finished();
        ends.join().unwrap();
    });
}

/// Somebody flushes, and so goes on to the other count, while something is added: wherever that was
/// counted, who flushes after it has waited for it.
#[test]
fn flush_against_late_add() {
    rig::check(Some(2), || {
        let (phases, thing) = (Arc::new(Phases::new()), Thing::new());
        let (turnstile, before) = (Arc::new(Turnstile::new()), phases.add());
        let flush = |phases: &Phases, turnstile: &Turnstile| {
            turnstile.enter(&FUTEX);
            phases.flush(&FUTEX);
            turnstile.leave(&FUTEX);
        };
        let (there, its) = (phases.clone(), turnstile.clone());
        let flusher = thread::spawn(move || flush(&there, &its));
        let there = phases.clone();
        let first = thread::spawn(move || wake(there.done(before)));
        let odd = phases.add();
        let (there, its) = (phases.clone(), thing.clone());
        let second = thread::spawn(move || {
            its.finish();
            wake(there.done(odd));
        });
        flush(&phases, &turnstile);
        thing.assert_finished();
        [flusher, first, second].into_iter().for_each(|thread| thread.join().unwrap());
    });
}

/// Two go through a turnstile: one after the other, and the second sees what the first did.
#[test]
fn turnstile() {
    rig::check(None, || {
        let (turnstile, thing) = (Arc::new(Turnstile::new()), Thing::new());
        let (there, its) = (turnstile.clone(), thing.clone());
        let pass = |turnstile: &Turnstile, thing: &Thing| {
            turnstile.enter(&FUTEX);
            thing.finish();
            thing.assert_finished();
            turnstile.leave(&FUTEX);
        };
        let other = thread::spawn(move || pass(&there, &its));
        pass(&turnstile, &thing);
        other.join().unwrap();
    });
}

//! Cancel, flush and destroy, with a queue and a worker.

use loom::sync::Arc;
use loom::thread;

use super::rig::{self, Bed, FUTEX, Jobs, ORDERED, PLAIN, Place};
use crate::error::Error;
use crate::queue::Queue;
use crate::state::{Start, State};
use crate::sync::Cell;
use crate::timer::Timers;
use crate::work::{CANCELLED, WorkOps};

/// A work is cancelled while a worker claims it: either it is told that it came in time, and `func`
/// does not run; or it is told that it came too late, and `func` does.
#[test]
fn cancel_against_claim() {
    for ops in [&ORDERED, &PLAIN] {
        rig::check(None, move || {
            let (place, jobs, bed) = (Place::new(), Jobs::keeping(ops, 1), Bed::new());
            place.submit(jobs.work(0));
            let (there, its) = (place.clone(), bed.clone());
            // SAFETY: the bed is this thread's, and outlives the pool's use.
            let worker = thread::spawn(move || unsafe { there.pool.run_until_idle(&its.worker) });
            // SAFETY: the jobs stay.
            let cancelled = unsafe { jobs.work(0).as_ref().cancel() };
            worker.join().unwrap();
            assert_eq!(cancelled, if jobs.has_run(0) { Err(Error::Busy) } else { Ok(()) });
            if ops.is_ordered() {
                assert_eq!(jobs.status(0), if jobs.has_run(0) { 0 } else { CANCELLED });
            }
        });
    }
}

/// An asynchronous work is cancelled, and completed, and claimed: one of the first two writes the
/// status, and it is retired once.
#[test]
fn cancel_against_complete() {
    rig::check(Some(3), || {
        let (place, jobs, bed) = (Place::new(), Jobs::keeping(&ORDERED, 1), Bed::new());
        // SAFETY: alive.
        let work = unsafe { jobs.work(0).as_ref() };
        work.set_async().unwrap();
        place.submit(jobs.work(0));
        let there = jobs.clone();
        // SAFETY: alive, since the jobs stay.
        let other = thread::spawn(move || unsafe { Queue::complete(there.work(0), 7) });
        // SAFETY: alive.
        unsafe { work.cancel() }.unwrap();
        // SAFETY: the bed is this thread's, and outlives the pool's use.
        unsafe { place.pool.run_until_idle(&bed.worker) };
        let completed = other.join().unwrap();
        // SAFETY: as above.
        unsafe { place.pool.run_until_idle(&bed.worker) };
        assert!(!jobs.has_run(0));
        assert_eq!(jobs.status(0), if completed.is_ok() { 7 } else { CANCELLED });
    });
}

/// `start` and `cancel`, by themselves: one is first, and both agree which.
#[test]
fn cancel_against_start() {
    rig::check(None, || {
        let jobs = Jobs::keeping(&PLAIN, 1);
        // SAFETY: alive.
        let state = unsafe { &jobs.work(0).as_ref().state };
        state.queue(state.idle().unwrap(), State::NONE);
        let there = jobs.clone();
        // SAFETY: alive.
        let other = thread::spawn(move || unsafe { there.work(0).as_ref() }.state.cancel().is_ok());
        let start = state.start();
        assert_eq!(start, if other.join().unwrap() { Start::Skip } else { Start::Run });
    });
}

/// What a flush or a destruction is about: one job, and a worker that runs it meanwhile.
fn against_worker(
    ops: &'static WorkOps,
    preemptions: usize,
    end: impl Fn(&Arc<Place>) + Copy + Send + Sync + 'static,
) {
    rig::check(Some(preemptions), move || {
        let (place, jobs) = (Place::on(&FUTEX), Jobs::new(ops, 1));
        place.submit(jobs.work(0));
        let worker = Place::spawn_worker(&place);
        end(&place);
        jobs.assert_ended(0);
        place.stop([worker]);
    });
}

/// A flush of a lane returns when what was queued before has been freed.
#[test]
fn flush_against_retire() {
    against_worker(&ORDERED, 2, |place| place.queue.flush().unwrap());
}

/// Two flush: more has come to its turn than one drainer's budget, and it is not a worker's.
#[test]
fn two_flush_against_retire() {
    against_worker(&ORDERED, 1, |place| {
        let there = place.clone();
        let other = thread::spawn(move || there.queue.flush().unwrap());
        place.queue.flush().unwrap();
        other.join().unwrap();
    });
}

/// The same for works without a place in the order.
#[test]
fn flush_against_func() {
    against_worker(&PLAIN, 2, |place| place.queue.flush().unwrap());
}

/// When a queue is destroyed nobody looks at its memory any more.
#[test]
fn destroy_against_retire() {
    against_worker(&ORDERED, 2, destroy);
}

/// The same with works that have no place in the order.
#[test]
fn destroy_against_func() {
    against_worker(&PLAIN, 2, destroy);
}

fn destroy(place: &Arc<Place>) {
    // SAFETY: no other call with the queue is under way.
    unsafe {
        place.queue.destroy().unwrap();
        (*(&raw const place.queue).cast_mut()).revoke();
    }
}

/// A delayed work is cancelled while its time comes: it runs, or it does not, and ends once.
#[test]
fn cancel_against_expiry() {
    rig::check(Some(3), || {
        let (place, timers) = (Place::on(&FUTEX), std::boxed::Box::new(Timers::new()));
        let jobs = Jobs::keeping(&ORDERED, 1);
        let bed = Bed::new();
        // SAFETY: the timers live as long as the pool; the job stays.
        unsafe {
            place.pool.set_timers((&*timers).into()).unwrap();
            place.queue.submit_delayed(jobs.work(0), 5).unwrap();
        }
        assert_eq!(timers.tick(4), Ok(1));
        let (there, its) = (place.clone(), jobs.clone());
        let canceller = thread::spawn(move || {
            let _place = there;
            // SAFETY: alive, and so is its queue.
            unsafe { its.work(0).as_ref().cancel() }
        });
        assert_eq!(timers.tick(5), Ok(crate::timer::NEVER));
        // SAFETY: the bed is this thread's, and outlives the pool's use.
        unsafe { place.pool.run_until_idle(&bed.worker) };
        let cancelled = canceller.join().unwrap();
        assert_eq!(cancelled.is_ok(), !jobs.has_run(0));
        assert!(place.queue.delayed().is_zero());
    });
}

/// A delayed work is cancelled before its time, while somebody ticks: that tick, or the next one,
/// lets it end.
#[test]
fn cancel_against_tick() {
    rig::check(Some(3), || {
        let (place, timers) = (Place::on(&FUTEX), std::boxed::Box::new(Timers::new()));
        let jobs = Jobs::keeping(&ORDERED, 1);
        let bed = Bed::new();
        // SAFETY: the timers live as long as the pool; the job stays.
        unsafe {
            place.pool.set_timers((&*timers).into()).unwrap();
            place.queue.submit_delayed(jobs.work(0), 5).unwrap();
        }
        let (there, its) = (place.clone(), jobs.clone());
        let canceller = thread::spawn(move || {
            let _place = there;
            // SAFETY: alive, and so is its queue.
            unsafe { its.work(0).as_ref().cancel() }.unwrap();
        });
        timers.tick(1).unwrap();
        canceller.join().unwrap();
        timers.tick(2).unwrap();
        // SAFETY: the bed is this thread's, and outlives the pool's use.
        unsafe { place.pool.run_until_idle(&bed.worker) };
        assert!(!jobs.has_run(0));
    });
}

/// A work is cancelled while it is being delayed: whoever of the two is second tells the timers.
#[test]
fn cancel_against_delay() {
    rig::check(None, || {
        let (place, timers) = (Place::on(&FUTEX), std::boxed::Box::new(Timers::new()));
        let (jobs, bed) = (Jobs::keeping(&ORDERED, 1), Bed::new());
        // SAFETY: the timers live as long as the pool.
        unsafe { place.pool.set_timers((&*timers).into()).unwrap() };
        let (there, its) = (place.clone(), jobs.clone());
        let canceller = thread::spawn(move || {
            let _place = there;
            // SAFETY: alive, and so is its queue.
            unsafe { its.work(0).as_ref().cancel() }
        });
        // SAFETY: the job stays.
        unsafe { place.queue.submit_delayed(jobs.work(0), 5) }.unwrap();
        let cancelled = canceller.join().unwrap();
        timers.tick(if cancelled.is_ok() { 1 } else { 5 }).unwrap();
        // SAFETY: the bed is this thread's, and outlives the pool's use.
        unsafe { place.pool.run_until_idle(&bed.worker) };
        assert_eq!(jobs.has_run(0), cancelled.is_err());
    });
}

/// Somebody waits for the end of a delay: he is woken, and what he queues then comes behind.
#[test]
fn await_expiry() {
    for ops in [&ORDERED, &PLAIN] {
        rig::check(Some(3), move || {
            let (place, timers) = (Place::on(&FUTEX), std::boxed::Box::new(Timers::new()));
            let (jobs, bed) = (Jobs::keeping(ops, 2), Bed::new());
            // SAFETY: the timers live as long as the pool; the job stays.
            unsafe {
                place.pool.set_timers((&*timers).into()).unwrap();
                place.queue.submit_delayed(jobs.work(0), 5).unwrap();
            }
            let before = Arc::new(Seen(Cell::new(false)));
            let (there, its, seen) = (place.clone(), jobs.clone(), before.clone());
            let waiter = thread::spawn(move || {
                // SAFETY: alive.
                let state = unsafe { &its.work(0).as_ref().state };
                while let Some(value) = state.await_expiry() {
                    FUTEX.wait(state.address(), value);
                }
                // SAFETY: loom checks it.
                assert!(unsafe { seen.0.get() });
                there.submit(its.work(1));
            });
            // SAFETY: loom checks it.
            unsafe { before.0.set(true) };
            timers.tick(5).unwrap();
            waiter.join().unwrap();
            // SAFETY: the bed is this thread's, and outlives the pool's use.
            unsafe { place.pool.run_until_idle(&bed.worker) };
            jobs.check_ended();
            if ops.is_ordered() {
                assert_eq!((jobs.place(0), jobs.place(1)), (0, 1));
            }
        });
    }
}

/// The clock goes to sleep, or does not, while a work is delayed: the bell tells it.
#[test]
fn clock_against_delay() {
    rig::check(Some(3), || {
        let (place, timers) = (Place::on(&FUTEX), std::boxed::Box::new(Timers::new()));
        let (jobs, bed) = (Jobs::new(&ORDERED, 1), Bed::new());
        // SAFETY: the timers live as long as the pool.
        unsafe { place.pool.set_timers((&*timers).into()).unwrap() };
        let (there, its) = (place.clone(), jobs.clone());
        let other = thread::spawn(move || {
            // SAFETY: the job stays.
            unsafe { there.queue.submit_delayed(its.work(0), 0) }.unwrap();
        });
        // SAFETY: the bed is this thread's, and outlives the pool's use.
        while unsafe { place.pool.run_until_idle(&bed.worker) } == 0 {
            let (word, value) = timers.bell();
            timers.tick(0).unwrap();
            // SAFETY: as above.
            if unsafe { place.pool.run_one(&bed.worker) } {
                break;
            }
            FUTEX.wait(word, value);
        }
        other.join().unwrap();
        jobs.check_ended();
    });
}

/// Delayed works come while somebody ticks: none is lost.
#[test]
fn delay_against_tick() {
    rig::check(Some(3), || {
        let (place, timers) = (Place::on(&FUTEX), std::boxed::Box::new(Timers::new()));
        let (jobs, bed) = (Jobs::new(&ORDERED, 2), Bed::new());
        // SAFETY: the timers live as long as the pool.
        unsafe { place.pool.set_timers((&*timers).into()).unwrap() };
        let there = place.clone();
        let other = thread::spawn(move || {
            there.pool.timers().unwrap().tick(1).unwrap();
        });
        // SAFETY: the job stays.
        (0..2).for_each(|i| unsafe { place.queue.submit_delayed(jobs.work(i), 0) }.unwrap());
        other.join().unwrap();
        timers.tick(2).unwrap();
        // SAFETY: the bed is this thread's, and outlives the pool's use.
        unsafe { place.pool.run_until_idle(&bed.worker) };
        assert_eq!((jobs.place(0), jobs.place(1)), (0, 1));
    });
}

/// Plain memory, written by one party and read by another.
struct Seen(Cell<bool>);

// SAFETY: loom checks every use of the cell.
unsafe impl Send for Seen {}
// SAFETY: as for Send.
unsafe impl Sync for Seen {}

/// Two are in `tick` at once: one of them goes away, and nothing is done twice.
#[test]
fn tick_against_tick() {
    rig::check(Some(3), || {
        let (place, timers) = (Place::on(&FUTEX), std::boxed::Box::new(Timers::new()));
        let (jobs, bed) = (Jobs::new(&PLAIN, 1), Bed::new());
        // SAFETY: the timers live as long as the pool; the job stays.
        unsafe {
            place.pool.set_timers((&*timers).into()).unwrap();
            place.queue.submit_delayed(jobs.work(0), 5).unwrap();
        }
        let there = place.clone();
        let other = thread::spawn(move || there.pool.timers().unwrap().tick(5));
        let mine = timers.tick(5);
        let others = other.join().unwrap();
        assert!(mine.is_ok() || others.is_ok());
        // SAFETY: the bed is this thread's, and outlives the pool's use.
        unsafe { place.pool.run_until_idle(&bed.worker) };
        jobs.check_ended();
    });
}

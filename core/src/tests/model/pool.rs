//! Pools with workers that sleep, and everything together.
//!
//! A wake that is lost leaves a thread waiting for ever: loom reports a deadlock. To find lost
//! wakes that cost only concurrency, works meet in `func`: they need as many workers as there are
//! works.

use loom::sync::Arc;
use loom::thread;

use super::rig::{self, Act, Bed, FUTEX, Jobs, Meeting, ORDERED, PLAIN, Place};
use crate::control::Control;
use crate::queue::Queue;
use crate::work::WorkOps;

/// One worker goes to sleep, or does not, while works are submitted one after the other, one on
/// each lane.
#[test]
fn sleep_against_submit() {
    rig::check(Some(3), || {
        let (place, meetings) = (Place::new(), [Meeting::of(2), Meeting::of(2)]);
        let jobs = Jobs::acting(&PLAIN, &meetings.clone().map(Act::Meet));
        // SAFETY: alive.
        unsafe { jobs.work(1).as_ref() }.set_high_priority(true).unwrap();
        let worker = Place::spawn_worker(&place);
        for (i, meeting) in meetings.iter().enumerate() {
            place.submit(jobs.work(i));
            meeting.meet();
        }
        place.stop([worker]);
        jobs.check_ended();
    });
}

/// A worker that sleeps, or is about to, leaves when the pool is stopped; and one that has left is
/// not taken for one that sleeps.
#[test]
fn sleep_against_stop() {
    rig::check(None, || {
        let (place, jobs) = (Place::new(), Jobs::new(&PLAIN, 1));
        let worker = Place::spawn_worker(&place);
        let [bed] = place.stop([worker]);
        bed.take_ring();
        place.submit(jobs.work(0));
        assert!(!bed.take_ring(), "woken after it has left");
        // SAFETY: its thread has gone.
        unsafe { place.pool.run_until_idle(&bed.worker) };
        jobs.check_ended();
    });
}

/// The pool is stopped and resumed while a worker goes to sleep: it leaves, since its run is over.
#[test]
fn sleep_against_stop_and_resume() {
    rig::check(None, || {
        let place = Place::new();
        let first = place.pool.current_run();
        let worker = Place::spawn_worker(&place);
        place.pool.stop();
        assert!(place.pool.current_run().is_none());
        let second = place.pool.resume();
        assert!(first.is_some_and(|first| first != second));
        let _bed = worker.join().unwrap();
        place.pool.stop();
        assert!(place.pool.resume() != second);
    });
}

/// A worker of the run before, on its way out, is woken for a work: a worker of the present run
/// gets it.
#[test]
fn leaving_against_submit() {
    rig::check(Some(2), || {
        let (place, meeting) = (Place::new(), Meeting::of(2));
        let jobs = Jobs::acting(&PLAIN, &[Act::Meet(meeting.clone())]);
        let before = Place::spawn_worker(&place);
        place.pool.stop();
        place.pool.resume();
        let present = Place::spawn_worker(&place);
        place.submit(jobs.work(0));
        meeting.meet();
        place.stop([before, present]);
        jobs.check_ended();
    });
}

/// Two works meet: one worker takes both, so that the other must be woken for what is left over, or
/// find it by itself before it sleeps. The one may join when the other sleeps already.
#[test]
fn sleep_against_put() {
    rig::check(Some(2), || {
        let (place, meeting) = (Place::new(), Meeting::of(3));
        let jobs = Jobs::acting(&PLAIN, &[Act::Meet(meeting.clone()), Act::Meet(meeting.clone())]);
        (0..2).for_each(|i| place.submit(jobs.work(i)));
        let workers = [Place::spawn_worker(&place), Place::spawn_worker(&place)];
        meeting.meet();
        place.stop(workers);
        jobs.check_ended();
    });
}

/// Two works meet, submitted while two workers go to sleep: each submission wakes one.
#[test]
fn two_sleepers_against_submit() {
    rig::check(Some(1), || {
        let (place, meeting) = (Place::new(), Meeting::of(3));
        let jobs = Jobs::acting(&PLAIN, &[Act::Meet(meeting.clone()), Act::Meet(meeting.clone())]);
        let workers = [Place::spawn_worker(&place), Place::spawn_worker(&place)];
        (0..2).for_each(|i| place.submit(jobs.work(i)));
        meeting.meet();
        place.stop(workers);
        jobs.check_ended();
    });
}

/// Everything: ordered works through a queue, two workers, a submitter that is none.
#[test]
fn ordered_through_a_pool() {
    rig::check(Some(2), || {
        let (place, jobs) = (Place::new(), Jobs::new(&ORDERED, 3));
        let beds = [Bed::new(), Bed::new()];
        let workers = beds.clone().map(|bed| {
            let place = place.clone();
            // SAFETY: the bed is this thread's, and outlives the pool's use.
            thread::spawn(move || unsafe { place.pool.run_until_idle(&bed.worker) })
        });
        (0..3).for_each(|i| place.submit(jobs.work(i)));
        let ran: usize = workers.map(|worker| worker.join().unwrap()).iter().sum();
        // SAFETY: its thread has gone.
        let left = unsafe { place.pool.run_until_idle(&beds[0].worker) };
        assert!(ran + left >= 3); // Retiring that was handed over counts too.
        (0..3).for_each(|i| assert_eq!(jobs.place(i), i));
    });
}

/// A work is queued again by its own last callback, on the lane that it is just leaving.
#[test]
fn requeue_from_free() {
    rig::check(Some(2), || {
        let place = Place::new();
        let jobs = Jobs::acting(&ORDERED, &[Act::Requeue(place.clone()), Act::Nothing]);
        let (bed, there) = (Bed::new(), place.clone());
        let mine = Bed::new();
        place.submit(jobs.work(0));
        let theirs = bed.clone();
        // SAFETY: the bed is this thread's, and outlives the pool's use.
        let worker = thread::spawn(move || unsafe { there.pool.run_until_idle(&theirs.worker) });
        place.submit(jobs.work(1));
        // SAFETY: the bed is this thread's, and outlives the pool's use.
        let ran = unsafe { place.pool.run_until_idle(&mine.worker) };
        let ran = ran + worker.join().unwrap();
        // SAFETY: as above.
        let left = unsafe { place.pool.run_until_idle(&mine.worker) };
        assert!(ran + left >= 3); // Retiring that was handed over counts too.
        jobs.check_ended();
    });
}

/// An asynchronous work is completed where no callbacks may run, while its worker returns and
/// sleeps: whoever is last sees to it that it is retired, if need be by waking the worker.
#[test]
fn complete_against_sleep() {
    rig::check(Some(3), || {
        let (place, meeting) = (Place::new(), Meeting::of(2));
        let jobs = Jobs::acting(&ORDERED, &[Act::MeetLast(meeting.clone())]);
        // SAFETY: alive.
        unsafe { jobs.work(0).as_ref() }.set_async().unwrap();
        place.submit(jobs.work(0));
        let worker = Place::spawn_worker(&place);
        // SAFETY: queued, and completed once.
        unsafe { Queue::complete(jobs.work(0), -5) }.unwrap();
        meeting.meet();
        place.stop([worker]);
        assert_eq!((jobs.place(0), jobs.status(0)), (0, -5));
    });
}

/// Two works, two workers, and a limit of one: the one that finds no room is taken up.
#[test]
fn limited_through_a_pool() {
    rig::check(Some(2), || {
        let (place, control) = (Place::new(), std::boxed::Box::new(Control::new()));
        let (jobs, beds) = (Jobs::new(&ORDERED, 2), [Bed::new(), Bed::new()]);
        // SAFETY: the control lives as long as the queue.
        unsafe { place.queue.set_control((&*control).into()) }.unwrap();
        place.queue.set_max(1).unwrap();
        (0..2).for_each(|i| place.submit(jobs.work(i)));
        let (there, its) = (place.clone(), beds[0].clone());
        // SAFETY: the bed is this thread's, and outlives the pool's use.
        let other = thread::spawn(move || unsafe { there.pool.run_until_idle(&its.worker) });
        // SAFETY: as above.
        unsafe { place.pool.run_until_idle(&beds[1].worker) };
        other.join().unwrap();
        // SAFETY: its thread has gone. What was made ready last may be left.
        unsafe { place.pool.run_until_idle(&beds[0].worker) };
        (0..2).for_each(|i| assert_eq!(jobs.place(i), i));
        let stats = place.queue.stats(false).unwrap();
        assert_eq!((stats.pending, stats.running, stats.waiting, stats.done), (0, 0, 0, 2));
    });
}

/// A last callback alone, which may queue the job again.
static REQUEUED: WorkOps =
    WorkOps { func: None, ordered_func: None, ordered_free: Some(rig::end) };

/// A work is idle, in its last callback, which queues it again, on the same queue or another, while
/// somebody cancels it and waits: he does not take it for over.
#[test]
fn cancel_sync_against_requeue() {
    let variants =
        [(&PLAIN, false, 1), (&PLAIN, true, 2), (&REQUEUED, false, 1), (&REQUEUED, true, 1)];
    for (ops, moves, preemptions) in variants {
        rig::check(Some(preemptions), move || {
            let place = Place::on(&FUTEX);
            // SAFETY: the pool lives as long as the place.
            let other = Arc::new(unsafe { Queue::new(&raw const *place.pool, core::ptr::null()) });
            let act = if moves { Act::Move(other) } else { Act::RequeueOnce(place.clone()) };
            let jobs = Jobs::acting(ops, &[act]);
            place.submit(jobs.work(0));
            let worker = Place::spawn_worker(&place);
            // SAFETY: the job and the queues stay.
            unsafe { jobs.work(0).as_ref().cancel_sync() }.unwrap();
            // Nothing of it comes later: this is seen without any further order.
            let lives = jobs.lives_so_far(0);
            assert!(lives <= 2);
            place.stop([worker]);
            assert_eq!(jobs.lives_so_far(0), lives);
        });
    }
}

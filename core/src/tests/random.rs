//! Random submitters, workers, shapes and lengths on real threads; the whole trace is checked.

use core::ptr::{self, NonNull};
use std::thread;
use std::vec::Vec;

use proptest::prelude::*;

use super::trace::{Begun, End, SHAPES, Shape, Told, Trace};
use crate::pool::Pool;
use crate::port::host;
use crate::queue::Queue;
use crate::worker::Worker;

/// One job, as it is drawn.
#[derive(Debug, Clone, Copy)]
struct Draw {
    submitter: usize,
    queue: usize,
    high: bool,
    /// Whether it is submitted together with the job before it, if that has the same submitter and
    /// queue.
    joins: bool,
    shape: Shape,
    end: End,
    /// How long its `func` takes.
    length: u32,
}

/// One run.
#[derive(Debug, Clone)]
struct Scene {
    workers: usize,
    submitters: usize,
    queues: usize,
    /// Whether the threads are started before anything is submitted, or after.
    workers_first: bool,
    /// How often the pool is stopped and started again meanwhile.
    restarts: usize,
    jobs: Vec<Draw>,
}

fn draws(submitters: usize, queues: usize) -> impl Strategy<Value = Draw> {
    let length = prop_oneof![4 => Just(0_u32), 3 => 0_u32..200, 1 => 0_u32..20_000];
    let end = prop_oneof![4 => Just(End::Sync), 1 => Just(End::InFunc), 2 => Just(End::Elsewhere)];
    let shape = prop::sample::select(&SHAPES[..]);
    (0..submitters, 0..queues, prop::bool::weighted(0.3), any::<bool>(), shape, end, length)
        .prop_map(|(submitter, queue, high, joins, shape, end, length)| Draw {
            submitter,
            queue,
            high,
            joins,
            shape,
            end,
            length,
        })
}

fn scenes() -> impl Strategy<Value = Scene> {
    (1_usize..5, 1_usize..5, 1_usize..4, any::<bool>(), 0_usize..3).prop_flat_map(
        |(workers, submitters, queues, workers_first, restarts)| {
            prop::collection::vec(draws(submitters, queues), 0..400).prop_map(move |jobs| Scene {
                workers,
                submitters,
                queues,
                workers_first,
                restarts,
                jobs,
            })
        },
    )
}

impl Scene {
    /// Each submitter's calls: the jobs that go by one.
    fn calls(&self, submitter: usize) -> Vec<Vec<usize>> {
        let mine: Vec<usize> =
            (0..self.jobs.len()).filter(|&id| self.jobs[id].submitter == submitter).collect();
        mine.chunk_by(|&a, &b| self.jobs[b].joins && self.jobs[a].queue == self.jobs[b].queue)
            .map(<[usize]>::to_vec)
            .collect()
    }

    fn told(&self) -> Vec<Told> {
        let told = |job: &Draw| Told {
            queue: job.queue,
            high: job.high,
            batch: None,
            shape: job.shape,
            end: job.end,
            length: job.length,
        };
        let mut all: Vec<Told> = self.jobs.iter().map(told).collect();
        for call in (0..self.submitters).flat_map(|submitter| self.calls(submitter)) {
            if call.len() > 1 {
                call.iter().for_each(|&id| all[id].batch = Some(call[0]));
            }
        }
        all
    }

    /// Submits everything, each submitter from a thread of its own, on queues of `pool`, and
    /// completes what is to be completed elsewhere; beside them run `others`. When all has ended,
    /// and `over` has seen to it that no worker is in the library any more, it checks the trace.
    fn play(&self, pool: &Pool, others: &[&(dyn Fn(&Trace) + Sync)], over: impl FnOnce()) {
        let (trace, begun) = Trace::new(self.told());
        let queues: Vec<Queue> = (0..self.queues)
            // SAFETY: the pool outlives the queues.
            .map(|_| unsafe { Queue::new(&raw const *pool, ptr::null()) })
            .collect();
        thread::scope(|scope| {
            let (trace, queues) = (&trace, &queues);
            for submitter in 0..self.submitters {
                scope.spawn(move || {
                    for call in self.calls(submitter) {
                        trace.submit(&call, &queues[self.jobs[call[0]].queue]);
                    }
                });
            }
            scope.spawn(move || {
                while trace.ended() < self.jobs.len() {
                    begun.try_iter().for_each(Begun::complete);
                    thread::yield_now();
                }
            });
            for other in others {
                scope.spawn(move || other(trace));
            }
        });
        over();
        trace.check();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// On the threads of the host port.
    #[test]
    fn whole_trace_keeps_the_rules(scene in scenes()) {
        let port = host::PORT;
        // SAFETY: the port outlives the pool.
        let pool = unsafe { Pool::new(&raw const port) };
        let threads = host::Threads::new();
        // SAFETY: the pool stays until the threads are destroyed.
        let start = || unsafe { threads.start(NonNull::from(&pool), scene.workers) }.unwrap();
        let restart = |_: &Trace| {
            for _ in 0..scene.restarts {
                // SAFETY: as above.
                unsafe { threads.stop(NonNull::from(&pool)) }.unwrap();
                start();
            }
        };
        let start_late = |_: &Trace| start();
        let others: &[&(dyn Fn(&Trace) + Sync)] =
            if scene.workers_first { &[&restart] } else { &[&start_late] };
        if scene.workers_first {
            start();
        }
        // SAFETY: nobody else uses the pool any more.
        scene.play(&pool, others, || unsafe { threads.destroy(NonNull::from(&pool)) }.unwrap());
    }

    /// On the caller's own threads, without the host's: two that look until all is done.
    #[test]
    fn polling_workers_keep_the_rules(scene in scenes()) {
        // SAFETY: without a port no worker sleeps.
        let pool = unsafe { Pool::new(ptr::null()) };
        let records = [Worker::new(), Worker::new()];
        let worker = |record: &Worker, trace: &Trace| {
            while trace.ended() < scene.jobs.len() {
                // SAFETY: the record is this thread's, and outlives the pool's use.
                unsafe { pool.run_until_idle(record) };
                thread::yield_now();
            }
        };
        let workers: [&(dyn Fn(&Trace) + Sync); 2] =
            [&|trace| worker(&records[0], trace), &|trace| worker(&records[1], trace)];
        scene.play(&pool, &workers, || ());
    }
}

//! Random submitters, workers, shapes and lengths on real threads; the whole trace is checked.

use core::ptr::{self, NonNull};
use std::thread;
use std::vec::Vec;

use proptest::prelude::*;

use super::trace::{SHAPES, Told, Trace};
use crate::pool::Pool;
use crate::port::host;
use crate::queue::Queue;
use crate::worker::Worker;

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
    /// For each job: its submitter, its queue, its shape, how long its `func` takes.
    jobs: Vec<(usize, usize, usize, u32)>,
}

fn scenes() -> impl Strategy<Value = Scene> {
    (1_usize..5, 1_usize..5, 1_usize..4, any::<bool>(), 0_usize..3).prop_flat_map(
        |(workers, submitters, queues, workers_first, restarts)| {
            let length = prop_oneof![4 => Just(0_u32), 3 => 0_u32..200, 1 => 0_u32..20_000];
            let job = (0..submitters, 0..queues, 0..SHAPES.len(), length);
            prop::collection::vec(job, 0..400).prop_map(move |jobs| Scene {
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
    fn told(&self) -> Vec<Told> {
        let told = |&(submitter, queue, shape, length): &(usize, usize, usize, u32)| Told {
            queue,
            submitter,
            shape: SHAPES[shape],
            length,
        };
        self.jobs.iter().map(told).collect()
    }

    fn play(&self) {
        let (trace, told) = (Trace::new(self.told()), self.told());
        let port = host::PORT;
        // SAFETY: the port outlives the pool, and the pool the queues.
        let pool = unsafe { Pool::new(&raw const port) };
        let queues: Vec<Queue> =
            // SAFETY: as above.
            (0..self.queues).map(|_| unsafe { Queue::new(&raw const pool, ptr::null()) }).collect();
        let threads = host::Threads::new();
        // SAFETY: the pool stays until the threads are destroyed, below.
        let start = || unsafe { threads.start(NonNull::from(&pool), self.workers) }.unwrap();
        if self.workers_first {
            start();
        }
        thread::scope(|scope| {
            for submitter in 0..self.submitters {
                let (trace, told, queues) = (&trace, &told, &queues);
                scope.spawn(move || {
                    for (id, job) in told.iter().enumerate() {
                        if job.submitter == submitter {
                            trace.submit(id, &queues[job.queue]);
                        }
                    }
                });
            }
            for _ in 0..self.restarts {
                // SAFETY: as above.
                unsafe { threads.stop(NonNull::from(&pool)) }.unwrap();
                start();
            }
        });
        if !self.workers_first && self.restarts == 0 {
            start();
        }
        while trace.ended() < self.jobs.len() {
            thread::yield_now();
        }
        // SAFETY: as above, and nobody else uses them.
        unsafe { threads.destroy(NonNull::from(&pool)) }.unwrap();
        trace.check();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn whole_trace_keeps_the_rules(scene in scenes()) {
        scene.play();
    }

    /// The same on the caller's own threads, without the host's: two that look until all is done.
    #[test]
    fn polling_workers_keep_the_rules(scene in scenes()) {
        let (trace, told) = (Trace::new(scene.told()), scene.told());
        // SAFETY: without a port no worker sleeps.
        let pool = unsafe { Pool::new(ptr::null()) };
        let queues: Vec<Queue> = (0..scene.queues)
            // SAFETY: the pool outlives the queues.
            .map(|_| unsafe { Queue::new(&raw const pool, ptr::null()) })
            .collect();
        let records = [Worker::new(), Worker::new()];
        thread::scope(|scope| {
            for record in &records {
                let (pool, trace, n) = (&pool, &trace, scene.jobs.len());
                scope.spawn(move || {
                    while trace.ended() < n {
                        // SAFETY: the record is this thread's, and outlives the pool's use.
                        unsafe { pool.run_until_idle(record) };
                        thread::yield_now();
                    }
                });
            }
            for (id, job) in told.iter().enumerate() {
                trace.submit(id, &queues[job.queue]);
            }
        });
        trace.check();
    }
}

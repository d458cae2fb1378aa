//! btwq: an ordered work queue without locks, without allocation, without an operating system.
//!
//! A work has three callbacks: `func` runs concurrently with others on any worker; `ordered_func`
//! runs after it, strictly in the order in which works were queued; `ordered_free` runs after that
//! and ends the work's life. Compress extents in parallel, write them in order, free them: that is
//! the shape. The idea is that of btrfs's work queue (`async-thread` in Linux).
//!
//! # The map
//!
//! | file          | what is there                                                                 |
//! |---------------|-------------------------------------------------------------------------------|
//! | `sync`        | the only importer of atomics and cells; one face for each backend             |
//! | `error.rs`    | why a call is refused                                                         |
//! | `state.rs`    | the life of a work: bits, and one method for each transition                  |
//! | `work.rs`     | a work: links, callbacks, state, status                                       |
//! | `lane.rs`     | the two lanes                                                                 |
//! | `batch.rs`    | works that are submitted together                                             |
//! | `turns.rs`    | a list in order of arrival, and the right to take the next of it              |
//! | `ordered.rs`  | the ordered list: push, retire, stand                                         |
//! | `limit.rs`    | how many may run at once: the limit, the threshold, who waits for them        |
//! | `control.rs`  | a queue's control: backlogs, limits, counts                                   |
//! | `chain.rs`    | a word that holds a chain of ready works                                      |
//! | `worker.rs`   | a worker's record, and the list of them                                       |
//! | `ready.rs`    | works that wait for a worker: submit, claim, put back                         |
//! | `sleep.rs`    | who sleeps, and who wakes whom                                                |
//! | `port.rs`     | what a platform must give; `port/host.rs`: threads, `port/clock.rs`: time     |
//! | `timer.rs`    | delayed works                                                                 |
//! | `pool.rs`     | workers: run one, run until idle, run; stop; tick                             |
//! | `executor.rs` | where ready works go: to a pool, or to an executor of the user's              |
//! | `queue.rs`    | submission, of one work and of many, now and later; completion                |
//! | `stats.rs`    | what is set and seen of a queue's control: limits, statistics                 |
//! | `count.rs`    | counts that are waited for                                                    |
//! | `end.rs`      | cancel, flush, drain, destroy                                                 |
//! | `frame.rs`    | whose callback the calling context is in                                      |
//! | `helper.rs`   | what is done with a work that was claimed                                     |
//! | [`safe`]      | the safe face, which stands on the interface of all these                     |
//!
//! # Progress
//!
//! | function                                        | guarantee                    | from interrupts |
//! |-------------------------------------------------|------------------------------|-----------------|
//! | [`Queue::submit`], `try_`, `_batch`, `_delayed` | lock-free                    | yes             |
//! | [`Queue::complete`]                             | wait-free, but as a submit   | yes             |
//! |                                                 | when it hands over           |                 |
//! | [`Work::cancel`]                                | wait-free                    | yes             |
//! | [`Queue::set_max`], `set_threshold`             | lock-free                    | yes             |
//! | [`Queue::stats`], `check`, `set_bound`          | wait-free                    | yes             |
//! | [`Pool::run_one`], claiming                     | lock-free                    | no              |
//! | the same, finishing                             | wait-free                    | no              |
//! | the same, retiring                              | waits for nobody             | no              |
//! | [`Queue::helper`]                               | as the three above together  | no              |
//! | [`Pool::run`]                                   | blocks while nothing is      | no              |
//! |                                                 | ready; never spins           |                 |
//! | [`Queue::flush`], `drain`, `destroy`;           | block; never spin            | no              |
//! | [`Work::flush`], `cancel_sync`                  |                              |                 |
//! | [`Pool::stop`]                                  | lock-free                    | yes             |
//! | [`Pool::tick`]                                  | waits for nobody             | yes             |
//!
//! # The contract of the interface
//!
//! This is the interface that the C ABI stands on: it takes addresses, and what it asks of them is
//! under `# Safety` of each function. Programs in Rust use [`safe`], which asks for nothing.
#![no_std]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(any(test, feature = "std"))]
extern crate std;

mod batch;
mod chain;
mod control;
mod count;
mod end;
mod error;
mod executor;
mod frame;
mod helper;
mod lane;
mod limit;
mod ordered;
mod pool;
mod port;
mod queue;
mod ready;
pub mod safe;
mod sleep;
mod state;
mod stats;
mod sync;
mod timer;
mod turns;
mod work;
mod worker;

#[cfg(test)]
mod tests;

pub use control::{Control, Stats};
pub use error::Error;
pub use executor::Executor;
pub use pool::{Pool, Run};
pub use port::Port;
#[cfg(feature = "std")]
pub use port::host;
pub use queue::Queue;
pub use timer::{MAX_DELAY, NEVER, Timers};
pub use work::{CANCELLED, Func, Work, WorkOps};
pub use worker::Worker;

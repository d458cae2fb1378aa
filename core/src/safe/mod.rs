//! The safe face: what the rest of this crate asks for by `# Safety`, asked for by types.
//!
//! | file              | what is there                                                             |
//! |-------------------|---------------------------------------------------------------------------|
//! | `submit.rs`       | what can be submitted, and a refusal, which gives it back                 |
//! | `boxed_work.rs`   | works on the heap: `Job`, `BoxedWork` (feature `alloc`)                   |
//! | `static_work.rs`  | works in statics: [`StaticJob`], [`StaticWork`]                           |
//! | `running.rs`      | what `run` is told, and works that are completed later: [`Completion`]    |
//! | `queue.rs`        | a [`Queue`], behind a reference that is valid long enough                 |
//! | `shared_queue.rs` | a queue that is counted, and drained before it goes (feature `alloc`)     |
//! | `static_queue.rs` | a queue in a static                                                       |
//! | `thread_pool.rs`  | a pool of threads (feature `std`)                                         |
//! | `static_pool.rs`  | a pool in a static, and workers of one's own for it                       |
//! | `misuse.rs`       | what the compiler refuses, each with a test that it does                  |
//!
//! # The shape
//!
//! A job is a type with three methods, as a work has three callbacks: `run` (`func`) runs
//! concurrently with those of other jobs; `ordered` (`ordered_func`) after it, in the order in which
//! the jobs were submitted, one at a time; `free` (`ordered_free`) after that, in the same order,
//! and it has the work back: to drop it, which is what it does by itself, or to submit it again.
//!
#![cfg_attr(feature = "std", doc = "Compress in parallel, write in order:\n")]
#![cfg_attr(feature = "std", doc = "```")]
#![cfg_attr(not(feature = "std"), doc = "```ignore")]
//! use std::sync::{Arc, Mutex};
//! use btwq::safe::{BoxedWork, Job, Queue, Running, SharedQueue, ThreadPool};
//!
//! struct Extent { data: Vec<u8>, file: Arc<Mutex<Vec<u8>>> }
//!
//! impl Job for Extent {
//!     /// On all cores at once.
//!     fn run(&mut self, _: Running<'_>) {
//!         self.data.dedup(); // A compression of a kind.
//!     }
//!     /// One after the other, as they were submitted. So the lock is always free.
//!     fn ordered(&mut self, _status: i32, _: &Queue) {
//!         self.file.lock().unwrap().extend(&self.data);
//!     }
//! }
//!
//! let file = Arc::new(Mutex::new(Vec::new()));
//! let pool = ThreadPool::new(4)?;
//! let queue = SharedQueue::new(&pool, c"compress");
//! for byte in 0..100 {
//!     let extent = Extent { data: vec![byte; 4096], file: Arc::clone(&file) };
//!     queue.submit(BoxedWork::new(extent))?;
//! }
//! drop(queue); // Waits for all of them.
//! assert_eq!(*file.lock().unwrap(), (0..100).collect::<Vec<u8>>());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What holds by itself
//!
//! - A work that is submitted is moved away, and comes back to its `free`, or at once if it is
//!   refused ([`Refused`]): nothing is lost, and nothing is used by two.
//! - A queue, and its pool, stay as long as anybody may still need them. To forget any of these
//!   things (`mem::forget`) leaks, or leaves things undone, and does nothing worse.
//! - Memory is allocated where a work, a queue or a pool is made; between the submission of a work
//!   and its `free` nothing is.
//!
//! # Panics
//!
//! A panic in `run`, `ordered` or `free`, or in what a job's destructor does there, aborts the
//! process: the callbacks are `extern "C"`, since those behind them in the order could not go on.
//! A job that may fail keeps a `Result`, and looks at it in `ordered`.

#[cfg(feature = "alloc")]
mod boxed_work;
#[cfg(feature = "std")]
mod misuse;
mod queue;
mod running;
#[cfg(feature = "alloc")]
mod shared_queue;
mod static_pool;
mod static_queue;
mod static_work;
mod submit;
#[cfg(feature = "std")]
mod thread_pool;

#[cfg(feature = "alloc")]
pub use boxed_work::{BoxedWork, Job};
pub use queue::Queue;
pub use running::{ABANDONED, Completion, Running};
#[cfg(feature = "alloc")]
pub use shared_queue::SharedQueue;
pub use static_pool::{StaticPool, StaticWorker, Worker};
pub use static_queue::StaticQueue;
pub use static_work::{StaticJob, StaticWork};
pub use submit::{Refused, Submit};
#[cfg(feature = "std")]
pub use thread_pool::ThreadPool;

//! What the compiler refuses. Each refusal is a test, with the error that it must be.
//!
//! All of them stand on this, which compiles:
//!
//! ```
//! use btwq::safe::*;
//!
//! struct Write(u32);
//! impl Job for Write {
//!     fn run(&mut self, _: Running<'_>) {}
//! }
//! struct Blink;
//! impl StaticJob for Blink {
//!     fn run(&'static self, _: Running<'_>) {}
//! }
//! static LOOP: StaticPool = StaticPool::new();
//! static LEDS: StaticQueue = StaticQueue::new(&LOOP, c"leds");
//! static WORKER: StaticWorker = StaticWorker::new(&LOOP);
//! static BLINK: StaticWork<Blink> = StaticWork::new(Blink);
//!
//! let pool = ThreadPool::new(1)?;
//! let queue = SharedQueue::new(&pool, c"misuse");
//! queue.submit(BoxedWork::new(Write(1)))?;
//! queue.submit_all([BoxedWork::new(Write(2)), BoxedWork::new(Write(3))])?;
//! LEDS.get().submit(&BLINK)?;
//! WORKER.take().ok_or("taken")?.run_until_idle();
//! drop((pool, queue));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A job that borrows what may be gone before it runs:
//!
//! ```compile_fail,E0597
//! # use btwq::safe::*;
//! struct Write<'a>(&'a [u8]);
//! impl Job for Write<'static> {
//!     fn run(&mut self, _: Running<'_>) {}
//! }
//! let pool = ThreadPool::new(1).unwrap();
//! let queue = SharedQueue::new(&pool, c"misuse");
//! let data = vec![1, 2, 3];
//! queue.submit(BoxedWork::new(Write(&data))).unwrap();
//! ```
//!
//! The same, said of the type:
//!
//! ```compile_fail,E0478
//! # use btwq::safe::*;
//! struct Write<'a>(&'a [u8]);
//! impl<'a> Job for Write<'a> {
//!     fn run(&mut self, _: Running<'_>) {}
//! }
//! ```
//!
//! A job that can not go to another thread:
//!
//! ```compile_fail,E0277
//! # use btwq::safe::*;
//! struct Write(std::rc::Rc<u32>);
//! impl Job for Write {
//!     fn run(&mut self, _: Running<'_>) {}
//! }
//! ```
//!
//! A static job that can not be shared among threads:
//!
//! ```compile_fail,E0277
//! # use btwq::safe::*;
//! struct Blink(std::cell::Cell<u32>);
//! impl StaticJob for Blink {
//!     fn run(&'static self, _: Running<'_>) {}
//! }
//! ```
//!
//! A "static" work on the stack:
//!
//! ```compile_fail,E0597
//! # use btwq::safe::*;
//! # struct Blink;
//! # impl StaticJob for Blink {
//! #     fn run(&'static self, _: Running<'_>) {}
//! # }
//! # static LOOP: StaticPool = StaticPool::new();
//! # static LEDS: StaticQueue = StaticQueue::new(&LOOP, c"leds");
//! let blink = StaticWork::new(Blink);
//! LEDS.get().submit(&blink).unwrap();
//! ```
//!
//! A "static" queue on the stack:
//!
//! ```compile_fail,E0597
//! # use btwq::safe::*;
//! # static LOOP: StaticPool = StaticPool::new();
//! let leds = StaticQueue::new(&LOOP, c"leds");
//! leds.get().flush().unwrap();
//! ```
//!
//! A use of a job after it was submitted:
//!
//! ```compile_fail,E0382
//! # use btwq::safe::*;
//! # struct Write(u32);
//! # impl Job for Write {
//! #     fn run(&mut self, _: Running<'_>) {}
//! # }
//! # let pool = ThreadPool::new(1).unwrap();
//! # let queue = SharedQueue::new(&pool, c"misuse");
//! let mut write = BoxedWork::new(Write(1));
//! queue.submit(write).unwrap();
//! write.0 = 2;
//! ```
//!
//! The same box submitted twice:
//!
//! ```compile_fail,E0382
//! # use btwq::safe::*;
//! # struct Write(u32);
//! # impl Job for Write {
//! #     fn run(&mut self, _: Running<'_>) {}
//! # }
//! # let pool = ThreadPool::new(1).unwrap();
//! # let queue = SharedQueue::new(&pool, c"misuse");
//! let write = BoxedWork::new(Write(1));
//! queue.submit(write).unwrap();
//! queue.submit(write).unwrap();
//! ```
//!
//! And twice in one batch:
//!
//! ```compile_fail,E0382
//! # use btwq::safe::*;
//! # struct Write(u32);
//! # impl Job for Write {
//! #     fn run(&mut self, _: Running<'_>) {}
//! # }
//! # let pool = ThreadPool::new(1).unwrap();
//! # let queue = SharedQueue::new(&pool, c"misuse");
//! let write = BoxedWork::new(Write(1));
//! queue.submit_all([write, write]).unwrap();
//! ```
//!
//! A worker used by two threads:
//!
//! ```compile_fail,E0499
//! # use btwq::safe::*;
//! # static LOOP: StaticPool = StaticPool::new();
//! # static WORKER: StaticWorker = StaticWorker::new(&LOOP);
//! let mut worker = WORKER.take().unwrap();
//! std::thread::scope(|scope| {
//!     scope.spawn(|| worker.run_until_idle());
//!     scope.spawn(|| worker.run_until_idle());
//! });
//! ```
//!
//! A reference to a queue that outlives its handle:
//!
//! ```compile_fail,E0505
//! # use btwq::safe::*;
//! # let pool = ThreadPool::new(1).unwrap();
//! let handle = SharedQueue::new(&pool, c"misuse");
//! let queue: &Queue = &handle;
//! drop(handle);
//! queue.flush().unwrap();
//! ```
//!
//! A queue moved from where it is:
//!
//! ```compile_fail,E0507
//! # use btwq::safe::*;
//! # let pool = ThreadPool::new(1).unwrap();
//! let handle = SharedQueue::new(&pool, c"misuse");
//! let queue: Queue = *handle;
//! ```
//!
//! A callback's queue kept beyond the callback:
//!
//! ```compile_fail
//! # use btwq::safe::*;
//! struct Keep(Option<&'static Queue>);
//! impl Job for Keep {
//!     fn run(&mut self, running: Running<'_>) {
//!         self.0 = Some(running.queue()); // "lifetime may not live long enough" has no number.
//!     }
//! }
//! ```
//!
//! Two completions for one `run`:
//!
//! ```compile_fail,E0382
//! # use btwq::safe::*;
//! struct Read;
//! impl Job for Read {
//!     fn run(&mut self, running: Running<'_>) {
//!         running.later().complete(0);
//!         running.later().complete(0);
//!     }
//! }
//! ```
//!
//! A completion used twice:
//!
//! ```compile_fail,E0382
//! # use btwq::safe::*;
//! struct Read;
//! impl Job for Read {
//!     fn run(&mut self, running: Running<'_>) {
//!         let done = running.later();
//!         done.complete(0);
//!         done.complete(0);
//!     }
//! }
//! ```
//!
//! What works are handed over by, called from outside:
//!
//! ```compile_fail,E0133
//! # use btwq::safe::*;
//! fn mine_again<W: Submit>(work: &W) {
//!     work.release();
//! }
//! ```

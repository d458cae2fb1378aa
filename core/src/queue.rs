//! A queue: a place in the order for each work, and where to run it.
//!
//! Two lanes, each with an order of its own, after btrfs's high-priority queue beside the normal
//! one. How works leave, by cancelling, flushing and so on, is in `end.rs`.
//!
//! | field      | used for                                                                        |
//! |------------|---------------------------------------------------------------------------------|
//! | `lists`    | the order of each lane                                                          |
//! | `control`  | limits and counts, if the user has given any; set before the first work         |
//! | `executor` | where works go that are ready, if not to the pool; set before the first work    |
//! | `loose`    | works without a place in the order, from submission until `func` has returned   |
//! | `turnstile`| one at a time flushes those                                                     |
//! | `delayed`  | works that the timers have, until they are in a lane                            |
//! | `closing`  | how many drains there are, and whether the queue is being destroyed             |
//! | `late`     | submissions while it is closing, which only its own callbacks may make          |

use core::ffi::c_char;
use core::ptr::{self, NonNull};

use crate::batch::Batch;
use crate::control::Control;
use crate::count::{Count, Phases, Turnstile};
use crate::error::Error;
use crate::executor::{Executor, Route};
use crate::frame;
use crate::helper;
use crate::lane::{Lane, PerLane};
use crate::ordered::OrderedList;
use crate::pool::Pool;
use crate::port::Port;
use crate::state::{Owed, State};
use crate::sync::{Atomic, AtomicPtr, Cell, Ordering, const_fn, model_only};
use crate::work::Work;

/// An ordered work queue.
///
/// A queue must stay where it is, and valid, from the first submission until [`Queue::destroy`] has
/// returned; or, if it is not destroyed, until the last of its works has gone and its pool's workers
/// have come out of the call that ran it.
#[repr(C)]
pub struct Queue {
    lists: PerLane<OrderedList>,
    pool: *const Pool,
    name: *const c_char,
    control: AtomicPtr<Control>,
    executor: AtomicPtr<Executor>,
    loose: Phases,
    turnstile: Turnstile,
    delayed: Count,
    pub(crate) closing: Atomic<u32>,
    pub(crate) late: Atomic<u32>,
    /// For faces in other languages: what tells an initialised one.
    tag: u32,
}

// SAFETY: `pool` and `name` are constant, the pool may be used from everywhere, and so may all the
// rest.
unsafe impl Send for Queue {}
// SAFETY: as for Send.
unsafe impl Sync for Queue {}

/// What decides where a work goes.
#[derive(Clone, Copy)]
struct Kind {
    lane: Lane,
    is_ordered: bool,
}

/// Works that are submitted together, by the ordered list and by the ready list.
type Batches = (Option<Batch>, Option<Batch>);

impl Queue {
    const_fn! {
        /// A queue whose works the workers of `pool` run. The name is for traces.
        ///
        /// # Safety
        /// `pool` is valid as long as the queue is used, and `name` is null or a string that ends in
        /// a zero and is valid as long.
        #[must_use]
        pub const unsafe fn new(pool: *const Pool, name: *const c_char) -> Self {
            Self {
                lists: PerLane::new(OrderedList::new(), OrderedList::new()),
                pool,
                name,
                control: AtomicPtr::new(ptr::null_mut()),
                executor: AtomicPtr::new(ptr::null_mut()),
                loose: Phases::new(),
                turnstile: Turnstile::new(),
                delayed: Count::new(),
                closing: Atomic::new(0),
                late: Atomic::new(0),
                tag: 0,
            }
        }
    }

    /// Queues `work`: its `func` runs on some worker; its ordered callbacks run after that, and
    /// after those of all works queued here, on the same lane, before. Lock-free; callable from
    /// interrupts and callbacks.
    ///
    /// # Errors
    /// [`Error::Busy`]: it is queued already. [`Error::Invalid`]: it was never initialised, or has no
    /// callback. [`Error::Shutdown`]: the queue is being drained or destroyed, and the caller is none
    /// of its callbacks. Nothing has changed then.
    ///
    /// # Safety
    /// `work` is initialised memory that stays valid, and where it is, until the work's last callback
    /// is entered, and the queue as long as its own documentation says. The work belongs to the
    /// caller: nobody else submits it at the same time and then frees it.
    pub unsafe fn submit(&self, work: NonNull<Work>) -> Result<(), Error> {
        self.admit_caller()?;
        // SAFETY: as the caller says.
        let kind = unsafe { self.accept(work, State::NONE) }?;
        if let Some(control) = self.control() {
            control.hold(1);
        }
        // SAFETY: accepted.
        unsafe { self.place(work, kind, || ()) };
        Ok(())
    }

    /// As [`Queue::submit`], unless as many works are in flight as the bound allows: submitted, and
    /// their last callback has not returned. Without a bound it is the same.
    ///
    /// # Errors
    /// [`Error::Again`]: so many are in flight. The others as of [`Queue::submit`].
    ///
    /// # Safety
    /// As of [`Queue::submit`].
    pub unsafe fn try_submit(&self, work: NonNull<Work>) -> Result<(), Error> {
        // SAFETY: as the caller says.
        let Some(control) = self.control() else { return unsafe { self.submit(work) } };
        self.admit_caller()?;
        // What is misuse is said to be, also where there is no room.
        // SAFETY: valid, says the caller.
        unsafe { work.as_ref() }.state.idle()?;
        control.try_hold()?;
        // SAFETY: as the caller says.
        match unsafe { self.accept(work, State::NONE) } {
            // SAFETY: accepted.
            Ok(kind) => unsafe { self.place(work, kind, || ()) },
            Err(error) => {
                control.unhold();
                return Err(error);
            }
        }
        Ok(())
    }

    /// Queues all of `works`, in their order, or none. Those of one lane take their places by one
    /// atomic step: nothing that is submitted elsewhere comes between them. Lock-free, as
    /// [`Queue::submit`], but for the steps that prepare each work.
    ///
    /// # Errors
    /// As of [`Queue::submit`], if any of them would be refused. Nothing has changed then.
    ///
    /// # Safety
    /// As of [`Queue::submit`], for each of them.
    pub unsafe fn submit_batch(&self, works: &[NonNull<Work>]) -> Result<(), Error> {
        self.admit_caller()?;
        for (accepted, work) in works.iter().enumerate() {
            // SAFETY: as the caller says.
            if let Err(error) = unsafe { self.accept(*work, State::NONE) } {
                // SAFETY: accepted above, and in no list.
                works.iter().take(accepted).for_each(|work| unsafe { self.unaccept(*work) });
                return Err(error);
            }
        }
        if let Some(control) = self.control() {
            control.hold(u32::try_from(works.len()).unwrap_or(u32::MAX));
        }
        // SAFETY: accepted.
        works.iter().for_each(|work| unsafe { work.as_ref().status.set(0) });
        // SAFETY: accepted, in no list, and known to nobody else.
        let batches = [Lane::High, Lane::Normal].map(|lane| (lane, unsafe { chain(works, lane) }));
        let (control, route) = (self.control(), self.route());
        for (lane, (ordered, _)) in &batches {
            // SAFETY: as above.
            unsafe { self.push(*lane, ordered.as_ref()) };
        }
        // Neither the works nor this queue may be dereferenced past this point, as in `place`; but
        // for those that no list has yet.
        for (lane, (_, ready)) in &batches {
            if let Some(batch) = ready {
                // SAFETY: accepted, in no chain; the queue, and its control, outlive them.
                unsafe { make_ready(control, route, *lane, batch) };
            }
        }
        Ok(())
    }

    /// Queues `work` when so many ticks have passed, at most [`MAX_DELAY`]: it takes its place in
    /// the order then. Works whose time comes at one tick are queued in the order of submission.
    /// Lock-free; callable from interrupts and callbacks.
    ///
    /// # Errors
    /// As of [`Queue::submit`]; [`Error::Invalid`] also if the delay is longer, or the pool has no
    /// timers, or its port no time.
    ///
    /// # Safety
    /// As of [`Queue::submit`].
    ///
    /// [`MAX_DELAY`]: crate::MAX_DELAY
    pub unsafe fn submit_delayed(&self, work: NonNull<Work>, ticks: u32) -> Result<(), Error> {
        // SAFETY: valid as long as the queue is used.
        let due = unsafe { (*self.pool).due_in(ticks) }?;
        self.admit_caller()?;
        // SAFETY: as the caller says.
        unsafe { self.accept(work, State::DELAYED) }?;
        if let Some(control) = self.control() {
            control.hold(1);
        }
        self.delayed.add();
        let pool = self.pool();
        // SAFETY: accepted. Who cancels it from here on knows this queue.
        let was_cancelled = unsafe { work.as_ref() }.state.is_cancelled_before();
        // Neither the work nor this queue may be dereferenced past this call.
        // SAFETY: accepted, and in no list.
        unsafe { pool.delay(work, due) };
        if was_cancelled {
            pool.note_cancelled();
        }
        Ok(())
    }

    /// Queues a work whose delay is over.
    ///
    /// # Safety
    /// The work was accepted as delayed, and no list has it.
    pub(crate) unsafe fn submit_expired(work: NonNull<Work>) {
        // SAFETY: queued, and ours; its queue outlives it, and stays until it is no longer counted.
        let (this, queue) = unsafe { (work.as_ref(), &*work.as_ref().queue()) };
        // SAFETY: queued.
        let is_ordered = unsafe { this.ops() }.is_ordered();
        if !is_ordered && queue.loose.add() {
            this.state.add(State::PHASE);
        }
        let route = queue.route();
        let kind = Kind { lane: this.state.look().lane(), is_ordered };
        let expire = || {
            if this.state.expire() {
                route.wake(this.state.address()); // Whoever waits for this keeps the memory.
            }
        };
        // SAFETY: accepted, and in no list.
        unsafe { queue.place(work, kind, expire) };
        if let Some(address) = queue.delayed.done() {
            route.wake(address);
        }
    }

    /// Says that what an asynchronous work has begun is over, with `status`, which its ordered
    /// callbacks find by [`Work::status`]. Once for each life of a work; before `func` has
    /// returned, or after. No callback runs in this call: if the work's turn has come, a worker is
    /// found for it. Lock-free; callable from interrupts and callbacks.
    ///
    /// # Errors
    /// [`Error::Invalid`]: the work was never initialised, is not queued, or not asynchronous.
    /// [`Error::Busy`]: it was completed already, or cancelled. Nothing has changed then.
    ///
    /// # Safety
    /// `work` is valid. (It stays so at least until its first completion, unless it is cancelled.)
    /// Its submission has returned, or its `func` has begun.
    pub unsafe fn complete(work: NonNull<Work>, status: i32) -> Result<(), Error> {
        // SAFETY: valid, says the caller.
        let this = unsafe { work.as_ref() };
        // SAFETY: called for the first completion, while the status is nobody else's.
        if this.state.complete(|| unsafe { this.status.set(status) })? == Owed::Retire {
            let lane = this.state.look().lane();
            // SAFETY: state rule 1: the work is ours to hand over; a queue outlives its works.
            unsafe { (*this.queue()).route().make_one_ready(lane, work) };
        }
        // `work` must not be dereferenced past this point (state rule 2).
        Ok(())
    }

    /// What the helper of an executor does: runs `work`, or retires it, and that last. What becomes
    /// ready by it is dispatched. Lock-free beside the callbacks.
    ///
    /// # Safety
    /// The work was given to the executor's `dispatch`, and this is the one call for that. Not from
    /// an interrupt, nor from within `dispatch`.
    pub unsafe fn helper(work: NonNull<Work>) {
        // SAFETY: a dispatched work is valid and queued; its queue outlives it; and the pool that.
        let port = unsafe { (*(*work.as_ref().queue()).pool).port() };
        // SAFETY: as the caller says.
        frame::with_frame(port, |frame| unsafe { helper::run(work, frame, 1) });
    }

    /// Gives the queue a control: before its first work, and once.
    ///
    /// # Errors
    /// [`Error::Busy`]: it has one.
    ///
    /// # Safety
    /// `control` is valid as long as the queue is used, and no other queue's.
    pub unsafe fn set_control(&self, control: NonNull<Control>) -> Result<(), Error> {
        set(&self.control, control)
    }

    /// Lets an executor run the queue's works: before its first work, and once.
    ///
    /// # Errors
    /// [`Error::Busy`]: it has one.
    ///
    /// # Safety
    /// `executor` is as its documentation says, and valid as long as the queue is used.
    pub unsafe fn set_executor(&self, executor: NonNull<Executor>) -> Result<(), Error> {
        set(&self.executor, executor)
    }

    /// The name, as it was given.
    pub fn name(&self) -> *const c_char {
        self.name
    }

    /// The order of a lane.
    pub(crate) fn list(&self, lane: Lane) -> &OrderedList {
        self.lists.of(lane)
    }

    /// The works without a place.
    pub(crate) fn loose(&self) -> &Phases {
        &self.loose
    }

    /// Where those wait who flush them.
    pub(crate) fn turnstile(&self) -> &Turnstile {
        &self.turnstile
    }

    /// The works that the timers have.
    pub(crate) fn delayed(&self) -> &Count {
        &self.delayed
    }

    /// The control, if there is one.
    pub(crate) fn control(&self) -> Option<&Control> {
        // SAFETY: null, or valid as long as the queue is used. Relaxed: set before the first work.
        unsafe { self.control.load(Ordering::Relaxed).as_ref() }
    }

    /// The control, if it counts a work in this state.
    pub(crate) fn control_of(&self, state: State) -> Option<&Control> {
        self.control().filter(|_| state.is_controlled())
    }

    /// Where ready works go.
    pub(crate) fn route(&self) -> Route {
        // Relaxed: set before the first work.
        Route { pool: self.pool, executor: self.executor.load(Ordering::Relaxed) }
    }

    /// The pool.
    pub(crate) fn pool(&self) -> &Pool {
        // SAFETY: valid as long as the queue is used.
        unsafe { &*self.pool }
    }

    /// The pool's port.
    pub(crate) fn port(&self) -> Option<&Port> {
        self.pool().port()
    }

    /// Whether the caller may submit at present.
    ///
    /// # Errors
    /// [`Error::Shutdown`]: the queue is closing, and the caller is none of its callbacks.
    fn admit_caller(&self) -> Result<(), Error> {
        // Relaxed: a submission that is under way when the queue begins to close may be either.
        if self.closing.load(Ordering::Relaxed) == 0 { Ok(()) } else { self.admit_callback() }
    }

    /// # Errors
    /// [`Error::Shutdown`]: the caller is none of the queue's callbacks.
    #[cold]
    fn admit_callback(&self) -> Result<(), Error> {
        if self.port().and_then(|port| frame::is_inside(port, self)) != Some(true) {
            return Err(Error::Shutdown);
        }
        // Relaxed: seen by who waits for the callback to be over.
        self.late.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Makes `work` the library's (edge 1 of its state), and says which way it goes; or refuses it,
    /// and changes nothing.
    ///
    /// # Errors
    /// As of [`Queue::submit`].
    ///
    /// # Safety
    /// As of [`Queue::submit`].
    unsafe fn accept(&self, work: NonNull<Work>, bits: State) -> Result<Kind, Error> {
        // SAFETY: valid, says the caller.
        let this = unsafe { work.as_ref() };
        let idle = this.state.idle()?;
        let is_ordered = this.is_ordered()?;
        let controlled = if self.control().is_some() { State::CONTROLLED } else { State::NONE };
        let is_counted = !is_ordered && !bits.has(State::DELAYED);
        let phase = if is_counted && self.loose.add() { State::PHASE } else { State::NONE };
        this.state.queue(idle, bits.with(controlled).with(phase));
        // After the word says that it is queued: as long as that says that the work is idle, this is
        // the queue that it may still be in a callback of.
        this.set_queue(self);
        Ok(Kind { lane: idle.lane(), is_ordered })
    }

    /// Undoes `accept`.
    ///
    /// # Safety
    /// The work was accepted, not as delayed, and is in no list.
    unsafe fn unaccept(&self, work: NonNull<Work>) {
        // SAFETY: accepted.
        let (this, ops) = unsafe { (work.as_ref(), work.as_ref().ops()) };
        let state = this.state.look();
        this.state.unqueue();
        if !ops.is_ordered()
            && let Some(address) = self.loose.done(state.is_odd())
        {
            self.route().wake(address);
        }
    }

    /// Gives `work` its place, and makes it ready; `placed` is called between. Neither the work nor
    /// this queue may be dereferenced past this call: the work may run, and be the last one, before
    /// it returns.
    ///
    /// # Safety
    /// The work is accepted, of this kind, and in no list.
    unsafe fn place(&self, work: NonNull<Work>, kind: Kind, placed: impl FnOnce()) {
        let (control, route, batch) = (self.control(), self.route(), Batch::of(work));
        // SAFETY: accepted, in no list, and known to nobody else.
        unsafe {
            work.as_ref().status.set(0);
            if kind.is_ordered {
                self.push(kind.lane, Some(&batch));
            }
            placed();
            make_ready(control, route, kind.lane, &batch);
        }
    }

    /// Gives the works of `batch` their places in the order of a lane.
    ///
    /// # Safety
    /// The works are accepted, in no list, and known to nobody else.
    unsafe fn push(&self, lane: Lane, batch: Option<&Batch>) {
        let Some(batch) = batch else { return };
        // SAFETY: as the caller says.
        if unsafe { self.list(lane).push(batch) }
            && let Some(control) = self.control()
        {
            self.note_head(control, lane, batch.oldest());
        }
    }
}

/// Makes the works of `batch` ready, or lets them wait for the limit.
///
/// # Safety
/// As of [`Route::make_ready`].
unsafe fn make_ready(control: Option<&Control>, route: Route, lane: Lane, batch: &Batch) {
    match control {
        // SAFETY: as the caller says.
        None => unsafe { route.make_ready(lane, batch) },
        // SAFETY: as the caller says.
        Some(control) => unsafe { make_ready_within(control, route, lane, batch) },
    }
}

/// Lets the works of `batch` wait for the limit, or the first of them be ready.
///
/// # Safety
/// As of [`Route::make_ready`].
#[cold]
unsafe fn make_ready_within(control: &Control, route: Route, lane: Lane, batch: &Batch) {
    // SAFETY: as the caller says.
    unsafe {
        if let Some(oldest) = control.push(lane, batch) {
            route.make_one_ready(lane, oldest);
        }
    }
}

/// Sets a pointer that is null.
///
/// # Errors
/// [`Error::Busy`]: it is not null.
fn set<T>(word: &AtomicPtr<T>, value: NonNull<T>) -> Result<(), Error> {
    // Relaxed, both: set before the first work, which publishes it.
    let (new, order) = (value.as_ptr(), Ordering::Relaxed);
    word.compare_exchange(ptr::null_mut(), new, order, order).map_or(Err(Error::Busy), |_| Ok(()))
}

/// The works that go by `lane`, chained for the ordered list, those that have a place there, and
/// for the ready list, all.
///
/// # Safety
/// The works are queued, and their links the caller's.
unsafe fn chain(works: &[NonNull<Work>], lane: Lane) -> Batches {
    let (mut ordered, mut ready) = (None, None);
    for &work in works {
        // SAFETY: valid, and ours.
        let this = unsafe { work.as_ref() };
        if this.state.look().lane() != lane {
            continue;
        }
        // SAFETY: queued.
        if unsafe { this.ops() }.is_ordered() {
            // SAFETY: the link is ours.
            unsafe { extend(&mut ordered, work, |work| &work.link) };
        }
        // SAFETY: the link is ours.
        unsafe { extend(&mut ready, work, |work| &work.next) };
    }
    (ordered, ready)
}

/// Adds `work` to a batch, or begins one with it.
///
/// # Safety
/// As of [`Batch::add`].
unsafe fn extend(
    batch: &mut Option<Batch>,
    work: NonNull<Work>,
    field: fn(&Work) -> &Cell<*mut Work>,
) {
    match batch {
        // SAFETY: as the caller says.
        Some(batch) => unsafe { batch.add(work, field) },
        None => *batch = Some(Batch::of(work)),
    }
}

model_only! {
    impl Queue {
        /// Ends the queue's life; a use that is not known to have come before is a fault.
        pub(crate) fn revoke(&mut self) {
            self.lists.both_mut().into_iter().for_each(OrderedList::revoke);
            self.control.with_mut(|_| ());
            self.executor.with_mut(|_| ());
            self.loose.revoke();
            self.turnstile.revoke();
            self.delayed.revoke();
            self.closing.revoke();
            self.late.revoke();
        }
    }
}

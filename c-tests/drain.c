/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: btwq_queue_drain returns when the queue is empty: works that the queue's own callbacks
 * queue meanwhile are run as well, however long that goes on, and delayed ones are waited for.
 * Until then submissions from elsewhere are refused with BTWQ_ESHUTDOWN; afterwards the queue takes
 * works as before. Any number of callers at once; they sleep.
 */
#include "waiters.h"

enum { CALLERS = 3, CHAINS = 7, LINKS = 60, DELAY = 1000 };

static btwq_pool pool = BTWQ_POOL_INIT(&waiters_port), other_pool = BTWQ_POOL_INIT(&waiters_port);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "drain");
static btwq_queue other_queue = BTWQ_QUEUE_INIT(&other_pool, "other");
static btwq_worker worker = BTWQ_WORKER_INIT(&pool), other_worker = BTWQ_WORKER_INIT(&other_pool);
static btwq_timers timers = BTWQ_TIMERS_INIT;
static struct waiter waiters[CALLERS];
static unsigned ended;
static uint32_t now; /* the pool's clock stands still until the test moves it */

static uint32_t clock_by_hand(void)
{
    return __atomic_load_n(&now, __ATOMIC_SEQ_CST);
}

static void last(btwq_work *work)
{
    (void)work;
    CHECK_EQ(waiters_gone(), 0);
    ended++;
}

static const btwq_work_ops ops = {NULL, last, NULL};

static void drain_by_all(void)
{
    ended = 0;
    waiters_start(waiters, CALLERS, QUEUE_DRAIN, &queue, NULL);
    waiters_settle(CALLERS);
}

/* The main thread is the only worker: nothing moves but by this. */
static void run_and_join(unsigned works)
{
    CHECK_EQ(waiters_gone(), 0);
    waiters_serve(&worker, CALLERS);
    CHECK_EQ(ended, works);
    waiters_join(waiters, CALLERS, BTWQ_OK);
}

static void run(void)
{
    CHECK(btwq_run_until_idle(&worker) >= 0);
}

static void is_open(void)
{
    btwq_work work = BTWQ_WORK_INIT(&ops);
    ended = 0;
    SUBMIT(&queue, &work);
    CHECK_EQ(btwq_run_until_idle(&worker), 1);
    CHECK_EQ(ended, 1);
}

static void empty(void)
{
    waiters_start(waiters, CALLERS, QUEUE_DRAIN, &queue, NULL);
    waiters_join(waiters, CALLERS, BTWQ_OK);
    is_open();
}

/* Outside: a thread, a signal handler, a callback of another queue. */
static btwq_work outsider = BTWQ_WORK_INIT(&ops);

static void is_refused(void)
{
    btwq_work *const batch[] = {&outsider};
    CHECK_EQ(btwq_queue_work(&queue, &outsider), BTWQ_ESHUTDOWN);
    CHECK_EQ(btwq_queue_try_work(&queue, &outsider), BTWQ_ESHUTDOWN);
    CHECK_EQ(btwq_queue_work_batch(&queue, batch, 1), BTWQ_ESHUTDOWN);
    CHECK_EQ(btwq_queue_work_delayed(&queue, &outsider, 0), BTWQ_ESHUTDOWN);
}

static void is_refused_in_callback(btwq_work *work)
{
    (void)work;
    is_refused();
}

/* A handler stands where it has interrupted: outside, or in a callback. */
static btwq_status result_in_handler;

static void on_signal(int number)
{
    (void)number;
    result_in_handler = btwq_queue_work(&queue, &outsider);
}

static void is_interrupted(btwq_work *work)
{
    (void)work;
    raise(SIGUSR1);
    CHECK_EQ(result_in_handler, BTWQ_OK);
}

static void a_handler_in_a_callback_is_inside(void)
{
    static const btwq_work_ops interrupted = {is_interrupted, last, NULL};
    btwq_work work = BTWQ_WORK_INIT(&interrupted);
    SUBMIT(&queue, &work);
    drain_by_all();
    run_and_join(2);
}

static void outside_is_refused(void)
{
    static const btwq_work_ops refused_ops = {is_refused_in_callback, is_refused_in_callback, NULL};
    btwq_work work = BTWQ_WORK_INIT(&ops), other = BTWQ_WORK_INIT(&refused_ops);
    SUBMIT(&queue, &work);
    drain_by_all();
    is_refused();
    raise(SIGUSR1);
    CHECK_EQ(result_in_handler, BTWQ_ESHUTDOWN);
    SUBMIT(&other_queue, &other);
    CHECK_EQ(btwq_run_until_idle(&other_worker), 1);
    run_and_join(1);
    ended = 0;
    SUBMIT(&queue, &outsider); /* Nothing had changed by the refusals. */
    CHECK_EQ(btwq_run_until_idle(&worker), 1);
    CHECK_EQ(ended, 1);
}

/* Each work of a chain queues the next, in one of its callbacks, on one of the lanes. */
struct link {
    btwq_work work;
    unsigned chain, place;
};

static struct link links[CHAINS][LINKS];

static void queue_next(btwq_work *work, unsigned stage)
{
    const struct link *link = CONTAINER_OF(work, struct link, work);
    struct link *next = &links[link->chain][link->place + 1];
    const int only_func = (link->chain + link->place) % 4 == 3;
    if (link->place + 1 < LINKS && (only_func || stage == (link->chain + link->place) % 4))
        SUBMIT(&queue, &next->work);
}

static void link_func(btwq_work *work)
{
    queue_next(work, 0);
}

static void link_ordered_func(btwq_work *work)
{
    queue_next(work, 1);
}

static void link_ordered_free(btwq_work *work)
{
    queue_next(work, 2);
    last(work);
}

static void link_only_func(btwq_work *work)
{
    queue_next(work, 3);
    last(work);
}

static const btwq_work_ops link_ops[] = {{link_func, link_ordered_func, link_ordered_free},
                                         {link_only_func, NULL, NULL}};

static void chains_are_run_to_their_ends(void)
{
    unsigned i, k;
    for (i = 0; i < CHAINS; i++) {
        for (k = 0; k < LINKS; k++) {
            struct link *link = &links[i][k];
            link->chain = i;
            link->place = k;
            CHECK_EQ(btwq_work_init(&link->work, &link_ops[(i + k) % 4 == 3]), BTWQ_OK);
            CHECK_EQ(btwq_work_set_high_priority(&link->work, (int)(scramble(k) & 1)), BTWQ_OK);
        }
        SUBMIT(&queue, &links[i][0].work);
    }
    drain_by_all();
    run_and_join(CHAINS * LINKS);
    is_open();
}

static void delay(btwq_work *work, uint32_t ticks)
{
    CHECK_EQ(btwq_queue_work_delayed(&queue, work, ticks), BTWQ_OK);
}

static btwq_work delayed_by_callback = BTWQ_WORK_INIT(&ops);

static void delays(btwq_work *work)
{
    delay(&delayed_by_callback, DELAY);
    last(work);
}

static void delayed_works_are_waited_for(void)
{
    static const btwq_work_ops delaying = {NULL, NULL, delays};
    btwq_work work = BTWQ_WORK_INIT(&delaying);
    delay(&work, DELAY);
    drain_by_all();
    run();
    CHECK_EQ(ended, 0);
    __atomic_add_fetch(&now, DELAY, __ATOMIC_SEQ_CST);
    CHECK_EQ(btwq_pool_tick(&pool), INT32_MAX);
    run();
    CHECK_EQ(ended, 1); /* That one has queued another. */
    waiters_tempt(CALLERS);
    run();
    CHECK_EQ(ended, 1);
    __atomic_add_fetch(&now, DELAY, __ATOMIC_SEQ_CST);
    CHECK_EQ(btwq_pool_tick(&pool), INT32_MAX);
    run_and_join(2);
    is_open();
}

static void asynchronous_works_are_waited_for(void)
{
    btwq_work work = BTWQ_WORK_INIT(&ops);
    CHECK_EQ(btwq_work_set_async(&work), BTWQ_OK);
    SUBMIT(&queue, &work);
    drain_by_all();
    run();
    waiters_tempt(CALLERS);
    CHECK_EQ(btwq_work_complete(&work, 0), BTWQ_OK);
    run_and_join(1);
    is_open();
}

int main(void)
{
    check_begin();
    waiters_set_up();
    waiters_port.now = clock_by_hand;
    signal(SIGUSR1, on_signal);
    REQUIRE_EQ(btwq_pool_set_timers(&pool, &timers), BTWQ_OK);
    empty();
    outside_is_refused();
    a_handler_in_a_callback_is_inside();
    chains_are_run_to_their_ends();
    delayed_works_are_waited_for();
    asynchronous_works_are_waited_for();
    DESTROY(&pool);
    DESTROY(&other_pool);
    return check_end();
}

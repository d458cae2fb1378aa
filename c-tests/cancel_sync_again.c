/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: a work that its last callback queues again, on the same queue or another, at once or
 * with a delay, is brought to its end by btwq_work_cancel_sync all the same: whichever life it is
 * in, a later one is cancelled. When the call has returned, no callback of the work runs, and none
 * comes.
 */
#include "waiters.h"

enum { CALLERS = 3, QUEUES = 2, WORKERS = 2, ROUNDS = 400, LIVES = 1000000 };

static btwq_work work;
static btwq_timers timers = BTWQ_TIMERS_INIT;
static unsigned lives; /* plain memory: read when nobody may be in a callback any more */

static void func(btwq_work *w)
{
    (void)w;
}

/* With threads: the callers come at any time, and their results say what happened. */
static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_queue queues[QUEUES] = {BTWQ_QUEUE_INIT(&pool, "a"), BTWQ_QUEUE_INIT(&pool, "b")};
static struct waiter waiters[CALLERS];
static unsigned stride; /* of its queues: 0 if it stays on one */
static int delayed;

static void queue_again(btwq_work *w)
{
    btwq_queue *const queue = &queues[lives * stride % QUEUES];
    if (delayed && lives % 2)
        REQUIRE_EQ(btwq_queue_work_delayed(queue, w, 0), BTWQ_OK);
    else
        SUBMIT(queue, w);
}

static void again(btwq_work *w)
{
    lives++;
    linger(lives);
    if (btwq_work_status(w) != BTWQ_ECANCELED)
        queue_again(w);
}

/* The cancelled life of a work with func alone has no callback that could queue it again. */
static void again_from_func(btwq_work *w)
{
    lives++;
    queue_again(w);
}

static const btwq_work_ops again_ops[] = {
    {func, NULL, again}, {NULL, again, NULL}, {again_from_func, NULL, NULL}};

static void wherever_it_is(unsigned round)
{
    unsigned i, seen, cancelled = 0;
    lives = 0;
    stride = round / 6 % 2;
    delayed = (int)(round / 12 % 2);
    REQUIRE_EQ(btwq_work_init(&work, &again_ops[round % 3]), BTWQ_OK);
    CHECK_EQ(btwq_work_set_high_priority(&work, (int)(round / 3 % 2)), BTWQ_OK);
    SUBMIT(&queues[0], &work);
    spin(scramble(round) % 4000);
    waiters_start(waiters, CALLERS, CANCEL_SYNC, NULL, &work);
    for (i = 0; i < CALLERS; i++) {
        thread_join(waiters[i].thread);
        CHECK(waiters[i].result == BTWQ_OK || waiters[i].result == 1);
        cancelled += waiters[i].result == BTWQ_OK;
    }
    REQUIRE(cancelled > 0); /* Nothing else ends it. */
    seen = lives;
    spin(2000);
    CHECK_EQ(lives, seen);
    CHECK_EQ(btwq_work_cancel(&work), BTWQ_EBUSY); /* It is not queued. */
}

/* By hand: the caller sleeps until a whole life, which he could not cancel, has gone by; he is
 * woken in the last callback of the next one, when the work is not queued, but will be. */
static btwq_port slow_port;
static btwq_pool slow_pools[QUEUES] = {BTWQ_POOL_INIT(&slow_port), BTWQ_POOL_INIT(&slow_port)};
static btwq_queue slow_queues[QUEUES] = {
    BTWQ_QUEUE_INIT(&slow_pools[0], "slow"), BTWQ_QUEUE_INIT(&slow_pools[1], "slow too")};
static btwq_worker workers[QUEUES] = {
    BTWQ_WORKER_INIT(&slow_pools[0]), BTWQ_WORKER_INIT(&slow_pools[1])};
static int held;

static void slow_wait(const uint32_t *word, uint32_t value)
{
    waiters_wait(word, value);
    while (__atomic_load_n(&held, __ATOMIC_SEQ_CST))
        sched_yield();
}

static void slow_again(btwq_work *w)
{
    unsigned i;
    if (++lives == 1) {
        __atomic_store_n(&held, 1, __ATOMIC_SEQ_CST);
        waiters_start(waiters, 1, CANCEL_SYNC, NULL, &work);
        waiters_settle(1);
    } else if (lives == 2) {
        __atomic_store_n(&held, 0, __ATOMIC_SEQ_CST);
        for (i = 0; i < 50; i++)
            sched_yield();
    }
    CHECK_EQ(waiters_gone(), 0);
    if (btwq_work_status(w) != BTWQ_ECANCELED && lives < LIVES)
        SUBMIT(&slow_queues[lives * stride % QUEUES], w);
}

static void serve(void)
{
    if (btwq_run_one(&workers[0]) != 1 && btwq_run_one(&workers[1]) != 1)
        sched_yield();
}

static void late_for_a_life(int high)
{
    static const btwq_work_ops slow_ops = {func, NULL, slow_again};
    lives = 0;
    REQUIRE_EQ(btwq_work_init(&work, &slow_ops), BTWQ_OK);
    CHECK_EQ(btwq_work_set_high_priority(&work, high), BTWQ_OK);
    SUBMIT(&slow_queues[0], &work);
    while (waiters_gone() < 1)
        serve();
    waiters_join(waiters, 1, BTWQ_OK);
    REQUIRE(lives < LIVES);
    CHECK_EQ(btwq_work_cancel(&work), BTWQ_EBUSY);
}

int main(void)
{
    unsigned i;
    check_begin();
    slow_port = btwq_port_host;
    slow_port.wait = slow_wait;
    for (i = 0; i < 4; i++) {
        stride = i / 2;
        late_for_a_life((int)(i % 2));
    }
    REQUIRE_EQ(btwq_pool_set_timers(&pool, &timers), BTWQ_OK);
    START(&pool, WORKERS);
    for (i = check_count(ROUNDS, 24); i > 0; i--)
        wherever_it_is(i);
    DESTROY(&pool);
    for (i = 0; i < QUEUES; i++)
        DESTROY(&slow_pools[i]);
    return check_end();
}

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: an asynchronous work is waited for until its completion, wherever and whenever that
 * comes, by each of the waiting calls: before its func runs, in it, in a signal handler there, in
 * the ordered callback of a work before it, from a thread after it; in either lane. Only while a
 * delayed work is still delayed it is refused.
 */
#include "waiters.h"

enum { CALLERS = 2, CALLS = 5, RESULT = 7, DELAY = 1000 };
enum moment { BEFORE, IN_FUNC, IN_SIGNAL, AFTER, IN_ANOTHER, IN_THREAD, MOMENTS };

static btwq_pool pool = BTWQ_POOL_INIT(&waiters_port);
static btwq_queue queue;
static btwq_worker worker = BTWQ_WORKER_INIT(&pool);
static btwq_timers timers = BTWQ_TIMERS_INIT;
static struct waiter waiters[CALLERS];
static btwq_work earlier, work;
static enum moment moment;
static int completed, ended;
static uint32_t now;

static uint32_t clock_by_hand(void)
{
    return __atomic_load_n(&now, __ATOMIC_SEQ_CST);
}

/* Also called in a signal handler. */
static void complete(void)
{
    completed = 1;
    if (btwq_work_complete(&work, RESULT) != BTWQ_OK)
        abort();
}

static void on_signal(int number)
{
    (void)number;
    complete();
}

static void func(btwq_work *w)
{
    if (moment == IN_FUNC)
        complete();
    else if (moment == IN_SIGNAL)
        raise(SIGUSR1);
    (void)w;
}

static void last(btwq_work *w)
{
    CHECK_EQ(completed, 1);
    CHECK_EQ(btwq_work_status(w), RESULT);
    CHECK_EQ(waiters_gone(), 0);
    ended++;
}

static void earlier_func(btwq_work *w)
{
    (void)w;
    if (moment == IN_ANOTHER)
        complete();
}

static const btwq_work_ops ops = {func, last, NULL};
static const btwq_work_ops earlier_ops = {NULL, earlier_func, NULL};

static void *thread_body(void *nothing)
{
    complete();
    return nothing;
}

static void prepare(int high)
{
    completed = ended = 0;
    CHECK_EQ(btwq_queue_init(&queue, &pool, "async everywhere"), BTWQ_OK);
    CHECK_EQ(btwq_work_init(&earlier, &earlier_ops), BTWQ_OK);
    CHECK_EQ(btwq_work_init(&work, &ops), BTWQ_OK);
    CHECK_EQ(btwq_work_set_high_priority(&earlier, high), BTWQ_OK);
    CHECK_EQ(btwq_work_set_high_priority(&work, high), BTWQ_OK);
    CHECK_EQ(btwq_work_set_async(&work), BTWQ_OK);
}

/* A caller of btwq_work_cancel_sync has to be late: else it would cancel the work. */
static void while_somebody_waits(enum waiting_call call, int high)
{
    const unsigned callers = call == QUEUE_DESTROY ? 1 : CALLERS;
    prepare(high);
    SUBMIT(&queue, &earlier);
    SUBMIT(&queue, &work);
    if (call == CANCEL_SYNC)
        CHECK_EQ(btwq_run_until_idle(&worker), 2);
    waiters_start(waiters, callers, call, &queue, &work);
    waiters_settle(callers);
    if (moment == BEFORE)
        complete();
    CHECK(btwq_run_until_idle(&worker) >= 0);
    if (moment == AFTER)
        complete();
    if (moment == IN_THREAD)
        thread_join(thread_start(thread_body, NULL));
    waiters_serve(&worker, callers);
    CHECK_EQ(ended, 1);
    waiters_join(waiters, callers, call == CANCEL_SYNC ? 1 : BTWQ_OK);
}

static int may_be_late(void)
{
    return moment == AFTER || moment == IN_THREAD;
}

static void not_while_it_is_delayed(int high)
{
    prepare(high);
    moment = AFTER;
    CHECK_EQ(btwq_queue_work_delayed(&queue, &work, DELAY), BTWQ_OK);
    waiters_start(waiters, CALLERS, QUEUE_DRAIN, &queue, NULL);
    waiters_settle(CALLERS);
    CHECK_EQ(btwq_work_complete(&work, RESULT), BTWQ_EINVAL);
    CHECK(btwq_pool_tick(&pool) >= 0);
    __atomic_add_fetch(&now, DELAY - 1, __ATOMIC_SEQ_CST);
    CHECK_EQ(btwq_pool_tick(&pool), 1); /* Nothing has changed. */
    __atomic_add_fetch(&now, 1, __ATOMIC_SEQ_CST);
    CHECK(btwq_pool_tick(&pool) >= 0);
    CHECK(btwq_run_until_idle(&worker) >= 0);
    CHECK_EQ(ended, 0);
    complete();
    waiters_serve(&worker, CALLERS);
    CHECK_EQ(ended, 1);
    waiters_join(waiters, CALLERS, BTWQ_OK);
}

int main(void)
{
    int call, m, high;
    check_begin();
    signal(SIGUSR1, on_signal);
    waiters_set_up();
    waiters_port.now = clock_by_hand;
    REQUIRE_EQ(btwq_pool_set_timers(&pool, &timers), BTWQ_OK);
    for (high = 0; high < 2; high++) {
        for (m = 0; m < MOMENTS; m++) {
            moment = (enum moment)m;
            for (call = 0; call < CALLS; call++) {
                if (call != CANCEL_SYNC || may_be_late())
                    while_somebody_waits((enum waiting_call)call, high);
            }
        }
        not_while_it_is_delayed(high);
    }
    DESTROY(&pool);
    return check_end();
}

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: a waiting call waits for what it is asked to, and not for another call that waits for
 * something else on the same queue: else two of them could wait for each other by way of their
 * works, and a cancellation could come too late.
 */
#include "waiters.h"

enum { DELAY = 1000 };

static btwq_pool pool = BTWQ_POOL_INIT(&waiters_port);
static btwq_timers timers = BTWQ_TIMERS_INIT;
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "waits apart");
static btwq_worker worker = BTWQ_WORKER_INIT(&pool);
static struct waiter first_waiter, second_waiter;
static btwq_work first, second;
static unsigned funcs;
static uint32_t now;

static uint32_t clock_by_hand(void)
{
    return __atomic_load_n(&now, __ATOMIC_SEQ_CST);
}

static void func(btwq_work *work)
{
    (void)work;
    funcs++;
}

static void nothing(btwq_work *work)
{
    (void)work;
}

static const btwq_work_ops ordered = {func, NULL, nothing}, loose = {func, NULL, NULL};

static void run(void)
{
    CHECK(btwq_run_until_idle(&worker) >= 0);
}

/* The first work has run, and is not completed; somebody waits for that. */
static void somebody_waits(enum waiting_call call)
{
    funcs = 0;
    CHECK_EQ(btwq_work_init(&first, &ordered), BTWQ_OK);
    CHECK_EQ(btwq_work_set_async(&first), BTWQ_OK);
    SUBMIT(&queue, &first);
    run();
    waiters_start(&first_waiter, 1, call, &queue, &first);
    waiters_settle(1);
}

static void and_returns(btwq_status result)
{
    CHECK_EQ(waiters_gone(), 0);
    CHECK_EQ(btwq_work_complete(&first, 0), BTWQ_OK);
    waiters_serve(&worker, 1);
    waiters_join(&first_waiter, 1, result);
}

/* Which has nothing to wait for: if it is ordered, it was in the other lane. */
static void an_idle_work(enum waiting_call call, enum waiting_call other, const btwq_work_ops *ops)
{
    CHECK_EQ(btwq_work_init(&second, ops), BTWQ_OK);
    CHECK_EQ(btwq_work_set_high_priority(&second, 1), BTWQ_OK);
    SUBMIT(&queue, &second);
    run();
    somebody_waits(other);
    waiters_start(&second_waiter, 1, call, &queue, &second);
    waiters_join(&second_waiter, 1, call == CANCEL_SYNC ? 1 : BTWQ_OK);
    and_returns(other == CANCEL_SYNC ? 1 : BTWQ_OK);
}

/* Which runs by itself, beside the first. */
static void a_work_without_a_place(enum waiting_call call, enum waiting_call other)
{
    somebody_waits(other);
    CHECK_EQ(btwq_work_init(&second, &loose), BTWQ_OK);
    SUBMIT(&queue, &second);
    waiters_start(&second_waiter, 1, call, &queue, &second);
    waiters_settle(2);
    run();
    waiters_join(&second_waiter, 1, BTWQ_OK);
    CHECK_EQ(funcs, call == CANCEL_SYNC ? 1 : 2);
    and_returns(other == CANCEL_SYNC ? 1 : BTWQ_OK);
}

/* Which is queued, and so cancelled in time. */
static void a_work_to_be_cancelled(enum waiting_call other)
{
    somebody_waits(other);
    CHECK_EQ(btwq_work_init(&second, &ordered), BTWQ_OK);
    SUBMIT(&queue, &second);
    waiters_start(&second_waiter, 1, CANCEL_SYNC, &queue, &second);
    waiters_settle(2);
    run();
    CHECK_EQ(funcs, 1);
    CHECK_EQ(btwq_work_complete(&first, 0), BTWQ_OK);
    waiters_serve(&worker, 2);
    waiters_join(&second_waiter, 1, BTWQ_OK);
    waiters_join(&first_waiter, 1, other == CANCEL_SYNC ? 1 : BTWQ_OK);
}

/* A flush does not wait for a delayed work, also if somebody else does. */
static void a_flush_beside_a_delay(const btwq_work_ops *ops)
{
    CHECK_EQ(btwq_work_init(&first, &ordered), BTWQ_OK);
    CHECK_EQ(btwq_work_init(&second, ops), BTWQ_OK);
    REQUIRE_EQ(btwq_queue_work_delayed(&queue, &first, DELAY), BTWQ_OK);
    waiters_start(&first_waiter, 1, WORK_FLUSH, &queue, &first);
    waiters_settle(1);
    SUBMIT(&queue, &second);
    waiters_start(&second_waiter, 1, QUEUE_FLUSH, &queue, NULL);
    waiters_settle(2);
    run();
    waiters_join(&second_waiter, 1, BTWQ_OK);
    CHECK_EQ(waiters_gone(), 0);
    __atomic_add_fetch(&now, DELAY, __ATOMIC_SEQ_CST);
    CHECK(btwq_pool_tick(&pool) >= 0);
    waiters_serve(&worker, 1);
    waiters_join(&first_waiter, 1, BTWQ_OK);
}

int main(void)
{
    static const enum waiting_call calls[] = {WORK_FLUSH, CANCEL_SYNC, QUEUE_FLUSH};
    unsigned i;
    check_begin();
    waiters_set_up();
    waiters_port.now = clock_by_hand;
    REQUIRE_EQ(btwq_pool_set_timers(&pool, &timers), BTWQ_OK);
    for (i = 0; i < 3; i++) {
        an_idle_work(WORK_FLUSH, calls[i], &loose);
        an_idle_work(CANCEL_SYNC, calls[i], &loose);
        an_idle_work(WORK_FLUSH, calls[i], &ordered);
        an_idle_work(CANCEL_SYNC, calls[i], &ordered);
        a_work_without_a_place(WORK_FLUSH, calls[i]);
        a_work_without_a_place(CANCEL_SYNC, calls[i]);
        a_work_to_be_cancelled(calls[i]);
    }
    a_flush_beside_a_delay(&ordered);
    a_flush_beside_a_delay(&loose);
    DESTROY(&pool);
    return check_end();
}

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: a delayed work is in flight from its submission, so the bound counts it; it is pending,
 * and may become the oldest, when its delay is over, not before; then the limit holds for it as for
 * others.
 */
#include "handclock.h"

enum { WORKS = 3, DELAY = 10 };

static btwq_pool pool = BTWQ_POOL_INIT(&handclock_port);
static btwq_timers timers = BTWQ_TIMERS_INIT;
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "delayed");
static btwq_control control = BTWQ_CONTROL_INIT;
static btwq_worker worker = BTWQ_WORKER_INIT(&pool);
static btwq_work works[WORKS], extra;
static unsigned depth;

static void func(btwq_work *work)
{
    (void)work;
    CHECK_EQ(depth++, 0); /* The limit is 1. */
    CHECK_EQ(btwq_run_one(&worker), 0);
    depth--;
}

static void nothing(btwq_work *work)
{
    (void)work;
}

static const btwq_work_ops ordered = {func, nothing, NULL}, unordered = {func, NULL, NULL};

static btwq_stats stats(void)
{
    btwq_stats now;
    CHECK_EQ(btwq_queue_stats(&queue, 0, &now), BTWQ_OK);
    return now;
}

static void all_delayed(const btwq_work_ops *ops)
{
    const unsigned done = stats().done;
    unsigned i;
    CHECK_EQ(btwq_queue_set_bound(&queue, WORKS), BTWQ_OK);
    for (i = 0; i < WORKS; i++) {
        CHECK_EQ(btwq_work_init(&works[i], ops), BTWQ_OK);
        CHECK_EQ(btwq_queue_work_delayed(&queue, &works[i], DELAY), BTWQ_OK);
    }
    CHECK_EQ(btwq_work_init(&extra, ops), BTWQ_OK);
    CHECK_EQ(btwq_queue_try_work(&queue, &extra), BTWQ_EAGAIN);
    handclock_advance(DELAY - 1);
    CHECK_EQ(btwq_pool_tick(&pool), 1);
    CHECK_EQ(stats().pending, 0);
    CHECK_EQ(stats().head_age, 0);
    handclock_advance(1);
    CHECK_EQ(btwq_pool_tick(&pool), INT32_MAX);
    CHECK_EQ(stats().pending, WORKS);
    handclock_advance(4);
    CHECK_EQ(stats().head_age, ops == &ordered ? 4 : 0);
    CHECK_EQ(btwq_queue_try_work(&queue, &extra), BTWQ_EAGAIN);
    CHECK_EQ(btwq_run_one(&worker), 1);
    CHECK_EQ(btwq_queue_try_work(&queue, &extra), BTWQ_OK);
    CHECK_EQ(btwq_run_until_idle(&worker), WORKS);
    CHECK_EQ(stats().pending + stats().running + stats().waiting, 0);
    CHECK_EQ(stats().done - done, WORKS + 1);
}

/* One that is cancelled is in flight until it has ended. */
static void cancelled(const btwq_work_ops *ops)
{
    CHECK_EQ(btwq_queue_set_bound(&queue, 1), BTWQ_OK);
    CHECK_EQ(btwq_queue_work_delayed(&queue, &works[0], DELAY), BTWQ_OK);
    CHECK_EQ(btwq_work_cancel(&works[0]), BTWQ_OK);
    CHECK_EQ(btwq_work_init(&extra, ops), BTWQ_OK);
    CHECK_EQ(btwq_queue_try_work(&queue, &extra), BTWQ_EAGAIN);
    CHECK_EQ(btwq_pool_tick(&pool), INT32_MAX);
    CHECK(btwq_run_until_idle(&worker) >= 0);
    CHECK_EQ(btwq_queue_try_work(&queue, &extra), BTWQ_OK);
    CHECK_EQ(btwq_run_until_idle(&worker), 1);
}

int main(void)
{
    check_begin();
    handclock_set_up(0xfffffffcU);
    REQUIRE_EQ(btwq_pool_set_timers(&pool, &timers), BTWQ_OK);
    REQUIRE_EQ(btwq_queue_set_control(&queue, &control), BTWQ_OK);
    REQUIRE_EQ(btwq_queue_set_max(&queue, 1), BTWQ_OK);
    all_delayed(&ordered);
    cancelled(&ordered);
    all_delayed(&unordered);
    cancelled(&unordered);
    DESTROY(&pool);
    return check_end();
}

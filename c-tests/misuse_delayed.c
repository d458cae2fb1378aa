/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: the calls for delayed works refuse with BTWQ_EINVAL each argument that is NULL, too long
 * or was never initialised, a pool without timers, and a port without a clock; with BTWQ_EBUSY
 * second timers, timers that come too late, and a work that is queued. Nothing has changed then,
 * and what is in order still works.
 */
#include "handclock.h"

static btwq_pool pool = BTWQ_POOL_INIT(&handclock_port), plain = BTWQ_POOL_INIT(&handclock_port);
static btwq_timers timers = BTWQ_TIMERS_INIT;
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "misuse");
static btwq_queue without_timers = BTWQ_QUEUE_INIT(&plain, "without timers");
static btwq_worker worker = BTWQ_WORKER_INIT(&pool), plain_worker = BTWQ_WORKER_INIT(&plain);
static int called;

static void ordered_func(btwq_work *work)
{
    (void)work;
    called++;
}

static const btwq_work_ops ops = {NULL, ordered_func, NULL};
static const btwq_work_ops no_callbacks = {NULL, NULL, NULL};

static void still_works(void)
{
    btwq_work work = BTWQ_WORK_INIT(&ops), delayed = BTWQ_WORK_INIT(&ops);
    called = 0;
    CHECK_EQ(btwq_queue_work_delayed(&queue, &delayed, 2), BTWQ_OK);
    SUBMIT(&without_timers, &work);
    CHECK_EQ(btwq_run_until_idle(&plain_worker), 1);
    CHECK_EQ(called, 1);
    handclock_advance(1);
    CHECK_EQ(btwq_pool_tick(&pool), 1);
    CHECK_EQ(btwq_run_until_idle(&worker), 0);
    handclock_advance(1);
    CHECK_EQ(btwq_pool_tick(&pool), INT32_MAX);
    CHECK_EQ(btwq_run_until_idle(&worker), 1);
    CHECK_EQ(called, 2);
}

/* Neither of the two may have changed. */
static void refused(btwq_queue *with, btwq_work *work, uint32_t ticks)
{
    btwq_queue queue_before = BTWQ_QUEUE_INIT(NULL, NULL);
    btwq_work work_before = BTWQ_WORK_INIT(NULL);
    if (with != NULL)
        queue_before = *with;
    if (work != NULL)
        work_before = *work;
    CHECK_EQ(btwq_queue_work_delayed(with, work, ticks), BTWQ_EINVAL);
    CHECK(with == NULL || memcmp(with, &queue_before, sizeof(queue_before)) == 0);
    CHECK(work == NULL || memcmp(work, &work_before, sizeof(work_before)) == 0);
    CHECK_EQ(btwq_pool_tick(&pool), INT32_MAX);
    still_works();
}

static void refused_submissions(void)
{
    btwq_work good = BTWQ_WORK_INIT(&ops);
    btwq_work no_ops = BTWQ_WORK_INIT(NULL), empty = BTWQ_WORK_INIT(&no_callbacks);
    btwq_queue no_pool = BTWQ_QUEUE_INIT(NULL, "misuse");
    refused(NULL, &good, 1);
    refused(&queue, NULL, 1);
    refused(NULL, NULL, 1);
    refused(&queue, &no_ops, 1);
    refused(&queue, &empty, 1);
    refused(&no_pool, &good, 1);
    refused(&without_timers, &good, 1);
    refused(&without_timers, &good, 0);
    refused(&queue, &good, (uint32_t)BTWQ_MAX_DELAY + 1);
    refused(&queue, &good, INT32_MAX);
    refused(&queue, &good, UINT32_MAX);
    CHECK_EQ(btwq_queue_work_delayed(&queue, &good, BTWQ_MAX_DELAY), BTWQ_OK);
    handclock_advance(BTWQ_MAX_DELAY);
    CHECK_EQ(btwq_pool_tick(&pool), INT32_MAX);
    CHECK_EQ(btwq_run_until_idle(&worker), 1);
}

static void refused_pool(btwq_pool *bad, btwq_status why)
{
    btwq_timers spare = BTWQ_TIMERS_INIT, spare_before = spare;
    btwq_pool before = BTWQ_POOL_INIT(NULL);
    if (bad != NULL)
        before = *bad;
    CHECK_EQ(btwq_pool_set_timers(bad, &spare), why);
    CHECK_EQ(btwq_pool_set_timers(bad, NULL), BTWQ_EINVAL);
    CHECK(memcmp(&spare, &spare_before, sizeof(spare)) == 0);
    if (bad != &pool)
        CHECK_EQ(btwq_pool_tick(bad), BTWQ_EINVAL);
    CHECK(bad == NULL || memcmp(bad, &before, sizeof(before)) == 0);
    still_works();
}

static void never_initialised(int fill)
{
    btwq_work good = BTWQ_WORK_INIT(&ops), work;
    btwq_queue nothing, stray;
    btwq_pool no_pool;
    btwq_timers no_timers;
    memset(&work, fill, sizeof(work));
    memset(&nothing, fill, sizeof(nothing));
    memset(&no_pool, fill, sizeof(no_pool));
    memset(&no_timers, fill, sizeof(no_timers));
    refused(&queue, &work, 1);
    refused(&nothing, &good, 1);
    CHECK_EQ(btwq_queue_init(&stray, &no_pool, NULL), BTWQ_OK); /* Its pool may come later. */
    refused(&stray, &good, 1);
    refused_pool(&no_pool, BTWQ_EINVAL);
    CHECK_EQ(btwq_pool_set_timers(&plain, &no_timers), BTWQ_EINVAL);
    CHECK_EQ(btwq_pool_tick(&plain), BTWQ_EINVAL);
    still_works();
}

static void no_clock(const btwq_port *port)
{
    btwq_pool other = BTWQ_POOL_INIT(port);
    refused_pool(&other, BTWQ_EINVAL);
    DESTROY(&other);
}

/* While threads run it is too late. */
static void too_late(void)
{
    static btwq_pool running = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
    static btwq_timers late = BTWQ_TIMERS_INIT;
    START(&running, 1);
    CHECK_EQ(btwq_pool_set_timers(&running, &late), BTWQ_EBUSY);
    CHECK_EQ(btwq_pool_tick(&running), BTWQ_EINVAL);
    STOP(&running);
    CHECK_EQ(btwq_pool_set_timers(&running, &late), BTWQ_OK);
    CHECK_EQ(btwq_pool_tick(&running), INT32_MAX);
    DESTROY(&running);
}

static void queued_already(void)
{
    btwq_work work = BTWQ_WORK_INIT(&ops);
    SUBMIT(&queue, &work);
    CHECK_EQ(btwq_queue_work_delayed(&queue, &work, 1), BTWQ_EBUSY);
    CHECK_EQ(btwq_run_until_idle(&worker), 1);
    CHECK_EQ(btwq_queue_work_delayed(&queue, &work, 1), BTWQ_OK);
    CHECK_EQ(btwq_queue_work_delayed(&queue, &work, 0), BTWQ_EBUSY);
    handclock_advance(1);
    CHECK_EQ(btwq_pool_tick(&pool), INT32_MAX);
    CHECK_EQ(btwq_run_until_idle(&worker), 1);
    still_works();
}

int main(void)
{
    btwq_port no_now;
    check_begin();
    handclock_set_up(0xfffffff0U);
    REQUIRE_EQ(btwq_pool_set_timers(&pool, &timers), BTWQ_OK);
    still_works();
    refused_submissions();
    refused_pool(NULL, BTWQ_EINVAL);
    refused_pool(&pool, BTWQ_EBUSY); /* It has some. */
    CHECK_EQ(btwq_pool_set_timers(&pool, &timers), BTWQ_EBUSY);
    never_initialised(0x00);
    never_initialised(0xff);
    never_initialised(0xa5);
    no_now = btwq_port_host;
    no_now.now = NULL;
    no_clock(&no_now);
    no_clock(NULL);
    too_late();
    queued_already();
    DESTROY(&pool);
    DESTROY(&plain);
    return check_end();
}

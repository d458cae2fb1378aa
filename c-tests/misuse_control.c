/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: the calls for limits, thresholds, bounds and statistics refuse with BTWQ_EINVAL each
 * argument that is NULL, out of range or was never initialised, and a queue without a control; a
 * second control with BTWQ_EBUSY. Nothing has changed then, and what is in order still works.
 */
#include "common.h"

enum { LIMIT = 3, LARGEST_LIMIT = 1023, LARGEST_THRESHOLD = 1048576 };

static btwq_pool pool = BTWQ_POOL_INIT(NULL);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "misuse");
static btwq_queue plain = BTWQ_QUEUE_INIT(&pool, "without a control");
static btwq_control control = BTWQ_CONTROL_INIT;
static btwq_worker worker = BTWQ_WORKER_INIT(&pool);
static int called;

static void ordered_func(btwq_work *work)
{
    (void)work;
    called++;
}

static const btwq_work_ops ops = {NULL, ordered_func, NULL};

static void stuck(void *arg, btwq_queue *its_queue, btwq_work *head, uint32_t age)
{
    (void)arg;
    (void)its_queue;
    (void)head;
    (void)age;
    CHECK(0); /* Nothing is that old. */
}

static void works(btwq_queue *with)
{
    btwq_work work = BTWQ_WORK_INIT(&ops);
    called = 0;
    CHECK_EQ(btwq_queue_try_work(with, &work), BTWQ_OK);
    CHECK_EQ(btwq_run_until_idle(&worker), 1);
    CHECK_EQ(called, 1);
    CHECK_EQ(btwq_queue_congested(with), 0);
}

static void still_works(void)
{
    btwq_stats stats;
    works(&queue);
    works(&plain);
    CHECK_EQ(btwq_queue_stats(&queue, 0, &stats), BTWQ_OK);
    CHECK_EQ(stats.limit_active, LIMIT);
    CHECK_EQ(stats.current_active, LIMIT);
}

/* All calls that take a queue, which is bad, or has no control. */
static void refused(btwq_queue *with)
{
    btwq_stats stats, stats_before;
    memset(&stats, 0xa5, sizeof(stats));
    memset(&stats_before, 0xa5, sizeof(stats_before));
    CHECK_EQ(btwq_queue_set_max(with, 1), BTWQ_EINVAL);
    CHECK_EQ(btwq_queue_set_threshold(with, 0), BTWQ_EINVAL);
    CHECK_EQ(btwq_queue_set_bound(with, 0), BTWQ_EINVAL);
    CHECK_EQ(btwq_queue_set_bound(with, 1), BTWQ_EINVAL);
    CHECK_EQ(btwq_queue_stats(with, 0, &stats), BTWQ_EINVAL);
    CHECK_EQ(btwq_queue_stats(with, 1, &stats), BTWQ_EINVAL);
    CHECK_EQ(btwq_queue_stats(with, 0, NULL), BTWQ_EINVAL);
    CHECK_EQ(btwq_queue_check(with, 0, stuck, NULL), BTWQ_EINVAL);
    CHECK_EQ(btwq_queue_check(with, 0, NULL, NULL), BTWQ_EINVAL);
    CHECK(memcmp(&stats, &stats_before, sizeof(stats)) == 0);
    still_works();
}

static void refused_queue(btwq_queue *bad)
{
    btwq_control spare = BTWQ_CONTROL_INIT, spare_before = spare;
    btwq_queue before = BTWQ_QUEUE_INIT(NULL, NULL);
    btwq_work work = BTWQ_WORK_INIT(&ops), work_before = work;
    if (bad != NULL)
        before = *bad;
    refused(bad);
    CHECK_EQ(btwq_queue_set_control(bad, &spare), BTWQ_EINVAL);
    CHECK_EQ(btwq_queue_set_control(bad, NULL), BTWQ_EINVAL);
    CHECK_EQ(btwq_queue_congested(bad), BTWQ_EINVAL);
    CHECK_EQ(btwq_queue_try_work(bad, &work), BTWQ_EINVAL);
    CHECK_EQ(btwq_queue_try_work(bad, NULL), BTWQ_EINVAL);
    CHECK(memcmp(&spare, &spare_before, sizeof(spare)) == 0);
    CHECK(memcmp(&work, &work_before, sizeof(work)) == 0);
    CHECK(bad == NULL || memcmp(bad, &before, sizeof(before)) == 0);
    still_works();
}

static void refused_control(btwq_control *bad)
{
    const btwq_queue before = plain;
    CHECK_EQ(btwq_queue_set_control(&plain, bad), BTWQ_EINVAL);
    CHECK(memcmp(&plain, &before, sizeof(before)) == 0);
    refused(&plain);
}

static void only_one_control(void)
{
    btwq_control second = BTWQ_CONTROL_INIT, before = second;
    CHECK_EQ(btwq_queue_set_control(&queue, &second), BTWQ_EBUSY);
    CHECK_EQ(btwq_queue_set_control(&queue, &control), BTWQ_EBUSY);
    CHECK(memcmp(&second, &before, sizeof(second)) == 0);
    still_works();
}

static void out_of_range(void)
{
    static const uint32_t limits[] = {0, LARGEST_LIMIT + 1, 0x7fffffff, UINT32_MAX};
    static const uint32_t thresholds[] = {LARGEST_THRESHOLD + 1, 0x7fffffff, UINT32_MAX};
    unsigned i;
    for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
        CHECK_EQ(btwq_queue_set_max(&queue, limits[i]), BTWQ_EINVAL);
    for (i = 0; i < sizeof(thresholds) / sizeof(thresholds[0]); i++)
        CHECK_EQ(btwq_queue_set_threshold(&queue, thresholds[i]), BTWQ_EINVAL);
    CHECK_EQ(btwq_queue_stats(&queue, 0, NULL), BTWQ_EINVAL);
    CHECK_EQ(btwq_queue_check(&queue, 0, NULL, NULL), BTWQ_EINVAL);
    still_works();
}

static void in_range(void)
{
    CHECK_EQ(btwq_queue_set_max(&queue, LARGEST_LIMIT), BTWQ_OK);
    CHECK_EQ(btwq_queue_set_max(&queue, 1), BTWQ_OK);
    CHECK_EQ(btwq_queue_set_threshold(&queue, LARGEST_THRESHOLD), BTWQ_OK);
    CHECK_EQ(btwq_queue_set_threshold(&queue, 1), BTWQ_OK); /* none */
    CHECK_EQ(btwq_queue_set_bound(&queue, UINT32_MAX), BTWQ_OK);
    works(&queue);
    CHECK_EQ(btwq_queue_set_bound(&queue, 0), BTWQ_OK);
    CHECK_EQ(btwq_queue_set_max(&queue, LIMIT), BTWQ_OK);
    CHECK_EQ(btwq_queue_check(&queue, 0, stuck, NULL), 0); /* without a clock nothing ages */
    still_works();
}

static void never_initialised(int fill)
{
    btwq_queue nothing, stray;
    btwq_control no_control;
    btwq_pool no_pool;
    memset(&nothing, fill, sizeof(nothing));
    memset(&no_control, fill, sizeof(no_control));
    memset(&no_pool, fill, sizeof(no_pool));
    refused_queue(&nothing);
    CHECK_EQ(btwq_queue_init(&stray, &no_pool, NULL), BTWQ_OK); /* Its pool may come later. */
    refused_queue(&stray);
    refused_control(&no_control);
}

int main(void)
{
    check_begin();
    REQUIRE_EQ(btwq_queue_set_control(&queue, &control), BTWQ_OK);
    REQUIRE_EQ(btwq_queue_set_max(&queue, LIMIT), BTWQ_OK);
    still_works();
    refused_queue(NULL);
    refused_control(NULL);
    refused(&plain);
    never_initialised(0x00);
    never_initialised(0xff);
    never_initialised(0xa5);
    only_one_control();
    out_of_range();
    in_range();
    DESTROY(&pool);
    return check_end();
}

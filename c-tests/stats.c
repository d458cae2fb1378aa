/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: btwq_queue_stats says of one lane how many works are pending (func not started),
 * running (in func), waiting (func over, not freed), and done since ever; how large the backlog was
 * at most; and the limits. Here one thread leads works of all kinds through all states.
 */
#include "common.h"

enum { FIRST, ASYNC, BEHIND, ALONE, LAST, WORKS };

static btwq_pool pool = BTWQ_POOL_INIT(NULL);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "stats");
static btwq_control control = BTWQ_CONTROL_INIT;
static btwq_worker worker = BTWQ_WORKER_INIT(&pool);
static btwq_work works[WORKS];
static int lane; /* of all works of a life; the other one stays as it was */
static unsigned done[2], largest[2], limit = 1023;

static void check_lane(int its_lane, unsigned pending, unsigned running, unsigned waiting)
{
    btwq_stats stats;
    memset(&stats, 0xff, sizeof(stats));
    CHECK_EQ(btwq_queue_stats(&queue, its_lane, &stats), BTWQ_OK);
    CHECK_EQ(stats.pending, pending);
    CHECK_EQ(stats.running, running);
    CHECK_EQ(stats.waiting, waiting);
    CHECK_EQ(stats.done, done[its_lane]);
    CHECK_EQ(stats.largest_backlog, largest[its_lane]);
    CHECK_EQ(stats.current_active, limit);
    CHECK_EQ(stats.limit_active, limit);
    CHECK_EQ(stats.head_age, 0); /* There is no clock. */
}

static void check(unsigned pending, unsigned running, unsigned waiting)
{
    check_lane(lane, pending, running, waiting);
    check_lane(!lane, 0, 0, 0);
}

/* The callbacks of the first, which nothing holds up: in the one after func it waits. */
static void first_func(btwq_work *work)
{
    CHECK(work == &works[FIRST]);
    check(WORKS - 1, 1, 0);
}

static void first_ordered(btwq_work *work)
{
    CHECK(work == &works[FIRST]);
    check(WORKS - 1, 0, 1);
}

static void async_func(btwq_work *work)
{
    CHECK_EQ(btwq_work_set_async(work), BTWQ_OK);
    check(WORKS - 2, 1, 0);
}

static void behind_func(btwq_work *work)
{
    CHECK(work == &works[BEHIND]);
    check(WORKS - 3, 1, 1);
}

static void alone_func(btwq_work *work)
{
    CHECK(work == &works[ALONE]);
    check(WORKS - 4, 1, 2);
}

static void async_ordered(btwq_work *work)
{
    CHECK(work == &works[ASYNC]);
    check(0, 0, 3);
}

static void nothing(btwq_work *work)
{
    (void)work;
}

static const btwq_work_ops all_ops[WORKS] = {
    {first_func, first_ordered, nothing},
    {async_func, async_ordered, nothing},
    {behind_func, nothing, NULL},
    {alone_func, NULL, NULL},
    {NULL, NULL, nothing},
};

static void submit(unsigned i, const btwq_work_ops *ops)
{
    CHECK_EQ(btwq_work_init(&works[i], ops), BTWQ_OK);
    CHECK_EQ(btwq_work_set_high_priority(&works[i], lane), BTWQ_OK);
    SUBMIT(&queue, &works[i]);
}

static void run(unsigned works_done)
{
    CHECK_EQ(btwq_run_one(&worker), 1);
    done[lane] += works_done;
}

static void through_all_states(void)
{
    unsigned i;
    check(0, 0, 0);
    for (i = 0; i < WORKS; i++) {
        submit(i, &all_ops[i]);
        if (i + 1 > largest[lane])
            largest[lane] = i + 1;
        check(i + 1, 0, 0);
    }
    run(1); /* FIRST */
    check(WORKS - 1, 0, 0);
    run(0); /* ASYNC, which is not completed yet */
    check(WORKS - 2, 0, 1);
    run(0); /* BEHIND it */
    check(WORKS - 3, 0, 2);
    run(1); /* ALONE, which has no place in the order */
    check(1, 0, 2);
    run(0); /* LAST */
    check(0, 0, 3);
    CHECK_EQ(btwq_work_complete(&works[ASYNC], 0), BTWQ_OK);
    check(0, 0, 3);
    run(3);
    check(0, 0, 0);
}

/* The largest ever: less does not change it, more does. */
static void largest_backlog(void)
{
    static btwq_work more[WORKS + 2];
    unsigned i;
    submit(0, &all_ops[LAST]);
    check(1, 0, 0);
    run(1);
    check(0, 0, 0);
    for (i = 0; i < WORKS + 2; i++) {
        CHECK_EQ(btwq_work_init(&more[i], &all_ops[LAST]), BTWQ_OK);
        CHECK_EQ(btwq_work_set_high_priority(&more[i], lane), BTWQ_OK);
        SUBMIT(&queue, &more[i]);
    }
    largest[lane] = WORKS + 2;
    check(WORKS + 2, 0, 0);
    for (i = 0; i < WORKS + 2; i++)
        run(1);
    check(0, 0, 0);
}

/* A cancelled work has not started, and is not over, before a worker passes by. */
static void cancelled(void)
{
    static const btwq_work_ops func_alone = {nothing, NULL, NULL};
    btwq_stats stats;
    submit(0, &all_ops[LAST]);
    submit(1, &func_alone);
    CHECK_EQ(btwq_work_cancel(&works[0]), BTWQ_OK);
    CHECK_EQ(btwq_work_cancel(&works[1]), BTWQ_OK);
    CHECK_EQ(btwq_queue_stats(&queue, lane, &stats), BTWQ_OK);
    CHECK_EQ(stats.pending + stats.waiting, 2);
    CHECK_EQ(stats.running, 0);
    CHECK(btwq_run_until_idle(&worker) >= 1);
    done[lane] += 2;
    check(0, 0, 0);
}

static void limits(void)
{
    static const unsigned limits[] = {1, 7, 1023};
    unsigned i;
    for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        limit = limits[i];
        CHECK_EQ(btwq_queue_set_max(&queue, limit), BTWQ_OK);
        check(0, 0, 0);
        through_all_states();
    }
}

int main(void)
{
    check_begin();
    REQUIRE_EQ(btwq_queue_set_control(&queue, &control), BTWQ_OK);
    for (lane = 0; lane < 2; lane++) {
        through_all_states();
        largest_backlog();
        cancelled();
        limits();
    }
    DESTROY(&pool);
    return check_end();
}

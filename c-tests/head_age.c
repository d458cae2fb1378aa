/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: head_age is the time, in ticks of the port's clock, since a lane's order last moved:
 * since its oldest work became the oldest, by being queued on an empty lane, or by the end of the
 * one before. It is 0 while the lane is empty. Clocks may wrap.
 */
#include "handclock.h"

enum { WORKS = 3 };

static const uint32_t begin = 0xfffffff0U;

static btwq_pool pool = BTWQ_POOL_INIT(&handclock_port);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "age");
static btwq_control control = BTWQ_CONTROL_INIT;
static btwq_worker worker = BTWQ_WORKER_INIT(&pool);
static btwq_work works[WORKS], other, alone;

static void nothing(btwq_work *work)
{
    (void)work;
}

static const btwq_work_ops ordered = {nothing, nothing, nothing}, unordered = {nothing, NULL, NULL};

static void submit(btwq_work *work, const btwq_work_ops *ops, int high)
{
    CHECK_EQ(btwq_work_init(work, ops), BTWQ_OK);
    CHECK_EQ(btwq_work_set_high_priority(work, high), BTWQ_OK);
    SUBMIT(&queue, work);
}

static void run(int works_run)
{
    CHECK_EQ(btwq_run_until_idle(&worker), works_run);
}

static unsigned age(int high)
{
    btwq_stats stats;
    CHECK_EQ(btwq_queue_stats(&queue, high, &stats), BTWQ_OK);
    return stats.head_age;
}

static void one_lane(int high)
{
    unsigned i;
    CHECK_EQ(age(high), 0);
    handclock_advance(5);
    CHECK_EQ(age(high), 0); /* empty */
    for (i = 0; i < WORKS; i++) {
        submit(&works[i], &ordered, high);
        CHECK_EQ(age(high), 2 * i); /* the oldest one's */
        handclock_advance(2);
    }
    for (i = 0; i < WORKS; i++) {
        CHECK(age(high) > 0);
        CHECK_EQ(btwq_run_one(&worker), 1);
        CHECK_EQ(age(high), 0); /* The next one is the oldest from now on. */
        handclock_advance(9);
        CHECK_EQ(age(high), i + 1 < WORKS ? 9 : 0);
    }
}

/* The head may be in its func, or over and not completed: what counts is that it does not move. */
static void held_up_by_the_head(void)
{
    submit(&works[0], &ordered, 0);
    CHECK_EQ(btwq_work_set_async(&works[0]), BTWQ_OK);
    submit(&works[1], &ordered, 0);
    handclock_advance(3);
    run(2);
    CHECK_EQ(age(0), 3);
    handclock_advance(4);
    submit(&works[2], &ordered, 0);
    run(1);
    CHECK_EQ(age(0), 7);
    CHECK_EQ(btwq_work_complete(&works[0], 0), BTWQ_OK);
    CHECK_EQ(age(0), 7);
    run(1);
    CHECK_EQ(age(0), 0);
}

static void lanes_age_apart(void)
{
    submit(&works[0], &ordered, 0);
    handclock_advance(10);
    submit(&other, &ordered, 1);
    handclock_advance(1);
    CHECK_EQ(age(0), 11);
    CHECK_EQ(age(1), 1);
    CHECK_EQ(btwq_run_one(&worker), 1); /* the high one */
    CHECK_EQ(age(0), 11);
    CHECK_EQ(age(1), 0);
    CHECK_EQ(btwq_run_one(&worker), 1);
    CHECK_EQ(age(0), 0);
}

/* What has no place in the order can not be its head. */
static void func_alone_has_no_age(void)
{
    submit(&alone, &unordered, 0);
    handclock_advance(4);
    CHECK_EQ(age(0), 0);
    submit(&works[0], &ordered, 0);
    handclock_advance(2);
    CHECK_EQ(age(0), 2);
    run(2);
}

int main(void)
{
    check_begin();
    handclock_set_up(begin);
    REQUIRE_EQ(btwq_queue_set_control(&queue, &control), BTWQ_OK);
    one_lane(0);
    one_lane(1);
    CHECK(handclock_now() < begin); /* It has wrapped. */
    held_up_by_the_head();
    lanes_age_apart();
    func_alone_has_no_age();
    DESTROY(&pool);
    return check_end();
}

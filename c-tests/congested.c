/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: btwq_queue_congested says 1 from the moment that more than 2 * thresh works are pending
 * in one of the lanes, and 0 again when they are not; each lane is looked at by itself; always 0
 * without a threshold. Pending are works whose func was not started.
 */
#include "common.h"

enum { DEFAULT_THRESH = 32, WORKS = 1000 };

static btwq_pool pool = BTWQ_POOL_INIT(NULL);
static btwq_worker worker = BTWQ_WORKER_INIT(&pool);
static btwq_work works[WORKS];
static unsigned queued;

static btwq_queue queue;
static btwq_control control;

static void func(btwq_work *work)
{
    (void)work;
}

/* The first of one more than the threshold allows: when it runs, it is not pending. */
static void not_congested_any_more(btwq_work *work)
{
    (void)work;
    CHECK_EQ(btwq_queue_congested(&queue), 0);
}

static const btwq_work_ops unordered = {func, NULL, NULL}, ordered = {func, func, func};
static const btwq_work_ops looks = {not_congested_any_more, func, NULL};

static void prepare(void)
{
    queued = 0;
    CHECK_EQ(btwq_control_init(&control), BTWQ_OK);
    CHECK_EQ(btwq_queue_init(&queue, &pool, "congested"), BTWQ_OK);
    CHECK_EQ(btwq_queue_congested(&queue), 0);
    CHECK_EQ(btwq_queue_set_control(&queue, &control), BTWQ_OK);
    CHECK_EQ(btwq_queue_congested(&queue), 0); /* no threshold */
}

static void submit(unsigned n, const btwq_work_ops *ops, int high)
{
    for (; n > 0; n--) {
        btwq_work *work = &works[queued++];
        REQUIRE(queued <= WORKS);
        CHECK_EQ(btwq_work_init(work, ops), BTWQ_OK);
        CHECK_EQ(btwq_work_set_high_priority(work, high), BTWQ_OK);
        SUBMIT(&queue, work);
    }
}

static void set_threshold(uint32_t thresh)
{
    CHECK_EQ(btwq_queue_set_threshold(&queue, thresh), BTWQ_OK);
}

static void at_the_edge(uint32_t set_to, unsigned thresh, int high)
{
    prepare();
    set_threshold(set_to);
    submit(1, &looks, high);
    submit(thresh, &ordered, high);
    submit(thresh - 1, &unordered, high);
    CHECK_EQ(btwq_queue_congested(&queue), 0);
    submit(1, &ordered, high);
    CHECK_EQ(btwq_queue_congested(&queue), 1);
    CHECK_EQ(btwq_run_one(&worker), 1);
    CHECK_EQ(btwq_queue_congested(&queue), 0);
    submit(1, &unordered, high);
    CHECK_EQ(btwq_queue_congested(&queue), 1);
    CHECK_EQ(btwq_run_until_idle(&worker), 2 * (int)thresh + 1);
    CHECK_EQ(btwq_queue_congested(&queue), 0);
}

static void lane_by_lane(void)
{
    prepare();
    set_threshold(DEFAULT_THRESH);
    submit(2 * DEFAULT_THRESH, &ordered, 0);
    submit(2 * DEFAULT_THRESH, &ordered, 1);
    CHECK_EQ(btwq_queue_congested(&queue), 0); /* Not in both together. */
    submit(1, &ordered, 1);
    CHECK_EQ(btwq_queue_congested(&queue), 1);
    CHECK_EQ(btwq_run_until_idle(&worker), 4 * DEFAULT_THRESH + 1);
    CHECK_EQ(btwq_queue_congested(&queue), 0);
}

static void goes_by_the_threshold_of_now(void)
{
    prepare();
    submit(2 * DEFAULT_THRESH + 1, &ordered, 0);
    CHECK_EQ(btwq_queue_congested(&queue), 0);
    set_threshold(DEFAULT_THRESH - 1); /* less than the least: none */
    CHECK_EQ(btwq_queue_congested(&queue), 0);
    set_threshold(DEFAULT_THRESH);
    CHECK_EQ(btwq_queue_congested(&queue), 1);
    set_threshold(DEFAULT_THRESH + 1);
    CHECK_EQ(btwq_queue_congested(&queue), 0);
    set_threshold(0);
    CHECK_EQ(btwq_queue_congested(&queue), 1);
    set_threshold(1048576);
    CHECK_EQ(btwq_queue_congested(&queue), 0);
    CHECK_EQ(btwq_run_until_idle(&worker), 2 * DEFAULT_THRESH + 1);
}

int main(void)
{
    int high;
    check_begin();
    for (high = 0; high < 2; high++) {
        at_the_edge(0, DEFAULT_THRESH, high);
        at_the_edge(DEFAULT_THRESH, DEFAULT_THRESH, high);
        at_the_edge(100, 100, high);
    }
    lane_by_lane();
    goes_by_the_threshold_of_now();
    DESTROY(&pool);
    return check_end();
}

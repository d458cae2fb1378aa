/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: btwq_queue_check calls the hook for each lane whose oldest work has been that for more
 * than so many ticks, with that work's address and its age, and for no other; it says how many
 * calls that were. What to do is the hook's decision: here it completes what hangs.
 */
#include "handclock.h"

static const uint32_t begin = 0xfffffffaU;

static btwq_pool pool = BTWQ_POOL_INIT(&handclock_port);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "stuck");
static btwq_control control = BTWQ_CONTROL_INIT;
static btwq_worker worker = BTWQ_WORKER_INIT(&pool);
static btwq_work works[2], high;

static void nothing(btwq_work *work)
{
    (void)work;
}

static const btwq_work_ops ordered = {nothing, nothing, nothing}, unordered = {nothing, NULL, NULL};

/* The calls of one check. */
static struct {
    unsigned count;
    btwq_work *head[2];
    uint32_t age[2];
} calls;

static void hook(void *arg, btwq_queue *its_queue, btwq_work *head, uint32_t age)
{
    CHECK(arg == &calls);
    CHECK(its_queue == &queue);
    REQUIRE(calls.count < 2);
    calls.head[calls.count] = head;
    calls.age[calls.count] = age;
    calls.count++;
}

static void check(uint32_t ticks, unsigned heads)
{
    memset(&calls, 0, sizeof(calls));
    CHECK_EQ(btwq_queue_check(&queue, ticks, hook, &calls), (int)heads);
    CHECK_EQ(calls.count, heads);
}

/* That was one of the calls, in whichever order they came. */
static void called(const btwq_work *head, uint32_t age)
{
    const unsigned i = calls.head[0] == head ? 0 : 1;
    CHECK(calls.head[i] == head);
    CHECK_EQ(calls.age[i], age);
}

static void submit(btwq_work *work, const btwq_work_ops *ops, int is_high)
{
    CHECK_EQ(btwq_work_init(work, ops), BTWQ_OK);
    CHECK_EQ(btwq_work_set_high_priority(work, is_high), BTWQ_OK);
    SUBMIT(&queue, work);
}

static void more_than_the_ticks(void)
{
    check(0, 0); /* nothing there */
    handclock_advance(3);
    check(0, 0);
    submit(&works[0], &ordered, 0);
    check(0, 0);
    handclock_advance(7); /* across the wrap */
    submit(&works[1], &ordered, 0);
    check(7, 0);
    check(UINT32_MAX, 0);
    check(6, 1);
    called(&works[0], 7);
    check(6, 1); /* as often as it is asked for */
    called(&works[0], 7);
}

static void both_lanes(void)
{
    submit(&high, &ordered, 1);
    handclock_advance(2);
    check(9, 0);
    check(8, 1);
    called(&works[0], 9);
    check(2, 1);
    check(1, 2);
    called(&works[0], 9);
    called(&high, 2);
    CHECK_EQ(btwq_run_one(&worker), 1); /* the high one */
    check(1, 1);
    called(&works[0], 9);
}

static void next_head_is_young(void)
{
    CHECK_EQ(btwq_run_one(&worker), 1);
    check(0, 0);
    handclock_advance(1);
    check(1, 0);
    check(0, 1);
    called(&works[1], 1);
    CHECK_EQ(btwq_run_one(&worker), 1);
    handclock_advance(100);
    check(0, 0);
    submit(&works[0], &unordered, 0);
    handclock_advance(100);
    check(0, 0); /* It has no place in the order. */
    CHECK_EQ(btwq_run_one(&worker), 1);
}

static void complete_hook(void *arg, btwq_queue *its_queue, btwq_work *head, uint32_t age)
{
    hook(arg, its_queue, head, age);
    CHECK(head == &works[0]);
    CHECK_EQ(btwq_work_complete(&works[0], -1), BTWQ_OK);
}

static void what_hangs_can_be_helped(void)
{
    submit(&works[0], &ordered, 0);
    CHECK_EQ(btwq_work_set_async(&works[0]), BTWQ_OK);
    submit(&works[1], &ordered, 0);
    CHECK_EQ(btwq_run_until_idle(&worker), 2);
    handclock_advance(50);
    memset(&calls, 0, sizeof(calls));
    CHECK_EQ(btwq_queue_check(&queue, 49, complete_hook, &calls), 1);
    CHECK_EQ(btwq_run_until_idle(&worker), 1);
    CHECK_EQ(btwq_work_status(&works[0]), -1);
    check(0, 0);
}

int main(void)
{
    check_begin();
    handclock_set_up(begin);
    REQUIRE_EQ(btwq_queue_set_control(&queue, &control), BTWQ_OK);
    more_than_the_ticks();
    both_lanes();
    next_head_is_young();
    what_hangs_can_be_helped();
    DESTROY(&pool);
    return check_end();
}

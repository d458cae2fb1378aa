/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: a delayed work may be cancelled before its delay is over, and after that until its func
 * begins. Its ordered callbacks run in place of its func, after the next tick, in the first case
 * too; one that has only a func ends in silence. Others are not affected, and the work may be
 * delayed again.
 */
#include "handclock.h"

enum { WORKS = 4 };

struct item {
    btwq_work work;
    unsigned funcs, frees;
    btwq_status status;
};

static btwq_pool pool = BTWQ_POOL_INIT(&handclock_port);
static btwq_timers timers = BTWQ_TIMERS_INIT;
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "cancel");
static btwq_worker worker = BTWQ_WORKER_INIT(&pool);
static struct item items[WORKS];

static struct item *item_of(btwq_work *work)
{
    return CONTAINER_OF(work, struct item, work);
}

static void func(btwq_work *work)
{
    item_of(work)->funcs++;
}

static void ordered_free(btwq_work *work)
{
    item_of(work)->frees++;
    item_of(work)->status = btwq_work_status(work);
}

static const btwq_work_ops ordered = {func, NULL, ordered_free}, unordered = {func, NULL, NULL};

static void delay(unsigned i, const btwq_work_ops *ops, uint32_t ticks)
{
    memset(&items[i], 0, sizeof(items[i]));
    CHECK_EQ(btwq_work_init(&items[i].work, ops), BTWQ_OK);
    CHECK_EQ(btwq_queue_work_delayed(&queue, &items[i].work, ticks), BTWQ_OK);
}

static void cancel(unsigned i, btwq_status status)
{
    CHECK_EQ(btwq_work_cancel(&items[i].work), status);
}

static void tick_and_run(int32_t again_in)
{
    CHECK_EQ(btwq_pool_tick(&pool), again_in);
    CHECK(btwq_run_until_idle(&worker) >= 0);
}

static void was_cancelled(unsigned i)
{
    CHECK_EQ(items[i].funcs, 0);
    CHECK_EQ(items[i].frees, 1);
    CHECK_EQ(items[i].status, BTWQ_ECANCELED);
    cancel(i, BTWQ_EBUSY); /* It is not queued. */
}

static void has_run(unsigned i)
{
    CHECK_EQ(items[i].funcs, 1);
    CHECK_EQ(items[i].frees, 1);
    CHECK_EQ(items[i].status, 0);
    cancel(i, BTWQ_EBUSY);
}

static void is_waiting(unsigned i)
{
    CHECK_EQ(items[i].funcs, 0);
    CHECK_EQ(items[i].frees, 0);
}

static void before_the_end_of_the_delay(uint32_t after)
{
    delay(0, &ordered, 100);
    if (after > 0)
        CHECK_EQ(btwq_pool_tick(&pool), 100); /* Known to the timers, or only about to be. */
    handclock_advance(after);
    cancel(0, BTWQ_OK);
    CHECK_EQ(items[0].funcs, 0);
    if (items[0].frees == 0)
        cancel(0, BTWQ_OK); /* It has not ended yet. */
    tick_and_run(INT32_MAX);
    was_cancelled(0);
    handclock_advance(100);
    tick_and_run(INT32_MAX);
    was_cancelled(0);
}

static void after_the_end_of_the_delay(void)
{
    delay(0, &ordered, 5);
    delay(1, &ordered, 5);
    handclock_advance(5);
    CHECK_EQ(btwq_pool_tick(&pool), INT32_MAX);
    cancel(0, BTWQ_OK);
    cancel(0, BTWQ_OK);
    is_waiting(0);
    CHECK(btwq_run_until_idle(&worker) >= 1);
    was_cancelled(0);
    has_run(1);
}

static void others_are_not_affected(void)
{
    unsigned i;
    delay(0, &ordered, 7);
    for (i = 1; i < WORKS; i++)
        delay(i, &ordered, 9);
    CHECK_EQ(btwq_pool_tick(&pool), 7);
    cancel(0, BTWQ_OK);
    cancel(2, BTWQ_OK);
    tick_and_run(9);
    was_cancelled(0);
    was_cancelled(2);
    is_waiting(1);
    is_waiting(3);
    handclock_advance(9);
    cancel(3, BTWQ_OK);
    tick_and_run(INT32_MAX);
    has_run(1);
    was_cancelled(3);
}

static void func_alone(void)
{
    delay(0, &unordered, 3);
    delay(1, &unordered, 3);
    CHECK_EQ(btwq_pool_tick(&pool), 3);
    cancel(0, BTWQ_OK);
    tick_and_run(3);
    CHECK_EQ(btwq_work_flush(&items[0].work), BTWQ_OK); /* Has nothing to wait for. */
    handclock_advance(3);
    tick_and_run(INT32_MAX);
    CHECK_EQ(items[0].funcs, 0);
    CHECK_EQ(items[1].funcs, 1);
    delay(0, &unordered, 1); /* It is ours. */
    handclock_advance(1);
    tick_and_run(INT32_MAX);
    CHECK_EQ(items[0].funcs, 1);
}

/* Without being initialised anew. */
static void once_more(void)
{
    delay(0, &ordered, 50);
    cancel(0, BTWQ_OK);
    tick_and_run(INT32_MAX);
    was_cancelled(0);
    items[0].frees = 0;
    CHECK_EQ(btwq_queue_work_delayed(&queue, &items[0].work, 2), BTWQ_OK);
    handclock_advance(2);
    tick_and_run(INT32_MAX);
    has_run(0);
}

/* All that is delayed in one call, from either end. */
static void all_of_them(int backwards)
{
    unsigned i;
    for (i = 0; i < WORKS; i++)
        delay(i, &ordered, 1000 * i);
    CHECK(btwq_pool_tick(&pool) > 0);
    for (i = 1; i < WORKS; i++)
        cancel(backwards ? WORKS - i : i, BTWQ_OK);
    tick_and_run(INT32_MAX);
    has_run(0);
    for (i = 1; i < WORKS; i++)
        was_cancelled(i);
}

int main(void)
{
    check_begin();
    handclock_set_up(0xffffff80U);
    REQUIRE_EQ(btwq_pool_set_timers(&pool, &timers), BTWQ_OK);
    before_the_end_of_the_delay(0);
    before_the_end_of_the_delay(1);
    before_the_end_of_the_delay(99);
    after_the_end_of_the_delay();
    others_are_not_affected();
    func_alone();
    once_more();
    all_of_them(0);
    all_of_them(1);
    DESTROY(&pool);
    return check_end();
}

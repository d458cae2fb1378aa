/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: btwq_work_cancel_sync ends a delayed work, however many call it at once, and a periodic
 * one too, which delays itself again from its last callback: when it has returned, the work is not
 * delayed, queued or running any more, and its memory is the caller's.
 */
#include "common.h"

enum { THREADS = 2, CANCELLERS = 3, ROUNDS = 150, LONG = 1000000 /* ms */ };

struct item {
    btwq_work work;
    unsigned funcs, cancelled;
    uint32_t period;
};

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_timers timers = BTWQ_TIMERS_INIT;
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "periodic");
static struct item item;
static unsigned succeeded; /* of several cancellers */

static void count(btwq_work *work)
{
    CHECK(work == &item.work);
    CHECK_EQ(btwq_work_cancel_sync(work), BTWQ_EDEADLK); /* It would wait for itself. */
    __atomic_add_fetch(&item.funcs, 1, __ATOMIC_RELAXED);
}

static void again(btwq_work *work)
{
    if (btwq_work_status(work) == BTWQ_ECANCELED)
        item.cancelled++;
    else
        CHECK_EQ(btwq_queue_work_delayed(&queue, work, item.period), BTWQ_OK);
}

/* A work that has a func alone is not told of its end. */
static void count_again(btwq_work *work)
{
    count(work);
    CHECK_EQ(btwq_queue_work_delayed(&queue, work, item.period), BTWQ_OK);
}

static const btwq_work_ops periodic_ordered = {count, NULL, again};
static const btwq_work_ops periodic_func = {count_again, NULL, NULL};

static void begin(const btwq_work_ops *ops, uint32_t period)
{
    memset(&item, 0, sizeof(item));
    item.period = period;
    CHECK_EQ(btwq_work_init(&item.work, ops), BTWQ_OK);
    CHECK_EQ(btwq_queue_work_delayed(&queue, &item.work, period), BTWQ_OK);
}

static void *cancel(void *nothing)
{
    const btwq_status status = btwq_work_cancel_sync(&item.work);
    CHECK(status == BTWQ_OK || status == 1);
    if (status == BTWQ_OK)
        __atomic_add_fetch(&succeeded, 1, __ATOMIC_RELAXED);
    return nothing;
}

/* Each in time is told so; who comes when the work has ended already is too late. */
static void several_cancel(void)
{
    pthread_t threads[CANCELLERS];
    unsigned i;
    succeeded = 0;
    for (i = 0; i < CANCELLERS; i++)
        threads[i] = thread_start(cancel, NULL);
    for (i = 0; i < CANCELLERS; i++)
        thread_join(threads[i]);
    CHECK(succeeded >= 1);
}

static void one_cancels(void)
{
    CHECK_EQ(btwq_work_cancel_sync(&item.work), BTWQ_OK);
}

/* It is ours: nobody will find it changed. */
static void is_over(const btwq_work_ops *ops)
{
    CHECK_EQ(item.cancelled, ops == &periodic_ordered ? 1 : 0);
    CHECK_EQ(btwq_work_cancel_sync(&item.work), 1); /* not queued */
    CHECK_EQ(btwq_work_cancel(&item.work), BTWQ_EBUSY);
    memset(&item, 0xa5, sizeof(item));
}

/* Long before its time: returns all the same, so it was not waited for that. */
static void before_its_time(const btwq_work_ops *ops, void (*end)(void))
{
    begin(ops, LONG);
    end();
    CHECK_EQ(item.funcs, 0);
    is_over(ops);
}

static void in_the_midst_of_it(const btwq_work_ops *ops, void (*end)(void))
{
    unsigned i;
    for (i = check_count(ROUNDS, 5); i > 0; i--) {
        begin(ops, i % 2);
        while (__atomic_load_n(&item.funcs, __ATOMIC_RELAXED) < i % 4)
            sched_yield();
        end();
        is_over(ops);
    }
}

int main(void)
{
    static const btwq_work_ops *const all_ops[] = {&periodic_ordered, &periodic_func};
    unsigned i;
    check_begin();
    REQUIRE_EQ(btwq_pool_set_timers(&pool, &timers), BTWQ_OK);
    START(&pool, THREADS);
    for (i = 0; i < 2; i++) {
        before_its_time(all_ops[i], one_cancels);
        before_its_time(all_ops[i], several_cancel);
        in_the_midst_of_it(all_ops[i], one_cancels);
        in_the_midst_of_it(all_ops[i], several_cancel);
    }
    DESTROY(&pool);
    return check_end();
}

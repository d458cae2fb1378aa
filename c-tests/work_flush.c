/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: btwq_work_flush returns when the last callback of the work has returned, not when it is
 * entered, and not before; for any number of callers at once, and whatever state the work is in
 * when they call. They sleep until then.
 */
#include "waiters.h"

enum { CALLERS = 3 };

static btwq_pool pool = BTWQ_POOL_INIT(&waiters_port);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "work flush");
static btwq_worker worker = BTWQ_WORKER_INIT(&pool);
static struct waiter waiters[CALLERS];
static btwq_work work;
static unsigned lasts;

static void flush_by_all(void)
{
    waiters_start(waiters, CALLERS, WORK_FLUSH, NULL, &work);
    waiters_settle(CALLERS);
}

static void nothing(btwq_work *w)
{
    (void)w;
}

static void callers_come(btwq_work *w)
{
    (void)w;
    flush_by_all();
}

static void last(btwq_work *w)
{
    (void)w;
    lasts++;
    waiters_tempt(CALLERS);
    CHECK_EQ(waiters_gone(), 0);
}

static void callers_come_and_last(btwq_work *w)
{
    callers_come(w);
    last(w);
}

/* The last callback is each of the three, and so is the moment at which the callers come. */
static const btwq_work_ops before[] = {{nothing, nothing, last},
                                       {nothing, last, NULL},
                                       {NULL, NULL, last},
                                       {last, NULL, NULL}};
static const btwq_work_ops during[] = {{callers_come, nothing, last},
                                       {nothing, callers_come, last},
                                       {nothing, nothing, callers_come_and_last},
                                       {callers_come, last, NULL},
                                       {nothing, callers_come_and_last, NULL},
                                       {callers_come_and_last, NULL, NULL}};

static void prepare(const btwq_work_ops *ops, int high)
{
    lasts = 0;
    CHECK_EQ(btwq_work_init(&work, ops), BTWQ_OK);
    CHECK_EQ(btwq_work_set_high_priority(&work, high), BTWQ_OK);
}

/* The main thread is the only worker: nothing moves but by this. */
static void run_and_join(void)
{
    waiters_serve(&worker, CALLERS);
    CHECK_EQ(lasts, 1);
    waiters_join(waiters, CALLERS, BTWQ_OK);
}

static void called_before_func(int high)
{
    unsigned i;
    for (i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
        prepare(&before[i], high);
        SUBMIT(&queue, &work);
        flush_by_all();
        run_and_join();
    }
}

static void called_meanwhile(int high)
{
    unsigned i;
    for (i = 0; i < sizeof(during) / sizeof(during[0]); i++) {
        prepare(&during[i], high);
        SUBMIT(&queue, &work);
        run_and_join();
    }
}

static void called_before_its_completion(void)
{
    prepare(&before[1], 0);
    CHECK_EQ(btwq_work_set_async(&work), BTWQ_OK);
    SUBMIT(&queue, &work);
    CHECK_EQ(btwq_run_until_idle(&worker), 1);
    flush_by_all();
    CHECK_EQ(btwq_work_complete(&work, 0), BTWQ_OK);
    run_and_join();
}

/* What comes behind it in the order does not keep the callers: not if it was queued later. */
static void called_before_others(int high)
{
    static const btwq_work_ops plain = {nothing, nothing, NULL};
    btwq_work later = BTWQ_WORK_INIT(&plain);
    prepare(&before[0], high);
    CHECK_EQ(btwq_work_set_high_priority(&later, high), BTWQ_OK);
    CHECK_EQ(btwq_work_set_async(&later), BTWQ_OK);
    SUBMIT(&queue, &work);
    flush_by_all();
    SUBMIT(&queue, &later);
    run_and_join();
    CHECK(btwq_run_until_idle(&worker) >= 0);
    CHECK_EQ(btwq_work_complete(&later, 0), BTWQ_OK);
    CHECK_EQ(btwq_run_until_idle(&worker), 1);
}

static void not_queued(void)
{
    prepare(&before[1], 0);
    CHECK_EQ(btwq_work_flush(&work), BTWQ_OK); /* never was, */
    SUBMIT(&queue, &work);
    flush_by_all();
    run_and_join();
    CHECK_EQ(btwq_work_flush(&work), BTWQ_OK); /* or has ended */
}

int main(void)
{
    int high;
    check_begin();
    waiters_set_up();
    for (high = 0; high < 2; high++) {
        called_before_func(high);
        called_meanwhile(high);
        called_before_others(high);
    }
    called_before_its_completion();
    not_queued();
    DESTROY(&pool);
    return check_end();
}

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: btwq_work_cancel_sync cancels, or is too late (1); in either case it returns only when
 * the last callback of the work has returned, for any number of callers at once, and sleeps until
 * then.
 */
#include "waiters.h"

enum { CALLERS = 3 };

static btwq_pool pool = BTWQ_POOL_INIT(&waiters_port);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "cancel sync");
static btwq_worker worker = BTWQ_WORKER_INIT(&pool);
static struct waiter waiters[CALLERS];
static btwq_work work;
static unsigned funcs, lasts;

static void cancel_by_all(void)
{
    waiters_start(waiters, CALLERS, CANCEL_SYNC, NULL, &work);
    waiters_settle(CALLERS);
}

/* The main thread is the only worker: nothing moves but by this. */
static void run_and_join(btwq_status result)
{
    CHECK_EQ(waiters_gone(), 0);
    waiters_serve(&worker, CALLERS);
    waiters_join(waiters, CALLERS, result);
}

static void func(btwq_work *w)
{
    (void)w;
    funcs++;
}

/* Entered is not returned: nobody may come back before the end of this. */
static void last(btwq_work *w)
{
    (void)w;
    lasts++;
    waiters_tempt(CALLERS);
    CHECK_EQ(waiters_gone(), 0);
}

static void status_is_cancelled(btwq_work *w)
{
    CHECK_EQ(btwq_work_status(w), BTWQ_ECANCELED);
}

static void callers_come(btwq_work *w)
{
    (void)w;
    cancel_by_all();
}

static void callers_come_and_last(btwq_work *w)
{
    callers_come(w);
    last(w);
}

static const btwq_work_ops before[] = {
    {func, status_is_cancelled, last}, {func, last, NULL}, {NULL, NULL, last}, {func, NULL, NULL}};
static const btwq_work_ops during[] = {{callers_come, NULL, last},
                                       {func, callers_come, last},
                                       {func, func, callers_come_and_last},
                                       {func, callers_come_and_last, NULL},
                                       {callers_come_and_last, NULL, NULL}};

static void prepare(const btwq_work_ops *ops, int high)
{
    funcs = lasts = 0;
    CHECK_EQ(btwq_work_init(&work, ops), BTWQ_OK);
    CHECK_EQ(btwq_work_set_high_priority(&work, high), BTWQ_OK);
}

static void called_before_func(int high)
{
    unsigned i;
    for (i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
        prepare(&before[i], high);
        SUBMIT(&queue, &work);
        cancel_by_all();
        run_and_join(BTWQ_OK);
        CHECK_EQ(funcs, 0);
        CHECK_EQ(lasts, before[i].ordered_func == NULL && before[i].ordered_free == NULL ? 0 : 1);
    }
}

static void called_meanwhile(int high)
{
    unsigned i;
    for (i = 0; i < sizeof(during) / sizeof(during[0]); i++) {
        prepare(&during[i], high);
        SUBMIT(&queue, &work);
        run_and_join(1);
        CHECK_EQ(lasts, 1);
    }
}

/* Its func is over, and its turn has not come: a work before it is held up. */
static void called_before_its_turn(void)
{
    static const btwq_work_ops plain = {func, NULL, func};
    btwq_work first = BTWQ_WORK_INIT(&plain);
    prepare(&before[1], 0);
    CHECK_EQ(btwq_work_set_async(&first), BTWQ_OK);
    SUBMIT(&queue, &first);
    SUBMIT(&queue, &work);
    CHECK_EQ(btwq_run_until_idle(&worker), 2);
    cancel_by_all();
    CHECK_EQ(btwq_work_complete(&first, 0), BTWQ_OK);
    run_and_join(1);
}

static void not_queued(void)
{
    prepare(&before[0], 0);
    CHECK_EQ(btwq_work_cancel_sync(&work), 1); /* never was, */
    SUBMIT(&queue, &work);
    cancel_by_all();
    run_and_join(BTWQ_OK);
    CHECK_EQ(btwq_work_cancel_sync(&work), 1); /* or has ended */
}

int main(void)
{
    check_begin();
    waiters_set_up();
    called_before_func(0);
    called_before_func(1);
    called_meanwhile(0);
    called_meanwhile(1);
    called_before_its_turn();
    not_queued();
    DESTROY(&pool);
    return check_end();
}

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: what ends works and queues, and what gives them to an executor, refuses each argument
 * that is NULL, was never initialised, is destroyed, or whose pool can not let anybody wait; and
 * nothing has changed then.
 */
#include "waiters.h"

enum { CALLS = 5 };

static btwq_pool pool = BTWQ_POOL_INIT(&waiters_port);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "misuse");
static btwq_worker worker = BTWQ_WORKER_INIT(&pool);
static int funcs;

static void func(btwq_work *work)
{
    (void)work;
    funcs++;
}

static const btwq_work_ops ops = {func, NULL, func};

BTWQ_DEFINE_HELPER(help);

static void dispatch(void *arg, btwq_func_t helper, btwq_work *work)
{
    (void)arg;
    (void)helper;
    (void)work;
    abort(); /* No queue here ever has an executor and a work. */
}

static const btwq_executor executor = {dispatch, help, NULL};

static void still_works(void)
{
    btwq_work work = BTWQ_WORK_INIT(&ops);
    funcs = 0;
    SUBMIT(&queue, &work);
    CHECK_EQ(btwq_run_until_idle(&worker), 1);
    CHECK_EQ(funcs, 2);
    CHECK_EQ(btwq_queue_flush(&queue), BTWQ_OK);
}

static void work_refused(btwq_work *bad)
{
    btwq_work before = BTWQ_WORK_INIT(&ops);
    if (bad != NULL)
        before = *bad;
    CHECK_EQ(btwq_work_cancel(bad), BTWQ_EINVAL);
    CHECK_EQ(btwq_work_cancel_sync(bad), BTWQ_EINVAL);
    CHECK_EQ(btwq_work_flush(bad), BTWQ_EINVAL);
    CHECK(bad == NULL || memcmp(bad, &before, sizeof(before)) == 0);
}

static void queue_refused(btwq_queue *bad)
{
    btwq_queue before = BTWQ_QUEUE_INIT(NULL, NULL);
    btwq_work work = BTWQ_WORK_INIT(&ops);
    btwq_work *const works[] = {&work};
    if (bad != NULL)
        before = *bad;
    CHECK_EQ(btwq_queue_flush(bad), BTWQ_EINVAL);
    CHECK_EQ(btwq_queue_drain(bad), BTWQ_EINVAL);
    CHECK_EQ(btwq_queue_destroy(bad), BTWQ_EINVAL);
    CHECK_EQ(btwq_queue_set_executor(bad, &executor), BTWQ_EINVAL);
    CHECK_EQ(btwq_queue_work(bad, &work), BTWQ_EINVAL);
    CHECK_EQ(btwq_queue_work_batch(bad, works, 1), BTWQ_EINVAL);
    CHECK(bad == NULL || memcmp(bad, &before, sizeof(before)) == 0);
    CHECK_EQ(btwq_work_cancel(&work), BTWQ_EBUSY); /* It was queued nowhere. */
}

static void never_initialised(int fill)
{
    btwq_work bad_work;
    btwq_queue bad_queue;
    btwq_pool bad_pool;
    btwq_queue no_pool = BTWQ_QUEUE_INIT(NULL, "no pool");
    btwq_queue stray = BTWQ_QUEUE_INIT(&bad_pool, "stray");
    memset(&bad_work, fill, sizeof(bad_work));
    memset(&bad_queue, fill, sizeof(bad_queue));
    memset(&bad_pool, fill, sizeof(bad_pool));
    work_refused(&bad_work);
    queue_refused(&bad_queue);
    queue_refused(&no_pool);
    queue_refused(&stray);
}

static void destroyed(void)
{
    btwq_queue dead;
    CHECK_EQ(btwq_queue_init(&dead, &pool, "dead"), BTWQ_OK);
    CHECK_EQ(btwq_queue_destroy(&dead), BTWQ_OK); /* It is empty: that needs no worker. */
    queue_refused(&dead);
    CHECK_EQ(btwq_queue_init(&dead, &pool, "alive"), BTWQ_OK);
    CHECK_EQ(btwq_queue_drain(&dead), BTWQ_OK);
    CHECK_EQ(btwq_queue_destroy(&dead), BTWQ_OK);
    queue_refused(&dead);
}

static void being_destroyed(void)
{
    btwq_queue dying = BTWQ_QUEUE_INIT(&pool, "dying");
    btwq_work work = BTWQ_WORK_INIT(&ops), late = BTWQ_WORK_INIT(&ops);
    struct waiter waiter;
    SUBMIT(&dying, &work);
    waiters_start(&waiter, 1, QUEUE_DESTROY, &dying, NULL);
    waiters_settle(1);
    CHECK_EQ(btwq_queue_destroy(&dying), BTWQ_EBUSY);
    CHECK_EQ(btwq_queue_work(&dying, &late), BTWQ_ESHUTDOWN);
    waiters_serve(&worker, 1);
    waiters_join(&waiter, 1, BTWQ_OK);
    SUBMIT(&queue, &late);
    CHECK_EQ(btwq_run_until_idle(&worker), 1);
}

/* Nobody can wait on such a pool, by whichever call; all else works. */
static void nobody_may_wait(const btwq_port *port)
{
    static btwq_pool other;
    btwq_queue its_queue;
    btwq_worker its_worker;
    btwq_work work = BTWQ_WORK_INIT(&ops);
    int call;
    CHECK_EQ(btwq_pool_init(&other, port), BTWQ_OK);
    CHECK_EQ(btwq_queue_init(&its_queue, &other, NULL), BTWQ_OK);
    CHECK_EQ(btwq_worker_init(&its_worker, &other), BTWQ_OK);
    SUBMIT(&its_queue, &work);
    for (call = 0; call < CALLS; call++)
        CHECK_EQ(waiting_call((enum waiting_call)call, &its_queue, &work), BTWQ_EINVAL);
    funcs = 0;
    CHECK_EQ(btwq_run_until_idle(&its_worker), 1);
    CHECK_EQ(funcs, 2); /* It was not cancelled. */
    SUBMIT(&its_queue, &work);
    CHECK_EQ(btwq_work_cancel(&work), BTWQ_OK);
    CHECK_EQ(btwq_run_until_idle(&its_worker), 1);
    CHECK_EQ(funcs, 3);
    DESTROY(&other);
}

static void executors(void)
{
    static const btwq_executor no_dispatch = {NULL, help, NULL}, no_helper = {dispatch, NULL, NULL};
    btwq_queue fresh = BTWQ_QUEUE_INIT(&pool, "fresh"), before = fresh;
    CHECK_EQ(btwq_queue_set_executor(&fresh, NULL), BTWQ_EINVAL);
    CHECK_EQ(btwq_queue_set_executor(&fresh, &no_dispatch), BTWQ_EINVAL);
    CHECK_EQ(btwq_queue_set_executor(&fresh, &no_helper), BTWQ_EINVAL);
    CHECK(memcmp(&fresh, &before, sizeof(fresh)) == 0);
    CHECK_EQ(btwq_queue_set_executor(&fresh, &executor), BTWQ_OK);
    CHECK_EQ(btwq_queue_set_executor(&fresh, &executor), BTWQ_EBUSY);
    CHECK_EQ(btwq_queue_flush(&fresh), BTWQ_OK); /* Nothing is dispatched for an empty queue. */
    CHECK_EQ(btwq_queue_drain(&fresh), BTWQ_OK);
    CHECK_EQ(btwq_queue_destroy(&fresh), BTWQ_OK);
}

int main(void)
{
    static btwq_port no_local;
    check_begin();
    waiters_set_up();
    no_local = btwq_port_host;
    no_local.local = NULL;
    work_refused(NULL);
    queue_refused(NULL);
    never_initialised(0x00);
    never_initialised(0xff);
    never_initialised(0xa5);
    destroyed();
    being_destroyed();
    nobody_may_wait(NULL);
    nobody_may_wait(&no_local);
    executors();
    still_works();
    DESTROY(&pool);
    return check_end();
}

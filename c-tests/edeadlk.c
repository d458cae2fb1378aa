/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: a callback that waits for its own queue is told so at once, by BTWQ_EDEADLK, and nothing
 * has changed: from each of the callbacks, in either lane, whoever runs it (the pool's threads, a
 * main loop, an executor), and also if the queue's callback is an outer one on the same thread. It
 * may wait for another queue.
 */
#include "executor.h"
#include "trace.h"
#include "waiters.h"

enum { CALLS = 5, WORKERS = 2 };

/* What a callback waits for: the queue that it is in, its own work, and one that comes later. */
static btwq_queue *queue;
static struct traced first, second;

static void all_refused_for(btwq_work *work)
{
    int call;
    for (call = 0; call < CALLS; call++)
        CHECK_EQ(waiting_call((enum waiting_call)call, queue, work), BTWQ_EDEADLK);
}

static void all_refused(struct traced *item, char stage)
{
    (void)stage;
    all_refused_for(&item->work);
    all_refused_for(&second.work);
}

/* The second work, which was to be cancelled and flushed, runs as if nothing had been. */
static void prepare(const btwq_work_ops *ops, int high)
{
    traced_init(&first, 'A', ops);
    traced_init(&second, 'B', &traced_all);
    first.act = all_refused;
    CHECK_EQ(btwq_work_set_high_priority(&first.work, high), BTWQ_OK);
    CHECK_EQ(btwq_work_set_high_priority(&second.work, high), BTWQ_OK);
}

static void submit(void)
{
    SUBMIT(queue, &first.work);
    SUBMIT(queue, &second.work);
}

static void from_a_main_loop(const btwq_work_ops *ops, int high, const char *expected)
{
    static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
    static btwq_queue loop_queue = BTWQ_QUEUE_INIT(&pool, "main loop");
    static btwq_worker worker = BTWQ_WORKER_INIT(&pool);
    queue = &loop_queue;
    prepare(ops, high);
    submit();
    CHECK_EQ(btwq_run_until_idle(&worker), 2);
    EXPECT(expected);
    CHECK_EQ(btwq_queue_drain(queue), BTWQ_OK);
}

/* One thread, so that the trace is the same. */
static void from_a_thread(const btwq_work_ops *ops, int high, const char *expected)
{
    static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
    static btwq_queue threads_queue = BTWQ_QUEUE_INIT(&pool, "thread");
    queue = &threads_queue;
    prepare(ops, high);
    submit();
    START(&pool, 1);
    CHECK_EQ(btwq_queue_flush(queue), BTWQ_OK);
    EXPECT(expected);
    STOP(&pool);
}

BTWQ_DEFINE_HELPER(help);

static void from_an_executor(const btwq_work_ops *ops, int high, const char *expected)
{
    static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
    static btwq_queue executed_queue = BTWQ_QUEUE_INIT(&pool, "executor");
    static struct executor executor = EXECUTOR_INIT;
    static const btwq_executor table = {executor_dispatch, help, &executor};
    queue = &executed_queue;
    if (executor.dispatched == 0)
        REQUIRE_EQ(btwq_queue_set_executor(queue, &table), BTWQ_OK);
    prepare(ops, high);
    submit();
    executor_run(&executor);
    EXPECT(expected);
    CHECK_EQ(btwq_queue_drain(queue), BTWQ_OK);
}

static void whoever_runs_it(const btwq_work_ops *ops, const char *expected)
{
    int high;
    for (high = 0; high < 2; high++) {
        from_a_main_loop(ops, high, expected);
        from_a_thread(ops, high, expected);
        from_an_executor(ops, high, expected);
    }
}

/* A callback of one queue runs a callback of another. */
static btwq_pool outer_pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_pool inner_pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_queue outer_queue = BTWQ_QUEUE_INIT(&outer_pool, "outer");
static btwq_queue inner_queue = BTWQ_QUEUE_INIT(&inner_pool, "inner");
static btwq_worker outer_worker = BTWQ_WORKER_INIT(&outer_pool);
static btwq_worker inner_worker = BTWQ_WORKER_INIT(&inner_pool);

static void inner_refused(struct traced *item, char stage)
{
    (void)item;
    (void)stage;
    CHECK_EQ(btwq_queue_flush(&inner_queue), BTWQ_EDEADLK);
    CHECK_EQ(btwq_queue_flush(&outer_queue), BTWQ_EDEADLK);
    CHECK_EQ(btwq_queue_drain(&outer_queue), BTWQ_EDEADLK);
    CHECK_EQ(btwq_queue_destroy(&outer_queue), BTWQ_EDEADLK);
    CHECK_EQ(btwq_work_flush(&first.work), BTWQ_EDEADLK);
    CHECK_EQ(btwq_work_cancel_sync(&first.work), BTWQ_EDEADLK);
}

static void runs_the_inner(struct traced *item, char stage)
{
    (void)item;
    (void)stage;
    second.act = inner_refused;
    SUBMIT(&inner_queue, &second.work);
    CHECK_EQ(btwq_run_one(&inner_worker), 1);
    CHECK_EQ(btwq_queue_drain(&inner_queue), BTWQ_OK); /* It is another's again. */
    CHECK_EQ(btwq_queue_flush(&outer_queue), BTWQ_EDEADLK);
}

static void in_an_outer_callback(void)
{
    traced_init(&first, 'A', &traced_all);
    traced_init(&second, 'B', &traced_all);
    first.act = runs_the_inner;
    SUBMIT(&outer_queue, &first.work);
    CHECK_EQ(btwq_run_until_idle(&outer_worker), 1);
    EXPECT("fA fB oB rB oA fB oB rB rA fB oB rB");
    CHECK_EQ(btwq_queue_flush(&outer_queue), BTWQ_OK);
}

/* While another worker runs that queue's works. */
static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_queue one = BTWQ_QUEUE_INIT(&pool, "one"), other = BTWQ_QUEUE_INIT(&pool, "other");

static void waits_for_the_other(struct traced *item, char stage)
{
    (void)item;
    (void)stage;
    SUBMIT(&other, &second.work);
    CHECK_EQ(btwq_work_flush(&second.work), BTWQ_OK);
    SUBMIT(&other, &second.work);
    CHECK_EQ(btwq_queue_flush(&other), BTWQ_OK);
    SUBMIT(&other, &second.work);
    CHECK_EQ(btwq_queue_drain(&other), BTWQ_OK);
    CHECK(btwq_work_cancel_sync(&second.work) == 1);
}

static void for_another_queue(void)
{
    traced_init(&first, 'A', &traced_all);
    traced_init(&second, 'B', &traced_short);
    first.act = waits_for_the_other;
    START(&pool, WORKERS);
    SUBMIT(&one, &first.work);
    CHECK_EQ(btwq_queue_drain(&one), BTWQ_OK);
    EXPECT("fA fB oB fB oB fB oB oA fB oB fB oB fB oB rA fB oB fB oB fB oB");
    CHECK_EQ(btwq_queue_destroy(&other), BTWQ_OK);
    CHECK_EQ(btwq_queue_destroy(&one), BTWQ_OK);
    DESTROY(&pool);
}

int main(void)
{
    check_begin();
    whoever_runs_it(&traced_all, "fA oA rA fB oB rB");
    whoever_runs_it(&traced_short, "fA oA fB oB rB");
    whoever_runs_it(&traced_ordered, "oA rA fB oB rB");
    whoever_runs_it(&traced_func, "fA fB oB rB");
    in_an_outer_callback();
    for_another_queue();
    return check_end();
}

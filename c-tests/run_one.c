/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: btwq_run_one runs one work, with the ordered callbacks that become ready by it, and
 * says 1; or 0 when none was ready. It needs no port, works on a stopped pool too, and may be
 * called from a callback, with a worker that is not in use.
 */
#include "common.h"

static btwq_pool pool = BTWQ_POOL_INIT(NULL);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "one");
static btwq_worker worker = BTWQ_WORKER_INIT(&pool), second = BTWQ_WORKER_INIT(&pool);
static int funcs, calls, inner;

static void func(btwq_work *work)
{
    (void)work;
    funcs++;
}

static void ordered_func(btwq_work *work)
{
    (void)work;
    calls++;
}

/* While this work is in its func the one behind it is run, but its turn has not come. */
static void nested_func(btwq_work *work)
{
    func(work);
    inner = btwq_run_one(&second);
    CHECK_EQ(calls, 0);
}

static const btwq_work_ops ordered = {func, ordered_func, NULL};
static const btwq_work_ops unordered = {func, NULL, NULL};
static const btwq_work_ops nested = {nested_func, ordered_func, NULL};

static void check_one(int result, int funcs_now, int calls_now)
{
    CHECK_EQ(btwq_run_one(&worker), result);
    CHECK_EQ(funcs, funcs_now);
    CHECK_EQ(calls, calls_now);
}

static void one_at_a_time(void)
{
    btwq_work works[3];
    CHECK_EQ(btwq_work_init(&works[0], &ordered), BTWQ_OK);
    CHECK_EQ(btwq_work_init(&works[1], &ordered), BTWQ_OK);
    CHECK_EQ(btwq_work_init(&works[2], &unordered), BTWQ_OK);
    check_one(0, 0, 0);
    SUBMIT(&queue, &works[0]);
    check_one(1, 1, 1);
    check_one(0, 1, 1);
    SUBMIT(&queue, &works[1]);
    SUBMIT(&queue, &works[2]);
    CHECK_EQ(btwq_run_one(&worker), 1);
    CHECK_EQ(funcs, 2);
    CHECK_EQ(btwq_run_one(&second), 1); /* what another worker has come by counts as well */
    check_one(0, 3, 2);
}

static void on_a_stopped_pool(void)
{
    btwq_work work = BTWQ_WORK_INIT(&ordered);
    STOP(&pool);
    funcs = calls = 0;
    SUBMIT(&queue, &work);
    check_one(1, 1, 1);
    check_one(0, 1, 1);
}

static void from_a_callback(void)
{
    btwq_work first = BTWQ_WORK_INIT(&nested), last = BTWQ_WORK_INIT(&ordered);
    funcs = calls = 0;
    SUBMIT(&queue, &first);
    check_one(1, 1, 1); /* Nothing was there for the inner call. */
    CHECK_EQ(inner, 0);
    funcs = calls = 0;
    SUBMIT(&queue, &first);
    SUBMIT(&queue, &last);
    CHECK_EQ(btwq_run_one(&worker), 1);
    CHECK_EQ(btwq_run_until_idle(&worker), inner == 1 ? 0 : 1);
    CHECK_EQ(funcs, 2);
    CHECK_EQ(calls, 2);
}

int main(void)
{
    check_begin();
    one_at_a_time();
    on_a_stopped_pool();
    from_a_callback();
    DESTROY(&pool);
    return check_end();
}

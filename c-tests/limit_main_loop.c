/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: a limit holds for one thread too, and does not lock it up: a func that calls
 * btwq_run_one or btwq_run_until_idle finds nothing to run in a lane that has its number running,
 * but the works of the other lane, and of other queues. What was not to run then runs later.
 */
#include "common.h"

enum { WORKS = 5 };

static btwq_pool pool = BTWQ_POOL_INIT(NULL);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "limited");
static btwq_queue other = BTWQ_QUEUE_INIT(&pool, "other");
static btwq_control control = BTWQ_CONTROL_INIT;
static btwq_worker worker = BTWQ_WORKER_INIT(&pool);
static btwq_work works[WORKS], high, foreign;
static unsigned begun, depth, deepest, called;
static btwq_status (*inner_run)(btwq_worker *worker);

/* Every func runs whatever it may from within. */
static void func(btwq_work *work)
{
    const unsigned before = begun++;
    btwq_status ran;
    (void)work;
    if (++depth > deepest)
        deepest = depth;
    ran = inner_run(&worker);
    CHECK_EQ(ran == 0, begun == before + 1); /* It says whether it ran any. */
    depth--;
}

static void ordered_func(btwq_work *work)
{
    CHECK(work == &works[called]);
    called++;
}

static void simple(btwq_work *work)
{
    CHECK_EQ(depth, 1);
    called += work == &high ? 10 : 100;
}

static const btwq_work_ops ops = {func, ordered_func, NULL};
static const btwq_work_ops unordered_ops = {func, NULL, NULL};
static const btwq_work_ops simple_ops = {simple, NULL, NULL};

static void submit(unsigned n, const btwq_work_ops *its_ops)
{
    unsigned i;
    begun = deepest = called = 0;
    for (i = 0; i < n; i++) {
        CHECK_EQ(btwq_work_init(&works[i], its_ops), BTWQ_OK);
        SUBMIT(&queue, &works[i]);
    }
}

/* However deep the calls go, no more than the limit are in their func. */
static void as_deep_as_the_limit(unsigned limit)
{
    CHECK_EQ(btwq_queue_set_max(&queue, limit), BTWQ_OK);
    submit(WORKS, &ops);
    CHECK(btwq_run_until_idle(&worker) >= 1);
    CHECK_EQ(begun, WORKS);
    CHECK_EQ(called, WORKS);
    CHECK_EQ(deepest, limit);
    submit(WORKS, &unordered_ops);
    CHECK(btwq_run_until_idle(&worker) >= 1);
    CHECK_EQ(begun, WORKS);
    CHECK_EQ(deepest, limit);
}

static void nothing_for_the_inner_call(void)
{
    unsigned i;
    CHECK_EQ(btwq_queue_set_max(&queue, 1), BTWQ_OK);
    submit(WORKS, &ops);
    for (i = 1; i <= WORKS; i++) {
        CHECK_EQ(btwq_run_one(&worker), 1);
        CHECK_EQ(begun, i);
        CHECK_EQ(called, i);
    }
    CHECK_EQ(btwq_run_one(&worker), 0);
    CHECK_EQ(deepest, 1);
}

/* The call that raises the limit lets the next one in; lowering it keeps out only who comes. */
static void raise_in_func(btwq_work *work)
{
    const int is_first = work == &works[0];
    begun++;
    CHECK_EQ(btwq_run_one(&worker), 0);
    if (!is_first)
        return;
    CHECK_EQ(btwq_queue_set_max(&queue, 2), BTWQ_OK);
    CHECK_EQ(btwq_run_one(&worker), 1);
    CHECK_EQ(begun, 2);
    CHECK_EQ(btwq_queue_set_max(&queue, 1), BTWQ_OK);
    CHECK_EQ(btwq_run_one(&worker), 0);
}

static void raised_from_within(void)
{
    static const btwq_work_ops raising = {raise_in_func, ordered_func, NULL};
    CHECK_EQ(btwq_queue_set_max(&queue, 1), BTWQ_OK);
    submit(WORKS, &raising);
    CHECK_EQ(btwq_run_one(&worker), 1);
    CHECK_EQ(begun, 2);
    CHECK_EQ(called, 2);
    CHECK_EQ(btwq_run_until_idle(&worker), WORKS - 2);
    CHECK_EQ(called, WORKS);
}

/* While the lane is full: a work of the other lane, and one of another queue. */
static btwq_status run_two_others(btwq_worker *its_worker)
{
    const unsigned before = called;
    CHECK_EQ(btwq_run_until_idle(its_worker), 2);
    CHECK_EQ(called, before + 110);
    return 0;
}

static void submit_two_others(btwq_work *work)
{
    SUBMIT(&queue, &high);
    SUBMIT(&other, &foreign);
    func(work);
    called = 0;
}

static void others_go_on(void)
{
    static const btwq_work_ops submitting = {submit_two_others, NULL, NULL};
    CHECK_EQ(btwq_work_init(&high, &simple_ops), BTWQ_OK);
    CHECK_EQ(btwq_work_set_high_priority(&high, 1), BTWQ_OK);
    CHECK_EQ(btwq_work_init(&foreign, &simple_ops), BTWQ_OK);
    CHECK_EQ(btwq_queue_set_max(&queue, 1), BTWQ_OK);
    inner_run = run_two_others;
    submit(WORKS, &submitting);
    CHECK_EQ(btwq_run_until_idle(&worker), WORKS);
    CHECK_EQ(begun, WORKS);
    CHECK_EQ(deepest, 1);
}

int main(void)
{
    check_begin();
    REQUIRE_EQ(btwq_queue_set_control(&queue, &control), BTWQ_OK);
    inner_run = btwq_run_one;
    nothing_for_the_inner_call();
    as_deep_as_the_limit(1);
    as_deep_as_the_limit(2);
    as_deep_as_the_limit(3);
    inner_run = btwq_run_until_idle;
    nothing_for_the_inner_call();
    as_deep_as_the_limit(1);
    as_deep_as_the_limit(2);
    as_deep_as_the_limit(3);
    raised_from_within();
    others_go_on();
    DESTROY(&pool);
    return check_end();
}

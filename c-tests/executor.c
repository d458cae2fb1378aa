/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: with an executor of one's own each call of a helper runs at most one func and retires at
 * most one work, its own, and that last; what becomes ready by it is dispatched as a call of its
 * own. Shown call by call, for each kind of work; nothing needs a worker of the pool.
 */
#include "executor.h"
#include "trace.h"
#include "waiters.h"

static btwq_pool pool = BTWQ_POOL_INIT(&waiters_port);
static struct executor executor = EXECUTOR_INIT;
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "executor"), limited = BTWQ_QUEUE_INIT(&pool, "l");
static btwq_control control = BTWQ_CONTROL_INIT;
static struct traced a, b, c;

BTWQ_DEFINE_HELPER(help);
static const btwq_executor table = {executor_dispatch, help, &executor};

static void init(const btwq_work_ops *ops)
{
    traced_init(&a, 'A', ops);
    traced_init(&b, 'B', ops);
    traced_init(&c, 'C', ops);
}

static void submit_all(btwq_queue *q)
{
    SUBMIT(q, &a.work);
    SUBMIT(q, &b.work);
    SUBMIT(q, &c.work);
}

#define EXPECT_STEP(text) expect_step((text), __FILE__, __LINE__)

static void expect_step(const char *text, const char *file, int line)
{
    check_equal(executor_step(&executor), 1, 0, file, line, "something is to be called");
    trace_expect(text, file, line);
}

static void expect_no_more(void)
{
    CHECK_EQ(executor_step(&executor), 0);
}

static void in_their_order(void)
{
    init(&traced_all);
    submit_all(&queue);
    EXPECT(""); /* Nothing runs where works are queued. */
    EXPECT_STEP("fA oA rA");
    EXPECT_STEP("fB oB rB");
    EXPECT_STEP("fC oC rC");
    expect_no_more();
}

/* Others are done when the first one is: each is retired by a call of its own. */
static void after_a_late_first(void)
{
    init(&traced_all);
    CHECK_EQ(btwq_work_set_async(&a.work), BTWQ_OK);
    submit_all(&queue);
    EXPECT_STEP("fA");
    EXPECT_STEP("fB");
    EXPECT_STEP("fC");
    expect_no_more();
    CHECK_EQ(btwq_work_complete(&a.work, 5), BTWQ_OK);
    EXPECT(""); /* Nor where they are completed. */
    EXPECT_STEP("oA=5 rA=5");
    EXPECT_STEP("oB rB");
    EXPECT_STEP("oC rC");
    expect_no_more();
}

static void as_a_batch(void)
{
    btwq_work *const works[] = {&c.work, &a.work, &b.work};
    init(&traced_all);
    REQUIRE_EQ(btwq_queue_work_batch(&queue, works, 3), BTWQ_OK);
    EXPECT_STEP("fC oC rC");
    EXPECT_STEP("fA oA rA");
    EXPECT_STEP("fB oB rB");
    expect_no_more();
}

/* An executor calls them as they come; but each lane's order is its own. */
static void in_two_lanes(void)
{
    init(&traced_all);
    CHECK_EQ(btwq_work_set_async(&a.work), BTWQ_OK);
    CHECK_EQ(btwq_work_set_high_priority(&b.work, 1), BTWQ_OK);
    submit_all(&queue);
    EXPECT_STEP("fA");
    EXPECT_STEP("fB oB rB");
    EXPECT_STEP("fC");
    CHECK_EQ(btwq_work_complete(&a.work, 0), BTWQ_OK);
    EXPECT_STEP("oA rA");
    EXPECT_STEP("oC rC");
    expect_no_more();
}

static void without_a_place(void)
{
    init(&traced_func);
    submit_all(&queue);
    CHECK_EQ(btwq_work_cancel(&b.work), BTWQ_OK);
    EXPECT_STEP("fA");
    EXPECT_STEP("");
    EXPECT_STEP("fC");
    expect_no_more();
}

static void cancelled(void)
{
    init(&traced_all);
    submit_all(&queue);
    CHECK_EQ(btwq_work_cancel(&a.work), BTWQ_OK);
    CHECK_EQ(btwq_work_cancel(&c.work), BTWQ_OK);
    EXPECT_STEP("oA! rA!");
    EXPECT_STEP("fB oB rB");
    EXPECT_STEP("oC! rC!");
    expect_no_more();
}

/* A callback that steps on stands for another thread of the executor. */
static void steps_on(struct traced *item, char stage)
{
    (void)item;
    if (stage != 'f')
        return;
    CHECK_EQ(executor_step(&executor), 1);
    CHECK_EQ(executor_step(&executor), 1);
}

static void several_at_once(void)
{
    init(&traced_all);
    submit_all(&queue);
    a.act = steps_on;
    EXPECT_STEP("fA fB fC oA rA");
    EXPECT_STEP("oB rB");
    EXPECT_STEP("oC rC");
    expect_no_more();
}

/* A call may find that its work may not start yet: that is dispatched again when it may. */
static void steps_in_vain(struct traced *item, char stage)
{
    (void)item;
    if (stage == 'f')
        executor_run(&executor);
}

static void within_a_limit(void)
{
    init(&traced_all);
    CHECK_EQ(btwq_queue_set_executor(&limited, &table), BTWQ_OK);
    CHECK_EQ(btwq_queue_set_control(&limited, &control), BTWQ_OK);
    CHECK_EQ(btwq_queue_set_max(&limited, 1), BTWQ_OK);
    submit_all(&limited);
    a.act = b.act = c.act = steps_in_vain;
    executor_run(&executor);
    EXPECT("fA oA rA fB oB rB fC oC rC");
    a.act = b.act = c.act = NULL;
    submit_all(&limited);
    executor_run(&executor);
    EXPECT("fA oA rA fB oB rB fC oC rC");
    expect_no_more();
}

/* For all waiting calls the executor is the worker. */
static void waited_for(enum waiting_call call, btwq_status result)
{
    struct waiter waiter;
    init(&traced_all);
    submit_all(&queue);
    waiters_start(&waiter, 1, call, &queue, &c.work);
    waiters_settle(1);
    EXPECT("");
    while (waiters_gone() < 1) {
        if (!executor_step(&executor))
            sched_yield();
    }
    EXPECT(call == CANCEL_SYNC ? "fA oA rA fB oB rB oC! rC!" : "fA oA rA fB oB rB fC oC rC");
    waiters_join(&waiter, 1, result);
}

int main(void)
{
    check_begin();
    waiters_set_up();
    REQUIRE_EQ(btwq_queue_set_executor(&queue, &table), BTWQ_OK);
    in_their_order();
    after_a_late_first();
    as_a_batch();
    in_two_lanes();
    without_a_place();
    cancelled();
    several_at_once();
    within_a_limit();
    waited_for(WORK_FLUSH, BTWQ_OK);
    waited_for(CANCEL_SYNC, BTWQ_OK);
    waited_for(QUEUE_FLUSH, BTWQ_OK);
    waited_for(QUEUE_DRAIN, BTWQ_OK);
    waited_for(QUEUE_DESTROY, BTWQ_OK);
    CHECK_EQ(executor.called, executor.dispatched);
    DESTROY(&pool);
    return check_end();
}

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: each callback may be missing, but not all. Of a work those that are there are called, in
 * their sequence; the last one that is there ends its life, and may free it.
 */
#include "common.h"

enum { FUNC = 1, CALL = 2, FREE = 4, SUBSETS = 8, NEIGHBOURS = 2 };

/* The table is in the work, as it must stay valid only while a work of its kind is in use. */
struct item {
    btwq_work work;
    btwq_work_ops ops;
    int last;   /* the callback that ends its life */
    int *trace; /* a decimal digit for each call */
};

static btwq_pool pool = BTWQ_POOL_INIT(NULL);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "missing");
static btwq_worker worker = BTWQ_WORKER_INIT(&pool);

static void called(btwq_work *work, int what)
{
    struct item *item = CONTAINER_OF(work, struct item, work);
    *item->trace = *item->trace * 10 + what;
    if (item->last == what) {
        memset(item, 0xa5, sizeof(*item));
        free(item);
    }
}

static void func(btwq_work *work)
{
    called(work, FUNC);
}

static void ordered_func(btwq_work *work)
{
    called(work, CALL);
}

static void ordered_free(btwq_work *work)
{
    called(work, FREE);
}

static void submit(int subset, int *trace)
{
    struct item *item = (struct item *)malloc(sizeof(*item));
    REQUIRE(item != NULL);
    item->ops.func = subset & FUNC ? func : NULL;
    item->ops.ordered_func = subset & CALL ? ordered_func : NULL;
    item->ops.ordered_free = subset & FREE ? ordered_free : NULL;
    item->last = subset & FREE ? FREE : subset & CALL ? CALL : FUNC;
    item->trace = trace;
    REQUIRE_EQ(btwq_work_init(&item->work, &item->ops), BTWQ_OK);
    SUBMIT(&queue, &item->work);
}

static int expected(int subset)
{
    int trace = 0, what;
    for (what = FUNC; what <= FREE; what *= 2) {
        if (subset & what)
            trace = trace * 10 + what;
    }
    return trace;
}

/* Alone in its queue, and between two others, where it takes other ways through the order. */
static void run(int subset, int neighbours)
{
    int trace = 0, others[2 * NEIGHBOURS] = {0, 0, 0, 0};
    int i;
    for (i = 0; i < neighbours; i++)
        submit(FUNC | CALL | FREE, &others[i]);
    submit(subset, &trace);
    for (i = neighbours; i < 2 * neighbours; i++)
        submit(FUNC | CALL | FREE, &others[i]);
    CHECK_EQ(btwq_run_until_idle(&worker), 1 + 2 * neighbours);
    CHECK_EQ(trace, expected(subset));
    for (i = 0; i < 2 * neighbours; i++)
        CHECK_EQ(others[i], expected(FUNC | CALL | FREE));
}

int main(void)
{
    static const btwq_work_ops none = {NULL, NULL, NULL};
    btwq_work work;
    int subset;
    check_begin();
    for (subset = 1; subset < SUBSETS; subset++) {
        run(subset, 0);
        run(subset, NEIGHBOURS);
    }
    CHECK_EQ(btwq_work_init(&work, &none), BTWQ_EINVAL);
    DESTROY(&pool);
    return check_end();
}

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: btwq_run_until_idle runs works until none is ready, those that are queued meanwhile by
 * callbacks included, and says how many they were; a work whose turn has not come counts as well,
 * and so does the retiring of works that another call has left over.
 */
#include "common.h"

enum { WORKS = 100, CHILDREN = 3 };

static btwq_pool pool = BTWQ_POOL_INIT(NULL);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "idle");
static btwq_worker worker = BTWQ_WORKER_INIT(&pool), second = BTWQ_WORKER_INIT(&pool);
static btwq_work works[WORKS], children[CHILDREN];
static int freed, inner;

static void ordered_free(btwq_work *work)
{
    (void)work;
    freed++;
}

static const btwq_work_ops simple = {NULL, NULL, ordered_free};

static void bear_children(btwq_work *work)
{
    int i;
    (void)work;
    for (i = 0; i < CHILDREN; i++) {
        CHECK_EQ(btwq_work_init(&children[i], &simple), BTWQ_OK);
        SUBMIT(&queue, &children[i]);
    }
}

/* All that is ready is run from within, and none of it is freed, as its turn has not come. */
static void run_the_rest(btwq_work *work)
{
    (void)work;
    inner = btwq_run_until_idle(&second);
    CHECK_EQ(freed, 0);
}

static const btwq_work_ops bearing = {bear_children, NULL, ordered_free};
static const btwq_work_ops running = {run_the_rest, NULL, ordered_free};

static void submit(const btwq_work_ops *first, int n)
{
    int i;
    freed = 0;
    for (i = 0; i < n; i++) {
        CHECK_EQ(btwq_work_init(&works[i], i == 0 ? first : &simple), BTWQ_OK);
        SUBMIT(&queue, &works[i]);
    }
}

int main(void)
{
    int outer;
    check_begin();
    CHECK_EQ(btwq_run_until_idle(&worker), 0);

    submit(&simple, WORKS);
    CHECK_EQ(btwq_run_until_idle(&worker), WORKS);
    CHECK_EQ(freed, WORKS);
    CHECK_EQ(btwq_run_until_idle(&worker), 0);

    submit(&bearing, WORKS);
    CHECK_EQ(btwq_run_until_idle(&worker), WORKS + CHILDREN);
    CHECK_EQ(freed, WORKS + CHILDREN);

    submit(&running, WORKS);
    outer = btwq_run_until_idle(&worker);
    CHECK(outer + inner >= WORKS); /* Retiring that was taken over counts too. */
    CHECK_EQ(freed, WORKS);

    STOP(&pool); /* which is nothing to it */
    submit(&simple, WORKS);
    CHECK_EQ(btwq_run_until_idle(&worker), WORKS);
    CHECK_EQ(freed, WORKS);
    DESTROY(&pool);
    return check_end();
}

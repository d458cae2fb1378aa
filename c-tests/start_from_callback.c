/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: btwq_pool_start may be called from callbacks. For the pool whose thread that is it gives
 * BTWQ_EBUSY; another pool it starts.
 */
#include "common.h"

enum { WORKERS = 2 };

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST), other = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "a"), other_queue = BTWQ_QUEUE_INIT(&other, "b");
static struct tally end = TALLY_INIT;

static void start_both(btwq_work *work)
{
    (void)work;
    CHECK_EQ(btwq_pool_start(&pool, 1), BTWQ_EBUSY);
    CHECK_EQ(btwq_pool_start(&pool, 0), BTWQ_EBUSY);
    CHECK_EQ(btwq_pool_start(&other, WORKERS), BTWQ_OK);
    tally_add(&end);
}

static void done(btwq_work *work)
{
    (void)work;
    tally_add(&end);
}

static const btwq_work_ops starting = {start_both, NULL, NULL};
static const btwq_work_ops simple = {done, NULL, NULL};

int main(void)
{
    static btwq_work first = BTWQ_WORK_INIT(&starting), second = BTWQ_WORK_INIT(&simple);
    check_begin();
    START(&pool, WORKERS);
    SUBMIT(&other_queue, &second); /* It waits for the first to start its pool. */
    SUBMIT(&queue, &first);
    tally_wait(&end, 2);
    DESTROY(&pool);
    DESTROY(&other);
    return check_end();
}

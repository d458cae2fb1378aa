/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: no worker is kept for ever by other people's ordered callbacks: a call retires at most
 * 64 works, then hands the rest over, and the order is kept.
 */
#include "common.h"

enum { WORKS = 1000, BUDGET = 64 };

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "budget");
static btwq_worker worker = BTWQ_WORKER_INIT(&pool);
static btwq_work works[WORKS];
static unsigned called;

static void ordered_func(btwq_work *work)
{
    CHECK(work == &works[called]);
    called++;
}

static const btwq_work_ops ops = {NULL, ordered_func, NULL};

int main(void)
{
    unsigned i, before = 0;
    check_begin();
    for (i = 0; i < WORKS; i++)
        CHECK_EQ(btwq_work_init(&works[i], &ops), BTWQ_OK);
    CHECK_EQ(btwq_work_set_async(&works[0]), BTWQ_OK);
    for (i = 0; i < WORKS; i++)
        SUBMIT(&queue, &works[i]);
    /* The first holds back all that follow, which are done. */
    CHECK_EQ(btwq_run_until_idle(&worker), WORKS);
    CHECK_EQ(called, 0);
    CHECK_EQ(btwq_work_complete(&works[0], 0), BTWQ_OK);
    while (btwq_run_one(&worker) == 1) {
        CHECK(called - before <= BUDGET);
        before = called;
    }
    CHECK_EQ(called, WORKS);
    DESTROY(&pool);
    return check_end();
}

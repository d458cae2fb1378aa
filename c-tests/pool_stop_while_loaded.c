/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: btwq_pool_stop returns although there are always works ready and others submit
 * meanwhile; and when it has returned, no callback is running or begins until the next start.
 */
#include "common.h"

enum { WORKERS = 3, RESTARTS = 100, EVERGREENS = 8, SUBMITTED = 20000 };

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "loaded");
static btwq_work evergreens[EVERGREENS], works[SUBMITTED];
static unsigned submitted, freed, ended; /* the last two for the ordered callbacks alone */

/* Written by the main thread while the pool is stopped, read by callbacks: plain memory, since a
 * callback that is running then breaks the promise. */
static int allowed;
static int over;

static void func(btwq_work *work)
{
    (void)work;
    CHECK_EQ(allowed, 1);
    spin(30);
    CHECK_EQ(allowed, 1);
}

/* Goes round for ever, so that the pool is never idle. */
static void free_evergreen(btwq_work *work)
{
    CHECK_EQ(allowed, 1);
    if (over)
        ended++;
    else
        SUBMIT(&queue, work);
}

static void free_other(btwq_work *work)
{
    (void)work;
    CHECK_EQ(allowed, 1);
    freed++;
}

static const btwq_work_ops evergreen = {func, NULL, free_evergreen};
static const btwq_work_ops other = {func, NULL, free_other};

static void *submitter(void *nothing)
{
    unsigned i;
    for (i = 0; i < submitted; i++) {
        CHECK_EQ(btwq_work_init(&works[i], &other), BTWQ_OK);
        SUBMIT(&queue, &works[i]);
    }
    return nothing;
}

static void restart(void)
{
    allowed = 1;
    START(&pool, WORKERS);
    spin(2000);
    STOP(&pool);
    allowed = 0;
    spin(2000);
}

int main(void)
{
    static btwq_worker worker = BTWQ_WORKER_INIT(&pool);
    pthread_t thread;
    unsigned i;
    check_begin();
    submitted = check_count(SUBMITTED, 50);
    for (i = 0; i < EVERGREENS; i++) {
        CHECK_EQ(btwq_work_init(&evergreens[i], &evergreen), BTWQ_OK);
        SUBMIT(&queue, &evergreens[i]);
    }
    thread = thread_start(submitter, NULL);
    for (i = check_count(RESTARTS, 5); i > 0; i--)
        restart();
    thread_join(thread);
    allowed = over = 1;
    CHECK(btwq_run_until_idle(&worker) > 0);
    CHECK_EQ(freed, submitted); /* Nothing was lost, */
    CHECK_EQ(ended, EVERGREENS); /* of either kind. */
    DESTROY(&pool);
    return check_end();
}

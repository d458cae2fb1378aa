/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: btwq_pool_start on a pool whose threads are running is refused with BTWQ_EBUSY, for any
 * number of threads, and nothing has changed; with 0 threads it only ends a stop.
 */
#include "common.h"

enum { WORKS = 100 };

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "busy");
static btwq_work works[WORKS];
static struct tally end = TALLY_INIT;

static void done(btwq_work *work)
{
    (void)work;
    tally_add(&end);
}

static const btwq_work_ops ops = {done, NULL, NULL};

static void run_works(void)
{
    int i;
    tally_reset(&end);
    for (i = 0; i < WORKS; i++) {
        CHECK_EQ(btwq_work_init(&works[i], &ops), BTWQ_OK);
        SUBMIT(&queue, &works[i]);
    }
    tally_wait(&end, WORKS);
}

static void refused_while_running(void)
{
    CHECK_EQ(btwq_pool_start(&pool, 1), BTWQ_EBUSY);
    CHECK_EQ(btwq_pool_start(&pool, 0), BTWQ_EBUSY);
    run_works();
}

static void *body(void *worker)
{
    CHECK_EQ(btwq_worker_run((btwq_worker *)worker), BTWQ_OK);
    return NULL;
}

/* Without threads of its own the pool is not busy, even while others work for it. */
static void with_own_worker(void)
{
    static btwq_worker worker = BTWQ_WORKER_INIT(&pool);
    pthread_t thread;
    START(&pool, 0);
    START(&pool, 0);
    thread = thread_start(body, &worker);
    run_works();
    START(&pool, 1); /* both kinds side by side */
    refused_while_running();
    STOP(&pool);
    thread_join(thread);
}

int main(void)
{
    int i;
    check_begin();
    for (i = 0; i < 3; i++) {
        START(&pool, 2);
        refused_while_running();
        STOP(&pool);
        with_own_worker();
    }
    DESTROY(&pool);
    return check_end();
}

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: btwq_pool_start may be called from callbacks, and btwq_pool_stop waits for the callbacks
 * that are running. So when the one meets the other, the start is refused: its threads are running
 * still, and to wait for the stop would be to wait for itself.
 */
#include "common.h"

enum { ROUNDS = 50, WORKERS = 2 };

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "start during stop");
static struct tally running = TALLY_INIT, stopping = TALLY_INIT;

static void start_during_stop(btwq_work *work)
{
    btwq_status status;
    (void)work;
    tally_add(&running);
    tally_wait(&stopping, 1);
    status = btwq_pool_start(&pool, WORKERS);
    CHECK(status == BTWQ_EBUSY || status == BTWQ_EDEADLK);
}

static const btwq_work_ops ops = {start_during_stop, NULL, NULL};

/* A worker of one's own learns that the stop has begun: its call returns. */
static void *see_stop(void *worker)
{
    CHECK_EQ(btwq_worker_run((btwq_worker *)worker), BTWQ_OK);
    tally_add(&stopping);
    return NULL;
}

static void meet(void)
{
    static btwq_worker worker = BTWQ_WORKER_INIT(&pool);
    btwq_work work = BTWQ_WORK_INIT(&ops);
    pthread_t thread;
    tally_reset(&running);
    tally_reset(&stopping);
    START(&pool, WORKERS);
    SUBMIT(&queue, &work);
    tally_wait(&running, 1);
    thread = thread_start(see_stop, &worker);
    STOP(&pool);
    thread_join(thread);
}

int main(void)
{
    int i;
    check_begin();
    for (i = 0; i < ROUNDS; i++)
        meet();
    DESTROY(&pool);
    return check_end();
}

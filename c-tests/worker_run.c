/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: btwq_worker_run makes threads of one's own workers until the pool is stopped, returns
 * at once on a stopped pool, and works again after the stop has ended. A later thread may take
 * over the record of one that has gone; works that were left in a record are found by others.
 */
#include "common.h"

enum { WORKERS = 2, WORKS = 2000, LEFT = 10 };

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "own");
static btwq_worker workers[WORKERS] = {BTWQ_WORKER_INIT(&pool), BTWQ_WORKER_INIT(&pool)};
static btwq_work works[WORKS];
static struct tally end = TALLY_INIT;

static void ordered_free(btwq_work *work)
{
    (void)work;
    tally_add(&end);
}

static const btwq_work_ops simple = {NULL, NULL, ordered_free};

static void stop_and_free(btwq_work *work)
{
    STOP(&pool); /* None of btwq_pool_start's threads is this one. */
    ordered_free(work);
}

static const btwq_work_ops stopping = {NULL, NULL, stop_and_free};

static void *body(void *worker)
{
    CHECK_EQ(btwq_worker_run((btwq_worker *)worker), BTWQ_OK);
    return NULL;
}

static void submit(int from, int to, const btwq_work_ops *ops)
{
    int i;
    for (i = from; i < to; i++) {
        CHECK_EQ(btwq_work_init(&works[i], ops), BTWQ_OK);
        SUBMIT(&queue, &works[i]);
    }
}

/* Each time new threads, with the same records. */
static void run_by_threads(void)
{
    pthread_t threads[WORKERS];
    int i;
    tally_reset(&end);
    for (i = 0; i < WORKERS; i++)
        threads[i] = thread_start(body, &workers[i]);
    submit(0, WORKS, &simple);
    tally_wait(&end, WORKS);
    STOP(&pool);
    for (i = 0; i < WORKERS; i++)
        thread_join(threads[i]);
}

static void returns_at_once(void)
{
    int i;
    tally_reset(&end);
    submit(0, 1, &simple);
    for (i = 0; i < 2; i++)
        CHECK_EQ(btwq_worker_run(&workers[i]), BTWQ_OK);
    CHECK_EQ(end.count, 0); /* and runs nothing */
    CHECK_EQ(btwq_run_until_idle(&workers[0]), 1);
}

/* The first of many works ends the worker, which has taken the others into its hand as well. */
static void leaves_works_to_others(void)
{
    unsigned gone;
    tally_reset(&end);
    submit(0, 1, &stopping);
    submit(1, LEFT, &simple);
    CHECK_EQ(btwq_worker_run(&workers[0]), BTWQ_OK);
    gone = end.count;
    CHECK(gone >= 1);
    CHECK_EQ(btwq_run_until_idle(&workers[1]), LEFT - gone);
    CHECK_EQ(end.count, LEFT);
}

int main(void)
{
    int i;
    check_begin();
    for (i = 0; i < 5; i++) {
        run_by_threads();
        returns_at_once();
        START(&pool, 0);
    }
    leaves_works_to_others();
    DESTROY(&pool);
    return check_end();
}

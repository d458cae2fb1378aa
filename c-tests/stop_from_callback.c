/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: from a callback on one of the pool's threads btwq_pool_stop and btwq_pool_destroy are
 * refused at once with BTWQ_EDEADLK, and nothing has changed; from a callback on another pool's
 * thread, or on a worker of one's own, btwq_pool_stop does what it says.
 */
#include "common.h"

enum { ROUNDS = 20, WORKERS = 2 };

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST), other = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "a"), other_queue = BTWQ_QUEUE_INIT(&other, "b");
static struct tally end = TALLY_INIT;

static void refused(btwq_work *work)
{
    (void)work;
    CHECK_EQ(btwq_pool_stop(&pool), BTWQ_EDEADLK);
    CHECK_EQ(btwq_pool_destroy(&pool), BTWQ_EDEADLK);
}

static void refused_and_ended(btwq_work *work)
{
    refused(work);
    tally_add(&end);
}

static void stops_the_other(btwq_work *work)
{
    (void)work;
    CHECK_EQ(btwq_pool_stop(&other), BTWQ_OK);
    tally_add(&end);
}

static void stops_its_own(btwq_work *work)
{
    (void)work;
    CHECK_EQ(btwq_pool_stop(&other), BTWQ_OK);
}

static const btwq_work_ops refused_ops = {refused, refused, refused_and_ended};
static const btwq_work_ops other_ops = {stops_the_other, NULL, NULL};
static const btwq_work_ops own_ops = {NULL, NULL, stops_its_own};

static void on_its_thread(void)
{
    btwq_work work = BTWQ_WORK_INIT(&refused_ops);
    tally_reset(&end);
    SUBMIT(&queue, &work);
    tally_wait(&end, 1);
}

static void on_anothers_thread(void)
{
    btwq_work work = BTWQ_WORK_INIT(&other_ops);
    tally_reset(&end);
    START(&other, WORKERS);
    SUBMIT(&queue, &work);
    tally_wait(&end, 1);
}

/* The worker leaves when it has done with the work that stopped it. */
static void on_its_own_worker(void)
{
    static btwq_worker worker = BTWQ_WORKER_INIT(&other);
    btwq_work work = BTWQ_WORK_INIT(&own_ops);
    START(&other, 0);
    SUBMIT(&other_queue, &work);
    CHECK_EQ(btwq_worker_run(&worker), BTWQ_OK);
}

int main(void)
{
    int i;
    check_begin();
    START(&pool, WORKERS);
    for (i = 0; i < ROUNDS; i++) {
        on_its_thread(); /* and again, since nothing has changed */
        on_anothers_thread();
        on_its_own_worker();
    }
    DESTROY(&pool);
    DESTROY(&other);
    return check_end();
}

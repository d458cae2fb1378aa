/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: besides btwq_queue_work the initialisers, btwq_strerror and btwq_version may be called
 * in signal handlers; here a handler brings up a whole pool and queue that the main thread then
 * runs.
 */
#include "common.h"

static btwq_pool pool;
static btwq_queue queue;
static btwq_worker worker;
static btwq_work work;
static btwq_status results[5];
static uint32_t version;
static const char *text;
static int called;

static void ordered_func(btwq_work *its_work)
{
    CHECK(its_work == &work);
    called++;
}

static const btwq_work_ops ops = {NULL, ordered_func, NULL};

static void on_signal(int number)
{
    (void)number;
    results[0] = btwq_pool_init(&pool, NULL);
    results[1] = btwq_queue_init(&queue, &pool, "by interrupt");
    results[2] = btwq_worker_init(&worker, &pool);
    results[3] = btwq_work_init(&work, &ops);
    results[4] = btwq_queue_work(&queue, &work);
    version = btwq_version();
    text = btwq_strerror(BTWQ_OK);
}

int main(void)
{
    int i;
    check_begin();
    signal(SIGUSR1, on_signal);
    raise(SIGUSR1);
    for (i = 0; i < 5; i++)
        CHECK_EQ(results[i], BTWQ_OK);
    CHECK_EQ(version, BTWQ_VERSION);
    CHECK(text != NULL);
    CHECK_EQ(btwq_run_until_idle(&worker), 1);
    CHECK_EQ(called, 1);
    DESTROY(&pool);
    return check_end();
}

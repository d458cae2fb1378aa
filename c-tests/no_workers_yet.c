/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: a queue that was initialised in its declaration takes works before there is any worker;
 * they wait, nothing of them runs, and all run in their order when a worker comes. A queue and a
 * worker may even be initialised before their pool.
 */
#include "common.h"

enum { WORKS = 1000, WORKERS = 2 };

struct item {
    btwq_work work;
    int place;
};

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "early");
static struct item items[WORKS];
static struct tally end = TALLY_INIT;
static unsigned funcs;
static int called;

static void func(btwq_work *work)
{
    (void)work;
    __atomic_fetch_add(&funcs, 1, __ATOMIC_RELAXED);
}

static void ordered_func(btwq_work *work)
{
    CHECK_EQ(CONTAINER_OF(work, struct item, work)->place, called);
    if (++called == WORKS)
        tally_add(&end);
}

static const btwq_work_ops ops = {func, ordered_func, NULL};

static void submit_all(btwq_queue *to)
{
    int i;
    called = 0;
    funcs = 0;
    for (i = 0; i < WORKS; i++) {
        items[i].place = i;
        CHECK_EQ(btwq_work_init(&items[i].work, &ops), BTWQ_OK);
        SUBMIT(to, &items[i].work);
    }
    CHECK_EQ(funcs, 0);
    CHECK_EQ(called, 0);
}

static void run_by_main_loop(void)
{
    static btwq_worker worker = BTWQ_WORKER_INIT(&pool);
    submit_all(&queue);
    CHECK_EQ(btwq_run_until_idle(&worker), WORKS);
    CHECK_EQ(called, WORKS);
    CHECK_EQ(funcs, WORKS);
}

static void run_by_threads(void)
{
    tally_reset(&end);
    submit_all(&queue);
    START(&pool, WORKERS);
    tally_wait(&end, 1);
    DESTROY(&pool);
    CHECK_EQ(funcs, WORKS);
}

static void pool_comes_last(void)
{
    static btwq_pool late;
    btwq_queue early_queue;
    btwq_worker early_worker;
    CHECK_EQ(btwq_queue_init(&early_queue, &late, "early"), BTWQ_OK);
    CHECK_EQ(btwq_worker_init(&early_worker, &late), BTWQ_OK);
    CHECK_EQ(btwq_pool_init(&late, NULL), BTWQ_OK);
    submit_all(&early_queue);
    CHECK_EQ(btwq_run_until_idle(&early_worker), WORKS);
    CHECK_EQ(called, WORKS);
    DESTROY(&late);
}

int main(void)
{
    check_begin();
    run_by_main_loop();
    run_by_threads();
    pool_comes_last();
    return check_end();
}

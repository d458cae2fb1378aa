/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: when btwq_pool_destroy has returned, the memory of the pool, of workers that have run on
 * it, of its queues and of works that were still queued may be overwritten and freed at once; and a
 * second btwq_pool_destroy is refused with BTWQ_EINVAL.
 */
#include "common.h"

enum { ROUNDS = 300, WORKS = 20, WORKERS = 3 };

/* All in one piece of memory, so that all of it goes at once. */
struct world {
    btwq_pool pool;
    btwq_queue queue;
    btwq_worker worker;
    btwq_work works[WORKS];
};

static void func(btwq_work *work)
{
    (void)work;
    spin(50);
}

static const btwq_work_ops ops = {func, func, func};

static void init(struct world *world)
{
    int i;
    REQUIRE_EQ(btwq_pool_init(&world->pool, BTWQ_PORT_HOST), BTWQ_OK);
    REQUIRE_EQ(btwq_queue_init(&world->queue, &world->pool, "short life"), BTWQ_OK);
    REQUIRE_EQ(btwq_worker_init(&world->worker, &world->pool), BTWQ_OK);
    for (i = 0; i < WORKS; i++)
        REQUIRE_EQ(btwq_work_init(&world->works[i], &ops), BTWQ_OK);
}

static void submit(struct world *world, int from, int to)
{
    int i;
    for (i = from; i < to; i++)
        SUBMIT(&world->queue, &world->works[i]);
}

/* What has come before the end differs with `n`: threads or none, own worker or none, works. */
static void live_and_die(unsigned n)
{
    struct world *world = (struct world *)malloc(sizeof(*world));
    REQUIRE(world != NULL);
    init(world);
    if (n & 1)
        submit(world, 0, WORKS / 2);
    if (n & 2)
        START(&world->pool, n % WORKERS + 1);
    if (n & 4)
        CHECK(btwq_run_one(&world->worker) >= 0);
    if (n & 8)
        submit(world, WORKS / 2, WORKS);
    if (n & 16)
        STOP(&world->pool);
    DESTROY(&world->pool);
    CHECK_EQ(btwq_pool_destroy(&world->pool), BTWQ_EINVAL);
    memset(world, 0xff, sizeof(*world));
    free(world);
}

/* The same memory may become a pool again. */
static void rise_again(void)
{
    static struct world world;
    int i;
    for (i = 0; i < 3; i++) {
        init(&world);
        submit(&world, 0, WORKS);
        CHECK_EQ(btwq_run_until_idle(&world.worker), WORKS);
        START(&world.pool, 1);
        DESTROY(&world.pool);
        CHECK_EQ(btwq_pool_destroy(&world.pool), BTWQ_EINVAL);
    }
}

int main(void)
{
    unsigned i;
    check_begin();
    for (i = check_count(ROUNDS, 32); i > 0; i--)
        live_and_die(i);
    rise_again();
    return check_end();
}

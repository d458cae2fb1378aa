/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: each initialiser for declarations leaves the very bytes that the function of its name
 * leaves, whatever the memory held before, in static and in automatic storage.
 */
#include "common.h"

static void func(btwq_work *work)
{
    (void)work;
}

static const btwq_work_ops ops = {func, NULL, NULL};
static const char name[] = "name";

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_pool pool_without_port = BTWQ_POOL_INIT(NULL);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, name);
static btwq_queue queue_without_name = BTWQ_QUEUE_INIT(&pool, NULL);
static btwq_work work = BTWQ_WORK_INIT(&ops);
static btwq_worker worker = BTWQ_WORKER_INIT(&pool);

#define SAME(a, b) (memcmp(&(a), &(b), sizeof(a)) == 0 && sizeof(a) == sizeof(b))

static void check_works(int fill)
{
    btwq_work automatic = BTWQ_WORK_INIT(&ops), run_time;
    memset(&run_time, fill, sizeof(run_time));
    CHECK_EQ(btwq_work_init(&run_time, &ops), BTWQ_OK);
    CHECK(SAME(run_time, work));
    CHECK(SAME(run_time, automatic));
}

static void check_queues(int fill)
{
    btwq_queue automatic = BTWQ_QUEUE_INIT(&pool, name), run_time;
    memset(&run_time, fill, sizeof(run_time));
    CHECK_EQ(btwq_queue_init(&run_time, &pool, name), BTWQ_OK);
    CHECK(SAME(run_time, queue));
    CHECK(SAME(run_time, automatic));
    CHECK_EQ(btwq_queue_init(&run_time, &pool, NULL), BTWQ_OK);
    CHECK(SAME(run_time, queue_without_name));
}

static void check_pools(int fill)
{
    btwq_pool automatic = BTWQ_POOL_INIT(BTWQ_PORT_HOST), run_time;
    memset(&run_time, fill, sizeof(run_time));
    CHECK_EQ(btwq_pool_init(&run_time, BTWQ_PORT_HOST), BTWQ_OK);
    CHECK(SAME(run_time, pool));
    CHECK(SAME(run_time, automatic));
    CHECK_EQ(btwq_pool_init(&run_time, NULL), BTWQ_OK);
    CHECK(SAME(run_time, pool_without_port));
}

static void check_workers(int fill)
{
    btwq_worker automatic = BTWQ_WORKER_INIT(&pool), run_time;
    memset(&run_time, fill, sizeof(run_time));
    CHECK_EQ(btwq_worker_init(&run_time, &pool), BTWQ_OK);
    CHECK(SAME(run_time, worker));
    CHECK(SAME(run_time, automatic));
}

int main(void)
{
    static const int fills[] = {0x00, 0xff, 0xa5};
    unsigned i;
    check_begin();
    for (i = 0; i < sizeof(fills) / sizeof(fills[0]); i++) {
        check_works(fills[i]);
        check_queues(fills[i]);
        check_pools(fills[i]);
        check_workers(fills[i]);
    }
    return check_end();
}

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: the calls with pools and workers refuse with BTWQ_EINVAL each argument that is NULL, was
 * never initialised, or has no port or another one; nothing has changed then, and what is in order
 * still works.
 */
#include "common.h"

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "misuse");
static btwq_worker worker = BTWQ_WORKER_INIT(&pool);
static int called;

static void ordered_func(btwq_work *work)
{
    (void)work;
    called++;
}

static const btwq_work_ops ops = {NULL, ordered_func, NULL};

static void wait_hook(const uint32_t *word, uint32_t value)
{
    (void)word;
    (void)value;
}

static void wake_hook(const uint32_t *word)
{
    (void)word;
}

static const btwq_port no_hooks = {NULL, NULL, NULL, NULL};
static const btwq_port no_wait = {NULL, wake_hook, NULL, NULL},
                       no_wake = {wait_hook, NULL, NULL, NULL};
static const btwq_port other_port = {wait_hook, wake_hook, NULL, NULL};

static void still_works(void)
{
    btwq_work work = BTWQ_WORK_INIT(&ops);
    called = 0;
    SUBMIT(&queue, &work);
    CHECK_EQ(btwq_run_until_idle(&worker), 1);
    CHECK_EQ(called, 1);
}

static void refused_by_init(void)
{
    btwq_pool other = BTWQ_POOL_INIT(NULL), pool_before = other;
    btwq_worker another = BTWQ_WORKER_INIT(&pool), worker_before = another;
    CHECK_EQ(btwq_pool_init(NULL, BTWQ_PORT_HOST), BTWQ_EINVAL);
    CHECK_EQ(btwq_pool_init(NULL, NULL), BTWQ_EINVAL);
    CHECK_EQ(btwq_pool_init(&other, &no_hooks), BTWQ_EINVAL);
    CHECK_EQ(btwq_pool_init(&other, &no_wait), BTWQ_EINVAL);
    CHECK_EQ(btwq_pool_init(&other, &no_wake), BTWQ_EINVAL);
    CHECK_EQ(btwq_worker_init(NULL, &pool), BTWQ_EINVAL);
    CHECK_EQ(btwq_worker_init(&another, NULL), BTWQ_EINVAL);
    CHECK_EQ(btwq_worker_init(NULL, NULL), BTWQ_EINVAL);
    CHECK(memcmp(&other, &pool_before, sizeof(other)) == 0);
    CHECK(memcmp(&another, &worker_before, sizeof(another)) == 0);
    still_works();
}

/* Every call that takes a pool. */
static void pool_refused(btwq_pool *bad)
{
    btwq_pool before = BTWQ_POOL_INIT(NULL);
    if (bad != NULL)
        before = *bad;
    CHECK_EQ(btwq_pool_start(bad, 1), BTWQ_EINVAL);
    CHECK_EQ(btwq_pool_start(bad, 0), BTWQ_EINVAL);
    CHECK_EQ(btwq_pool_stop(bad), BTWQ_EINVAL);
    CHECK_EQ(btwq_pool_destroy(bad), BTWQ_EINVAL);
    CHECK(bad == NULL || memcmp(bad, &before, sizeof(before)) == 0);
    still_works();
}

/* Every call that takes a worker. */
static void worker_refused(btwq_worker *bad)
{
    btwq_worker before = BTWQ_WORKER_INIT(NULL);
    if (bad != NULL)
        before = *bad;
    CHECK_EQ(btwq_run_one(bad), BTWQ_EINVAL);
    CHECK_EQ(btwq_run_until_idle(bad), BTWQ_EINVAL);
    CHECK_EQ(btwq_worker_run(bad), BTWQ_EINVAL);
    CHECK(bad == NULL || memcmp(bad, &before, sizeof(before)) == 0);
    still_works();
}

static void never_initialised(int fill)
{
    btwq_pool nothing;
    btwq_worker bad, stray = BTWQ_WORKER_INIT(&nothing);
    memset(&nothing, fill, sizeof(nothing));
    memset(&bad, fill, sizeof(bad));
    pool_refused(&nothing);
    worker_refused(&bad);
    worker_refused(&stray);
}

/* A pool without the host's port can not be given threads, but stopped, resumed, and run from a
 * main loop. */
static void not_the_hosts_port(const btwq_port *port)
{
    static btwq_pool other;
    btwq_queue its_queue;
    btwq_worker its_worker;
    btwq_work work = BTWQ_WORK_INIT(&ops);
    CHECK_EQ(btwq_pool_init(&other, port), BTWQ_OK);
    CHECK_EQ(btwq_queue_init(&its_queue, &other, NULL), BTWQ_OK);
    CHECK_EQ(btwq_worker_init(&its_worker, &other), BTWQ_OK);
    CHECK_EQ(btwq_pool_start(&other, 1), BTWQ_EINVAL);
    if (port == NULL)
        CHECK_EQ(btwq_worker_run(&its_worker), BTWQ_EINVAL);
    SUBMIT(&its_queue, &work);
    CHECK_EQ(btwq_run_until_idle(&its_worker), 1);
    STOP(&other);
    CHECK_EQ(btwq_pool_start(&other, 0), BTWQ_OK); /* ends the stop */
    DESTROY(&other);
}

/* The macro checks nothing; the first call that needs the port does. */
static void half_a_port(const btwq_port *port)
{
    btwq_pool half = BTWQ_POOL_INIT(port);
    btwq_worker its_worker = BTWQ_WORKER_INIT(&half);
    CHECK_EQ(btwq_pool_start(&half, 1), BTWQ_EINVAL);
    CHECK_EQ(btwq_worker_run(&its_worker), BTWQ_EINVAL);
    DESTROY(&half);
}

int main(void)
{
    const btwq_port twin = btwq_port_host; /* has the hooks, but is not the one */
    btwq_worker no_pool = BTWQ_WORKER_INIT(NULL);
    check_begin();
    refused_by_init();
    pool_refused(NULL);
    worker_refused(NULL);
    worker_refused(&no_pool);
    never_initialised(0x00);
    never_initialised(0xff);
    never_initialised(0xa5);
    not_the_hosts_port(NULL);
    not_the_hosts_port(&other_port);
    not_the_hosts_port(&twin);
    half_a_port(&no_hooks);
    half_a_port(&no_wait);
    half_a_port(&no_wake);
    still_works();
    DESTROY(&pool);
    return check_end();
}

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: the threads that btwq_pool_start makes are named btwq-0, btwq-1 and so on.
 */
#include "common.h"

enum { THREADS = 3, LENGTH = 16 };

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "names");
static btwq_work works[THREADS];
static struct tally met = TALLY_INIT, end = TALLY_INIT;
static unsigned found[THREADS];

/* Each waits for all, so that each is on a thread of its own. */
static void func(btwq_work *work)
{
    char name[LENGTH], expected[LENGTH];
    unsigned i;
    (void)work;
    tally_add(&met);
    tally_wait(&met, THREADS);
    REQUIRE_EQ(pthread_getname_np(pthread_self(), name, sizeof(name)), 0);
    for (i = 0; i < THREADS; i++) {
        snprintf(expected, sizeof(expected), "btwq-%u", i);
        if (strcmp(name, expected) == 0)
            __atomic_add_fetch(&found[i], 1, __ATOMIC_RELAXED);
    }
    tally_add(&end);
}

static const btwq_work_ops ops = {func, NULL, NULL};

int main(void)
{
    unsigned i;
    check_begin();
    START(&pool, THREADS);
    for (i = 0; i < THREADS; i++) {
        CHECK_EQ(btwq_work_init(&works[i], &ops), BTWQ_OK);
        SUBMIT(&queue, &works[i]);
    }
    tally_wait(&end, THREADS);
    DESTROY(&pool);
    for (i = 0; i < THREADS; i++)
        CHECK_EQ(found[i], 1);
    return check_end();
}

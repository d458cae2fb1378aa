/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: a pool may be started and stopped any number of times, with any number of threads; works
 * that are left over at a stop stay queued, and run, in their order, when workers come back.
 * Stopping twice, or a pool that was never started, does no harm.
 */
#include "common.h"

enum { RESTARTS = 300, EACH = 40, MOST = 4, WORKS = RESTARTS * EACH };

struct item {
    btwq_work work;
    unsigned place;
};

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "restarts");
static struct item items[WORKS];
static struct tally end = TALLY_INIT;
static unsigned works, called;

static void func(btwq_work *work)
{
    linger(CONTAINER_OF(work, struct item, work)->place);
}

static void ordered_func(btwq_work *work)
{
    CHECK_EQ(CONTAINER_OF(work, struct item, work)->place, called);
    if (++called == works)
        tally_add(&end);
}

static const btwq_work_ops ops = {func, ordered_func, NULL};

static void submit(unsigned from, unsigned to)
{
    unsigned i;
    for (i = from; i < to; i++) {
        items[i].place = i;
        CHECK_EQ(btwq_work_init(&items[i].work, &ops), BTWQ_OK);
        SUBMIT(&queue, &items[i].work);
    }
}

/* Half is queued before the start and half after it; nobody waits for either. */
static void restart(unsigned n)
{
    submit(n * EACH, n * EACH + EACH / 2);
    START(&pool, 1 + n % MOST);
    submit(n * EACH + EACH / 2, (n + 1) * EACH);
    STOP(&pool);
    if (n % 10 == 0)
        STOP(&pool);
}

int main(void)
{
    unsigned i, restarts;
    check_begin();
    restarts = check_count(RESTARTS, 5);
    works = restarts * EACH;
    STOP(&pool);
    for (i = 0; i < restarts; i++)
        restart(i);
    START(&pool, 1); /* fewer than those that may have left works behind */
    tally_wait(&end, 1);
    STOP(&pool);
    CHECK_EQ(called, works);
    DESTROY(&pool);
    return check_end();
}

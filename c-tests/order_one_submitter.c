/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: the ordered callbacks are called in the order in which one thread queued the works,
 * however long each func takes and whoever runs it, also for works queued before any worker came.
 */
#include "common.h"

enum { WORKS = 120000, WORKERS = 3 };

struct item {
    btwq_work work;
    unsigned place;
};

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "order");
static struct item items[WORKS];
static struct tally end = TALLY_INIT;

/* Plain memory: the promise is that the ordered callbacks need no more. */
static unsigned works, called, freed;

static struct item *item_of(btwq_work *work)
{
    return CONTAINER_OF(work, struct item, work);
}

static void func(btwq_work *work)
{
    linger(item_of(work)->place);
}

static void ordered_func(btwq_work *work)
{
    CHECK_EQ(item_of(work)->place, called);
    linger(called);
    called++;
}

static void ordered_free(btwq_work *work)
{
    CHECK_EQ(item_of(work)->place, freed);
    if (++freed == works)
        tally_add(&end);
}

static const btwq_work_ops ops = {func, ordered_func, ordered_free};

static void submit(unsigned from, unsigned to)
{
    unsigned i;
    for (i = from; i < to; i++) {
        items[i].place = i;
        CHECK_EQ(btwq_work_init(&items[i].work, &ops), BTWQ_OK);
        SUBMIT(&queue, &items[i].work);
    }
}

int main(void)
{
    check_begin();
    works = check_count(WORKS, 100);
    submit(0, works / 4);
    START(&pool, WORKERS);
    submit(works / 4, works);
    tally_wait(&end, 1);
    DESTROY(&pool);
    CHECK_EQ(called, works);
    CHECK_EQ(freed, works);
    return check_end();
}

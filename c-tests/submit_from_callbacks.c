/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: each of the three callbacks may queue further works, on its own queue and on another;
 * the submissions of one callback keep its order, and come after its own work, whose place is
 * taken.
 */
#include "common.h"
#include "stamps.h"

enum { WORKERS = 3, DEPTH = 9, QUEUES = 2, MAX = 1 << (DEPTH + 1) };

/* A binary tree of works: the depth says which callback queues the two children. */
struct item {
    btwq_work work;
    unsigned index, depth, queue;
};

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_queue queues[QUEUES] = {BTWQ_QUEUE_INIT(&pool, "a"), BTWQ_QUEUE_INIT(&pool, "b")};
static struct item items[MAX];
static struct stamps stamps[MAX];
static unsigned used;
static struct tally end = TALLY_INIT;
static unsigned calls[QUEUES][MAX], called[QUEUES]; /* for the ordered callbacks of each alone */

static struct item *item_of(btwq_work *work)
{
    return CONTAINER_OF(work, struct item, work);
}

static void submit(unsigned depth, unsigned q);

/* In callback number `which` of a work, its children are queued if it is that one's turn. */
static void callback(btwq_work *work, unsigned which)
{
    const struct item *item = item_of(work);
    if (item->depth == 0 || item->depth % 3 != which)
        return;
    submit(item->depth - 1, item->queue);
    submit(item->depth - 1, (item->queue + 1) % QUEUES);
}

static void func(btwq_work *work)
{
    callback(work, 0);
}

static void ordered_func(btwq_work *work)
{
    const struct item *item = item_of(work);
    calls[item->queue][called[item->queue]++] = item->index;
    callback(work, 1);
}

static void ordered_free(btwq_work *work)
{
    callback(work, 2);
    tally_add(&end);
}

static const btwq_work_ops ops = {func, ordered_func, ordered_free};

static void submit(unsigned depth, unsigned q)
{
    const unsigned index = __atomic_fetch_add(&used, 1, __ATOMIC_RELAXED);
    struct item *item = &items[index];
    REQUIRE(index < MAX);
    item->index = index;
    item->depth = depth;
    item->queue = q;
    CHECK_EQ(btwq_work_init(&item->work, &ops), BTWQ_OK);
    stamps[index].begin = stamps_now();
    SUBMIT(&queues[q], &item->work);
    stamps[index].end = stamps_now();
}

int main(void)
{
    const unsigned works = (1U << (DEPTH + 1)) - 1;
    unsigned q, i;
    check_begin();
    START(&pool, WORKERS);
    submit(DEPTH, 0);
    tally_wait(&end, works);
    DESTROY(&pool);
    CHECK_EQ(used, works);
    CHECK_EQ(called[0] + called[1], works);
    for (q = 0; q < QUEUES; q++) {
        unsigned latest_begin = 0;
        for (i = 0; i < called[q]; i++)
            stamps_check(&stamps[calls[q][i]], &latest_begin);
    }
    return check_end();
}

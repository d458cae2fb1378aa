/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: queues that share a pool are independent. Each keeps its own order, and one whose first
 * work is stuck, in its func or in an ordered callback, does not hold up the others.
 */
#include "common.h"

enum { WORKERS = 2, QUEUES = 3, WORKS = 3000 };

struct item {
    btwq_work work;
    unsigned queue, place;
};

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_queue queues[QUEUES] = {
    BTWQ_QUEUE_INIT(&pool, "stuck"),
    BTWQ_QUEUE_INIT(&pool, "free"),
    BTWQ_QUEUE_INIT(&pool, "free too"),
};
static struct item items[QUEUES][WORKS];
static struct tally gate = TALLY_INIT, ends[QUEUES] = {TALLY_INIT, TALLY_INIT, TALLY_INIT};
static unsigned works, called[QUEUES];

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
    const struct item *item = item_of(work);
    CHECK_EQ(item->place, called[item->queue]);
    if (++called[item->queue] == works)
        tally_add(&ends[item->queue]);
}

static void stuck_func(btwq_work *work)
{
    (void)work;
    tally_wait(&gate, 1);
}

static void stuck_ordered_func(btwq_work *work)
{
    tally_wait(&gate, 1);
    ordered_func(work);
}

static const btwq_work_ops ops = {func, ordered_func, NULL};
static const btwq_work_ops stuck_in_func = {stuck_func, ordered_func, NULL};
static const btwq_work_ops stuck_in_order = {func, stuck_ordered_func, NULL};

/* In turn, so that in the pool the works of all queues stand between each other. */
static void submit_all(const btwq_work_ops *first)
{
    unsigned q, i;
    for (i = 0; i < works; i++) {
        for (q = 0; q < QUEUES; q++) {
            struct item *item = &items[q][i];
            item->queue = q;
            item->place = i;
            CHECK_EQ(btwq_work_init(&item->work, q == 0 && i == 0 ? first : &ops), BTWQ_OK);
            SUBMIT(&queues[q], &item->work);
        }
    }
}

static void run_with(const btwq_work_ops *first)
{
    unsigned q;
    tally_reset(&gate);
    for (q = 0; q < QUEUES; q++) {
        called[q] = 0;
        tally_reset(&ends[q]);
    }
    submit_all(first);
    for (q = 1; q < QUEUES; q++)
        tally_wait(&ends[q], 1);
    tally_add(&gate);
    tally_wait(&ends[0], 1);
}

int main(void)
{
    check_begin();
    works = check_count(WORKS, 50);
    START(&pool, WORKERS);
    run_with(&stuck_in_func);
    run_with(&stuck_in_order);
    DESTROY(&pool);
    return check_end();
}

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: a work that has only func has no place in the order: it keeps nothing waiting, and waits
 * for nothing. Its func ends its life, and may free it or queue it again.
 */
#include "common.h"

enum { WORKERS = 2, AGAIN = 5000, FREED = 5000 };

struct item {
    btwq_work work;
    unsigned left;
};

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "only");
static struct tally gate = TALLY_INIT, end = TALLY_INIT;

static void wait_for_gate(btwq_work *work)
{
    (void)work;
    tally_wait(&gate, 1);
    tally_add(&end);
}

static void open_gate(btwq_work *work)
{
    (void)work;
    tally_add(&gate);
}

static void again(btwq_work *work)
{
    struct item *item = CONTAINER_OF(work, struct item, work);
    if (--item->left > 0)
        SUBMIT(&queue, work);
    else
        tally_add(&end);
}

static void give_back(btwq_work *work)
{
    struct item *item = CONTAINER_OF(work, struct item, work);
    memset(item, 0xa5, sizeof(*item));
    free(item);
    tally_add(&end);
}

static const btwq_work_ops waiting = {wait_for_gate, NULL, NULL};
static const btwq_work_ops opening = {NULL, open_gate, NULL};
static const btwq_work_ops requeued = {again, NULL, NULL};
static const btwq_work_ops freed = {give_back, NULL, NULL};

/* The ordered work behind it lets the first go on: with a place in the order it never would. */
static void keeps_nothing_waiting(void)
{
    static btwq_work first = BTWQ_WORK_INIT(&waiting);
    static btwq_work second = BTWQ_WORK_INIT(&opening);
    SUBMIT(&queue, &first);
    SUBMIT(&queue, &second);
    tally_wait(&end, 1);
}

static void waits_for_nothing(void)
{
    static struct item item = {BTWQ_WORK_INIT(&requeued), 0};
    item.left = check_count(AGAIN, 10);
    SUBMIT(&queue, &item.work);
    tally_wait(&end, 2);
}

static void may_be_freed(void)
{
    const unsigned n = check_count(FREED, 10);
    unsigned i;
    for (i = 0; i < n; i++) {
        struct item *item = (struct item *)malloc(sizeof(*item));
        REQUIRE(item != NULL);
        CHECK_EQ(btwq_work_init(&item->work, &freed), BTWQ_OK);
        SUBMIT(&queue, &item->work);
    }
    tally_wait(&end, 2 + n);
}

int main(void)
{
    check_begin();
    START(&pool, WORKERS);
    keeps_nothing_waiting();
    waits_for_nothing();
    may_be_freed();
    DESTROY(&pool);
    return check_end();
}

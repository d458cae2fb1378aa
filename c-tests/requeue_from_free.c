/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: the last callback of a work may queue it again, on the same queue or another, without
 * initialising it anew; it then has the place of that moment. Works that queue themselves again in
 * their order therefore go round and round in the same order.
 */
#include "common.h"

enum { WORKS = 7, WORKERS = 3, ROUNDS = 3000, QUEUES = 2 };

struct item {
    btwq_work work;
    unsigned place, round;
};

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_queue queues[QUEUES] = {BTWQ_QUEUE_INIT(&pool, "even"), BTWQ_QUEUE_INIT(&pool, "odd")};
static struct item items[WORKS];
static struct tally end = TALLY_INIT;
static unsigned rounds, stride; /* in round r all are on queue r % stride */
static unsigned called[QUEUES], out; /* for the ordered callbacks alone */

static struct item *item_of(btwq_work *work)
{
    return CONTAINER_OF(work, struct item, work);
}

static unsigned queue_of(const struct item *item)
{
    return item->round % stride;
}

static void func(btwq_work *work)
{
    linger(item_of(work)->round + item_of(work)->place);
}

static void ordered_func(btwq_work *work)
{
    const struct item *item = item_of(work);
    const unsigned q = queue_of(item);
    CHECK_EQ(item->place, called[q] % WORKS);
    CHECK_EQ(item->round, called[q] / WORKS * stride + q);
    called[q]++;
}

static void ordered_free(btwq_work *work)
{
    struct item *item = item_of(work);
    item->round++;
    if (item->round < rounds)
        SUBMIT(&queues[queue_of(item)], work);
    else if (++out == WORKS) /* All of them end on the same queue. */
        tally_add(&end);
}

static const btwq_work_ops ops = {func, ordered_func, ordered_free};

static void go_round(unsigned with_stride)
{
    unsigned i;
    stride = with_stride;
    called[0] = called[1] = out = 0;
    tally_reset(&end);
    for (i = 0; i < WORKS; i++) {
        items[i].place = i;
        items[i].round = 0;
        CHECK_EQ(btwq_work_init(&items[i].work, &ops), BTWQ_OK);
        SUBMIT(&queues[0], &items[i].work);
    }
    START(&pool, WORKERS); /* Not before: the first would come round before the last is queued. */
    tally_wait(&end, 1);
    STOP(&pool);
    CHECK_EQ(called[0] + called[1], WORKS * rounds);
}

int main(void)
{
    check_begin();
    rounds = check_count(ROUNDS, 10);
    go_round(1);      /* on the same queue */
    go_round(QUEUES); /* on one and the other in turn */
    DESTROY(&pool);
    return check_end();
}

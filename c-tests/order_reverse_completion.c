/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: the order is that of queueing, not that of completion. Here each func waits for the one
 * of the work that was queued after it, so that they end in exactly the reverse order.
 */
#include "common.h"

enum { ROUNDS = 500, WORKS = 4 }; /* As many workers as works: each func has one for itself. */

struct item {
    btwq_work work;
    unsigned place;
};

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "reverse");
static struct item items[WORKS];
static struct tally left[WORKS] = {TALLY_INIT, TALLY_INIT, TALLY_INIT, TALLY_INIT};
static struct tally end = TALLY_INIT;
static unsigned called, freed;

static struct item *item_of(btwq_work *work)
{
    return CONTAINER_OF(work, struct item, work);
}

static void func(btwq_work *work)
{
    const unsigned place = item_of(work)->place;
    if (place + 1 < WORKS)
        tally_wait(&left[place + 1], 1);
    tally_add(&left[place]);
}

static void ordered_func(btwq_work *work)
{
    CHECK_EQ(item_of(work)->place, called);
    called++;
}

static void ordered_free(btwq_work *work)
{
    CHECK_EQ(item_of(work)->place, freed);
    if (++freed == WORKS)
        tally_add(&end);
}

static const btwq_work_ops ops = {func, ordered_func, ordered_free};

static void round_trip(void)
{
    unsigned i;
    for (i = 0; i < WORKS; i++)
        tally_reset(&left[i]);
    tally_reset(&end);
    called = freed = 0;
    for (i = 0; i < WORKS; i++) {
        items[i].place = i;
        CHECK_EQ(btwq_work_init(&items[i].work, &ops), BTWQ_OK);
        SUBMIT(&queue, &items[i].work);
    }
    tally_wait(&end, 1);
}

int main(void)
{
    unsigned n;
    check_begin();
    START(&pool, WORKS);
    for (n = check_count(ROUNDS, 10); n > 0; n--)
        round_trip();
    DESTROY(&pool);
    return check_end();
}

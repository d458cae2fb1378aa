/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: a port's wait may return early, for no reason; nothing is lost, run twice or out of
 * order.
 */
#include "sleepers.h"

enum { ROUNDS = 400, WORKS = 20 };

static btwq_pool pool = BTWQ_POOL_INIT(&sleepers_port);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "early");
static btwq_work works[WORKS];
static struct tally end = TALLY_INIT;
static unsigned called;

static void func(btwq_work *work)
{
    linger((unsigned)(work - works));
}

static void ordered_func(btwq_work *work)
{
    CHECK(work == &works[called]);
    if (++called == WORKS)
        tally_add(&end);
}

static const btwq_work_ops ops = {func, ordered_func, NULL};

static void round_trip(void)
{
    unsigned i;
    called = 0;
    tally_reset(&end);
    for (i = 0; i < WORKS; i++) {
        CHECK_EQ(btwq_work_init(&works[i], &ops), BTWQ_OK);
        SUBMIT(&queue, &works[i]);
    }
    tally_wait(&end, 1);
    CHECK_EQ(called, WORKS);
}

int main(void)
{
    unsigned i;
    check_begin();
    sleepers_early = 2;
    sleepers_start(&pool);
    for (i = check_count(ROUNDS, 10); i > 0; i--)
        round_trip();
    sleepers_settle();
    sleepers_stop(&pool);
    DESTROY(&pool);
    return check_end();
}

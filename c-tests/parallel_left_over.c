/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: a worker that is woken, and finds more works than it can run, sees to it that others are
 * woken for them. Here all workers sleep, and the port holds back the one that is woken until all
 * works are queued, so that it must find them all; and each waits for all.
 */
#include "sleepers.h"

enum { ROUNDS = 300 };

static btwq_pool pool = BTWQ_POOL_INIT(&sleepers_port);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "left over");
static btwq_work works[SLEEPERS];
static struct tally met = TALLY_INIT, end = TALLY_INIT;

static void meet(btwq_work *work)
{
    (void)work;
    tally_add(&met);
    tally_wait(&met, SLEEPERS);
    tally_add(&end);
}

static const btwq_work_ops ops = {meet, NULL, NULL};

static void round_trip(void)
{
    unsigned i;
    tally_reset(&met);
    tally_reset(&end);
    sleepers_settle();
    sleepers_hold(1);
    for (i = 0; i < SLEEPERS; i++) {
        CHECK_EQ(btwq_work_init(&works[i], &ops), BTWQ_OK);
        SUBMIT(&queue, &works[i]);
    }
    sleepers_hold(0);
    tally_wait(&end, SLEEPERS);
}

int main(void)
{
    unsigned i;
    check_begin();
    sleepers_start(&pool);
    for (i = check_count(ROUNDS, 10); i > 0; i--)
        round_trip();
    sleepers_stop(&pool);
    DESTROY(&pool);
    return check_end();
}

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: workers sleep and are woken by the port that the pool was given, and by nothing else.
 * All of them sleep while there is nothing to do, none spins, nobody is woken for nothing: one
 * work costs one wake.
 */
#include "sleepers.h"

enum { ALONE = 300, TOGETHER = 20000 };

static btwq_pool pool = BTWQ_POOL_INIT(&sleepers_port);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "custom");
static btwq_work works[TOGETHER];
static struct tally end = TALLY_INIT;
static unsigned called, count;

static void ordered_func(btwq_work *work)
{
    CHECK(work == &works[called]);
    if (++called == count)
        tally_add(&end);
}

static const btwq_work_ops ops = {NULL, ordered_func, NULL};

static void submit(unsigned n)
{
    unsigned i;
    called = 0;
    count = n;
    tally_reset(&end);
    for (i = 0; i < n; i++) {
        CHECK_EQ(btwq_work_init(&works[i], &ops), BTWQ_OK);
        SUBMIT(&queue, &works[i]);
    }
    tally_wait(&end, 1);
}

/* When all sleep, nobody calls the hooks, so that the counters can be read as they are. */
static void one_wake_for_one_work(void)
{
    const unsigned n = check_count(ALONE, 10);
    unsigned i;
    sleepers_settle();
    CHECK_EQ(sleepers_waits, SLEEPERS);
    CHECK_EQ(sleepers_wakes, 0);
    for (i = 1; i <= n; i++) {
        submit(1);
        sleepers_settle();
        CHECK_EQ(sleepers_wakes, i);
        CHECK_EQ(sleepers_waits, SLEEPERS + i);
    }
}

/* However works and workers meet: for each work at most one wake by who queued it, and one by who
 * left it to others. A wake ends at most two waits: one finds that the word has changed, and goes
 * by; the next one meets the wake itself, which comes after the change. */
static void no_wake_for_nothing(void)
{
    const unsigned waits = sleepers_waits, wakes = sleepers_wakes;
    const unsigned n = check_count(TOGETHER, 50);
    submit(n);
    sleepers_settle();
    CHECK(sleepers_wakes - wakes >= 1);
    CHECK(sleepers_wakes - wakes <= 2 * n);
    CHECK(sleepers_waits - waits <= 2 * (sleepers_wakes - wakes));
}

int main(void)
{
    check_begin();
    sleepers_start(&pool);
    one_wake_for_one_work();
    no_wake_for_nothing();
    sleepers_stop(&pool);
    DESTROY(&pool);
    return check_end();
}

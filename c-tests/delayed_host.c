/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: on the host's port delays end by themselves, in milliseconds, while the pool's threads
 * run: every work runs, none before its time. A delay begins and ends with a tick of the clock: so
 * of d ms the first may be in part over, but never more. Who calls btwq_pool_tick as well does no
 * harm.
 */
#include "common.h"

#include <time.h>

enum { THREADS = 2, SUBMITTERS = 2, EACH = 1500, LONGEST = 12, MS = 1000000 /* ns */ };

struct item {
    btwq_work work;
    uint64_t submitted; /* or before */
    uint32_t ticks;
    unsigned funcs;
};

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_timers timers = BTWQ_TIMERS_INIT;
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "delayed host");
static struct item items[SUBMITTERS][EACH];
static struct tally end = TALLY_INIT;
static unsigned each, ended;

static uint64_t nanoseconds(void)
{
    struct timespec now;
    REQUIRE_EQ(clock_gettime(CLOCK_MONOTONIC, &now), 0);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static void func(btwq_work *work)
{
    struct item *item = CONTAINER_OF(work, struct item, work);
    CHECK(nanoseconds() - item->submitted + MS > (uint64_t)item->ticks * MS);
    item->funcs++;
}

static void ordered_free(btwq_work *work)
{
    CHECK_EQ(CONTAINER_OF(work, struct item, work)->funcs, 1);
    if (__atomic_add_fetch(&ended, 1, __ATOMIC_ACQ_REL) == SUBMITTERS * each)
        tally_add(&end);
}

static const btwq_work_ops ops = {func, NULL, ordered_free};

static void *submit(void *mine)
{
    struct item *item = (struct item *)mine;
    unsigned i;
    for (i = 0; i < each; i++) {
        item[i].ticks = scramble(i) % (LONGEST + 1);
        item[i].submitted = nanoseconds();
        CHECK_EQ(btwq_work_init(&item[i].work, &ops), BTWQ_OK);
        CHECK_EQ(btwq_queue_work_delayed(&queue, &item[i].work, item[i].ticks), BTWQ_OK);
        if (i % 64 == 0) {
            const int32_t again_in = btwq_pool_tick(&pool);
            CHECK(again_in > 0 || again_in == BTWQ_EBUSY);
        }
    }
    return NULL;
}

static void all_run(void)
{
    pthread_t threads[SUBMITTERS];
    unsigned i;
    ended = 0;
    memset(items, 0, sizeof(items));
    tally_reset(&end);
    for (i = 0; i < SUBMITTERS; i++)
        threads[i] = thread_start(submit, items[i]);
    for (i = 0; i < SUBMITTERS; i++)
        thread_join(threads[i]);
    tally_wait(&end, 1);
}

/* What is delayed while nobody is there runs when somebody comes. */
static void stopped_meanwhile(void)
{
    struct item *item = &items[0][0];
    STOP(&pool);
    memset(item, 0, sizeof(*item));
    ended = SUBMITTERS * each - 1;
    tally_reset(&end);
    item->ticks = 2;
    item->submitted = nanoseconds();
    CHECK_EQ(btwq_work_init(&item->work, &ops), BTWQ_OK);
    CHECK_EQ(btwq_queue_work_delayed(&queue, &item->work, item->ticks), BTWQ_OK);
    START(&pool, 1);
    tally_wait(&end, 1);
}

int main(void)
{
    check_begin();
    each = check_count(EACH, 20);
    REQUIRE_EQ(btwq_pool_set_timers(&pool, &timers), BTWQ_OK);
    START(&pool, THREADS);
    all_run();
    stopped_meanwhile();
    all_run();
    DESTROY(&pool);
    return check_end();
}

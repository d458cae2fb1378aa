/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: when btwq_queue_destroy has returned, nobody touches the queue, its control, or a work
 * that was queued there: here all of them are gone from the address space the moment it returns.
 */
#include "common.h"

#include <sys/mman.h>

enum { THREADS = 3, ROUNDS = 600, WORKS = 24 };

struct item {
    btwq_work work;
    unsigned index;
};

/* What one round lives in. */
struct house {
    btwq_queue queue;
    btwq_control control;
    struct item items[WORKS];
};

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_timers timers = BTWQ_TIMERS_INIT;
static unsigned ended;

static void func(btwq_work *work)
{
    linger(CONTAINER_OF(work, struct item, work)->index);
}

static void last(btwq_work *work)
{
    (void)work;
    __atomic_add_fetch(&ended, 1, __ATOMIC_RELAXED);
}

static const btwq_work_ops ordered = {func, NULL, last}, unordered = {last, NULL, NULL};

static struct house *build(void)
{
    struct house *house = (struct house *)mmap(NULL, sizeof(*house), PROT_READ | PROT_WRITE,
                                               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(house != MAP_FAILED);
    CHECK_EQ(btwq_queue_init(&house->queue, &pool, "house"), BTWQ_OK);
    CHECK_EQ(btwq_control_init(&house->control), BTWQ_OK);
    CHECK_EQ(btwq_queue_set_control(&house->queue, &house->control), BTWQ_OK);
    return house;
}

static void submit(struct house *house, unsigned i, unsigned random)
{
    struct item *item = &house->items[i];
    item->index = random;
    CHECK_EQ(btwq_work_init(&item->work, random % 3 == 0 ? &unordered : &ordered), BTWQ_OK);
    CHECK_EQ(btwq_work_set_high_priority(&item->work, (int)(random >> 4 & 1)), BTWQ_OK);
    if (random % 7 == 0)
        CHECK_EQ(btwq_queue_work_delayed(&house->queue, &item->work, random >> 8 & 1), BTWQ_OK);
    else
        SUBMIT(&house->queue, &item->work);
}

static void one_round(unsigned round)
{
    struct house *house = build();
    const unsigned n = scramble(round) % (WORKS + 1);
    unsigned i;
    ended = 0;
    CHECK_EQ(btwq_queue_set_max(&house->queue, 1 + round % THREADS), BTWQ_OK);
    CHECK_EQ(btwq_queue_set_threshold(&house->queue, round % 2 * 32 + 1), BTWQ_OK);
    for (i = 0; i < n; i++)
        submit(house, i, scramble(round * WORKS + i));
    CHECK_EQ(btwq_queue_destroy(&house->queue), BTWQ_OK);
    REQUIRE_EQ(munmap(house, sizeof(*house)), 0);
    CHECK_EQ(ended, n);
}

int main(void)
{
    unsigned i;
    check_begin();
    REQUIRE_EQ(btwq_pool_set_timers(&pool, &timers), BTWQ_OK);
    START(&pool, THREADS);
    for (i = check_count(ROUNDS, 10); i > 0; i--)
        one_round(i);
    DESTROY(&pool);
    return check_end();
}

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: thousands of delays of all lengths at once, ended early, late and across the wrap of the
 * clock, and half of them cancelled, end as a plain model says: after each tick exactly those have
 * run whose time has come, in the order of the times (and of submission, where those are equal) in
 * each lane; cancelled ones have gone; and the tick knows the next time.
 */
#include "handclock.h"

enum { WORKS = 5000, QUEUES = 2, LANES = 2 };

enum stage { FRESH, DELAYED, CANCELLED, OVER };

struct item {
    btwq_work work;
    enum stage stage;
    uint64_t time; /* the end of its delay, on a clock that does not wrap */
    unsigned queue;
    int high;
};

static btwq_pool pool = BTWQ_POOL_INIT(&handclock_port);
static btwq_timers timers = BTWQ_TIMERS_INIT;
static btwq_queue queues[QUEUES] = {BTWQ_QUEUE_INIT(&pool, "one"), BTWQ_QUEUE_INIT(&pool, "two")};
static btwq_worker worker = BTWQ_WORKER_INIT(&pool);
static struct item items[WORKS];
static unsigned works, submitted;
static uint64_t now;

/* The latest that has run since the last tick. */
static const struct item *latest[QUEUES][LANES];

static int comes_before(const struct item *a, const struct item *b)
{
    return a->time < b->time || (a->time == b->time && a < b);
}

static void func(btwq_work *work)
{
    CHECK_EQ(CONTAINER_OF(work, struct item, work)->stage, DELAYED);
}

static void ordered_func(btwq_work *work)
{
    struct item *item = CONTAINER_OF(work, struct item, work);
    if (item->stage == CANCELLED) {
        CHECK_EQ(btwq_work_status(work), BTWQ_ECANCELED);
    } else {
        const struct item **its_latest = &latest[item->queue][item->high];
        CHECK_EQ(btwq_work_status(work), 0);
        CHECK(item->time <= now);
        CHECK(*its_latest == NULL || comes_before(*its_latest, item));
        *its_latest = item;
    }
    CHECK(item->stage == DELAYED || item->stage == CANCELLED);
    item->stage = OVER;
}

static const btwq_work_ops ops = {func, ordered_func, NULL};

static void advance(uint64_t ticks)
{
    now += ticks;
    handclock_set((uint32_t)now);
}

/* Short and long ones; many of the same time. */
static uint32_t some_delay(unsigned random)
{
    static const uint32_t ranges[] = {4, 100, 5000, 300000, 50000000, BTWQ_MAX_DELAY};
    return scramble(random) % ranges[random % (sizeof(ranges) / sizeof(ranges[0]))];
}

static void submit(unsigned random)
{
    struct item *item = &items[submitted++];
    const uint32_t ticks = some_delay(random);
    item->queue = random % QUEUES;
    item->high = (int)(random >> 4 & 1);
    item->time = now + ticks;
    item->stage = DELAYED;
    CHECK_EQ(btwq_work_init(&item->work, &ops), BTWQ_OK);
    CHECK_EQ(btwq_work_set_high_priority(&item->work, item->high), BTWQ_OK);
    CHECK_EQ(btwq_queue_work_delayed(&queues[item->queue], &item->work, ticks), BTWQ_OK);
}

/* Whatever is delayed, not only what was submitted lately. */
static void cancel(unsigned random)
{
    struct item *item = &items[random % submitted];
    if (item->stage != DELAYED)
        return;
    CHECK_EQ(btwq_work_cancel(&item->work), BTWQ_OK);
    item->stage = CANCELLED;
}

/* Returns in how many ticks the next delay ends. */
static uint64_t tick(void)
{
    uint64_t next = now + INT32_MAX; /* nothing */
    int32_t again_in;
    unsigned i;
    memset(latest, 0, sizeof(latest));
    again_in = btwq_pool_tick(&pool);
    CHECK(btwq_run_until_idle(&worker) >= 0);
    for (i = 0; i < submitted; i++) {
        CHECK(items[i].stage == OVER || (items[i].stage == DELAYED && items[i].time > now));
        if (items[i].stage == DELAYED && items[i].time < next)
            next = items[i].time;
    }
    CHECK_EQ(again_in, next - now);
    return next - now;
}

static void one_step(unsigned random, int with_cancels)
{
    unsigned n;
    for (n = random % 8; n > 0 && submitted < works; n--)
        submit(scramble(random + n));
    for (n = with_cancels ? scramble(random) % 9 : 0; n > 0; n--)
        cancel(scramble(random - n));
    advance(scramble(random) % 3 == 0 ? some_delay(random) % 10000 : 0);
    if (random >> 9 & 1)
        tick();
}

/* Exactly when it is said to be needed; or earlier, or later. */
static void tick_to_the_end(void)
{
    uint64_t wait = tick();
    unsigned i, left = 1;
    for (i = 0; left > 0; i++) {
        const unsigned random = scramble(i);
        uint64_t step = wait;
        if (random % 4 == 0)
            step = wait / 2;
        else if (random % 4 == 1)
            step = wait + random % 100000;
        advance(step < INT32_MAX ? step : BTWQ_MAX_DELAY);
        wait = tick();
        for (left = submitted; left > 0 && items[left - 1].stage == OVER; left--) {
        }
    }
}

static void run_all(uint32_t begin, int with_cancels)
{
    unsigned i;
    memset(items, 0, sizeof(items));
    submitted = 0;
    now = begin;
    handclock_set(begin);
    for (i = 0; submitted < works; i++)
        one_step(scramble(i + begin), with_cancels);
    tick_to_the_end();
    CHECK_EQ(btwq_pool_tick(&pool), INT32_MAX);
}

int main(void)
{
    check_begin();
    works = check_count(WORKS, 100);
    handclock_set_up(0);
    REQUIRE_EQ(btwq_pool_set_timers(&pool, &timers), BTWQ_OK);
    run_all(0, 0);
    run_all(0xfffff000U, 0);
    run_all(1, 1);
    run_all(0xffffff00U, 1);
    DESTROY(&pool);
    return check_end();
}

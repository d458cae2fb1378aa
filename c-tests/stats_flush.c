/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: those who wait leave no trace: however many flushes, drains and cancels meet however
 * many works, statistics count the works alone, the bound lets exactly that many in flight
 * afterwards, and the limit stays what it is.
 */
#include "common.h"

enum { THREADS = 2, WAITERS = 2, ROUNDS = 400, WORKS = 20, BOUND = 5 };

struct item {
    btwq_work work;
    unsigned index;
};

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "flush");
static btwq_control control = BTWQ_CONTROL_INIT;
static btwq_worker worker = BTWQ_WORKER_INIT(&pool);
static struct item items[WORKS];
static unsigned is_over;

static void func(btwq_work *work)
{
    linger(CONTAINER_OF(work, struct item, work)->index);
}

static const btwq_work_ops ordered = {func, func, NULL}, unordered = {func, NULL, NULL};

static void *waiter(void *nothing)
{
    while (!__atomic_load_n(&is_over, __ATOMIC_RELAXED)) {
        CHECK_EQ(btwq_queue_flush(&queue), BTWQ_OK);
        sched_yield();
    }
    return nothing;
}

static void submit(unsigned i)
{
    items[i].index = i;
    CHECK_EQ(btwq_work_init(&items[i].work, i % 4 == 0 ? &unordered : &ordered), BTWQ_OK);
    CHECK_EQ(btwq_work_set_high_priority(&items[i].work, i % 3 == 0), BTWQ_OK);
    SUBMIT(&queue, &items[i].work);
}

/* Each way to wait, for all works. */
static void one_round(unsigned round)
{
    unsigned i;
    for (i = 0; i < WORKS; i++)
        submit(i);
    for (i = 0; i < WORKS && round % 4 == 1; i++)
        CHECK_EQ(btwq_work_flush(&items[i].work), BTWQ_OK);
    for (i = WORKS; i > 0 && round % 4 == 2; i--)
        CHECK(btwq_work_cancel_sync(&items[i - 1].work) >= 0);
    if (round % 4 == 3)
        CHECK_EQ(btwq_queue_drain(&queue), BTWQ_OK);
    CHECK_EQ(btwq_queue_flush(&queue), BTWQ_OK);
}

static unsigned done(int high)
{
    btwq_stats stats;
    CHECK_EQ(btwq_queue_stats(&queue, high, &stats), BTWQ_OK);
    CHECK_EQ(stats.pending, 0);
    CHECK_EQ(stats.running, 0);
    CHECK_EQ(stats.waiting, 0);
    CHECK(stats.largest_backlog <= WORKS);
    CHECK_EQ(stats.head_age, 0);
    return stats.done;
}

static void as_much_room_as_ever(void)
{
    unsigned i;
    CHECK_EQ(btwq_queue_set_bound(&queue, BOUND), BTWQ_OK);
    for (i = 0; i <= BOUND; i++) {
        CHECK_EQ(btwq_work_init(&items[i].work, &ordered), BTWQ_OK);
        CHECK_EQ(btwq_queue_try_work(&queue, &items[i].work), i < BOUND ? BTWQ_OK : BTWQ_EAGAIN);
    }
    CHECK_EQ(btwq_run_until_idle(&worker), BOUND);
}

int main(void)
{
    pthread_t threads[WAITERS];
    unsigned rounds, i;
    check_begin();
    rounds = check_count(ROUNDS, 8);
    REQUIRE_EQ(btwq_queue_set_control(&queue, &control), BTWQ_OK);
    REQUIRE_EQ(btwq_queue_set_max(&queue, 1), BTWQ_OK);
    START(&pool, THREADS);
    for (i = 0; i < WAITERS; i++)
        threads[i] = thread_start(waiter, NULL);
    for (i = 0; i < rounds; i++)
        one_round(i);
    __atomic_store_n(&is_over, 1, __ATOMIC_RELAXED);
    for (i = 0; i < WAITERS; i++)
        thread_join(threads[i]);
    STOP(&pool);
    CHECK_EQ(done(0) + done(1), rounds * WORKS);
    as_much_room_as_ever();
    DESTROY(&pool);
    return check_end();
}

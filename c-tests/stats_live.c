/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: statistics may be asked for while everything moves. A work is counted in one state at
 * most: so pending, running, waiting and done together never exceed what was submitted; done never
 * goes back; running never exceeds the limit. When all is over they are exact.
 */
#include "common.h"

enum { THREADS = 2, SUBMITTERS = 2, EACH = 15000, LIMIT = 2 };

struct item {
    btwq_work work;
    unsigned index;
};

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "stats live");
static btwq_control control = BTWQ_CONTROL_INIT;
static struct item items[SUBMITTERS][EACH];
static unsigned each;
static unsigned submitted[2]; /* or about to be */
static unsigned is_over;

static void func(btwq_work *work)
{
    linger(CONTAINER_OF(work, struct item, work)->index);
}

static const btwq_work_ops ordered = {func, func, NULL}, unordered = {func, NULL, NULL};

static void *submit(void *mine)
{
    struct item *item = (struct item *)mine;
    unsigned i;
    for (i = 0; i < each; i++) {
        const int high = i % 3 == 0;
        item[i].index = i;
        CHECK_EQ(btwq_work_init(&item[i].work, i % 2 == 0 ? &ordered : &unordered), BTWQ_OK);
        CHECK_EQ(btwq_work_set_high_priority(&item[i].work, high), BTWQ_OK);
        __atomic_add_fetch(&submitted[high], 1, __ATOMIC_SEQ_CST);
        SUBMIT(&queue, &item[i].work);
    }
    return NULL;
}

static unsigned look(int lane, unsigned done_before)
{
    btwq_stats stats;
    unsigned all;
    CHECK_EQ(btwq_queue_stats(&queue, lane, &stats), BTWQ_OK);
    all = __atomic_load_n(&submitted[lane], __ATOMIC_SEQ_CST);
    CHECK(stats.pending <= all && stats.running <= all && stats.waiting <= all);
    CHECK(stats.done <= all && stats.largest_backlog <= all);
    CHECK(stats.pending + stats.running + stats.waiting + stats.done <= all);
    CHECK(stats.running <= LIMIT);
    CHECK(stats.done >= done_before);
    CHECK_EQ(stats.limit_active, LIMIT);
    return stats.done;
}

static void *observer(void *nothing)
{
    unsigned done[2] = {0, 0};
    while (!__atomic_load_n(&is_over, __ATOMIC_RELAXED)) {
        done[0] = look(0, done[0]);
        done[1] = look(1, done[1]);
        sched_yield();
    }
    return nothing;
}

int main(void)
{
    pthread_t threads[SUBMITTERS], watch;
    unsigned i;
    int lane;
    check_begin();
    each = check_count(EACH, 50);
    REQUIRE_EQ(btwq_queue_set_control(&queue, &control), BTWQ_OK);
    REQUIRE_EQ(btwq_queue_set_max(&queue, LIMIT), BTWQ_OK);
    START(&pool, THREADS);
    watch = thread_start(observer, NULL);
    for (i = 0; i < SUBMITTERS; i++)
        threads[i] = thread_start(submit, items[i]);
    for (i = 0; i < SUBMITTERS; i++)
        thread_join(threads[i]);
    CHECK_EQ(btwq_queue_flush(&queue), BTWQ_OK);
    __atomic_store_n(&is_over, 1, __ATOMIC_RELAXED);
    thread_join(watch);
    STOP(&pool);
    for (lane = 0; lane < 2; lane++) {
        btwq_stats stats;
        CHECK_EQ(btwq_queue_stats(&queue, lane, &stats), BTWQ_OK);
        CHECK_EQ(stats.pending + stats.running + stats.waiting, 0);
        CHECK_EQ(stats.done, submitted[lane]);
    }
    DESTROY(&pool);
    return check_end();
}

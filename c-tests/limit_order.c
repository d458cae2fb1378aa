/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: a limit changes nothing in the order. Works that wait for it keep their places, ordered
 * and unordered ones in any mixture; those that are cancelled there too: their ordered callbacks
 * run in their turn, their func does not, and they free the way for the others.
 */
#include "common.h"

enum { THREADS = 3, WORKS = 12000, AHEAD = 100 };

struct item {
    btwq_work work;
    unsigned place, funcs, ends;
    btwq_status cancelled, status;
};

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "limit order");
static btwq_control control = BTWQ_CONTROL_INIT;
static struct item items[WORKS];
static unsigned works, queued, looked_at; /* by the canceller */
static unsigned last_place; /* for the ordered callbacks alone */

static void func(btwq_work *work)
{
    struct item *item = CONTAINER_OF(work, struct item, work);
    item->funcs++;
    linger(item->place);
}

static void ordered_func(btwq_work *work)
{
    struct item *item = CONTAINER_OF(work, struct item, work);
    CHECK_EQ(item->ends, 0);
    CHECK(item->place > last_place);
    last_place = item->place;
    item->status = btwq_work_status(work);
}

static void ordered_free(btwq_work *work)
{
    struct item *item = CONTAINER_OF(work, struct item, work);
    CHECK_EQ(item->place, last_place);
    item->ends++;
}

static const btwq_work_ops ordered = {func, ordered_func, ordered_free};
static const btwq_work_ops unordered = {func, NULL, NULL};

static int is_ordered(unsigned place)
{
    return scramble(place) % 3 != 0;
}

static const btwq_work_ops *ops_of(unsigned place)
{
    return is_ordered(place) ? &ordered : &unordered;
}

/* Cancels works of the backlog, soon after they were queued. */
static void *canceller(void *nothing)
{
    unsigned place;
    for (place = 1; place <= works; place++) {
        while (__atomic_load_n(&queued, __ATOMIC_ACQUIRE) < place)
            sched_yield();
        if (scramble(place) >> 8 & 1)
            items[place - 1].cancelled = btwq_work_cancel(&items[place - 1].work);
        __atomic_store_n(&looked_at, place, __ATOMIC_RELAXED);
    }
    return nothing;
}

static void check_item(const struct item *item)
{
    const int cancelled = item->cancelled == BTWQ_OK;
    CHECK(cancelled || item->cancelled == BTWQ_EBUSY);
    CHECK_EQ(item->funcs, cancelled ? 0 : 1);
    CHECK_EQ(item->ends, is_ordered(item->place) ? 1 : 0);
    if (is_ordered(item->place))
        CHECK_EQ(item->status, cancelled ? BTWQ_ECANCELED : 0);
}

static void wait_for_canceller(unsigned place)
{
    while (__atomic_load_n(&looked_at, __ATOMIC_RELAXED) < place)
        sched_yield();
}

/* The first works are cancelled before there is anybody to run them. */
static void with_limit(unsigned limit)
{
    pthread_t thread;
    unsigned i, cancelled = 0;
    memset(items, 0, sizeof(items));
    last_place = queued = looked_at = 0;
    CHECK_EQ(btwq_queue_set_max(&queue, limit), BTWQ_OK);
    thread = thread_start(canceller, NULL);
    for (i = 0; i < works; i++) {
        items[i].place = i + 1;
        items[i].cancelled = BTWQ_EBUSY;
        CHECK_EQ(btwq_work_init(&items[i].work, ops_of(i + 1)), BTWQ_OK);
        SUBMIT(&queue, &items[i].work);
        __atomic_store_n(&queued, i + 1, __ATOMIC_RELEASE);
        if (i >= AHEAD)
            wait_for_canceller(i - AHEAD);
        if (i == 2 * AHEAD)
            START(&pool, THREADS);
    }
    thread_join(thread);
    CHECK_EQ(btwq_queue_drain(&queue), BTWQ_OK); /* Cancelled works with func alone tell nobody. */
    for (i = 0; i < works; i++) {
        check_item(&items[i]);
        cancelled += items[i].cancelled == BTWQ_OK;
    }
    CHECK(cancelled > 0);
    STOP(&pool);
}

int main(void)
{
    check_begin();
    works = check_count(WORKS, 3 * AHEAD);
    REQUIRE_EQ(btwq_queue_set_control(&queue, &control), BTWQ_OK);
    with_limit(1);
    with_limit(2);
    DESTROY(&pool);
    return check_end();
}

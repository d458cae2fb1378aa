/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: however cancelling meets the end of a delay, the claim of the work and its func, on the
 * host's clock and several threads: each work either runs or was cancelled, as the one call of
 * btwq_work_cancel that had to do with it was told, and ends once.
 */
#include "common.h"

enum { THREADS = 2, CANCELLERS = 2, WORKS = 12000, LONGEST = 3 /* ms */, AHEAD = 200 };

struct item {
    btwq_work work;
    unsigned index, funcs, frees;
    btwq_status cancelled, status;
};

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_timers timers = BTWQ_TIMERS_INIT;
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "stress");
static struct item items[WORKS];
static unsigned works, submitted;

static void func(btwq_work *work)
{
    struct item *item = CONTAINER_OF(work, struct item, work);
    item->funcs++;
    linger(item->index);
}

static void ordered_free(btwq_work *work)
{
    struct item *item = CONTAINER_OF(work, struct item, work);
    item->frees++;
    item->status = btwq_work_status(work);
}

static const btwq_work_ops ordered = {func, NULL, ordered_free}, unordered = {func, NULL, NULL};

static int is_ordered(unsigned index)
{
    return index % 3 != 0;
}

/* Every canceller has works of its own, and tries each once, some time after it was queued: most
 * are too late, or in good time; the others are what this is about. */
static void *cancel(void *first)
{
    unsigned i;
    for (i = *(const unsigned *)first; i < works; i += CANCELLERS) {
        const unsigned late = scramble(i) % AHEAD;
        unsigned until = i + late + 1;
        if (until > works)
            until = works;
        while (__atomic_load_n(&submitted, __ATOMIC_ACQUIRE) < until)
            sched_yield();
        items[i].cancelled = btwq_work_cancel(&items[i].work);
    }
    return NULL;
}

static void submit_all(void)
{
    unsigned i;
    for (i = 0; i < works; i++) {
        struct item *item = &items[i];
        const uint32_t ticks = scramble(i) % (LONGEST + 1);
        item->index = i;
        CHECK_EQ(btwq_work_init(&item->work, is_ordered(i) ? &ordered : &unordered), BTWQ_OK);
        CHECK_EQ(btwq_queue_work_delayed(&queue, &item->work, ticks), BTWQ_OK);
        __atomic_store_n(&submitted, i + 1, __ATOMIC_RELEASE);
        if (i % AHEAD == 0)
            usleep(100); /* A delay should end now and then. */
    }
}

static void check_item(const struct item *item)
{
    const int cancelled = item->cancelled == BTWQ_OK;
    CHECK(cancelled || item->cancelled == BTWQ_EBUSY);
    CHECK_EQ(item->funcs, cancelled ? 0 : 1);
    CHECK_EQ(item->frees, is_ordered(item->index) ? 1 : 0);
    CHECK_EQ(item->status, is_ordered(item->index) && cancelled ? BTWQ_ECANCELED : 0);
}

int main(void)
{
    static const unsigned firsts[CANCELLERS] = {0, 1};
    pthread_t threads[CANCELLERS];
    unsigned i;
    check_begin();
    works = check_count(WORKS, 100);
    REQUIRE_EQ(btwq_pool_set_timers(&pool, &timers), BTWQ_OK);
    START(&pool, THREADS);
    for (i = 0; i < CANCELLERS; i++)
        threads[i] = thread_start(cancel, (void *)&firsts[i]);
    submit_all();
    for (i = 0; i < CANCELLERS; i++)
        thread_join(threads[i]);
    CHECK_EQ(btwq_queue_drain(&queue), BTWQ_OK); /* Waits for delayed works too. */
    for (i = 0; i < works; i++)
        check_item(&items[i]);
    DESTROY(&pool);
    return check_end();
}

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: works that are queued after btwq_queue_flush or btwq_work_flush was called do not keep
 * it: it returns though the queue is never empty, and what was queued before has ended then, with
 * all that it wrote to be seen.
 */
#include "common.h"

enum { WORKERS = 2, FLUSHERS = 2, ROUNDS = 60, EVERGREENS = 8, OWN = 8 };

struct item {
    btwq_work work;
    unsigned salt, ended; /* plain memory: a flush orders it */
};

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "flood");
static btwq_work evergreens[EVERGREENS];
static int over;
static unsigned flooded, rounds;

static void func(btwq_work *work)
{
    linger(CONTAINER_OF(work, struct item, work)->salt);
}

static void last(btwq_work *work)
{
    struct item *item = CONTAINER_OF(work, struct item, work);
    linger(item->salt + 1);
    item->ended++;
}

static const btwq_work_ops ops[] = {
    {last, NULL, NULL}, {NULL, last, NULL}, {func, NULL, last}, {func, func, last}};

/* Goes round for ever. */
static void again(btwq_work *work)
{
    __atomic_add_fetch(&flooded, 1, __ATOMIC_RELAXED);
    if (!__atomic_load_n(&over, __ATOMIC_RELAXED))
        SUBMIT(&queue, work);
}

static const btwq_work_ops evergreen_ops[] = {{again, NULL, NULL}, {NULL, NULL, again}};

static void submit(struct item *items, unsigned random, unsigned round)
{
    unsigned i;
    for (i = 0; i < OWN; i++) {
        items[i].salt = random + i;
        CHECK_EQ(items[i].ended, round);
        CHECK_EQ(btwq_work_init(&items[i].work, &ops[i % 4]), BTWQ_OK);
        CHECK_EQ(btwq_work_set_high_priority(&items[i].work, (int)(random >> i & 1)), BTWQ_OK);
        SUBMIT(&queue, &items[i].work);
    }
}

static void flush(struct item *items, unsigned random)
{
    unsigned i;
    if (random >> 30 == 0) {
        CHECK_EQ(btwq_queue_flush(&queue), BTWQ_OK);
        return;
    }
    for (i = 0; i < OWN; i++)
        CHECK_EQ(btwq_work_flush(&items[(i + random) % OWN].work), BTWQ_OK);
}

static void *flusher(void *number)
{
    struct item items[OWN];
    unsigned round;
    memset(items, 0, sizeof(items));
    for (round = 0; round < rounds; round++) {
        const unsigned random = scramble(round * FLUSHERS + *(const unsigned *)number);
        submit(items, random, round);
        flush(items, random);
    }
    submit(items, 0, round);
    CHECK_EQ(btwq_queue_flush(&queue), BTWQ_OK);
    return NULL;
}

int main(void)
{
    static unsigned numbers[FLUSHERS] = {0, 1};
    pthread_t threads[FLUSHERS];
    unsigned i, before;
    check_begin();
    rounds = check_count(ROUNDS, 5);
    START(&pool, WORKERS);
    for (i = 0; i < EVERGREENS; i++) {
        CHECK_EQ(btwq_work_init(&evergreens[i], &evergreen_ops[i % 2]), BTWQ_OK);
        CHECK_EQ(btwq_work_set_high_priority(&evergreens[i], (int)(i / 2 % 2)), BTWQ_OK);
        SUBMIT(&queue, &evergreens[i]);
    }
    for (i = 0; i < FLUSHERS; i++)
        threads[i] = thread_start(flusher, &numbers[i]);
    for (i = 0; i < FLUSHERS; i++)
        thread_join(threads[i]);
    before = __atomic_load_n(&flooded, __ATOMIC_RELAXED);
    while (__atomic_load_n(&flooded, __ATOMIC_RELAXED) == before)
        sched_yield(); /* It still goes on. */
    __atomic_store_n(&over, 1, __ATOMIC_RELAXED);
    CHECK_EQ(btwq_queue_flush(&queue), BTWQ_OK);
    CHECK_EQ(btwq_queue_flush(&queue), BTWQ_OK);
    DESTROY(&pool);
    return check_end();
}

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: btwq_queue_flush returns when the last callbacks of all works that were queued before
 * the call have returned: with a place in the order and without, of both lanes, asynchronous ones
 * too. Any number of callers at once; they sleep until then. Works with a place in the order that
 * are queued later keep none of them, and an empty queue, even without a worker, keeps nobody.
 *
 * (Works with func alone that are queued while somebody flushes may be waited for, too, but never
 * an endless stream of them: that is in flush_under_flood.c.)
 */
#include "waiters.h"

enum { CALLERS = 3, WORKERS = 6 };
enum kind { FUNC_ONLY, FREE_ONLY, SHORT, ALL, ASYNC, KINDS };
enum { LANES = 2, WORKS = LANES * KINDS };

/* A work whose end is held up until the test says so: one that is asynchronous by its completion,
 * any other by its last callback. */
struct item {
    btwq_work work;
    enum kind kind;
    struct tally begun, gate; /* the last callback of it */
    unsigned ended;           /* plain memory: a flush orders it */
};

static btwq_pool pool = BTWQ_POOL_INIT(&waiters_port);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "queue flush");
static btwq_worker workers[WORKERS];
static struct waiter waiters[CALLERS], later_waiters[CALLERS];
static struct item items[WORKS], between, after;

static void func(btwq_work *work)
{
    (void)work;
}

static void last(btwq_work *work)
{
    struct item *item = CONTAINER_OF(work, struct item, work);
    tally_add(&item->begun);
    tally_wait(&item->gate, 1);
    sched_yield(); /* Entered is not returned. */
    item->ended = 1;
}

static const btwq_work_ops ops[KINDS] = {{last, NULL, NULL},
                                         {NULL, NULL, last},
                                         {func, last, NULL},
                                         {func, func, last},
                                         {func, func, last}};

static void submit(struct item *item, enum kind kind, int high)
{
    static const struct tally fresh = TALLY_INIT;
    item->kind = kind;
    item->begun = item->gate = fresh;
    item->ended = 0;
    CHECK_EQ(btwq_work_init(&item->work, &ops[kind]), BTWQ_OK);
    CHECK_EQ(btwq_work_set_high_priority(&item->work, high), BTWQ_OK);
    if (kind == ASYNC)
        CHECK_EQ(btwq_work_set_async(&item->work), BTWQ_OK);
    SUBMIT(&queue, &item->work);
}

static void let_end(struct item *item)
{
    if (item->kind == ASYNC)
        CHECK_EQ(btwq_work_complete(&item->work, 0), BTWQ_OK);
    tally_add(&item->gate);
}

static void flush(struct waiter *callers, unsigned asleep)
{
    waiters_start(callers, CALLERS, QUEUE_FLUSH, &queue, NULL);
    waiters_settle(asleep);
}

static void still_waits(unsigned asleep)
{
    waiters_tempt(asleep);
    CHECK_EQ(waiters_gone(), 0);
}

static void empty(void)
{
    waiters_start(waiters, CALLERS, QUEUE_FLUSH, &queue, NULL);
    waiters_join(waiters, CALLERS, BTWQ_OK);
}

/* Whichever work it is that is left, it is waited for, also when its last callback has begun. */
static void waits_for_the_only(enum kind kind, int high)
{
    submit(&items[0], kind, high);
    flush(waiters, CALLERS);
    if (kind != ASYNC)
        tally_wait(&items[0].begun, 1);
    still_waits(CALLERS);
    let_end(&items[0]);
    waiters_join(waiters, CALLERS, BTWQ_OK);
    CHECK_EQ(items[0].ended, 1);
}

static void waits_for_all(void)
{
    unsigned i;
    for (i = 0; i < WORKS; i++)
        submit(&items[i], (enum kind)(i % KINDS), (int)(i / KINDS));
    flush(waiters, CALLERS);
    for (i = 0; i < WORKS; i++) {
        still_waits(CALLERS);
        let_end(&items[i]);
    }
    waiters_join(waiters, CALLERS, BTWQ_OK);
    for (i = 0; i < WORKS; i++)
        CHECK_EQ(items[i].ended, 1);
}

/* Whatever it is that was queued before; the later work is of another lane or of the same. */
static void later_works_keep_nobody(unsigned i, unsigned k)
{
    submit(&items[0], (enum kind)(i % KINDS), (int)(i / KINDS));
    waiters_start(waiters, 1, QUEUE_FLUSH, &queue, NULL);
    waiters_settle(1);
    submit(&after, (enum kind)(k % KINDS), (int)(k / KINDS));
    let_end(&items[0]);
    waiters_join(waiters, 1, BTWQ_OK);
    CHECK_EQ(items[0].ended, 1);
    let_end(&after);
    empty();
    CHECK_EQ(after.ended, 1);
}

/* Flushes that begin while others wait owe the same: they do not return with those, before what was
 * queued in between has ended; nor are they kept by what comes after them. */
static void one_flush_after_another(enum kind kind, int high)
{
    submit(&items[0], kind, high);
    flush(waiters, CALLERS);
    submit(&between, kind, high);
    flush(later_waiters, 2 * CALLERS);
    submit(&after, kind, high);
    let_end(&items[0]);
    waiters_join(waiters, CALLERS, BTWQ_OK);
    still_waits(CALLERS);
    let_end(&between);
    waiters_join(later_waiters, CALLERS, BTWQ_OK);
    CHECK_EQ(between.ended, 1);
    let_end(&after);
    empty();
    CHECK_EQ(after.ended, 1);
}

static void *body(void *worker)
{
    CHECK_EQ(btwq_worker_run((btwq_worker *)worker), BTWQ_OK);
    return NULL;
}

int main(void)
{
    pthread_t threads[WORKERS];
    unsigned i, k;
    check_begin();
    waiters_set_up();
    empty();
    for (i = 0; i < WORKERS; i++) {
        CHECK_EQ(btwq_worker_init(&workers[i], &pool), BTWQ_OK);
        threads[i] = thread_start(body, &workers[i]);
    }
    for (i = 0; i < WORKS; i++)
        waits_for_the_only((enum kind)(i % KINDS), (int)(i / KINDS));
    waits_for_all();
    for (i = 0; i < WORKS; i++) {
        for (k = 0; k < WORKS; k++) {
            if (k % KINDS != FUNC_ONLY)
                later_works_keep_nobody(i, k);
        }
        if (i % KINDS != FUNC_ONLY)
            one_flush_after_another((enum kind)(i % KINDS), (int)(i / KINDS));
    }
    STOP(&pool);
    for (i = 0; i < WORKERS; i++)
        thread_join(threads[i]);
    DESTROY(&pool);
    return check_end();
}

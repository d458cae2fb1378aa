/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: whoever cancels, submits, completes and runs works at the same time: of each work either
 * func runs once, or it is cancelled, never both and never neither; what btwq_work_cancel and
 * btwq_work_complete return agrees with what the work's callbacks see; and the order is kept.
 */
#include "common.h"

enum { WORKS = 30000, WORKERS = 2, CANCELLERS = 2, AHEAD = 24, RESULT = -7 };
enum kind { FUNC_ONLY, FREE_ONLY, SHORT, ALL, ASYNC, KINDS };

struct item {
    btwq_work work;
    enum kind kind;
    unsigned index, place;
    int high;
    unsigned funcs, calls, frees;
    unsigned cancelled; /* how often btwq_work_cancel said BTWQ_OK */
    btwq_status completed; /* what btwq_work_complete said */
    int32_t status;
};

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "cancel race");
static struct item items[WORKS];
static unsigned works;
static unsigned submitted;     /* so many calls of btwq_queue_work have returned */
static unsigned over;          /* and so many works have ended, or will without a word */
static unsigned next_place[2]; /* for the ordered callbacks of each lane alone */

static struct item *item_of(btwq_work *work)
{
    return CONTAINER_OF(work, struct item, work);
}

static void note_end(void)
{
    __atomic_add_fetch(&over, 1, __ATOMIC_RELAXED);
}

static void func(btwq_work *work)
{
    struct item *item = item_of(work);
    item->funcs++;
    linger(item->index);
    if (item->kind == FUNC_ONLY)
        note_end();
}

static void take_place(struct item *item)
{
    CHECK_EQ(item->place, next_place[item->high]);
    next_place[item->high]++;
    item->status = btwq_work_status(&item->work);
}

static void ordered_func(btwq_work *work)
{
    struct item *item = item_of(work);
    item->calls++;
    take_place(item);
    linger(item->index + 1);
    note_end();
}

static void ordered_free(btwq_work *work)
{
    struct item *item = item_of(work);
    item->frees++;
    if (item->kind == FREE_ONLY) {
        take_place(item);
        note_end();
    } else {
        CHECK_EQ(item->status, btwq_work_status(work));
    }
}

static const btwq_work_ops ops[KINDS] = {
    {func, NULL, NULL},
    {NULL, NULL, ordered_free},
    {func, ordered_func, NULL},
    {func, ordered_func, ordered_free},
    {func, ordered_func, ordered_free},
};

static void wait_until_submitted(unsigned count)
{
    if (count > works)
        count = works;
    while (__atomic_load_n(&submitted, __ATOMIC_ACQUIRE) < count)
        sched_yield();
}

static void *canceller(void *number)
{
    const unsigned me = *(const unsigned *)number;
    unsigned i;
    for (i = 0; i < works; i++) {
        const unsigned random = scramble(i * CANCELLERS + me);
        struct item *item = &items[i];
        btwq_status result;
        if (random % 3 == 0)
            continue;
        wait_until_submitted(i + 1 + (random >> 8 & 7));
        result = btwq_work_cancel(&item->work);
        CHECK(result == BTWQ_OK || result == BTWQ_EBUSY);
        if (result == BTWQ_OK && __atomic_fetch_add(&item->cancelled, 1, __ATOMIC_RELAXED) == 0 &&
            item->kind == FUNC_ONLY)
            note_end();
    }
    return NULL;
}

static void prepare(unsigned index, unsigned *places)
{
    struct item *item = &items[index];
    const unsigned random = scramble(index);
    item->index = index;
    item->kind = (enum kind)(random % KINDS);
    item->high = (int)(random >> 8 & 1);
    if (item->kind != FUNC_ONLY)
        item->place = places[item->high]++;
    CHECK_EQ(btwq_work_init(&item->work, &ops[item->kind]), BTWQ_OK);
    CHECK_EQ(btwq_work_set_high_priority(&item->work, item->high), BTWQ_OK);
    if (item->kind == ASYNC)
        CHECK_EQ(btwq_work_set_async(&item->work), BTWQ_OK);
}

/* Never far ahead of the workers: else all would be cancelled in time. */
static void submit_all(void)
{
    unsigned places[2] = {0, 0};
    unsigned i;
    for (i = 0; i < works; i++) {
        prepare(i, places);
        while (i - __atomic_load_n(&over, __ATOMIC_RELAXED) > AHEAD)
            sched_yield();
        SUBMIT(&queue, &items[i].work);
        __atomic_store_n(&submitted, i + 1, __ATOMIC_RELEASE);
        if (items[i].kind == ASYNC)
            items[i].completed = btwq_work_complete(&items[i].work, RESULT);
    }
}

static void check(const struct item *item)
{
    const int cancelled = item->cancelled > 0;
    if (ops[item->kind].func != NULL)
        CHECK_EQ(item->funcs, cancelled ? 0 : 1);
    CHECK_EQ(item->calls, ops[item->kind].ordered_func != NULL ? 1 : 0);
    CHECK_EQ(item->frees, ops[item->kind].ordered_free != NULL ? 1 : 0);
    if (item->kind == ASYNC && item->completed == BTWQ_OK) {
        CHECK_EQ(item->status, RESULT);
    } else if (item->kind != FUNC_ONLY) {
        CHECK_EQ(item->status, cancelled ? BTWQ_ECANCELED : 0);
        CHECK(item->kind != ASYNC || cancelled);
    }
}

int main(void)
{
    static unsigned numbers[CANCELLERS] = {0, 1};
    pthread_t threads[CANCELLERS];
    unsigned i;
    check_begin();
    linger_offers = 3000;
    works = check_count(WORKS, 100);
    START(&pool, WORKERS);
    for (i = 0; i < CANCELLERS; i++)
        threads[i] = thread_start(canceller, &numbers[i]);
    submit_all();
    for (i = 0; i < CANCELLERS; i++)
        thread_join(threads[i]);
    CHECK_EQ(btwq_queue_flush(&queue), BTWQ_OK);
    for (i = 0; i < works; i++)
        check(&items[i]);
    DESTROY(&pool);
    return check_end();
}

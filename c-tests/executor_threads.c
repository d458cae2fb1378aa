/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: on an executor with threads all is as on a pool: each callback comes once, in the order
 * of its lane, within the limit, for works of all kinds, cancelled ones, batches; the waiting calls
 * wait; and when a queue is destroyed its memory may be overwritten at once. Each call of a helper
 * runs at most one func, and retires at most its own work, last. The pool has no workers.
 */
#include "executor.h"

enum { THREADS = 3, QUEUES = 2, WORKS = 600, ROUNDS = 40, BATCH = 5, LIMIT = 2, RESULT = 7 };
enum kind { FUNC_ONLY, FREE_ONLY, SHORT, ALL, ASYNC, KINDS };

struct item {
    btwq_work work;
    enum kind kind;
    unsigned index, place, queue;
    int high;
    unsigned cancelled; /* by its submitter */
    unsigned funcs, lasts;
};

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_queue queues[QUEUES];
static btwq_control controls[QUEUES];
static struct executor executor = EXECUTOR_INIT;
static struct item items[WORKS];
static unsigned works;
static unsigned next_place[QUEUES][2]; /* for the ordered callbacks of each lane alone */
static unsigned running[QUEUES][2];

BTWQ_DEFINE_HELPER(help_first);
BTWQ_DEFINE_HELPER(help_second);
static const btwq_executor tables[QUEUES] = {{executor_dispatch, help_first, &executor},
                                             {executor_dispatch, help_second, &executor}};

static void count_func(const struct item *item)
{
    CHECK(executor_current->work == &item->work);
    CHECK(executor_current->helper == tables[item->queue].helper);
    CHECK_EQ(executor_current->funcs++, 0);
    CHECK_EQ(executor_current->freed, 0);
}

static void count_freed(const struct item *item)
{
    CHECK(executor_current->work == &item->work);
    CHECK_EQ(executor_current->freed++, 0);
}

static void func(btwq_work *work)
{
    struct item *item = CONTAINER_OF(work, struct item, work);
    unsigned *const at_once = &running[item->queue][item->high];
    count_func(item);
    CHECK(__atomic_add_fetch(at_once, 1, __ATOMIC_SEQ_CST) <= LIMIT);
    item->funcs++;
    linger(item->index);
    __atomic_sub_fetch(at_once, 1, __ATOMIC_SEQ_CST);
    if (item->kind == ASYNC)
        CHECK_EQ(btwq_work_complete(work, RESULT), BTWQ_OK);
    if (item->kind == FUNC_ONLY) {
        count_freed(item);
        item->lasts++;
    }
}

static void ordered_func(btwq_work *work)
{
    struct item *item = CONTAINER_OF(work, struct item, work);
    CHECK_EQ(item->place, next_place[item->queue][item->high]);
    next_place[item->queue][item->high]++;
    if (item->cancelled)
        CHECK_EQ(btwq_work_status(work), BTWQ_ECANCELED);
    else
        CHECK_EQ(btwq_work_status(work), item->kind == ASYNC ? RESULT : 0);
}

static void last(btwq_work *work)
{
    struct item *item = CONTAINER_OF(work, struct item, work);
    count_freed(item);
    item->lasts++;
}

static void free_only(btwq_work *work)
{
    ordered_func(work);
    last(work);
}

static const btwq_work_ops ops[KINDS] = {{func, NULL, NULL},
                                         {NULL, NULL, free_only},
                                         {func, free_only, NULL},
                                         {func, ordered_func, last},
                                         {func, ordered_func, last}};

static void prepare(unsigned index, unsigned random)
{
    static unsigned places[QUEUES][2];
    struct item *item = &items[index];
    if (index == 0)
        memset(places, 0, sizeof(places));
    item->index = index;
    item->kind = (enum kind)(random % KINDS);
    item->queue = index / BATCH % QUEUES;
    item->high = (int)(random >> 8 & 1);
    item->funcs = item->lasts = item->cancelled = 0;
    if (item->kind != FUNC_ONLY)
        item->place = places[item->queue][item->high]++;
    CHECK_EQ(btwq_work_init(&item->work, &ops[item->kind]), BTWQ_OK);
    CHECK_EQ(btwq_work_set_high_priority(&item->work, item->high), BTWQ_OK);
    if (item->kind == ASYNC)
        CHECK_EQ(btwq_work_set_async(&item->work), BTWQ_OK);
}

/* As a batch, or one by one. */
static void submit(unsigned first, unsigned random)
{
    btwq_queue *const queue = &queues[items[first].queue];
    btwq_work *batch[BATCH];
    unsigned i;
    for (i = 0; i < BATCH; i++)
        batch[i] = &items[first + i].work;
    if (random % 2) {
        REQUIRE_EQ(btwq_queue_work_batch(queue, batch, BATCH), BTWQ_OK);
        return;
    }
    for (i = 0; i < BATCH; i++)
        SUBMIT(queue, batch[i]);
}

static void check(const struct item *item)
{
    const unsigned lasts = item->kind == FUNC_ONLY && item->cancelled ? 0 : 1;
    CHECK_EQ(item->lasts, lasts);
    CHECK_EQ(item->funcs, item->cancelled || item->kind == FREE_ONLY ? 0 : 1);
}

static void make_queue(unsigned i, unsigned round)
{
    CHECK_EQ(btwq_queue_init(&queues[i], &pool, "executed"), BTWQ_OK);
    CHECK_EQ(btwq_queue_set_executor(&queues[i], &tables[i]), BTWQ_OK);
    next_place[i][0] = next_place[i][1] = 0;
    CHECK_EQ(btwq_control_init(&controls[i]), BTWQ_OK);
    CHECK_EQ(btwq_queue_set_control(&queues[i], &controls[i]), BTWQ_OK);
    CHECK_EQ(btwq_queue_set_max(&queues[i], 1 + round % LIMIT), BTWQ_OK);
}

static void end_queue(unsigned i, unsigned round)
{
    if (round % 3 == 0)
        CHECK_EQ(btwq_queue_flush(&queues[i]), BTWQ_OK);
    if (round % 3 == 1)
        CHECK_EQ(btwq_queue_drain(&queues[i]), BTWQ_OK);
    CHECK_EQ(btwq_queue_destroy(&queues[i]), BTWQ_OK);
    memset(&queues[i], 0xa5, sizeof(queues[i]));
    memset(&controls[i], 0xa5, sizeof(controls[i]));
}

/* Before the executor has threads: works are cancelled that are sure not to run yet. */
static void cancel_some(void)
{
    unsigned i;
    for (i = 0; i < works; i++) {
        if (scramble(i) % 7 == 0) {
            items[i].cancelled = 1;
            CHECK_EQ(btwq_work_cancel(&items[i].work), BTWQ_OK);
        }
    }
}

static void live_and_die(unsigned round)
{
    pthread_t threads[THREADS];
    unsigned i;
    for (i = 0; i < QUEUES; i++)
        make_queue(i, round);
    for (i = 0; i < works; i++)
        prepare(i, scramble(round * WORKS + i));
    if (round % 2)
        executor_start(&executor, threads, THREADS);
    for (i = 0; i < works; i += BATCH)
        submit(i, scramble(round + i));
    if (round % 2 == 0) {
        cancel_some();
        executor_start(&executor, threads, THREADS);
    }
    for (i = 0; i < QUEUES; i++)
        end_queue(i, round);
    for (i = 0; i < works; i++)
        check(&items[i]);
    executor_stop(&executor, threads, THREADS);
}

int main(void)
{
    unsigned round;
    check_begin();
    works = check_count(WORKS, 20) / BATCH * BATCH;
    for (round = check_count(ROUNDS, 4); round > 0; round--)
        live_and_die(round);
    DESTROY(&pool);
    return check_end();
}

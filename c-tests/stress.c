/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: all of them at once. Several submitters, queues, threads of the pool, workers of one's
 * own and a main loop; works of all kinds and lengths, freed or queued again elsewhere by their
 * last callback; a pool that is stopped and started meanwhile. The order of each submitter on each
 * queue is kept, no two ordered callbacks of a queue overlap, and each callback comes once.
 */
#include "common.h"

enum { SUBMITTERS = 2, QUEUES = 3, THREADS = 2, EACH = 150000, RESTARTS = 40 };
enum { FUNC = 1, CALL = 2, FREE = 4, ORDERED = CALL | FREE, KINDS = 8 };

struct item {
    btwq_work work;
    unsigned kind, stage; /* the callbacks it has, and those that were called */
    unsigned salt, hops;
    unsigned submitter, queue;
    unsigned number; /* of its place among those of its submitter on its queue, from 1; or 0 */
};

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_queue queues[QUEUES] = {
    BTWQ_QUEUE_INIT(&pool, "a"),
    BTWQ_QUEUE_INIT(&pool, "b"),
    BTWQ_QUEUE_INIT(&pool, "c"),
};
static btwq_worker own = BTWQ_WORKER_INIT(&pool), main_loop = BTWQ_WORKER_INIT(&pool);
static struct tally end = TALLY_INIT;
static unsigned each, ended;

/* Of each queue, and for its ordered callbacks alone. */
static struct {
    int inside;
    unsigned last[SUBMITTERS];
} order[QUEUES];

static void enter_order(const struct item *item)
{
    CHECK_EQ(order[item->queue].inside, 0);
    order[item->queue].inside = 1;
    if (item->number == 0 || (item->stage & ORDERED) == ORDERED)
        return; /* No place that is known, or looked at already. */
    order[item->queue].last[item->submitter]++;
    CHECK_EQ(item->number, order[item->queue].last[item->submitter]);
}

static void leave_order(const struct item *item)
{
    CHECK_EQ(order[item->queue].inside, 1);
    order[item->queue].inside = 0;
}

/* In the last callback, whichever that is. */
static void end_life(struct item *item)
{
    if (item->hops > 0) {
        item->hops--;
        item->stage = item->number = 0;
        item->queue = (item->queue + item->hops) % QUEUES;
        SUBMIT(&queues[item->queue], &item->work);
        return;
    }
    memset(item, 0xa5, sizeof(*item));
    free(item);
    if (__atomic_add_fetch(&ended, 1, __ATOMIC_RELAXED) == SUBMITTERS * each)
        tally_add(&end);
}

static void callback(btwq_work *work, unsigned which)
{
    struct item *item = CONTAINER_OF(work, struct item, work);
    CHECK_EQ(item->stage, item->kind & (which - 1)); /* all that come before it, and no other */
    item->stage |= which;
    if (which & ORDERED)
        enter_order(item);
    linger(item->salt + which);
    if (which & ORDERED)
        leave_order(item);
    if (item->stage == item->kind)
        end_life(item);
}

static void func(btwq_work *work)
{
    callback(work, FUNC);
}

static void ordered_func(btwq_work *work)
{
    callback(work, CALL);
}

static void ordered_free(btwq_work *work)
{
    callback(work, FREE);
}

static const btwq_work_ops ops[KINDS] = {
    {NULL, NULL, NULL},
    {func, NULL, NULL},
    {NULL, ordered_func, NULL},
    {func, ordered_func, NULL},
    {NULL, NULL, ordered_free},
    {func, NULL, ordered_free},
    {NULL, ordered_func, ordered_free},
    {func, ordered_func, ordered_free},
};

static struct item *new_item(unsigned random)
{
    struct item *item = (struct item *)malloc(sizeof(*item));
    REQUIRE(item != NULL);
    memset(item, 0, sizeof(*item));
    item->kind = 1 + random % (KINDS - 1);
    item->salt = random;
    item->hops = random >> 16 & 3;
    item->queue = (random >> 20) % QUEUES;
    CHECK_EQ(btwq_work_init(&item->work, &ops[item->kind]), BTWQ_OK);
    return item;
}

static void *submitter(void *index)
{
    const unsigned me = *(const unsigned *)index;
    unsigned numbers[QUEUES] = {0, 0, 0};
    unsigned i;
    for (i = 0; i < each; i++) {
        struct item *item = new_item(scramble(i * SUBMITTERS + me));
        item->submitter = me;
        if (item->kind & ORDERED)
            item->number = ++numbers[item->queue];
        SUBMIT(&queues[item->queue], &item->work);
    }
    return NULL;
}

static void *own_worker(void *worker)
{
    CHECK_EQ(btwq_worker_run((btwq_worker *)worker), BTWQ_OK);
    return NULL;
}

/* Between two stops, and in the stop too, the main thread lends a hand. */
static void restart(void)
{
    pthread_t thread;
    unsigned i;
    START(&pool, THREADS);
    thread = thread_start(own_worker, &own);
    for (i = 0; i < 500; i++)
        CHECK(btwq_run_one(&main_loop) >= 0);
    STOP(&pool);
    thread_join(thread);
    for (i = 0; i < 50; i++)
        CHECK(btwq_run_one(&main_loop) >= 0);
}

int main(void)
{
    static unsigned indices[SUBMITTERS] = {0, 1};
    pthread_t threads[SUBMITTERS];
    unsigned i;
    check_begin();
    each = check_count(EACH, 100);
    for (i = 0; i < SUBMITTERS; i++)
        threads[i] = thread_start(submitter, &indices[i]);
    for (i = check_count(RESTARTS, 3); i > 0; i--)
        restart();
    START(&pool, THREADS);
    for (i = 0; i < SUBMITTERS; i++)
        thread_join(threads[i]);
    tally_wait(&end, 1);
    STOP(&pool);
    CHECK_EQ(btwq_run_until_idle(&main_loop), 0);
    CHECK_EQ(ended, SUBMITTERS * each);
    DESTROY(&pool);
    return check_end();
}

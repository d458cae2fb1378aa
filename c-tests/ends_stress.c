/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: all ends at once. Several threads make queues, load them, cancel, flush, drain and
 * destroy, on queues of their own and on shared ones, with controls and without, while the pool is
 * stopped and started again and again. Of each life of each work exactly one end is seen, by its
 * callbacks as by who has cancelled or completed it; and what is destroyed is overwritten at once.
 */
#include "common.h"

enum { OWNERS = 3, WORKERS = 2, SHARED = 2, ITEMS = 24, ROUNDS = 1500, HOPS = 3, RESULT = -7 };
enum kind { FUNC_ONLY, FREE_ONLY, SHORT, ALL, ASYNC, KINDS };

/* Of one thread; all counts are plain memory, looked at when the work has been waited for. */
struct item {
    btwq_work work;
    enum kind kind;
    unsigned salt, hops;        /* how often it queues itself again in this life */
    unsigned funcs, lasts;      /* its callbacks, */
    unsigned stati[2];          /* of the last ones those that saw 0, and BTWQ_ECANCELED; */
    unsigned lives, cancelled;  /* what they are to be, */
    unsigned results;           /* and the completions that counted */
    btwq_queue *queue;
};

struct owner {
    unsigned random;
    struct item items[ITEMS];
    btwq_queue queue; /* made and destroyed in each round */
    btwq_control control;
};

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_timers timers = BTWQ_TIMERS_INIT;
static btwq_queue shared[SHARED] = {BTWQ_QUEUE_INIT(&pool, "a"), BTWQ_QUEUE_INIT(&pool, "b")};
static struct owner owners[OWNERS];
static unsigned rounds, over;

static unsigned dice(struct owner *owner, unsigned sides)
{
    owner->random = scramble(owner->random + 1);
    return (owner->random >> 8) % sides;
}

static void func(btwq_work *work)
{
    struct item *item = CONTAINER_OF(work, struct item, work);
    item->funcs++;
    linger(item->salt);
}

static void last(btwq_work *work)
{
    struct item *item = CONTAINER_OF(work, struct item, work);
    const int32_t status = btwq_work_status(work);
    item->lasts++;
    if (status != RESULT)
        item->stati[status == BTWQ_ECANCELED]++;
    CHECK(status == 0 || status == BTWQ_ECANCELED || status == RESULT);
    linger(item->salt + 1);
    if (item->hops > 0) {
        item->hops--;
        item->lives++;
        SUBMIT(item->queue, work);
    }
}

static void only_func(btwq_work *work)
{
    struct item *item = CONTAINER_OF(work, struct item, work);
    item->lasts++;
    func(work);
}

static const btwq_work_ops ops[KINDS] = {{only_func, NULL, NULL},
                                         {NULL, NULL, last},
                                         {func, last, NULL},
                                         {func, func, last},
                                         {func, func, last}};

static btwq_status submit(struct owner *owner, struct item *item)
{
    switch (dice(owner, 4)) {
    case 0: {
        btwq_work *const batch[] = {&item->work};
        return btwq_queue_work_batch(item->queue, batch, 1);
    }
    case 1:
        return btwq_queue_try_work(item->queue, &item->work);
    case 2: /* Nobody may complete a work while it is delayed. */
        if (item->kind != ASYNC && dice(owner, 8) == 0)
            return btwq_queue_work_delayed(item->queue, &item->work, 1);
        return btwq_queue_work(item->queue, &item->work);
    default:
        return btwq_queue_work(item->queue, &item->work);
    }
}

static void cancel(struct owner *owner, struct item *item)
{
    /* Who is to complete a work must not wait for it. */
    const int sync = item->kind != ASYNC && dice(owner, 3) == 0;
    const btwq_status result =
        sync ? btwq_work_cancel_sync(&item->work) : btwq_work_cancel(&item->work);
    CHECK(result == BTWQ_OK || result == BTWQ_EBUSY || result == 1);
    if (result == BTWQ_OK)
        item->cancelled++;
}

/* These kinds queue themselves again; one half of their works. */
static int repeats(const struct item *item)
{
    return (item->kind == FREE_ONLY || item->kind == ALL) && item->salt % 2 == 0;
}

/* On a shared queue another one may be draining; on its own the bound may be reached. */
static int start_life(struct owner *owner, struct item *item, btwq_queue *queue)
{
    btwq_status result;
    CHECK_EQ(btwq_work_set_high_priority(&item->work, (int)dice(owner, 2)), BTWQ_OK);
    if (item->kind == ASYNC)
        CHECK_EQ(btwq_work_set_async(&item->work), BTWQ_OK);
    item->queue = queue;
    item->salt = dice(owner, 1000);
    item->hops = repeats(item) ? dice(owner, HOPS + 1) : 0;
    item->lives++;
    result = submit(owner, item);
    if (result == BTWQ_OK)
        return 1;
    item->lives--;
    CHECK_EQ(result, queue == &owner->queue ? BTWQ_EAGAIN : BTWQ_ESHUTDOWN);
    return 0;
}

static void live(struct owner *owner, struct item *item, btwq_queue *queue)
{
    if (!start_life(owner, item, queue))
        return;
    if (!repeats(item) && dice(owner, 3) == 0)
        cancel(owner, item); /* Which life it would be is not to be told of one that repeats. */
    if (item->kind == ASYNC && btwq_work_complete(&item->work, RESULT) == BTWQ_OK)
        item->results++;
    if (dice(owner, 8) == 0)
        CHECK_EQ(btwq_work_flush(&item->work), BTWQ_OK);
}

/* All of its lives, and no more. */
static void check(const struct item *item)
{
    const unsigned ran = item->lives - item->cancelled;
    if (item->kind == FUNC_ONLY) {
        CHECK_EQ(item->lasts, ran);
        CHECK_EQ(item->funcs, ran);
        return;
    }
    CHECK_EQ(item->lasts, item->lives);
    CHECK_EQ(item->stati[0] + item->stati[1] + item->results, item->lives);
    if (item->kind != ASYNC)
        CHECK_EQ(item->stati[1], item->cancelled);
    if (item->kind != FREE_ONLY)
        CHECK_EQ(item->funcs, item->kind == ALL || item->kind == ASYNC ? ran + item->lives : ran);
}

static void make_queue(struct owner *owner)
{
    CHECK_EQ(btwq_queue_init(&owner->queue, &pool, "own"), BTWQ_OK);
    if (dice(owner, 2) == 0)
        return;
    CHECK_EQ(btwq_control_init(&owner->control), BTWQ_OK);
    CHECK_EQ(btwq_queue_set_control(&owner->queue, &owner->control), BTWQ_OK);
    CHECK_EQ(btwq_queue_set_max(&owner->queue, 1 + dice(owner, 3)), BTWQ_OK);
    CHECK_EQ(btwq_queue_set_bound(&owner->queue, dice(owner, ITEMS)), BTWQ_OK);
}

/* Hopping works may still be queued: only a drain, or to wait for each, is the end of all. */
static void end_all(struct owner *owner)
{
    unsigned i;
    for (i = 0; i < SHARED; i++) {
        if (dice(owner, 2) == 0)
            CHECK_EQ(btwq_queue_flush(&shared[i]), BTWQ_OK);
        CHECK_EQ(btwq_queue_drain(&shared[i]), BTWQ_OK);
    }
    CHECK_EQ(btwq_queue_destroy(&owner->queue), BTWQ_OK);
    memset(&owner->queue, 0xa5, sizeof(owner->queue));
    memset(&owner->control, 0xa5, sizeof(owner->control));
}

static void *own(void *argument)
{
    struct owner *owner = (struct owner *)argument;
    unsigned round, i;
    for (i = 0; i < ITEMS; i++) {
        owner->items[i].kind = (enum kind)(i % KINDS);
        CHECK_EQ(btwq_work_init(&owner->items[i].work, &ops[i % KINDS]), BTWQ_OK);
    }
    for (round = 0; round < rounds; round++) {
        make_queue(owner);
        for (i = dice(owner, ITEMS); i > 0; i--) {
            const unsigned which = dice(owner, 1 + SHARED);
            live(owner, &owner->items[i], which < SHARED ? &shared[which] : &owner->queue);
        }
        end_all(owner);
        for (i = 0; i < ITEMS; i++)
            check(&owner->items[i]);
    }
    __atomic_add_fetch(&over, 1, __ATOMIC_SEQ_CST);
    return NULL;
}

int main(void)
{
    pthread_t threads[OWNERS];
    unsigned i;
    check_begin();
    rounds = check_count(ROUNDS, 10);
    REQUIRE_EQ(btwq_pool_set_timers(&pool, &timers), BTWQ_OK);
    for (i = 0; i < OWNERS; i++) {
        owners[i].random = i;
        threads[i] = thread_start(own, &owners[i]);
    }
    while (__atomic_load_n(&over, __ATOMIC_SEQ_CST) < OWNERS) {
        START(&pool, WORKERS);
        usleep(5000);
        STOP(&pool);
    }
    for (i = 0; i < OWNERS; i++)
        thread_join(threads[i]);
    DESTROY(&pool);
    return check_end();
}

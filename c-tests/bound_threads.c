/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: the bound holds however many threads submit at once, and whatever is freed or set
 * meanwhile.
 *
 * The test's own count goes up when btwq_queue_try_work has returned, and down when the last
 * callback is entered (which may well come first: it may be below 0 for a while). So a work is
 * counted only while it is certainly in flight, and the count never exceeds what is.
 */
#include "common.h"

enum { SUBMITTERS = 3, THREADS = 2, EACH = 5000, LARGEST = 6, CLOSED_BOUND = 100 };

struct item {
    btwq_work work;
    unsigned index;
};

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "bound threads");
static btwq_control control = BTWQ_CONTROL_INIT;
static struct item items[SUBMITTERS][EACH];
static struct tally end = TALLY_INIT;
static unsigned each, ended, taken, submitting;
static int in_flight;

static void func(btwq_work *work)
{
    linger(CONTAINER_OF(work, struct item, work)->index);
}

static void last(btwq_work *work)
{
    (void)work;
    __atomic_sub_fetch(&in_flight, 1, __ATOMIC_SEQ_CST);
    if (__atomic_add_fetch(&ended, 1, __ATOMIC_ACQ_REL) == SUBMITTERS * each)
        tally_add(&end);
}

static void func_and_last(btwq_work *work)
{
    func(work);
    last(work);
}

static const btwq_work_ops ordered = {func, NULL, last}, unordered = {func_and_last, NULL, NULL};

static void prepare(struct item *item, unsigned index)
{
    item->index = index;
    CHECK_EQ(btwq_work_init(&item->work, index % 3 == 0 ? &unordered : &ordered), BTWQ_OK);
    CHECK_EQ(btwq_work_set_high_priority(&item->work, index % 4 == 0), BTWQ_OK);
}

static void set_bound(uint32_t bound)
{
    CHECK_EQ(btwq_queue_set_bound(&queue, bound), BTWQ_OK);
}

/* Without a worker nothing ends: so there is room for that many, and for no more. */
static void *fill(void *mine)
{
    struct item *item = (struct item *)mine;
    unsigned i;
    for (i = 0; i < CLOSED_BOUND; i++) {
        btwq_status status;
        prepare(&item[i], i);
        status = btwq_queue_try_work(&queue, &item[i].work);
        CHECK(status == BTWQ_OK || status == BTWQ_EAGAIN);
        if (status == BTWQ_OK)
            __atomic_add_fetch(&taken, 1, __ATOMIC_RELAXED);
    }
    return NULL;
}

static void *submit(void *mine)
{
    struct item *item = (struct item *)mine;
    unsigned i;
    for (i = 0; i < each; i++) {
        btwq_status status;
        prepare(&item[i], i);
        while ((status = btwq_queue_try_work(&queue, &item[i].work)) == BTWQ_EAGAIN)
            sched_yield(); /* A test may spin. */
        REQUIRE_EQ(status, BTWQ_OK);
        CHECK(__atomic_add_fetch(&in_flight, 1, __ATOMIC_SEQ_CST) <= LARGEST);
    }
    __atomic_sub_fetch(&submitting, 1, __ATOMIC_RELAXED);
    return NULL;
}

static void all_submitters(void *(*body)(void *), int set_meanwhile)
{
    pthread_t threads[SUBMITTERS];
    unsigned i;
    submitting = SUBMITTERS;
    for (i = 0; i < SUBMITTERS; i++)
        threads[i] = thread_start(body, items[i]);
    for (i = 0; set_meanwhile && __atomic_load_n(&submitting, __ATOMIC_RELAXED) > 0; i++) {
        set_bound(1 + scramble(i) % LARGEST);
        sched_yield();
    }
    for (i = 0; i < SUBMITTERS; i++)
        thread_join(threads[i]);
}

int main(void)
{
    static btwq_worker worker = BTWQ_WORKER_INIT(&pool);
    check_begin();
    REQUIRE_EQ(btwq_queue_set_control(&queue, &control), BTWQ_OK);
    set_bound(CLOSED_BOUND);
    all_submitters(fill, 0);
    CHECK_EQ(taken, CLOSED_BOUND);
    CHECK_EQ(btwq_run_until_idle(&worker), CLOSED_BOUND);

    in_flight = 0;
    ended = 0;
    each = check_count(EACH, 50);
    set_bound(LARGEST);
    START(&pool, THREADS);
    all_submitters(submit, 1);
    tally_wait(&end, 1);
    DESTROY(&pool);
    CHECK_EQ(in_flight, 0);
    return check_end();
}

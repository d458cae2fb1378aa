/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: a batch keeps the order of its array and is contiguous in the order, whatever others
 * queue meanwhile; it is queued whole or not at all.
 */
#include "common.h"

enum { SUBMITTERS = 3, BATCHES = 400, LONGEST = 9, WORKERS = 2 };

struct item {
    btwq_work work;
    unsigned submitter, batch, place, length;
};

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "batch");
static struct item items[SUBMITTERS][BATCHES][LONGEST];
static struct tally end = TALLY_INIT;
static unsigned batches;

/* Plain memory of the ordered callbacks: what they expect next. */
static unsigned next_batch[SUBMITTERS], open_submitter = SUBMITTERS, next_place;

static void func(btwq_work *work)
{
    spin(CONTAINER_OF(work, struct item, work)->length);
}

static unsigned length_of(unsigned submitter, unsigned batch)
{
    return 1 + scramble(batch * SUBMITTERS + submitter) % LONGEST;
}

/* Between the first and the last work of a batch there must be no work of another submitter. */
static void ordered_func(btwq_work *work)
{
    const struct item *item = CONTAINER_OF(work, struct item, work);
    if (open_submitter == SUBMITTERS) {
        open_submitter = item->submitter;
        next_place = 0;
    }
    CHECK_EQ(item->submitter, open_submitter);
    CHECK_EQ(item->batch, next_batch[item->submitter]);
    CHECK_EQ(item->place, next_place);
    if (++next_place == length_of(item->submitter, item->batch)) {
        next_batch[open_submitter]++;
        open_submitter = SUBMITTERS;
        tally_add(&end);
    }
}

static const btwq_work_ops ops = {func, ordered_func, NULL};

static void submit_batch(unsigned submitter, unsigned batch)
{
    btwq_work *works[LONGEST];
    const unsigned n = length_of(submitter, batch);
    unsigned i;
    for (i = 0; i < n; i++) {
        struct item *item = &items[submitter][batch][i];
        item->submitter = submitter;
        item->batch = batch;
        item->place = i;
        item->length = scramble(batch + i) % 300;
        CHECK_EQ(btwq_work_init(&item->work, &ops), BTWQ_OK);
        works[i] = &item->work;
    }
    REQUIRE_EQ(btwq_queue_work_batch(&queue, works, n), BTWQ_OK);
}

static void *submitter_body(void *argument)
{
    const unsigned submitter = *(const unsigned *)argument;
    unsigned batch;
    for (batch = 0; batch < batches; batch++)
        submit_batch(submitter, batch);
    return NULL;
}

static void contiguous(void)
{
    static const unsigned numbers[SUBMITTERS] = {0, 1, 2};
    pthread_t threads[SUBMITTERS];
    unsigned i;
    for (i = 0; i < SUBMITTERS; i++)
        threads[i] = thread_start(submitter_body, (void *)(uintptr_t)&numbers[i]);
    for (i = 0; i < SUBMITTERS; i++)
        thread_join(threads[i]);
    tally_wait(&end, SUBMITTERS * batches);
}

static unsigned ran;

static void count(btwq_work *work)
{
    (void)work;
    ran++;
}

static const btwq_work_ops counted = {NULL, count, NULL};

/* Without workers: what was refused would stand in the queue if it were there. */
static void whole_or_not_at_all(void)
{
    btwq_worker worker = BTWQ_WORKER_INIT(&pool);
    btwq_work works[3], chance;
    btwq_work *array[4] = {&works[0], &works[1], &works[2], &chance};
    btwq_work *with_null[2] = {&works[0], NULL};
    btwq_work *twice[2] = {&works[0], &works[0]};
    unsigned i;
    for (i = 0; i < 3; i++)
        CHECK_EQ(btwq_work_init(&works[i], &counted), BTWQ_OK);
    memset(&chance, 0, sizeof(chance));

    CHECK_EQ(btwq_queue_work_batch(NULL, array, 3), BTWQ_EINVAL);
    CHECK_EQ(btwq_queue_work_batch(&queue, NULL, 3), BTWQ_EINVAL);
    CHECK_EQ(btwq_queue_work_batch(&queue, NULL, 0), BTWQ_OK);
    CHECK_EQ(btwq_queue_work_batch(&queue, with_null, 2), BTWQ_EINVAL);
    CHECK_EQ(btwq_queue_work_batch(&queue, twice, 2), BTWQ_EBUSY);
    CHECK_EQ(btwq_queue_work_batch(&queue, array, 4), BTWQ_EINVAL);
    SUBMIT(&queue, &works[2]);
    CHECK_EQ(btwq_queue_work_batch(&queue, array, 3), BTWQ_EBUSY);
    CHECK_EQ(btwq_run_until_idle(&worker), 1);
    CHECK_EQ(ran, 1);
    CHECK_EQ(btwq_queue_work_batch(&queue, array, 3), BTWQ_OK);
    CHECK_EQ(btwq_run_until_idle(&worker), 3);
    CHECK_EQ(ran, 4);
    DESTROY(&pool); /* Before the worker's memory goes. */
}

int main(void)
{
    check_begin();
    batches = check_count(BATCHES, 20);
    START(&pool, WORKERS);
    contiguous();
    STOP(&pool);
    whole_or_not_at_all();
    return check_end();
}

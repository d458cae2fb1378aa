/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: funcs run concurrently on as many workers as there are. As many works as workers, whose
 * funcs all wait for each other, end; whether they were queued before the start, after it, or by
 * one callback. So whoever takes several works wakes the others for those that he leaves.
 */
#include "common.h"

enum { ROUNDS = 300, WORKERS = 3 };

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "parallel");
static btwq_work works[WORKERS];
static struct tally met = TALLY_INIT, end = TALLY_INIT;

static void meet(btwq_work *work)
{
    (void)work;
    tally_add(&met);
    tally_wait(&met, WORKERS);
}

static void ordered_func(btwq_work *work)
{
    (void)work;
    tally_add(&end);
}

static const btwq_work_ops ops = {meet, ordered_func, NULL};

static void submit(void)
{
    unsigned i;
    tally_reset(&met);
    tally_reset(&end);
    for (i = 0; i < WORKERS; i++) {
        CHECK_EQ(btwq_work_init(&works[i], &ops), BTWQ_OK);
        SUBMIT(&queue, &works[i]);
    }
}

static void submit_from_callback(btwq_work *work)
{
    (void)work;
    submit();
}

static const btwq_work_ops submitting = {submit_from_callback, NULL, NULL};

static void queued_before_start(void)
{
    submit();
    START(&pool, WORKERS);
    tally_wait(&end, WORKERS);
}

static void queued_after_start(void)
{
    submit();
    tally_wait(&end, WORKERS);
}

static void queued_by_callback(void)
{
    btwq_work work = BTWQ_WORK_INIT(&submitting);
    tally_reset(&end);
    SUBMIT(&queue, &work);
    tally_wait(&end, WORKERS);
}

int main(void)
{
    unsigned i;
    check_begin();
    for (i = check_count(ROUNDS, 10); i > 0; i--) {
        queued_before_start();
        queued_after_start();
        queued_by_callback();
        STOP(&pool);
    }
    DESTROY(&pool);
    return check_end();
}

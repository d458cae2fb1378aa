/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Why each queue wants a helper of its own: Linux's 9e0af2376434 ("Btrfs: fix task hang under heavy
 * compressed write").
 *
 * A last callback frees its work's memory, which becomes a work on another queue, and waits for
 * that. An executor that tells works by their address and function, as Linux's does, has the first
 * one's call still in progress. With one helper for both queues it takes the second for the same,
 * and lets it wait for the call that waits for it: for ever. With helpers of their own it does not.
 *
 * Nothing here is a matter of time: it hangs if all that the executor has left to call is taken for
 * calls in progress, and each call in progress sleeps.
 */
#include "executor.h"
#include "waiters.h"

enum { THREADS = 3, ROUNDS = 50 };

static btwq_pool pool = BTWQ_POOL_INIT(&waiters_port);
static struct executor executor = EXECUTOR_INIT;
static btwq_queue compress, endio;
static btwq_work memory;
static unsigned written, ended;

BTWQ_DEFINE_HELPER(help_compress);
BTWQ_DEFINE_HELPER(help_endio);
static const btwq_executor compress_table = {executor_dispatch, help_compress, &executor};

static void nothing(btwq_work *work)
{
    (void)work;
}

static void write_block(btwq_work *work)
{
    (void)work;
    written++;
}

static const btwq_work_ops endio_ops = {nothing, write_block, NULL};

/* From here on the memory is no longer that of the work that is being freed. */
static void free_compressed(btwq_work *work)
{
    memset(work, 0xa5, sizeof(*work));
    CHECK_EQ(btwq_work_init(&memory, &endio_ops), BTWQ_OK);
    SUBMIT(&endio, &memory);
    waiters_me = 1;
    CHECK_EQ(btwq_queue_flush(&endio), BTWQ_OK);
    waiters_me = 0;
    CHECK_EQ(written, 1);
    __atomic_store_n(&ended, 1, __ATOMIC_SEQ_CST);
}

static const btwq_work_ops compress_ops = {nothing, nothing, free_compressed};

/* The one call that is in progress sleeps, and what it waits for is taken for it. */
static int is_stuck(void)
{
    return __atomic_load_n(&waiters_asleep, __ATOMIC_SEQ_CST) == 1 &&
           executor_is_held_up(&executor);
}

/* Whether it hangs; if so the executor is told better, so that it comes to its end. */
static int hangs(const btwq_executor *endio_table)
{
    pthread_t threads[THREADS];
    int stuck = 0;
    written = ended = 0;
    executor.looks_at_addresses = 1;
    CHECK_EQ(btwq_queue_init(&compress, &pool, "compress"), BTWQ_OK);
    CHECK_EQ(btwq_queue_init(&endio, &pool, "endio"), BTWQ_OK);
    CHECK_EQ(btwq_queue_set_executor(&compress, &compress_table), BTWQ_OK);
    CHECK_EQ(btwq_queue_set_executor(&endio, endio_table), BTWQ_OK);
    CHECK_EQ(btwq_work_init(&memory, &compress_ops), BTWQ_OK);
    executor_start(&executor, threads, THREADS);
    SUBMIT(&compress, &memory);
    while (!stuck && !__atomic_load_n(&ended, __ATOMIC_SEQ_CST)) {
        sched_yield();
        stuck = is_stuck();
    }
    executor_stop_looking(&executor);
    CHECK_EQ(btwq_queue_destroy(&compress), BTWQ_OK);
    CHECK_EQ(btwq_queue_destroy(&endio), BTWQ_OK);
    CHECK_EQ(written, 1);
    executor_stop(&executor, threads, THREADS);
    return stuck;
}

int main(void)
{
    static const btwq_executor own_table = {executor_dispatch, help_endio, &executor};
    unsigned i;
    check_begin();
    waiters_set_up();
    for (i = check_count(ROUNDS, 3); i > 0; i--) {
        CHECK_EQ(hangs(&compress_table), 1);
        CHECK_EQ(hangs(&own_table), 0);
    }
    DESTROY(&pool);
    return check_end();
}

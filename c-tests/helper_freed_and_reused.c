/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Regression of Linux's c495dcd6fbe1 ("btrfs: don't prematurely free work in run_ordered_work").
 *
 * There the call that ran a work freed it, and then went on to retire others, which were done. One
 * of those waited for another file system's queue. That one meanwhile had got the freed memory for
 * a work of its own, and had the same helper; so the executor took its work for the call in
 * progress, and let it wait for that. Here the call that frees a work ends with that: the others
 * are retired by calls of their own. So this does not hang, even with one helper for both queues
 * and an executor that looks at addresses.
 */
#include "executor.h"

#include <sys/mman.h>

enum { THREADS = 3, ROUNDS = 300 };

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static struct executor executor = EXECUTOR_INIT;
static btwq_queue first_queue, other_queue;
static size_t page;

BTWQ_DEFINE_HELPER(help);

/* Two works of a queue: the second is done before the first is. */
static btwq_work *first, *second;
static struct tally second_done = TALLY_INIT;
static unsigned freed, reused;

static void wait_for_the_second(btwq_work *work)
{
    (void)work;
    tally_wait(&second_done, 1);
}

static void second_is_done(btwq_work *work)
{
    (void)work;
    tally_add(&second_done);
}

static void free_first(btwq_work *work)
{
    CHECK(executor_current->work == work);
    memset(work, 0xa5, sizeof(*work));
    freed = executor_current->freed = 1;
}

static void end_of_reuse(btwq_work *work)
{
    (void)work;
    reused++;
}

static const btwq_work_ops reuse_ops = {NULL, NULL, end_of_reuse};

static void reuse_first_and_wait(btwq_work *work)
{
    CHECK_EQ(freed, 1);
    CHECK(executor_current->work == work); /* a call of its own, */
    CHECK_EQ(executor_current->freed, 0);  /* and not the one that has freed the first */
    CHECK_EQ(btwq_work_init(first, &reuse_ops), BTWQ_OK);
    SUBMIT(&other_queue, first);
    CHECK_EQ(btwq_queue_flush(&other_queue), BTWQ_OK);
    CHECK_EQ(reused, 1);
}

static const btwq_work_ops first_ops = {wait_for_the_second, NULL, free_first};
static const btwq_work_ops waiting_ops = {second_is_done, reuse_first_and_wait, NULL};

/* The same, but the thread that dispatches the second work after it has freed the first is stopped
 * there, as a thread may be anywhere, until both are gone and nobody may touch their memory. */
static struct tally gone = TALLY_INIT;

static void stopped_dispatch(void *arg, btwq_func_t helper, btwq_work *work)
{
    executor_dispatch(arg, helper, work);
    if (executor_current != NULL && executor_current->freed)
        tally_wait(&gone, 1);
}

static void unmap_both(btwq_work *work)
{
    REQUIRE_EQ(mprotect(first, page, PROT_NONE), 0);
    REQUIRE_EQ(mprotect(work, page, PROT_NONE), 0);
    tally_add(&gone);
}

static const btwq_work_ops unmapping_ops = {second_is_done, NULL, unmap_both};

static btwq_work *map(void)
{
    void *memory = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(memory != MAP_FAILED);
    return (btwq_work *)memory;
}

static void run(const btwq_executor *table, const btwq_work_ops *second_ops)
{
    pthread_t threads[THREADS];
    freed = reused = 0;
    tally_reset(&second_done);
    tally_reset(&gone);
    first = map();
    second = map();
    CHECK_EQ(btwq_queue_init(&first_queue, &pool, "first"), BTWQ_OK);
    CHECK_EQ(btwq_queue_init(&other_queue, &pool, "other"), BTWQ_OK);
    CHECK_EQ(btwq_queue_set_executor(&first_queue, table), BTWQ_OK);
    CHECK_EQ(btwq_queue_set_executor(&other_queue, table), BTWQ_OK);
    CHECK_EQ(btwq_work_init(first, &first_ops), BTWQ_OK);
    CHECK_EQ(btwq_work_init(second, second_ops), BTWQ_OK);
    executor_start(&executor, threads, THREADS);
    SUBMIT(&first_queue, first);
    SUBMIT(&first_queue, second);
    CHECK_EQ(btwq_queue_destroy(&first_queue), BTWQ_OK);
    CHECK_EQ(btwq_queue_destroy(&other_queue), BTWQ_OK);
    CHECK_EQ(freed, 1);
    executor_stop(&executor, threads, THREADS);
    REQUIRE_EQ(munmap(first, page), 0);
    REQUIRE_EQ(munmap(second, page), 0);
}

int main(void)
{
    static const btwq_executor table = {executor_dispatch, help, &executor};
    static const btwq_executor stopped = {stopped_dispatch, help, &executor};
    unsigned i;
    check_begin();
    page = (size_t)sysconf(_SC_PAGESIZE);
    executor.looks_at_addresses = 1;
    for (i = check_count(ROUNDS, 5); i > 0; i--) {
        run(&table, &waiting_ops);
        run(&stopped, &unmapping_ops);
    }
    DESTROY(&pool);
    return check_end();
}

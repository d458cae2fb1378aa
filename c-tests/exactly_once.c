/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: each callback of each work is called once and only once, with several submitters and
 * workers, and with a pool that is stopped and started meanwhile.
 */
#include "common.h"

enum { SUBMITTERS = 2, WORKERS = 3, EACH = 30000, RESTARTS = 20 };

struct item {
    btwq_work work;
    unsigned funcs, calls, frees; /* counted atomically: a second call may come from anywhere */
};

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "once");
static struct item items[SUBMITTERS][EACH];
static struct tally end = TALLY_INIT;
static unsigned each, freed;

static struct item *item_of(btwq_work *work)
{
    return CONTAINER_OF(work, struct item, work);
}

static void count(unsigned *counter)
{
    __atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

static void func(btwq_work *work)
{
    count(&item_of(work)->funcs);
}

static void ordered_func(btwq_work *work)
{
    count(&item_of(work)->calls);
}

static void ordered_free(btwq_work *work)
{
    count(&item_of(work)->frees);
    if (++freed == SUBMITTERS * each)
        tally_add(&end);
}

static const btwq_work_ops ops = {func, ordered_func, ordered_free};

static void *submitter(void *first)
{
    struct item *mine = (struct item *)first;
    unsigned i;
    for (i = 0; i < each; i++) {
        CHECK_EQ(btwq_work_init(&mine[i].work, &ops), BTWQ_OK);
        SUBMIT(&queue, &mine[i].work);
    }
    return NULL;
}

static void run_all(void)
{
    pthread_t threads[SUBMITTERS];
    unsigned i;
    START(&pool, WORKERS);
    for (i = 0; i < SUBMITTERS; i++)
        threads[i] = thread_start(submitter, items[i]);
    for (i = 0; i < RESTARTS; i++) {
        STOP(&pool);
        START(&pool, WORKERS);
    }
    for (i = 0; i < SUBMITTERS; i++)
        thread_join(threads[i]);
    tally_wait(&end, 1);
    STOP(&pool);
}

static void check_counts(void)
{
    unsigned s, i;
    for (s = 0; s < SUBMITTERS; s++) {
        for (i = 0; i < each; i++) {
            CHECK_EQ(items[s][i].funcs, 1);
            CHECK_EQ(items[s][i].calls, 1);
            CHECK_EQ(items[s][i].frees, 1);
        }
    }
}

int main(void)
{
    static btwq_worker worker = BTWQ_WORKER_INIT(&pool);
    check_begin();
    each = check_count(EACH, 50);
    run_all();
    CHECK_EQ(btwq_run_until_idle(&worker), 0); /* Nothing is left to come a second time. */
    check_counts();
    DESTROY(&pool);
    return check_end();
}

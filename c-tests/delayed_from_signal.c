/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: btwq_queue_work_delayed and btwq_pool_tick may be called in signal handlers, as from a
 * timer interrupt, wherever they interrupt: a worker, a submitter, another call of the two. A tick
 * that meets another says BTWQ_EBUSY. Each work runs once, none before its time.
 */
#include "handclock.h"

enum { WORKERS = 2, THREADS = WORKERS + 2, INTERRUPTS = 3000, CALLS = 6000, LONGEST = 20 };

struct item {
    btwq_work work;
    uint32_t time; /* or later */
    btwq_status result;
    unsigned funcs;
};

static btwq_pool pool = BTWQ_POOL_INIT(&handclock_port);
static btwq_timers timers = BTWQ_TIMERS_INIT;
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "signals");
static btwq_worker workers[WORKERS] = {BTWQ_WORKER_INIT(&pool), BTWQ_WORKER_INIT(&pool)};
static struct item items[INTERRUPTS + CALLS]; /* those of the handler first */
static struct tally end = TALLY_INIT;
static unsigned interrupts, works, taken, ended, is_over, wrong_ticks;

static void func(btwq_work *work)
{
    struct item *item = CONTAINER_OF(work, struct item, work);
    CHECK((int32_t)(handclock_now() - item->time) >= 0);
    item->funcs++;
}

static void ordered_free(btwq_work *work)
{
    (void)work;
    if (++ended == works)
        tally_add(&end);
}

static const btwq_work_ops ops = {func, NULL, ordered_free};

static void submit(struct item *item, unsigned random)
{
    const uint32_t ticks = scramble(random) % LONGEST;
    item->time = handclock_now() + ticks;
    item->result = btwq_work_init(&item->work, &ops);
    if (item->result == BTWQ_OK)
        item->result = btwq_queue_work_delayed(&queue, &item->work, ticks);
}

static void tick(void)
{
    int32_t again_in;
    handclock_advance(1);
    again_in = btwq_pool_tick(&pool);
    if (again_in <= 0 && again_in != BTWQ_EBUSY)
        __atomic_add_fetch(&wrong_ticks, 1, __ATOMIC_RELAXED);
}

/* Does what an interrupt may: nothing here takes a lock. */
static void on_signal(int number)
{
    const unsigned index = __atomic_fetch_add(&taken, 1, __ATOMIC_RELAXED);
    (void)number;
    if (index < interrupts)
        submit(&items[index], index);
    tick();
}

static void *work(void *worker)
{
    CHECK_EQ(btwq_worker_run((btwq_worker *)worker), BTWQ_OK);
    return NULL;
}

static void *submitter(void *nothing)
{
    unsigned i;
    for (i = interrupts; i < works; i++)
        submit(&items[i], i);
    while (!__atomic_load_n(&is_over, __ATOMIC_RELAXED))
        sched_yield();
    return nothing;
}

static void *ticker(void *nothing)
{
    while (!__atomic_load_n(&is_over, __ATOMIC_RELAXED)) {
        tick();
        sched_yield();
    }
    return nothing;
}

static void run(void)
{
    pthread_t threads[THREADS];
    unsigned i;
    for (i = 0; i < WORKERS; i++)
        threads[i] = thread_start(work, &workers[i]);
    threads[WORKERS] = thread_start(submitter, NULL);
    threads[WORKERS + 1] = thread_start(ticker, NULL);
    for (i = 0; __atomic_load_n(&taken, __ATOMIC_RELAXED) < interrupts; i++) {
        pthread_kill(threads[i % THREADS], SIGUSR1);
        sched_yield();
    }
    tally_wait(&end, 1);
    __atomic_store_n(&is_over, 1, __ATOMIC_RELAXED);
    STOP(&pool);
    for (i = 0; i < THREADS; i++)
        thread_join(threads[i]);
}

int main(void)
{
    struct sigaction action;
    unsigned i;
    check_begin();
    handclock_set_up(0xfffffff0U);
    interrupts = check_count(INTERRUPTS, 50);
    works = interrupts + check_count(CALLS, 100);
    REQUIRE_EQ(btwq_pool_set_timers(&pool, &timers), BTWQ_OK);
    memset(&action, 0, sizeof(action));
    action.sa_handler = on_signal;
    REQUIRE_EQ(sigaction(SIGUSR1, &action, NULL), 0); /* without SA_RESTART: waits are cut short */
    run();
    for (i = 0; i < works; i++) {
        CHECK_EQ(items[i].result, BTWQ_OK);
        CHECK_EQ(items[i].funcs, 1);
    }
    CHECK_EQ(wrong_ticks, 0);
    CHECK_EQ(btwq_pool_tick(&pool), INT32_MAX);
    DESTROY(&pool);
    return check_end();
}

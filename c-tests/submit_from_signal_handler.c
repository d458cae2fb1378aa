/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: works may be initialised and queued in signal handlers, wherever they interrupt: a
 * worker at any point of the library's own code or of a callback, or a submitter in
 * btwq_queue_work. Nothing is lost, and the order is one in which the submissions can have taken
 * effect.
 */
#include "common.h"
#include "stamps.h"

enum { WORKERS = 2, INTERRUPTS = 3000, CALLS = 6000, WORKS = INTERRUPTS + CALLS };

struct item {
    btwq_work work;
    unsigned index;
};

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "signals");
static btwq_worker workers[WORKERS] = {BTWQ_WORKER_INIT(&pool), BTWQ_WORKER_INIT(&pool)};
static struct item items[WORKS]; /* those of the handler first */
static struct stamps stamps[WORKS];
static btwq_status results[WORKS];
static struct tally end = TALLY_INIT;
static unsigned interrupts, works, taken;

/* For the ordered callbacks alone. */
static unsigned calls[WORKS], called;

static struct item *item_of(btwq_work *work)
{
    return CONTAINER_OF(work, struct item, work);
}

static void func(btwq_work *work)
{
    if (item_of(work)->index % 8 == 0)
        raise(SIGUSR1);
}

static void ordered_func(btwq_work *work)
{
    calls[called] = item_of(work)->index;
    if (calls[called] % 8 == 1)
        raise(SIGUSR1);
    called++;
}

static void ordered_free(btwq_work *work)
{
    (void)work;
    if (called == works)
        tally_add(&end);
}

static const btwq_work_ops ops = {func, ordered_func, ordered_free};

static void submit(unsigned index)
{
    stamps[index].begin = stamps_now();
    results[index] = btwq_queue_work(&queue, &items[index].work);
    stamps[index].end = stamps_now();
}

/* Does what an interrupt may: nothing here takes a lock. */
static void on_signal(int number)
{
    const unsigned index = __atomic_fetch_add(&taken, 1, __ATOMIC_RELAXED);
    (void)number;
    if (index >= interrupts)
        return;
    items[index].index = index;
    results[index] = btwq_work_init(&items[index].work, &ops);
    if (results[index] == BTWQ_OK)
        submit(index);
}

static void *work(void *worker)
{
    CHECK_EQ(btwq_worker_run((btwq_worker *)worker), BTWQ_OK);
    return NULL;
}

static void *submitter(void *nothing)
{
    unsigned i;
    for (i = INTERRUPTS; i < INTERRUPTS + works - interrupts; i++) {
        items[i].index = i;
        CHECK_EQ(btwq_work_init(&items[i].work, &ops), BTWQ_OK);
        submit(i);
    }
    return nothing;
}

/* Interrupts the others, wherever they are, until the handler has no works left. */
static void interrupt(const pthread_t *threads, unsigned n)
{
    unsigned i;
    for (i = 0; __atomic_load_n(&taken, __ATOMIC_RELAXED) < interrupts; i++) {
        pthread_kill(threads[i % n], SIGUSR1);
        sched_yield();
    }
}

static void run(void)
{
    pthread_t threads[WORKERS + 1];
    unsigned i;
    for (i = 0; i < WORKERS; i++)
        threads[i] = thread_start(work, &workers[i]);
    threads[WORKERS] = thread_start(submitter, NULL);
    interrupt(threads, WORKERS + 1);
    thread_join(threads[WORKERS]);
    tally_wait(&end, 1);
    STOP(&pool);
    for (i = 0; i < WORKERS; i++)
        thread_join(threads[i]);
}

int main(void)
{
    struct sigaction action;
    unsigned i, latest_begin = 0;
    check_begin();
    interrupts = check_count(INTERRUPTS, 50);
    works = interrupts + check_count(CALLS, 100);
    memset(&action, 0, sizeof(action));
    action.sa_handler = on_signal;
    REQUIRE_EQ(sigaction(SIGUSR1, &action, NULL), 0); /* without SA_RESTART: waits are cut short */
    run();
    CHECK_EQ(called, works);
    for (i = 0; i < works; i++) {
        CHECK_EQ(results[calls[i]], BTWQ_OK);
        stamps_check(&stamps[calls[i]], &latest_begin);
    }
    DESTROY(&pool);
    return check_end();
}

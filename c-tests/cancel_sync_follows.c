/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: a work may move on to another queue by its last callback; btwq_work_cancel_sync follows
 * it there: cancels it if that is not too late, and otherwise waits for it, asleep.
 *
 * That the caller sleeps is seen in the port's wait: func in the second life is not over before the
 * caller has gone there once more. One that span instead would wait for ever.
 */
#include "handclock.h"

enum { WORKERS = 2, ROUNDS = 50, LATE = 1000000 };

static btwq_pool pool = BTWQ_POOL_INIT(&handclock_port);
static btwq_timers timers = BTWQ_TIMERS_INIT;
static btwq_queue first = BTWQ_QUEUE_INIT(&pool, "first");
static btwq_queue second = BTWQ_QUEUE_INIT(&pool, "second");
static btwq_worker workers[WORKERS] = {BTWQ_WORKER_INIT(&pool), BTWQ_WORKER_INIT(&pool)};
static btwq_work work;
static struct tally begun = TALLY_INIT; /* callbacks func */
static unsigned lives;
static int delayed, is_over;

/* How often the caller, marked as such, has gone to sleep; and had, when the first life ended. */
static __thread int is_caller;
static unsigned waits, waits_before;

static void wait_hook(const uint32_t *word, uint32_t value)
{
    if (is_caller)
        __atomic_add_fetch(&waits, 1, __ATOMIC_SEQ_CST);
    btwq_port_host.wait(word, value);
}

static void yield_while_waits_are(unsigned number)
{
    while (__atomic_load_n(&waits, __ATOMIC_SEQ_CST) == number)
        sched_yield();
}

static void func(btwq_work *its_work)
{
    CHECK(its_work == &work);
    tally_add(&begun);
    yield_while_waits_are(lives == 0 ? 0 : waits_before);
}

/* The first life ends when the second is past being cancelled, unless that is delayed. */
static void move_on(btwq_work *its_work)
{
    if (lives++ > 0)
        return;
    waits_before = __atomic_load_n(&waits, __ATOMIC_SEQ_CST);
    if (delayed) {
        CHECK_EQ(btwq_queue_work_delayed(&second, its_work, LATE), BTWQ_OK);
    } else {
        SUBMIT(&second, its_work);
        tally_wait(&begun, 2);
    }
}

static const btwq_work_ops ops = {func, NULL, move_on};

static void *caller(void *nothing)
{
    is_caller = 1;
    CHECK_EQ(btwq_work_cancel_sync(&work), delayed ? BTWQ_OK : 1);
    CHECK_EQ(lives, 2);
    CHECK_EQ(btwq_work_status(&work), delayed ? BTWQ_ECANCELED : 0);
    __atomic_store_n(&is_over, 1, __ATOMIC_SEQ_CST);
    return nothing;
}

static void follow(int with_delay)
{
    pthread_t thread;
    tally_reset(&begun);
    lives = waits = 0;
    is_over = 0;
    delayed = with_delay;
    CHECK_EQ(btwq_work_init(&work, &ops), BTWQ_OK);
    SUBMIT(&first, &work);
    tally_wait(&begun, 1); /* Too late to cancel the first. */
    thread = thread_start(caller, NULL);
    while (!__atomic_load_n(&is_over, __ATOMIC_SEQ_CST)) {
        CHECK(btwq_pool_tick(&pool) > 0);
        sched_yield();
    }
    thread_join(thread);
}

static void *worker_body(void *worker)
{
    CHECK_EQ(btwq_worker_run((btwq_worker *)worker), BTWQ_OK);
    return NULL;
}

int main(void)
{
    pthread_t threads[WORKERS];
    unsigned i;
    check_begin();
    handclock_set_up(0);
    handclock_port.wait = wait_hook;
    REQUIRE_EQ(btwq_pool_set_timers(&pool, &timers), BTWQ_OK);
    for (i = 0; i < WORKERS; i++)
        threads[i] = thread_start(worker_body, &workers[i]);
    for (i = check_count(ROUNDS, 4); i > 0; i--)
        follow((int)i % 2);
    STOP(&pool);
    for (i = 0; i < WORKERS; i++)
        thread_join(threads[i]);
    DESTROY(&pool);
    return check_end();
}

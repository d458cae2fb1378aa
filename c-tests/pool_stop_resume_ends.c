/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: the waiting calls need workers, as works do, and wait for workers to come back. A pool
 * that is stopped with works left, or while somebody waits, keeps the waiters asleep; when it is
 * started again the rest is run, and they return.
 */
#include "waiters.h"

enum { WORKS = 10, CALLS = 5, WORKERS = 2, ROUNDS = 100 };

static btwq_pool pool = BTWQ_POOL_INIT(&waiters_port);
static btwq_queue queue;
static btwq_worker worker = BTWQ_WORKER_INIT(&pool);
static struct waiter waiter;
static btwq_work held, works[WORKS];
static struct tally begun = TALLY_INIT, gate = TALLY_INIT;
static unsigned ended;

static void hold(btwq_work *work)
{
    (void)work;
    tally_add(&begun);
    tally_wait(&gate, 1);
}

static void last(btwq_work *work)
{
    (void)work;
    CHECK_EQ(waiters_gone(), 0);
    ended++;
}

static const btwq_work_ops held_ops = {hold, last, NULL}, ops = {NULL, last, NULL};

static void *body(void *argument)
{
    CHECK_EQ(btwq_worker_run((btwq_worker *)argument), BTWQ_OK);
    return NULL;
}

static void submit_all(void)
{
    unsigned i;
    ended = 0;
    CHECK_EQ(btwq_work_init(&held, &held_ops), BTWQ_OK);
    SUBMIT(&queue, &held);
    for (i = 0; i < WORKS; i++) {
        CHECK_EQ(btwq_work_init(&works[i], &ops), BTWQ_OK);
        SUBMIT(&queue, &works[i]);
    }
}

/* The one worker is in a func when somebody begins to wait, and then the pool is stopped. */
static void stopped_while_somebody_waits(enum waiting_call call)
{
    btwq_work *const awaited = &works[WORKS - 1];
    pthread_t thread = thread_start(body, &worker);
    tally_reset(&begun);
    tally_reset(&gate);
    CHECK_EQ(btwq_queue_init(&queue, &pool, "stopped"), BTWQ_OK);
    submit_all();
    tally_wait(&begun, 1);
    waiters_start(&waiter, 1, call, &queue, awaited);
    waiters_settle(1);
    STOP(&pool);
    tally_add(&gate);
    thread_join(thread);
    CHECK_EQ(ended, 1);
    waiters_tempt(1);
    CHECK_EQ(waiters_gone(), 0);
    START(&pool, 0); /* Ends the stop. */
    thread = thread_start(body, &worker);
    waiters_join(&waiter, 1, BTWQ_OK);
    CHECK_EQ(ended, 1 + WORKS);
    STOP(&pool);
    thread_join(thread);
    START(&pool, 0);
}

/* The same with the pool's own threads, and wherever the stop comes. */
static btwq_pool host_pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);

static void stopped_at_any_time(unsigned round)
{
    tally_reset(&gate);
    tally_add(&gate); /* It is open. */
    CHECK_EQ(btwq_queue_init(&queue, &host_pool, "stopped"), BTWQ_OK);
    if (round % 2)
        START(&host_pool, WORKERS);
    submit_all();
    waiters_start(&waiter, 1, (enum waiting_call)(round % CALLS), &queue, &works[WORKS - 1]);
    spin(scramble(round) % 4000);
    STOP(&host_pool);
    spin(scramble(round + 1) % 4000);
    START(&host_pool, WORKERS);
    thread_join(waiter.thread);
    waiters_returned = 0;
    CHECK(waiter.result == BTWQ_OK || (waiter.call == CANCEL_SYNC && waiter.result == 1));
    if (waiter.call != QUEUE_DESTROY)
        CHECK_EQ(btwq_queue_destroy(&queue), BTWQ_OK);
    CHECK_EQ(ended, 1 + WORKS);
    STOP(&host_pool);
}

int main(void)
{
    unsigned i;
    check_begin();
    waiters_set_up();
    for (i = 0; i < CALLS; i++)
        stopped_while_somebody_waits((enum waiting_call)i);
    for (i = check_count(ROUNDS, 10); i > 0; i--)
        stopped_at_any_time(i);
    DESTROY(&pool);
    DESTROY(&host_pool);
    return check_end();
}

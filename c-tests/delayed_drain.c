/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: btwq_queue_drain and btwq_queue_destroy wait for works whose delay is not over, and for
 * what those queue from their callbacks, delayed again; meanwhile delayed submissions from outside
 * are refused with BTWQ_ESHUTDOWN. btwq_queue_flush does not wait for delayed works.
 */
#include "handclock.h"

enum { WORKS = 3, DELAY = 1000, PERIODS = 4 };

static btwq_pool pool = BTWQ_POOL_INIT(&handclock_port);
static btwq_timers timers = BTWQ_TIMERS_INIT;
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "drain");
static btwq_worker worker = BTWQ_WORKER_INIT(&pool);
static btwq_work works[WORKS], periodic, probe;
static unsigned called, periods;

static void call(btwq_work *work)
{
    (void)work;
    called++;
}

/* Submissions from the queue's own callbacks count. */
static void again(btwq_work *work)
{
    call(work);
    if (++periods < PERIODS)
        CHECK_EQ(btwq_queue_work_delayed(&queue, work, DELAY), BTWQ_OK);
}

static void nothing(btwq_work *work)
{
    (void)work;
}

static const btwq_work_ops ops = {NULL, call, NULL}, probe_ops = {nothing, NULL, NULL};
static const btwq_work_ops periodic_ops[] = {{nothing, NULL, again}, {again, NULL, NULL}};

static void delay_all(const btwq_work_ops *its_periodic_ops)
{
    unsigned i;
    called = periods = 0;
    for (i = 0; i < WORKS; i++) {
        CHECK_EQ(btwq_work_init(&works[i], &ops), BTWQ_OK);
        CHECK_EQ(btwq_queue_work_delayed(&queue, &works[i], DELAY * (i + 1)), BTWQ_OK);
    }
    CHECK_EQ(btwq_work_init(&periodic, its_periodic_ops), BTWQ_OK);
    CHECK_EQ(btwq_queue_work_delayed(&queue, &periodic, DELAY), BTWQ_OK);
}

static void check_all_called(void)
{
    CHECK_EQ(called, WORKS + PERIODS);
}

/* btwq_queue_drain or btwq_queue_destroy */
static btwq_status (*wait_for_all)(btwq_queue *queue);

static void *waiter(void *its_queue)
{
    CHECK_EQ(wait_for_all((btwq_queue *)its_queue), BTWQ_OK);
    check_all_called();
    return NULL;
}

static void go_through_all_delays(void)
{
    while (called < WORKS + PERIODS) {
        CHECK(btwq_pool_tick(&pool) > 0);
        CHECK(btwq_run_until_idle(&worker) >= 0);
        handclock_advance(DELAY / 4);
    }
}

/* As long as it has not begun, what comes from outside is taken. */
static void wait_until_shut(void)
{
    btwq_status status;
    CHECK_EQ(btwq_work_init(&probe, &probe_ops), BTWQ_OK);
    while ((status = btwq_queue_work(&queue, &probe)) == BTWQ_OK) {
        CHECK(btwq_run_until_idle(&worker) >= 1);
        sched_yield();
    }
    CHECK_EQ(status, BTWQ_ESHUTDOWN);
    CHECK_EQ(btwq_queue_work_delayed(&queue, &probe, 1), BTWQ_ESHUTDOWN);
    CHECK_EQ(btwq_queue_work_delayed(&queue, &probe, 0), BTWQ_ESHUTDOWN);
}

/* The end of the last delay is what the other thread waits for. */
static void wait_by(btwq_status (*call_to_test)(btwq_queue *), const btwq_work_ops *its_ops)
{
    pthread_t thread;
    delay_all(its_ops);
    wait_for_all = call_to_test;
    thread = thread_start(waiter, &queue);
    wait_until_shut();
    go_through_all_delays();
    thread_join(thread);
}

/* Nothing could end the delays meanwhile. */
static void flush_does_not_wait(void)
{
    delay_all(&periodic_ops[0]);
    CHECK_EQ(btwq_queue_flush(&queue), BTWQ_OK);
    CHECK_EQ(called, 0);
    go_through_all_delays();
}

static void takes_works_again(void)
{
    CHECK_EQ(btwq_queue_work_delayed(&queue, &probe, 1), BTWQ_OK);
    handclock_advance(1);
    CHECK_EQ(btwq_pool_tick(&pool), INT32_MAX);
    CHECK_EQ(btwq_run_until_idle(&worker), 1);
}

int main(void)
{
    check_begin();
    handclock_set_up(0xfffffe00U);
    REQUIRE_EQ(btwq_pool_set_timers(&pool, &timers), BTWQ_OK);
    flush_does_not_wait();
    wait_by(btwq_queue_drain, &periodic_ops[0]);
    takes_works_again();
    wait_by(btwq_queue_drain, &periodic_ops[1]);
    takes_works_again();
    wait_by(btwq_queue_destroy, &periodic_ops[0]);
    DESTROY(&pool);
    return check_end();
}

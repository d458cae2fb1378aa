/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Threads that wait for the end of a work or a queue, and a port like the host's that says how many
 * of them are asleep. That is how a test sees, without a look at a clock, that a call waits, and
 * that it does not spin meanwhile.
 *
 * `main` calls `waiters_set_up` before anything else; pools name `&waiters_port`. It is not the
 * host's port, so such a pool is run by workers of the test's own: often by `main`, by hand, so
 * that nothing moves while the waiters are looked at.
 */
#ifndef WAITERS_H
#define WAITERS_H

#include "common.h"

enum waiting_call { WORK_FLUSH, CANCEL_SYNC, QUEUE_FLUSH, QUEUE_DRAIN, QUEUE_DESTROY };

struct waiter {
    enum waiting_call call;
    btwq_queue *queue;
    btwq_work *work;
    btwq_status result;
    pthread_t thread;
};

static btwq_port waiters_port;

static __thread int waiters_me; /* This thread is a waiter, not a worker. */
static unsigned waiters_asleep, waiters_returned;

static inline btwq_status waiting_call(enum waiting_call call, btwq_queue *queue, btwq_work *work)
{
    switch (call) {
    case WORK_FLUSH:
        return btwq_work_flush(work);
    case CANCEL_SYNC:
        return btwq_work_cancel_sync(work);
    case QUEUE_FLUSH:
        return btwq_queue_flush(queue);
    case QUEUE_DRAIN:
        return btwq_queue_drain(queue);
    case QUEUE_DESTROY:
    default:
        return btwq_queue_destroy(queue);
    }
}

static inline void waiters_wait(const uint32_t *word, uint32_t value)
{
    if (waiters_me)
        __atomic_add_fetch(&waiters_asleep, 1, __ATOMIC_SEQ_CST);
    btwq_port_host.wait(word, value);
    if (waiters_me)
        __atomic_sub_fetch(&waiters_asleep, 1, __ATOMIC_SEQ_CST);
}

static inline void waiters_set_up(void)
{
    waiters_port = btwq_port_host;
    waiters_port.wait = waiters_wait;
}

static inline void *waiters_body(void *argument)
{
    struct waiter *waiter = (struct waiter *)argument;
    waiters_me = 1;
    waiter->result = waiting_call(waiter->call, waiter->queue, waiter->work);
    __atomic_add_fetch(&waiters_returned, 1, __ATOMIC_SEQ_CST);
    return NULL;
}

static inline void waiters_start(struct waiter *waiters, unsigned n, enum waiting_call call,
                                 btwq_queue *queue, btwq_work *work)
{
    unsigned i;
    for (i = 0; i < n; i++) {
        waiters[i].call = call;
        waiters[i].queue = queue;
        waiters[i].work = work;
        waiters[i].thread = thread_start(waiters_body, &waiters[i]);
    }
}

/* How many calls have returned since the last `waiters_join`. */
static inline unsigned waiters_gone(void)
{
    return __atomic_load_n(&waiters_returned, __ATOMIC_SEQ_CST);
}

/* Returns when `n` of them sleep: a waiter that spun would never let this return. */
static inline void waiters_settle(unsigned n)
{
    while (__atomic_load_n(&waiters_asleep, __ATOMIC_SEQ_CST) != n)
        sched_yield();
}

/* Gives those that would return too early every opportunity to do so. */
static inline void waiters_tempt(unsigned n)
{
    unsigned i;
    for (i = 0; i < 20; i++)
        sched_yield();
    waiters_settle(n);
}

/* Works by hand until all of them have returned: they may need a worker even when no work is left,
 * and are not always there in time to be found by the last look. */
static inline void waiters_serve(btwq_worker *worker, unsigned n)
{
    while (waiters_gone() < n) {
        if (btwq_run_one(worker) != 1)
            sched_yield();
    }
}

/* All return, and say `result`. */
static inline void waiters_join(struct waiter *waiters, unsigned n, btwq_status result)
{
    unsigned i;
    for (i = 0; i < n; i++) {
        thread_join(waiters[i].thread);
        CHECK_EQ(waiters[i].result, result);
    }
    __atomic_sub_fetch(&waiters_returned, n, __ATOMIC_SEQ_CST);
}

#endif /* WAITERS_H */

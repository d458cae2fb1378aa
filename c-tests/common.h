/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * What most tests use: threads, something to wait for, callbacks of different lengths.
 *
 * Nothing here is called between the callbacks whose order or visibility a test looks at, unless
 * the test says so: a lock would put an order there that the library owes.
 */
#ifndef COMMON_H
#define COMMON_H

#include "check.h"

#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>

#include "btwq.h"

#define CONTAINER_OF(pointer, type, member)                                                        \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#define SUBMIT(queue, work) REQUIRE_EQ(btwq_queue_work((queue), (work)), BTWQ_OK)
#define START(pool, n) REQUIRE_EQ(btwq_pool_start((pool), (n)), BTWQ_OK)
#define STOP(pool) REQUIRE_EQ(btwq_pool_stop(pool), BTWQ_OK)
#define DESTROY(pool) REQUIRE_EQ(btwq_pool_destroy(pool), BTWQ_OK)

/* A number that grows, and that threads can wait for: a gate (wait for 1), a barrier (all add, then
 * wait for their number), an end (wait for the number of works). */
struct tally {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned count;
};

#define TALLY_INIT {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0}

static inline void tally_add(struct tally *tally)
{
    pthread_mutex_lock(&tally->lock);
    tally->count++;
    pthread_cond_broadcast(&tally->changed);
    pthread_mutex_unlock(&tally->lock);
}

static inline void tally_wait(struct tally *tally, unsigned count)
{
    pthread_mutex_lock(&tally->lock);
    while (tally->count < count)
        pthread_cond_wait(&tally->changed, &tally->lock);
    pthread_mutex_unlock(&tally->lock);
}

/* Only when nobody waits. */
static inline void tally_reset(struct tally *tally)
{
    pthread_mutex_lock(&tally->lock);
    tally->count = 0;
    pthread_mutex_unlock(&tally->lock);
}

static inline pthread_t thread_start(void *(*body)(void *), void *argument)
{
    pthread_t thread;
    REQUIRE_EQ(pthread_create(&thread, NULL, body, argument), 0);
    return thread;
}

static inline void thread_join(pthread_t thread)
{
    REQUIRE_EQ(pthread_join(thread, NULL), 0);
}

/* A number that looks random and is the same in every run (after Marsaglia's xorshift). */
static inline unsigned scramble(unsigned n)
{
    n = n * 2654435769U + 1;
    n ^= n << 13;
    n ^= n >> 17;
    n ^= n << 5;
    return n;
}

/* Takes a while, and no system call: makes callbacks that were begun in order end out of order. */
static inline void spin(unsigned rounds)
{
    volatile unsigned left = rounds;
    while (left > 0)
        left = left - 1;
}

/* How often `linger` may still offer the core, which on a busy machine is long in coming back. */
static int linger_offers = 300;

/* The same for works and their ordered callbacks, a little different for each `n`. Now and then the
 * core is offered to the others: where there are few cores, one that is in a callback meets another
 * that is in one only if it is interrupted there. */
static inline void linger(unsigned n)
{
    n = scramble(n);
    spin(n % 128);
    if (n >> 8 & 31 || __atomic_load_n(&linger_offers, __ATOMIC_RELAXED) <= 0)
        return;
    __atomic_fetch_sub(&linger_offers, 1, __ATOMIC_RELAXED);
    sched_yield();
}

#endif /* COMMON_H */

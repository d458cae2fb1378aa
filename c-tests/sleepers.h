/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A port of one's own, no kinder than the header's contract: a futex made of a mutex and a
 * condition variable, on which only a wake for its very word gets a sleeper up. It counts, and
 * says when all workers are asleep: that is how tests see that nobody spins, without a look at a
 * clock.
 *
 * Its pools are run by threads of the test's own.
 */
#ifndef SLEEPERS_H
#define SLEEPERS_H

#include "common.h"

enum { SLEEPERS = 3 };

static pthread_mutex_t sleepers_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t sleepers_changed = PTHREAD_COND_INITIALIZER;

static btwq_worker sleepers[SLEEPERS];
static pthread_t sleepers_threads[SLEEPERS];

/* Where they sleep: on which word, or on none, and whether that was woken. */
static struct {
    const uint32_t *word;
    int woken;
} sleepers_beds[SLEEPERS];

/* Calls of the hooks so far. */
static unsigned sleepers_waits, sleepers_wakes;

/* Every so many waits return early, for no reason, as the contract allows; 0 for none. */
static unsigned sleepers_early;

/* While it is set, workers that were woken do not come out of wait yet. */
static int sleepers_held;

/* The bed of the sleeper on `word`, or a free one for NULL; with the lock. */
static inline unsigned sleepers_bed(const uint32_t *word)
{
    unsigned i = 0;
    while (i < SLEEPERS && sleepers_beds[i].word != word)
        i++;
    return i;
}

static inline void sleepers_sleep(const uint32_t *word)
{
    const unsigned bed = sleepers_bed(NULL);
    REQUIRE(bed < SLEEPERS);
    sleepers_beds[bed].word = word;
    sleepers_beds[bed].woken = 0;
    pthread_cond_broadcast(&sleepers_changed);
    while (!sleepers_beds[bed].woken || sleepers_held)
        pthread_cond_wait(&sleepers_changed, &sleepers_lock);
    sleepers_beds[bed].word = NULL;
}

static inline void sleepers_wait(const uint32_t *word, uint32_t value)
{
    pthread_mutex_lock(&sleepers_lock);
    sleepers_waits++;
    if (__atomic_load_n(word, __ATOMIC_RELAXED) == value &&
        (sleepers_early == 0 || sleepers_waits % sleepers_early != 0))
        sleepers_sleep(word);
    pthread_mutex_unlock(&sleepers_lock);
}

static inline void sleepers_wake(const uint32_t *word)
{
    unsigned bed;
    pthread_mutex_lock(&sleepers_lock);
    sleepers_wakes++;
    bed = sleepers_bed(word);
    if (bed < SLEEPERS)
        sleepers_beds[bed].woken = 1;
    pthread_cond_broadcast(&sleepers_changed);
    pthread_mutex_unlock(&sleepers_lock);
}

static const btwq_port sleepers_port = {sleepers_wait, sleepers_wake, NULL, NULL};

static inline void sleepers_hold(int held)
{
    pthread_mutex_lock(&sleepers_lock);
    sleepers_held = held;
    pthread_cond_broadcast(&sleepers_changed);
    pthread_mutex_unlock(&sleepers_lock);
}

/* With the lock. */
static inline int sleepers_all_asleep(void)
{
    unsigned i;
    for (i = 0; i < SLEEPERS; i++) {
        if (sleepers_beds[i].word == NULL || sleepers_beds[i].woken)
            return 0;
    }
    return 1;
}

/* Returns when every worker is in wait and none is about to come out: a worker that spun while
 * there is nothing to do would never let this return. */
static inline void sleepers_settle(void)
{
    pthread_mutex_lock(&sleepers_lock);
    while (!sleepers_all_asleep())
        pthread_cond_wait(&sleepers_changed, &sleepers_lock);
    pthread_mutex_unlock(&sleepers_lock);
}

static inline void *sleepers_body(void *worker)
{
    CHECK_EQ(btwq_worker_run((btwq_worker *)worker), BTWQ_OK);
    return NULL;
}

static inline void sleepers_start(btwq_pool *pool)
{
    unsigned i;
    for (i = 0; i < SLEEPERS; i++) {
        REQUIRE_EQ(btwq_worker_init(&sleepers[i], pool), BTWQ_OK);
        sleepers_threads[i] = thread_start(sleepers_body, &sleepers[i]);
    }
}

static inline void sleepers_stop(btwq_pool *pool)
{
    unsigned i;
    STOP(pool);
    for (i = 0; i < SLEEPERS; i++)
        thread_join(sleepers_threads[i]);
}

#endif /* SLEEPERS_H */

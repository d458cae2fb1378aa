/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * An executor of the tests' own: pairs of a helper and a work wait in one line, and are called by
 * threads of it, or one by one by the test.
 *
 * It may be told to look at what it calls as Linux's work queues do: a pair whose address and
 * function are those of a call that is in progress is taken for the very work that is still
 * running, and waits until that call has come back.
 *
 * It takes a lock where works are dispatched, so its queues are not for signal handlers.
 */
#ifndef EXECUTOR_H
#define EXECUTOR_H

#include "common.h"

struct executor_pair {
    struct executor_pair *next;
    btwq_func_t helper;
    btwq_work *work;
};

/* What is known of a call of a helper, while it is in progress. The numbers are for the callbacks
 * of the test, which count there what the call does. */
struct executor_call {
    struct executor_call *next;
    btwq_func_t helper;
    btwq_work *work;
    unsigned funcs, freed;
};

struct executor {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct executor_pair *first, *last;
    struct executor_call *calls;
    int looks_at_addresses;
    int over;
    unsigned dispatched, called;
};

#define EXECUTOR_INIT                                                                              \
    {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL, NULL, NULL, 0, 0, 0, 0}

/* The call of a helper that this thread is in. */
static __thread struct executor_call *executor_current;

static inline void executor_dispatch(void *arg, btwq_func_t helper, btwq_work *work)
{
    struct executor *executor = (struct executor *)arg;
    struct executor_pair *pair = (struct executor_pair *)malloc(sizeof(*pair));
    REQUIRE(pair != NULL);
    pair->next = NULL;
    pair->helper = helper;
    pair->work = work;
    pthread_mutex_lock(&executor->lock);
    if (executor->first == NULL)
        executor->first = pair;
    else
        executor->last->next = pair;
    executor->last = pair;
    executor->dispatched++;
    pthread_cond_broadcast(&executor->changed);
    pthread_mutex_unlock(&executor->lock);
}

/* With the lock, as the next two. */
static inline int executor_is_running(const struct executor *executor,
                                      const struct executor_pair *pair)
{
    const struct executor_call *call = executor->calls;
    while (call != NULL && (call->work != pair->work || call->helper != pair->helper))
        call = call->next;
    return call != NULL;
}

/* The oldest that may be called now. */
static inline struct executor_pair *executor_take(struct executor *executor)
{
    struct executor_pair *before = NULL, *pair = executor->first;
    while (pair != NULL && executor->looks_at_addresses && executor_is_running(executor, pair)) {
        before = pair;
        pair = pair->next;
    }
    if (pair == NULL)
        return NULL;
    if (before == NULL)
        executor->first = pair->next;
    else
        before->next = pair->next;
    if (executor->last == pair)
        executor->last = before;
    return pair;
}

/* Calls `pair`, without the lock. */
static inline void executor_call(struct executor *executor, struct executor_pair *pair)
{
    struct executor_call call, *const outer = executor_current, **place;
    call.next = executor->calls;
    call.helper = pair->helper;
    call.work = pair->work;
    call.funcs = call.freed = 0;
    executor->calls = &call;
    executor->called++;
    pthread_mutex_unlock(&executor->lock);
    free(pair);
    executor_current = &call;
    call.helper(call.work);
    executor_current = outer;
    pthread_mutex_lock(&executor->lock);
    place = &executor->calls;
    while (*place != &call)
        place = &(*place)->next;
    *place = call.next;
    pthread_cond_broadcast(&executor->changed); /* Somebody may have waited for this call. */
}

/* By hand: 1 if there was something to call. */
static inline int executor_step(struct executor *executor)
{
    struct executor_pair *pair;
    pthread_mutex_lock(&executor->lock);
    pair = executor_take(executor);
    if (pair != NULL)
        executor_call(executor, pair);
    pthread_mutex_unlock(&executor->lock);
    return pair != NULL;
}

static inline void executor_run(struct executor *executor)
{
    while (executor_step(executor)) {
    }
}

static inline void *executor_body(void *argument)
{
    struct executor *executor = (struct executor *)argument;
    pthread_mutex_lock(&executor->lock);
    while (!executor->over) {
        struct executor_pair *pair = executor_take(executor);
        if (pair != NULL)
            executor_call(executor, pair);
        else
            pthread_cond_wait(&executor->changed, &executor->lock);
    }
    pthread_mutex_unlock(&executor->lock);
    return NULL;
}

static inline void executor_start(struct executor *executor, pthread_t *threads, unsigned n)
{
    unsigned i;
    executor->over = 0;
    for (i = 0; i < n; i++)
        threads[i] = thread_start(executor_body, executor);
}

/* Nothing waits then: to be called when all queues are empty. */
static inline void executor_stop(struct executor *executor, const pthread_t *threads, unsigned n)
{
    unsigned i;
    pthread_mutex_lock(&executor->lock);
    executor->over = 1;
    pthread_cond_broadcast(&executor->changed);
    pthread_mutex_unlock(&executor->lock);
    for (i = 0; i < n; i++)
        thread_join(threads[i]);
    CHECK(executor->first == NULL);
    CHECK_EQ(executor->called, executor->dispatched);
}

/* Each of the pairs that wait is taken for a call that is in progress. */
static inline int executor_is_held_up(struct executor *executor)
{
    const struct executor_pair *pair;
    int held_up;
    pthread_mutex_lock(&executor->lock);
    pair = executor->first;
    held_up = pair != NULL && executor->looks_at_addresses;
    for (; pair != NULL && held_up; pair = pair->next)
        held_up = executor_is_running(executor, pair);
    pthread_mutex_unlock(&executor->lock);
    return held_up;
}

/* From now on it looks at nothing but the order in which works were dispatched. */
static inline void executor_stop_looking(struct executor *executor)
{
    pthread_mutex_lock(&executor->lock);
    executor->looks_at_addresses = 0;
    pthread_cond_broadcast(&executor->changed);
    pthread_mutex_unlock(&executor->lock);
}

#endif /* EXECUTOR_H */

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: if the system gives too few threads, btwq_pool_start says BTWQ_EAGAIN, those that it
 * gave are joined again, and nothing has changed: a pool that was stopped still is, works stay
 * queued, and a later start may succeed.
 *
 * The system is played by a pthread_create of the test's own, which gives as many threads as it is
 * allowed and hands them on to the real one.
 */
#include "common.h"

#include <dlfcn.h>
#include <errno.h>

enum { WORKS = 10, WANTED = 4, ALL = 1000 };

typedef void *(*body_t)(void *);
typedef int (*create_t)(pthread_t *, const pthread_attr_t *, body_t, void *);

struct errand {
    body_t body;
    void *argument;
};

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "refused");
static btwq_work works[WORKS];
static struct tally end = TALLY_INIT;
static unsigned given, left; /* threads */
static unsigned allowed;

static void *run_errand(void *pointer)
{
    const struct errand errand = *(struct errand *)pointer;
    void *result;
    free(pointer);
    result = errand.body(errand.argument);
    __atomic_add_fetch(&left, 1, __ATOMIC_RELAXED);
    return result;
}

static create_t real_create(void)
{
    void *address = dlsym(RTLD_NEXT, "pthread_create");
    create_t create;
    REQUIRE(address != NULL);
    memcpy(&create, &address, sizeof(create));
    return create;
}

int create(pthread_t *thread, const pthread_attr_t *how, body_t body, void *argument)
    __asm__("pthread_create");

int create(pthread_t *thread, const pthread_attr_t *how, body_t body, void *argument)
{
    struct errand *errand;
    if (given == allowed)
        return EAGAIN;
    given++;
    errand = (struct errand *)malloc(sizeof(*errand));
    REQUIRE(errand != NULL);
    errand->body = body;
    errand->argument = argument;
    return real_create()(thread, how, run_errand, errand);
}

static void done(btwq_work *work)
{
    (void)work;
    tally_add(&end);
}

static const btwq_work_ops ops = {NULL, NULL, done};

static void start_with(unsigned gives, btwq_status status)
{
    given = left = 0;
    allowed = gives;
    CHECK_EQ(btwq_pool_start(&pool, WANTED), status);
}

static void refused_with(unsigned gives)
{
    static btwq_worker worker = BTWQ_WORKER_INIT(&pool);
    start_with(gives, BTWQ_EAGAIN);
    CHECK_EQ(given, gives);
    CHECK_EQ(left, gives);                          /* joined */
    CHECK_EQ(btwq_worker_run(&worker), BTWQ_OK); /* at once, since the pool is still stopped */
}

int main(void)
{
    int i;
    check_begin();
    for (i = 0; i < WORKS; i++) {
        CHECK_EQ(btwq_work_init(&works[i], &ops), BTWQ_OK);
        SUBMIT(&queue, &works[i]);
    }
    STOP(&pool);
    refused_with(0);
    for (i = 1; i < WANTED; i++)
        refused_with((unsigned)i);
    start_with(ALL, BTWQ_OK);
    tally_wait(&end, WORKS);
    STOP(&pool);
    refused_with(2);
    start_with(ALL, BTWQ_OK);
    DESTROY(&pool);
    CHECK_EQ(left, WANTED);
    return check_end();
}

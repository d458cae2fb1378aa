/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: a work that hangs in its func is found by btwq_queue_check on the host's clock, from
 * another thread; while works come and go nothing else is ever reported but works that are queued
 * there, nor touched.
 */
#include "common.h"

enum { THREADS = 2, WORKS = 20000, IN_FLIGHT = 16, AGE = 3 /* ms */ };

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "stuck live");
static btwq_control control = BTWQ_CONTROL_INIT;
static btwq_work works[IN_FLIGHT]; /* in turn, each again and again */
static struct tally inside = TALLY_INIT, helped = TALLY_INIT, freed = TALLY_INIT;
static btwq_work stuck;
static unsigned is_over, hangs;

static void hang(btwq_work *work)
{
    CHECK(work == &stuck);
    tally_add(&inside);
    tally_wait(&helped, 1);
}

static void func(btwq_work *work)
{
    linger((unsigned)(work - works));
}

/* Between two lives the memory holds something else. */
static void ordered_free(btwq_work *work)
{
    memset(work, 0xa5, sizeof(*work));
    tally_add(&freed);
}

static const btwq_work_ops hang_ops = {hang, NULL, ordered_free};
static const btwq_work_ops ops = {func, NULL, ordered_free};

static void help(void *arg, btwq_queue *its_queue, btwq_work *head, uint32_t age)
{
    CHECK(arg == &hangs && its_queue == &queue);
    CHECK(head == &stuck);
    CHECK(age > AGE);
    hangs++;
}

static void one_hangs(void)
{
    btwq_status calls;
    CHECK_EQ(btwq_work_init(&stuck, &hang_ops), BTWQ_OK);
    SUBMIT(&queue, &stuck);
    tally_wait(&inside, 1);
    while ((calls = btwq_queue_check(&queue, AGE, help, &hangs)) == 0)
        usleep(500);
    CHECK_EQ(calls, 1);
    CHECK_EQ(hangs, 1);
    tally_add(&helped);
    CHECK_EQ(btwq_queue_flush(&queue), BTWQ_OK);
}

static void known(void *arg, btwq_queue *its_queue, btwq_work *head, uint32_t age)
{
    (void)arg;
    (void)age;
    CHECK(its_queue == &queue);
    CHECK(head >= works && head < works + IN_FLIGHT);
}

static void *checker(void *nothing)
{
    while (!__atomic_load_n(&is_over, __ATOMIC_RELAXED)) {
        const btwq_status calls = btwq_queue_check(&queue, 0, known, NULL);
        CHECK(calls >= 0 && calls <= 2);
        sched_yield();
    }
    return nothing;
}

/* Who waits has no work there. */
static void *flusher(void *nothing)
{
    while (!__atomic_load_n(&is_over, __ATOMIC_RELAXED)) {
        CHECK_EQ(btwq_queue_flush(&queue), BTWQ_OK);
        sched_yield();
    }
    return nothing;
}

static void works_come_and_go(void)
{
    const unsigned n = check_count(WORKS, 50);
    pthread_t threads[2];
    unsigned i;
    tally_reset(&freed);
    threads[0] = thread_start(checker, NULL);
    threads[1] = thread_start(flusher, NULL);
    for (i = 0; i < n; i++) {
        btwq_work *work = &works[i % IN_FLIGHT];
        if (i >= IN_FLIGHT)
            tally_wait(&freed, i - IN_FLIGHT + 1);
        CHECK_EQ(btwq_work_init(work, &ops), BTWQ_OK);
        SUBMIT(&queue, work);
    }
    CHECK_EQ(btwq_queue_flush(&queue), BTWQ_OK);
    __atomic_store_n(&is_over, 1, __ATOMIC_RELAXED);
    thread_join(threads[0]);
    thread_join(threads[1]);
}

int main(void)
{
    check_begin();
    REQUIRE_EQ(btwq_queue_set_control(&queue, &control), BTWQ_OK);
    START(&pool, THREADS);
    one_hangs();
    works_come_and_go();
    DESTROY(&pool);
    return check_end();
}

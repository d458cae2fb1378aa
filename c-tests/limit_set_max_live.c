/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: limit_active may be changed at any time, by any thread; a work that is queued after
 * btwq_queue_set_max has returned never runs beside more others than that, or a later, call allows.
 * Works are run once, in their order, all the same.
 *
 * How that is looked at while everything moves: the setter goes from phase to phase, each with a
 * largest limit of its own, which is in force before the first work is stamped with the phase. The
 * works of one stamp are counted by themselves. So of phase p no more than the largest limit of the
 * phases from p to the latest may ever run at once, however many of older phases do.
 */
#include "common.h"

enum { THREADS = 4, WORKS = 30000, IN_FLIGHT = 24, PHASES = 200, SETS = 50, LARGEST = 4 };

struct item {
    btwq_work work;
    unsigned place, phase, funcs;
};

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "live");
static btwq_control control = BTWQ_CONTROL_INIT;
static struct item items[WORKS];
static struct tally freed = TALLY_INIT;
static unsigned works, called; /* called: for the ordered callbacks alone */
static unsigned begun;         /* the latest phase of which any limit may be in force */
static unsigned stamp;         /* the latest phase whose limits alone are in force */
static unsigned running[PHASES];

static unsigned largest(unsigned phase)
{
    return 1 + scramble(phase) % LARGEST;
}

static unsigned allowed(unsigned phase)
{
    const unsigned latest = __atomic_load_n(&begun, __ATOMIC_SEQ_CST);
    unsigned most = 0;
    for (; phase <= latest; phase++)
        most = largest(phase) > most ? largest(phase) : most;
    return most;
}

static void func(btwq_work *work)
{
    struct item *item = CONTAINER_OF(work, struct item, work);
    const unsigned now = __atomic_add_fetch(&running[item->phase], 1, __ATOMIC_SEQ_CST);
    CHECK(now <= allowed(item->phase));
    item->funcs++;
    linger(item->place);
    __atomic_sub_fetch(&running[item->phase], 1, __ATOMIC_SEQ_CST);
}

static void ordered_func(btwq_work *work)
{
    const struct item *item = CONTAINER_OF(work, struct item, work);
    CHECK_EQ(item->place, called);
    CHECK_EQ(item->funcs, 1);
    called++;
    tally_add(&freed);
}

static const btwq_work_ops ops = {func, ordered_func, NULL};

static void set(unsigned limit)
{
    CHECK_EQ(btwq_queue_set_max(&queue, limit), BTWQ_OK);
}

/* The phases go along with the works. */
static void *setter(void *nothing)
{
    unsigned phase, i;
    for (phase = 1; phase < PHASES; phase++) {
        __atomic_store_n(&begun, phase, __ATOMIC_SEQ_CST);
        set(largest(phase));
        __atomic_store_n(&stamp, phase, __ATOMIC_SEQ_CST);
        for (i = 0; i < SETS; i++) {
            set(1 + scramble(phase * SETS + i) % largest(phase));
            if (i % 8 == 0)
                sched_yield();
        }
        tally_wait(&freed, phase * (works / PHASES));
    }
    return nothing;
}

static void submit(unsigned place)
{
    struct item *item = &items[place];
    item->place = place;
    item->phase = __atomic_load_n(&stamp, __ATOMIC_SEQ_CST);
    CHECK_EQ(btwq_work_init(&item->work, &ops), BTWQ_OK);
    SUBMIT(&queue, &item->work);
}

int main(void)
{
    pthread_t thread;
    unsigned i;
    check_begin();
    works = check_count(WORKS, 100);
    REQUIRE_EQ(btwq_queue_set_control(&queue, &control), BTWQ_OK);
    set(largest(0));
    START(&pool, THREADS);
    thread = thread_start(setter, NULL);
    for (i = 0; i < works; i++) {
        if (i >= IN_FLIGHT)
            tally_wait(&freed, i - IN_FLIGHT + 1);
        submit(i);
    }
    tally_wait(&freed, works);
    thread_join(thread);
    CHECK_EQ(called, works);
    DESTROY(&pool);
    return check_end();
}

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: ordered_free comes after ordered_func of the same work, once, and in the order in which
 * the works were queued; the whole trace of one thread's run says so, absence included.
 */
#include "common.h"

enum { WORKS = 5 };
enum { FUNC = 100, CALL = 200, FREE = 300 };

struct item {
    btwq_work work;
    int place;
};

static btwq_pool pool = BTWQ_POOL_INIT(NULL);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "frees");
static btwq_worker worker = BTWQ_WORKER_INIT(&pool);
static struct item items[WORKS];
static int trace[4 * WORKS];
static unsigned traced;

static void note(btwq_work *work, int what)
{
    REQUIRE(traced < sizeof(trace) / sizeof(trace[0]));
    trace[traced++] = what + CONTAINER_OF(work, struct item, work)->place;
}

static void func(btwq_work *work)
{
    note(work, FUNC);
}

static void ordered_func(btwq_work *work)
{
    note(work, CALL);
}

static void ordered_free(btwq_work *work)
{
    note(work, FREE);
}

static const btwq_work_ops ops = {func, ordered_func, ordered_free};

/* Where in the trace the event is, which must be there once. */
static unsigned where(int event)
{
    unsigned i, found = 0, times = 0;
    for (i = 0; i < traced; i++) {
        if (trace[i] == event) {
            found = i;
            times++;
        }
    }
    CHECK_EQ(times, 1);
    return found;
}

static void check_trace(void)
{
    int i;
    CHECK_EQ(traced, 3 * WORKS);
    for (i = 0; i < WORKS; i++) {
        CHECK(where(FUNC + i) < where(CALL + i));
        CHECK(where(CALL + i) < where(FREE + i));
        if (i > 0) {
            CHECK(where(CALL + i - 1) < where(CALL + i));
            CHECK(where(FREE + i - 1) < where(FREE + i));
        }
    }
}

int main(void)
{
    int i;
    check_begin();
    for (i = 0; i < WORKS; i++) {
        items[i].place = i;
        CHECK_EQ(btwq_work_init(&items[i].work, &ops), BTWQ_OK);
        SUBMIT(&queue, &items[i].work);
    }
    CHECK_EQ(traced, 0); /* Submission itself runs nothing. */
    CHECK_EQ(btwq_run_until_idle(&worker), WORKS);
    check_trace();
    DESTROY(&pool);
    return check_end();
}

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: what a threshold lets in does run at once, on several threads, and never more than the
 * limit; the order is kept while the number goes up and down, and while the threshold is changed.
 */
#include "common.h"

enum { THREADS = 3, LIMIT = 3, THRESH = 40, WORKS = 20000, MEETING = 100 };

struct item {
    btwq_work work;
    unsigned place;
};

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "threshold");
static btwq_control control = BTWQ_CONTROL_INIT;
static struct item items[WORKS];
static struct tally met = TALLY_INIT, end = TALLY_INIT;
static unsigned works, running;
static unsigned called; /* for the ordered callbacks alone */

/* As long as there is a backlog, this many works in the midst of it wait for each other. */
static int meets(unsigned place)
{
    return place >= MEETING && place < MEETING + LIMIT;
}

static void func(btwq_work *work)
{
    const struct item *item = CONTAINER_OF(work, struct item, work);
    CHECK(__atomic_add_fetch(&running, 1, __ATOMIC_SEQ_CST) <= LIMIT);
    if (meets(item->place)) {
        tally_add(&met);
        tally_wait(&met, LIMIT);
    }
    linger(item->place);
    __atomic_sub_fetch(&running, 1, __ATOMIC_SEQ_CST);
}

static void ordered_func(btwq_work *work)
{
    CHECK_EQ(CONTAINER_OF(work, struct item, work)->place, called);
    if (++called == works)
        tally_add(&end);
}

static const btwq_work_ops ops = {func, ordered_func, NULL};

static void submit(unsigned place)
{
    items[place].place = place;
    CHECK_EQ(btwq_work_init(&items[place].work, &ops), BTWQ_OK);
    SUBMIT(&queue, &items[place].work);
}

/* More than the threshold, and so many intervals before the meeting, are queued in one go. */
static void meet_in_the_backlog(void)
{
    unsigned i;
    for (i = 0; i < MEETING + LIMIT + 2 * THRESH; i++)
        submit(i);
    START(&pool, THREADS);
    tally_wait(&met, LIMIT);
    for (; i < works; i++) {
        submit(i);
        if (i % 64 == 0)
            CHECK_EQ(btwq_queue_set_threshold(&queue, scramble(i) % 3 * THRESH), BTWQ_OK);
        if (i % 256 == 0)
            usleep(20); /* The load is to go down, too. */
    }
    tally_wait(&end, 1);
}

int main(void)
{
    check_begin();
    works = check_count(WORKS, MEETING + LIMIT + 2 * THRESH + 100);
    REQUIRE_EQ(btwq_queue_set_control(&queue, &control), BTWQ_OK);
    REQUIRE_EQ(btwq_queue_set_max(&queue, LIMIT), BTWQ_OK);
    REQUIRE_EQ(btwq_queue_set_threshold(&queue, THRESH), BTWQ_OK);
    meet_in_the_backlog();
    DESTROY(&pool);
    return check_end();
}

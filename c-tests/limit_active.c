/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: of each lane no more works are in their func at one moment than limit_active says, and
 * that many can be: works with and without a place in the order, queued one by one and in batches.
 * Each lane has a count of its own. Nothing of a work is touched after its end for that.
 */
#include "common.h"

enum { THREADS = 4, WORKS = 6000, BATCH = 7, LANES = 2 };

struct item {
    btwq_work work;
    unsigned index, place;
    int high;
};

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "limit");
static btwq_control control = BTWQ_CONTROL_INIT;
static struct item items[WORKS];
static struct tally met = TALLY_INIT, end = TALLY_INIT;
static unsigned limit, works, ended;
static unsigned running[LANES];    /* never more than the library's count: taken inside func */
static unsigned next_place[LANES]; /* for the ordered callbacks of the lane alone */

static struct item *item_of(btwq_work *work)
{
    return CONTAINER_OF(work, struct item, work);
}

/* In the last callback: the work is ours, and the library may no longer know it. */
static void end_life(btwq_work *work)
{
    memset(work, 0xa5, sizeof(*work));
    if (__atomic_add_fetch(&ended, 1, __ATOMIC_ACQ_REL) == works)
        tally_add(&end);
}

static void enter(int lane)
{
    CHECK(__atomic_add_fetch(&running[lane], 1, __ATOMIC_SEQ_CST) <= limit);
}

static void leave(int lane)
{
    __atomic_sub_fetch(&running[lane], 1, __ATOMIC_SEQ_CST);
}

static void func(btwq_work *work)
{
    const struct item *item = item_of(work);
    enter(item->high);
    linger(item->index);
    leave(item->high);
}

static void only_func(btwq_work *work)
{
    func(work);
    end_life(work);
}

static void ordered_func(btwq_work *work)
{
    const struct item *item = item_of(work);
    CHECK_EQ(item->place, next_place[item->high]);
    next_place[item->high]++;
}

static const btwq_work_ops unordered = {only_func, NULL, NULL};
static const btwq_work_ops ordered = {func, ordered_func, end_life};

/* As many as may run wait for each other: if fewer ran at once this would hang. */
static void meeting(btwq_work *work)
{
    const int lane = item_of(work)->high;
    enter(lane);
    tally_add(&met);
    tally_wait(&met, limit);
    leave(lane);
    end_life(work);
}

static const btwq_work_ops meeting_ops = {meeting, NULL, NULL};

static void prepare(unsigned index, const btwq_work_ops *ops, int high)
{
    items[index].index = index;
    items[index].high = high;
    CHECK_EQ(btwq_work_init(&items[index].work, ops), BTWQ_OK);
    CHECK_EQ(btwq_work_set_high_priority(&items[index].work, high), BTWQ_OK);
}

static void submit_meeting(int high)
{
    unsigned i;
    tally_reset(&met);
    tally_reset(&end);
    ended = 0;
    works = limit;
    for (i = 0; i < works; i++) {
        prepare(i, &meeting_ops, high);
        SUBMIT(&queue, &items[i].work);
    }
}

static void that_many_meet(int high)
{
    submit_meeting(high);
    tally_wait(&end, 1);
}

/* All but one wait outside; they are let in by the call that raises the limit. */
static void raised_while_they_wait(int high)
{
    CHECK_EQ(btwq_queue_set_max(&queue, 1), BTWQ_OK);
    limit = THREADS; /* as many as are to meet */
    submit_meeting(high);
    tally_wait(&met, 1);
    CHECK_EQ(btwq_queue_set_max(&queue, THREADS), BTWQ_OK);
    tally_wait(&end, 1);
}

static void prepare_all(void)
{
    unsigned places[LANES] = {0, 0};
    unsigned i;
    for (i = 0; i < works; i++) {
        const int high = (int)(scramble(i) % 3 == 0);
        const int is_ordered = (int)(scramble(i) >> 8 & 1);
        prepare(i, is_ordered ? &ordered : &unordered, high);
        items[i].place = places[high];
        places[high] += (unsigned)is_ordered;
    }
}

static void never_more(void)
{
    btwq_work *batch[BATCH];
    unsigned i, k, n;
    linger_offers = 300;
    tally_reset(&end);
    ended = next_place[0] = next_place[1] = 0;
    works = check_count(WORKS, 100);
    prepare_all();
    for (i = 0; i < works; i += n) {
        n = scramble(i) % 4 == 0 && works - i >= BATCH ? BATCH : 1;
        for (k = 0; k < n; k++)
            batch[k] = &items[i + k].work;
        if (n == 1)
            SUBMIT(&queue, batch[0]);
        else
            REQUIRE_EQ(btwq_queue_work_batch(&queue, batch, n), BTWQ_OK);
    }
    tally_wait(&end, 1);
}

int main(void)
{
    check_begin();
    REQUIRE_EQ(btwq_queue_set_control(&queue, &control), BTWQ_OK);
    START(&pool, THREADS);
    for (limit = 1; limit <= THREADS; limit++) {
        REQUIRE_EQ(btwq_queue_set_max(&queue, limit), BTWQ_OK);
        that_many_meet(0);
        that_many_meet(1);
        never_more();
    }
    raised_while_they_wait(0);
    raised_while_they_wait(1);
    DESTROY(&pool);
    return check_end();
}

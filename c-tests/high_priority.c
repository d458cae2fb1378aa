/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: each lane of a queue has an order of its own; a worker prefers high works, but of any
 * eight works that it takes one is a normal one, if any is ready.
 */
#include "common.h"

enum { NORMAL = 20, FLOOD = 4, WORKS = 20000 };

struct item {
    btwq_work work;
    unsigned place;
    int high;
};

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "lanes");
static btwq_worker worker = BTWQ_WORKER_INIT(&pool);
static struct tally end = TALLY_INIT;

static void prepare(struct item *item, const btwq_work_ops *ops, unsigned place, int high)
{
    item->place = place;
    item->high = high;
    CHECK_EQ(btwq_work_init(&item->work, ops), BTWQ_OK);
    CHECK_EQ(btwq_work_set_high_priority(&item->work, high), BTWQ_OK);
}

/* One thread sees exactly which work a worker takes. */
static unsigned since_normal, normal_left;

static void flood_func(btwq_work *work)
{
    if (CONTAINER_OF(work, struct item, work)->high) {
        since_normal++;
        CHECK(normal_left == 0 || since_normal < 8);
        SUBMIT(&queue, work); /* func alone: its last callback, so it may go round for ever */
    } else {
        since_normal = 0;
        normal_left--;
    }
}

static const btwq_work_ops flood_ops = {flood_func, NULL, NULL};

static void normal_does_not_starve(void)
{
    static struct item normal[NORMAL], flood[FLOOD];
    unsigned i;
    normal_left = NORMAL;
    for (i = 0; i < FLOOD; i++) {
        prepare(&flood[i], &flood_ops, i, 1);
        SUBMIT(&queue, &flood[i].work);
    }
    for (i = 0; i < NORMAL; i++) {
        prepare(&normal[i], &flood_ops, i, 0);
        SUBMIT(&queue, &normal[i].work);
    }
    for (i = 0; i < 8 * NORMAL; i++)
        CHECK_EQ(btwq_run_one(&worker), 1);
    CHECK_EQ(normal_left, 0);
}

/* A new pool and queue, since the flood is still in the old ones. */
static btwq_pool second_pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_queue second_queue = BTWQ_QUEUE_INIT(&second_pool, "orders");
static btwq_worker second_worker = BTWQ_WORKER_INIT(&second_pool);
static unsigned next_place[2], freed, works;

static void ordered_func(btwq_work *work)
{
    const struct item *item = CONTAINER_OF(work, struct item, work);
    CHECK_EQ(item->place, next_place[item->high]); /* Plain memory: one for each lane. */
    next_place[item->high]++;
}

static void ordered_free(btwq_work *work)
{
    (void)work;
    if (__atomic_add_fetch(&freed, 1, __ATOMIC_RELAXED) == works)
        tally_add(&end);
}

static void func(btwq_work *work)
{
    spin(scramble(CONTAINER_OF(work, struct item, work)->place) % 200);
}

static const btwq_work_ops order_ops = {func, ordered_func, ordered_free};

static void each_lane_has_its_order(void)
{
    static struct item items[WORKS];
    unsigned places[2] = {0, 0};
    unsigned i;
    works = check_count(WORKS, 100);
    START(&second_pool, 3);
    for (i = 0; i < works; i++) {
        const int high = (int)(scramble(i) % 3 == 0);
        prepare(&items[i], &order_ops, places[high]++, high);
        SUBMIT(&second_queue, &items[i].work);
    }
    tally_wait(&end, 1);
    STOP(&second_pool);
    CHECK_EQ(next_place[0], places[0]);
    CHECK_EQ(next_place[1], places[1]);
}

static void refusals(void)
{
    static struct item item;
    btwq_work chance;
    memset(&chance, 0, sizeof(chance));
    CHECK_EQ(btwq_work_set_high_priority(NULL, 1), BTWQ_EINVAL);
    CHECK_EQ(btwq_work_set_high_priority(&chance, 1), BTWQ_EINVAL);
    next_place[0] = next_place[1] = works = 0;
    prepare(&item, &order_ops, 0, 0);
    SUBMIT(&second_queue, &item.work);
    CHECK_EQ(btwq_work_set_high_priority(&item.work, 1), BTWQ_EBUSY);
    CHECK_EQ(btwq_run_until_idle(&second_worker), 1);
    CHECK_EQ(next_place[0], 1); /* Nothing has changed by the refusal. */
    CHECK_EQ(btwq_work_set_high_priority(&item.work, 1), BTWQ_OK);
    item.high = 1;
    SUBMIT(&second_queue, &item.work);
    item.place = 0;
    CHECK_EQ(btwq_run_until_idle(&second_worker), 1);
    CHECK_EQ(next_place[1], 1);
}

int main(void)
{
    check_begin();
    normal_does_not_starve();
    each_lane_has_its_order();
    refusals();
    DESTROY(&pool);
    DESTROY(&second_pool);
    return check_end();
}

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: a work that is queued already is refused with BTWQ_EBUSY, on its own queue and on any
 * other, from outside and from its callbacks, and nothing has changed; when its last callback has
 * been entered it may be queued again.
 */
#include "common.h"

enum { WORKS = 3 };

struct item {
    btwq_work work;
    int place, funcs, calls, frees;
};

static btwq_pool pool = BTWQ_POOL_INIT(NULL);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "double");
static btwq_queue other = BTWQ_QUEUE_INIT(&pool, "other");
static btwq_worker worker = BTWQ_WORKER_INIT(&pool);
static struct item items[WORKS];
static int called;

static struct item *item_of(btwq_work *work)
{
    return CONTAINER_OF(work, struct item, work);
}

static void refused(btwq_work *work)
{
    const btwq_work before = *work;
    const btwq_queue queue_before = queue, other_before = other;
    CHECK_EQ(btwq_queue_work(&queue, work), BTWQ_EBUSY);
    CHECK_EQ(btwq_queue_work(&other, work), BTWQ_EBUSY);
    CHECK(memcmp(work, &before, sizeof(before)) == 0);
    CHECK(memcmp(&queue, &queue_before, sizeof(queue)) == 0);
    CHECK(memcmp(&other, &other_before, sizeof(other)) == 0);
}

static void func(btwq_work *work)
{
    item_of(work)->funcs++;
    refused(work);
}

static void ordered_func(btwq_work *work)
{
    CHECK_EQ(item_of(work)->place, called++ % WORKS);
    item_of(work)->calls++;
    refused(work);
}

static void ordered_free(btwq_work *work)
{
    struct item *item = item_of(work);
    if (++item->frees == 1)
        SUBMIT(&queue, work); /* Its life is over, so it may begin anew; */
    else
        return;
    refused(work); /* and only once. */
}

static const btwq_work_ops ops = {func, ordered_func, ordered_free};

int main(void)
{
    int i;
    check_begin();
    for (i = 0; i < WORKS; i++) {
        items[i].place = i;
        CHECK_EQ(btwq_work_init(&items[i].work, &ops), BTWQ_OK);
        SUBMIT(&queue, &items[i].work);
        refused(&items[i].work);
    }
    for (i = 0; i < WORKS; i++)
        refused(&items[i].work);
    CHECK_EQ(btwq_run_until_idle(&worker), 2 * WORKS);
    for (i = 0; i < WORKS; i++) {
        CHECK_EQ(items[i].funcs, 2);
        CHECK_EQ(items[i].calls, 2);
        CHECK_EQ(items[i].frees, 2);
    }
    DESTROY(&pool);
    return check_end();
}

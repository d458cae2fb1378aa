/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: ordered_free ends the work's life, so that it may overwrite the work and give it back to
 * the allocator, which hands the same memory out again for the next work at once.
 */
#include "common.h"

enum { WORKS = 120000, WORKERS = 3, POISON = 0xa5 };

struct item {
    btwq_work work;
    unsigned place;
};

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "frees");
static struct tally end = TALLY_INIT;
static unsigned works, freed;

static struct item *item_of(btwq_work *work)
{
    return CONTAINER_OF(work, struct item, work);
}

static void func(btwq_work *work)
{
    linger(item_of(work)->place);
}

static void ordered_free(btwq_work *work)
{
    struct item *item = item_of(work);
    CHECK_EQ(item->place, freed);
    memset(item, POISON, sizeof(*item));
    free(item);
    if (++freed == works)
        tally_add(&end);
}

static const btwq_work_ops ops = {func, NULL, ordered_free};

int main(void)
{
    unsigned i;
    check_begin();
    works = check_count(WORKS, 100);
    START(&pool, WORKERS);
    for (i = 0; i < works; i++) {
        struct item *item = (struct item *)malloc(sizeof(*item));
        REQUIRE(item != NULL);
        item->place = i;
        CHECK_EQ(btwq_work_init(&item->work, &ops), BTWQ_OK);
        SUBMIT(&queue, &item->work);
    }
    tally_wait(&end, 1);
    DESTROY(&pool);
    return check_end();
}

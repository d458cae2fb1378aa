/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: the ordered_func of a work begins after its own func has returned, and ordered_free
 * after ordered_func has; also when everything before it in the order was finished long ago, and
 * when func is still running while its turn comes.
 */
#include "common.h"

enum { WORKS = 100000, WORKERS = 3 };
enum { NOTHING, FUNC_LEFT, CALL_LEFT };

struct item {
    btwq_work work;
    unsigned place;
    int stage; /* plain memory, last written at the very end of each callback */
};

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "after");
static struct item items[WORKS];
static struct tally end = TALLY_INIT;
static unsigned works, freed;

static struct item *item_of(btwq_work *work)
{
    return CONTAINER_OF(work, struct item, work);
}

static void func(btwq_work *work)
{
    CHECK_EQ(item_of(work)->stage, NOTHING);
    linger(item_of(work)->place);
    spin(100); /* So the turn is often at a work before its func is through. */
    item_of(work)->stage = FUNC_LEFT;
}

static void ordered_func(btwq_work *work)
{
    CHECK_EQ(item_of(work)->stage, FUNC_LEFT);
    item_of(work)->stage = CALL_LEFT;
}

static void ordered_free(btwq_work *work)
{
    CHECK_EQ(item_of(work)->stage, CALL_LEFT);
    if (++freed == works)
        tally_add(&end);
}

static const btwq_work_ops ops = {func, ordered_func, ordered_free};

int main(void)
{
    unsigned i;
    check_begin();
    works = check_count(WORKS, 50);
    START(&pool, WORKERS);
    for (i = 0; i < works; i++) {
        items[i].place = i;
        CHECK_EQ(btwq_work_init(&items[i].work, &ops), BTWQ_OK);
        SUBMIT(&queue, &items[i].work);
    }
    tally_wait(&end, 1);
    DESTROY(&pool);
    return check_end();
}

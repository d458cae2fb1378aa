/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: func sees all that the submitter wrote before it queued the work; ordered_func sees all
 * that func wrote; each ordered callback sees all that the ones before it wrote. Without a lock, an
 * atomic or a volatile in the test: all that is handed over is plain memory.
 */
#include "common.h"

enum { WORKS = 40000, WORKERS = 3, WORDS = 24 };

struct item {
    btwq_work work;
    unsigned place;
    unsigned question[WORDS]; /* written by the submitter */
    unsigned answer[WORDS];   /* written by func */
    unsigned chain;           /* written by ordered_func, read by ordered_free */
};

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "visibility");
static struct item items[WORKS];
static struct tally end = TALLY_INIT;
static unsigned works;

/* What the ordered callbacks hand on to each other. */
static unsigned seen[WORDS], freed;

static struct item *item_of(btwq_work *work)
{
    return CONTAINER_OF(work, struct item, work);
}

static void func(btwq_work *work)
{
    struct item *item = item_of(work);
    unsigned i;
    for (i = 0; i < WORDS; i++) {
        CHECK_EQ(item->question[i], scramble(item->place + i));
        item->answer[i] = ~item->question[i];
        if (i == WORDS / 2)
            linger(item->place);
    }
}

static void ordered_func(btwq_work *work)
{
    struct item *item = item_of(work);
    unsigned i;
    for (i = 0; i < WORDS; i++) {
        CHECK_EQ(item->answer[i], ~scramble(item->place + i));
        CHECK_EQ(seen[i], item->place);
        seen[i]++;
    }
    item->chain = seen[0] ^ seen[WORDS - 1] ^ item->place;
}

static void ordered_free(btwq_work *work)
{
    struct item *item = item_of(work);
    CHECK_EQ(item->chain, item->place);
    CHECK_EQ(freed, item->place);
    if (++freed == works)
        tally_add(&end);
}

static const btwq_work_ops ops = {func, ordered_func, ordered_free};

static void submit(unsigned place)
{
    struct item *item = &items[place];
    unsigned i;
    item->place = place;
    for (i = 0; i < WORDS; i++)
        item->question[i] = scramble(place + i);
    CHECK_EQ(btwq_work_init(&item->work, &ops), BTWQ_OK);
    SUBMIT(&queue, &item->work);
}

int main(void)
{
    unsigned i;
    check_begin();
    works = check_count(WORKS, 50);
    START(&pool, WORKERS);
    for (i = 0; i < works; i++)
        submit(i);
    tally_wait(&end, 1);
    DESTROY(&pool);
    return check_end();
}

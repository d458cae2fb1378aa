/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: submissions of several threads take effect in some order, one for all, which keeps the
 * order of each thread; and no two ordered callbacks of a queue ever overlap.
 */
#include "common.h"
#include "stamps.h"

enum { SUBMITTERS = 3, WORKERS = 3, EACH = 40000 };

struct item {
    btwq_work work;
    unsigned submitter, number;
};

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "many");
static struct item items[SUBMITTERS][EACH];
static struct stamps stamps[SUBMITTERS][EACH];
static const struct item *calls[SUBMITTERS * EACH];
static struct tally end = TALLY_INIT;
static unsigned each;

/* Plain memory, for the ordered callbacks alone: an overlap is a race that a detector sees too. */
static int inside;
static unsigned called, freed;

static struct item *item_of(btwq_work *work)
{
    return CONTAINER_OF(work, struct item, work);
}

static void enter(void)
{
    CHECK_EQ(inside, 0);
    inside = 1;
}

static void leave(void)
{
    CHECK_EQ(inside, 1);
    inside = 0;
}

static void func(btwq_work *work)
{
    linger(item_of(work)->number);
}

static void ordered_func(btwq_work *work)
{
    enter();
    calls[called] = item_of(work);
    linger(called);
    called++;
    leave();
}

static void ordered_free(btwq_work *work)
{
    enter();
    CHECK(calls[freed] == item_of(work)); /* The order of the frees is that of the calls. */
    freed++;
    leave();
    if (freed == SUBMITTERS * each)
        tally_add(&end);
}

static const btwq_work_ops ops = {func, ordered_func, ordered_free};

static void *submitter(void *first)
{
    struct item *mine = (struct item *)first;
    unsigned i;
    for (i = 0; i < each; i++) {
        struct stamps *when = &stamps[mine->submitter][i];
        when->begin = stamps_now();
        SUBMIT(&queue, &mine[i].work);
        when->end = stamps_now();
    }
    return NULL;
}

static void prepare(void)
{
    unsigned s, i;
    for (s = 0; s < SUBMITTERS; s++) {
        for (i = 0; i < each; i++) {
            items[s][i].submitter = s;
            items[s][i].number = i;
            CHECK_EQ(btwq_work_init(&items[s][i].work, &ops), BTWQ_OK);
        }
    }
}

static void check_order(void)
{
    unsigned next[SUBMITTERS] = {0, 0, 0};
    unsigned latest_begin = 0;
    unsigned i;
    CHECK_EQ(called, SUBMITTERS * each);
    for (i = 0; i < called; i++) {
        const struct item *item = calls[i];
        CHECK_EQ(item->number, next[item->submitter]);
        next[item->submitter]++;
        stamps_check(&stamps[item->submitter][item->number], &latest_begin);
    }
}

int main(void)
{
    pthread_t threads[SUBMITTERS];
    unsigned s;
    check_begin();
    each = check_count(EACH, 50);
    prepare();
    START(&pool, WORKERS);
    for (s = 0; s < SUBMITTERS; s++)
        threads[s] = thread_start(submitter, items[s]);
    for (s = 0; s < SUBMITTERS; s++)
        thread_join(threads[s]);
    tally_wait(&end, 1);
    DESTROY(&pool);
    check_order();
    return check_end();
}

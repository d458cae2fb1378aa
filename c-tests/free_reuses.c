/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: the last callback of a work may reuse it for something else: what is written there in
 * the callback stays as it is, since the library writes nothing of the work any more.
 */
#include "common.h"

enum { WORKS = 20000, WORKERS = 3, MARK = 0x5a };

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "reuses");
static btwq_work items[WORKS];
static struct tally end = TALLY_INIT;
static unsigned works, gone;

static void step(btwq_work *work)
{
    (void)work;
}

static void last(btwq_work *work)
{
    memset(work, MARK, sizeof(*work));
    if (__atomic_add_fetch(&gone, 1, __ATOMIC_RELAXED) == works)
        tally_add(&end);
}

static const btwq_work_ops kinds[] = {{last, NULL, NULL}, {step, last, NULL}, {step, step, last}};

static int is_marked(const btwq_work *work)
{
    unsigned char marks[sizeof(btwq_work)];
    memset(marks, MARK, sizeof(marks));
    return memcmp(work, marks, sizeof(marks)) == 0;
}

int main(void)
{
    unsigned i;
    check_begin();
    works = check_count(WORKS, 50);
    START(&pool, WORKERS);
    for (i = 0; i < works; i++) {
        CHECK_EQ(btwq_work_init(&items[i], &kinds[i % 3]), BTWQ_OK);
        SUBMIT(&queue, &items[i]);
    }
    tally_wait(&end, 1);
    DESTROY(&pool);
    for (i = 0; i < works; i++)
        CHECK(is_marked(&items[i]));
    return check_end();
}

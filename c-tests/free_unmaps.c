/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: from the moment at which the last callback of a work is entered, whichever of the three
 * that is, the library neither reads nor writes anything of the work. So that callback may make the
 * work's memory inaccessible: one touch too many ends the program.
 */
#include "common.h"

#include <sys/mman.h>

enum { WORKS = 6000, WORKERS = 3 };

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "unmaps");
static struct tally end = TALLY_INIT;
static size_t page;
static unsigned works, gone;

static btwq_work *map(void)
{
    void *memory = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(memory != MAP_FAILED);
    return (btwq_work *)memory;
}

static void step(btwq_work *work)
{
    (void)work;
    spin(20);
}

static void last(btwq_work *work)
{
    REQUIRE_EQ(munmap(work, page), 0);
    if (__atomic_add_fetch(&gone, 1, __ATOMIC_RELAXED) == works)
        tally_add(&end);
}

/* One table for each subset of the callbacks, so that each is once the last. */
static const btwq_work_ops kinds[] = {
    {last, NULL, NULL}, {NULL, last, NULL}, {NULL, NULL, last}, {step, last, NULL},
    {step, NULL, last}, {NULL, step, last}, {step, step, last},
};

int main(void)
{
    unsigned i;
    check_begin();
    page = (size_t)sysconf(_SC_PAGESIZE);
    works = check_count(WORKS, 70);
    START(&pool, WORKERS);
    for (i = 0; i < works; i++) {
        btwq_work *work = map();
        CHECK_EQ(btwq_work_init(work, &kinds[i % (sizeof(kinds) / sizeof(kinds[0]))]), BTWQ_OK);
        SUBMIT(&queue, work);
    }
    tally_wait(&end, 1);
    DESTROY(&pool);
    return check_end();
}

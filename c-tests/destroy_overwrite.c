/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: when btwq_queue_destroy has returned nobody touches the memory of the queue, of its
 * control or of its works any more. So it is overwritten at once, and then made inaccessible, where
 * a touch that comes late ends the program; or freed; or kept for some rounds, to see that nobody
 * has written there.
 *
 * A round makes a queue and destroys it under what several threads have just queued on it: works of
 * all kinds, in both lanes, cancelled ones, a few or so many that retiring is handed over.
 */
#include "common.h"

#include <sys/mman.h>

enum { SUBMITTERS = 2, WORKERS = 3, ROUNDS = 3000, FEW = 9, MANY = 100, KEPT = 8 };

struct world {
    btwq_queue queue;
    btwq_control control;
    btwq_work works[SUBMITTERS][MANY];
};

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static struct world *world; /* of this round */
static size_t world_size;
static unsigned rounds, each; /* how many works of each submitter */
static struct tally rounds_begun = TALLY_INIT, submitted = TALLY_INIT;
static unsigned ended, cancelled_in_silence;

static void func(btwq_work *work)
{
    spin(scramble((unsigned)(uintptr_t)work) % 64);
}

static void last(btwq_work *work)
{
    __atomic_add_fetch(&ended, 1, __ATOMIC_RELAXED);
    func(work);
}

static const btwq_work_ops ops[] = {
    {func, func, last}, {last, NULL, NULL}, {func, last, NULL}, {NULL, NULL, last}};

static void submit(btwq_work *work, unsigned random)
{
    const int async = random >> 8 & 1;
    CHECK_EQ(btwq_work_init(work, &ops[random % 4]), BTWQ_OK);
    CHECK_EQ(btwq_work_set_high_priority(work, (int)(random >> 4 & 1)), BTWQ_OK);
    if (async && random % 4 != 1)
        CHECK_EQ(btwq_work_set_async(work), BTWQ_OK);
    SUBMIT(&world->queue, work);
    if ((random >> 12 & 7) == 0 && btwq_work_cancel(work) == BTWQ_OK && random % 4 == 1)
        __atomic_add_fetch(&cancelled_in_silence, 1, __ATOMIC_RELAXED);
}

/* What was cancelled may have ended by itself. */
static void complete(btwq_work *work, unsigned random)
{
    if ((random >> 8 & 1) && random % 4 != 1) {
        const btwq_status result = btwq_work_complete(work, 0);
        CHECK(result == BTWQ_OK || result == BTWQ_EBUSY || result == BTWQ_EINVAL);
    }
}

static void *submitter(void *number)
{
    const unsigned me = *(const unsigned *)number;
    unsigned round, i;
    for (round = 1; round <= rounds; round++) {
        tally_wait(&rounds_begun, round);
        for (i = 0; i < each; i++)
            submit(&world->works[me][i], scramble(round * MANY + i));
        for (i = each; i-- > 0;) /* The first last: all behind it are retired in one go then. */
            complete(&world->works[me][i], scramble(round * MANY + i));
        tally_add(&submitted);
    }
    return NULL;
}

static struct world *map(void)
{
    void *memory =
        mmap(NULL, world_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(memory != MAP_FAILED);
    return (struct world *)memory;
}

static struct world *kept[KEPT];

/* What was destroyed a while ago still holds what was written over it. */
static void look_back(struct world *old)
{
    const unsigned char *bytes = (const unsigned char *)old;
    size_t i;
    REQUIRE_EQ(mprotect(old, world_size, PROT_READ), 0);
    for (i = 0; i < sizeof(*old); i++)
        REQUIRE_EQ(bytes[i], 0xa5);
    REQUIRE_EQ(munmap(old, world_size), 0);
}

static void bury(unsigned round)
{
    struct world **place = &kept[round % KEPT];
    memset(world, 0xa5, sizeof(*world));
    if (round % 2)
        REQUIRE_EQ(mprotect(world, world_size, PROT_NONE), 0);
    if (*place != NULL)
        look_back(*place);
    *place = world;
    world = NULL;
}

static void live_and_die(unsigned round)
{
    world = map();
    each = round % 16 == 0 ? (unsigned)MANY : scramble(round) % FEW;
    CHECK_EQ(btwq_queue_init(&world->queue, &pool, "short life"), BTWQ_OK);
    if (round % 3 == 0) {
        CHECK_EQ(btwq_control_init(&world->control), BTWQ_OK);
        CHECK_EQ(btwq_queue_set_control(&world->queue, &world->control), BTWQ_OK);
        CHECK_EQ(btwq_queue_set_max(&world->queue, 1 + round % 2), BTWQ_OK);
    }
    ended = cancelled_in_silence = 0;
    tally_add(&rounds_begun);
    tally_wait(&submitted, SUBMITTERS * round);
    CHECK_EQ(btwq_queue_destroy(&world->queue), BTWQ_OK);
    CHECK_EQ(ended + cancelled_in_silence, SUBMITTERS * each);
    if (round % 5 == 0)
        CHECK_EQ(btwq_queue_destroy(&world->queue), BTWQ_EINVAL);
    bury(round);
}

/* The same with the shortest lives, and a queue that a heap makes into something else at once. */
static void ends_by_itself(btwq_work *work)
{
    free(work);
}

static const btwq_work_ops heap_ops[] = {{NULL, NULL, ends_by_itself},
                                         {ends_by_itself, NULL, NULL}};

static void on_the_heap(unsigned round)
{
    btwq_queue *queue = (btwq_queue *)malloc(sizeof(*queue));
    btwq_work *work = (btwq_work *)malloc(sizeof(*work));
    REQUIRE(queue != NULL && work != NULL);
    CHECK_EQ(btwq_queue_init(queue, &pool, NULL), BTWQ_OK);
    CHECK_EQ(btwq_work_init(work, &heap_ops[round % 2]), BTWQ_OK);
    SUBMIT(queue, work);
    CHECK_EQ(btwq_queue_destroy(queue), BTWQ_OK);
    memset(queue, 0xa5, sizeof(*queue));
    free(queue);
}

int main(void)
{
    static unsigned numbers[SUBMITTERS] = {0, 1};
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    pthread_t threads[SUBMITTERS];
    unsigned i;
    check_begin();
    world_size = (sizeof(struct world) + page - 1) / page * page;
    rounds = check_count(ROUNDS, 48);
    START(&pool, WORKERS);
    for (i = 0; i < SUBMITTERS; i++)
        threads[i] = thread_start(submitter, &numbers[i]);
    for (i = 1; i <= rounds; i++)
        live_and_die(i);
    for (i = 0; i < SUBMITTERS; i++)
        thread_join(threads[i]);
    for (i = 0; i < rounds; i++)
        on_the_heap(i);
    for (i = 0; i < KEPT; i++)
        look_back(kept[i]);
    DESTROY(&pool);
    return check_end();
}

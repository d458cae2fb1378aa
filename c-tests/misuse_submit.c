/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: btwq_work_init, btwq_queue_init and btwq_queue_work refuse with BTWQ_EINVAL each
 * argument that is NULL, was never initialised or has no callbacks; nothing has changed then, and
 * what is in order still works.
 */
#include "common.h"

static btwq_pool pool = BTWQ_POOL_INIT(NULL);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "misuse");
static btwq_worker worker = BTWQ_WORKER_INIT(&pool);
static int called;

static void ordered_func(btwq_work *work)
{
    (void)work;
    called++;
}

static const btwq_work_ops ops = {NULL, ordered_func, NULL};
static const btwq_work_ops no_callbacks = {NULL, NULL, NULL};

static void still_works(void)
{
    btwq_work work = BTWQ_WORK_INIT(&ops);
    called = 0;
    SUBMIT(&queue, &work);
    CHECK_EQ(btwq_run_until_idle(&worker), 1);
    CHECK_EQ(called, 1);
}

/* Neither of the two may have changed. */
static void refused(btwq_queue *with, btwq_work *work)
{
    btwq_queue queue_before = BTWQ_QUEUE_INIT(NULL, NULL);
    btwq_work work_before = BTWQ_WORK_INIT(NULL);
    if (with != NULL)
        queue_before = *with;
    if (work != NULL)
        work_before = *work;
    CHECK_EQ(btwq_queue_work(with, work), BTWQ_EINVAL);
    CHECK(with == NULL || memcmp(with, &queue_before, sizeof(queue_before)) == 0);
    CHECK(work == NULL || memcmp(work, &work_before, sizeof(work_before)) == 0);
    CHECK_EQ(btwq_run_until_idle(&worker), 0);
    still_works();
}

static void refused_by_init(void)
{
    btwq_work work;
    btwq_queue other;
    CHECK_EQ(btwq_work_init(NULL, &ops), BTWQ_EINVAL);
    CHECK_EQ(btwq_work_init(&work, NULL), BTWQ_EINVAL);
    CHECK_EQ(btwq_work_init(NULL, NULL), BTWQ_EINVAL);
    CHECK_EQ(btwq_work_init(&work, &no_callbacks), BTWQ_EINVAL);
    CHECK_EQ(btwq_queue_init(NULL, &pool, "misuse"), BTWQ_EINVAL);
    CHECK_EQ(btwq_queue_init(&other, NULL, "misuse"), BTWQ_EINVAL);
    CHECK_EQ(btwq_queue_init(NULL, NULL, NULL), BTWQ_EINVAL);
    still_works();
}

static void init_leaves_memory_alone(void)
{
    btwq_work work = BTWQ_WORK_INIT(&ops), work_before = work;
    btwq_queue other = BTWQ_QUEUE_INIT(&pool, "misuse"), queue_before = other;
    CHECK_EQ(btwq_work_init(&work, NULL), BTWQ_EINVAL);
    CHECK_EQ(btwq_work_init(&work, &no_callbacks), BTWQ_EINVAL);
    CHECK(memcmp(&work, &work_before, sizeof(work)) == 0);
    CHECK_EQ(btwq_queue_init(&other, NULL, NULL), BTWQ_EINVAL);
    CHECK(memcmp(&other, &queue_before, sizeof(other)) == 0);
}

/* The macros check nothing; first use does. */
static void refused_by_first_use(void)
{
    btwq_work good = BTWQ_WORK_INIT(&ops);
    btwq_work no_ops = BTWQ_WORK_INIT(NULL), empty = BTWQ_WORK_INIT(&no_callbacks);
    btwq_queue no_pool = BTWQ_QUEUE_INIT(NULL, "misuse");
    refused(NULL, &good);
    refused(&queue, NULL);
    refused(NULL, NULL);
    refused(&queue, &no_ops);
    refused(&queue, &empty);
    refused(&no_pool, &good);
    SUBMIT(&queue, &good); /* It has been refused so often, and is as good as new. */
    CHECK_EQ(btwq_run_until_idle(&worker), 1);
}

static void never_initialised(int fill)
{
    btwq_work good = BTWQ_WORK_INIT(&ops), work;
    btwq_queue other, strays;
    btwq_pool nothing;
    memset(&work, fill, sizeof(work));
    memset(&other, fill, sizeof(other));
    memset(&nothing, fill, sizeof(nothing));
    refused(&queue, &work);
    refused(&other, &good);
    refused(&other, &work);
    CHECK_EQ(btwq_queue_init(&strays, &nothing, NULL), BTWQ_OK); /* Its pool may come later. */
    refused(&strays, &good);
}

int main(void)
{
    check_begin();
    refused_by_init();
    init_leaves_memory_alone();
    refused_by_first_use();
    never_initialised(0x00);
    never_initialised(0xff);
    never_initialised(0xa5);
    DESTROY(&pool);
    return check_end();
}

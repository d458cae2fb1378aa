/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: btwq_queue_try_work queues a work if less than the bound are in flight, in both lanes
 * together, and otherwise refuses it with BTWQ_EAGAIN and changes nothing. A work is in flight from
 * its submission, of whichever kind, until its last callback has returned. Other submissions never
 * fail for the bound. It may be changed at any time; 0 is none.
 */
#include "common.h"

enum { BOUND = 3, WORKS = 8 };

static btwq_pool pool = BTWQ_POOL_INIT(NULL);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "bound");
static btwq_control control = BTWQ_CONTROL_INIT;
static btwq_worker worker = BTWQ_WORKER_INIT(&pool);
static btwq_work works[WORKS];
static unsigned called;

static void callback(btwq_work *work)
{
    (void)work;
    called++;
}

static const btwq_work_ops ops = {NULL, callback, NULL};

static void prepare(unsigned i, const btwq_work_ops *its_ops)
{
    CHECK_EQ(btwq_work_init(&works[i], its_ops), BTWQ_OK);
    CHECK_EQ(btwq_work_set_high_priority(&works[i], (int)i % 2), BTWQ_OK); /* both lanes */
}

static void set_bound(uint32_t bound)
{
    CHECK_EQ(btwq_queue_set_bound(&queue, bound), BTWQ_OK);
}

static void taken(unsigned i)
{
    CHECK_EQ(btwq_queue_try_work(&queue, &works[i]), BTWQ_OK);
}

static void refused(unsigned i)
{
    const btwq_work before = works[i];
    CHECK_EQ(btwq_queue_try_work(&queue, &works[i]), BTWQ_EAGAIN);
    CHECK(memcmp(&before, &works[i], sizeof(before)) == 0);
}

static void run(unsigned n)
{
    for (; n > 0; n--)
        CHECK_EQ(btwq_run_one(&worker), 1);
}

/* Nothing is left, and as many as the bound have room. */
static void all_room(unsigned bound)
{
    unsigned i;
    CHECK_EQ(btwq_run_one(&worker), 0);
    for (i = 0; i <= bound; i++)
        prepare(i, &ops);
    for (i = 0; i < bound; i++)
        taken(i);
    refused(bound);
    run(bound);
}

static void up_to_the_bound(void)
{
    unsigned i;
    for (i = 0; i < WORKS; i++)
        prepare(i, &ops);
    for (i = 0; i < BOUND; i++)
        taken(i);
    refused(BOUND);
    refused(BOUND + 1);
    run(1);
    taken(BOUND); /* What was refused is as good as new. */
    refused(BOUND + 1);
    run(BOUND);
    all_room(BOUND);
}

static void others_count_and_never_fail(void)
{
    btwq_work *const batch[2] = {&works[3], &works[4]};
    unsigned i;
    for (i = 0; i < WORKS; i++)
        prepare(i, &ops);
    SUBMIT(&queue, &works[0]);
    SUBMIT(&queue, &works[1]);
    taken(2);
    CHECK_EQ(btwq_queue_work_batch(&queue, batch, 2), BTWQ_OK);
    SUBMIT(&queue, &works[5]);
    refused(6);
    run(3); /* Of six. */
    refused(6);
    run(1);
    taken(6);
    run(BOUND);
    all_room(BOUND);
}

/* The only work that there may be, still running, has no successor yet. */
static void last_callback(btwq_work *work)
{
    CHECK(work == &works[0]);
    refused(1);
    called++;
}

static void until_its_last_callback_has_returned(void)
{
    static const btwq_work_ops last[] = {
        {last_callback, NULL, NULL},
        {callback, last_callback, NULL},
        {callback, callback, last_callback},
    };
    unsigned i;
    set_bound(1);
    for (i = 0; i < sizeof(last) / sizeof(last[0]); i++) {
        prepare(0, &last[i]);
        prepare(1, &ops);
        called = 0;
        taken(0);
        run(1);
        CHECK_EQ(called, i + 1);
        taken(1);
        run(1);
        all_room(1);
    }
    set_bound(BOUND);
}

/* Works whose func is over, or will never run, are in flight all the same. */
static void asynchronous_and_cancelled(void)
{
    static const btwq_work_ops func_alone = {callback, NULL, NULL};
    prepare(0, &ops);
    prepare(1, &func_alone);
    prepare(2, &ops);
    prepare(3, &ops);
    CHECK_EQ(btwq_work_set_async(&works[0]), BTWQ_OK);
    taken(0);
    taken(1);
    taken(2); /* behind the first, of its lane */
    CHECK_EQ(btwq_work_cancel(&works[1]), BTWQ_OK);
    CHECK_EQ(btwq_work_cancel(&works[2]), BTWQ_OK);
    refused(3);
    called = 0;
    CHECK(btwq_run_until_idle(&worker) >= 1);
    CHECK_EQ(called, 0);
    taken(3); /* in the place of the second, which ended in silence */
    run(1);
    taken(3);
    refused(4);
    run(1);
    CHECK_EQ(btwq_work_complete(&works[0], 0), BTWQ_OK);
    CHECK(btwq_run_until_idle(&worker) >= 1);
    CHECK_EQ(called, 4);
    all_room(BOUND);
}

static void set_while_full(void)
{
    unsigned i;
    for (i = 0; i < WORKS; i++)
        prepare(i, &ops);
    for (i = 0; i < BOUND; i++)
        taken(i);
    set_bound(BOUND + 1);
    taken(BOUND);
    set_bound(BOUND - 1);
    refused(BOUND + 1);
    run(2); /* BOUND - 1 are left. */
    refused(BOUND + 1);
    run(1);
    taken(BOUND + 1);
    set_bound(0);
    for (i = BOUND + 2; i < WORKS; i++)
        taken(i);
    CHECK(btwq_run_until_idle(&worker) >= 1);
    set_bound(BOUND);
    all_room(BOUND);
}

/* A call that is refused for something else takes no room. */
static void errors_take_no_room(void)
{
    static const btwq_work_ops no_callbacks = {NULL, NULL, NULL};
    btwq_work chance, no_ops = BTWQ_WORK_INIT(NULL), empty = BTWQ_WORK_INIT(&no_callbacks);
    memset(&chance, 0, sizeof(chance));
    prepare(0, &ops);
    taken(0);
    CHECK_EQ(btwq_queue_try_work(&queue, &works[0]), BTWQ_EBUSY);
    CHECK_EQ(btwq_queue_try_work(&queue, NULL), BTWQ_EINVAL);
    CHECK_EQ(btwq_queue_try_work(&queue, &chance), BTWQ_EINVAL);
    CHECK_EQ(btwq_queue_try_work(&queue, &no_ops), BTWQ_EINVAL);
    CHECK_EQ(btwq_queue_try_work(&queue, &empty), BTWQ_EINVAL);
    prepare(1, &ops);
    prepare(2, &ops);
    prepare(3, &ops);
    taken(1);
    taken(2);
    refused(3);
    run(BOUND);
    all_room(BOUND);
}

int main(void)
{
    check_begin();
    REQUIRE_EQ(btwq_queue_set_control(&queue, &control), BTWQ_OK);
    set_bound(BOUND);
    up_to_the_bound();
    others_count_and_never_fail();
    until_its_last_callback_has_returned();
    asynchronous_and_cancelled();
    set_while_full();
    errors_take_no_room();
    DESTROY(&pool);
    return check_end();
}

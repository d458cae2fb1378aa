/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: a work that is cancelled before its func is claimed keeps its place: its ordered
 * callbacks run in their turn, with the status BTWQ_ECANCELED, and its func does not. Afterwards,
 * and when it is not queued, btwq_work_cancel says BTWQ_EBUSY and changes nothing. Any callback and
 * any signal handler may cancel any work.
 */
#include "trace.h"

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "cancel");
static btwq_worker worker = BTWQ_WORKER_INIT(&pool);
static struct traced a, b, c;

static void init(const btwq_work_ops *ops)
{
    traced_init(&a, 'A', ops);
    traced_init(&b, 'B', ops);
    traced_init(&c, 'C', ops);
}

static void submit_all(void)
{
    SUBMIT(&queue, &a.work);
    SUBMIT(&queue, &b.work);
    SUBMIT(&queue, &c.work);
}

static void run(void)
{
    CHECK(btwq_run_until_idle(&worker) >= 0);
}

static void keeps_its_place(void)
{
    init(&traced_all);
    submit_all();
    CHECK_EQ(btwq_work_cancel(&b.work), BTWQ_OK);
    run();
    EXPECT("fA oA rA oB! rB! fC oC rC");
    submit_all(); /* In the next life it is as any other. */
    CHECK_EQ(btwq_work_cancel(&a.work), BTWQ_OK);
    CHECK_EQ(btwq_work_cancel(&c.work), BTWQ_OK);
    run();
    EXPECT("oA! rA! fB oB rB oC! rC!");
}

static void whatever_callbacks_it_has(void)
{
    init(&traced_ordered);
    submit_all();
    CHECK_EQ(btwq_work_cancel(&b.work), BTWQ_OK);
    run();
    EXPECT("oA rA oB! rB! oC rC");
    init(&traced_short);
    submit_all();
    CHECK_EQ(btwq_work_cancel(&a.work), BTWQ_OK);
    run();
    EXPECT("oA! fB oB fC oC");
}

/* It is yours again when a flush says so. */
static void func_alone_ends_in_silence(void)
{
    init(&traced_func);
    submit_all();
    CHECK_EQ(btwq_work_cancel(&b.work), BTWQ_OK);
    CHECK_EQ(btwq_queue_work(&queue, &b.work), BTWQ_EBUSY);
    run();
    EXPECT("fA fC");
    CHECK_EQ(btwq_work_flush(&b.work), BTWQ_OK);
    SUBMIT(&queue, &b.work);
    run();
    EXPECT("fB");
}

static void in_the_high_lane(void)
{
    init(&traced_all);
    CHECK_EQ(btwq_work_set_high_priority(&b.work, 1), BTWQ_OK);
    CHECK_EQ(btwq_work_set_high_priority(&c.work, 1), BTWQ_OK);
    submit_all();
    CHECK_EQ(btwq_work_cancel(&b.work), BTWQ_OK);
    run();
    EXPECT("oB! rB! fC oC rC fA oA rA");
}

static void in_a_batch(void)
{
    btwq_work *const works[] = {&a.work, &b.work, &c.work};
    init(&traced_all);
    REQUIRE_EQ(btwq_queue_work_batch(&queue, works, 3), BTWQ_OK);
    CHECK_EQ(btwq_work_cancel(&a.work), BTWQ_OK);
    CHECK_EQ(btwq_work_cancel(&b.work), BTWQ_OK);
    run();
    EXPECT("oA! rA! oB! rB! fC oC rC");
}

static void too_late_in_any_callback(struct traced *item, char stage)
{
    (void)stage;
    CHECK_EQ(btwq_work_cancel(&item->work), BTWQ_EBUSY);
}

static void too_late(void)
{
    init(&traced_all);
    CHECK_EQ(btwq_work_cancel(&a.work), BTWQ_EBUSY); /* not queued yet */
    a.act = too_late_in_any_callback;
    submit_all();
    run();
    EXPECT("fA oA rA fB oB rB fC oC rC");
    CHECK_EQ(btwq_work_cancel(&a.work), BTWQ_EBUSY); /* not queued any more */
    init(&traced_func);
    a.act = too_late_in_any_callback;
    submit_all();
    run();
    EXPECT("fA fB fC");
}

/* Its func is over, and its turn has not come. */
static void too_late_while_it_waits(void)
{
    init(&traced_all);
    CHECK_EQ(btwq_work_set_async(&a.work), BTWQ_OK);
    submit_all();
    run();
    EXPECT("fA fB fC");
    CHECK_EQ(btwq_work_cancel(&a.work), BTWQ_EBUSY);
    CHECK_EQ(btwq_work_cancel(&b.work), BTWQ_EBUSY);
    CHECK_EQ(btwq_work_complete(&a.work, 0), BTWQ_OK);
    run();
    EXPECT("oA rA oB rB oC rC");
}

static void again_until_it_has_ended(struct traced *item, char stage)
{
    CHECK_EQ(btwq_work_cancel(&item->work), stage == 'o' ? BTWQ_OK : BTWQ_EBUSY);
}

static void twice(void)
{
    init(&traced_all);
    b.act = again_until_it_has_ended;
    submit_all();
    CHECK_EQ(btwq_work_cancel(&b.work), BTWQ_OK);
    CHECK_EQ(btwq_work_cancel(&b.work), BTWQ_OK);
    run();
    EXPECT("fA oA rA oB! rB! fC oC rC");
}

static char cancelling_stage;

static void cancels_b(struct traced *item, char stage)
{
    (void)item;
    if (stage == cancelling_stage)
        CHECK_EQ(btwq_work_cancel(&b.work), BTWQ_OK);
}

static btwq_status result_in_handler;

static void on_signal(int number)
{
    (void)number;
    result_in_handler = btwq_work_cancel(&b.work);
}

static void raises(struct traced *item, char stage)
{
    (void)item;
    if (stage == cancelling_stage)
        raise(SIGUSR1);
}

static void by_another(void (*act)(struct traced *item, char stage), const char *stages)
{
    for (; *stages != '\0'; stages++) {
        init(&traced_all);
        a.act = act;
        cancelling_stage = *stages;
        submit_all();
        run();
        EXPECT("fA oA rA oB! rB! fC oC rC");
    }
}

int main(void)
{
    check_begin();
    signal(SIGUSR1, on_signal);
    keeps_its_place();
    whatever_callbacks_it_has();
    func_alone_ends_in_silence();
    in_the_high_lane();
    in_a_batch();
    too_late();
    too_late_while_it_waits();
    twice();
    by_another(cancels_b, "for");
    result_in_handler = 1;
    by_another(raises, "for");
    CHECK_EQ(result_in_handler, BTWQ_OK);
    DESTROY(&pool);
    return check_end();
}

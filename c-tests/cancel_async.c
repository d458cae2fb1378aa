/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: an asynchronous work that is cancelled waits for no completion. A completion that came
 * before counts all the same; one that comes after is an error and changes nothing. So whoever
 * began the work's I/O learns from the result whether the work was told of it.
 */
#include "trace.h"

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "cancel async");
static btwq_worker worker = BTWQ_WORKER_INIT(&pool);
static struct traced a, b;

static void submit_async(void)
{
    traced_init(&a, 'A', &traced_all);
    traced_init(&b, 'B', &traced_all);
    CHECK_EQ(btwq_work_set_async(&a.work), BTWQ_OK);
    SUBMIT(&queue, &a.work);
    SUBMIT(&queue, &b.work);
}

static void run(void)
{
    CHECK(btwq_run_until_idle(&worker) >= 0);
}

static void needs_no_completion(void)
{
    submit_async();
    CHECK_EQ(btwq_work_cancel(&a.work), BTWQ_OK);
    run();
    EXPECT("oA! rA! fB oB rB");
    CHECK_EQ(btwq_work_complete(&a.work, 7), BTWQ_EINVAL); /* not queued */
    SUBMIT(&queue, &a.work); /* nor is it asynchronous any more */
    run();
    EXPECT("fA oA rA");
}

static void completed_before(void)
{
    submit_async();
    CHECK_EQ(btwq_work_complete(&a.work, 7), BTWQ_OK);
    CHECK_EQ(btwq_work_cancel(&a.work), BTWQ_OK);
    run();
    EXPECT("oA=7 rA=7 fB oB rB");
}

static void completed_after(void)
{
    submit_async();
    CHECK_EQ(btwq_work_cancel(&a.work), BTWQ_OK);
    CHECK_EQ(btwq_work_complete(&a.work, 7), BTWQ_EBUSY);
    run();
    EXPECT("oA! rA! fB oB rB");
}

static void completes_itself(struct traced *item, char stage)
{
    if (stage == 'o')
        CHECK_EQ(btwq_work_complete(&item->work, 7), BTWQ_EBUSY);
    CHECK_EQ(btwq_work_status(&item->work), BTWQ_ECANCELED);
}

static void completed_in_its_callbacks(void)
{
    submit_async();
    a.act = completes_itself;
    CHECK_EQ(btwq_work_cancel(&a.work), BTWQ_OK);
    run();
    EXPECT("oA! rA! fB oB rB");
}

int main(void)
{
    check_begin();
    needs_no_completion();
    completed_before();
    completed_after();
    completed_in_its_callbacks();
    DESTROY(&pool);
    return check_end();
}

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: a queue may be freed when the last callback of its last work has returned on a thread
 * that was joined since, as btwq_pool_stop does, or in a call of btwq_run_one and its like that has
 * returned since. The pool goes on with other queues.
 */
#include "common.h"

enum { ROUNDS = 200, WORKS = 10, WORKERS = 2 };

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_worker worker = BTWQ_WORKER_INIT(&pool);
static struct tally end = TALLY_INIT;

static void ordered_free(btwq_work *work)
{
    free(work);
    tally_add(&end);
}

static const btwq_work_ops ops = {NULL, NULL, ordered_free};

static btwq_queue *new_queue(void)
{
    btwq_queue *queue = (btwq_queue *)malloc(sizeof(*queue));
    REQUIRE(queue != NULL);
    CHECK_EQ(btwq_queue_init(queue, &pool, NULL), BTWQ_OK);
    return queue;
}

static void submit_to(btwq_queue *queue)
{
    int i;
    for (i = 0; i < WORKS; i++) {
        btwq_work *work = (btwq_work *)malloc(sizeof(*work));
        REQUIRE(work != NULL);
        CHECK_EQ(btwq_work_init(work, &ops), BTWQ_OK);
        SUBMIT(queue, work);
    }
}

static void give_back(btwq_queue *queue)
{
    memset(queue, 0xff, sizeof(*queue));
    free(queue);
}

static void freed_after_a_call(void)
{
    btwq_queue *queue = new_queue();
    submit_to(queue);
    CHECK_EQ(btwq_run_until_idle(&worker), WORKS);
    give_back(queue);
}

static void freed_after_a_stop(void)
{
    btwq_queue *queue = new_queue();
    tally_reset(&end);
    START(&pool, WORKERS);
    submit_to(queue);
    tally_wait(&end, WORKS);
    STOP(&pool);
    give_back(queue);
}

int main(void)
{
    unsigned i;
    check_begin();
    for (i = check_count(ROUNDS, 5); i > 0; i--) {
        freed_after_a_call();
        freed_after_a_stop();
    }
    DESTROY(&pool);
    return check_end();
}

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: btwq_queue_drain leaves nothing behind, also what a callback of the queue was just
 * submitting when the drain began, and had not yet put into a lane.
 *
 * The callback is stopped in btwq_queue_work: the queue's control lies on a page that may not be
 * touched, and what the fault's handler does is what others do meanwhile: a drain begins, goes as
 * far as it can, and sleeps, since that callback has not returned.
 */
#include "waiters.h"

#include <sys/mman.h>

static btwq_pool pool = BTWQ_POOL_INIT(&waiters_port);
static btwq_queue queue;
static btwq_control *control; /* on a page of its own */
static btwq_worker worker = BTWQ_WORKER_INIT(&pool);
static size_t page;
static struct waiter waiter;
static enum waiting_call call;
static btwq_work first, second;
static int ended, is_protected, may_begin;

static void protect(int rights)
{
    is_protected = rights == PROT_NONE;
    if (mprotect(control, page, rights) != 0)
        abort();
}

static void on_fault(int number)
{
    if (!is_protected)
        signal(number, SIG_DFL); /* It is another fault. */
    __atomic_store_n(&may_begin, 1, __ATOMIC_SEQ_CST);
    waiters_settle(1);
    protect(PROT_READ | PROT_WRITE);
}

static void *wait_to_begin(void *argument)
{
    while (!__atomic_load_n(&may_begin, __ATOMIC_SEQ_CST))
        sched_yield();
    return waiters_body(argument);
}

static void submit_second(btwq_work *work)
{
    (void)work;
    protect(PROT_NONE);
    SUBMIT(&queue, &second);
}

static void last(btwq_work *work)
{
    (void)work;
    CHECK_EQ(waiters_gone(), 0);
    ended++;
}

static const btwq_work_ops first_ops[] = {
    {submit_second, NULL, NULL}, {submit_second, NULL, last}, {NULL, submit_second, NULL}};
static const btwq_work_ops second_ops[] = {{last, NULL, NULL}, {NULL, last, NULL}};

static void stopped_in_its_submission(unsigned kinds, unsigned lanes)
{
    unsigned i;
    CHECK_EQ(btwq_queue_init(&queue, &pool, "drain against submit"), BTWQ_OK);
    CHECK_EQ(btwq_control_init(control), BTWQ_OK);
    CHECK_EQ(btwq_queue_set_control(&queue, control), BTWQ_OK);
    CHECK_EQ(btwq_work_init(&first, &first_ops[kinds % 3]), BTWQ_OK);
    CHECK_EQ(btwq_work_init(&second, &second_ops[kinds / 3]), BTWQ_OK);
    CHECK_EQ(btwq_work_set_high_priority(&first, (int)(lanes & 1)), BTWQ_OK);
    CHECK_EQ(btwq_work_set_high_priority(&second, (int)(lanes & 2)), BTWQ_OK);
    ended = kinds % 3 == 1 ? -1 : 0; /* That kind ends by `last` itself. */
    may_begin = 0;
    waiter.call = call;
    waiter.queue = &queue;
    waiter.thread = thread_start(wait_to_begin, &waiter);
    SUBMIT(&queue, &first);
    CHECK_EQ(btwq_run_one(&worker), 1);
    for (i = 0; i < 50; i++)
        sched_yield(); /* A drain that forgets the second work returns now. */
    REQUIRE(waiters_gone() == 0 || ended == 1);
    waiters_serve(&worker, 1);
    REQUIRE_EQ(ended, 1);
    waiters_join(&waiter, 1, BTWQ_OK);
}

int main(void)
{
    unsigned kinds, lanes;
    void *memory;
    check_begin();
    waiters_set_up();
    page = (size_t)sysconf(_SC_PAGESIZE);
    REQUIRE(sizeof(*control) <= page);
    memory = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(memory != MAP_FAILED);
    control = (btwq_control *)memory;
    signal(SIGSEGV, on_fault);
    for (lanes = 0; lanes < 4; lanes++) {
        for (kinds = 0; kinds < 6; kinds++) {
            call = QUEUE_DRAIN;
            stopped_in_its_submission(kinds, lanes);
            call = QUEUE_DESTROY;
            stopped_in_its_submission(kinds, lanes);
        }
    }
    DESTROY(&pool);
    return check_end();
}

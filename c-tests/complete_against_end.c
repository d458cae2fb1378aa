/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: a cancelled work needs no completion, so its completion may come when it has ended, and
 * also just while it ends: then that is refused, and nothing of the work, or of its next life, has
 * changed.
 *
 * The completer is stopped where it first writes to the work, after it has looked at it: the work's
 * page may only be read then, and what the fault's handler does is what others do meanwhile.
 */
#include "common.h"

#include <sys/mman.h>

enum { RESULT = 7 };

static btwq_pool pool = BTWQ_POOL_INIT(NULL);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "complete against end");
static btwq_worker worker = BTWQ_WORKER_INIT(&pool);
static btwq_work *work; /* on a page of its own */
static size_t page;
static int32_t status;
static unsigned funcs, ended;

static void func(btwq_work *w)
{
    (void)w;
    funcs++;
}

static void last(btwq_work *w)
{
    status = btwq_work_status(w);
    ended++;
}

static const btwq_work_ops ops = {func, last, NULL};

static int is_protected;

static void protect(int rights)
{
    is_protected = rights == PROT_READ;
    if (mprotect(work, page, rights) != 0)
        abort();
}

static void on_fault(int number)
{
    if (!is_protected)
        signal(number, SIG_DFL); /* It is another fault. */
    protect(PROT_READ | PROT_WRITE);
    if (btwq_run_until_idle(&worker) != 1)
        abort();
}

static void submit_async(void)
{
    CHECK_EQ(btwq_work_set_async(work), BTWQ_OK);
    SUBMIT(&queue, work);
}

static void refused_while_it_ends(void)
{
    submit_async();
    CHECK_EQ(btwq_work_cancel(work), BTWQ_OK);
    protect(PROT_READ);
    CHECK(btwq_work_complete(work, RESULT) < 0);
    protect(PROT_READ | PROT_WRITE); /* in case that it was refused without a write */
    CHECK(btwq_run_until_idle(&worker) >= 0);
    CHECK_EQ(ended, 1);
    CHECK_EQ(status, BTWQ_ECANCELED);
    CHECK_EQ(btwq_work_status(work), BTWQ_ECANCELED);
}

static void next_life_is_complete_by_itself(void)
{
    submit_async();
    CHECK_EQ(btwq_run_until_idle(&worker), 1);
    CHECK_EQ(funcs, 1);
    CHECK_EQ(ended, 1);
    CHECK_EQ(btwq_work_complete(work, RESULT), BTWQ_OK);
    CHECK_EQ(btwq_run_until_idle(&worker), 1);
    CHECK_EQ(ended, 2);
    CHECK_EQ(status, RESULT);
}

int main(void)
{
    void *memory;
    check_begin();
    page = (size_t)sysconf(_SC_PAGESIZE);
    memory = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(memory != MAP_FAILED);
    work = (btwq_work *)memory;
    CHECK_EQ(btwq_work_init(work, &ops), BTWQ_OK);
    signal(SIGSEGV, on_fault);
    refused_while_it_ends();
    next_life_is_complete_by_itself();
    DESTROY(&pool);
    return check_end();
}

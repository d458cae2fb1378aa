/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: a queue runs on GLib's thread pool as its executor. A pair of helper and work is all
 * that is pushed there; pushing is allowed from every thread, and so from wherever works are
 * dispatched.
 */
#include "blocks.h"

#include <glib.h>

enum { THREADS = 3 };

struct pair {
    btwq_func_t helper;
    btwq_work *work;
};

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST); /* for its port; nobody runs it */
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "glib");

static void call(gpointer data, gpointer nothing)
{
    const struct pair pair = *(const struct pair *)data;
    (void)nothing;
    g_free(data);
    pair.helper(pair.work);
}

static void dispatch(void *arg, btwq_func_t helper, btwq_work *work)
{
    struct pair *pair = g_new(struct pair, 1);
    pair->helper = helper;
    pair->work = work;
    CHECK(g_thread_pool_push(*(GThreadPool **)arg, pair, NULL));
}

BTWQ_DEFINE_HELPER(help);

static GThreadPool *threads;
static const btwq_executor executor = {dispatch, help, &threads};

int main(void)
{
    check_begin();
    threads = g_thread_pool_new(call, NULL, THREADS, TRUE, NULL);
    REQUIRE(threads != NULL);
    REQUIRE_EQ(btwq_queue_set_executor(&queue, &executor), BTWQ_OK);
    blocks_run(&queue);
    CHECK_EQ(g_thread_pool_unprocessed(threads), 0);
    g_thread_pool_free(threads, FALSE, TRUE);
    DESTROY(&pool);
    return check_end();
}

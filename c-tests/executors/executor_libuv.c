/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: a queue runs on libuv's thread pool as its executor. Works are dispatched on all
 * threads, but only the loop's own may call uv_queue_work: so they wait in a line, and
 * uv_async_send, which any thread may call, gets the loop to take them from there.
 *
 * A request has memory of its own: libuv holds on to it until the loop has heard of its end, and
 * the work may be gone by then.
 */
#include "blocks.h"

#include <uv.h>

struct request {
    uv_work_t uv;
    btwq_func_t helper;
    btwq_work *work;
    struct request *next;
};

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST); /* for its port; nobody runs it */
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "libuv");

static uv_loop_t loop;
static uv_async_t bell;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct request *first, **last = &first;
static int over;

static void dispatch(void *arg, btwq_func_t helper, btwq_work *work)
{
    struct request *request = (struct request *)malloc(sizeof(*request));
    REQUIRE(request != NULL);
    request->helper = helper;
    request->work = work;
    request->next = NULL;
    pthread_mutex_lock(&lock);
    *last = request;
    last = &request->next;
    pthread_mutex_unlock(&lock);
    REQUIRE_EQ(uv_async_send((uv_async_t *)arg), 0);
}

static void call(uv_work_t *uv)
{
    const struct request *request = CONTAINER_OF(uv, struct request, uv);
    request->helper(request->work);
}

static void called(uv_work_t *uv, int status)
{
    CHECK_EQ(status, 0);
    free(CONTAINER_OF(uv, struct request, uv));
}

/* On the loop. */
static void take(uv_async_t *async)
{
    struct request *request;
    int is_over;
    pthread_mutex_lock(&lock);
    request = first;
    first = NULL;
    last = &first;
    is_over = over;
    pthread_mutex_unlock(&lock);
    while (request != NULL) {
        struct request *next = request->next;
        REQUIRE_EQ(uv_queue_work(&loop, &request->uv, call, called), 0);
        request = next;
    }
    if (is_over)
        uv_close((uv_handle_t *)async, NULL);
}

BTWQ_DEFINE_HELPER(help);
static const btwq_executor executor = {dispatch, help, &bell};

/* The loop's thread has to run the loop, so it is another one that waits. */
static void *submitter(void *nothing)
{
    blocks_run(&queue);
    pthread_mutex_lock(&lock);
    over = 1;
    pthread_mutex_unlock(&lock);
    CHECK_EQ(uv_async_send(&bell), 0);
    return nothing;
}

int main(void)
{
    pthread_t thread;
    check_begin();
    REQUIRE_EQ(uv_loop_init(&loop), 0);
    REQUIRE_EQ(uv_async_init(&loop, &bell, take), 0);
    REQUIRE_EQ(btwq_queue_set_executor(&queue, &executor), BTWQ_OK);
    thread = thread_start(submitter, NULL);
    CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
    thread_join(thread);
    CHECK_EQ(uv_loop_close(&loop), 0);
    DESTROY(&pool);
    return check_end();
}

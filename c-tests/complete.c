/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: an asynchronous work is done when its func has returned and it was completed, in
 * whichever order and from wherever; its ordered callbacks find the status, see what was written
 * before the completion, keep the order, and never run in the call that completes.
 */
#include "common.h"

enum { WORKS = 20000, WORKERS = 2 };

/* Who completes a work, and when. */
enum completer { NOBODY, SUBMITTER, FUNC, OTHER, SIGNAL, COMPLETERS };

struct item {
    btwq_work work;
    unsigned place;
    enum completer completer;
    unsigned written; /* before the completion, by whoever completes */
};

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "complete");
static struct item items[WORKS];
static struct tally end = TALLY_INIT;
static unsigned works, called;

/* What waits for the other thread: places plus one, 0 for none yet. */
static unsigned mailbox[WORKS], mailbox_used;

/* The thread's own: is it in the midst of a completion, and which one is its signal to do? */
static __thread int completing;
static __thread struct item *for_signal;

static struct item *item_of(btwq_work *work)
{
    return CONTAINER_OF(work, struct item, work);
}

static int status_of(const struct item *item)
{
    return item->completer == NOBODY ? 0 : -(int)item->place - 1;
}

static void complete(struct item *item)
{
    item->written = item->place;
    completing = 1;
    if (btwq_work_complete(&item->work, status_of(item)) != BTWQ_OK)
        abort();
    completing = 0;
}

static void on_signal(int number)
{
    (void)number;
    complete(for_signal);
}

static void func(btwq_work *work)
{
    struct item *item = item_of(work);
    spin(scramble(item->place) % 200);
    if (item->completer == FUNC || item->completer == OTHER || item->completer == SIGNAL)
        CHECK_EQ(btwq_work_set_async(work), BTWQ_OK);
    if (item->completer == FUNC) {
        complete(item);
    } else if (item->completer == SIGNAL) {
        for_signal = item;
        raise(SIGUSR1);
    } else if (item->completer == OTHER) {
        const unsigned at = __atomic_fetch_add(&mailbox_used, 1, __ATOMIC_RELAXED);
        __atomic_store_n(&mailbox[at], item->place + 1, __ATOMIC_RELEASE);
    }
}

static void ordered_func(btwq_work *work)
{
    const struct item *item = item_of(work);
    CHECK(!completing);
    CHECK_EQ(item->place, called);
    CHECK_EQ(btwq_work_status(work), status_of(item));
    CHECK_EQ(item->written, item->completer == NOBODY ? 0 : item->place);
    if (++called == works)
        tally_add(&end);
}

static const btwq_work_ops ops = {func, ordered_func, NULL};

static void *other_body(void *argument)
{
    unsigned done = 0, i;
    unsigned *count = (unsigned *)argument;
    while (done < *count) {
        const unsigned place = __atomic_load_n(&mailbox[done], __ATOMIC_ACQUIRE);
        if (place == 0)
            continue; /* A test may spin. */
        for (i = 0; i < scramble(place) % 100; i++)
            spin(1);
        complete(&items[place - 1]);
        done++;
    }
    return NULL;
}

static void everyone_completes(void)
{
    unsigned i, others = 0;
    pthread_t other;
    works = check_count(WORKS, 100);
    for (i = 0; i < works; i++) {
        items[i].place = i;
        items[i].completer = (enum completer)(scramble(i) % COMPLETERS);
        others += items[i].completer == OTHER;
    }
    START(&pool, WORKERS);
    other = thread_start(other_body, &others);
    for (i = 0; i < works; i++) {
        CHECK_EQ(btwq_work_init(&items[i].work, &ops), BTWQ_OK);
        if (items[i].completer == SUBMITTER)
            CHECK_EQ(btwq_work_set_async(&items[i].work), BTWQ_OK);
        SUBMIT(&queue, &items[i].work);
        if (items[i].completer == SUBMITTER)
            complete(&items[i]); /* Before its func has run, or after, or meanwhile. */
    }
    thread_join(other);
    tally_wait(&end, 1);
    STOP(&pool);
}

static void refusals(void)
{
    static btwq_worker worker = BTWQ_WORKER_INIT(&pool);
    static struct item item;
    btwq_work chance;
    memset(&chance, 0, sizeof(chance));
    CHECK_EQ(btwq_work_set_async(NULL), BTWQ_EINVAL);
    CHECK_EQ(btwq_work_set_async(&chance), BTWQ_EINVAL);
    CHECK_EQ(btwq_work_complete(NULL, 0), BTWQ_EINVAL);
    CHECK_EQ(btwq_work_complete(&chance, 0), BTWQ_EINVAL);
    CHECK_EQ(btwq_work_status(NULL), BTWQ_EINVAL);

    called = works = 0;
    item.completer = NOBODY;
    CHECK_EQ(btwq_work_init(&item.work, &ops), BTWQ_OK);
    CHECK_EQ(btwq_work_complete(&item.work, -1), BTWQ_EINVAL); /* not queued */
    SUBMIT(&queue, &item.work);
    CHECK_EQ(btwq_work_complete(&item.work, -1), BTWQ_EINVAL); /* not asynchronous */
    CHECK_EQ(btwq_run_until_idle(&worker), 1);
    CHECK_EQ(called, 1);

    called = 0;
    item.completer = SUBMITTER; /* which expects the status -1 */
    CHECK_EQ(btwq_work_set_async(&item.work), BTWQ_OK);
    SUBMIT(&queue, &item.work);
    CHECK_EQ(btwq_work_complete(&item.work, -1), BTWQ_OK);
    CHECK_EQ(btwq_work_complete(&item.work, -2), BTWQ_EBUSY); /* twice */
    CHECK_EQ(called, 0);
    CHECK_EQ(btwq_run_until_idle(&worker), 1);
    CHECK_EQ(called, 1);
    CHECK_EQ(btwq_work_status(&item.work), -1);
}

int main(void)
{
    check_begin();
    signal(SIGUSR1, on_signal);
    everyone_completes();
    refusals();
    DESTROY(&pool);
    return check_end();
}

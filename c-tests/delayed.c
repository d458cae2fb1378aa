/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: a delayed work runs when its delay is over and not a tick before; in the order of those
 * times, of equal ones in the order of submission; however far the clock goes between two calls of
 * btwq_pool_tick, and across its wrap. That call says exactly in how many ticks it is needed again.
 * A work takes its place in the order of its queue when its delay ends.
 */
#include "handclock.h"

enum { WORKS = 6 };

/* Each work has a letter, and adds it to the trace when it runs. */
struct item {
    btwq_work work;
    char letter;
};

static btwq_pool pool = BTWQ_POOL_INIT(&handclock_port);
static btwq_timers timers = BTWQ_TIMERS_INIT;
static btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "delayed");
static btwq_worker worker = BTWQ_WORKER_INIT(&pool);
static struct item items[WORKS];
static char trace[64];

static void ordered_func(btwq_work *work)
{
    const size_t length = strlen(trace);
    REQUIRE(length + 1 < sizeof(trace));
    trace[length] = CONTAINER_OF(work, struct item, work)->letter;
    trace[length + 1] = '\0';
}

static const btwq_work_ops ops = {NULL, ordered_func, NULL};
static const btwq_work_ops func_alone = {ordered_func, NULL, NULL};

static btwq_work *prepare(char letter, const btwq_work_ops *its_ops)
{
    struct item *item = &items[letter - 'a'];
    item->letter = letter;
    CHECK_EQ(btwq_work_init(&item->work, its_ops), BTWQ_OK);
    return &item->work;
}

static void delay(char letter, uint32_t ticks)
{
    CHECK_EQ(btwq_queue_work_delayed(&queue, prepare(letter, &ops), ticks), BTWQ_OK);
}

static void queue_now(char letter)
{
    SUBMIT(&queue, prepare(letter, &ops));
}

static void tick(int32_t again_in)
{
    CHECK_EQ(btwq_pool_tick(&pool), again_in);
}

static void ran(const char *letters)
{
    CHECK(btwq_run_until_idle(&worker) >= 0);
    CHECK(strcmp(trace, letters) == 0);
    if (strcmp(trace, letters) != 0)
        fprintf(stderr, "\"%s\", not \"%s\"\n", trace, letters);
    trace[0] = '\0';
}

static void not_a_tick_before(uint32_t ticks)
{
    delay('a', ticks);
    ran("");
    tick((int32_t)ticks);
    ran("");
    handclock_advance(ticks - 1);
    tick(1);
    ran("");
    handclock_advance(1);
    ran(""); /* Not by the clock alone. */
    tick(INT32_MAX);
    ran("a");
    tick(INT32_MAX);
    ran("");
}

static void delay_four(void)
{
    delay('a', 30);
    delay('b', 10);
    delay('c', 20);
    delay('d', 20);
}

static void one_time_after_the_other(void)
{
    delay_four();
    tick(10);
    handclock_advance(10);
    tick(10);
    ran("b");
    handclock_advance(10);
    tick(10);
    ran("cd");
    handclock_advance(9);
    tick(1);
    ran("");
    handclock_advance(1);
    tick(INT32_MAX);
    ran("a");
}

static void late(uint32_t ticks)
{
    delay_four();
    delay('e', BTWQ_MAX_DELAY);
    handclock_advance(ticks);
    tick(BTWQ_MAX_DELAY - (int32_t)ticks);
    ran("bcda");
    handclock_advance(BTWQ_MAX_DELAY - ticks);
    tick(INT32_MAX);
    ran("e");
}

/* Different delays that end at one time: who was submitted first is first. */
static void equal_times(uint32_t first)
{
    delay('a', first);
    handclock_advance(first / 2);
    delay('b', first - first / 2);
    tick((int32_t)(first - first / 2));
    delay('c', first - first / 2);
    handclock_advance(first - first / 2 - 1);
    tick(1);
    delay('d', 1);
    delay('f', 0);
    delay('e', 1);
    tick(1);
    ran("f");
    handclock_advance(1);
    tick(INT32_MAX);
    ran("abcde");
}

static void no_delay(void)
{
    delay('a', 0);
    delay('b', 1);
    tick(1);
    ran("a");
    delay('c', 0);
    handclock_advance(1);
    tick(INT32_MAX);
    ran("cb"); /* c's time was before b's */
}

/* As long as works wait, new ones may be delayed as long as any, when those before are late too. */
static void the_longest_behind_the_longest(uint32_t late_by)
{
    delay('a', BTWQ_MAX_DELAY);
    tick(BTWQ_MAX_DELAY);
    handclock_advance(BTWQ_MAX_DELAY + late_by);
    delay('b', BTWQ_MAX_DELAY);
    tick(BTWQ_MAX_DELAY);
    ran("a");
    handclock_advance(BTWQ_MAX_DELAY - 1);
    delay('c', BTWQ_MAX_DELAY);
    tick(1);
    ran("");
    handclock_advance(1);
    tick(BTWQ_MAX_DELAY - 1);
    ran("b");
    handclock_advance(BTWQ_MAX_DELAY - 1);
    tick(INT32_MAX);
    ran("c");
}

static void sooner_ones_come_later(void)
{
    delay('a', 100000);
    tick(100000);
    delay('b', 500);
    tick(500);
    delay('c', 3);
    tick(3);
    handclock_advance(1);
    tick(2);
    handclock_advance(2);
    tick(497);
    ran("c");
    handclock_advance(497);
    tick(99500);
    ran("b");
    handclock_advance(99500);
    tick(INT32_MAX);
    ran("a");
}

static void the_place_is_taken_when_the_delay_ends(void)
{
    delay('a', 5);
    queue_now('b');
    handclock_advance(5);
    tick(INT32_MAX);
    queue_now('c');
    ran("bac");
    delay('a', 5);
    queue_now('b');
    ran("b");
    handclock_advance(5);
    tick(INT32_MAX);
    ran("a");
}

static void func_alone_too(void)
{
    CHECK_EQ(btwq_queue_work_delayed(&queue, prepare('a', &func_alone), 2), BTWQ_OK);
    handclock_advance(1);
    tick(1);
    ran("");
    handclock_advance(1);
    tick(INT32_MAX);
    ran("a");
}

/* Whatever is done with a work that is delayed: it is queued. */
static void delayed_is_queued(void)
{
    btwq_work *const work = &items[0].work;
    delay('a', 4);
    CHECK_EQ(btwq_queue_work_delayed(&queue, work, 1), BTWQ_EBUSY);
    CHECK_EQ(btwq_queue_work(&queue, work), BTWQ_EBUSY);
    CHECK_EQ(btwq_queue_work_batch(&queue, &work, 1), BTWQ_EBUSY);
    CHECK_EQ(btwq_queue_try_work(&queue, work), BTWQ_EBUSY);
    CHECK_EQ(btwq_work_set_high_priority(work, 1), BTWQ_EBUSY);
    handclock_advance(3);
    tick(1);
    ran("");
    handclock_advance(1);
    tick(INT32_MAX);
    CHECK_EQ(btwq_queue_work_delayed(&queue, work, 1), BTWQ_EBUSY);
    ran("a");
    queue_now('b');
    CHECK_EQ(btwq_queue_work_delayed(&queue, &items[1].work, 1), BTWQ_EBUSY);
    ran("b");
    tick(INT32_MAX);
    ran("");
}

static void all(uint32_t begin)
{
    handclock_set(begin);
    not_a_tick_before(1);
    not_a_tick_before(10);
    not_a_tick_before(1000000);
    not_a_tick_before(BTWQ_MAX_DELAY);
    handclock_set(begin);
    one_time_after_the_other();
    late(30);
    late(31);
    late(100000);
    late(BTWQ_MAX_DELAY - 1);
    handclock_set(begin);
    equal_times(20);
    equal_times(300);
    equal_times(70000);
    equal_times(BTWQ_MAX_DELAY);
    the_longest_behind_the_longest(0);
    the_longest_behind_the_longest(1);
    the_longest_behind_the_longest(100);
    no_delay();
    sooner_ones_come_later();
    handclock_set(begin);
    the_place_is_taken_when_the_delay_ends();
    func_alone_too();
    delayed_is_queued();
}

int main(void)
{
    check_begin();
    handclock_set_up(0);
    REQUIRE_EQ(btwq_pool_set_timers(&pool, &timers), BTWQ_OK);
    tick(INT32_MAX);
    all(0);
    all(0x7ffffff0U);
    all(0xfffffff8U); /* The clock wraps within a few ticks. */
    all(0xffffffffU);
    all(0x12345678U);
    DESTROY(&pool);
    return check_end();
}

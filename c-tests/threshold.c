/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: with a threshold, a lane's current_active starts at 1 and goes with the load: once per
 * interval of thresh/4 works that were started it goes up by one if more than thresh are pending,
 * down by one if less than thresh/2 are, and stays in between; always within 1..limit_active. One
 * thread sees each step. (The original, by a test that is the wrong way round, looks at the load at
 * all works of an interval but one; it would not pass here.)
 *
 * Whether the work that is just being started counts as pending, and which one of the interval
 * looks, is left open: the levels keep off the edges by one, and are held for whole intervals.
 */
#include "common.h"

enum { LIMIT = 5, WORKS = 4000, DEFAULT_THRESH = 32, NONE = 31 };

static btwq_pool pool = BTWQ_POOL_INIT(NULL);
static btwq_worker worker = BTWQ_WORKER_INIT(&pool);
static btwq_work works[WORKS];
static unsigned queued, begun;

/* What a case is about. */
static btwq_queue queue;
static btwq_control control;
static const btwq_work_ops *ops;
static int lane;
static unsigned thresh;

static void func(btwq_work *work)
{
    CHECK(work == &works[begun]);
    begun++;
}

static void nothing(btwq_work *work)
{
    (void)work;
}

static const btwq_work_ops ordered = {func, nothing, nothing}, unordered = {func, NULL, NULL};

static btwq_stats stats_of(int its_lane)
{
    btwq_stats stats;
    memset(&stats, 0xff, sizeof(stats));
    CHECK_EQ(btwq_queue_stats(&queue, its_lane, &stats), BTWQ_OK);
    return stats;
}

static unsigned current(void)
{
    CHECK_EQ(stats_of(lane).pending, queued - begun);
    return stats_of(lane).current_active;
}

static void prepare(unsigned with_thresh)
{
    queued = begun = 0;
    CHECK_EQ(btwq_control_init(&control), BTWQ_OK);
    CHECK_EQ(btwq_queue_init(&queue, &pool, "threshold"), BTWQ_OK);
    CHECK_EQ(btwq_queue_set_control(&queue, &control), BTWQ_OK);
    CHECK_EQ(btwq_queue_set_threshold(&queue, with_thresh), BTWQ_OK);
    CHECK_EQ(btwq_queue_set_max(&queue, LIMIT), BTWQ_OK);
    thresh = with_thresh;
    if (thresh == 0)
        thresh = DEFAULT_THRESH;
}

static void fill(unsigned pending)
{
    while (queued - begun < pending) {
        REQUIRE(queued < WORKS);
        CHECK_EQ(btwq_work_init(&works[queued], ops), BTWQ_OK);
        CHECK_EQ(btwq_work_set_high_priority(&works[queued], lane), BTWQ_OK);
        SUBMIT(&queue, &works[queued]);
        queued++;
    }
}

/* Starts as many works as one interval has, and one more is queued for each: at the moment of each
 * start `pending` are, or one less. Without them to be queued (0) there are less and less. */
static void interval(unsigned pending)
{
    const unsigned before = current();
    unsigned changes = 0, last = before, i;
    for (i = 0; i < thresh / 4; i++) {
        fill(pending);
        CHECK_EQ(btwq_run_one(&worker), 1);
        changes += current() != last;
        last = current();
    }
    CHECK(changes <= 1);
    CHECK(last <= before + 1 && before <= last + 1);
}

static void stays(unsigned pending, unsigned at)
{
    unsigned i;
    CHECK_EQ(current(), at);
    for (i = 0; i < 2; i++) {
        interval(pending);
        CHECK_EQ(current(), at);
    }
}

static void goes_up(unsigned to)
{
    while (current() < to) {
        const unsigned before = current();
        interval(thresh + 2);
        REQUIRE_EQ(current(), before + 1);
    }
}

static void goes_down(unsigned to)
{
    while (current() > to) {
        const unsigned before = current();
        interval(thresh / 2 - 1);
        REQUIRE_EQ(current(), before - 1);
    }
}

/* From high load to low; at the edge it may go down already. */
static void unload(void)
{
    fill(thresh / 2 + 1 + 3 * (thresh / 4)); /* more than thresh: it is at its limit */
    interval(0);
    interval(0);
    interval(0);
    stays(thresh / 2 + 1, LIMIT);
    interval(0);
    CHECK(current() >= LIMIT - 1);
}

static void follows_the_load(void)
{
    stays(1, 1);
    stays(thresh / 2 + 1, 1);
    stays(thresh, 1);
    goes_up(LIMIT);
    stays(thresh + 2, LIMIT);
    unload();
    goes_down(1);
    stays(1, 1);
    goes_up(3);
    CHECK_EQ(stats_of(!lane).current_active, 1); /* Each lane goes by its own load. */
}

static void other_limits(void)
{
    goes_up(LIMIT);
    CHECK_EQ(btwq_queue_set_max(&queue, 2), BTWQ_OK);
    stays(thresh + 2, 2);
    CHECK_EQ(btwq_queue_set_max(&queue, LIMIT), BTWQ_OK);
    CHECK_EQ(current(), 2); /* There is room: the load decides. */
    goes_up(3);
    CHECK_EQ(btwq_queue_set_max(&queue, 1), BTWQ_OK);
    stays(thresh + 2, 1);
}

static void without_a_threshold(void)
{
    prepare(NONE);
    stays(1, LIMIT);
    stays(DEFAULT_THRESH + 2, LIMIT);
    CHECK_EQ(btwq_queue_set_max(&queue, 1023), BTWQ_OK);
    stays(DEFAULT_THRESH * 4, 1023);
    CHECK_EQ(btwq_queue_set_max(&queue, 1), BTWQ_OK);
    stays(1, 1);
    stays(DEFAULT_THRESH * 4, 1);
    CHECK_EQ(stats_of(lane).limit_active, 1);
}

static void with_thresholds(void)
{
    static const unsigned threshs[] = {0, DEFAULT_THRESH, 34, 100};
    unsigned i;
    for (i = 0; i < sizeof(threshs) / sizeof(threshs[0]); i++) {
        prepare(threshs[i]);
        follows_the_load();
        other_limits();
        CHECK(btwq_run_until_idle(&worker) > 0);
    }
    without_a_threshold();
    CHECK(btwq_run_until_idle(&worker) > 0);
}

int main(void)
{
    check_begin();
    for (lane = 0; lane < 2; lane++) {
        ops = &ordered;
        with_thresholds();
        ops = &unordered;
        with_thresholds();
    }
    DESTROY(&pool);
    return check_end();
}

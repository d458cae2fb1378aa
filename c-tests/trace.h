/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Works with a letter, and a text of all that was called, in its order: so a test that runs its
 * works on one thread asserts the whole trace, and with it what was not called.
 *
 *     fA       func of A was entered, where `A` is the work's letter
 *     oA rA    its ordered_func, its ordered_free
 *     oA! oA=5 the same, where btwq_work_status says BTWQ_ECANCELED, or 5
 */
#ifndef TRACE_H
#define TRACE_H

#include "common.h"

struct traced {
    btwq_work work;
    char name;
    void (*act)(struct traced *item, char stage); /* what it does in its callbacks; or NULL */
};

static char trace[1024];

static inline void trace_add(struct traced *item, char stage)
{
    const size_t used = strlen(trace), left = sizeof(trace) - used;
    const char *space = used == 0 ? "" : " ";
    const int32_t status = stage == 'f' ? 0 : btwq_work_status(&item->work);
    int more;
    if (status == 0)
        more = snprintf(trace + used, left, "%s%c%c", space, stage, item->name);
    else if (status == BTWQ_ECANCELED)
        more = snprintf(trace + used, left, "%s%c%c!", space, stage, item->name);
    else
        more = snprintf(trace + used, left, "%s%c%c=%d", space, stage, item->name, (int)status);
    REQUIRE(more > 0 && (size_t)more < left);
}

static inline void trace_call(btwq_work *work, char stage)
{
    struct traced *item = CONTAINER_OF(work, struct traced, work);
    trace_add(item, stage);
    if (item->act != NULL)
        item->act(item, stage);
}

static inline void trace_func(btwq_work *work)
{
    trace_call(work, 'f');
}

static inline void trace_ordered_func(btwq_work *work)
{
    trace_call(work, 'o');
}

static inline void trace_ordered_free(btwq_work *work)
{
    trace_call(work, 'r');
}

static const btwq_work_ops traced_all = {trace_func, trace_ordered_func, trace_ordered_free};
static const btwq_work_ops traced_func = {trace_func, NULL, NULL};
static const btwq_work_ops traced_ordered = {NULL, trace_ordered_func, trace_ordered_free};
static const btwq_work_ops traced_short = {trace_func, trace_ordered_func, NULL};

static inline void traced_init(struct traced *item, char name, const btwq_work_ops *ops)
{
    item->name = name;
    item->act = NULL;
    REQUIRE_EQ(btwq_work_init(&item->work, ops), BTWQ_OK);
}

/* What was called since the last time was exactly this. */
#define EXPECT(text) trace_expect((text), __FILE__, __LINE__)

static inline void trace_expect(const char *text, const char *file, int line)
{
    if (strcmp(trace, text) != 0 && check_failed())
        fprintf(stderr, "%s:%d: not '%s' but '%s'\n", file, line, text, trace);
    trace[0] = '\0';
}

#endif /* TRACE_H */

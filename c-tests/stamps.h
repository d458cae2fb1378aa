/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Was the order in which works were called one in which their submissions can have taken effect?
 *
 * A submission takes effect at some moment between the beginning and the end of its call. So if one
 * call had ended before another one began, its work comes first; calls that overlap may come either
 * way. The moments are numbers from one clock, kept outside the works, which are gone by the time
 * that the call returns.
 */
#ifndef STAMPS_H
#define STAMPS_H

#include "check.h"

struct stamps {
    unsigned begin, end;
};

static unsigned stamps_clock;

/* The next moment. May be asked for in signal handlers. */
static inline unsigned stamps_now(void)
{
    return __atomic_add_fetch(&stamps_clock, 1, __ATOMIC_SEQ_CST);
}

/* To be called for all works of one queue in the order in which they were called, with one
 * `latest_begin`, 0 at first. What ended before `latest_begin` should have come before. */
static inline void stamps_check(const struct stamps *stamps, unsigned *latest_begin)
{
    CHECK(stamps->end > *latest_begin);
    if (stamps->begin > *latest_begin)
        *latest_begin = stamps->begin;
}

#endif /* STAMPS_H */

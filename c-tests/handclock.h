/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A port like the host's, but for its clock: that stands still until the test moves it.
 *
 * `main` calls `handclock_set_up` before anything else; pools name `&handclock_port`. Since it is
 * not the host's port, `btwq_pool_start` gives its pools no threads: they are run by workers of the
 * test's own, and delays end in `btwq_pool_tick`, called by the test.
 */
#ifndef HANDCLOCK_H
#define HANDCLOCK_H

#include "common.h"

static uint32_t handclock_ticks;
static btwq_port handclock_port;

static inline uint32_t handclock_now(void)
{
    return __atomic_load_n(&handclock_ticks, __ATOMIC_SEQ_CST);
}

static inline void handclock_set(uint32_t ticks)
{
    __atomic_store_n(&handclock_ticks, ticks, __ATOMIC_SEQ_CST);
}

static inline void handclock_advance(uint32_t ticks)
{
    __atomic_add_fetch(&handclock_ticks, ticks, __ATOMIC_SEQ_CST);
}

static inline void handclock_set_up(uint32_t ticks)
{
    handclock_port = btwq_port_host;
    handclock_port.now = handclock_now;
    handclock_set(ticks);
}

#endif /* HANDCLOCK_H */

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: a work takes 40 bytes where pointers have 64 bits and 24 where they have 32, which is
 * less than three callbacks for each work would take (56 and 32); the other types are small too.
 */
#include "common.h"

static int is_wide(void)
{
    return sizeof(void *) == 8;
}

static void show(const char *name, size_t size, size_t wide, size_t narrow)
{
    printf("%-12s %3u bytes\n", name, (unsigned)size);
    CHECK_EQ(size, is_wide() ? wide : narrow);
}

int main(void)
{
    check_begin();
    CHECK(sizeof(btwq_work) <= (is_wide() ? 56U : 32U));
    show("btwq_work", sizeof(btwq_work), 40, 24);
    show("btwq_queue", sizeof(btwq_queue), 96, 64);
    show("btwq_pool", sizeof(btwq_pool), 72, 44);
    show("btwq_worker", sizeof(btwq_worker), 48, 32);
    show("btwq_control", sizeof(btwq_control), 144, 112);
    show("btwq_timers", sizeof(btwq_timers), 304, 164);
    CHECK_EQ(sizeof(btwq_status), 4);
    return check_end();
}

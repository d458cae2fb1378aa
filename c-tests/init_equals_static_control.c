/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: BTWQ_CONTROL_INIT and BTWQ_TIMERS_INIT leave the very bytes that btwq_control_init and
 * btwq_timers_init leave, whatever the memory held before, in static and in automatic storage.
 */
#include "common.h"

static btwq_control control = BTWQ_CONTROL_INIT;
static btwq_timers timers = BTWQ_TIMERS_INIT;

#define SAME(a, b) (memcmp(&(a), &(b), sizeof(a)) == 0 && sizeof(a) == sizeof(b))

static void check_controls(int fill)
{
    btwq_control automatic = BTWQ_CONTROL_INIT, run_time;
    memset(&run_time, fill, sizeof(run_time));
    CHECK_EQ(btwq_control_init(&run_time), BTWQ_OK);
    CHECK(SAME(run_time, control));
    CHECK(SAME(run_time, automatic));
}

static void check_timers(int fill)
{
    btwq_timers automatic = BTWQ_TIMERS_INIT, run_time;
    memset(&run_time, fill, sizeof(run_time));
    CHECK_EQ(btwq_timers_init(&run_time), BTWQ_OK);
    CHECK(SAME(run_time, timers));
    CHECK(SAME(run_time, automatic));
}

int main(void)
{
    static const int fills[] = {0x00, 0xff, 0xa5};
    unsigned i;
    check_begin();
    for (i = 0; i < sizeof(fills) / sizeof(fills[0]); i++) {
        check_controls(fills[i]);
        check_timers(fills[i]);
    }
    CHECK_EQ(btwq_control_init(NULL), BTWQ_EINVAL);
    CHECK_EQ(btwq_timers_init(NULL), BTWQ_EINVAL);
    return check_end();
}

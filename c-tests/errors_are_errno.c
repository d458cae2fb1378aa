/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: errors are negative, and have the numbers of Linux's errno, negated, on every target.
 */
#include "common.h"

#ifdef __linux__
#include <errno.h>
#endif

int main(void)
{
    check_begin();
    CHECK_EQ(BTWQ_OK, 0);
    CHECK_EQ(BTWQ_EAGAIN, -11);
    CHECK_EQ(BTWQ_EBUSY, -16);
    CHECK_EQ(BTWQ_EINVAL, -22);
    CHECK_EQ(BTWQ_EDEADLK, -35);
    CHECK_EQ(BTWQ_ESHUTDOWN, -108);
    CHECK_EQ(BTWQ_ECANCELED, -125);
#if defined(__linux__) && (defined(__x86_64__) || defined(__aarch64__) || defined(__arm__))
    CHECK_EQ(BTWQ_EAGAIN, -EAGAIN);
    CHECK_EQ(BTWQ_EBUSY, -EBUSY);
    CHECK_EQ(BTWQ_EINVAL, -EINVAL);
    CHECK_EQ(BTWQ_EDEADLK, -EDEADLK);
    CHECK_EQ(BTWQ_ESHUTDOWN, -ESHUTDOWN);
    CHECK_EQ(BTWQ_ECANCELED, -ECANCELED);
#endif
    return check_end();
}

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: btwq_version gives major << 16 | minor << 8 | patch of the library, and BTWQ_VERSION the
 * same of the header; here the two are of one build.
 */
#include "common.h"

#if BTWQ_VERSION_MAJOR < 0 || BTWQ_VERSION_MINOR < 0 || BTWQ_VERSION_PATCH < 0
#error "the preprocessor can not compare the version"
#endif

int main(void)
{
    const uint32_t version = btwq_version();
    check_begin();
    CHECK_EQ(version, BTWQ_VERSION);
    CHECK_EQ(version >> 16, BTWQ_VERSION_MAJOR);
    CHECK_EQ(version >> 8 & 0xff, BTWQ_VERSION_MINOR);
    CHECK_EQ(version & 0xff, BTWQ_VERSION_PATCH);
    return check_end();
}

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: btwq_strerror gives a sentence without a full stop for each status, never NULL, also for
 * numbers that no call returns; each error has one of its own, and it is constant.
 */
#include "common.h"

#include <limits.h>

static const btwq_status errors[] = {
    BTWQ_OK,      BTWQ_EAGAIN,    BTWQ_EBUSY,     BTWQ_EINVAL,
    BTWQ_EDEADLK, BTWQ_ESHUTDOWN, BTWQ_ECANCELED,
};
enum { ERRORS = sizeof(errors) / sizeof(errors[0]) };

static void check_text(btwq_status status)
{
    const char *text = btwq_strerror(status);
    REQUIRE(text != NULL);
    REQUIRE(strlen(text) > 0);
    CHECK(text[strlen(text) - 1] != '.');
    CHECK(text[strlen(text) - 1] != '\n');
    CHECK(btwq_strerror(status) == text);
}

int main(void)
{
    static const btwq_status others[] = {1, 2, 100, INT32_MAX, -1, -2, -1000, INT32_MIN};
    unsigned i, j;
    check_begin();
    for (i = 0; i < ERRORS; i++) {
        check_text(errors[i]);
        for (j = 0; j < i; j++)
            CHECK(strcmp(btwq_strerror(errors[i]), btwq_strerror(errors[j])) != 0);
    }
    for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        check_text(others[i]);
        for (j = 0; j < ERRORS; j++)
            CHECK(strcmp(btwq_strerror(others[i]), btwq_strerror(errors[j])) != 0);
    }
    return check_end();
}

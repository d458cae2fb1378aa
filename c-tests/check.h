/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Checks that say where they failed and with what, a watchdog, and sizes that can be reduced.
 * To be included before anything else, since it chooses what the system's headers offer.
 *
 *     CHECK(cond)                       notes a failure and goes on
 *     CHECK_EQ(a, b)                    the same for two integers, which it shows
 *     REQUIRE(cond), REQUIRE_EQ(a, b)   end the program: what follows would make no sense
 *
 * They may be used on every thread, but not in signal handlers. `main` begins with `check_begin()`
 * and ends with `return check_end();`.
 *
 * A test that hangs has failed: the watchdog says so and ends it. Two variables of the environment
 * help where everything is slow: BTWQ_CHECK_PERCENT (of the usual number of works; 100) and
 * BTWQ_CHECK_SECONDS (until the watchdog bites; 60, and 0 for never).
 */
#ifndef CHECK_H
#define CHECK_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHECK(cond) check_that((cond) ? 1 : 0, 0, __FILE__, __LINE__, #cond)
#define REQUIRE(cond) check_that((cond) ? 1 : 0, 1, __FILE__, __LINE__, #cond)
#define CHECK_EQ(a, b)                                                                             \
    check_equal((long long)(a), (long long)(b), 0, __FILE__, __LINE__, #a " == " #b)
#define REQUIRE_EQ(a, b)                                                                           \
    check_equal((long long)(a), (long long)(b), 1, __FILE__, __LINE__, #a " == " #b)

#define check_begin() check_set_up(__FILE__)

enum { CHECK_SHOWN = 20 }; /* A broken order fails at every work: the first few tell all. */

static unsigned check_failures;
static const char *check_file;

/* Counts a failure; says whether it is still worth a line. */
static inline int check_failed(void)
{
    return __atomic_fetch_add(&check_failures, 1, __ATOMIC_RELAXED) < CHECK_SHOWN;
}

static inline void check_that(int holds, int fatal, const char *file, int line, const char *what)
{
    if (holds)
        return;
    if (check_failed() || fatal)
        fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
    if (fatal)
        _exit(1); /* No exit handlers: other threads are still running. */
}

static inline void check_equal(long long a, long long b, int fatal, const char *file, int line,
                               const char *what)
{
    if (a == b)
        return;
    if (check_failed() || fatal)
        fprintf(stderr, "%s:%d: not so: %s (%lld, %lld)\n", file, line, what, a, b);
    if (fatal)
        _exit(1);
}

static inline long check_environment(const char *name, long otherwise)
{
    const char *text = getenv(name);
    return text != NULL && *text != '\0' ? strtol(text, NULL, 10) : otherwise;
}

/* As much of `n` as the environment asks for, and at least `least`. */
static inline unsigned check_count(unsigned n, unsigned least)
{
    const long percent = check_environment("BTWQ_CHECK_PERCENT", 100);
    const unsigned part = (unsigned)((unsigned long long)n * (unsigned long)percent / 100);
    return percent >= 100 ? n : part > least ? part : least;
}

static inline void check_hangs(int number)
{
    static const char text[] = ": hangs\n";
    (void)number;
    /* Nothing is to be done about a write that fails. */
    if (write(2, check_file, strlen(check_file)) >= 0 && write(2, text, sizeof(text) - 1) >= 0)
        _exit(1);
    _exit(1);
}

static inline void check_set_up(const char *file)
{
    check_file = file;
    signal(SIGALRM, check_hangs);
    alarm((unsigned)check_environment("BTWQ_CHECK_SECONDS", 60));
}

/* What `main` returns. */
static inline int check_end(void)
{
    const unsigned failures = __atomic_load_n(&check_failures, __ATOMIC_RELAXED);
    if (failures > CHECK_SHOWN)
        fprintf(stderr, "%s: %u checks failed\n", check_file, failures);
    return failures == 0 ? 0 : 1;
}

#endif /* CHECK_H */

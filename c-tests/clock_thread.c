/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: btwq_pool_start gives a pool on the host's port that has timers one more thread, named
 * btwq-clock, and one without timers none; it is joined by btwq_pool_stop.
 */
#include "common.h"

#include <dirent.h>

enum { LENGTH = 300 };

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST), plain = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_timers timers = BTWQ_TIMERS_INIT;

static int is_clock(const char *thread)
{
    char path[LENGTH], name[LENGTH] = "";
    FILE *file;
    snprintf(path, sizeof(path), "/proc/self/task/%.32s/comm", thread);
    file = fopen(path, "r");
    if (file == NULL)
        return 0; /* "." and "..", and threads that have gone meanwhile */
    if (fgets(name, sizeof(name), file) == NULL)
        name[0] = '\0';
    fclose(file);
    return strcmp(name, "btwq-clock\n") == 0;
}

/* Threads of that name in this process. */
static int clocks(void)
{
    DIR *tasks = opendir("/proc/self/task");
    const struct dirent *entry;
    int count = 0;
    REQUIRE(tasks != NULL);
    while ((entry = readdir(tasks)) != NULL)
        count += is_clock(entry->d_name);
    closedir(tasks);
    return count;
}

/* A thread names itself as soon as it comes to it, and when it has been joined the system may need
 * another moment to forget it. */
static void wait_for(int count)
{
    while (clocks() != count)
        sched_yield();
}

int main(void)
{
    int i;
    check_begin();
    REQUIRE_EQ(btwq_pool_set_timers(&pool, &timers), BTWQ_OK);
    for (i = 0; i < 3; i++) {
        START(&plain, 2);
        CHECK_EQ(clocks(), 0);
        START(&pool, 2);
        wait_for(1);
        STOP(&pool);
        wait_for(0);
        STOP(&plain);
    }
    DESTROY(&pool);
    DESTROY(&plain);
    return check_end();
}

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Promise: helpers that BTWQ_DEFINE_HELPER defines have addresses of their own, although they do
 * the same, and although nobody but the executor's table takes them. That a linker which folds
 * identical functions leaves them alone is tried by executors/executors.sh.
 */
#include "common.h"

BTWQ_DEFINE_HELPER(help_read);
BTWQ_DEFINE_HELPER(help_write);
BTWQ_DEFINE_HELPER(help_repair);

static void dispatch(void *arg, btwq_func_t helper, btwq_work *work)
{
    (void)arg;
    helper(work);
}

static const btwq_executor tables[] = {
    {dispatch, help_read, NULL}, {dispatch, help_write, NULL}, {dispatch, help_repair, NULL}};

/* What the compiler thinks of the addresses is not what is asked for, but those that are there. */
static uintptr_t address(const btwq_executor *table)
{
    const btwq_func_t *const volatile place = &table->helper;
    return (uintptr_t)*place;
}

int main(void)
{
    unsigned i, k;
    check_begin();
    for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        for (k = 0; k < i; k++)
            CHECK(address(&tables[i]) != address(&tables[k]));
    }
    return check_end();
}

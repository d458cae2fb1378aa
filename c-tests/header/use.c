/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Includes btwq.h alone, and uses every macro of it, the initialisers at file scope: it must
 * compile as C and as C++, hosted and freestanding. The objects named size_of_... have the sizes
 * of the types, so that they can be read from the symbol table for a target that nothing can be
 * run on.
 */
#include "btwq.h"

/* Declared here because C++ gives constants no symbol otherwise. */
extern const uint32_t version, parts[3], magic[6], max_delay;
extern const btwq_status statuses[7];
extern char size_of_btwq_work[sizeof(btwq_work)], size_of_btwq_queue[sizeof(btwq_queue)];
extern char size_of_btwq_pool[sizeof(btwq_pool)], size_of_btwq_worker[sizeof(btwq_worker)];
extern btwq_pool pool, main_loop_pool;
extern btwq_queue queue, queue_without_name;
extern char size_of_btwq_control[sizeof(btwq_control)], size_of_btwq_timers[sizeof(btwq_timers)];
extern btwq_worker worker;
extern btwq_control control;
extern btwq_timers timers;
extern const btwq_func_t helpers[2];
extern btwq_work work;
btwq_status use(btwq_work *its_work);
BTWQ_MUST_USE btwq_status submit(btwq_work *its_work);

static void func(btwq_work *its_work)
{
    (void)its_work;
}

static const btwq_work_ops ops = {func, 0, 0};

#if BTWQ_VERSION_MAJOR > 1000 || BTWQ_VERSION_MINOR > 255 || BTWQ_VERSION_PATCH > 255
#error "a part of the version does not fit into BTWQ_VERSION"
#endif

const uint32_t version = BTWQ_VERSION;
const uint32_t parts[3] = {BTWQ_VERSION_MAJOR, BTWQ_VERSION_MINOR, BTWQ_VERSION_PATCH};
const uint32_t magic[6] = {
    BTWQ_PRIV_WORK_MAGIC,
    BTWQ_PRIV_QUEUE_MAGIC,
    BTWQ_PRIV_POOL_MAGIC,
    BTWQ_PRIV_WORKER_MAGIC,
    BTWQ_PRIV_CONTROL_MAGIC,
    BTWQ_PRIV_TIMERS_MAGIC,
};
const btwq_status statuses[7] = {
    BTWQ_OK,      BTWQ_EAGAIN,    BTWQ_EBUSY,     BTWQ_EINVAL,
    BTWQ_EDEADLK, BTWQ_ESHUTDOWN, BTWQ_ECANCELED,
};
const uint32_t max_delay = BTWQ_MAX_DELAY;

char size_of_btwq_work[sizeof(btwq_work)];
char size_of_btwq_queue[sizeof(btwq_queue)];
char size_of_btwq_pool[sizeof(btwq_pool)];
char size_of_btwq_worker[sizeof(btwq_worker)];
char size_of_btwq_control[sizeof(btwq_control)];
char size_of_btwq_timers[sizeof(btwq_timers)];

btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
btwq_pool main_loop_pool = BTWQ_POOL_INIT(0);
btwq_queue queue = BTWQ_QUEUE_INIT(&pool, "name");
btwq_queue queue_without_name = BTWQ_QUEUE_INIT(&main_loop_pool, 0);
btwq_worker worker = BTWQ_WORKER_INIT(&pool);
btwq_work work = BTWQ_WORK_INIT(&ops);
btwq_control control = BTWQ_CONTROL_INIT;
btwq_timers timers = BTWQ_TIMERS_INIT;

BTWQ_DEFINE_HELPER(one_helper);
BTWQ_DEFINE_HELPER(other_helper);
const btwq_func_t helpers[2] = {one_helper, other_helper};

btwq_status submit(btwq_work *its_work)
{
    return btwq_queue_work(&queue, its_work);
}

btwq_status use(btwq_work *its_work)
{
    btwq_work automatic = BTWQ_WORK_INIT(&ops);
    btwq_queue its_queue = BTWQ_QUEUE_INIT(&pool, btwq_strerror(statuses[0]));
    *its_work = automatic;
    if (its_queue.priv_pool != &pool || btwq_version() != version)
        return BTWQ_EINVAL;
    return submit(its_work);
}

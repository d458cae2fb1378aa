/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * What is to be done on a real executor: blocks are filled and summed up in func, the sums go out
 * in order, the memory is freed. Whoever runs it, the output is the same as without any queue.
 *
 *     blocks_run(queue)   loads the queue again and again, waits in each way, and destroys it
 */
#ifndef BLOCKS_H
#define BLOCKS_H

#include "../common.h"

enum { BLOCKS = 400, BLOCK_BYTES = 8192 };

struct block {
    btwq_work work;
    unsigned index;
    uint32_t sum;
    unsigned char bytes[BLOCK_BYTES];
};

static uint32_t blocks_sums[BLOCKS];
static unsigned blocks_out, blocks_freed;

static inline void blocks_fill(struct block *block)
{
    unsigned i;
    for (i = 0; i < BLOCK_BYTES; i++)
        block->bytes[i] = (unsigned char)(scramble(block->index * BLOCK_BYTES + i) >> 5);
}

/* Adler's. */
static inline uint32_t blocks_sum(const struct block *block)
{
    uint32_t low = 1, high = 0;
    unsigned i;
    for (i = 0; i < BLOCK_BYTES; i++) {
        low = (low + block->bytes[i]) % 65521;
        high = (high + low) % 65521;
    }
    return high << 16 | low;
}

static inline void blocks_func(btwq_work *work)
{
    struct block *block = CONTAINER_OF(work, struct block, work);
    blocks_fill(block);
    block->sum = blocks_sum(block);
}

/* Plain memory: one after the other, and what one wrote the next sees. */
static inline void blocks_ordered_func(btwq_work *work)
{
    const struct block *block = CONTAINER_OF(work, struct block, work);
    CHECK_EQ(block->index, blocks_out);
    blocks_sums[blocks_out++] = block->sum;
}

static inline void blocks_ordered_free(btwq_work *work)
{
    free(CONTAINER_OF(work, struct block, work));
    blocks_freed++;
}

static const btwq_work_ops blocks_ops = {blocks_func, blocks_ordered_func, blocks_ordered_free};

static inline void blocks_submit(btwq_queue *queue)
{
    unsigned i;
    for (i = 0; i < BLOCKS; i++) {
        struct block *block = (struct block *)malloc(sizeof(*block));
        REQUIRE(block != NULL);
        block->index = i;
        CHECK_EQ(btwq_work_init(&block->work, &blocks_ops), BTWQ_OK);
        SUBMIT(queue, &block->work);
    }
}

static inline void blocks_check(void)
{
    static struct block block;
    CHECK_EQ(blocks_out, BLOCKS);
    CHECK_EQ(blocks_freed, BLOCKS);
    for (block.index = 0; block.index < BLOCKS; block.index++) {
        blocks_fill(&block);
        CHECK_EQ(blocks_sums[block.index], blocks_sum(&block));
    }
    blocks_out = blocks_freed = 0;
}

/* Each round waits in another way; the last one ends the queue. */
static inline void blocks_run(btwq_queue *queue)
{
    blocks_submit(queue);
    CHECK_EQ(btwq_queue_flush(queue), BTWQ_OK);
    blocks_check();
    blocks_submit(queue);
    CHECK_EQ(btwq_queue_drain(queue), BTWQ_OK);
    blocks_check();
    blocks_submit(queue);
    CHECK_EQ(btwq_queue_destroy(queue), BTWQ_OK);
    memset(queue, 0xa5, sizeof(*queue));
    blocks_check();
}

#endif /* BLOCKS_H */

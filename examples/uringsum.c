/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * uringsum: checksums of files, many reads in flight; and works that complete elsewhere.
 *
 * A file is read in blocks by Linux's io_uring or, where the kernel refuses that, by POSIX AIO.
 * Blocks arrive in any order, and each is summed as soon as it is there, on any core. Results and
 * errors come out in the file's order, where the sums of blocks are joined to that of the file.
 *
 *     main thread             kernel           any worker, concurrently   one at a time, in order
 *   .-----------------.    .-----------.      .------------------------.    .-------------------.
 *   | queue `place`,  |    | reads the | `sum`| func of `sum`:         |    | ordered_func of   |
 *   | start a read    | -> | block     | ---> |   CRC-32 of the block, | -> | `place`: print,   |
 *   '-----------------'    '-----------'      |   complete `place`     |    |   join the CRCs   |
 *     ^ a free block,            |            '------------------------'    | ordered_free: the |
 *     | or the rest of           |                                          |   block is free   |
 *     | a short read             '--- an error: complete `place` ---------> '-------------------'
 *
 * btwq calls the func of an asynchronous work first, and awaits its completion then. Here the I/O
 * comes first and the computation after it. So a block has two works:
 *
 *  - `place` is asynchronous and has no func. It holds the block's place in the order from before
 *    its read is started until somebody calls btwq_work_complete, whose result its ordered
 *    callbacks find by btwq_work_status.
 *  - `sum` has only a func, so it is bound by no order. Whoever learns that the block has arrived
 *    queues it. No block waits for another one to be summed, and no func waits for I/O.
 *
 * That is arrived(), the interrupt half: one call of the library, which may be made from anywhere.
 * With io_uring a thread that sleeps in wait for completions makes it, with AIO a signal handler.
 *
 * Only the main thread starts reads. The kernel takes the submissions to a ring one at a time in
 * any case; so this one needs no lock, and what has gathered goes by one system call. The thread
 * waits when no block is free: -q blocks are all the memory there is, whatever the files' sizes.
 */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64

#include <aio.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <liburing.h>
#include <zlib.h>

#include "btwq.h"

enum { FAILURE = 1, USAGE = 2 }; /* exit statuses */

/* Statuses of our own, beside negated errno values. */
enum { SHRUNK = -100001, UNSIZED = -100002, NO_FILE = -100003 };

struct file {
    const char *name;
    int fd;
    uint64_t size; /* when it was opened */
    uLong crc;     /* this and the next are the ordered callbacks': btwq is their lock */
    uint64_t failures;
};

struct block {
    btwq_work place, sum;
    struct file *file; /* NULL: the block is free */
    uint64_t offset;
    size_t length, filled;
    bool last; /* of its file */
    unsigned char *bytes;
    int32_t result; /* of the last read: bytes, or a negated errno */
    uLong crc;
    struct block *next; /* in the list for the main thread */
    struct iovec rest;  /* for io_uring */
    struct aiocb aio;   /* for AIO */
};

static struct {
    unsigned workers, depth;
    size_t block;
    bool aio, verbose;
} options = { .depth = 32, .block = 128 * 1024 };

static btwq_pool pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST);
static btwq_queue results = BTWQ_QUEUE_INIT(&pool, "results"); /* of each block's `place` */
static btwq_queue sums = BTWQ_QUEUE_INIT(&pool, "sums");
static int exit_status; /* the ordered callbacks'; at the end the main thread's */

static void fatal(const char *what, const char *cause)
{
    (void)fprintf(stderr, "uringsum: %s: %s\n", what, cause);
    exit(FAILURE);
}

/* For calls that only an incorrect program sees refused. Also in signal handlers. */
static void must(btwq_status status)
{
    if (status != BTWQ_OK)
        abort();
}

/*
 * A read has ended. Called in threads and signal handlers: what takes long is left to a worker.
 * By either call the block may become another's at once, so nothing is done to it after that.
 */
static void arrived(struct block *block, int32_t result)
{
    block->result = result;
    if (result == 0)
        result = SHRUNK; /* nothing is read beyond the end that the file had */
    if (result < 0 && result != -EINTR)
        must(btwq_work_complete(&block->place, result));
    else
        must(btwq_queue_work(&sums, &block->sum));
}

/* ---------------------------------------------------------------- io_uring */

static struct io_uring ring;
static pthread_t completer;

static void *uring_completions(void *unused)
{
    (void)unused;
    for (;;) {
        struct io_uring_cqe *cqe;
        int error = io_uring_wait_cqe(&ring, &cqe);
        if (error == -EINTR)
            continue;
        if (error != 0)
            fatal("waiting for io_uring", strerror(-error));
        struct block *block = io_uring_cqe_get_data(cqe);
        int32_t result = cqe->res;
        io_uring_cqe_seen(&ring, cqe);
        if (block == NULL)
            return NULL; /* said by uring_stop() */
        arrived(block, result);
    }
}

/* 0 or a negated errno. There is an entry for each block, and the completions have twice those. */
static int uring_start(void)
{
    int error = io_uring_queue_init(options.depth, &ring, 0);

    if (error == 0 && pthread_create(&completer, NULL, uring_completions, NULL) != 0)
        fatal("io_uring", "the system would not give a thread to wait for it; try again later");
    return error;
}

/* READV is as old as io_uring itself, READ is not. */
static void uring_read(struct block *block)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

    block->rest.iov_base = block->bytes + block->filled;
    block->rest.iov_len = block->length - block->filled;
    io_uring_prep_readv(sqe, block->file->fd, &block->rest, 1, block->offset + block->filled);
    io_uring_sqe_set_data(sqe, block);
}

static void uring_submit(void)
{
    while (io_uring_sq_ready(&ring) > 0) {
        int result = io_uring_submit(&ring);
        if (result == -EAGAIN || result == -EBUSY)
            (void)usleep(1000); /* the kernel has no memory for requests just now */
        else if (result < 0 && result != -EINTR)
            fatal("submitting to io_uring", strerror(-result));
    }
}

static void uring_stop(void)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

    io_uring_prep_nop(sqe);
    io_uring_sqe_set_data(sqe, NULL);
    uring_submit();
    (void)pthread_join(completer, NULL);
    io_uring_queue_exit(&ring);
}

/* ---------------------------------------------------------------- POSIX AIO */

/*
 * A signal tells of each completion; the other way, SIGEV_THREAD, makes a thread for each. It is a
 * real-time signal, since two of another kind may become one. The handler runs on workers only:
 * glibc's aio_error takes a lock (POSIX has it safe for handlers, though), so it must not come
 * between in aio_read, and the main thread, which calls that, blocks the signal.
 */
#define AIO_SIGNAL SIGRTMIN

static void on_aio_signal(int number, siginfo_t *info, void *context)
{
    int saved = errno;

    (void)number;
    (void)context;
    if (info->si_code == SI_ASYNCIO) {
        struct block *block = info->si_value.sival_ptr;
        int error = aio_error(&block->aio);
        ssize_t result = aio_return(&block->aio);
        arrived(block, error != 0 ? -error : (int32_t)result);
    }
    errno = saved;
}

static void aio_start(void)
{
    struct sigaction action = { .sa_flags = SA_SIGINFO | SA_RESTART };
    struct rlimit pending;

    /* A signal beyond the limit would be lost. */
    if (getrlimit(RLIMIT_SIGPENDING, &pending) == 0 && pending.rlim_cur < options.depth)
        fatal("POSIX AIO", "too few signals may be pending; a smaller -q or a higher `ulimit -i`");
    action.sa_sigaction = on_aio_signal;
    if (sigaction(AIO_SIGNAL, &action, NULL) != 0)
        fatal("POSIX AIO", strerror(errno));
}

/* glibc has threads for it, but reads from one descriptor in only one of them at a time. */
static void aio_start_read(struct block *block)
{
    struct aiocb *aio = &block->aio;

    memset(aio, 0, sizeof *aio);
    aio->aio_fildes = block->file->fd;
    aio->aio_offset = (off_t)(block->offset + block->filled);
    aio->aio_buf = block->bytes + block->filled;
    aio->aio_nbytes = block->length - block->filled;
    aio->aio_sigevent.sigev_notify = SIGEV_SIGNAL;
    aio->aio_sigevent.sigev_signo = AIO_SIGNAL;
    aio->aio_sigevent.sigev_value.sival_ptr = block;
    if (aio_read(aio) != 0)
        arrived(block, -errno);
}

/* ---------------------------------------------------------------- blocks for the main thread */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t handed_over = PTHREAD_COND_INITIALIZER;
static struct block *list; /* of free blocks and short reads */

static void hand_over(struct block *block)
{
    (void)pthread_mutex_lock(&lock);
    block->next = list;
    list = block;
    (void)pthread_cond_signal(&handed_over);
    (void)pthread_mutex_unlock(&lock);
    /* The main thread may be reading it again by now: not to be touched any more. */
}

static void start_read(struct block *block)
{
    if (options.aio)
        aio_start_read(block);
    else
        uring_read(block);
}

/* Waits for a free block; starts the rests of short reads meanwhile. */
static struct block *take_free(void)
{
    for (;;) {
        (void)pthread_mutex_lock(&lock);
        if (list == NULL && !options.aio) {
            (void)pthread_mutex_unlock(&lock);
            uring_submit(); /* not before there is nothing else to do: the batch grows */
            (void)pthread_mutex_lock(&lock);
        }
        while (list == NULL)
            (void)pthread_cond_wait(&handed_over, &lock);
        struct block *block = list;
        list = block->next;
        (void)pthread_mutex_unlock(&lock);
        if (block->file == NULL)
            return block;
        start_read(block);
    }
}

/* ---------------------------------------------------------------- the works */

#define BLOCK_OF(work, member) \
    ((struct block *)(void *)((char *)(work) - offsetof(struct block, member)))

/*
 * The func of `sum`, on any worker. It is the work's only callback, and the work has ended when it
 * is entered: it may be queued again, and even run again, before this has returned.
 */
static void sum_block(btwq_work *work)
{
    struct block *block = BLOCK_OF(work, sum);

    if (block->result > 0)
        block->filled += (size_t)block->result;
    if (block->filled < block->length) {
        hand_over(block); /* a short read, or one that a signal has interrupted */
        return;
    }
    block->crc = crc32(0, block->bytes, (uInt)block->length);
    must(btwq_work_complete(&block->place, BTWQ_OK));
}

static const char *cause_of(int32_t error)
{
    switch (error) {
    case SHRUNK: return "no more data, though the file was longer when it was opened";
    case UNSIZED: return "does not tell its size; copy it to a file first";
    case NO_FILE: return "neither a file nor a block device; copy it to a file first";
    case -ENOMEM: return "not enough memory; a smaller -b or -q needs less";
    case -EMFILE: return "too many open files; a smaller -q or a higher `ulimit -n`";
    default: return strerror(-error);
    }
}

static void report_error(const struct block *block, int32_t error)
{
    struct file *file = block->file;

    exit_status = FAILURE;
    if (file->failures++ > 0 && !options.verbose)
        return; /* a disk that is lost fails in every block */
    (void)fflush(stdout); /* if both go to the same place: in order there, too */
    (void)fprintf(stderr, "uringsum: %s: ", file->name);
    if (file->fd >= 0)
        (void)fprintf(stderr, "at %" PRIu64 ": ", block->offset + block->filled);
    (void)fprintf(stderr, "%s\n", cause_of(error));
}

/* The ordered_func of `place`: in the order of files and blocks, one at a time. Hence no lock. */
static void report_block(btwq_work *work)
{
    struct block *block = BLOCK_OF(work, place);
    struct file *file = block->file;
    int32_t status = btwq_work_status(work);

    if (status != 0) {
        report_error(block, status);
    } else if (block->length > 0) {
        file->crc = crc32_combine(file->crc, block->crc, (z_off_t)block->length);
        if (options.verbose)
            (void)printf("  %08lx %" PRIu64 " %zu\n", block->crc, block->offset, block->length);
    }
    if (!block->last)
        return;
    if (file->failures == 0)
        (void)printf("%08lx %" PRIu64 " %s\n", file->crc, file->size, file->name);
    else if (file->failures > 1)
        (void)fprintf(stderr, "uringsum: %s: %" PRIu64 " blocks could not be read%s\n", file->name,
                      file->failures, options.verbose ? "" : "; -v names them all");
    if (file->fd >= 0)
        (void)close(file->fd); /* as all reads of it have ended */
}

/* The ordered_free of `place`: after it the work is ours again, and so is its block. */
static void give_back(btwq_work *work)
{
    struct block *block = BLOCK_OF(work, place);

    block->file = NULL;
    hand_over(block);
}

static const btwq_work_ops place_ops = { NULL, report_block, give_back };
static const btwq_work_ops sum_ops = { sum_block, NULL, NULL };

/* Queues the place of a block; and starts what will complete it, or completes it with an error. */
static void queue_block(struct file *file, uint64_t offset, int32_t error)
{
    struct block *block = take_free();
    uint64_t left = file->size - offset;

    block->file = file;
    block->offset = offset;
    block->length = left < options.block ? (size_t)left : options.block;
    block->filled = 0;
    block->last = left <= options.block;
    if (block->length > 0 && block->bytes == NULL) {
        block->bytes = calloc(1, options.block); /* not malloc: valgrind sees no kernel fill it */
        error = block->bytes == NULL ? -ENOMEM : error;
    }
    must(btwq_work_set_async(&block->place)); /* in each life of the work */
    must(btwq_queue_work(&results, &block->place));
    /* Only now may it be completed: what is to do that begins here. */
    if (error != 0 || block->length == 0)
        must(btwq_work_complete(&block->place, error));
    else
        start_read(block);
}

/* ---------------------------------------------------------------- files and the program */

/* Opens the file and finds its size; or says why not. */
static int32_t open_file(struct file *file)
{
    struct stat st;
    char byte;

    file->fd = -1;
    if (stat(file->name, &st) != 0) /* first: to open a pipe may take forever */
        return -errno;
    if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
        return S_ISDIR(st.st_mode) ? -EISDIR : NO_FILE;
    int fd = open(file->name, O_RDONLY | O_CLOEXEC);
    off_t size = fd < 0 || S_ISREG(st.st_mode) ? st.st_size : lseek(fd, 0, SEEK_END);
    ssize_t more = fd >= 0 && size == 0 ? pread(fd, &byte, 1, 0) : 0;
    int32_t error = fd < 0 || size < 0 || more < 0 ? -errno : more > 0 ? UNSIZED : 0;
    if (error == 0) {
        file->fd = fd;
        file->size = (uint64_t)size;
    } else if (fd >= 0) {
        (void)close(fd);
    }
    return error;
}

/* A file that is empty, or cannot be opened, has one block, too: it has its place in the order. */
static void queue_file(struct file *file)
{
    int32_t error = open_file(file);
    uint64_t offset = 0;

    do {
        queue_block(file, offset, error);
        offset += options.block;
    } while (offset < file->size);
}

static void start(struct block *blocks)
{
    sigset_t set;

    for (size_t i = 0; i < options.depth; i++) {
        must(btwq_work_init(&blocks[i].place, &place_ops));
        must(btwq_work_init(&blocks[i].sum, &sum_ops));
        hand_over(&blocks[i]);
    }
    /* The workers inherit the mask: AIO's signal is for them, not for this thread. */
    (void)sigemptyset(&set);
    (void)sigaddset(&set, AIO_SIGNAL);
    (void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    btwq_status status = btwq_pool_start(&pool, options.workers);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (status != BTWQ_OK)
        fatal("worker threads (fewer with -j)", btwq_strerror(status));

    int error = options.aio ? 0 : uring_start();
    if (error != 0 && options.verbose)
        (void)fprintf(stderr, "uringsum: no io_uring: %s\n", strerror(-error));
    options.aio |= error != 0;
    if (options.aio)
        aio_start();
    if (options.verbose)
        (void)fprintf(stderr, "uringsum: by %s\n", options.aio ? "POSIX AIO" : "io_uring");
}

static const char usage[] =
    "usage: uringsum [-v] [-b SIZE] [-q DEPTH] [-j N] [--aio] FILE...\n"
    "Prints CRC-32 (as zlib and gzip have it), size and name of each file or block device.\n"
    "Reads by io_uring or, where the kernel refuses that, by POSIX AIO.\n"
    "\n"
    "  -b SIZE    bytes that are read at once; K and M may follow the number (128K)\n"
    "  -q DEPTH   so many blocks in flight (32)\n"
    "  -j N       threads that sum (as many as there are cores)\n"
    "  -v         CRC-32, offset and length of each block, too; and tells what reads\n"
    "  --aio      POSIX AIO in any case\n"
    "  --help     this text\n"
    "\n"
    "Exit status: 0 all went well, 1 something could not be read, 2 wrong usage.\n";

static unsigned number(char option, unsigned long max)
{
    char *end;

    errno = 0;
    unsigned long value = strtoul(optarg, &end, 10);
    unsigned long unit = *end == 'K' ? 1024 : *end == 'M' ? 1024 * 1024 : 1;
    end += unit > 1;
    if (*optarg < '0' || *optarg > '9' || *end != '\0' || errno != 0 || value == 0
        || value > max / unit) {
        (void)fprintf(stderr, "uringsum: -%c %s: not a number from 1 to %lu; try --help\n", option,
                      optarg, max);
        exit(USAGE);
    }
    return (unsigned)(value * unit);
}

static void parse_options(int argc, char **argv)
{
    static const struct option long_options[] = { { "aio", no_argument, NULL, 'a' },
                                                  { "help", no_argument, NULL, 'h' },
                                                  { NULL, 0, NULL, 0 } };
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    options.workers = cores < 1 ? 1 : (unsigned)cores;
    for (int c; (c = getopt_long(argc, argv, "b:j:q:v", long_options, NULL)) != -1;) {
        switch (c) {
        case 'a': options.aio = true; break;
        case 'b': options.block = number('b', 1024 * 1024 * 1024); break;
        case 'j': options.workers = number('j', 1024); break;
        case 'q': options.depth = number('q', 1024); break;
        case 'v': options.verbose = true; break;
        case 'h':
            if (fputs(usage, stdout) < 0 || fclose(stdout) != 0)
                fatal("stdout", strerror(errno));
            exit(EXIT_SUCCESS);
        default: exit(USAGE); /* getopt has said why */
        }
    }
    if (optind < argc)
        return;
    (void)fputs("uringsum: which FILE? (standard input is not read); try --help\n", stderr);
    exit(USAGE);
}

int main(int argc, char **argv)
{
    parse_options(argc, argv);
    size_t count = (size_t)(argc - optind);
    struct file *files = calloc(count, sizeof *files);
    struct block *blocks = calloc(options.depth, sizeof *blocks);
    if (files == NULL || blocks == NULL)
        fatal("not enough memory", "a smaller -q needs less");
    start(blocks);
    for (size_t i = 0; i < count; i++) {
        files[i].name = argv[optind + (int)i];
        queue_file(&files[i]);
    }
    /*
     * When each block is free no work is queued, and all that the callbacks wrote is to be seen.
     * That is counted here, since until then the rests of short reads must be started here, too.
     */
    for (size_t i = 0; i < options.depth; i++)
        (void)take_free();
    if (!options.aio)
        uring_stop();
    must(btwq_pool_stop(&pool)); /* joins the workers: the calls that they were in have returned */
    must(btwq_pool_destroy(&pool));
    for (size_t i = 0; i < options.depth; i++)
        free(blocks[i].bytes);
    free(blocks);
    free(files);
    if (ferror(stdout) || fclose(stdout) != 0)
        fatal("stdout", "not all of the result could be written; is there room?");
    return exit_status;
}

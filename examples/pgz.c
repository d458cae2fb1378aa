/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * pgz: gzip on all cores, and a tour of btwq.
 *
 * A file is cut into blocks. Blocks may be deflated in any order and at the same time, but a gzip
 * stream needs them one after the other. So each block is a work in an ordered queue, and the
 * work's three callbacks are the three steps of the block's life:
 *
 *        main thread             any worker, concurrently     one at a time, in queueing order
 *     .---------------.         .-----------------------.         .--------------------.
 *     | read a block, |  queue  | func: compress_block  |         | ordered_func:      |
 *     | queue its job | ------> | deflate, CRC-32       | ------> | write_block        |
 *     '---------------'         '-----------------------'         |  write, join CRCs  |
 *             ^                                                   | ordered_free:      |
 *             '---------- the job may be filled again ----------- | give_back          |
 *                                                                 '--------------------'
 *
 * What pgz takes from btwq's promises, and need not do itself:
 *
 *  - The ordered_func of a block sees all that its func wrote, and no two of them overlap: the
 *    output, the running CRC and the progress bar need no lock, though many threads come to them.
 *  - ordered_free comes in queueing order too, so the jobs form a ring, and a count of those given
 *    back says which ones they are. No free list.
 *  - The same promise saves copies. Deflate wants the 32 KiB before a block as its dictionary. They
 *    lie in the job before, which must stay as it is until this block's func is through; which it
 *    is when this block is freed. So it is enough that the ring keeps one freed job back.
 *  - The library allocates nothing: the work is a member of the job, job_of() leads back.
 *
 * The ring bounds the memory, whatever the size of the file: the reader waits for room in it.
 *
 * An error never abandons a queued work. The first one is noted, the reader stops, and the works in
 * flight go through their three callbacks as ever, which find the note and do nothing.
 */
#define _XOPEN_SOURCE 700
#define _FILE_OFFSET_BITS 64

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <zlib.h>

#include "btwq.h"

#define PGZ_VERSION "0.1.0"
#define KIB ((size_t)1024)
#define DICTIONARY (32 * KIB) /* as far as deflate looks back */
#define MAX_BLOCK_KIB (1024 * 1024)
#define MAX_THREADS 1024

enum { FAILURE = 1, WARNING = 2 }; /* exit statuses, as gzip's */

struct options {
    int level;
    unsigned threads;
    size_t block;
    const char *output;
    bool decompress, to_stdout, keep, force, quiet;
};

struct progress {
    bool on;
    int width; /* of the line on the terminal */
    struct timespec start;
    double drawn; /* seconds after start */
    double done;  /* bytes */
};

/* One input on its way to its output. */
struct transfer {
    const char *in_name, *out_name;
    char *derived; /* out_name, if made from in_name */
    int in, out;
    struct stat in_stat;
    bool from_stdin, to_stdout;
    bool replaces; /* the output takes the input's place: FILE becomes FILE.gz */
    bool created;  /* the output is a new file, to be removed on failure */
    struct progress progress;
};

/* A block of the input and what becomes of it. The work is inside. */
struct job {
    btwq_work work;
    struct pgz *pgz;
    unsigned char *in, *out;
    size_t in_length, out_length;
    const unsigned char *dictionary; /* the end of the block before, or NULL */
    uLong crc;
    bool last;
};

struct pgz {
    struct options options;
    int status;
    bool spoilt; /* standard output ends in the midst of a member: write no more to it */
    struct transfer transfer; /* the present one */

    btwq_pool pool;   /* the threads; a pool may serve many queues, */
    btwq_queue queue; /* each of which is an order; here one is enough */

    bool running; /* from the first FILE to be compressed on; so what follows */
    pthread_key_t deflater;
    struct job *ring;
    size_t slots, out_size;
    uint64_t queued; /* the main thread's own */

    /* While works are in flight only ordered callbacks touch these: btwq is their lock. */
    uLong crc;
    uint64_t length;

    pthread_mutex_t lock; /* for what follows */
    pthread_cond_t given_back;
    uint64_t freed;
    const char *fault_file, *fault; /* the first error; later ones are mostly its echo */
};

/* ---------------------------------------------------------------- errors and progress */

/* Reports an error, or a warning. Without a cause it is errno. Always false, to be returned. */
static bool complain(struct pgz *pgz, int status, const char *file, const char *cause)
{
    if (cause == NULL)
        cause = strerror(errno);
    if (pgz->status != FAILURE)
        pgz->status = status;
    if (status == FAILURE || !pgz->options.quiet)
        (void)fprintf(stderr, "pgz: %s: %s\n", file, cause);
    return false;
}

/* Notes the transfer's first error, from any thread, for its end. Otherwise like complain(). */
static bool fail(struct pgz *pgz, const char *file, const char *cause)
{
    int error = errno;

    (void)pthread_mutex_lock(&pgz->lock);
    if (pgz->fault_file == NULL) {
        pgz->fault_file = file;
        pgz->fault = cause != NULL ? cause : strerror(error);
    }
    (void)pthread_mutex_unlock(&pgz->lock);
    return false;
}

static bool failed(struct pgz *pgz)
{
    (void)pthread_mutex_lock(&pgz->lock);
    bool yes = pgz->fault_file != NULL;
    (void)pthread_mutex_unlock(&pgz->lock);
    return yes;
}

static void progress_erase(struct progress *p)
{
    if (p->width > 0)
        (void)fprintf(stderr, "\r%*s\r", p->width, "");
    p->width = 0;
}

static void progress_add(struct pgz *pgz, size_t bytes)
{
    static const char full[] = "########################";
    const int cells = (int)sizeof full - 1;
    struct transfer *t = &pgz->transfer;
    struct progress *p = &t->progress;
    struct timespec now;

    p->done += (double)bytes;
    if (!p->on)
        return;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    double elapsed = (double)(now.tv_sec - p->start.tv_sec)
        + (double)(now.tv_nsec - p->start.tv_nsec) / 1e9;
    if (elapsed < 1 || elapsed < p->drawn + 0.1)
        return; /* what is done within a second needs no bar */
    p->drawn = elapsed;

    double total = S_ISREG(t->in_stat.st_mode) ? (double)t->in_stat.st_size : 0;
    double part = p->done < total ? p->done / total : total > 0;
    int width = fprintf(stderr, "\rpgz: %.24s [%-*.*s] %3.0f %%  %.0f MB, %.0f MB/s  ", t->in_name,
                        cells, (int)(part * cells), full, part * 100, p->done / 1e6,
                        p->done / 1e6 / elapsed);
    p->width = width > p->width ? width : p->width;
}

/* ---------------------------------------------------------------- signals */

/* What a signal's handler removes. Changes only while the signals are blocked. */
static const char *partial_output;

static const int ending_signals[] = { SIGINT, SIGTERM, SIGHUP };
#define ENDING_SIGNALS (sizeof ending_signals / sizeof *ending_signals)

static void on_signal(int signal_number)
{
    if (partial_output != NULL)
        (void)unlink(partial_output);
    (void)raise(signal_number); /* SA_RESETHAND: the default action, when the handler returns */
}

static sigset_t ending_set(void)
{
    sigset_t set;

    (void)sigemptyset(&set);
    for (size_t i = 0; i < ENDING_SIGNALS; i++)
        (void)sigaddset(&set, ending_signals[i]);
    return set;
}

/* `how` is SIG_BLOCK or SIG_UNBLOCK. */
static void mask_signals(int how)
{
    sigset_t set = ending_set();

    (void)pthread_sigmask(how, &set, NULL);
}

static void install_signals(void)
{
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND }, before;

    action.sa_mask = ending_set();
    for (size_t i = 0; i < ENDING_SIGNALS; i++) {
        /* What is ignored (nohup, a shell's background job) stays ignored. */
        if (sigaction(ending_signals[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            (void)sigaction(ending_signals[i], &action, NULL);
    }
    (void)signal(SIGPIPE, SIG_IGN); /* as errors of write() these two are like any other */
    (void)signal(SIGXFSZ, SIG_IGN);
}

/* ---------------------------------------------------------------- reading and writing */

/* Less than `size` means that the input has ended; -1 is an error. */
static ssize_t read_full(int fd, unsigned char *to, size_t size)
{
    size_t done = 0;

    while (done < size) {
        ssize_t n = read(fd, to + done, size - done);
        if (n == 0)
            break;
        if (n > 0)
            done += (size_t)n;
        else if (errno != EINTR)
            return -1;
    }
    return (ssize_t)done;
}

static bool write_full(int fd, const void *from, size_t size)
{
    const unsigned char *next = from;

    while (size > 0) {
        ssize_t n = write(fd, next, size);
        if (n < 0 && errno != EINTR)
            return false;
        if (n > 0) {
            next += n;
            size -= (size_t)n;
        }
    }
    return true;
}

/* ---------------------------------------------------------------- the works: btwq from here */

/* From the work, which is all that btwq knows, to the job around it. */
static struct job *job_of(btwq_work *work)
{
    return (struct job *)(void *)((char *)work - offsetof(struct job, work));
}

/* The key's destructor: runs as a worker ends. */
static void free_deflater(void *deflater)
{
    (void)deflateEnd(deflater);
    free(deflater);
}

/*
 * The deflate state belongs to the worker, not to the job: a quarter of a megabyte that stays in
 * the core's cache from block to block. NULL: no memory.
 */
static z_stream *my_deflater(struct pgz *pgz)
{
    z_stream *z = pthread_getspecific(pgz->deflater);

    if (z != NULL)
        return deflateReset(z) == Z_OK ? z : NULL;
    z = calloc(1, sizeof *z);
    if (z == NULL)
        return NULL;
    if (deflateInit2(z, pgz->options.level, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK
        && pthread_setspecific(pgz->deflater, z) == 0)
        return z;
    free_deflater(z);
    return NULL;
}

/* func: on any worker, while others do the same with other blocks. */
static void compress_block(btwq_work *work)
{
    struct job *job = job_of(work);
    struct pgz *pgz = job->pgz;

    if (failed(pgz))
        return;
    z_stream *z = my_deflater(pgz);
    if (z == NULL) {
        (void)fail(pgz, pgz->transfer.in_name, strerror(ENOMEM));
        return;
    }
    if (job->dictionary != NULL)
        (void)deflateSetDictionary(z, job->dictionary, (uInt)DICTIONARY);
    job->crc = crc32(0, job->in, (uInt)job->in_length);
    z->next_in = job->in;
    z->avail_in = (uInt)job->in_length;
    z->next_out = job->out;
    z->avail_out = (uInt)pgz->out_size;
    /* A flush ends on a byte's border, so that the next block can simply be appended. */
    (void)deflate(z, job->last ? Z_FINISH : Z_SYNC_FLUSH);
    job->out_length = pgz->out_size - z->avail_out;
    if (z->avail_in > 0 || z->avail_out == 0)
        (void)fail(pgz, pgz->transfer.in_name, "zlib wants more room than it said");
}

/* ordered_func: block after block as they were queued, never two at once. Hence no lock. */
static void write_block(btwq_work *work)
{
    struct job *job = job_of(work);
    struct pgz *pgz = job->pgz;

    if (failed(pgz))
        return;
    if (!write_full(pgz->transfer.out, job->out, job->out_length)) {
        (void)fail(pgz, pgz->transfer.out_name, NULL);
        return;
    }
    pgz->crc = crc32_combine(pgz->crc, job->crc, (z_off_t)job->in_length);
    pgz->length += job->in_length;
    progress_add(pgz, job->in_length);
}

/* ordered_free: the end of this work's life, and the room for another one. */
static void give_back(btwq_work *work)
{
    struct pgz *pgz = job_of(work)->pgz;

    (void)pthread_mutex_lock(&pgz->lock);
    pgz->freed++;
    (void)pthread_cond_signal(&pgz->given_back);
    (void)pthread_mutex_unlock(&pgz->lock);
    /* The job is the reader's again, who may be filling it by now: not to be touched any more. */
}

static const btwq_work_ops block_ops = { compress_block, write_block, give_back };

/* Waits until at most `most` works are in flight. False: something has failed, read no more. */
static bool wait_in_flight(struct pgz *pgz, uint64_t most)
{
    (void)pthread_mutex_lock(&pgz->lock);
    while (pgz->queued - pgz->freed > most)
        (void)pthread_cond_wait(&pgz->given_back, &pgz->lock);
    bool well = pgz->fault_file == NULL;
    (void)pthread_mutex_unlock(&pgz->lock);
    return well;
}

/* Reads a block into the job. A block that is not full is the last one, be it empty. */
static bool fill_job(struct pgz *pgz, struct job *job)
{
    size_t block = pgz->options.block;

    /* Buffers come with a job's first block, so that a small file costs no more than it needs. */
    if (job->in == NULL)
        job->in = malloc(block);
    if (job->out == NULL)
        job->out = malloc(pgz->out_size);
    if (job->in == NULL || job->out == NULL)
        return fail(pgz, "not enough memory", "a smaller -p or -b needs less");
    ssize_t length = read_full(pgz->transfer.in, job->in, block);
    if (length < 0)
        return fail(pgz, pgz->transfer.in_name, NULL);
    job->in_length = (size_t)length;
    job->last = job->in_length < block;
    const struct job *before = &pgz->ring[(pgz->queued + pgz->slots - 1) % pgz->slots];
    job->dictionary = pgz->queued > 0 ? before->in + block - DICTIONARY : NULL;
    return true;
}

/*
 * The main thread's part: reads and queues until the input ends or something fails. A job may be
 * filled when it and the one after it in the ring are not in flight: that one has read its end as
 * a dictionary, and as it has been freed, it has done with it.
 */
static void queue_blocks(struct pgz *pgz)
{
    for (bool last = false; !last && wait_in_flight(pgz, pgz->slots - 2); pgz->queued++) {
        struct job *job = &pgz->ring[pgz->queued % pgz->slots];
        if (!fill_job(pgz, job))
            return;
        last = job->last; /* looked at now: once queued, the job belongs to the workers */
        btwq_status status = btwq_queue_work(&pgz->queue, &job->work);
        if (status != BTWQ_OK) {
            (void)fail(pgz, pgz->transfer.in_name, btwq_strerror(status));
            return;
        }
    }
}

static void put_le32(unsigned char *to, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        to[i] = (unsigned char)(value >> (8 * i));
}

static bool write_header(const struct transfer *t, int level)
{
    const char *slash = strrchr(t->in_name, '/');
    const char *name = slash != NULL ? slash + 1 : t->in_name;
    time_t mtime = S_ISREG(t->in_stat.st_mode) ? t->in_stat.st_mtime : 0;
    unsigned char header[10] = { 0x1f, 0x8b, Z_DEFLATED, [9] = 3 /* Unix */ };

    header[3] = t->from_stdin ? 0 : 8; /* a name follows */
    if (mtime > 0 && (uintmax_t)mtime <= UINT32_MAX)
        put_le32(header + 4, (uint32_t)mtime);
    header[8] = level == 9 ? 2 : level == 1 ? 4 : 0;
    return write_full(t->out, header, sizeof header)
        && (t->from_stdin || write_full(t->out, name, strlen(name) + 1));
}

static bool write_trailer(struct pgz *pgz)
{
    unsigned char trailer[8];

    put_le32(trailer, (uint32_t)pgz->crc);
    put_le32(trailer + 4, (uint32_t)pgz->length);
    return write_full(pgz->transfer.out, trailer, sizeof trailer);
}

static void deflate_transfer(struct pgz *pgz)
{
    pgz->queued = pgz->freed = pgz->length = 0;
    pgz->crc = crc32(0, NULL, 0);
    if (!write_header(&pgz->transfer, pgz->options.level))
        (void)fail(pgz, pgz->transfer.out_name, NULL);
    queue_blocks(pgz);
    /* With the last work freed nothing is in flight, and what the works wrote is ours to see. */
    if (wait_in_flight(pgz, 0) && !write_trailer(pgz))
        (void)fail(pgz, pgz->transfer.out_name, NULL);
}

/* Threads first: stop joins them, and then nobody is left who knows the ring. */
static void stop_works(struct pgz *pgz)
{
    if (!pgz->running)
        return;
    pgz->running = false;
    (void)btwq_pool_stop(&pgz->pool);
    (void)pthread_key_delete(pgz->deflater);
    for (size_t i = 0; i < pgz->slots; i++) {
        free(pgz->ring[i].in);
        free(pgz->ring[i].out);
    }
    free(pgz->ring);
}

static bool start_works(struct pgz *pgz)
{
    if (pgz->running)
        return true;
    pgz->out_size = compressBound((uLong)pgz->options.block) + 64; /* and a flush */
    pgz->slots = 2 * (size_t)pgz->options.threads + 2;
    pgz->ring = calloc(pgz->slots, sizeof *pgz->ring);
    if (pgz->ring == NULL || pthread_key_create(&pgz->deflater, free_deflater) != 0) {
        free(pgz->ring);
        return complain(pgz, FAILURE, "start", strerror(ENOMEM));
    }
    for (size_t i = 0; i < pgz->slots; i++) {
        /* Initialised once: a work that has been given back may be queued again as it is. */
        (void)btwq_work_init(&pgz->ring[i].work, &block_ops);
        pgz->ring[i].pgz = pgz;
    }
    pgz->running = true;
    mask_signals(SIG_BLOCK); /* the workers inherit it: signals are for the main thread */
    btwq_status status = btwq_pool_start(&pgz->pool, pgz->options.threads);
    mask_signals(SIG_UNBLOCK);
    if (status == BTWQ_OK)
        return true;
    stop_works(pgz);
    return complain(pgz, FAILURE, "worker threads (fewer with -p)", btwq_strerror(status));
}

/* ---------------------------------------------------------------- decompression, by zlib alone */

struct expander {
    z_stream z;
    bool ended;
    unsigned char in[128 * KIB], out[128 * KIB];
};

/* Moves what is left of the input to the front and reads more behind it. */
static bool refill(struct pgz *pgz, struct expander *x)
{
    memmove(x->in, x->z.next_in, x->z.avail_in);
    x->z.next_in = x->in;
    ssize_t n = read_full(pgz->transfer.in, x->in + x->z.avail_in, sizeof x->in - x->z.avail_in);
    if (n < 0)
        return fail(pgz, pgz->transfer.in_name, NULL);
    x->z.avail_in += (uInt)n;
    x->ended = x->z.avail_in < sizeof x->in;
    progress_add(pgz, (size_t)n);
    return true;
}

static bool expand_member(struct pgz *pgz, struct expander *x)
{
    const struct transfer *t = &pgz->transfer;

    for (int result = inflateReset(&x->z); result != Z_STREAM_END;) {
        if (x->z.avail_in == 0 && !x->ended && !refill(pgz, x))
            return false;
        x->z.next_out = x->out;
        x->z.avail_out = sizeof x->out;
        result = inflate(&x->z, Z_NO_FLUSH);
        if (result == Z_BUF_ERROR)
            return fail(pgz, t->in_name, "unexpected end of file");
        if (result != Z_OK && result != Z_STREAM_END)
            return fail(pgz, t->in_name, x->z.msg != NULL ? x->z.msg : "corrupt data");
        if (!write_full(t->out, x->out, sizeof x->out - x->z.avail_out))
            return fail(pgz, t->out_name, NULL);
    }
    return true;
}

/* Zeros after the last member are a tape's padding; anything else deserves a word. */
static bool is_garbage(struct pgz *pgz, struct expander *x)
{
    do {
        for (; x->z.avail_in > 0; x->z.avail_in--) {
            if (*x->z.next_in++ != 0) {
                progress_erase(&pgz->transfer.progress);
                return true;
            }
        }
    } while (!x->ended && refill(pgz, x));
    return false;
}

static void expand_members(struct pgz *pgz, struct expander *x)
{
    const char *name = pgz->transfer.in_name;
    bool any = false;

    for (;; any = true) {
        if (x->z.avail_in < 2 && !x->ended && !refill(pgz, x))
            return;
        if (x->z.avail_in < 2 || x->z.next_in[0] != 0x1f || x->z.next_in[1] != 0x8b)
            break;
        if (!expand_member(pgz, x))
            return;
    }
    if (!any)
        (void)fail(pgz, name, x->z.avail_in > 0 ? "not in gzip format" : "unexpected end of file");
    else if (is_garbage(pgz, x))
        (void)complain(pgz, WARNING, name, "decompressed; garbage behind its end ignored");
}

static void inflate_transfer(struct pgz *pgz)
{
    struct expander *x = calloc(1, sizeof *x);

    if (x == NULL || inflateInit2(&x->z, 16 + MAX_WBITS) != Z_OK) {
        (void)fail(pgz, pgz->transfer.in_name, strerror(ENOMEM));
    } else {
        x->z.next_in = x->in;
        expand_members(pgz, x);
        (void)inflateEnd(&x->z);
    }
    free(x);
}

/* ---------------------------------------------------------------- the input */

/* The suffix that says "compressed", or NULL. */
static const char *suffix_of(const char *name)
{
    static const char *const suffixes[] = { ".gz", "-gz", ".z", "-z", "_z", ".tgz", ".taz" };

    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        size_t length = strlen(name), n = strlen(suffixes[i]);
        if (length > n && name[length - n - 1] != '/'
            && strcasecmp(name + length - n, suffixes[i]) == 0)
            return name + length - n;
    }
    return NULL;
}

/* FILE.gz for FILE, or the other way round. */
static bool derive_output(struct pgz *pgz, struct transfer *t)
{
    const char *suffix = suffix_of(t->in_name), *tail = ".gz";
    size_t length = strlen(t->in_name);

    if (!pgz->options.decompress) {
        if (suffix != NULL && !pgz->options.force)
            return complain(pgz, WARNING, t->in_name, "has such a suffix already; -f insists");
    } else {
        if (suffix == NULL)
            return complain(pgz, WARNING, t->in_name, "unknown suffix; -c and -o need none");
        length = (size_t)(suffix - t->in_name);
        tail = suffix[1] == 't' || suffix[1] == 'T' ? ".tar" : "";
    }
    t->derived = malloc(length + strlen(tail) + 1);
    if (t->derived == NULL)
        return complain(pgz, FAILURE, t->in_name, NULL);
    memcpy(t->derived, t->in_name, length);
    memcpy(t->derived + length, tail, strlen(tail) + 1);
    t->out_name = t->derived;
    return true;
}

/* Why the input is passed over, or NULL: what is no file, or cannot be replaced without a loss. */
static const char *unfit(const struct options *options, const struct transfer *t)
{
    mode_t mode = t->in_stat.st_mode;

    if (S_ISDIR(mode))
        return "is a directory, skipped";
    if (!t->replaces)
        return NULL;
    if (!S_ISREG(mode))
        return "is not a regular file, skipped; -c reads it";
    if (!options->force && (mode & (S_ISUID | S_ISGID | S_ISVTX)) != 0)
        return "has a set-ID or sticky bit, skipped; -f insists";
    if (!options->force && t->in_stat.st_nlink > 1)
        return "has another hard link, skipped; -f insists";
    return NULL;
}

static bool open_input(struct pgz *pgz, struct transfer *t)
{
    int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY;

    if (t->replaces) /* files only: neither wait for a pipe's writer nor follow a link */
        flags |= O_NONBLOCK | (pgz->options.force ? 0 : O_NOFOLLOW);
    t->in = t->from_stdin ? STDIN_FILENO : open(t->in_name, flags);
    if (t->in < 0 && errno == ELOOP && (flags & O_NOFOLLOW) != 0)
        return complain(pgz, FAILURE, t->in_name, "is a symbolic link; -f and -c follow it");
    if (t->in < 0 || fstat(t->in, &t->in_stat) != 0)
        return complain(pgz, FAILURE, t->in_name, NULL);
    const char *cause = unfit(&pgz->options, t);
    if (cause != NULL)
        return complain(pgz, WARNING, t->in_name, cause);
    if (pgz->options.decompress && !pgz->options.force && isatty(t->in))
        return complain(pgz, FAILURE, t->in_name, "compressed data is not typed in; -f insists");
    return !t->replaces || derive_output(pgz, t);
}

/* Is the input still what it was when it was opened? */
static bool unchanged(const struct transfer *t)
{
    const struct stat *then = &t->in_stat;
    struct stat now;

    if (!S_ISREG(then->st_mode))
        return true;
    if (fstat(t->in, &now) != 0 || now.st_size != then->st_size)
        return false;
    return now.st_size == 0 /* as under /proc, where times mean little */
        || (now.st_mtim.tv_sec == then->st_mtim.tv_sec
            && now.st_mtim.tv_nsec == then->st_mtim.tv_nsec);
}

/* ---------------------------------------------------------------- the output */

static bool is_input(const struct transfer *t, const struct stat *st)
{
    return S_ISREG(st->st_mode) && st->st_dev == t->in_stat.st_dev
        && st->st_ino == t->in_stat.st_ino;
}

/* Creates the output. No signal may fall between this and the note for the signals' handler. */
static void create_output(struct transfer *t)
{
    mask_signals(SIG_BLOCK);
    t->out = open(t->out_name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    t->created = t->out >= 0;
    if (t->created)
        partial_output = t->out_name;
    int error = errno;
    mask_signals(SIG_UNBLOCK);
    errno = error;
}

static const char already_there[] = "exists; -f overwrites it";

/* Opens the output by its name: a device or pipe as it is, a file only as a new one. */
static const char *open_by_name(const struct options *options, struct transfer *t)
{
    struct stat st;

    if (!t->replaces && stat(t->out_name, &st) == 0 && !S_ISREG(st.st_mode)) {
        t->out = open(t->out_name, O_WRONLY | O_CLOEXEC);
        return t->out < 0 ? strerror(errno) : NULL;
    }
    if (options->force && lstat(t->out_name, &st) == 0) {
        if (is_input(t, &st))
            return "is the input, too";
        if (!S_ISREG(st.st_mode))
            return "exists and is not a file; remove it first";
        if (unlink(t->out_name) != 0)
            return strerror(errno);
    }
    create_output(t);
    return t->created ? NULL : errno == EEXIST ? already_there : strerror(errno);
}

static bool open_output(struct pgz *pgz, struct transfer *t)
{
    const struct options *options = &pgz->options;
    const char *cause = NULL;
    struct stat st;

    t->to_stdout = t->out_name == NULL;
    if (t->to_stdout) {
        t->out = STDOUT_FILENO;
        t->out_name = "stdout";
    } else {
        cause = open_by_name(options, t);
    }
    if (cause == NULL && !options->decompress && !options->force && isatty(t->out))
        cause = "compressed data is not for a terminal; -f insists";
    if (cause == NULL && fstat(t->out, &st) == 0 && is_input(t, &st))
        cause = "is the input, too";
    return cause == NULL
        || complain(pgz, cause == already_there ? WARNING : FAILURE, t->out_name, cause);
}

/* Owner, mode and times as the input's; the owner only where the system allows it. */
static void copy_attributes(struct pgz *pgz, const struct transfer *t)
{
    const struct stat *st = &t->in_stat;
    const struct timespec times[2] = { st->st_atim, st->st_mtim };
    mode_t mode = st->st_mode & (S_IRWXU | S_IRWXG | S_IRWXO);

    if (!S_ISREG(st->st_mode))
        return;
    if (fchown(t->out, st->st_uid, st->st_gid) != 0
        && fchown(t->out, (uid_t)-1, st->st_gid) != 0)
        mode &= ~(mode_t)S_IRWXG; /* what one group may do, another may not */
    if (fchmod(t->out, mode) != 0 || futimens(t->out, times) != 0)
        (void)complain(pgz, WARNING, t->out_name, "mode or times could not be set");
}

/* Ends the output: complete and, if so meant, in the input's place; or removed. */
static void close_output(struct pgz *pgz, struct transfer *t)
{
    bool good = pgz->fault_file == NULL, whole = unchanged(t);

    if (good && !whole)
        (void)complain(pgz, WARNING, t->in_name, "changed while it was read, and is kept");
    if (t->to_stdout) {
        pgz->spoilt = !good;
        return;
    }
    if (good && t->created)
        copy_attributes(pgz, t);
    mask_signals(SIG_BLOCK); /* output and input change places, or nothing happens */
    if (close(t->out) != 0 && good) {
        (void)complain(pgz, FAILURE, t->out_name, NULL);
        good = false;
    }
    if (!good && t->created)
        (void)unlink(t->out_name);
    partial_output = NULL;
    if (good && whole && t->replaces && !pgz->options.keep && unlink(t->in_name) != 0)
        (void)complain(pgz, FAILURE, t->in_name, NULL);
    mask_signals(SIG_UNBLOCK);
}

/* ---------------------------------------------------------------- from input to output */

static void transfer_opened(struct pgz *pgz)
{
    struct transfer *t = &pgz->transfer;

    if ((!pgz->options.decompress && !start_works(pgz)) || !open_output(pgz, t))
        return;
    pgz->fault_file = NULL;
    t->progress.on = !pgz->options.quiet && isatty(STDERR_FILENO) && !isatty(t->out);
    (void)clock_gettime(CLOCK_MONOTONIC, &t->progress.start);
    if (pgz->options.decompress)
        inflate_transfer(pgz);
    else
        deflate_transfer(pgz);
    progress_erase(&t->progress);
    if (pgz->fault_file != NULL)
        (void)complain(pgz, FAILURE, pgz->fault_file, pgz->fault);
    close_output(pgz, t);
}

/* One input from beginning to end. "-" is the standard input. */
static void process(struct pgz *pgz, const char *name)
{
    struct transfer *t = &pgz->transfer;

    memset(t, 0, sizeof *t);
    t->from_stdin = strcmp(name, "-") == 0;
    t->in_name = t->from_stdin ? "stdin" : name;
    t->out_name = pgz->options.output;
    t->replaces = !t->from_stdin && !pgz->options.to_stdout && t->out_name == NULL;
    if (open_input(pgz, t))
        transfer_opened(pgz);
    if (!t->from_stdin && t->in >= 0)
        (void)close(t->in);
    free(t->derived);
}

/* ---------------------------------------------------------------- options */

static const char usage[] =
    "usage: pgz [-1..-9] [-p N] [-b KIB] [-cdfkq] [-o OUT] [FILE...]\n"
    "Compresses each FILE to FILE.gz on all cores; without FILE, standard input to standard\n"
    "output. Any gunzip reads the result.\n"
    "\n"
    "  -1 .. -9  fastest .. best compression (6)\n"
    "  -p N      compress in N threads (as many as there are cores)\n"
    "  -b KIB    size of the blocks that are compressed at the same time (128)\n"
    "  -c        write to standard output, keep FILE\n"
    "  -o OUT    write to OUT, keep FILE\n"
    "  -d        decompress\n"
    "  -k        keep FILE\n"
    "  -f        overwrite outputs; take links, set-ID files, any suffix, terminals\n"
    "  -q        no warnings, no progress bar\n"
    "  -h, -V    this text; the version. Also --help, --version\n"
    "\n"
    "Exit status: 0 all went well, 1 error, 2 warning or wrong usage.\n";

/* Nothing has been acquired yet while options are read, so these two may leave at once. */
static void misused(const char *option, const char *cause)
{
    (void)fprintf(stderr, "pgz: %s: %s; try pgz -h\n", option, cause);
    exit(WARNING);
}

static void print_and_exit(const char *text)
{
    bool printed = fputs(text, stdout) >= 0 && fclose(stdout) == 0;

    if (!printed)
        (void)fprintf(stderr, "pgz: stdout: %s\n", strerror(errno));
    exit(printed ? EXIT_SUCCESS : FAILURE);
}

static unsigned number(const char *option, const char *text, unsigned long min, unsigned long max)
{
    char *end;

    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || value < min || value > max)
        misused(option, "its value is not a number or out of range");
    return (unsigned)value;
}

static void set_option(struct options *o, char letter, const char *value)
{
    switch (letter) {
    case 'b': o->block = KIB * number("-b", value, DICTIONARY / KIB, MAX_BLOCK_KIB); break;
    case 'c': o->to_stdout = true; break;
    case 'd': o->decompress = true; break;
    case 'f': o->force = true; break;
    case 'h': print_and_exit(usage); break;
    case 'k': o->keep = true; break;
    case 'o': o->output = value; break;
    case 'p': o->threads = number("-p", value, 1, MAX_THREADS); break;
    case 'q': o->quiet = true; break;
    case 'V': print_and_exit("pgz " PGZ_VERSION " (btwq, zlib " ZLIB_VERSION ")\n"); break;
    default:
        if (letter < '1' || letter > '9')
            misused((const char[]){ '-', letter, '\0' }, "unknown option");
        o->level = letter - '0';
    }
}

/* "-9kf", "-p4", "-kp" "4": letters, and perhaps a value at the end. Returns the words used. */
static int set_options(struct options *o, char **words)
{
    for (const char *letter = words[0] + 1; *letter != '\0'; letter++) {
        bool valued = strchr("bop", *letter) != NULL;
        const char *value = letter[1] != '\0' ? letter + 1 : words[1];
        if (valued && value == NULL)
            misused(words[0], "needs a value");
        set_option(o, *letter, value);
        if (valued)
            return value == words[1] ? 2 : 1;
    }
    return 1;
}

/* Options and FILEs may be mixed. The FILEs end up at the front of argv; returns their number. */
static int parse(struct options *o, int argc, char **argv)
{
    bool only_files = false;
    int files = 0;

    for (int i = 1; i < argc;) {
        const char *word = argv[i];
        if (only_files || word[0] != '-' || word[1] == '\0')
            argv[files++] = argv[i++];
        else if (strcmp(word, "--help") == 0 || strcmp(word, "--version") == 0)
            set_option(o, word[2] == 'h' ? 'h' : 'V', NULL);
        else if (strcmp(word, "--") != 0)
            i += set_options(o, argv + i);
        else
            only_files = i++ < argc;
    }
    if (o->output != NULL && (o->to_stdout || files > 1))
        misused("-o", "goes with one FILE and without -c");
    return files;
}

int main(int argc, char **argv)
{
    static struct pgz pgz = {
        .options = { .level = 6, .block = 128 * KIB },
        .pool = BTWQ_POOL_INIT(BTWQ_PORT_HOST),
        .queue = BTWQ_QUEUE_INIT(&pgz.pool, "pgz"),
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .given_back = PTHREAD_COND_INITIALIZER,
    };
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    pgz.options.threads = cores < 1 ? 1 : cores > MAX_THREADS ? MAX_THREADS : (unsigned)cores;
    int files = parse(&pgz.options, argc, argv);
    install_signals();
    if (files == 0)
        process(&pgz, "-");
    for (int i = 0; i < files && !pgz.spoilt; i++)
        process(&pgz, argv[i]);
    stop_works(&pgz);
    (void)btwq_pool_destroy(&pgz.pool);
    if (close(STDOUT_FILENO) != 0 && errno != EBADF)
        (void)complain(&pgz, FAILURE, "stdout", NULL);
    return pgz.status;
}

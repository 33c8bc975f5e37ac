/*
 * spool_log_bench.h - the files of a spool in a folder of their own, for tests
 * that spoil them.
 *
 * Event n has n in its data, so that each can be told from the others.
 */
#ifndef EVH_TESTS_SPOOL_LOG_BENCH_H
#define EVH_TESTS_SPOOL_LOG_BENCH_H

#include "../harness/tempdir.h"

#include "spool_log.h"

#define STORE_MAX_SIZE ((uint64_t)1 << 20)

struct store {
	struct tempdir dir;
	struct spool_log log;
};

/* cmocka's setup and teardown; *state is the store, not yet open, and the disk
 * a good one. */
int store_make(void **state);
int store_remove(void **state);
void store_open(struct store *s);
void store_close(struct store *s);
/* As the next process would. */
void store_reopen(struct store *s);
/* Adds events n to n + count - 1, one group, and says how that went. */
int store_try(struct store *s, uint64_t n, unsigned count);
/* As store_try(), which must go well. */
void store_put(struct store *s, uint64_t n, unsigned count);
/* Leaves one file that is full, one that is begun, with events 1 to 4. */
void store_two_files(struct store *s);

/* The next one is event n. */
void store_expect_event(struct store *s, uint64_t n);
/* The next ones are first to last. */
void store_expect_events(struct store *s, uint64_t first, uint64_t last);
/* There is no next one; 0, or what is wrong. */
void store_expect_end(struct store *s, int rc);
/* First to last are the next ones, and all. */
void store_expect_only(struct store *s, uint64_t first, uint64_t last);

/* The path of the file with this number. */
void store_file_of(const struct store *s, uint64_t number, char ret[300]);
/* -1: there is none. */
off_t store_file_size(const struct store *s, uint64_t number);
void store_file_cut(const struct store *s, uint64_t number, off_t size);
void store_bit_flip(const struct store *s, uint64_t number, off_t place,
		    int bit);
/* Over what stands at this place of a file that is there. */
void store_file_write(const struct store *s, const char *name, const char *text,
		      off_t place);
/* A second name for a file. */
void store_file_link(const struct store *s, const char *from, const char *to);

#endif

/*
 * bare_rows.c - what PostgreSQL takes of one program that has all rows at hand:
 * into the same table and indexes, by one of the ways of table.h.
 *
 *   bare_rows CONNINFO N METHOD BATCH WRITERS     prints: rate R cpu_us C
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "table.h"

#define WRITERS_MAX 8

static const char data[] = "{\"user_id\":123,\"email\":\"someone@example.org\","
			   "\"plan\":\"pro\",\"tags\":[\"a\",\"b\"],"
			   "\"amount\":12.5}";

struct writer {
	pthread_t thread;
	struct table table;
	struct row *rows;
	long n, first, step;
	int batch;
	int64_t begin_us;
};

static double
now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* UUIDv7 in order: milliseconds, then the number. */
static void
row_make(struct row *row, int64_t begin_us, long i)
{
	int64_t us = begin_us + i;
	uint64_t ms = (uint64_t)(us / 1000);

	*row = (struct row){ .name = "user.created",
			     .name_len = 12,
			     .data = data,
			     .data_len = sizeof(data) - 1,
			     .created_us = us,
			     .partition = (int32_t)(i % 6),
			     .offset = i };
	for (int k = 0; k < 6; k++)
		row->id[k] = (unsigned char)(ms >> (40 - 8 * k));
	row->id[6] = 0x70;
	row->id[8] = 0x80;
	for (int k = 0; k < 6; k++)
		row->id[10 + k] = (unsigned char)((uint64_t)i >> (40 - 8 * k));
}

static void *
writer_main(void *arg)
{
	struct writer *w = arg;

	for (long at = w->first; at < w->n; at += w->step) {
		int n = w->n - at < w->batch ? (int)(w->n - at) : w->batch;

		for (int i = 0; i < n; i++)
			row_make(&w->rows[i], w->begin_us, at + i);
		table_write(&w->table, w->rows, n);
	}
	return NULL;
}

int
main(int argc, char **argv)
{
	static struct writer writers[WRITERS_MAX];
	enum table_method method = argc == 6 ? table_method_read(argv[3]) : 0;
	int batch = argc == 6 ? (int)strtol(argv[4], NULL, 10) : 0;
	int n_writers = argc == 6 ? (int)strtol(argv[5], NULL, 10) : 0;
	long n = argc == 6 ? strtol(argv[2], NULL, 10) : 0;
	struct rusage usage;
	double begin_s, cpu_s;

	if (!method || batch < 1 || batch > TABLE_BATCH_MAX || n_writers < 1 ||
	    n_writers > WRITERS_MAX) {
		fprintf(stderr, "usage: bare_rows CONNINFO N unnest|copy|"
				"staging BATCH WRITERS\n");
		return 64;
	}
	for (int i = 0; i < n_writers; i++) {
		struct writer *w = &writers[i];

		w->rows = calloc((size_t)batch, sizeof(*w->rows));
		if (!w->rows)
			return 1;
		w->n = n;
		w->first = (long)i * batch;
		w->step = (long)n_writers * batch;
		w->batch = batch;
		w->begin_us = (int64_t)time(NULL) * 1000000;
		table_open(&w->table, argv[1], "bare", method);
	}
	begin_s = now_s();
	for (int i = 0; i < n_writers; i++)
		if (pthread_create(&writers[i].thread, NULL, writer_main,
				   &writers[i]) != 0)
			return 1;
	for (int i = 0; i < n_writers; i++)
		pthread_join(writers[i].thread, NULL);
	begin_s = now_s() - begin_s;
	getrusage(RUSAGE_SELF, &usage);
	cpu_s = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
		(double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
	printf("rate %.0f cpu_us %.2f\n", (double)n / begin_s,
	       cpu_s * 1e6 / (double)n);
	return 0;
}

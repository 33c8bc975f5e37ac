/*
 * bare_store.c - what the libraries can do for Kafka -> PostgreSQL with
 * nothing around them: one thread that reads and parses, writers that put
 * whole batches into the table (table.h says how), offsets stored after the
 * commit and in order.
 *
 *   bare_store BROKERS TOPIC CONNINFO N [method=unnest] [batch=1000]
 *              [writers=1] [parse=jansson|scan] [queue_kb=131072]
 *
 * Ends after N messages, and prints
 *   rate R cpu_us C peak_mb M waited W again A
 * W is the part of the time that writers waited for rows: when it is large, the
 * figure is no limit of PostgreSQL.  A: batches that were done again.
 */
#include <errno.h>
#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "scan.h"
#include "setting.h"
#include "table.h"

#define BATCHES	    8
#define WRITERS_MAX 4

struct batch {
	struct row *rows;
	rd_kafka_message_t **messages;
	int n;
	bool is_written;
};

struct bare {
	rd_kafka_t *rk;
	const char *brokers, *topic, *method, *queue_kb;
	long batch_max, n_writers;
	bool (*scan)(const char *text, size_t len, struct row *row);
	long n;
	pthread_mutex_t lock; /* guards: the rest */
	pthread_cond_t changed;
	struct batch batches[BATCHES]; /* a ring */
	/* Filled; given to a writer; written, and all before it. */
	unsigned head, taken, tail;
	bool is_over;
	double begin_s, waited_s;
};

struct writer {
	pthread_t thread;
	struct bare *bare;
	struct table table;
};

static void
fail(const char *what, const char *why)
{
	fprintf(stderr, "bare_store: %s: %s\n", what, why);
	exit(1);
}

static double
now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* A message that is no event is kept with its bytes, under an id that follows
 * from its place. */
static void
row_fail(struct row *row, const rd_kafka_message_t *m)
{
	memset(row->id, 0, sizeof(row->id));
	memcpy(row->id, &m->partition, sizeof(m->partition));
	memcpy(row->id + 8, &m->offset, sizeof(m->offset));
	row->name = "invalid";
	row->name_len = 7;
	row->data = m->payload;
	row->data_len = m->len;
	row->created_us = (int64_t)time(NULL) * 1000000;
	row->is_failed = true;
}

static void
batch_add(struct bare *bare, struct batch *b, rd_kafka_message_t *m)
{
	struct row *row = &b->rows[b->n];

	row->is_failed = false;
	row->partition = m->partition;
	row->offset = m->offset;
	if (!bare->scan(m->payload, m->len, row))
		row_fail(row, m);
	b->messages[b->n++] = m;
}

/* Messages until the batch is full, or no more are there for the moment. */
static void
batch_fill(struct bare *bare, struct batch *b, rd_kafka_queue_t *queue,
	   long want)
{
	rd_kafka_message_t *messages[256];

	b->n = 0;
	if (want > bare->batch_max)
		want = bare->batch_max;
	while (b->n < want) {
		long room = want - b->n < 256 ? want - b->n : 256;
		ssize_t k = rd_kafka_consume_batch_queue(queue, 100, messages,
							 (size_t)room);

		if (k <= 0 && b->n > 0)
			break;
		for (ssize_t i = 0; i < k; i++) {
			if (messages[i]->err)
				rd_kafka_message_destroy(messages[i]);
			else
				batch_add(bare, b, messages[i]);
		}
	}
}

static void *
reader_main(void *arg)
{
	struct bare *bare = arg;
	rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(bare->rk);
	long n = 0;

	while (n < bare->n) {
		struct batch *b;

		pthread_mutex_lock(&bare->lock);
		while (bare->head - bare->tail == BATCHES)
			pthread_cond_wait(&bare->changed, &bare->lock);
		pthread_mutex_unlock(&bare->lock);
		b = &bare->batches[bare->head % BATCHES];
		batch_fill(bare, b, queue, bare->n - n);
		n += b->n;
		pthread_mutex_lock(&bare->lock);
		bare->head++;
		bare->is_over = n >= bare->n;
		pthread_cond_broadcast(&bare->changed);
		pthread_mutex_unlock(&bare->lock);
	}
	rd_kafka_queue_destroy(queue);
	return NULL;
}

/* Stores the offsets behind a batch that is written, as all before it are. */
static void
batch_end(struct bare *bare, struct batch *b)
{
	rd_kafka_topic_partition_list_t *list =
		rd_kafka_topic_partition_list_new(16);

	for (int i = 0; i < b->n; i++) {
		rd_kafka_message_t *m = b->messages[i];
		rd_kafka_topic_partition_t *at =
			rd_kafka_topic_partition_list_find(list, bare->topic,
							   m->partition);

		if (!at) {
			at = rd_kafka_topic_partition_list_add(
				list, bare->topic, m->partition);
			at->offset = 0;
		}
		if (m->offset + 1 > at->offset)
			at->offset = m->offset + 1;
		rd_kafka_message_destroy(m);
	}
	rd_kafka_offsets_store(bare->rk, list);
	rd_kafka_topic_partition_list_destroy(list);
}

/* The next batch; NULL when it is over. */
static struct batch *
batch_take(struct bare *bare)
{
	struct batch *b = NULL;
	double begin_s;

	pthread_mutex_lock(&bare->lock);
	begin_s = now_s();
	while (bare->head == bare->taken && !bare->is_over)
		pthread_cond_wait(&bare->changed, &bare->lock);
	/* The time before the first batch is the group's, not the writers'. */
	if (bare->begin_s == 0)
		bare->begin_s = now_s();
	if (begin_s < bare->begin_s)
		begin_s = bare->begin_s;
	bare->waited_s += now_s() - begin_s;
	if (bare->head != bare->taken) {
		b = &bare->batches[bare->taken++ % BATCHES];
		b->is_written = false;
	}
	pthread_mutex_unlock(&bare->lock);
	return b;
}

static void *
writer_main(void *arg)
{
	struct writer *w = arg;
	struct bare *bare = w->bare;
	struct batch *b;

	while ((b = batch_take(bare))) {
		table_write(&w->table, b->rows, b->n);
		pthread_mutex_lock(&bare->lock);
		b->is_written = true;
		while (bare->tail != bare->taken) {
			b = &bare->batches[bare->tail % BATCHES];
			if (!b->is_written)
				break;
			batch_end(bare, b);
			bare->tail++;
		}
		pthread_cond_broadcast(&bare->changed);
		pthread_mutex_unlock(&bare->lock);
	}
	return NULL;
}

static rd_kafka_t *
consumer_open(const struct bare *bare)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_topic_partition_list_t *list =
		rd_kafka_topic_partition_list_new(1);
	char error[256];
	char group[64];
	rd_kafka_t *rk;

	snprintf(group, sizeof(group), "bare-%d", (int)getpid());
	rd_kafka_conf_set(conf, "bootstrap.servers", bare->brokers, NULL, 0);
	rd_kafka_conf_set(conf, "group.id", group, NULL, 0);
	rd_kafka_conf_set(conf, "auto.offset.reset", "earliest", NULL, 0);
	rd_kafka_conf_set(conf, "enable.auto.offset.store", "false", NULL, 0);
	/* Else librdkafka 2.0.2 pauses for a second at a full queue. */
	rd_kafka_conf_set(conf, "queued.min.messages", "1000000", NULL, 0);
	if (rd_kafka_conf_set(conf, "queued.max.messages.kbytes",
			      bare->queue_kb, error, sizeof(error)) != 0)
		fail("consumer", error);
	rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, error, sizeof(error));
	if (!rk)
		fail("consumer", error);
	rd_kafka_poll_set_consumer(rk);
	rd_kafka_topic_partition_list_add(list, bare->topic,
					  RD_KAFKA_PARTITION_UA);
	rd_kafka_subscribe(rk, list);
	rd_kafka_topic_partition_list_destroy(list);
	return rk;
}

/* 0, or -1 when it is not understood. */
static int
options_read(struct bare *bare, int argc, char **argv)
{
	bare->method = "unnest";
	bare->queue_kb = "131072";
	bare->batch_max = 1000;
	bare->n_writers = 1;
	bare->scan = scan_row_jansson;
	bare->n = strtol(argv[4], NULL, 10);
	for (int i = 5; i < argc; i++) {
		const char *method = setting_value(argv[i], "method");
		const char *parse = setting_value(argv[i], "parse");
		const char *queue_kb = setting_value(argv[i], "queue_kb");

		if (method)
			bare->method = method;
		else if (parse && strcmp(parse, "scan") == 0)
			bare->scan = scan_row;
		else if (parse && strcmp(parse, "jansson") == 0)
			bare->scan = scan_row_jansson;
		else if (queue_kb)
			bare->queue_kb = queue_kb;
		else if (!setting_number(argv[i], "batch", &bare->batch_max) &&
			 !setting_number(argv[i], "writers", &bare->n_writers))
			return -1;
	}
	return table_method_read(bare->method) && bare->batch_max >= 1 &&
			       bare->batch_max <= TABLE_BATCH_MAX &&
			       bare->n_writers >= 1 &&
			       bare->n_writers <= WRITERS_MAX
		       ? 0
		       : -1;
}

static void
batches_make(struct bare *bare)
{
	for (int i = 0; i < BATCHES; i++) {
		struct batch *b = &bare->batches[i];

		b->rows = calloc((size_t)bare->batch_max, sizeof(*b->rows));
		b->messages =
			calloc((size_t)bare->batch_max, sizeof(*b->messages));
		if (!b->rows || !b->messages)
			fail("memory", strerror(errno));
	}
}

static void
report(const struct bare *bare, const struct writer *writers)
{
	double took_s = now_s() - bare->begin_s;
	struct rusage usage;
	double cpu_s;
	long n_again = 0;

	for (int i = 0; i < bare->n_writers; i++)
		n_again += writers[i].table.n_again;
	getrusage(RUSAGE_SELF, &usage);
	cpu_s = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
		(double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
	printf("rate %.0f cpu_us %.2f peak_mb %.0f waited %.2f again %ld\n",
	       (double)bare->n / took_s, cpu_s * 1e6 / (double)bare->n,
	       (double)usage.ru_maxrss / 1024,
	       bare->waited_s / took_s / (double)bare->n_writers, n_again);
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	static struct bare bare = { .lock = PTHREAD_MUTEX_INITIALIZER,
				    .changed = PTHREAD_COND_INITIALIZER };
	static struct writer writers[WRITERS_MAX];
	pthread_t reader;

	if (argc < 5 || options_read(&bare, argc, argv) < 0) {
		fprintf(stderr,
			"usage: bare_store BROKERS TOPIC CONNINFO N "
			"[method=unnest|copy|staging|look|update] [batch=N] "
			"[writers=N] [parse=jansson|scan] [queue_kb=N]\n");
		return 64;
	}
	bare.brokers = argv[1];
	bare.topic = argv[2];
	batches_make(&bare);
	for (int i = 0; i < bare.n_writers; i++) {
		writers[i].bare = &bare;
		table_open(&writers[i].table, argv[3], bare.topic,
			   table_method_read(bare.method));
	}
	bare.rk = consumer_open(&bare);
	if (pthread_create(&reader, NULL, reader_main, &bare) != 0)
		fail("thread", strerror(errno));
	for (int i = 0; i < bare.n_writers; i++)
		if (pthread_create(&writers[i].thread, NULL, writer_main,
				   &writers[i]) != 0)
			fail("thread", strerror(errno));
	for (int i = 0; i < bare.n_writers; i++)
		pthread_join(writers[i].thread, NULL);
	pthread_join(reader, NULL);
	report(&bare, writers);
	/* Leaving the group politely is not what is measured. */
	_exit(0);
}

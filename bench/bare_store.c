/*
 * bare_store.c - what the libraries can do for Kafka -> PostgreSQL with
 * nothing around them: one reader thread that parses each message by jansson,
 * one writer connection that upserts 1000 rows a transaction from binary
 * arrays (unnest), offsets stored after the commit.
 *
 *   bare_store BROKERS TOPIC CONNINFO N       ends after N rows, prints rows/s
 */
#include <errno.h>
#include <jansson.h>
#include <libpq-fe.h>
#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BATCH		1000
#define BATCHES		8
#define OID_UUID	2950
#define OID_TEXT	25
#define OID_TIMESTAMPTZ 1184
/* PostgreSQL counts microseconds from 2000-01-01. */
#define PG_EPOCH_US INT64_C(946684800000000)

struct row {
	rd_kafka_message_t *message;
	unsigned char id[16];
	char name[64];
	const char *data;
	size_t data_len;
	int64_t created_us;
};

struct batch {
	struct row rows[BATCH];
	int n;
};

struct bare {
	rd_kafka_t *rk;
	const char *conninfo;
	long n;
	pthread_mutex_t lock; /* guards: full, is_over */
	pthread_cond_t changed;
	struct batch batches[BATCHES]; /* a ring: head is written, tail read */
	unsigned head, tail;
	bool is_over;
};

static void
fail(const char *what, const char *why)
{
	fprintf(stderr, "bare_store: %s: %s\n", what, why);
	exit(1);
}

static int
hex(char c)
{
	return c <= '9' ? c - '0' : (c | 32) - 'a' + 10;
}

static void
id_read(const char *text, unsigned char id[16])
{
	for (int i = 0; i < 16; text += 2) {
		if (*text == '-')
			text++;
		id[i++] = (unsigned char)(hex(text[0]) << 4 | hex(text[1]));
	}
}

/* The bytes of "data" as they came: behind its name, before the next member.
 * Good enough for what fill.c writes, and cheaper than any honest way. */
static void
data_find(struct row *row)
{
	const char *at = row->message->payload;
	const char *end = at + row->message->len;
	const char *data = memmem(at, row->message->len, "\"data\":", 7);
	const char *next;

	if (!data)
		fail("message", "no data");
	data += 7;
	next = memmem(data, (size_t)(end - data), ",\"created_at\"", 13);
	row->data = data;
	row->data_len = (size_t)((next ? next : end - 1) - data);
}

static void
row_parse(struct row *row, rd_kafka_message_t *message)
{
	json_t *json = json_loadb(message->payload, message->len,
				  JSON_REJECT_DUPLICATES, NULL);
	const char *id = json_string_value(json_object_get(json, "id"));
	const char *name = json_string_value(json_object_get(json, "name"));
	const char *at = json_string_value(json_object_get(json, "created_at"));
	struct tm tm = { 0 };

	if (!id || !name || !at)
		fail("message", "not what fill.c writes");
	row->message = message;
	id_read(id, row->id);
	snprintf(row->name, sizeof(row->name), "%s", name);
	strptime(at, "%Y-%m-%dT%H:%M:%S", &tm);
	row->created_us =
		(int64_t)timegm(&tm) * 1000000 + strtol(at + 20, NULL, 10);
	data_find(row);
	json_decref(json);
}

static void
put32(char **p, int32_t v)
{
	uint32_t be = __builtin_bswap32((uint32_t)v);

	memcpy(*p, &be, 4);
	*p += 4;
}

static void
put64(char **p, int64_t v)
{
	uint64_t be = __builtin_bswap64((uint64_t)v);

	memcpy(*p, &be, 8);
	*p += 8;
}

/* The head of a one-dimensional binary array. */
static void
array_begin(char **p, int32_t oid, int n)
{
	put32(p, 1);
	put32(p, 0);
	put32(p, oid);
	put32(p, n);
	put32(p, 1);
}

static void
put_bytes(char **p, const void *data, size_t len)
{
	put32(p, (int32_t)len);
	memcpy(*p, data, len);
	*p += len;
}

static int
by_id(const void *a, const void *b)
{
	return memcmp(((const struct row *)a)->id, ((const struct row *)b)->id,
		      16);
}

static void
batch_write(PGconn *conn, struct batch *b)
{
	static char ids[BATCH * 20 + 64], names[BATCH * 68 + 64],
		times[BATCH * 12 + 64];
	static char *data;
	static size_t data_size;
	size_t need = 64;
	char *p[4];
	const char *values[4];
	int lengths[4];
	static const int formats[4] = { 1, 1, 1, 1 };
	PGresult *result;

	qsort(b->rows, (size_t)b->n, sizeof(b->rows[0]), by_id);
	for (int i = 0; i < b->n; i++)
		need += b->rows[i].data_len + 4;
	if (!data || need > data_size) {
		data_size = 2 * need;
		data = realloc(data, data_size);
		if (!data)
			fail("realloc", strerror(errno));
	}
	p[0] = ids;
	p[1] = names;
	p[2] = data;
	p[3] = times;
	array_begin(&p[0], OID_UUID, b->n);
	array_begin(&p[1], OID_TEXT, b->n);
	array_begin(&p[2], OID_TEXT, b->n);
	array_begin(&p[3], OID_TIMESTAMPTZ, b->n);
	for (int i = 0; i < b->n; i++) {
		const struct row *row = &b->rows[i];

		put_bytes(&p[0], row->id, 16);
		put_bytes(&p[1], row->name, strlen(row->name));
		put_bytes(&p[2], row->data, row->data_len);
		put32(&p[3], 8);
		put64(&p[3], row->created_us - PG_EPOCH_US);
	}
	values[0] = ids;
	values[1] = names;
	values[2] = data;
	values[3] = times;
	lengths[0] = (int)(p[0] - ids);
	lengths[1] = (int)(p[1] - names);
	lengths[2] = (int)(p[2] - data);
	lengths[3] = (int)(p[3] - times);
	result = PQexecPrepared(conn, "put", 4, values, lengths, formats, 1);
	if (PQresultStatus(result) != PGRES_COMMAND_OK)
		fail("insert", PQerrorMessage(conn));
	PQclear(result);
}

/* The next offset of each message's partition: the last one wins. */
static void
batch_end(struct bare *bare, struct batch *b)
{
	rd_kafka_topic_partition_list_t *list =
		rd_kafka_topic_partition_list_new(16);

	for (int i = 0; i < b->n; i++) {
		rd_kafka_message_t *m = b->rows[i].message;
		const char *topic = rd_kafka_topic_name(m->rkt);
		rd_kafka_topic_partition_t *at =
			rd_kafka_topic_partition_list_find(list, topic,
							   m->partition);

		if (!at) {
			at = rd_kafka_topic_partition_list_add(list, topic,
							       m->partition);
			at->offset = 0;
		}
		if (m->offset + 1 > at->offset)
			at->offset = m->offset + 1;
		rd_kafka_message_destroy(m);
	}
	rd_kafka_offsets_store(bare->rk, list);
	rd_kafka_topic_partition_list_destroy(list);
}

static void *
reader_main(void *arg)
{
	struct bare *bare = arg;
	long n = 0;

	while (n < bare->n) {
		struct batch *b;

		pthread_mutex_lock(&bare->lock);
		while (bare->head - bare->tail == BATCHES)
			pthread_cond_wait(&bare->changed, &bare->lock);
		pthread_mutex_unlock(&bare->lock);
		b = &bare->batches[bare->head % BATCHES];
		b->n = 0;
		while (b->n < BATCH && n < bare->n) {
			rd_kafka_message_t *m =
				rd_kafka_consumer_poll(bare->rk, 100);

			if (m && m->err) {
				rd_kafka_message_destroy(m);
				m = NULL;
			}
			if (!m) {
				if (b->n > 0)
					break;
				continue;
			}
			row_parse(&b->rows[b->n++], m);
			n++;
		}
		pthread_mutex_lock(&bare->lock);
		bare->head++;
		bare->is_over = n >= bare->n;
		pthread_cond_signal(&bare->changed);
		pthread_mutex_unlock(&bare->lock);
	}
	return NULL;
}

static void
writer_run(struct bare *bare, PGconn *conn, struct timespec *ret_begin)
{
	for (;;) {
		struct batch *b;
		bool is_over;

		pthread_mutex_lock(&bare->lock);
		while (bare->head == bare->tail && !bare->is_over)
			pthread_cond_wait(&bare->changed, &bare->lock);
		is_over = bare->head == bare->tail;
		pthread_mutex_unlock(&bare->lock);
		if (is_over)
			return;
		if (bare->tail == 0)
			clock_gettime(CLOCK_MONOTONIC, ret_begin);
		b = &bare->batches[bare->tail % BATCHES];
		batch_write(conn, b);
		batch_end(bare, b);
		pthread_mutex_lock(&bare->lock);
		bare->tail++;
		pthread_cond_signal(&bare->changed);
		pthread_mutex_unlock(&bare->lock);
	}
}

static rd_kafka_t *
consumer_open(const char *brokers, const char *topic)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_topic_partition_list_t *list =
		rd_kafka_topic_partition_list_new(1);
	char error[256];
	char group[64];
	rd_kafka_t *rk;

	snprintf(group, sizeof(group), "bare-%d", (int)getpid());
	rd_kafka_conf_set(conf, "bootstrap.servers", brokers, NULL, 0);
	rd_kafka_conf_set(conf, "group.id", group, NULL, 0);
	rd_kafka_conf_set(conf, "auto.offset.reset", "earliest", NULL, 0);
	rd_kafka_conf_set(conf, "enable.auto.offset.store", "false", NULL, 0);
	rd_kafka_conf_set(conf, "queued.min.messages", "1000000", NULL, 0);
	rd_kafka_conf_set(conf, "queued.max.messages.kbytes", "131072", NULL,
			  0);
	rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, error, sizeof(error));
	if (!rk)
		fail("consumer", error);
	rd_kafka_poll_set_consumer(rk);
	rd_kafka_topic_partition_list_add(list, topic, RD_KAFKA_PARTITION_UA);
	rd_kafka_subscribe(rk, list);
	rd_kafka_topic_partition_list_destroy(list);
	return rk;
}

int
main(int argc, char **argv)
{
	static struct bare bare = { .lock = PTHREAD_MUTEX_INITIALIZER,
				    .changed = PTHREAD_COND_INITIALIZER };
	struct timespec begin, end;
	pthread_t reader;
	PGresult *result;
	double seconds;
	PGconn *conn;

	if (argc != 5) {
		fprintf(stderr, "usage: bare_store BROKERS TOPIC CONNINFO N\n");
		return 64;
	}
	bare.n = strtol(argv[4], NULL, 10);
	conn = PQconnectdb(argv[3]);
	result = PQprepare(
		conn, "put",
		"INSERT INTO events (id, name, data, status, attempts, "
		"created_at, processed_at) SELECT id, name, data::json, "
		"'processed', 1, at, now() FROM unnest($1::uuid[], $2::text[], "
		"$3::text[], $4::timestamptz[]) AS t(id, name, data, at) "
		"ON CONFLICT (id) DO UPDATE SET status = 'processed', "
		"processed_at = excluded.processed_at "
		"WHERE events.status <> 'processed'",
		0, NULL);
	if (PQresultStatus(result) != PGRES_COMMAND_OK)
		fail("prepare", PQerrorMessage(conn));
	PQclear(result);
	bare.rk = consumer_open(argv[1], argv[2]);
	pthread_create(&reader, NULL, reader_main, &bare);
	writer_run(&bare, conn, &begin);
	clock_gettime(CLOCK_MONOTONIC, &end);
	pthread_join(reader, NULL);
	seconds = (double)(end.tv_sec - begin.tv_sec) +
		  (double)(end.tv_nsec - begin.tv_nsec) / 1e9;
	printf("%.0f\n", (double)bare.n / seconds);
	fflush(stdout);
	/* Leaving the group politely is not what is measured. */
	_exit(0);
}

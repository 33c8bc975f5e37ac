/*
 * fill.c - puts N messages into a topic, as kafka_sink would write them, so
 * that a consumer has a backlog to read: to the partitions by turns, a thousand
 * each, so that all are about as long.  Prints how many different events they
 * are.
 *
 *   fill BROKERS TOPIC N [again=PERCENT] [poison=PERCENT] [refused=PERCENT]
 *                        [size=BYTES]
 *
 * again: so many come once more, some thousands later, in the same partition,
 * as after a crash. poison: so many are no JSON.  refused: so many are called
 * "refused", which a table may have a constraint against.  size: about so large
 * is each.
 */
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "setting.h"

#define AGAIN_AFTER   7000
#define TURN	      1000
#define TIMEOUT_MS    10000
#define SIZE_MAX_TEXT (1 << 20)

struct fill {
	long n, again, poison, refused, size;
	struct timespec begin;
	char *text;
	char pad[SIZE_MAX_TEXT];
};

static long n_failed;

static void
delivered(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
	(void)rk;
	(void)opaque;
	if (message->err)
		n_failed++;
}

/* Message i of 100, spread evenly: is it one of `percent`? */
static int
is_of(long i, long percent)
{
	return i * percent / 100 != (i + 1) * percent / 100;
}

/* The event that message i carries: itself, or one that came before. */
static long
event_of(const struct fill *f, long i)
{
	while (i >= AGAIN_AFTER && is_of(i, f->again))
		i -= AGAIN_AFTER;
	return i;
}

/* UUIDv7 in order: 48 bits of milliseconds, then a counter.  A microsecond
 * each, so that an event that comes again is the same one. */
static int
event_write(const struct fill *f, long i, size_t size)
{
	long us = f->begin.tv_nsec / 1000 + i;
	time_t s = f->begin.tv_sec + us / 1000000;
	unsigned long long ms = (unsigned long long)s * 1000 +
				(unsigned long long)(us % 1000000) / 1000;
	struct tm tm;
	char at[32];

	gmtime_r(&s, &tm);
	strftime(at, sizeof(at), "%Y-%m-%dT%H:%M:%S", &tm);
	return snprintf(f->text, size,
			"{\"id\":\"%08llx-%04llx-7%03lx-8%03lx-%012lx\","
			"\"name\":\"%s\",\"data\":{\"user_id\":%ld,"
			"\"email\":\"someone@example.org\",\"plan\":\"pro\","
			"\"tags\":[\"a\",\"b\"],\"amount\":12.5%s},"
			"\"created_at\":\"%s.%06ldZ\"}",
			ms >> 16, ms & 0xffff, (i >> 12) & 0xfff, i & 0xfff, i,
			is_of(i, f->refused) ? "refused" : "user.created", i,
			f->pad, at, us % 1000000);
}

static int
options_read(struct fill *f, int argc, char **argv)
{
	f->n = strtol(argv[3], NULL, 10);
	for (int i = 4; i < argc; i++)
		if (!setting_number(argv[i], "again", &f->again) &&
		    !setting_number(argv[i], "poison", &f->poison) &&
		    !setting_number(argv[i], "refused", &f->refused) &&
		    !setting_number(argv[i], "size", &f->size))
			return -1;
	if (f->size > SIZE_MAX_TEXT - 300)
		return -1;
	/* Without more, a message has some 210 bytes. */
	if (f->size > 230) {
		long n = f->size - 220;

		memcpy(f->pad, ",\"note\":\"", 9);
		memset(f->pad + 9, 'x', (size_t)n);
		f->pad[9 + n] = '"';
	}
	return 0;
}

static rd_kafka_t *
producer_open(const char *brokers)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char error[256];
	rd_kafka_t *rk;

	rd_kafka_conf_set(conf, "bootstrap.servers", brokers, NULL, 0);
	rd_kafka_conf_set(conf, "acks", "all", NULL, 0);
	rd_kafka_conf_set(conf, "linger.ms", "20", NULL, 0);
	rd_kafka_conf_set_dr_msg_cb(conf, delivered);
	rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, sizeof(error));
	if (!rk)
		fprintf(stderr, "fill: %s\n", error);
	return rk;
}

/* 0 and a word about it when the topic is not known. */
static int
partitions_of(rd_kafka_t *rk, rd_kafka_topic_t *topic)
{
	const struct rd_kafka_metadata *metadata;
	rd_kafka_resp_err_t err;
	int n;

	err = rd_kafka_metadata(rk, 0, topic, &metadata, TIMEOUT_MS);
	if (err) {
		fprintf(stderr, "fill: %s\n", rd_kafka_err2str(err));
		return 0;
	}
	err = metadata->topics[0].err;
	n = err ? 0 : metadata->topics[0].partition_cnt;
	if (n == 0)
		fprintf(stderr, "fill: the topic has no partitions: %s\n",
			rd_kafka_err2str(err));
	rd_kafka_metadata_destroy(metadata);
	return n;
}

int
main(int argc, char **argv)
{
	static struct fill f;
	long n_different = 0, n_partitions;
	rd_kafka_topic_t *topic;
	rd_kafka_t *rk;

	if (argc < 4 || options_read(&f, argc, argv) < 0) {
		fprintf(stderr, "usage: fill BROKERS TOPIC N [again=PERCENT] "
				"[poison=PERCENT] [refused=PERCENT] "
				"[size=BYTES]\n");
		return 64;
	}
	clock_gettime(CLOCK_REALTIME, &f.begin);
	f.text = malloc(SIZE_MAX_TEXT + 512);
	rk = producer_open(argv[1]);
	if (!f.text || !rk) {
		free(f.text);
		return 1;
	}
	topic = rd_kafka_topic_new(rk, argv[2], NULL);
	n_partitions = partitions_of(rk, topic);
	if (n_partitions == 0)
		return 1;
	for (long i = 0; i < f.n; i++) {
		long event = event_of(&f, i);
		int len = event_write(&f, event, SIZE_MAX_TEXT + 512);

		n_different += event == i;
		if (is_of(event, f.poison))
			len -= 7; /* its end is missing */
		while (rd_kafka_produce(topic,
					(int32_t)(event / TURN % n_partitions),
					RD_KAFKA_MSG_F_COPY, f.text,
					(size_t)len, NULL, 0, NULL) != 0)
			rd_kafka_poll(rk, 100);
		if (i % 1000 == 0)
			rd_kafka_poll(rk, 0);
	}
	if (rd_kafka_flush(rk, 60000) != 0 || n_failed > 0) {
		fprintf(stderr, "fill: %ld messages were not delivered\n",
			n_failed);
		return 1;
	}
	printf("%ld\n", n_different);
	rd_kafka_topic_destroy(topic);
	rd_kafka_destroy(rk);
	free(f.text);
	return 0;
}

/*
 * fill.c - puts N events of about 200 bytes into a topic, as kafka_sink would
 * write them, so that a consumer has a backlog to read.
 *
 *   fill BROKERS TOPIC N
 */
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static long n_failed;

static void
delivered(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
	(void)rk;
	(void)opaque;
	if (message->err)
		n_failed++;
}

/* UUIDv7 in order: 48 bits of milliseconds, then a counter. */
static int
event_write(char *text, size_t size, long i)
{
	struct timespec ts;
	unsigned long long ms;
	struct tm tm;
	char at[32];

	clock_gettime(CLOCK_REALTIME, &ts);
	ms = (unsigned long long)ts.tv_sec * 1000 +
	     (unsigned long long)ts.tv_nsec / 1000000;
	gmtime_r(&ts.tv_sec, &tm);
	strftime(at, sizeof(at), "%Y-%m-%dT%H:%M:%S", &tm);
	return snprintf(text, size,
			"{\"id\":\"%08llx-%04llx-7%03lx-8%03lx-%012lx\","
			"\"name\":\"user.created\",\"data\":{\"user_id\":%ld,"
			"\"email\":\"someone@example.org\",\"plan\":\"pro\","
			"\"tags\":[\"a\",\"b\"],\"amount\":12.5},"
			"\"created_at\":\"%s.%06ldZ\"}",
			ms >> 16, ms & 0xffff, (i >> 12) & 0xfff, i & 0xfff, i,
			i, at, ts.tv_nsec / 1000);
}

int
main(int argc, char **argv)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char error[256];
	char text[512];
	rd_kafka_topic_t *topic;
	rd_kafka_t *rk;
	long n;

	if (argc != 4) {
		fprintf(stderr, "usage: fill BROKERS TOPIC N\n");
		return 64;
	}
	n = strtol(argv[3], NULL, 10);
	rd_kafka_conf_set(conf, "bootstrap.servers", argv[1], NULL, 0);
	rd_kafka_conf_set(conf, "acks", "all", NULL, 0);
	rd_kafka_conf_set(conf, "linger.ms", "20", NULL, 0);
	rd_kafka_conf_set_dr_msg_cb(conf, delivered);
	rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, sizeof(error));
	if (!rk) {
		fprintf(stderr, "fill: %s\n", error);
		return 1;
	}
	topic = rd_kafka_topic_new(rk, argv[2], NULL);
	for (long i = 0; i < n; i++) {
		int len = event_write(text, sizeof(text), i);

		while (rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA,
					RD_KAFKA_MSG_F_COPY, text, (size_t)len,
					NULL, 0, NULL) != 0)
			rd_kafka_poll(rk, 100);
		if (i % 1000 == 0)
			rd_kafka_poll(rk, 0);
	}
	if (rd_kafka_flush(rk, 60000) != 0 || n_failed > 0) {
		fprintf(stderr, "fill: %ld messages were not delivered\n",
			n_failed);
		return 1;
	}
	rd_kafka_topic_destroy(topic);
	rd_kafka_destroy(rk);
	return 0;
}

/*
 * bare_consume.c - what librdkafka can do alone: reads N messages and looks at
 * none of them.
 *
 *   bare_consume BROKERS TOPIC N     prints: rate R cpu_us C peak_mb M
 */
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define AT_ONCE 1000

static double
now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
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

	snprintf(group, sizeof(group), "bare-consume-%d", (int)getpid());
	rd_kafka_conf_set(conf, "bootstrap.servers", brokers, NULL, 0);
	rd_kafka_conf_set(conf, "group.id", group, NULL, 0);
	rd_kafka_conf_set(conf, "auto.offset.reset", "earliest", NULL, 0);
	/* Else librdkafka 2.0.2 pauses for a second at a full queue. */
	rd_kafka_conf_set(conf, "queued.min.messages", "1000000", NULL, 0);
	rd_kafka_conf_set(conf, "queued.max.messages.kbytes", "131072", NULL,
			  0);
	rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, error, sizeof(error));
	if (!rk) {
		fprintf(stderr, "bare_consume: %s\n", error);
		exit(1);
	}
	rd_kafka_poll_set_consumer(rk);
	rd_kafka_topic_partition_list_add(list, topic, RD_KAFKA_PARTITION_UA);
	rd_kafka_subscribe(rk, list);
	rd_kafka_topic_partition_list_destroy(list);
	return rk;
}

int
main(int argc, char **argv)
{
	rd_kafka_message_t *messages[AT_ONCE];
	double begin_s = 0, cpu_s;
	struct rusage usage;
	rd_kafka_queue_t *queue;
	rd_kafka_t *rk;
	long n = 0, want;

	if (argc != 4) {
		fprintf(stderr, "usage: bare_consume BROKERS TOPIC N\n");
		return 64;
	}
	want = strtol(argv[3], NULL, 10);
	rk = consumer_open(argv[1], argv[2]);
	queue = rd_kafka_queue_get_consumer(rk);
	while (n < want) {
		ssize_t k = rd_kafka_consume_batch_queue(queue, 1000, messages,
							 AT_ONCE);

		for (ssize_t i = 0; i < k; i++) {
			n += !messages[i]->err;
			rd_kafka_message_destroy(messages[i]);
		}
		if (n > 0 && begin_s == 0)
			begin_s = now_s();
	}
	begin_s = now_s() - begin_s;
	getrusage(RUSAGE_SELF, &usage);
	cpu_s = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
		(double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
	printf("rate %.0f cpu_us %.2f peak_mb %.0f\n", (double)n / begin_s,
	       cpu_s * 1e6 / (double)n, (double)usage.ru_maxrss / 1024);
	fflush(stdout);
	/* Leaving the group politely is not what is measured. */
	_exit(0);
}

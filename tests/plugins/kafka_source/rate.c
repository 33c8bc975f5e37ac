/*
 * rate.c - what a message costs on its way through the consumer (read,
 * decoded, emitted, answered, its offset stored), beside what librdkafka
 * alone needs to deliver it.  rate [MESSAGES [BYTES]]
 */
#include <librdkafka/rdkafka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "broker.h"
#include "consumer.h"
#include "fake_host.h"

#define PARTITIONS 6

static double
now(clockid_t clock)
{
	struct timespec t;

	(void)clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static long
rss_kib(void)
{
	char line[256];
	long kib = 0;
	FILE *f = fopen("/proc/self/status", "r");

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, "VmRSS:", 6) == 0)
			kib = strtol(line + 6, NULL, 10);
	if (f != NULL)
		(void)fclose(f);
	return kib;
}

static void
report(const char *what, unsigned n, double wall, double cpu)
{
	printf("%-24s %8.0f msg/s  %5.2f us CPU each  RSS %ld MB\n", what,
	       n / wall, cpu / n * 1e6, rss_kib() / 1024);
}

static void
options_of(struct fake_option *ret, const char *address, const char *topic,
	   const char *group)
{
	ret[0] = (struct fake_option){ "brokers", address };
	ret[1] = (struct fake_option){ "topic", topic };
	ret[2] = (struct fake_option){ "group", group };
	ret[3] = (struct fake_option){ NULL, NULL };
}

/* The same settings, and nothing but rd_kafka_consumer_poll(). */
static void
run_bare(const struct fake_option *options, const char *topic, unsigned n)
{
	rd_kafka_topic_partition_list_t *list =
		rd_kafka_topic_partition_list_new(1);
	static struct fake_host host;
	rd_kafka_message_t *msg;
	struct settings settings;
	double wall = 0, cpu = 0;
	char error[256];
	rd_kafka_t *rk;

	fake_host_init(&host, options);
	if (settings_read(&settings, &host.ctx) < 0)
		exit(1);
	rk = rd_kafka_new(RD_KAFKA_CONSUMER,
			  settings_conf(&settings, &host.ctx), error,
			  sizeof(error));
	if (rk == NULL)
		exit(1);
	(void)rd_kafka_poll_set_consumer(rk);
	rd_kafka_topic_partition_list_add(list, topic, -1);
	(void)rd_kafka_subscribe(rk, list);
	for (unsigned i = 0; i < n;) {
		msg = rd_kafka_consumer_poll(rk, 1000);
		if (msg == NULL)
			continue;
		if (i == 0) {
			wall = now(CLOCK_MONOTONIC);
			cpu = now(CLOCK_PROCESS_CPUTIME_ID);
		}
		i += msg->err == RD_KAFKA_RESP_ERR_NO_ERROR;
		rd_kafka_message_destroy(msg);
	}
	report("rd_kafka_consumer_poll", n, now(CLOCK_MONOTONIC) - wall,
	       now(CLOCK_PROCESS_CPUTIME_ID) - cpu);
	(void)rd_kafka_consumer_close(rk);
	rd_kafka_topic_partition_list_destroy(list);
	rd_kafka_destroy(rk);
	fake_host_fini(&host);
}

static void
run_ours(const struct fake_option *options, unsigned n)
{
	static struct fake_host host;
	double wall, cpu;

	fake_host_init(&host, options);
	host.keeps_records = false;
	host.is_quiet = true;
	fake_host_start(&host);
	(void)fake_host_wait(&host, 60000, fake_has_records, 1);
	wall = now(CLOCK_MONOTONIC);
	cpu = now(CLOCK_PROCESS_CPUTIME_ID);
	(void)fake_host_wait(&host, 600000, fake_has_answered, (int64_t)n);
	report("kafka_source", n, now(CLOCK_MONOTONIC) - wall,
	       now(CLOCK_PROCESS_CPUTIME_ID) - cpu);
	printf("%-24s %8.1f events an emit, %u refused\n", "",
	       (double)n / host.n_emits, host.n_refused);
	(void)fake_host_stop(&host, 10000);
	fake_host_fini(&host);
}

int
main(int argc, char **argv)
{
	unsigned n = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 600000;
	size_t size = argc > 2 ? strtoul(argv[2], NULL, 10) : 200;
	struct fake_option options[FAKE_OPTIONS];
	const char *address = broker_open();
	char topic[128], group[128];

	broker_unique("rate", topic, sizeof(topic));
	broker_topic(topic, PARTITIONS);
	for (int32_t p = 0; p < PARTITIONS; p++)
		broker_fill(topic, p, 0, n / PARTITIONS, size);
	n = n / PARTITIONS * PARTITIONS;
	for (int i = 0; i < 2; i++) {
		broker_unique("bare", group, sizeof(group));
		options_of(options, address, topic, group);
		run_bare(options, topic, n);
		broker_unique("ours", group, sizeof(group));
		options_of(options, address, topic, group);
		run_ours(options, n);
	}
	broker_close();
	return 0;
}

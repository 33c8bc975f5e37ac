/*
 * rate - what submit() costs beside bare librdkafka.
 *
 *   kafka_sink_rate BROKERS TOPIC EVENTS THREADS [rdkafka.NAME=VALUE ...]
 *
 * The same events with the same settings to the same topic, first through the
 * sink and its fake host, then by rd_kafka_producev() and a callback, a few
 * times in turn; events/s until the last report, and CPU time per event.
 * WINDOW in the environment (10000) is how many are on their way at most.
 */
#include "clock.h"
#include "fake_host.h"
#include "keeper.h"

#include <envelope.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <librdkafka/rdkafka.h>

#define ROUNDS 3

struct run {
	const char *brokers, *topic;
	int n, threads, window;
	struct fake_host host;
	struct settings settings;
	struct keeper *keeper;
	struct fake_event *evs;
	char value[1024]; /* one like all, ready-made */
	size_t value_len;
	pthread_mutex_t lock; /* guards flying */
	pthread_cond_t landed;
	int flying;
	atomic_int next;
	rd_kafka_t *rk;
	rd_kafka_topic_t *rkt;
	atomic_int reports;
};

static struct run *the_run; /* done() is told the ctx alone */

static double
cpu_seconds(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void
take_off(struct run *r, int n)
{
	pthread_mutex_lock(&r->lock);
	while (r->flying + n > r->window)
		pthread_cond_wait(&r->landed, &r->lock);
	r->flying += n;
	pthread_mutex_unlock(&r->lock);
}

static void
land(struct run *r, int n)
{
	pthread_mutex_lock(&r->lock);
	r->flying -= n;
	pthread_cond_broadcast(&r->landed);
	pthread_mutex_unlock(&r->lock);
}

static void
all_landed(struct run *r)
{
	pthread_mutex_lock(&r->lock);
	while (r->flying > 0)
		pthread_cond_wait(&r->landed, &r->lock);
	pthread_mutex_unlock(&r->lock);
}

static void
rate_done(struct evh_ctx *ctx, struct evh_event *const *evs, int n,
	  enum evh_result result)
{
	(void)ctx;
	(void)evs;
	if (result != EVH_OK)
		fprintf(stderr, "%d answered %d\n", n, (int)result);
	land(the_run, n);
}

static void
rate_record(struct evh_metric *metric, int64_t value)
{
	(void)metric;
	(void)value;
}

static void *
sink_run(void *arg)
{
	struct run *r = arg;
	int i;

	while ((i = atomic_fetch_add(&r->next, 1)) < r->n) {
		struct evh_event *ev = &r->evs[i].ev;

		take_off(r, 1);
		while (keeper_submit(r->keeper, &ev, 1) != 1)
			sched_yield();
	}
	return NULL;
}

static void
bare_report(rd_kafka_t *rk, const rd_kafka_message_t *message, void *arg)
{
	(void)rk;
	(void)message;
	atomic_fetch_add(&((struct run *)arg)->reports, 1);
}

static void *
bare_poll(void *arg)
{
	struct run *r = arg;
	int total = 0;

	while (total < r->n) {
		int n;

		atomic_store(&r->reports, 0);
		rd_kafka_poll(r->rk, 100);
		n = atomic_load(&r->reports);
		if (n > 0)
			land(r, n);
		total += n;
	}
	return NULL;
}

static void *
bare_run(void *arg)
{
	struct run *r = arg;
	int i;

	while ((i = atomic_fetch_add(&r->next, 1)) < r->n) {
		take_off(r, 1);
		while (rd_kafka_producev(
			       r->rk, RD_KAFKA_V_RKT(r->rkt),
			       RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
			       RD_KAFKA_V_VALUE(r->value, r->value_len),
			       RD_KAFKA_V_HEADER("evh-id", r->value + 7, 36),
			       RD_KAFKA_V_HEADER("content-type",
						 "application/json", 16),
			       RD_KAFKA_V_OPAQUE(&r->evs[i]),
			       RD_KAFKA_V_END) != 0)
			sched_yield();
	}
	return NULL;
}

static void
measure(struct run *r, const char *name, void *(*fn)(void *))
{
	pthread_t threads[64];
	int64_t from_ms = clock_ms();
	double cpu = cpu_seconds();

	atomic_store(&r->next, 0);
	for (int i = 0; i < r->threads; i++)
		pthread_create(&threads[i], NULL, fn, r);
	for (int i = 0; i < r->threads; i++)
		pthread_join(threads[i], NULL);
	all_landed(r);
	printf("%s %8.0f events/s  %.2f us CPU each\n", name,
	       r->n * 1000.0 / (double)(clock_ms() - from_ms),
	       (cpu_seconds() - cpu) * 1e6 / r->n);
}

static void
sink(struct run *r, char **args, int n_args)
{
	fake_host_init(&r->host, settings_options);
	r->host.ctx.done = rate_done;
	r->host.ctx.record = rate_record;
	fake_host_set(&r->host, "brokers", r->brokers);
	fake_host_set(&r->host, "topic", r->topic);
	for (int i = 0; i < n_args; i++)
		fake_host_set(&r->host, args[2 * i], args[2 * i + 1]);
	if (settings_read(&r->host.ctx, &r->settings) < 0)
		abort();
	r->keeper = keeper_new(&r->host.ctx, &r->settings);
	if (keeper_start(r->keeper) < 0 ||
	    !fake_wait_ready(&r->host, true, 20000))
		abort();
	measure(r, "sink", sink_run);
	keeper_stop(r->keeper, 5000);
	keeper_free(r->keeper);
}

static void
bare(struct run *r)
{
	rd_kafka_conf_t *conf;
	pthread_t poller;
	char why[200];

	if (settings_conf(&r->host.ctx, &r->settings, NULL, &conf) < 0)
		abort();
	rd_kafka_conf_set_events(conf, 0);
	rd_kafka_conf_set(conf, "log.queue", "false", why, sizeof(why));
	rd_kafka_conf_set_opaque(conf, r);
	rd_kafka_conf_set_dr_msg_cb(conf, bare_report);
	r->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
	r->rkt = rd_kafka_topic_new(r->rk, r->topic, NULL);
	pthread_create(&poller, NULL, bare_poll, r);
	measure(r, "bare", bare_run);
	pthread_join(poller, NULL);
	rd_kafka_topic_destroy(r->rkt);
	rd_kafka_destroy(r->rk);
	fake_host_fini(&r->host);
}

int
main(int argc, char **argv)
{
	const char *window = getenv("WINDOW");
	static char padding[200];
	struct run r = { 0 };
	char *args[16];
	int n_args = 0;

	if (argc < 5) {
		fprintf(stderr, "usage: rate BROKERS TOPIC EVENTS THREADS\n");
		return 64;
	}
	r.brokers = argv[1];
	r.topic = argv[2];
	r.n = (int)strtol(argv[3], NULL, 10);
	r.threads = (int)strtol(argv[4], NULL, 10);
	r.window = window != NULL ? (int)strtol(window, NULL, 10) : 10000;
	for (int i = 5; i < argc && n_args < 8; i++) {
		char *eq = strchr(argv[i], '=');

		if (eq == NULL)
			continue;
		*eq = '\0';
		args[2 * n_args] = argv[i];
		args[2 * n_args++ + 1] = eq + 1;
	}
	pthread_mutex_init(&r.lock, NULL);
	pthread_cond_init(&r.landed, NULL);
	the_run = &r;
	memset(padding, 'x', sizeof(padding));
	memcpy(padding, "{\"user\":\"", 9);
	memcpy(padding + 118, "\"}", 2);
	r.evs = fake_events(r.n, 0);
	for (int i = 0; i < r.n; i++)
		r.evs[i].ev.data = (struct evh_bytes){ padding, 120 };
	r.value_len = envelope_write(&r.evs[0].ev, r.value, sizeof(r.value));
	for (int i = 0; i < ROUNDS; i++) {
		sink(&r, args, n_args);
		bare(&r);
	}
	free(r.evs);
	return 0;
}

/*
 * How the sink ends when librdkafka does not: a call to it that never comes
 * back is made of one of its functions, which the linker leads here.
 */
#include "clock.h"
#include "dead.h"
#include "fake_host.h"
#include "endings.h"
#include "keeper.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

static struct {
	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t changed;
	bool is_stuck;	    /* rd_kafka_destroy() does not come back */
	bool has_no_thread; /* pthread_create() fails */
	int n_created;	    /* calls of rd_kafka_CreateTopics(), */
	int n_asked;	    /* and of rd_kafka_metadata() */
	int n_destroying;   /* calls of rd_kafka_destroy() under way */
} library = { .lock = PTHREAD_MUTEX_INITIALIZER,
	      .changed = PTHREAD_COND_INITIALIZER };

void __real_rd_kafka_destroy(rd_kafka_t *rk);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
			  void *(*fn)(void *), void *arg);

void __wrap_rd_kafka_destroy(rd_kafka_t *rk);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
			  void *(*fn)(void *), void *arg);
rd_kafka_resp_err_t
__real_rd_kafka_metadata(rd_kafka_t *rk, int all_topics, rd_kafka_topic_t *only,
			 const struct rd_kafka_metadata **ret, int timeout_ms);
rd_kafka_resp_err_t
__wrap_rd_kafka_metadata(rd_kafka_t *rk, int all_topics, rd_kafka_topic_t *only,
			 const struct rd_kafka_metadata **ret, int timeout_ms);
void __wrap_rd_kafka_CreateTopics(rd_kafka_t *rk, rd_kafka_NewTopic_t **topics,
				  size_t n, const rd_kafka_AdminOptions_t *o,
				  rd_kafka_queue_t *queue);

void
__wrap_rd_kafka_destroy(rd_kafka_t *rk)
{
	pthread_mutex_lock(&library.lock);
	library.n_destroying++;
	while (library.is_stuck)
		pthread_cond_wait(&library.changed, &library.lock);
	library.n_destroying--;
	pthread_mutex_unlock(&library.lock);
	__real_rd_kafka_destroy(rk);
}

int
__wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
		      void *(*fn)(void *), void *arg)
{
	bool fails;

	pthread_mutex_lock(&library.lock);
	fails = library.has_no_thread;
	pthread_mutex_unlock(&library.lock);
	return fails ? EAGAIN : __real_pthread_create(thread, attr, fn, arg);
}

/* No answer ever comes. */
void
__wrap_rd_kafka_CreateTopics(rd_kafka_t *rk, rd_kafka_NewTopic_t **topics,
			     size_t n, const rd_kafka_AdminOptions_t *options,
			     rd_kafka_queue_t *queue)
{
	(void)rk;
	(void)topics;
	(void)n;
	(void)options;
	(void)queue;
	pthread_mutex_lock(&library.lock);
	library.n_created++;
	pthread_cond_broadcast(&library.changed);
	pthread_mutex_unlock(&library.lock);
}

rd_kafka_resp_err_t
__wrap_rd_kafka_metadata(rd_kafka_t *rk, int all_topics, rd_kafka_topic_t *only,
			 const struct rd_kafka_metadata **ret, int timeout_ms)
{
	pthread_mutex_lock(&library.lock);
	library.n_asked++;
	pthread_cond_broadcast(&library.changed);
	pthread_mutex_unlock(&library.lock);
	return __real_rd_kafka_metadata(rk, all_topics, only, ret, timeout_ms);
}

static void
set(bool *what, bool value)
{
	pthread_mutex_lock(&library.lock);
	*what = value;
	pthread_cond_broadcast(&library.changed);
	pthread_mutex_unlock(&library.lock);
}

/* The test's own time limit ends a wait without end. */
static void
await_call(const int *n)
{
	pthread_mutex_lock(&library.lock);
	while (*n == 0)
		pthread_cond_wait(&library.changed, &library.lock);
	pthread_mutex_unlock(&library.lock);
}

static rd_kafka_t *
client_new(void)
{
	char why[200];
	rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(),
				      why, sizeof(why));

	assert_non_null(rk);
	return rk;
}

/* How long a stop with a second takes, while a topic is being made and the
 * handle does not end; nothing is stuck any more when it returns. */
static int64_t
stuck_stop_ms(const char *brokers)
{
	struct settings settings;
	struct fake_host host;
	struct keeper *keeper;
	int64_t from_ms, took_ms;
	bool is_said;

	fake_host_init(&host, settings_options);
	fake_host_set(&host, "brokers", brokers);
	assert_int_equal(0, settings_read(&host.ctx, &settings));
	keeper = keeper_new(&host.ctx, &settings);
	library.n_created = 0; /* nobody is at work */
	assert_int_equal(0, keeper_start(keeper));
	await_call(&library.n_created);
	set(&library.is_stuck, true);
	from_ms = clock_ms();
	keeper_stop(keeper, 1000);
	took_ms = clock_ms() - from_ms;
	is_said = fake_logged(&host, "did not end within 1000 ms");
	set(&library.is_stuck, false);
	keeper_free(keeper);
	fake_host_fini(&host);
	assert_true(is_said);
	return took_ms;
}

/* Neither the creation of a topic, which takes up to 4 s, nor a handle that
 * does not end, in addition, makes it later.  A busy machine may, but not again
 * and again. */
static void
a_stop_has_one_deadline(void **state)
{
	rd_kafka_t *owner = client_new();
	rd_kafka_mock_cluster_t *cluster = rd_kafka_mock_cluster_new(owner, 1);
	int64_t took_ms = INT64_MAX;

	(void)state;
	rd_kafka_mock_topic_set_error(cluster, "events",
				      RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
	for (int i = 0; i < 4 && took_ms > 3500; i++)
		took_ms = stuck_stop_ms(
			rd_kafka_mock_cluster_bootstraps(cluster));
	rd_kafka_mock_cluster_destroy(cluster);
	rd_kafka_destroy(owner);
	assert_in_range(took_ms, 900, 3500);
}

/* Dead letters asked for of a broker that does not answer. */
struct asking {
	rd_kafka_t *owner;
	rd_kafka_mock_cluster_t *cluster;
	struct settings settings;
	struct fake_host host;
	struct dead dead;
	atomic_int rc; /* 1: it is not over */
	char why[512];
};

static int
asking_letter(void *arg, const struct evh_letter *letter)
{
	(void)arg;
	(void)letter;
	return 0;
}

static void
asking_end(void *arg, int rc, const char *why, int64_t n)
{
	struct asking *asking = arg;

	(void)n;
	snprintf(asking->why, sizeof(asking->why), "%s", why);
	pthread_mutex_lock(&library.lock);
	atomic_store(&asking->rc, rc);
	pthread_cond_broadcast(&library.changed);
	pthread_mutex_unlock(&library.lock);
}

static struct asking *
asking_new(const char *brokers)
{
	const struct evh_dead_query query = { .limit = 0 };
	struct asking *asking = calloc(1, sizeof(*asking));
	const struct evh_dead *service;

	assert_non_null(asking);
	asking->owner = client_new();
	asking->cluster = rd_kafka_mock_cluster_new(asking->owner, 1);
	rd_kafka_mock_broker_set_rtt(asking->cluster, 1, 60000);
	fake_host_init(&asking->host, settings_options);
	fake_host_set(&asking->host, "brokers",
		      brokers != NULL ? brokers
				      : rd_kafka_mock_cluster_bootstraps(
						asking->cluster));
	assert_int_equal(0,
			 settings_read(&asking->host.ctx, &asking->settings));
	assert_int_equal(0, dead_start(&asking->dead, &asking->host.ctx,
				       &asking->settings));
	atomic_store(&asking->rc, 1);
	library.n_asked = 0; /* nobody is at work */
	service = &asking->dead.desk.service;
	assert_int_equal(0, service->walk(service->self, &query, asking_letter,
					  asking_end, asking));
	await_call(&library.n_asked);
	return asking;
}

static void
asking_free(struct asking *asking)
{
	fake_host_fini(&asking->host);
	rd_kafka_mock_cluster_destroy(asking->cluster);
	rd_kafka_destroy(asking->owner);
	free(asking);
}

static void
a_stop_waits_for_no_reading_of_dead_letters(void **state)
{
	struct asking *asking = asking_new(NULL);
	int64_t from_ms = clock_ms();

	(void)state;
	dead_stop(&asking->dead, 1000);
	assert_in_range(clock_ms() - from_ms, 0, 9000);
	assert_int_equal(-ESHUTDOWN, atomic_load(&asking->rc));
	asking_free(asking);
}

static void
a_reading_of_dead_letters_is_cancelled_while_no_broker_answers(void **state)
{
	struct asking *asking = asking_new(NULL);
	const struct evh_dead *service = &asking->dead.desk.service;
	int64_t due_ms = clock_ms() + 60000;

	(void)state;
	service->cancel(service->self, asking);
	while (atomic_load(&asking->rc) == 1 && clock_ms() < due_ms)
		sched_yield();
	assert_int_equal(-ECANCELED, atomic_load(&asking->rc));
	dead_stop(&asking->dead, 1000);
	asking_free(asking);
}

static void
why_no_broker_answers_is_told(void **state)
{
	struct asking *asking = asking_new("127.0.0.1:1");

	(void)state;
	pthread_mutex_lock(&library.lock);
	while (atomic_load(&asking->rc) == 1)
		pthread_cond_wait(&library.changed, &library.lock);
	pthread_mutex_unlock(&library.lock);
	if (strstr(asking->why, "Connection refused") == NULL)
		fail_msg("it says: %s", asking->why);
	assert_true(fake_logged(&asking->host, "Connection refused"));
	dead_stop(&asking->dead, 1000);
	asking_free(asking);
}

static void
a_handle_without_a_thread_to_end_it_is_not_waited_for(void **state)
{
	struct endings *g = endings_new();
	rd_kafka_t *rk = client_new();

	(void)state;
	set(&library.is_stuck, true);
	set(&library.has_no_thread, true);
	endings_add(g, ending_new(), rk);
	assert_int_equal(1, endings_wait(g, 0));
	set(&library.has_no_thread, false);
	assert_int_equal(1, endings_wait(g, 0));
	set(&library.is_stuck, false);
	assert_int_equal(0, endings_wait(g, 30000));
	endings_free(g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stop_has_one_deadline),
		cmocka_unit_test(a_stop_waits_for_no_reading_of_dead_letters),
		cmocka_unit_test(
			a_reading_of_dead_letters_is_cancelled_while_no_broker_answers),
		cmocka_unit_test(why_no_broker_answers_is_told),
		cmocka_unit_test(
			a_handle_without_a_thread_to_end_it_is_not_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

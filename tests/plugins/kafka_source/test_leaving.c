/*
 * test_leaving.c - the consumer stops, at librdkafka's mock brokers, and
 * something does not come back: some of librdkafka's functions lead here, by
 * the linker.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "consumer.h"
#include "mock_bench.h"

/* Giving up an assignment may take as long as librdkafka likes. */
static struct {
	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t changed;
	bool is_stuck; /* rd_kafka_assign(NULL) does not come back */
	int n_ends;    /* the last that a poll thread does has begun */
} library = { .lock = PTHREAD_MUTEX_INITIALIZER,
	      .changed = PTHREAD_COND_INITIALIZER };

rd_kafka_resp_err_t
__real_rd_kafka_assign(rd_kafka_t *rk,
		       const rd_kafka_topic_partition_list_t *list);
void __real_rd_kafka_destroy_flags(rd_kafka_t *rk, int flags);
rd_kafka_resp_err_t
__wrap_rd_kafka_assign(rd_kafka_t *rk,
		       const rd_kafka_topic_partition_list_t *list);
void __wrap_rd_kafka_destroy_flags(rd_kafka_t *rk, int flags);

rd_kafka_resp_err_t
__wrap_rd_kafka_assign(rd_kafka_t *rk,
		       const rd_kafka_topic_partition_list_t *list)
{
	pthread_mutex_lock(&library.lock);
	while (library.is_stuck && list == NULL)
		pthread_cond_wait(&library.changed, &library.lock);
	pthread_mutex_unlock(&library.lock);
	return __real_rd_kafka_assign(rk, list);
}

void
__wrap_rd_kafka_destroy_flags(rd_kafka_t *rk, int flags)
{
	pthread_mutex_lock(&library.lock);
	library.n_ends++;
	pthread_cond_broadcast(&library.changed);
	pthread_mutex_unlock(&library.lock);
	__real_rd_kafka_destroy_flags(rk, flags);
}

static void
get_stuck(bool is_stuck)
{
	pthread_mutex_lock(&library.lock);
	library.is_stuck = is_stuck;
	if (is_stuck)
		library.n_ends = 0;
	pthread_cond_broadcast(&library.changed);
	pthread_mutex_unlock(&library.lock);
}

/* The test's own time limit ends a wait without end. */
static void
await_end(void)
{
	pthread_mutex_lock(&library.lock);
	while (library.n_ends == 0)
		pthread_cond_wait(&library.changed, &library.lock);
	pthread_mutex_unlock(&library.lock);
}

#define LOG_MS 40000

/* A log that does not come back for so long, of the first error in it. */
static struct {
	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t changed;
	bool is_full;
	unsigned n_inside;
} pipe_full = { .lock = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER };

static void
log_into_a_full_pipe(struct evh_ctx *ctx, enum evh_level level, const char *fmt,
		     ...)
{
	unsigned number;

	(void)ctx;
	(void)fmt;
	if (level != EVH_ERROR)
		return;
	pthread_mutex_lock(&pipe_full.lock);
	number = ++pipe_full.n_inside;
	pthread_cond_broadcast(&pipe_full.changed);
	while (pipe_full.is_full && number == 1)
		pthread_cond_wait(&pipe_full.changed, &pipe_full.lock);
	pthread_mutex_unlock(&pipe_full.lock);
}

static void *
say(void *arg)
{
	consumer_say(arg, EVH_ERROR, "something");
	return NULL;
}

static bool
is_stopped(struct fake_host *host, int64_t unused)
{
	(void)unused;
	return host->is_over;
}

/* When the stop has come back, or would long have. */
static void *
end_the_wait(void *arg)
{
	(void)fake_host_wait(arg, LOG_MS, is_stopped, 0);
	pthread_mutex_lock(&pipe_full.lock);
	pipe_full.is_full = false;
	pthread_cond_broadcast(&pipe_full.changed);
	pthread_mutex_unlock(&pipe_full.lock);
	return NULL;
}

static void
a_log_that_does_not_come_back_keeps_no_stop_waiting(void **state)
{
	struct bench *b = *state;
	struct consumer *c;
	pthread_t caller, end;
	int64_t took_ms;

	b->log = log_into_a_full_pipe;
	pipe_full.is_full = true;
	bench_begin(b);
	c = b->host.consumer;
	assert_int_equal(pthread_create(&caller, NULL, say, c), 0);
	pthread_mutex_lock(&pipe_full.lock);
	while (pipe_full.n_inside == 0)
		pthread_cond_wait(&pipe_full.changed, &pipe_full.lock);
	pthread_mutex_unlock(&pipe_full.lock);
	assert_int_equal(pthread_create(&end, NULL, end_the_wait, &b->host), 0);
	took_ms = fake_host_stop(&b->host, 2000);
	pthread_join(end, NULL);
	pthread_join(caller, NULL);
	assert_in_range(took_ms, 0, LOG_MS - 5000);
}

static void
a_poll_thread_that_is_left_behind_calls_nobody(void **state)
{
	struct bench *b = *state;

	bench_begin(b);
	get_stuck(true);
	(void)fake_host_stop(&b->host, 3000);
	get_stuck(false);
	await_end();
	assert_int_equal(b->host.n_late_calls, 0);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		BENCH_TEST(a_log_that_does_not_come_back_keeps_no_stop_waiting),
		BENCH_TEST(a_poll_thread_that_is_left_behind_calls_nobody),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

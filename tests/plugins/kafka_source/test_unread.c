/*
 * test_unread.c - partitions that are not read, because the group's offsets
 * were refused, at librdkafka's mock brokers: they are taken again.
 *
 * By the linker rd_kafka_assign() leads here, and shows with what.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "consumer.h"
#include "mock_bench.h"
#include "unread.h"

#define MANY 1000

static struct {
	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t changed;
	unsigned tries; /* in a row, as it was taken; 0: nothing was refused */
	bool is_broken; /* no assignment is taken, */
	int64_t offset; /* but where its first partition was to begin */
} taking = { .lock = PTHREAD_MUTEX_INITIALIZER,
	     .changed = PTHREAD_COND_INITIALIZER };

rd_kafka_resp_err_t
__real_rd_kafka_assign(rd_kafka_t *rk,
		       const rd_kafka_topic_partition_list_t *list);
rd_kafka_resp_err_t
__wrap_rd_kafka_assign(rd_kafka_t *rk,
		       const rd_kafka_topic_partition_list_t *list);

/* The poll thread calls it, which alone may look at the count. */
rd_kafka_resp_err_t
__wrap_rd_kafka_assign(rd_kafka_t *rk,
		       const rd_kafka_topic_partition_list_t *list)
{
	bool is_broken;

	pthread_mutex_lock(&taking.lock);
	is_broken = taking.is_broken && list != NULL;
	if (is_broken)
		taking.offset = list->elems[0].offset;
	else if (list != NULL && taking.tries == 0)
		taking.tries =
			((struct consumer *)rd_kafka_opaque(rk))->unread_tries;
	pthread_cond_broadcast(&taking.changed);
	pthread_mutex_unlock(&taking.lock);
	if (is_broken)
		return RD_KAFKA_RESP_ERR__FAIL;
	return __real_rd_kafka_assign(rk, list);
}

/* Of the first time that they are taken again after the last call; 0: they are
 * not. */
static unsigned
await_tries(void)
{
	struct timespec due;
	unsigned tries;
	int r = 0;

	clock_gettime(CLOCK_REALTIME, &due);
	due.tv_sec += BENCH_WAIT_MS / 1000;
	pthread_mutex_lock(&taking.lock);
	while (taking.tries == 0 && r == 0)
		r = pthread_cond_timedwait(&taking.changed, &taking.lock, &due);
	tries = taking.tries;
	taking.tries = 0;
	pthread_mutex_unlock(&taking.lock);
	return tries;
}

static void
be_broken(bool is_broken)
{
	pthread_mutex_lock(&taking.lock);
	taking.is_broken = is_broken;
	if (is_broken)
		taking.offset = -1;
	pthread_mutex_unlock(&taking.lock);
}

static bool
has_given_up(struct fake_host *host, int64_t n)
{
	return host->rebalances.value >= n;
}

static void
what_was_refused_at_the_beginning_is_read_when_it_is_allowed(void **state)
{
	struct bench *b = *state;

	bench_refuse_offsets(b, 3);
	bench_put(b, 0);
	bench_put(b, 1);
	bench_start(b);
	bench_await_said(b, "Failed to fetch committed offset");
	bench_await_answered(b);
	bench_await_ready(b);
}

static void
a_stop_in_between_ends_in_time(void **state)
{
	struct bench *b = *state;

	bench_refuse_offsets(b, 100);
	bench_start(b);
	bench_await_said(b, "Failed to fetch committed offset");
	assert_true(fake_host_stop(&b->host, BENCH_STOP_MS) < BENCH_STOP_MS);
	rd_kafka_mock_clear_request_errors(b->cluster, OFFSET_FETCH);
}

static void
what_was_refused_is_read_after_a_rebalance_in_between(void **state)
{
	struct bench *b = *state;

	bench_refuse_offsets(b, 100);
	bench_start(b);
	bench_await_said(b, "Failed to fetch committed offset");
	rd_kafka_mock_push_request_errors(b->cluster, HEARTBEAT, 1,
					  RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID);
	assert_true(fake_host_wait(&b->host, BENCH_WAIT_MS, has_given_up, 1));
	rd_kafka_mock_clear_request_errors(b->cluster, OFFSET_FETCH);
	bench_put(b, 0);
	bench_put(b, 1);
	bench_await_answered(b);
	bench_await_ready(b);
}

/* Of one partition, which librdkafka would say of one that is not read. */
static void
partitions_that_are_read_go_on_where_they_are(void **state)
{
	struct bench *b = *state;
	int64_t next = 0;

	bench_begin(b);
	fake_host_hold(&b->host, true);
	for (int i = 0; i < MANY; i++)
		bench_put(b, 0);
	assert_true(
		fake_host_wait(&b->host, BENCH_WAIT_MS, fake_has_records, 100));
	bench_refuse_first(true);
	bench_refuse(b, 1, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED);
	bench_await_said(b, "Failed to fetch committed offset");
	bench_await_ready(b);
	bench_refuse_first(false);
	fake_host_hold(&b->host, false);
	for (int i = 0; i < MANY; i++)
		bench_put(b, 0);
	bench_put(b, 1);
	bench_await_answered(b);
	for (unsigned i = 0; i < b->host.n_records; i++)
		if (b->host.records[i].partition == 0)
			assert_int_equal(b->host.records[i].offset, next++);
	assert_int_equal(next, 2 * MANY);
}

/* It has grown before they are taken; the next refusal knows nothing of that.
 */
static void
the_pause_between_two_tries_begins_anew_when_they_are_taken(void **state)
{
	struct bench *b = *state;

	pthread_mutex_lock(&taking.lock);
	taking.tries = 0; /* of the tests before */
	pthread_mutex_unlock(&taking.lock);
	bench_refuse_offsets(b, 3);
	bench_put(b, 0);
	bench_put(b, 1);
	bench_start(b);
	assert_true(await_tries() > 1);
	bench_await_answered(b);
	bench_await_ready(b);
	bench_refuse_first(true);
	bench_refuse(b, 1, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED);
	assert_int_equal(await_tries(), 1);
	bench_refuse_first(false);
}

/* No broker is needed to see where it would begin. */
static void
a_log_that_began_anew_and_brought_nothing_is_taken_where_it_begins(void **state)
{
	const struct fake_option options[] = {
		{ "brokers", "127.0.0.1:1" },
		{ "topic", "t" },
		{ NULL, NULL },
	};
	struct fake_host host;
	struct consumer *c;
	struct partition *p;
	int r = 0;

	(void)state;
	fake_host_init(&host, options);
	c = consumer_new(&host.ctx, &r);
	assert_non_null(c);
	p = partition_new(&host.ctx, c->settings.topic, 3);
	assert_non_null(p);
	p->origin.is_found = true;
	p->origin.offset = 7;
	c->mine = calloc(1, sizeof(struct partition *));
	assert_non_null(c->mine);
	c->mine[c->n_mine++] = p;
	(void)snprintf(c->unread, sizeof(c->unread), "refused");
	be_broken(true);
	unread_attend(c);
	be_broken(false);
	assert_int_equal(taking.offset, 7);
	consumer_free(c);
	partition_free(p);
	fake_host_fini(&host);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		BENCH_TEST(
			what_was_refused_at_the_beginning_is_read_when_it_is_allowed),
		BENCH_TEST(a_stop_in_between_ends_in_time),
		BENCH_TEST(
			what_was_refused_is_read_after_a_rebalance_in_between),
		BENCH_TEST(partitions_that_are_read_go_on_where_they_are),
		BENCH_TEST(
			the_pause_between_two_tries_begins_anew_when_they_are_taken),
		cmocka_unit_test(
			a_log_that_began_anew_and_brought_nothing_is_taken_where_it_begins),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

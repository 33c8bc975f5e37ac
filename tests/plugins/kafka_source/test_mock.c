/*
 * The consumer at librdkafka's mock brokers, which are good for one thing:
 * errors on demand.
 *
 * They refuse no fetch of a single partition.  So what librdkafka says then
 * comes here instead of a message without a value: some of its functions lead
 * here, by the linker.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "consumer.h"
#include "fake_host.h"

#define WAIT_MS 30000
#define STOP_MS 10000
#define MANY	1000
#define TOPIC	"events"
#define N_PARTS 2
#define VALUE	"{\"name\":\"user.created\",\"data\":{}}"

/* Kafka's ApiKeys. */
enum { OFFSET_FETCH = 9, JOIN_GROUP = 11, HEARTBEAT = 12 };

static atomic_int refusal;    /* rd_kafka_resp_err_t */
static atomic_bool is_of_all; /* and of the topic as a whole */
static atomic_bool is_unread; /* or of a partition's first offset */
static char unread_text[] = "Failed to fetch committed offset for group";

rd_kafka_message_t *__real_rd_kafka_consume_queue(rd_kafka_queue_t *queue,
						  int timeout_ms);
rd_kafka_message_t *__wrap_rd_kafka_consume_queue(rd_kafka_queue_t *queue,
						  int timeout_ms);

rd_kafka_message_t *
__wrap_rd_kafka_consume_queue(rd_kafka_queue_t *queue, int timeout_ms)
{
	rd_kafka_message_t *msg =
		__real_rd_kafka_consume_queue(queue, timeout_ms);

	if (msg != NULL && msg->payload == NULL) {
		msg->err = (rd_kafka_resp_err_t)atomic_load(&refusal);
		if (atomic_load(&is_unread))
			msg->payload = unread_text;
		if (atomic_load(&is_of_all))
			msg->partition = RD_KAFKA_PARTITION_UA;
	}
	return msg;
}

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

struct bench {
	struct fake_host host;
	rd_kafka_t *producer; /* has the mock cluster, too */
	rd_kafka_mock_cluster_t *cluster;
	unsigned n_put;
	/* NULL: the host's */
	void (*log)(struct evh_ctx *ctx, enum evh_level level, const char *fmt,
		    ...);
};

static int
set_up(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char why[256];

	assert_non_null(b);
	/* Its own cluster, which its client then writes to. */
	assert_int_equal(rd_kafka_conf_set(conf, "test.mock.num.brokers", "1",
					   why, sizeof(why)),
			 RD_KAFKA_CONF_OK);
	b->producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
	assert_non_null(b->producer);
	b->cluster = rd_kafka_handle_mock_cluster(b->producer);
	assert_non_null(b->cluster);
	assert_int_equal(
		rd_kafka_mock_topic_create(b->cluster, TOPIC, N_PARTS, 1),
		RD_KAFKA_RESP_ERR_NO_ERROR);
	*state = b;
	return 0;
}

static void
start(struct bench *b)
{
	const struct fake_option options[] = {
		{ "brokers", rd_kafka_mock_cluster_bootstraps(b->cluster) },
		{ "topic", TOPIC },
		{ "group", "readers" },
		{ "rdkafka.heartbeat.interval.ms", "200" },
		{ NULL, NULL },
	};

	fake_host_init(&b->host, options);
	if (b->log != NULL)
		b->host.ctx.log = b->log;
	fake_host_start(&b->host);
}

static void
begin(struct bench *b)
{
	start(b);
	assert_true(fake_host_wait(&b->host, WAIT_MS, fake_is_ready, 0));
}

static int
tear_down(void **state)
{
	struct bench *b = *state;

	rd_kafka_mock_clear_request_errors(b->cluster, JOIN_GROUP);
	if (b->host.consumer != NULL)
		(void)fake_host_stop(&b->host, STOP_MS);
	fake_host_fini(&b->host);
	rd_kafka_destroy(b->producer);
	free(b);
	return 0;
}

static void
produce(struct bench *b, int32_t partition, const char *value)
{
	size_t len = value != NULL ? strlen(value) : 0;

	assert_int_equal(
		rd_kafka_producev(
			b->producer, RD_KAFKA_V_TOPIC(TOPIC),
			RD_KAFKA_V_PARTITION(partition),
			RD_KAFKA_V_VALUE((void *)(uintptr_t)value, len),
			RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
			RD_KAFKA_V_END),
		RD_KAFKA_RESP_ERR_NO_ERROR);
	assert_int_equal(rd_kafka_flush(b->producer, WAIT_MS),
			 RD_KAFKA_RESP_ERR_NO_ERROR);
}

static void
put(struct bench *b, int32_t partition)
{
	produce(b, partition, VALUE);
	b->n_put++;
}

static void
refuse(struct bench *b, int32_t partition, rd_kafka_resp_err_t err)
{
	atomic_store(&refusal, err);
	produce(b, partition, NULL);
}

static void
assert_answered(struct bench *b)
{
	if (!fake_host_wait(&b->host, WAIT_MS, fake_has_answered, b->n_put))
		fail_msg("%u of %u answered", b->host.n_answered, b->n_put);
}

static void
assert_ready(struct bench *b)
{
	if (!fake_host_wait(&b->host, WAIT_MS, fake_is_ready, 0))
		fail_msg("not ready: %s", b->host.why);
}

static bool
has_said(struct fake_host *host, int64_t part)
{
	return strstr(host->said, (const char *)(intptr_t)part) != NULL;
}

static bool
has_given_up(struct fake_host *host, int64_t n)
{
	return host->rebalances.value >= n;
}

static void
assert_said(struct bench *b, const char *part)
{
	if (!fake_host_wait(&b->host, WAIT_MS, has_said, (intptr_t)part))
		fail_msg("it said \"%s\", not \"%s\"", b->host.said, part);
}

static void
a_message_ends_what_kept_its_partition_from_being_read(void **state)
{
	struct bench *b = *state;

	begin(b);
	refuse(b, 0, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
	assert_said(b, "authorization failed");
	put(b, 0);
	assert_answered(b);
	assert_ready(b);
}

static void
a_message_says_nothing_of_another_partition(void **state)
{
	struct bench *b = *state;

	begin(b);
	refuse(b, 1, RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET);
	assert_said(b, "automatically reset");
	refuse(b, 0, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
	assert_said(b, "authorization failed");
	put(b, 0);
	assert_answered(b);
	assert_said(b, "automatically reset");
	put(b, 1);
	assert_answered(b);
	assert_ready(b);
}

static void
a_topic_that_is_back_is_found_without_a_message(void **state)
{
	struct bench *b = *state;

	begin(b);
	refuse(b, 0, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
	assert_said(b, "does not exist yet");
	assert_ready(b);
}

static void
a_right_that_is_given_back_is_found_without_a_message(void **state)
{
	struct bench *b = *state;

	begin(b);
	atomic_store(&is_of_all, true);
	refuse(b, 0, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
	assert_said(b, "Topic authorization failed");
	assert_ready(b);
	refuse(b, 0, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED);
	assert_said(b, "Group authorization failed");
	assert_ready(b);
	atomic_store(&is_of_all, false);
}

/* The group's right is not proven by the topic's. */
static void
a_right_that_is_still_refused_is_not_taken_for_given(void **state)
{
	struct bench *b = *state;

	begin(b);
	/* From then on librdkafka itself asks for no offset. */
	put(b, 0);
	put(b, 1);
	assert_answered(b);
	for (int i = 0; i < 100; i++)
		rd_kafka_mock_push_request_errors(
			b->cluster, OFFSET_FETCH, 1,
			RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED);
	atomic_store(&is_of_all, true);
	refuse(b, 0, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED);
	assert_said(b, "Group authorization failed");
	assert_false(fake_host_wait(&b->host, 3000, fake_is_ready, 0));
	rd_kafka_mock_clear_request_errors(b->cluster, OFFSET_FETCH);
	assert_ready(b);
	atomic_store(&is_of_all, false);
}

/* The next n times that somebody asks where the group is. */
static void
refuse_offsets(struct bench *b, int n)
{
	for (int i = 0; i < n; i++)
		rd_kafka_mock_push_request_errors(
			b->cluster, OFFSET_FETCH, 1,
			RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED);
}

static void
what_was_refused_at_the_beginning_is_read_when_it_is_allowed(void **state)
{
	struct bench *b = *state;

	refuse_offsets(b, 3);
	put(b, 0);
	put(b, 1);
	start(b);
	assert_said(b, "Failed to fetch committed offset");
	assert_answered(b);
	assert_ready(b);
}

static void
a_stop_in_between_ends_in_time(void **state)
{
	struct bench *b = *state;

	refuse_offsets(b, 100);
	start(b);
	assert_said(b, "Failed to fetch committed offset");
	assert_true(fake_host_stop(&b->host, STOP_MS) < STOP_MS);
	rd_kafka_mock_clear_request_errors(b->cluster, OFFSET_FETCH);
}

static void
what_was_refused_is_read_after_a_rebalance_in_between(void **state)
{
	struct bench *b = *state;

	refuse_offsets(b, 100);
	start(b);
	assert_said(b, "Failed to fetch committed offset");
	rd_kafka_mock_push_request_errors(b->cluster, HEARTBEAT, 1,
					  RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID);
	assert_true(fake_host_wait(&b->host, WAIT_MS, has_given_up, 1));
	rd_kafka_mock_clear_request_errors(b->cluster, OFFSET_FETCH);
	put(b, 0);
	put(b, 1);
	assert_answered(b);
	assert_ready(b);
}

/* Of one partition, which librdkafka would say of one that is not read. */
static void
partitions_that_are_read_go_on_where_they_are(void **state)
{
	struct bench *b = *state;
	int64_t next = 0;

	begin(b);
	fake_host_hold(&b->host, true);
	for (int i = 0; i < MANY; i++)
		put(b, 0);
	assert_true(fake_host_wait(&b->host, WAIT_MS, fake_has_records, 100));
	atomic_store(&is_unread, true);
	refuse(b, 1, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED);
	assert_said(b, "Failed to fetch committed offset");
	assert_ready(b);
	atomic_store(&is_unread, false);
	fake_host_hold(&b->host, false);
	for (int i = 0; i < MANY; i++)
		put(b, 0);
	put(b, 1);
	assert_answered(b);
	for (unsigned i = 0; i < b->host.n_records; i++)
		if (b->host.records[i].partition == 0)
			assert_int_equal(b->host.records[i].offset, next++);
	assert_int_equal(next, 2 * MANY);
}

/* A log that does not come back, of the first error in it. */
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

static void *
end_the_wait(void *arg)
{
	struct timespec due;

	(void)arg;
	clock_gettime(CLOCK_REALTIME, &due);
	due.tv_sec += 5;
	pthread_mutex_lock(&pipe_full.lock);
	while (pipe_full.is_full &&
	       pthread_cond_timedwait(&pipe_full.changed, &pipe_full.lock,
				      &due) == 0)
		;
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
	begin(b);
	c = b->host.consumer;
	assert_int_equal(pthread_create(&caller, NULL, say, c), 0);
	pthread_mutex_lock(&pipe_full.lock);
	while (pipe_full.n_inside == 0)
		pthread_cond_wait(&pipe_full.changed, &pipe_full.lock);
	pthread_mutex_unlock(&pipe_full.lock);
	assert_int_equal(pthread_create(&end, NULL, end_the_wait, NULL), 0);
	took_ms = fake_host_stop(&b->host, 2000);
	assert_in_range(took_ms, 0, 4000);
	pthread_join(end, NULL);
	pthread_join(caller, NULL);
}

static void
a_member_that_has_lost_its_partitions_is_not_ready(void **state)
{
	struct bench *b = *state;

	begin(b);
	rd_kafka_mock_push_request_errors(
		b->cluster, JOIN_GROUP, 3,
		RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
		RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
		RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS);
	rd_kafka_mock_push_request_errors(b->cluster, HEARTBEAT, 1,
					  RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID);
	assert_said(b, "waiting for group readers to assign partitions");
	assert_ready(b);
	put(b, 0);
	assert_answered(b);
}

static void
a_poll_thread_that_is_left_behind_calls_nobody(void **state)
{
	struct bench *b = *state;

	begin(b);
	get_stuck(true);
	(void)fake_host_stop(&b->host, 3000);
	get_stuck(false);
	await_end();
	assert_int_equal(b->host.n_late_calls, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(a_message_ends_what_kept_its_partition_from_being_read),
		TEST(a_message_says_nothing_of_another_partition),
		TEST(a_topic_that_is_back_is_found_without_a_message),
		TEST(a_right_that_is_given_back_is_found_without_a_message),
		TEST(a_right_that_is_still_refused_is_not_taken_for_given),
		TEST(what_was_refused_at_the_beginning_is_read_when_it_is_allowed),
		TEST(a_stop_in_between_ends_in_time),
		TEST(what_was_refused_is_read_after_a_rebalance_in_between),
		TEST(partitions_that_are_read_go_on_where_they_are),
		TEST(a_log_that_does_not_come_back_keeps_no_stop_waiting),
		TEST(a_poll_thread_that_is_left_behind_calls_nobody),
		TEST(a_member_that_has_lost_its_partitions_is_not_ready),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

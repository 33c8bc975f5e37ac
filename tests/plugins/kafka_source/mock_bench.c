#include "mock_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TOPIC	"events"
#define N_PARTS 2
#define VALUE	"{\"name\":\"user.created\",\"data\":{}}"

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

int
bench_set_up(void **state)
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

void
bench_start(struct bench *b)
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

void
bench_begin(struct bench *b)
{
	bench_start(b);
	assert_true(fake_host_wait(&b->host, BENCH_WAIT_MS, fake_is_ready, 0));
}

int
bench_tear_down(void **state)
{
	struct bench *b = *state;

	rd_kafka_mock_clear_request_errors(b->cluster, JOIN_GROUP);
	if (b->host.consumer != NULL)
		(void)fake_host_stop(&b->host, BENCH_STOP_MS);
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
	assert_int_equal(rd_kafka_flush(b->producer, BENCH_WAIT_MS),
			 RD_KAFKA_RESP_ERR_NO_ERROR);
}

void
bench_put(struct bench *b, int32_t partition)
{
	produce(b, partition, VALUE);
	b->n_put++;
}

void
bench_refuse(struct bench *b, int32_t partition, rd_kafka_resp_err_t err)
{
	atomic_store(&refusal, err);
	produce(b, partition, NULL);
}

void
bench_refuse_all(bool is_all)
{
	atomic_store(&is_of_all, is_all);
}

void
bench_refuse_first(bool is_first)
{
	atomic_store(&is_unread, is_first);
}

void
bench_refuse_offsets(struct bench *b, int n)
{
	for (int i = 0; i < n; i++)
		rd_kafka_mock_push_request_errors(
			b->cluster, OFFSET_FETCH, 1,
			RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED);
}

void
bench_await_answered(struct bench *b)
{
	if (!fake_host_wait(&b->host, BENCH_WAIT_MS, fake_has_answered,
			    b->n_put))
		fail_msg("%u of %u answered", b->host.n_answered, b->n_put);
}

void
bench_await_ready(struct bench *b)
{
	if (!fake_host_wait(&b->host, BENCH_WAIT_MS, fake_is_ready, 0))
		fail_msg("not ready: %s", b->host.why);
}

static bool
has_said(struct fake_host *host, int64_t part)
{
	return strstr(host->said, (const char *)(intptr_t)part) != NULL;
}

void
bench_await_said(struct bench *b, const char *part)
{
	if (!fake_host_wait(&b->host, BENCH_WAIT_MS, has_said, (intptr_t)part))
		fail_msg("it said \"%s\", not \"%s\"", b->host.said, part);
}

void
bench_forget(struct bench *b)
{
	fake_host_lock(&b->host);
	b->host.said[0] = '\0';
	fake_host_unlock(&b->host);
}

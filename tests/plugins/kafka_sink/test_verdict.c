#include "batching.h"
#include "verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
what_is_wrong_with_the_record_fails(void **state)
{
	(void)state;
	assert_int_equal(EVH_FAIL,
			 verdict_of(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE));
	assert_int_equal(EVH_FAIL,
			 verdict_of(RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE));
	assert_int_equal(EVH_FAIL,
			 verdict_of(RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP));
	assert_int_equal(EVH_FAIL,
			 verdict_of(RD_KAFKA_RESP_ERR_INVALID_RECORD));
}

static void
what_is_the_servers_trouble_is_tried_again(void **state)
{
	static const rd_kafka_resp_err_t errors[] = {
		RD_KAFKA_RESP_ERR__MSG_TIMED_OUT,
		RD_KAFKA_RESP_ERR__TIMED_OUT,
		RD_KAFKA_RESP_ERR__TRANSPORT,
		RD_KAFKA_RESP_ERR__PURGE_QUEUE,
		RD_KAFKA_RESP_ERR__PURGE_INFLIGHT,
		RD_KAFKA_RESP_ERR__DESTROY,
		RD_KAFKA_RESP_ERR__FATAL,
		RD_KAFKA_RESP_ERR__QUEUE_FULL,
		RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC,
		RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION,
		RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART,
		RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE,
		RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
		RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
		RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
		RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
		RD_KAFKA_RESP_ERR_INVALID_MSG, /* CRC: it was fine here */
		RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR,
		RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER,
		RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH,
		/* An operator can mend these. */
		RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
		RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED,
		RD_KAFKA_RESP_ERR_POLICY_VIOLATION,
		RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT,
		/* And what nobody has heard of is no verdict on the event. */
		RD_KAFKA_RESP_ERR_UNKNOWN,
		(rd_kafka_resp_err_t)9999,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		if (verdict_of(errors[i]) != EVH_RETRY)
			fail_msg("%s is no RETRY",
				 rd_kafka_err2name(errors[i]));
	}
	assert_int_equal(EVH_OK, verdict_of(RD_KAFKA_RESP_ERR_NO_ERROR));
}

static void
a_refused_size_halves_the_batches_for_good(void **state)
{
	struct batching b = { 0 };

	(void)state;
	batching_refused(&b, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, 10, 100000,
			 0);
	assert_int_equal(50000, b.max_bytes);
	assert_false(b.alone);
	/* A larger one, still on its way, teaches nothing. */
	batching_refused(&b, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, 10, 900000,
			 0);
	assert_int_equal(50000, b.max_bytes);
	batching_refused(&b, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, 2, 30, 0);
	assert_int_equal(1024, b.max_bytes);
	assert_false(batching_is_over(&b, INT64_MAX));
}

static void
any_other_refusal_makes_batches_of_one_for_a_while(void **state)
{
	struct batching b = { 0 };

	(void)state;
	batching_refused(&b, RD_KAFKA_RESP_ERR_INVALID_RECORD, 2, 100, 1000);
	assert_true(b.alone);
	assert_int_equal(0, b.max_bytes);
	assert_false(batching_is_over(&b, 1000 + BATCHING_ALONE_MS - 1));
	/* Another culprit, alone by now: it lasts longer. */
	batching_refused(&b, RD_KAFKA_RESP_ERR_INVALID_RECORD, 1, 100, 5000);
	assert_false(batching_is_over(&b, 1000 + BATCHING_ALONE_MS));
	assert_true(batching_is_over(&b, 5000 + BATCHING_ALONE_MS));
	batching_end(&b);
	assert_false(b.alone);
}

static void
a_record_refused_alone_teaches_nothing(void **state)
{
	struct batching b = { 0 };

	(void)state;
	batching_refused(&b, RD_KAFKA_RESP_ERR_INVALID_RECORD, 1, 100, 1000);
	batching_refused(&b, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, 1, 5000,
			 1000);
	assert_false(b.alone);
	assert_int_equal(0, b.max_bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_wrong_with_the_record_fails),
		cmocka_unit_test(what_is_the_servers_trouble_is_tried_again),
		cmocka_unit_test(a_refused_size_halves_the_batches_for_good),
		cmocka_unit_test(
			any_other_refusal_makes_batches_of_one_for_a_while),
		cmocka_unit_test(a_record_refused_alone_teaches_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

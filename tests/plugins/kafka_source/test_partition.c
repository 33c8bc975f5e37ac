/*
 * test_partition.c - a partition without librdkafka's consumer: its waits; by
 * the linker there is no memory for its lists when the test says so.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <librdkafka/rdkafka.h>

#include "fake_host.h"
#include "partition.h"

static bool has_no_memory;

rd_kafka_topic_partition_list_t *
__real_rd_kafka_topic_partition_list_new(int size);
rd_kafka_topic_partition_list_t *
__wrap_rd_kafka_topic_partition_list_new(int size);

rd_kafka_topic_partition_list_t *
__wrap_rd_kafka_topic_partition_list_new(int size)
{
	return has_no_memory ? NULL
			     : __real_rd_kafka_topic_partition_list_new(size);
}

/* Answers store with it, whatever becomes of the new assignment. */
static void
without_memory_a_partition_that_is_taken_again_keeps_its_place(void **state)
{
	static const struct fake_option none[] = { { NULL, NULL } };
	rd_kafka_topic_partition_list_t *place;
	struct fake_host host;
	struct partition *p;

	(void)state;
	fake_host_init(&host, none);
	p = partition_new(&host.ctx, "events", 3);
	assert_non_null(p);
	assert_int_equal(partition_assigned(p, 1), 0);
	place = p->place;
	assert_non_null(place);
	has_no_memory = true;
	assert_int_equal(partition_again(p, NULL), -ENOMEM);
	has_no_memory = false;
	assert_ptr_equal(p->place, place);
	assert_int_equal(place->elems[0].partition, 3);
	partition_free(p);
	fake_host_fini(&host);
}

static void
the_wait_before_a_rewind_doubles_until_something_gets_done(void **state)
{
	static const struct fake_option none[] = { { NULL, NULL } };
	static const int64_t want_ms[] = { 100,	 200,  400,   800,  1600,
					   3200, 6400, 10000, 10000 };
	struct fake_host host;
	struct partition *p;

	(void)state;
	fake_host_init(&host, none);
	p = partition_new(&host.ctx, "events", 3);
	assert_non_null(p);
	assert_int_equal(partition_assigned(p, 1), 0);
	p->offsets.next = 7;
	for (size_t i = 0; i < sizeof(want_ms) / sizeof(*want_ms); i++)
		assert_int_equal(partition_backoff(p), want_ms[i]);
	p->offsets.next = 8; /* 7 is done */
	assert_int_equal(partition_backoff(p), 100);
	assert_int_equal(partition_backoff(p), 200);
	/* Of the next assignment it is the first again, wherever it begins. */
	assert_int_equal(partition_assigned(p, 2), 0);
	p->offsets.next = 8;
	assert_int_equal(partition_backoff(p), 100);
	partition_free(p);
	fake_host_fini(&host);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			without_memory_a_partition_that_is_taken_again_keeps_its_place),
		cmocka_unit_test(
			the_wait_before_a_rewind_doubles_until_something_gets_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

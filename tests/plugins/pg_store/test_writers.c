/* Which writer an event goes to, and how much of a batch is taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "writers.h"

#include <errno.h>
#include <string.h>

#define QUEUE 2

static struct evh_event
of_partition(int32_t partition)
{
	return (struct evh_event){ .topic = "events", .partition = partition };
}

static struct evh_event
of_key(const char *key, int32_t partition)
{
	struct evh_event ev = of_partition(partition);

	ev.key = (struct evh_bytes){ key, strlen(key) };
	return ev;
}

static struct evh_event
of_id(unsigned char last)
{
	struct evh_event ev = { .name = "n" };

	ev.id[15] = last;
	return ev;
}

/* ---- Which --------------------------------------------------------------- */

static void
the_partitions_of_a_topic_are_spread(void **state)
{
	int32_t i;

	(void)state;
	for (i = 0; i < 6; i++) {
		struct evh_event ev = of_partition(i);

		assert_int_equal(writers_choose(&ev, 4), i % 4);
	}
}

static void
a_key_has_one_writer_wherever_it_comes_from(void **state)
{
	struct evh_event here = of_key("user-17", 0);
	struct evh_event there = of_key("user-17", 5);

	(void)state;
	there.id[15] = 99;
	assert_int_equal(writers_choose(&here, 16), writers_choose(&there, 16));
}

static void
keys_are_spread(void **state)
{
	static const char *const keys[] = { "a", "b", "c", "d",
					    "e", "f", "g", "h" };
	unsigned i, n[2] = { 0, 0 };

	(void)state;
	for (i = 0; i < 8; i++) {
		struct evh_event ev = of_key(keys[i], 0);

		n[writers_choose(&ev, 2)]++;
	}
	assert_in_range(n[0], 2, 6);
}

static void
an_id_without_a_lane_has_one_writer(void **state)
{
	struct evh_event one = of_id(4), two = of_id(5), again = of_id(4);

	(void)state;
	assert_int_equal(writers_choose(&one, 4), writers_choose(&again, 4));
	assert_int_not_equal(writers_choose(&one, 4), writers_choose(&two, 4));
}

/* ---- How much ------------------------------------------------------------ */

static int
setup(void **state)
{
	static const struct settings settings = { .writers = 2,
						  .queue_events = QUEUE };
	static struct writers writers;

	assert_int_equal(writers_init(&writers, &settings), 0);
	queue_open(&writers.queues[0]);
	queue_open(&writers.queues[1]);
	*state = &writers;
	return 0;
}

static int
teardown(void **state)
{
	writers_fini(*state);
	return 0;
}

static int
push(struct writers *writers, const int32_t *partitions, int n)
{
	static struct evh_event events[8];
	struct evh_event *evs[8];
	int i;

	for (i = 0; i < n; i++) {
		events[i] = of_partition(partitions[i]);
		evs[i] = &events[i];
	}
	return writers_push(writers, evs, n);
}

static size_t
queued(const struct writers *writers, unsigned i)
{
	return writers->queues[i].n;
}

static void
all_are_taken_while_there_is_room(void **state)
{
	const int32_t partitions[] = { 0, 1, 1, 0 };

	assert_int_equal(push(*state, partitions, 4), 4);
	assert_int_equal(queued(*state, 0), 2);
	assert_int_equal(queued(*state, 1), 2);
}

/* What stands behind is offered again, and is not taken twice. */
static void
nothing_is_taken_behind_one_that_has_no_room(void **state)
{
	const int32_t partitions[] = { 1, 0, 0, 0, 1 };

	assert_int_equal(push(*state, partitions, 5), QUEUE + 1);
	assert_int_equal(queued(*state, 0), QUEUE);
	assert_int_equal(queued(*state, 1), 1);
	assert_int_equal(push(*state, partitions + 3, 2), 0);
	assert_int_equal(queued(*state, 1), 1);
}

static void
what_comes_before_one_whose_writer_is_away_is_taken(void **state)
{
	struct writers *writers = *state;
	const int32_t partitions[] = { 1, 0, 1 };

	queue_close(&writers->queues[0]);
	assert_int_equal(push(writers, partitions, 3), 1);
	assert_int_equal(push(writers, partitions + 1, 2), -EAGAIN);
	assert_int_equal(queued(writers, 1), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_partitions_of_a_topic_are_spread),
		cmocka_unit_test(a_key_has_one_writer_wherever_it_comes_from),
		cmocka_unit_test(keys_are_spread),
		cmocka_unit_test(an_id_without_a_lane_has_one_writer),
		cmocka_unit_test_setup_teardown(
			all_are_taken_while_there_is_room, setup, teardown),
		cmocka_unit_test_setup_teardown(
			nothing_is_taken_behind_one_that_has_no_room, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			what_comes_before_one_whose_writer_is_away_is_taken,
			setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

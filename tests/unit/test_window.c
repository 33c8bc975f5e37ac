/*
 * test_window.c - room for events and bytes.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "timer.h"
#include "window.h"

static void
neither_events_nor_bytes_go_beyond_their_limit(void **state)
{
	struct window w;

	(void)state;
	assert_int_equal(window_init(&w, 3, 100), 0);
	assert_true(window_take(&w, 60));
	assert_true(window_take(&w, 40));
	assert_false(window_take(&w, 1));
	window_give(&w, 1, 60);
	assert_true(window_take(&w, 1));
	assert_true(window_take(&w, 0));
	assert_false(window_take(&w, 0));
	assert_int_equal(window_used(&w), 3);
	window_give(&w, 3, 41);
	assert_int_equal(window_used(&w), 0);
	window_fini(&w);
}

static void
an_event_larger_than_all_enters_an_empty_window(void **state)
{
	struct window w;

	(void)state;
	assert_int_equal(window_init(&w, 3, 100), 0);
	assert_true(window_take(&w, 1000));
	assert_false(window_take(&w, 0));
	window_give(&w, 1, 1000);
	assert_true(window_take(&w, 50));
	assert_false(window_take(&w, 1000));
	window_give(&w, 1, 50);
	window_fini(&w);
}

static void
who_waits_is_woken_by_room_and_by_nothing_else(void **state)
{
	struct window w;
	unsigned turn;

	(void)state;
	assert_int_equal(window_init(&w, 1, 100), 0);
	assert_true(window_take(&w, 1));
	turn = window_turn(&w);
	assert_false(window_take(&w, 1));
	assert_false(window_wait(&w, turn, timer_now_ns() + 10000000));
	turn = window_turn(&w);
	window_give(&w, 1, 1);
	assert_true(window_wait(&w, turn, INT64_MAX));
	window_fini(&w);
}

#define THREADS 4
#define ROUNDS	20000

struct crowd {
	struct window w;
	atomic_uint inside, most;
};

static void *
come_and_go(void *arg)
{
	struct crowd *c = arg;

	for (int i = 0; i < ROUNDS;) {
		unsigned n;

		if (!window_take(&c->w, 10))
			continue;
		n = atomic_fetch_add(&c->inside, 1) + 1;
		if (n > atomic_load(&c->most))
			atomic_store(&c->most, n);
		atomic_fetch_sub(&c->inside, 1);
		window_give(&c->w, 1, 10);
		i++;
	}
	return NULL;
}

static void
threads_together_never_exceed_the_limit(void **state)
{
	struct crowd c = { 0 };
	pthread_t threads[THREADS];

	(void)state;
	assert_int_equal(window_init(&c.w, 2, 100), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, come_and_go, &c);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_in_range(atomic_load(&c.most), 1, 2);
	assert_int_equal(window_used(&c.w), 0);
	window_fini(&c.w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			neither_events_nor_bytes_go_beyond_their_limit),
		cmocka_unit_test(
			an_event_larger_than_all_enters_an_empty_window),
		cmocka_unit_test(
			who_waits_is_woken_by_room_and_by_nothing_else),
		cmocka_unit_test(threads_together_never_exceed_the_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_dlq_look.c - what has become of a dead letter, and a store that is slow
 * to say.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dlq_look.h"

/* A store that answers at once, or when the test says so, or never. */
struct slow {
	int rc;
	bool waits;
	struct evh_row row;
	evh_rows *fn;
	void *arg;
};

static int
slow_get(void *self, const unsigned char id[16], evh_rows *fn, void *arg)
{
	struct slow *slow = self;

	(void)id;
	slow->fn = fn;
	slow->arg = arg;
	if (slow->rc == 0 && !slow->waits)
		fn(arg, 0, &slow->row, 1, -1);
	return slow->rc;
}

static const char *
look(struct slow *slow, bool stops)
{
	const struct evh_store store = { .self = slow, .get = slow_get };
	const struct evh_letter letter = { .attempts = 3 };
	const atomic_bool stop = stops;

	return dlq_look_superseded(&store, &letter, &stop);
}

static void
what_was_processed_since_is_done(void **state)
{
	struct slow slow = { .row = { .status = EVH_PROCESSED } };

	(void)state;
	assert_string_equal(look(&slow, false), "it has been processed since");
}

static void
a_store_that_is_away_knows_nothing(void **state)
{
	struct slow slow = { .rc = -EAGAIN };

	(void)state;
	assert_null(look(&slow, false));
}

static void
who_is_told_to_stop_does_not_wait_for_the_answer(void **state)
{
	struct slow slow = { .waits = true };

	(void)state;
	assert_null(look(&slow, true));
	/* It comes all the same, and finds what it needs. */
	slow.fn(slow.arg, 0, &slow.row, 1, -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_processed_since_is_done),
		cmocka_unit_test(a_store_that_is_away_knows_nothing),
		cmocka_unit_test(
			who_is_told_to_stop_does_not_wait_for_the_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

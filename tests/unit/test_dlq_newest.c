/*
 * Of the letters of a walk, in whatever order they come, those that failed
 * last.
 */
#include "dlq_newest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define N     1000
#define LIMIT 7

/* The one that is the nth to fail, with n for an id. */
static void
letter_add(struct dlq_newest *newest, unsigned n)
{
	struct evh_letter letter = { .name = "bad.thing",
				     .failed_ns = 1000 + (int64_t)n };

	letter.id[14] = (unsigned char)(n >> 8);
	letter.id[15] = (unsigned char)n;
	assert_int_equal(dlq_newest_add(newest, &letter), 0);
}

/* They are these, from the last one down, and no more. */
static void
lines_check(struct dlq_newest *newest, unsigned last, unsigned n)
{
	char *text = NULL, *at;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	dlq_newest_put(newest, out);
	fclose(out);
	at = text;
	for (unsigned i = 0; i < n; i++) {
		char id[64];

		snprintf(id, sizeof(id),
			 "{\"id\":\"00000000-0000-0000-0000-00000000%04x\"",
			 last - i);
		assert_memory_equal(at, id, strlen(id));
		at = strchr(at, '\n');
		assert_non_null(at);
		at++;
	}
	assert_string_equal(at, "");
	free(text);
}

static void
those_that_failed_last_are_kept_in_whatever_order_they_come(void **state)
{
	struct dlq_newest newest;

	(void)state;
	dlq_newest_init(&newest, LIMIT, true);
	for (unsigned i = 0; i < N; i++)
		letter_add(&newest, i);
	lines_check(&newest, N - 1, LIMIT);
	dlq_newest_fini(&newest);

	dlq_newest_init(&newest, LIMIT, true);
	for (unsigned i = N; i > 0; i--)
		letter_add(&newest, i - 1);
	lines_check(&newest, N - 1, LIMIT);
	dlq_newest_fini(&newest);

	/* 7 and N have no common divisor: each comes once. */
	dlq_newest_init(&newest, LIMIT, true);
	for (unsigned i = 0; i < N; i++)
		letter_add(&newest, i * 7 % N);
	lines_check(&newest, N - 1, LIMIT);
	dlq_newest_fini(&newest);
}

static void
fewer_than_the_limit_are_all_there(void **state)
{
	struct dlq_newest newest;

	(void)state;
	dlq_newest_init(&newest, N, true);
	lines_check(&newest, 0, 0);
	letter_add(&newest, 1);
	letter_add(&newest, 3);
	letter_add(&newest, 2);
	lines_check(&newest, 3, 3);
	dlq_newest_fini(&newest);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			those_that_failed_last_are_kept_in_whatever_order_they_come),
		cmocka_unit_test(fewer_than_the_limit_are_all_there),
	};

	return cmocka_run_group_tests_name("dlq_newest", tests, NULL, NULL);
}

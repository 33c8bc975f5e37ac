/*
 * test_late.c - which of the events that are late is named.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "late.h"

#define N      20
#define SECOND INT64_C(1000000000)

static const unsigned char *
id_of(unsigned char n)
{
	static unsigned char id[16];

	id[15] = n;
	return id;
}

static void
assert_says(struct late *late, const char *what)
{
	char text[160];

	(void)late_describe(late, 100 * SECOND, text, sizeof(text));
	if (!strstr(text, what))
		fail_msg("%s", text);
}

static void
the_oldest_is_named_whichever_was_noticed_first(void **state)
{
	struct late late;

	(void)state;
	assert_int_equal(late_init(&late), 0);
	late_add(&late, id_of(1), 30 * SECOND, false);
	late_add(&late, id_of(2), 10 * SECOND, true);
	late_add(&late, id_of(3), 20 * SECOND, false);
	assert_says(&late, "it holds event 00000000-0000-0000-0000-000000000002"
			   " for 90 s without resume(), and 2 more are late");
	late_remove(&late, id_of(2));
	assert_says(&late, "000000000003 has not returned for 80 s");
	late_fini(&late);
}

static void
each_of_many_has_its_name(void **state)
{
	struct late late;

	(void)state;
	assert_int_equal(late_init(&late), 0);
	for (unsigned char i = 1; i <= N; i++)
		late_add(&late, id_of(i), i * SECOND, false);
	for (unsigned char i = 1; i < N; i++)
		late_remove(&late, id_of(i));
	assert_says(&late, "000000000014 has not returned for 80 s");
	late_hold(&late, id_of(N));
	assert_says(&late, "it holds event ");
	late_remove(&late, id_of(N));
	assert_says(&late, "");
	assert_int_equal(late.n, 0);
	late_fini(&late);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			the_oldest_is_named_whichever_was_noticed_first),
		cmocka_unit_test(each_of_many_has_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

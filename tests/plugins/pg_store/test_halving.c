#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "halving.h"

#include <stdbool.h>
#include <string.h>

#define N 40

/* A table that takes a range unless a bad one is in it, and that goes away
 * after so many tries. */
struct table {
	bool is_bad[N], is_written[N], is_blamed[N];
	unsigned tries, tries_max;
	size_t next; /* what comes next if all go from left to right */
};

static enum halving
table_try(void *arg, size_t at, size_t n)
{
	struct table *table = arg;
	size_t i;

	if (table->tries++ == table->tries_max)
		return HALVING_STOPPED;

	for (i = at; i < at + n; i++)
		if (table->is_bad[i])
			return HALVING_BAD;
	assert_int_equal(at, table->next);
	for (i = at; i < at + n; i++)
		table->is_written[i] = true;
	table->next = at + n;
	return HALVING_DONE;
}

static void
table_blame(void *arg, size_t at)
{
	struct table *table = arg;

	assert_int_equal(at, table->next);
	table->is_blamed[at] = true;
	table->next = at + 1;
}

static const struct halving_ops ops = { .try = table_try, .bad = table_blame };

static size_t
run(struct table *table, size_t n)
{
	unsigned splits = 0;

	return halving_run(&ops, table, n, &splits);
}

static void
all_good_is_one_try(void **state)
{
	struct table table = { .tries_max = 1000 };

	(void)state;
	assert_int_equal(run(&table, N), N);
	assert_int_equal(table.tries, 1);
}

static void
one_culprit_is_found_at_each_position(void **state)
{
	size_t n, bad, i;

	(void)state;
	for (n = 1; n <= N; n++) {
		for (bad = 0; bad < n; bad++) {
			struct table table = { .tries_max = 1000 };

			table.is_bad[bad] = true;
			assert_int_equal(run(&table, n), n);
			for (i = 0; i < n; i++) {
				assert_int_equal(table.is_blamed[i], i == bad);
				assert_int_equal(table.is_written[i], i != bad);
			}
		}
	}
}

static void
any_two_culprits_are_found(void **state)
{
	size_t a, b, i;

	(void)state;
	for (a = 0; a < N; a++) {
		for (b = a + 1; b < N; b++) {
			struct table table = { .tries_max = 1000 };

			table.is_bad[a] = table.is_bad[b] = true;
			assert_int_equal(run(&table, N), N);
			for (i = 0; i < N; i++)
				assert_int_equal(table.is_blamed[i],
						 i == a || i == b);
		}
	}
}

static void
all_bad_are_all_blamed(void **state)
{
	struct table table = { .tries_max = 1000 };
	size_t i;

	(void)state;
	memset(table.is_bad, true, sizeof(table.is_bad));
	assert_int_equal(run(&table, N), N);
	for (i = 0; i < N; i++)
		assert_true(table.is_blamed[i]);
}

/* Whenever the table goes away, what is settled is exactly the front. */
static void
a_stop_leaves_the_front_settled(void **state)
{
	unsigned tries;
	size_t settled, i;

	(void)state;
	for (tries = 0; tries < 30; tries++) {
		struct table table = { .tries_max = tries };

		table.is_bad[7] = table.is_bad[20] = table.is_bad[39] = true;
		settled = run(&table, N);
		for (i = 0; i < N; i++)
			assert_int_equal(table.is_written[i] ||
						 table.is_blamed[i],
					 i < settled);
	}
}

static void
a_culprit_costs_two_tries_for_each_doubling(void **state)
{
	unsigned splits = 0;
	struct table table = { .tries_max = 1000 };

	(void)state;
	table.is_bad[13] = true;
	halving_run(&ops, &table, N, &splits);
	assert_in_range(table.tries, 7, 13); /* 2 * log2(40) + 1 */
	assert_in_range(splits, 5, 6);
}

static void
nothing_is_nothing_to_try(void **state)
{
	struct table table = { .tries_max = 0 };

	(void)state;
	assert_int_equal(run(&table, 0), 0);
	assert_int_equal(table.tries, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_good_is_one_try),
		cmocka_unit_test(one_culprit_is_found_at_each_position),
		cmocka_unit_test(any_two_culprits_are_found),
		cmocka_unit_test(all_bad_are_all_blamed),
		cmocka_unit_test(a_stop_leaves_the_front_settled),
		cmocka_unit_test(a_culprit_costs_two_tries_for_each_doubling),
		cmocka_unit_test(nothing_is_nothing_to_try),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "batch.h"

#include <string.h>

#define MAX 64

struct fixture {
	struct batch batch;
	struct evh_event events[MAX];
	struct evh_event *evs[MAX];
	size_t n;
};

static void
add(struct fixture *f, unsigned char id, enum evh_status status,
    uint32_t attempts)
{
	struct evh_event *ev = &f->events[f->n];

	memset(ev, 0, sizeof(*ev));
	ev->id[0] = id;
	ev->status = status;
	ev->attempts = attempts;
	f->evs[f->n++] = ev;
}

static size_t
round_at(struct fixture *f, size_t round, const uint32_t **ret)
{
	return batch_round(&f->batch, round, ret);
}

static int
setup(void **state)
{
	static struct fixture f;

	memset(&f, 0, sizeof(f));
	*state = &f;
	return batch_init(&f.batch, MAX);
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	batch_fini(&f->batch);
	return 0;
}

static void
rows_are_sorted_by_id(void **state)
{
	struct fixture *f = *state;
	const uint32_t *at;
	size_t i;

	for (i = 0; i < 50; i++)
		add(f, (unsigned char)(i * 37 % 50), EVH_PENDING, 0);
	batch_plan(&f->batch, f->evs, NULL, f->n);
	assert_int_equal(f->batch.n_rounds, 1);
	assert_int_equal(round_at(f, 0, &at), 50);
	for (i = 0; i < 50; i++)
		assert_int_equal(f->evs[at[i]]->id[0], i);
}

static void
an_id_that_comes_again_waits_for_the_next_round(void **state)
{
	struct fixture *f = *state;
	const uint32_t *at;

	add(f, 9, EVH_PENDING, 0);   /* 0 */
	add(f, 5, EVH_PENDING, 0);   /* 1 */
	add(f, 9, EVH_FAILED, 1);    /* 2 */
	add(f, 9, EVH_PENDING, 1);   /* 3 */
	add(f, 7, EVH_PROCESSED, 1); /* 4 */
	add(f, 9, EVH_PROCESSED, 2); /* 5 */
	batch_plan(&f->batch, f->evs, NULL, f->n);
	assert_int_equal(f->batch.n_rounds, 4);
	assert_int_equal(round_at(f, 0, &at), 3);
	assert_int_equal(at[0], 1);
	assert_int_equal(at[1], 4);
	assert_int_equal(at[2], 0);
	assert_int_equal(round_at(f, 1, &at), 1);
	assert_int_equal(at[0], 2);
	assert_int_equal(round_at(f, 2, &at), 1);
	assert_int_equal(at[0], 3);
	assert_int_equal(round_at(f, 3, &at), 1);
	assert_int_equal(at[0], 5);
}

/* Whether `later` is left out behind `earlier`, for each pair.  What the rows
 * are after both is compared with the real table in test_pg_rows.c. */
static void
what_changes_nothing_is_left_out(void **state)
{
	static const struct {
		enum evh_status earlier;
		uint32_t n;
		enum evh_status later;
		uint32_t m;
		size_t rounds;
	} rows[] = {
		{ EVH_PENDING, 0, EVH_PENDING, 0, 1 },
		{ EVH_PENDING, 3, EVH_PENDING, 2, 2 },
		{ EVH_PENDING, 0, EVH_FAILED, 1, 2 },
		{ EVH_PENDING, 0, EVH_PROCESSED, 1, 2 },
		{ EVH_PENDING, 0, EVH_DROPPED, 1, 2 },
		{ EVH_FAILED, 2, EVH_FAILED, 2, 1 },
		{ EVH_FAILED, 2, EVH_FAILED, 1, 1 },
		{ EVH_FAILED, 2, EVH_FAILED, 3, 2 },
		{ EVH_FAILED, 2, EVH_PENDING, 2, 2 },
		{ EVH_FAILED, 2, EVH_PENDING, 1, 1 },
		{ EVH_FAILED, 2, EVH_PENDING, 3, 2 },
		{ EVH_FAILED, 2, EVH_PROCESSED, 1, 2 },
		{ EVH_PROCESSED, 1, EVH_PROCESSED, 1, 1 },
		{ EVH_PROCESSED, 1, EVH_FAILED, 9, 1 },
		{ EVH_PROCESSED, 1, EVH_PENDING, 1, 1 },
		{ EVH_DROPPED, 1, EVH_PROCESSED, 2, 1 },
		{ EVH_DROPPED, 1, EVH_PENDING, 1, 1 },
	};
	struct fixture *f = *state;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		f->n = 0;
		add(f, 1, rows[i].earlier, rows[i].n);
		add(f, 1, rows[i].later, rows[i].m);
		batch_plan(&f->batch, f->evs, NULL, f->n);
		if (f->batch.n_rounds != rows[i].rounds)
			fail_msg("row %zu: %zu rounds, not %zu", i,
				 f->batch.n_rounds, rows[i].rounds);
	}
}

static void
those_that_have_a_result_are_left_out(void **state)
{
	const enum evh_result results[] = { 0, EVH_FAIL, 0, EVH_OK };
	struct fixture *f = *state;
	const uint32_t *at;

	add(f, 9, EVH_PROCESSED, 1);
	add(f, 5, EVH_PROCESSED, 1);
	add(f, 5, EVH_PENDING, 0); /* what came before it is not written */
	add(f, 7, EVH_PROCESSED, 1);
	batch_plan(&f->batch, f->evs, results, f->n);
	assert_int_equal(f->batch.n, 2);
	assert_int_equal(f->batch.n_rounds, 1);
	assert_int_equal(round_at(f, 0, &at), 2);
	assert_int_equal(at[0], 2);
	assert_int_equal(at[1], 0);
}

static void
nothing_has_no_round(void **state)
{
	struct fixture *f = *state;

	batch_plan(&f->batch, f->evs, NULL, 0);
	assert_int_equal(f->batch.n_rounds, 0);
}

static void
one_id_fills_all_rounds(void **state)
{
	struct fixture *f = *state;
	const uint32_t *at;
	size_t i;

	for (i = 0; i < MAX; i++)
		add(f, 1, EVH_FAILED, (uint32_t)i + 1);
	batch_plan(&f->batch, f->evs, NULL, f->n);
	assert_int_equal(f->batch.n_rounds, MAX);
	for (i = 0; i < MAX; i++) {
		assert_int_equal(round_at(f, i, &at), 1);
		assert_int_equal(at[0], i);
	}
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(rows_are_sorted_by_id),
		TEST(an_id_that_comes_again_waits_for_the_next_round),
		TEST(what_changes_nothing_is_left_out),
		TEST(those_that_have_a_result_are_left_out),
		TEST(nothing_has_no_round),
		TEST(one_id_fills_all_rounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What several writers together say of the server: ready, and the log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fake_ctx.h"
#include "outage.h"

#define WRITERS 2

struct bench {
	struct fake_ctx fake;
	struct outage outage;
	struct standing standings[WRITERS];
	struct failure failure;
};

static int
setup(void **state)
{
	static struct bench b;
	unsigned i;

	fake_ctx_init(&b.fake);
	outage_init(&b.outage, &b.fake.ctx, WRITERS);
	for (i = 0; i < WRITERS; i++)
		standing_init(&b.standings[i], &b.outage);
	failure_set(&b.failure, "it is away");
	*state = &b;
	return 0;
}

static int
teardown(void **state)
{
	struct bench *b = *state;

	outage_fini(&b->outage);
	fake_ctx_fini(&b->fake);
	return 0;
}

static void
all_connect(struct bench *b)
{
	standing_connected(&b->standings[0]);
	standing_connected(&b->standings[1]);
	assert_true(b->fake.is_ready);
}

static void
ready_is_the_last_of_them(void **state)
{
	struct bench *b = *state;

	standing_connected(&b->standings[1]);
	assert_false(b->fake.is_ready);
	standing_connected(&b->standings[0]);
	assert_true(b->fake.is_ready);
	standing_lost(&b->standings[1], &b->failure, false);
	assert_false(b->fake.is_ready);
	assert_string_equal(b->fake.why, "it is away");
}

static void
an_outage_is_over_with_the_last_that_is_back(void **state)
{
	struct bench *b = *state;

	all_connect(b);
	standing_lost(&b->standings[0], &b->failure, false);
	standing_lost(&b->standings[1], &b->failure, false);
	standing_connected(&b->standings[0]);
	assert_false(fake_ctx_logged(&b->fake, "PostgreSQL is there after"));
	standing_connected(&b->standings[1]);
	assert_true(fake_ctx_logged(&b->fake, "PostgreSQL is there after"));
}

/* A refused statement's ends with a commit; what comes after it is another. */
static void
only_a_commit_ends_a_refusal_and_it_ends_it_for_good(void **state)
{
	struct bench *b = *state;

	all_connect(b);
	standing_lost(&b->standings[0], &b->failure, true);
	standing_connected(&b->standings[0]);
	assert_true(b->fake.is_ready);
	assert_true(b->standings[0].is_away);
	standing_committed(&b->standings[0]);
	assert_false(b->standings[0].is_away);

	b->outage.patience_ms = -1;
	standing_lost(&b->standings[1], &b->failure, false);
	b->outage.patience_ms = -1;
	assert_true(standing_yields(&b->standings[0]));
	standing_connected(&b->standings[0]);
	assert_false(b->standings[0].is_away);
}

/* Who gives its connection away counts as without one from then on: another
 * that gets one meanwhile makes nobody ready. */
static void
who_yields_is_missed_at_once(void **state)
{
	struct bench *b = *state;

	all_connect(b);
	assert_false(standing_yields(&b->standings[0]));
	standing_lost(&b->standings[1], &b->failure, false);
	assert_false(standing_yields(&b->standings[0]));
	b->outage.patience_ms = -1;
	assert_true(standing_yields(&b->standings[0]));
	standing_connected(&b->standings[1]);
	assert_false(b->fake.is_ready);
	assert_false(fake_ctx_logged(&b->fake, "PostgreSQL is there after"));
	standing_connected(&b->standings[0]);
	assert_true(b->fake.is_ready);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(ready_is_the_last_of_them),
		TEST(an_outage_is_over_with_the_last_that_is_back),
		TEST(only_a_commit_ends_a_refusal_and_it_ends_it_for_good),
		TEST(who_yields_is_missed_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_spool.c - a spool before a chain of the real host: what passes by, what
 * goes in, and how it comes out.
 */
#include "spool.h"
#include "spool_bench.h"
#include "timer.h"

static void
while_the_chain_is_ready_events_pass_by(void **state)
{
	struct spool_bench *b = *state;

	chain_open(b, (struct config_pipeline){ 0 });
	for (int64_t n = 1; n <= 50; n++)
		assert_int_equal(chain_put(b, n), 1);
	rig_await_heard(&b->src, 50);
	assert_int_equal(b->out.n_seen, 50);
	chain_expect_spooled(b, 0);
	assert_int_equal(b->p->spool->log.next, 1);
	rig_free(b->rig);
}

static void
while_it_is_not_they_go_in_and_come_out_in_their_order(void **state)
{
	struct spool_bench *b = *state;

	chain_open(b, (struct config_pipeline){ 0 });
	chain_spool(b, 300);
	chain_expect_spooled(b, 300);
	for (int i = 0; i < 300; i++)
		assert_int_equal(b->src.results[i], EVH_OK);
	assert_int_equal(b->out.n_seen, 0);
	assert_true(pipeline_is_ready(b->p));
	chain_sink_returns(b);
	chain_await_empty(b);
	assert_int_equal(b->out.n_seen, 300);
	for (int i = 0; i < 300; i++)
		assert_int_equal(chain_number(b, i), i + 1);
	assert_int_equal(b->src.n_heard, 300);
	assert_int_equal(chain_put(b, 301), 1);
	rig_await_heard(&b->src, 301);
	chain_expect_spooled(b, 300);
	rig_free(b->rig);
}

/* One that passed by before is still in the sink's hands. */
static void
what_is_in_the_chain_already_is_not_overtaken(void **state)
{
	struct spool_bench *b = *state;

	chain_open(b, (struct config_pipeline){ 0 });
	chain_sink_says(b, 0);
	assert_int_equal(chain_put(b, 1), 1);
	rig_await_held(&b->out, 1);
	chain_sink_leaves(b);
	assert_int_equal(chain_put(b, 2), 1);
	rig_await_heard(&b->src, 1);
	assert_int_equal(b->src.heard[0], 2);
	chain_sink_returns(b);
	assert_int_equal(chain_put(b, 3), 1);
	rig_await_heard(&b->src, 2);
	chain_expect_spooled(b, 2);
	assert_int_equal(b->out.n_seen, 1);
	rig_answer(&b->out, 1, EVH_OK);
	rig_await_held(&b->out, 2);
	assert_int_equal(chain_number(b, 1), 2);
	assert_int_equal(chain_number(b, 2), 3);
	/* And it holds something: the next one goes in behind. */
	assert_int_equal(chain_put(b, 4), 1);
	rig_await_heard(&b->src, 4);
	chain_expect_spooled(b, 3);
	rig_await_held(&b->out, 3);
	rig_answer(&b->out, 3, EVH_OK);
	chain_await_empty(b);
	assert_int_equal(chain_number(b, 3), 4);
	rig_free(b->rig);
}

/* A sink's RETRY in the middle of it. */
static void
a_second_outage_while_it_drains_keeps_the_order(void **state)
{
	struct spool_bench *b = *state;

	chain_open(b, (struct config_pipeline){ .deadline_ms = 1 });
	chain_spool(b, 20);
	chain_sink_says(b, 0);
	chain_sink_returns(b);
	rig_await_held(&b->out, 20);
	chain_sink_leaves(b);
	rig_answer(&b->out, 5, EVH_OK);
	rig_answer(&b->out, 15, EVH_RETRY);
	assert_int_equal(chain_put(b, 21), 1);
	rig_await_heard(&b->src, 21);
	chain_sink_says(b, EVH_OK);
	chain_sink_returns(b);
	chain_await_empty(b);
	assert_int_equal(b->out.n_seen, 36);
	for (int i = 20; i < 36; i++)
		assert_int_equal(chain_number(b, i), i - 14);
	rig_free(b->rig);
}

/* Each waits for the chain as long as that takes. */
static void
what_comes_out_of_it_has_no_deadline(void **state)
{
	struct spool_bench *b = *state;

	chain_open(b, (struct config_pipeline){ .deadline_ms = 1 });
	chain_spool(b, 1);
	chain_sink_says(b, 0);
	chain_sink_returns(b);
	rig_await_held(&b->out, 1);
	assert_int_equal(
		pipeline_deadline_ns(b->p, (struct event *)b->out.held[0]),
		INT64_MAX);
	rig_answer(&b->out, 1, EVH_OK);
	chain_await_empty(b);
	rig_free(b->rig);
}

/* Some hear RETRY for good, as all do when their time is over. */
static void
those_that_come_back_go_again_in_their_order(void **state)
{
	struct spool_bench *b = *state;

	chain_open(b, (struct config_pipeline){ .deadline_ms = 1 });
	chain_spool(b, 10);
	chain_sink_says(b, 0);
	chain_sink_returns(b);
	rig_await_held(&b->out, 10);
	for (int i = 2; i < 10; i++)
		((struct event *)b->out.held[i])->is_patient = false;
	rig_answer(&b->out, 2, EVH_OK);
	chain_sink_says(b, EVH_OK);
	rig_answer(&b->out, 8, EVH_RETRY);
	chain_await_empty(b);
	assert_int_equal(b->out.n_seen, 18);
	for (int i = 10; i < 18; i++)
		assert_int_equal(chain_number(b, i), i - 7);
	rig_free(b->rig);
}

static void
with_always_each_goes_through_it(void **state)
{
	struct spool_bench *b = *state;

	chain_open(b,
		   (struct config_pipeline){ .spool_when = (char *)"always" });
	for (int64_t n = 1; n <= 100; n++)
		assert_int_equal(chain_put(b, n), 1);
	rig_await_heard(&b->src, 100);
	chain_expect_spooled(b, 100);
	rig_await_seen(&b->out, 100);
	for (int i = 0; i < 100; i++)
		assert_int_equal(chain_number(b, i), i + 1);
	rig_free(b->rig);
}

static void
stopping_leaves_it_for_the_next_start(void **state)
{
	struct spool_bench *b = *state;
	int64_t begin_ns;

	chain_open(b, (struct config_pipeline){ 0 });
	chain_spool(b, 10);
	begin_ns = timer_now_ns();
	rig_free(b->rig);
	assert_true(timer_now_ns() - begin_ns < INT64_C(12000000000));
	chain_open(b, (struct config_pipeline){ 0 });
	chain_await_empty(b);
	assert_int_equal(b->out.n_seen, 10);
	for (int i = 0; i < 10; i++)
		assert_int_equal(chain_number(b, i), i + 1);
	assert_int_equal(b->src.n_heard, 0);
	rig_free(b->rig);
}

static void
of_two_pipelines_one_may_have_spooled(void **state)
{
	struct spool_bench *b = *state;
	struct rig_element other = { .name = "other", .kind = EVH_SINK };

	chain_fill(b);
	rig_add(b->rig, &other);
	b->p = rig_pipeline(
		b->rig, (struct config_pipeline){ .chain = LIST("src", "out"),
						  .spool_dir = b->dir.path });
	rig_pipeline(b->rig,
		     (struct config_pipeline){ .name = (char *)"q",
					       .chain = LIST("src", "other") });
	rig_start(b->rig);
	chain_spool(b, 1);
	assert_int_equal(b->src.results[0], EVH_OK);
	chain_expect_spooled(b, 1);
	assert_int_equal(other.n_seen, 1);
	chain_sink_returns(b);
	chain_await_empty(b);
	assert_int_equal(b->out.n_seen, 1);
	rig_free(b->rig);
}

int
main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, chain_make, chain_remove)
	const struct CMUnitTest tests[] = {
		TEST(while_the_chain_is_ready_events_pass_by),
		TEST(while_it_is_not_they_go_in_and_come_out_in_their_order),
		TEST(what_is_in_the_chain_already_is_not_overtaken),
		TEST(a_second_outage_while_it_drains_keeps_the_order),
		TEST(what_comes_out_of_it_has_no_deadline),
		TEST(those_that_come_back_go_again_in_their_order),
		TEST(with_always_each_goes_through_it),
		TEST(stopping_leaves_it_for_the_next_start),
		TEST(of_two_pipelines_one_may_have_spooled),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}

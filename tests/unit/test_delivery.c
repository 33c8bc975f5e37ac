/*
 * test_delivery.c - events at a sink: taken, kept waiting, answered.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pipeline.h"
#include "rig.h"

#define LIST(...) ((char *[]){ __VA_ARGS__, NULL })

struct bench {
	struct rig *rig;
	struct pipeline *pipeline;
	struct rig_element src, out, dead, worse;
};

static void
bench_open(struct bench *b,
	   int (*submit)(struct rig_element *, struct evh_event *const *, int),
	   struct config_pipeline config)
{
	static char *chain[] = { "src", "out", NULL };
	static char *on_fail[] = { "dead", "worse", NULL };

	*b = (struct bench){ .rig = rig_new() };
	b->src = (struct rig_element){ .name = "src", .kind = EVH_SOURCE };
	b->out = (struct rig_element){ .name = "out",
				       .kind = EVH_SINK,
				       .submit = submit };
	b->dead = (struct rig_element){ .name = "dead",
					.kind = EVH_SINK,
					.submit = rig_keep };
	b->worse = (struct rig_element){ .name = "worse",
					 .kind = EVH_SINK,
					 .submit = rig_keep };
	rig_add(b->rig, &b->src);
	rig_add(b->rig, &b->out);
	rig_add(b->rig, &b->dead);
	rig_add(b->rig, &b->worse);
	config.chain = chain;
	if (!config.on_fail)
		config.on_fail = on_fail;
	b->pipeline = rig_pipeline(b->rig, config);
	rig_start(b->rig);
}

static void
what_a_sink_has_not_taken_waits_oldest_first(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, rig_keep, (struct config_pipeline){ 0 });
	b.out.limit = 2;
	rig_emit_many(&b.src, 0, 3, "k");
	rig_emit_many(&b.src, 3, 3, "k");
	for (unsigned i = 0; i < 6; i++) {
		rig_await_held(&b.out, 1);
		rig_answer(&b.out, 1, EVH_OK);
	}
	rig_await_heard(&b.src, 6);
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(b.src.heard[i], i);
	rig_free(b.rig);
}

static int
refuse_thrice(struct rig_element *el, struct evh_event *const *evs, int n)
{
	if (el->limit++ < 3)
		return -EAGAIN;
	el->ctx->done(el->ctx, evs, n, EVH_OK);
	return n;
}

static void
a_sink_that_takes_nothing_is_asked_again(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, refuse_thrice, (struct config_pipeline){ 0 });
	rig_emit_many(&b.src, 0, 5, NULL);
	rig_await_heard(&b.src, 5);
	assert_int_equal(b.out.limit, 4);
	rig_free(b.rig);
}

/* RETRY within its first submit(); takes and answers all from then on. */
static int
retry_first(struct rig_element *el, struct evh_event *const *evs, int n)
{
	el->ctx->done(el->ctx, evs, n, el->limit++ ? EVH_OK : EVH_RETRY);
	return n;
}

static void
after_a_retry_the_rest_of_a_long_run_waits_too(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, retry_first,
		   (struct config_pipeline){ .in_flight = 1000 });
	rig_emit_many(&b.src, 0, 600, "k");
	rig_await_heard(&b.src, 600);
	for (unsigned i = 0; i < 600; i++)
		assert_int_equal(b.src.heard[i], i);
	rig_free(b.rig);
}

static void
while_a_sink_is_not_ready_nothing_is_offered_and_nothing_taken(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, rig_keep, (struct config_pipeline){ 0 });
	rig_emit(&b.src, 1, NULL, 0);
	b.out.ctx->ready(b.out.ctx, "broker away");
	assert_int_equal(rig_emit(&b.src, 2, NULL, 0), -EAGAIN);
	rig_answer(&b.out, 1, EVH_RETRY);
	assert_int_equal(b.out.n_held, 0);
	b.out.ctx->ready(b.out.ctx, NULL);
	rig_await_held(&b.out, 1);
	rig_answer(&b.out, 1, EVH_OK);
	rig_free(b.rig);
}

static void
after_the_deadline_the_source_hears_retry(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, rig_keep, (struct config_pipeline){ .deadline_ms = 50 });
	rig_emit(&b.src, 1, NULL, 0);
	b.out.ctx->ready(b.out.ctx, "broker away");
	rig_answer(&b.out, 1, EVH_RETRY);
	rig_await_heard(&b.src, 1);
	assert_int_equal(b.src.results[0], EVH_RETRY);
	rig_free(b.rig);
}

static void
a_deadline_that_passes_in_a_sinks_hands_counts_when_it_answers(void **state)
{
	/* Time enough to reach the sink before it passes, and then it does. */
	const struct timespec pause = { 0, 600000000 };
	struct bench b;

	(void)state;
	bench_open(&b, rig_keep,
		   (struct config_pipeline){ .deadline_ms = 500 });
	rig_emit_many(&b.src, 1, 2, NULL);
	rig_await_held(&b.out, 2);
	nanosleep(&pause, NULL);
	assert_int_equal(b.src.n_heard, 0);
	rig_answer(&b.out, 1, EVH_OK);
	rig_await_heard(&b.src, 1);
	assert_int_equal(b.src.results[0], EVH_OK);
	rig_answer(&b.out, 1, EVH_RETRY);
	rig_await_heard(&b.src, 2);
	assert_int_equal(b.src.results[1], EVH_RETRY);
	assert_int_equal(b.out.n_seen, 2);
	rig_free(b.rig);
}

static void
one_on_fail_sink_that_keeps_it_is_enough(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, rig_keep, (struct config_pipeline){ 0 });
	rig_emit(&b.src, 1, NULL, 0);
	b.out.ctx->set_error(b.out.ctx, b.out.held[0], "22P05", "no such %s",
			     "character");
	rig_answer(&b.out, 1, EVH_FAIL);
	rig_await_held(&b.dead, 1);
	assert_non_null(strstr(b.dead.held[0]->error,
			       "\"type\":\"store\",\"message\":"
			       "\"no such character\","
			       "\"sqlstate\":\"22P05\""));
	rig_answer(&b.dead, 1, EVH_FAIL);
	rig_await_held(&b.worse, 1);
	rig_answer(&b.worse, 1, EVH_OK);
	rig_await_heard(&b.src, 1);
	assert_int_equal(b.src.results[0], EVH_DROP);
	rig_free(b.rig);
}

static void
when_nobody_keeps_it_the_source_hears_fail(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, rig_keep, (struct config_pipeline){ 0 });
	rig_emit(&b.src, 1, NULL, 0);
	rig_answer(&b.out, 1, EVH_FAIL);
	rig_await_held(&b.dead, 1);
	rig_answer(&b.dead, 1, EVH_FAIL);
	rig_await_held(&b.worse, 1);
	rig_answer(&b.worse, 1, EVH_FAIL);
	rig_await_heard(&b.src, 1);
	assert_int_equal(b.src.results[0], EVH_FAIL);
	rig_free(b.rig);
}

static void
a_sink_may_stand_in_its_own_on_fail(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, rig_keep,
		   (struct config_pipeline){ .on_fail = LIST("out") });
	rig_emit(&b.src, 1, NULL, 0);
	assert_int_equal(b.out.held[0]->status, EVH_PENDING);
	rig_answer(&b.out, 1, EVH_FAIL);
	rig_await_held(&b.out, 1);
	assert_int_equal(b.out.held[0]->status, EVH_FAILED);
	rig_answer(&b.out, 1, EVH_OK);
	rig_await_heard(&b.src, 1);
	assert_int_equal(b.src.results[0], EVH_DROP);
	rig_free(b.rig);
}

static void
a_second_done_and_a_strangers_are_ignored(void **state)
{
	struct bench b;
	struct evh_event *ev;

	(void)state;
	bench_open(&b, rig_keep, (struct config_pipeline){ 0 });
	rig_emit_many(&b.src, 1, 2, NULL);
	ev = b.out.held[0];
	b.dead.ctx->done(b.dead.ctx, &ev, 1, EVH_OK);
	assert_int_equal(b.src.n_heard, 0);
	rig_answer(&b.out, 1, EVH_OK);
	b.out.ctx->done(b.out.ctx, &ev, 1, EVH_FAIL);
	assert_int_equal(b.src.n_heard, 1);
	rig_answer(&b.out, 1, EVH_OK);
	assert_int_equal(b.src.n_heard, 2);
	assert_int_equal(b.src.results[0], EVH_OK);
	rig_free(b.rig);
}

static int
boast(struct rig_element *el, struct evh_event *const *evs, int n)
{
	el->ctx->done(el->ctx, evs, n, EVH_OK);
	return n + 3;
}

static void
a_submit_that_took_more_than_there_was_took_all(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, boast, (struct config_pipeline){ 0 });
	assert_int_equal(rig_emit_many(&b.src, 1, 2, NULL), 2);
	rig_await_heard(&b.src, 2);
	rig_free(b.rig);
}

/* Answers all that it was offered, and then says that it took one. */
static int
answer_all_take_one(struct rig_element *el, struct evh_event *const *evs, int n)
{
	el->limit++;
	el->ctx->done(el->ctx, evs, n, EVH_OK);
	return 1;
}

static void
what_a_sink_answers_without_taking_it_is_answered_once(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, answer_all_take_one, (struct config_pipeline){ 0 });
	rig_emit_many(&b.src, 0, 5, NULL);
	rig_await_heard(&b.src, 5);
	assert_int_equal(b.out.limit, 1);
	rig_emit_many(&b.src, 5, 1, NULL);
	rig_await_heard(&b.src, 6);
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(b.src.heard[i], i);
	rig_free(b.rig);
}

static void
a_sink_cannot_say_drop(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, rig_keep, (struct config_pipeline){ 0 });
	rig_emit(&b.src, 1, NULL, 0);
	rig_answer(&b.out, 1, EVH_DROP);
	rig_await_held(&b.dead, 1);
	rig_answer(&b.dead, 1, EVH_OK);
	rig_await_held(&b.worse, 1);
	rig_answer(&b.worse, 1, EVH_OK);
	rig_await_heard(&b.src, 1);
	rig_free(b.rig);
}

/* Two sinks that want one call at a time and answer within it, in opposite
 * orders: they would lock each other out if one's answer led into the other's
 * submit() on the same stack. */
static void
serial_sinks_in_opposite_orders_do_not_stand_still(void **state)
{
	struct rig *rig = rig_new();
	struct rig_element one = { .name = "one", .kind = EVH_SOURCE };
	struct rig_element two = { .name = "two", .kind = EVH_SOURCE };
	struct rig_element a = { .name = "a",
				 .kind = EVH_SINK,
				 .threads = EVH_SERIAL };
	struct rig_element b = { .name = "b",
				 .kind = EVH_SINK,
				 .threads = EVH_SERIAL };

	(void)state;
	rig_add(rig, &one);
	rig_add(rig, &two);
	rig_add(rig, &a);
	rig_add(rig, &b);
	rig_pipeline(rig,
		     (struct config_pipeline){ .name = (char *)"ab",
					       .chain = LIST("one", "a", "b"),
					       .workers = 2 });
	rig_pipeline(rig,
		     (struct config_pipeline){ .name = (char *)"ba",
					       .chain = LIST("two", "b", "a"),
					       .workers = 2 });
	rig_start(rig);
	for (unsigned i = 0; i < 1000; i++) {
		assert_int_equal(rig_emit(&one, i, NULL, 1000), 1);
		assert_int_equal(rig_emit(&two, i, NULL, 1000), 1);
	}
	rig_await_heard(&one, 1000);
	rig_await_heard(&two, 1000);
	rig_free(rig);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_sink_has_not_taken_waits_oldest_first),
		cmocka_unit_test(a_sink_that_takes_nothing_is_asked_again),
		cmocka_unit_test(
			after_a_retry_the_rest_of_a_long_run_waits_too),
		cmocka_unit_test(
			while_a_sink_is_not_ready_nothing_is_offered_and_nothing_taken),
		cmocka_unit_test(after_the_deadline_the_source_hears_retry),
		cmocka_unit_test(
			a_deadline_that_passes_in_a_sinks_hands_counts_when_it_answers),
		cmocka_unit_test(one_on_fail_sink_that_keeps_it_is_enough),
		cmocka_unit_test(when_nobody_keeps_it_the_source_hears_fail),
		cmocka_unit_test(a_sink_may_stand_in_its_own_on_fail),
		cmocka_unit_test(a_second_done_and_a_strangers_are_ignored),
		cmocka_unit_test(
			a_submit_that_took_more_than_there_was_took_all),
		cmocka_unit_test(a_sink_cannot_say_drop),
		cmocka_unit_test(
			what_a_sink_answers_without_taking_it_is_answered_once),
		cmocka_unit_test(
			serial_sinks_in_opposite_orders_do_not_stand_still),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

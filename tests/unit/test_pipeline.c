/*
 * test_pipeline.c - an event's way through a chain, on the real host.
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

static void
an_event_goes_through_the_chain_and_its_source_hears_ok(void **state)
{
	struct rig *rig = rig_new();
	struct rig_element src = { .name = "src", .kind = EVH_SOURCE };
	struct rig_element look = { .name = "look",
				    .kind = EVH_HANDLER,
				    .process = rig_note };
	struct rig_element out = { .name = "out", .kind = EVH_SINK };

	(void)state;
	rig_add(rig, &src);
	rig_add(rig, &look);
	rig_add(rig, &out);
	rig_pipeline(rig, (struct config_pipeline){
				  .chain = LIST("src", "look", "out") });
	rig_start(rig);
	assert_int_equal(rig_emit(&src, 7, NULL, 0), 1);
	rig_await_heard(&src, 1);
	assert_int_equal(src.heard[0], 7);
	assert_int_equal(src.results[0], EVH_OK);
	assert_int_equal(look.n_seen, 1);
	assert_int_equal(out.n_seen, 1);
	rig_free(rig);
}

static void
with_workers_the_order_of_a_key_is_kept(void **state)
{
	struct rig *rig = rig_new();
	struct rig_element src = { .name = "src", .kind = EVH_SOURCE };
	struct rig_element look = { .name = "look",
				    .kind = EVH_HANDLER,
				    .process = rig_note };
	struct rig_element out = { .name = "out", .kind = EVH_SINK };

	(void)state;
	rig_add(rig, &src);
	rig_add(rig, &look);
	rig_add(rig, &out);
	rig_pipeline(rig, (struct config_pipeline){
				  .chain = LIST("src", "look", "out"),
				  .workers = 4 });
	rig_start(rig);
	for (unsigned i = 0; i < 500; i++)
		assert_int_equal(rig_emit(&src, i, "one key", 1000), 1);
	rig_await_heard(&src, 500);
	for (unsigned i = 0; i < 500; i++)
		assert_int_equal(look.cookies[i], i);
	for (unsigned i = 0; i < 500; i++)
		assert_int_equal(out.cookies[i], i);
	rig_free(rig);
}

static void
a_sink_answers_later_and_only_then_the_source_hears(void **state)
{
	struct rig *rig = rig_new();
	struct rig_element src = { .name = "src", .kind = EVH_SOURCE };
	struct rig_element out = { .name = "out",
				   .kind = EVH_SINK,
				   .submit = rig_keep };

	(void)state;
	rig_add(rig, &src);
	rig_add(rig, &out);
	rig_pipeline(rig,
		     (struct config_pipeline){ .chain = LIST("src", "out") });
	rig_start(rig);
	assert_int_equal(rig_emit_many(&src, 1, 3, NULL), 3);
	assert_int_equal(out.n_held, 3);
	assert_int_equal(src.n_heard, 0);
	rig_answer(&out, 3, EVH_OK);
	assert_int_equal(src.n_heard, 3);
	rig_free(rig);
}

static void
emit_beyond_the_window_says_eagain(void **state)
{
	struct rig *rig = rig_new();
	struct rig_element src = { .name = "src", .kind = EVH_SOURCE };
	struct rig_element out = { .name = "out",
				   .kind = EVH_SINK,
				   .submit = rig_keep };

	(void)state;
	rig_add(rig, &src);
	rig_add(rig, &out);
	rig_pipeline(rig, (struct config_pipeline){ .chain = LIST("src", "out"),
						    .in_flight = 2 });
	rig_start(rig);
	assert_int_equal(rig_emit_many(&src, 1, 3, NULL), 2);
	assert_int_equal(rig_emit(&src, 3, NULL, 0), -EAGAIN);
	assert_int_equal(rig_emit(&src, 3, NULL, 20), -EAGAIN);
	rig_answer(&out, 1, EVH_OK);
	assert_int_equal(rig_emit(&src, 3, NULL, 0), 1);
	rig_answer(&out, 2, EVH_OK);
	rig_free(rig);
}

/* Cookie 1 is tried `limit` times in vain. */
static enum evh_result
stumble(struct rig_element *el, struct evh_event *ev)
{
	enum evh_result verdict = EVH_OK;

	if (ev->cookie == 1 && ev->attempt <= (unsigned)el->limit)
		verdict = EVH_RETRY;
	else
		el->cookies[el->n_seen++] = ev->cookie;
	return verdict;
}

/* 1 to 3 of one key, and 11 to 13 of another, in one emit(): the second lane is
 * there before the first one's back-off begins. */
static void
emit_two_lanes(struct rig_element *src)
{
	static const char keys[] = { 'a', 'b' };
	struct evh_event *evs[6];

	for (unsigned i = 0; i < 6; i++) {
		struct evh_spec spec = { .name = "test.event",
					 .data = { "{}", 2 },
					 .key = { &keys[i / 3], 1 },
					 .cookie = i / 3 * 10 + i % 3 + 1 };

		evs[i] = src->ctx->event_new(src->ctx, &spec, NULL);
		assert_non_null(evs[i]);
	}
	assert_int_equal(src->ctx->emit(src->ctx, evs, 6, 0), 6);
}

static void
while_one_is_tried_again_its_lane_waits_behind_it(void **state)
{
	struct rig *rig = rig_new();
	struct rig_element src = { .name = "src", .kind = EVH_SOURCE };
	struct rig_element look = { .name = "look",
				    .kind = EVH_HANDLER,
				    .process = stumble,
				    .limit = 2 };
	struct rig_element out = { .name = "out", .kind = EVH_SINK };

	(void)state;
	rig_add(rig, &src);
	rig_add(rig, &look);
	rig_add(rig, &out);
	rig_pipeline(rig, (struct config_pipeline){
				  .chain = LIST("src", "look", "out"),
				  .workers = 1,
				  .backoff_ms = 20,
				  .backoff_max_ms = 20 });
	rig_start(rig);
	emit_two_lanes(&src);
	rig_await_heard(&src, 6);
	for (int i = 0; i < 3; i++)
		assert_int_equal(src.heard[i], 11 + i);
	for (int i = 3; i < 6; i++)
		assert_int_equal(src.heard[i], i - 2);
	rig_free(rig);
}

static void
a_failed_event_goes_to_on_fail_and_its_source_hears_drop(void **state)
{
	struct rig *rig = rig_new();
	struct rig_element src = { .name = "src", .kind = EVH_SOURCE };
	struct rig_element look = { .name = "look",
				    .kind = EVH_HANDLER,
				    .process = rig_note,
				    .limit = EVH_FAIL };
	struct rig_element out = { .name = "out", .kind = EVH_SINK };
	struct rig_element dead = { .name = "dead",
				    .kind = EVH_SINK,
				    .submit = rig_keep };

	(void)state;
	rig_add(rig, &src);
	rig_add(rig, &look);
	rig_add(rig, &out);
	rig_add(rig, &dead);
	rig_pipeline(rig, (struct config_pipeline){
				  .chain = LIST("src", "look", "out"),
				  .on_fail = LIST("dead"),
				  .workers = 2 });
	rig_start(rig);
	rig_emit(&src, 1, NULL, 0);
	rig_await_held(&dead, 1);
	assert_int_equal(dead.held[0]->status, EVH_FAILED);
	assert_string_equal(dead.held[0]->error,
			    "{\"stage\":\"look\",\"type\":\"handler\","
			    "\"message\":\"the handler refused it\"}");
	rig_answer(&dead, 1, EVH_OK);
	rig_await_heard(&src, 1);
	assert_int_equal(src.results[0], EVH_DROP);
	assert_int_equal(out.n_seen, 0);
	rig_free(rig);
}

static void
a_sinks_retry_is_offered_again_in_the_old_order(void **state)
{
	struct rig *rig = rig_new();
	struct rig_element src = { .name = "src", .kind = EVH_SOURCE };
	struct rig_element out = { .name = "out",
				   .kind = EVH_SINK,
				   .submit = rig_keep };

	(void)state;
	rig_add(rig, &src);
	rig_add(rig, &out);
	rig_pipeline(rig,
		     (struct config_pipeline){ .chain = LIST("src", "out") });
	rig_start(rig);
	rig_emit_many(&src, 1, 2, "k");
	rig_answer(&out, 1, EVH_RETRY);
	rig_emit_many(&src, 3, 1, "k");
	assert_int_equal(out.n_held, 1);
	rig_answer(&out, 1, EVH_RETRY);
	rig_await_held(&out, 3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(out.held[i]->cookie, i + 1);
	rig_answer(&out, 3, EVH_OK);
	rig_free(rig);
}

static void
an_optional_sink_that_is_not_ready_is_passed_over(void **state)
{
	struct rig *rig = rig_new();
	struct rig_element src = { .name = "src", .kind = EVH_SOURCE };
	struct rig_element out = { .name = "out", .kind = EVH_SINK };
	struct rig_element row = { .name = "row",
				   .kind = EVH_SINK,
				   .submit = rig_keep,
				   .starts_unready = true };

	(void)state;
	rig_add(rig, &src);
	rig_add(rig, &out);
	rig_add(rig, &row);
	rig_pipeline(rig, (struct config_pipeline){
				  .chain = LIST("src", "out", "row"),
				  .optional = LIST("row") });
	rig_start(rig);
	assert_int_equal(rig_emit(&src, 1, NULL, 0), 1);
	assert_int_equal(src.n_heard, 1);
	assert_int_equal(src.results[0], EVH_OK);
	row.ctx->ready(row.ctx, NULL);
	rig_emit(&src, 2, NULL, 0);
	rig_await_held(&row, 1);
	rig_answer(&row, 1, EVH_FAIL);
	assert_int_equal(src.n_heard, 2);
	assert_int_equal(src.results[1], EVH_OK);
	rig_free(rig);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			an_event_goes_through_the_chain_and_its_source_hears_ok),
		cmocka_unit_test(with_workers_the_order_of_a_key_is_kept),
		cmocka_unit_test(
			a_sink_answers_later_and_only_then_the_source_hears),
		cmocka_unit_test(emit_beyond_the_window_says_eagain),
		cmocka_unit_test(
			while_one_is_tried_again_its_lane_waits_behind_it),
		cmocka_unit_test(
			a_failed_event_goes_to_on_fail_and_its_source_hears_drop),
		cmocka_unit_test(
			a_sinks_retry_is_offered_again_in_the_old_order),
		cmocka_unit_test(
			an_optional_sink_that_is_not_ready_is_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_handling.c - verdicts of handlers, and what they lead to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pipeline.h"
#include "rig.h"

#define LIST(...) ((char *[]){ __VA_ARGS__, NULL })

/* A source, a handler under test, a sink, a sink for what failed or was
 * dropped. */
struct bench {
	struct rig *rig;
	struct pipeline *pipeline;
	struct rig_element src, look, out, dead, gone;
};

static void
bench_open(struct bench *b,
	   enum evh_result (*process)(struct rig_element *, struct evh_event *),
	   unsigned workers)
{
	*b = (struct bench){ .rig = rig_new() };
	b->src = (struct rig_element){ .name = "src", .kind = EVH_SOURCE };
	b->look = (struct rig_element){ .name = "look",
					.kind = EVH_HANDLER,
					.process = process };
	b->out = (struct rig_element){ .name = "out", .kind = EVH_SINK };
	b->dead = (struct rig_element){ .name = "dead", .kind = EVH_SINK };
	b->gone = (struct rig_element){ .name = "gone", .kind = EVH_SINK };
	rig_add(b->rig, &b->src);
	rig_add(b->rig, &b->look);
	rig_add(b->rig, &b->out);
	rig_add(b->rig, &b->dead);
	rig_add(b->rig, &b->gone);
	b->pipeline = rig_pipeline(
		b->rig,
		(struct config_pipeline){ .chain = LIST("src", "look", "out"),
					  .on_fail = LIST("dead"),
					  .on_drop = LIST("gone"),
					  .workers = workers });
}

static void
a_retry_that_never_ends_fails_after_the_last_attempt(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, rig_note, 1);
	b.look.limit = EVH_RETRY;
	rig_start(b.rig);
	rig_emit(&b.src, 5, NULL, 0);
	rig_await_heard(&b.src, 1);
	assert_int_equal(b.look.n_seen, 3);
	assert_int_equal(b.src.results[0], EVH_DROP);
	assert_int_equal(b.dead.n_seen, 1);
	assert_int_equal(b.out.n_seen, 0);
	rig_free(b.rig);
}

static void
without_workers_a_retry_goes_on_by_the_pump(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, rig_note, 0);
	b.look.limit = EVH_RETRY;
	rig_start(b.rig);
	for (unsigned i = 0; i < 20; i++)
		rig_emit(&b.src, i, "k", 0);
	rig_await_heard(&b.src, 20);
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(b.dead.cookies[i], i);
	rig_free(b.rig);
}

static void
what_a_handler_drops_goes_to_on_drop(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, rig_note, 2);
	b.look.limit = EVH_DROP;
	b.gone.submit = rig_keep;
	rig_start(b.rig);
	rig_emit(&b.src, 5, NULL, 0);
	rig_await_held(&b.gone, 1);
	assert_int_equal(b.gone.held[0]->status, EVH_DROPPED);
	rig_answer(&b.gone, 1, EVH_OK);
	assert_int_equal(b.src.results[0], EVH_DROP);
	assert_int_equal(b.out.n_seen, 0);
	rig_free(b.rig);
}

static void
a_handler_that_is_not_ready_is_asked_later_and_costs_no_attempt(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, rig_note, 1);
	rig_start(b.rig);
	rig_emit(&b.src, 1, NULL, 0);
	rig_await_heard(&b.src, 1);
	b.look.ctx->ready(b.look.ctx, "its server is away");
	assert_int_equal(rig_emit(&b.src, 2, NULL, 0), -11);
	b.look.ctx->ready(b.look.ctx, NULL);
	assert_int_equal(rig_emit(&b.src, 2, NULL, 0), 1);
	rig_await_heard(&b.src, 2);
	assert_int_equal(b.look.n_seen, 2);
	rig_free(b.rig);
}

/* Says RETRY and "not ready" the first time. */
static enum evh_result
lose_server(struct rig_element *el, struct evh_event *ev)
{
	rig_note(el, ev);
	if (el->n_seen > 1) {
		assert_int_equal(ev->attempt, 1);
		return EVH_OK;
	}
	el->ctx->ready(el->ctx, "its server is away");
	return EVH_RETRY;
}

static void
a_retry_of_one_that_is_not_ready_waits_until_it_is(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, lose_server, 1);
	rig_start(b.rig);
	rig_emit(&b.src, 1, "k", 0);
	rig_await_standing(b.pipeline);
	b.look.ctx->ready(b.look.ctx, NULL);
	rig_await_heard(&b.src, 1);
	assert_int_equal(b.src.results[0], EVH_OK);
	assert_int_equal(b.look.n_seen, 2);
	rig_free(b.rig);
}

static enum evh_result
hold_ones(struct rig_element *el, struct evh_event *ev)
{
	enum evh_result verdict = EVH_OK;

	if (ev->cookie % 10 == 1) {
		struct evh_event *evs[] = { ev };

		verdict = EVH_HOLD;
		rig_keep(el, evs, 1);
	}
	return verdict;
}

static void
what_is_held_waits_for_resume_and_its_key_behind_it(void **state)
{
	for (unsigned workers = 0; workers < 3; workers++) {
		struct bench b;

		(void)state;
		bench_open(&b, hold_ones, workers);
		rig_start(b.rig);
		rig_emit_many(&b.src, 1, 4, "k");
		rig_emit_many(&b.src, 102, 2, "l");
		rig_await_heard(&b.src, 2);
		rig_await_held(&b.look, 1);
		assert_int_equal(b.out.n_seen, 2);
		b.look.ctx->resume(b.look.ctx, b.look.held[0], EVH_OK);
		rig_await_heard(&b.src, 6);
		for (int i = 0; i < 4; i++)
			assert_int_equal(b.out.cookies[2 + i], 1 + i);
		rig_free(b.rig);
	}
}

static enum evh_result
let_go_at_once(struct rig_element *el, struct evh_event *ev)
{
	el->ctx->resume(el->ctx, ev, EVH_OK);
	return EVH_HOLD;
}

static void
a_resume_may_come_before_process_has_said_hold(void **state)
{
	for (unsigned workers = 0; workers < 3; workers++) {
		struct bench b;

		(void)state;
		bench_open(&b, let_go_at_once, workers);
		rig_start(b.rig);
		for (unsigned i = 0; i < 50; i++)
			rig_emit(&b.src, i, "k", 0);
		rig_await_heard(&b.src, 50);
		for (unsigned i = 0; i < 50; i++)
			assert_int_equal(b.out.cookies[i], i);
		rig_free(b.rig);
	}
}

/* Two children of each event; fails after the first try's. */
static enum evh_result
bear_twins(struct rig_element *el, struct evh_event *ev)
{
	struct evh_spec spec = { .name = "child", .data = { "{}", 2 } };
	struct evh_event *twins[2];

	for (int i = 0; i < 2; i++)
		twins[i] = el->ctx->event_new(el->ctx, &spec, ev);
	assert_int_equal(el->ctx->emit(el->ctx, twins, 2, 0), 2);
	if (ev->attempt == 1)
		return EVH_RETRY;
	return EVH_OK;
}

static void
children_go_behind_their_parent_and_it_is_done_after_them(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, bear_twins, 2);
	b.out.submit = rig_keep;
	rig_start(b.rig);
	rig_emit(&b.src, 1, "k", 0);
	rig_await_held(&b.out, 3);
	assert_string_equal(b.out.held[0]->name, "test.event");
	assert_string_equal(b.out.held[1]->name, "child");
	assert_string_equal(b.out.held[2]->name, "child");
	rig_answer(&b.out, 1, EVH_OK);
	rig_answer(&b.out, 1, EVH_OK);
	assert_int_equal(b.src.n_heard, 0);
	rig_answer(&b.out, 1, EVH_OK);
	assert_int_equal(b.src.n_heard, 1);
	rig_free(b.rig);
}

static void
a_child_that_fails_and_is_kept_leaves_its_parent_ok(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, bear_twins, 1);
	b.out.submit = rig_keep;
	rig_start(b.rig);
	rig_emit(&b.src, 1, "k", 0);
	rig_await_held(&b.out, 3);
	rig_answer(&b.out, 2, EVH_OK);
	rig_answer(&b.out, 1, EVH_FAIL);
	rig_await_heard(&b.src, 1);
	assert_int_equal(b.dead.n_seen, 1);
	assert_int_equal(b.src.results[0], EVH_OK);
	rig_free(b.rig);
}

static void
what_does_not_match_a_handler_passes_it_by(void **state)
{
	struct rig *rig = rig_new();
	struct rig_element src = { .name = "src", .kind = EVH_SOURCE };
	struct rig_element look = { .name = "look",
				    .kind = EVH_HANDLER,
				    .process = rig_note,
				    .match = { (char *)"user.*" } };
	struct rig_element out = { .name = "out", .kind = EVH_SINK };

	(void)state;
	rig_add(rig, &src);
	rig_add(rig, &look);
	rig_add(rig, &out);
	rig_pipeline(rig, (struct config_pipeline){
				  .chain = LIST("src", "look", "out") });
	rig_start(rig);
	rig_emit_named(&src, 1, "user.created");
	rig_emit_named(&src, 2, "order.created");
	assert_int_equal(look.n_seen, 1);
	assert_int_equal(look.cookies[0], 1);
	assert_int_equal(out.n_seen, 2);
	rig_free(rig);
}

static enum evh_result
say_nothing(struct rig_element *el, struct evh_event *ev)
{
	(void)el;
	(void)ev;
	return (enum evh_result)0;
}

static void
no_verdict_counts_as_failed(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, say_nothing, 1);
	rig_start(b.rig);
	rig_emit(&b.src, 1, NULL, 0);
	rig_await_heard(&b.src, 1);
	assert_int_equal(b.dead.n_seen, 1);
	rig_free(b.rig);
}

static void
a_resume_of_what_it_does_not_hold_is_ignored(void **state)
{
	struct bench b;
	struct evh_event *held;

	(void)state;
	bench_open(&b, hold_ones, 1);
	b.out.submit = rig_keep;
	rig_start(b.rig);
	rig_emit(&b.src, 1, NULL, 0);
	rig_await_held(&b.look, 1);
	held = b.look.held[0];
	b.look.ctx->resume(b.look.ctx, held, EVH_OK);
	rig_await_held(&b.out, 1);
	b.look.ctx->resume(b.look.ctx, held, EVH_FAIL);
	assert_int_equal(b.out.n_held, 1);
	rig_answer(&b.out, 1, EVH_OK);
	assert_int_equal(b.src.results[0], EVH_OK);
	b.look.ctx->resume(b.look.ctx, held, EVH_OK);
	rig_free(b.rig);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_retry_that_never_ends_fails_after_the_last_attempt),
		cmocka_unit_test(without_workers_a_retry_goes_on_by_the_pump),
		cmocka_unit_test(what_a_handler_drops_goes_to_on_drop),
		cmocka_unit_test(
			a_handler_that_is_not_ready_is_asked_later_and_costs_no_attempt),
		cmocka_unit_test(
			a_retry_of_one_that_is_not_ready_waits_until_it_is),
		cmocka_unit_test(
			what_is_held_waits_for_resume_and_its_key_behind_it),
		cmocka_unit_test(
			a_resume_may_come_before_process_has_said_hold),
		cmocka_unit_test(
			children_go_behind_their_parent_and_it_is_done_after_them),
		cmocka_unit_test(
			a_child_that_fails_and_is_kept_leaves_its_parent_ok),
		cmocka_unit_test(what_does_not_match_a_handler_passes_it_by),
		cmocka_unit_test(no_verdict_counts_as_failed),
		cmocka_unit_test(a_resume_of_what_it_does_not_hold_is_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

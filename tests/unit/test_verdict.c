/*
 * test_verdict.c - what a try leaves behind, and what it must not touch.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "event.h"
#include "instance.h"
#include "pipeline.h"
#include "rig.h"

#define LIST(...) ((char *[]){ __VA_ARGS__, NULL })

/* Two handlers, a sink, a sink for what failed. */
struct bench {
	struct rig *rig;
	struct rig_element src, one, two, out, dead;
};

typedef enum evh_result process_fn(struct rig_element *, struct evh_event *);

static void
bench_open(struct bench *b, process_fn *one, process_fn *two)
{
	*b = (struct bench){ .rig = rig_new() };
	b->src = (struct rig_element){ .name = "src", .kind = EVH_SOURCE };
	b->one = (struct rig_element){ .name = "one",
				       .kind = EVH_HANDLER,
				       .process = one };
	b->two = (struct rig_element){ .name = "two",
				       .kind = EVH_HANDLER,
				       .process = two };
	b->out = (struct rig_element){ .name = "out",
				       .kind = EVH_SINK,
				       .submit = rig_keep };
	b->dead = (struct rig_element){ .name = "dead",
					.kind = EVH_SINK,
					.submit = rig_keep };
	rig_add(b->rig, &b->src);
	rig_add(b->rig, &b->one);
	rig_add(b->rig, &b->two);
	rig_add(b->rig, &b->out);
	rig_add(b->rig, &b->dead);
	rig_pipeline(b->rig, (struct config_pipeline){
				     .chain = LIST("src", "one", "two", "out"),
				     .on_fail = LIST("dead"),
				     .workers = 1 });
	rig_start(b->rig);
}

static enum evh_result
retry_once(struct rig_element *el, struct evh_event *ev)
{
	(void)rig_note(el, ev);
	return ev->attempt == 1 ? EVH_RETRY : EVH_OK;
}

static enum evh_result
refuse(struct rig_element *el, struct evh_event *ev)
{
	(void)rig_note(el, ev);
	return EVH_FAIL;
}

/* An event whose source has second thoughts before it emits it. */
static void
emit_changed(struct bench *b)
{
	struct evh_ctx *ctx = b->src.ctx;
	struct evh_spec spec = { .name = "x", .data = { "{\"v\":1}", 7 } };
	struct evh_event *ev = ctx->event_new(ctx, &spec, NULL);

	assert_non_null(ev);
	assert_int_equal(
		ctx->set_data(ctx, ev, (struct evh_bytes){ "{\"v\":2}", 7 }),
		0);
	assert_int_equal(ctx->set_header(ctx, ev, "h", "v"), 0);
	assert_int_equal(ctx->emit(ctx, &ev, 1, 0), 1);
}

static void
what_a_source_sets_before_emit_is_there_after_a_retry(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, retry_once, rig_note);
	emit_changed(&b);
	rig_await_held(&b.out, 1);
	assert_memory_equal(b.out.held[0]->data.data, "{\"v\":2}", 7);
	assert_int_equal(b.out.held[0]->n_headers, 1);
	rig_answer(&b.out, 1, EVH_OK);
	rig_free(b.rig);
}

static void
what_a_source_sets_before_emit_is_what_on_fail_keeps(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, refuse, rig_note);
	emit_changed(&b);
	rig_await_held(&b.dead, 1);
	assert_memory_equal(b.dead.held[0]->data.data, "{\"v\":2}", 7);
	assert_int_equal(b.dead.held[0]->n_headers, 1);
	rig_answer(&b.dead, 1, EVH_OK);
	rig_free(b.rig);
}

static enum evh_result
make_changed_child(struct rig_element *el, struct evh_event *ev)
{
	struct evh_ctx *ctx = el->ctx;
	struct evh_spec spec = { .name = "child", .data = { "{\"v\":1}", 7 } };
	struct evh_event *child = ctx->event_new(ctx, &spec, ev);

	assert_non_null(child);
	assert_int_equal(
		ctx->set_data(ctx, child, (struct evh_bytes){ "{\"v\":2}", 7 }),
		0);
	assert_int_equal(ctx->emit(ctx, &child, 1, 0), 1);
	return EVH_OK;
}

static void
what_a_handler_sets_in_its_child_is_there_after_a_retry(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, make_changed_child, retry_once);
	rig_emit(&b.src, 1, NULL, 0);
	rig_await_held(&b.out, 2);
	for (int i = 0; i < 2; i++)
		if (strcmp(b.out.held[i]->name, "child") == 0)
			assert_memory_equal(b.out.held[i]->data.data,
					    "{\"v\":2}", 7);
	rig_answer(&b.out, 2, EVH_OK);
	rig_free(b.rig);
}

static enum evh_result
free_it(struct rig_element *el, struct evh_event *ev)
{
	el->ctx->event_free(el->ctx, &ev, 1);
	return EVH_OK;
}

static void
a_handler_cannot_free_the_event_that_it_looks_at(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, free_it, rig_note);
	rig_emit(&b.src, 7, NULL, 0);
	rig_await_held(&b.out, 1);
	assert_true(event_is_live((struct event *)b.out.held[0]));
	rig_answer(&b.out, 1, EVH_OK);
	rig_await_heard(&b.src, 1);
	assert_int_equal(b.src.heard[0], 7);
	rig_free(b.rig);
}

static enum evh_result
free_a_child(struct rig_element *el, struct evh_event *ev)
{
	struct evh_spec spec = { .name = "child", .data = { "{}", 2 } };
	struct evh_event *child = el->ctx->event_new(el->ctx, &spec, ev);

	assert_non_null(child);
	el->ctx->event_free(el->ctx, &child, 1);
	return EVH_OK;
}

static void
a_handler_takes_back_the_child_that_it_does_not_want(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, free_a_child, rig_note);
	rig_emit(&b.src, 7, NULL, 0);
	rig_await_held(&b.out, 1);
	rig_answer(&b.out, 1, EVH_OK);
	rig_free(b.rig); /* sees a leak */
}

static enum evh_result
resume_and_go_on(struct rig_element *el, struct evh_event *ev)
{
	struct evh_ctx *ctx = el->ctx;
	struct evh_spec spec = { .name = "child", .data = { "{}", 2 } };

	ctx->resume(ctx, ev, EVH_OK);
	assert_int_equal(ctx->set_data(ctx, ev, (struct evh_bytes){ "1", 1 }),
			 -EPERM);
	assert_null(ctx->event_new(ctx, &spec, ev));
	return EVH_HOLD;
}

static void
after_resume_a_handler_has_no_more_say(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, resume_and_go_on, rig_note);
	rig_emit(&b.src, 7, NULL, 0);
	rig_await_held(&b.out, 1);
	assert_memory_equal(b.out.held[0]->data.data, "{}", 2);
	rig_answer(&b.out, 1, EVH_OK);
	rig_free(b.rig);
}

static enum evh_result
stumble_once(struct rig_element *el, struct evh_event *ev)
{
	if (ev->attempt > 1)
		return EVH_OK;
	el->ctx->set_error(el->ctx, ev, "timeout", "the mail server is slow");
	return EVH_RETRY;
}

static void
the_error_of_a_try_that_was_made_good_is_forgotten(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, stumble_once, refuse);
	rig_emit(&b.src, 7, NULL, 0);
	rig_await_held(&b.dead, 1);
	assert_null(strstr(b.dead.held[0]->error, "mail server"));
	assert_non_null(strstr(b.dead.held[0]->error, "\"type\":\"handler\""));
	rig_answer(&b.dead, 1, EVH_OK);
	rig_free(b.rig);
}

static void
the_error_of_the_last_try_is_kept(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, stumble_once, rig_note);
	b.one.in->attempts = 1;
	rig_emit(&b.src, 7, NULL, 0);
	rig_await_held(&b.dead, 1);
	assert_non_null(strstr(b.dead.held[0]->error,
			       "\"type\":\"timeout\",\"message\":"
			       "\"the mail server is slow\""));
	rig_answer(&b.dead, 1, EVH_OK);
	rig_free(b.rig);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			what_a_source_sets_before_emit_is_there_after_a_retry),
		cmocka_unit_test(
			what_a_source_sets_before_emit_is_what_on_fail_keeps),
		cmocka_unit_test(
			what_a_handler_sets_in_its_child_is_there_after_a_retry),
		cmocka_unit_test(
			the_error_of_a_try_that_was_made_good_is_forgotten),
		cmocka_unit_test(the_error_of_the_last_try_is_kept),
		cmocka_unit_test(
			a_handler_takes_back_the_child_that_it_does_not_want),
		cmocka_unit_test(after_resume_a_handler_has_no_more_say),
		cmocka_unit_test(
			a_handler_cannot_free_the_event_that_it_looks_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

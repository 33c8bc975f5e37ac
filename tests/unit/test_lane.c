/*
 * test_lane.c - events of one key stay in their order, whichever way each of
 * them takes from one element to the next.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pipeline.h"
#include "rig.h"
#include "timer.h"

#define LIST(...) ((char *[]){ __VA_ARGS__, NULL })
#define N	  3

/* A source, an element under test, and a handler that notes who comes. */
struct bench {
	struct rig *rig;
	struct pipeline *pipeline;
	struct rig_element src, first, second;
};

static void
bench_open(struct bench *b, struct rig_element first,
	   struct config_pipeline config)
{
	*b = (struct bench){ .rig = rig_new() };
	b->src = (struct rig_element){ .name = "src", .kind = EVH_SOURCE };
	b->first = first;
	b->first.name = "first";
	b->second = (struct rig_element){ .name = "second",
					  .kind = EVH_HANDLER,
					  .process = rig_note };
	rig_add(b->rig, &b->src);
	rig_add(b->rig, &b->first);
	rig_add(b->rig, &b->second);
	config.chain = LIST("src", "first", "second");
	b->pipeline = rig_pipeline(b->rig, config);
}

static void
assert_in_order(struct bench *b)
{
	rig_await_heard(&b->src, N);
	for (unsigned i = 0; i < N; i++)
		assert_int_equal(b->second.cookies[i], i);
	rig_free(b->rig);
}

/* The last one is resumed before process() has returned. */
static enum evh_result
resume_last(struct rig_element *el, struct evh_event *ev)
{
	if (ev->cookie < N - 1)
		return EVH_OK;
	el->ctx->resume(el->ctx, ev, EVH_OK);
	return EVH_HOLD;
}

static void
who_is_held_and_resumed_does_not_overtake_those_that_went_on(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b,
		   (struct rig_element){ .kind = EVH_HANDLER,
					 .process = resume_last },
		   (struct config_pipeline){ .workers = 0 });
	rig_start(b.rig);
	rig_emit_many(&b.src, 0, N, "k");
	assert_in_order(&b);
}

/* OK to the first, which goes on by its worker; RETRY to the others. */
static int
retry_all_but_first(struct rig_element *el, struct evh_event *const *evs, int n)
{
	el->ctx->done(el->ctx, evs, 1, EVH_OK);
	el->ctx->done(el->ctx, evs + 1, n - 1, EVH_RETRY);
	return n;
}

static void
whom_an_optional_sink_refuses_does_not_overtake_whom_it_has_taken(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b,
		   (struct rig_element){ .kind = EVH_SINK,
					 .submit = retry_all_but_first },
		   (struct config_pipeline){ .optional = LIST("first") });
	rig_start(b.rig);
	rig_emit_many(&b.src, 0, N, "k");
	assert_in_order(&b);
}

static int
refuse_first(struct rig_element *el, struct evh_event *const *evs, int n)
{
	if (evs[0]->cookie == 0)
		return -EAGAIN;
	el->ctx->done(el->ctx, evs, n, EVH_OK);
	return n;
}

static void
whom_an_optional_sink_takes_does_not_overtake_whom_it_has_refused(void **state)
{
	struct rig_element out = { .name = "out", .kind = EVH_SINK };
	struct bench b;

	(void)state;
	bench_open(&b,
		   (struct rig_element){ .kind = EVH_SINK,
					 .submit = refuse_first },
		   (struct config_pipeline){ .optional = LIST("first") });
	/* With two pipelines, each event is offered by itself. */
	rig_add(b.rig, &out);
	rig_pipeline(b.rig,
		     (struct config_pipeline){ .name = (char *)"other",
					       .chain = LIST("src", "out") });
	rig_start(b.rig);
	rig_emit_many(&b.src, 0, N, "k");
	assert_in_order(&b);
}

/* Holds the first; the second takes longer than a worker's pass may. */
static enum evh_result
hold_then_be_slow(struct rig_element *el, struct evh_event *ev)
{
	int64_t until_ns = timer_now_ns() + 20000000;
	struct evh_event *evs[] = { ev };

	if (ev->cookie == 0) {
		rig_keep(el, evs, 1);
		return EVH_HOLD;
	}
	while (ev->cookie == 1 && timer_now_ns() < until_ns)
		;
	return EVH_OK;
}

static void
who_waited_behind_a_slow_one_does_not_overtake_it(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b,
		   (struct rig_element){ .kind = EVH_HANDLER,
					 .process = hold_then_be_slow },
		   (struct config_pipeline){ .workers = 1 });
	rig_start(b.rig);
	rig_emit_many(&b.src, 0, N, "k");
	rig_await_held(&b.first, 1);
	rig_answer_held(&b.first, EVH_OK);
	assert_in_order(&b);
}

static int
refuse_all_but_first(struct rig_element *el, struct evh_event *const *evs,
		     int n)
{
	el->ctx->done(el->ctx, evs, 1, EVH_OK);
	el->ctx->done(el->ctx, evs + 1, n - 1, EVH_FAIL);
	return n;
}

static void
whom_an_on_fail_sink_refuses_does_not_overtake_whom_it_keeps(void **state)
{
	struct rig_element src = { .name = "src", .kind = EVH_SOURCE };
	struct rig_element fails = { .name = "fails",
				     .kind = EVH_HANDLER,
				     .process = rig_note,
				     .limit = EVH_FAIL };
	struct rig_element out = { .name = "out",
				   .kind = EVH_SINK,
				   .submit = refuse_all_but_first };
	struct rig_element last = { .name = "last",
				    .kind = EVH_SINK,
				    .threads = EVH_SERIAL };
	struct rig *rig = rig_new();

	(void)state;
	rig_add(rig, &src);
	rig_add(rig, &fails);
	rig_add(rig, &out);
	rig_add(rig, &last);
	rig_pipeline(rig,
		     (struct config_pipeline){ .chain = LIST("src", "fails"),
					       .on_fail = LIST("out", "last"),
					       .workers = 1 });
	rig_start(rig);
	rig_emit_many(&src, 0, N, "k");
	rig_await_heard(&src, N);
	for (unsigned i = 0; i < N; i++)
		assert_int_equal(last.cookies[i], i);
	rig_free(rig);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			who_is_held_and_resumed_does_not_overtake_those_that_went_on),
		cmocka_unit_test(
			whom_an_optional_sink_refuses_does_not_overtake_whom_it_has_taken),
		cmocka_unit_test(
			whom_an_optional_sink_takes_does_not_overtake_whom_it_has_refused),
		cmocka_unit_test(
			who_waited_behind_a_slow_one_does_not_overtake_it),
		cmocka_unit_test(
			whom_an_on_fail_sink_refuses_does_not_overtake_whom_it_keeps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

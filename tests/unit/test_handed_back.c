/*
 * test_handed_back.c - at a stop a sink hands an event back: those behind it in
 * its lane go back as well, and nobody loses what others have had.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pipeline.h"
#include "rig.h"

#define LIST(...) ((char *[]){ __VA_ARGS__, NULL })

/* More than a sink is shown at once, and what a source may emit at once. */
#define MANY 500

/* A source, a handler, a sink that keeps all until the test answers, and one
 * that may be optional. */
struct bench {
	struct rig *rig;
	struct pipeline *pipeline;
	struct rig_element src, handler, kept, row;
};

/* Holds the event of cookie 1, and nobody else. */
static enum evh_result
hold_second(struct rig_element *el, struct evh_event *ev)
{
	if (ev->cookie != 1)
		return EVH_OK;
	rig_keep(el, (struct evh_event *[]){ ev }, 1);
	return EVH_HOLD;
}

static void
bench_open(struct bench *b,
	   int (*submit)(struct rig_element *el, struct evh_event *const *evs,
			 int n),
	   enum evh_result (*process)(struct rig_element *el,
				      struct evh_event *ev),
	   char **optional)
{
	*b = (struct bench){ .rig = rig_new() };
	b->src = (struct rig_element){ .name = "src", .kind = EVH_SOURCE };
	b->handler = (struct rig_element){ .name = "handler",
					   .kind = EVH_HANDLER,
					   .process = process };
	b->kept = (struct rig_element){ .name = "kept",
					.kind = EVH_SINK,
					.submit = submit };
	b->row = (struct rig_element){ .name = "row", .kind = EVH_SINK };
	rig_add(b->rig, &b->src);
	rig_add(b->rig, &b->handler);
	rig_add(b->rig, &b->kept);
	rig_add(b->rig, &b->row);
	b->pipeline = rig_pipeline(
		b->rig, (struct config_pipeline){
				.workers = 1,
				.chain = LIST("src", "handler", "kept", "row"),
				.optional = optional });
	rig_start(b->rig);
}

/* Evhd stops, and the sink has no use for the foremost. */
static int
stop_and_retry_first(struct rig_element *el, struct evh_event *const *evs,
		     int n)
{
	struct bench *b =
		(struct bench *)((char *)el - offsetof(struct bench, kept));

	for (int i = 0; i < n; i++)
		el->cookies[el->n_seen++] = evs[i]->cookie;
	if (evs[0]->cookie > 0) {
		el->ctx->done(el->ctx, evs, n, EVH_OK);
		return n;
	}
	pipeline_give_up(b->pipeline);
	el->ctx->done(el->ctx, evs, 1, EVH_RETRY);
	el->ctx->done(el->ctx, evs + 1, n - 1, EVH_OK);
	return n;
}

/* It was at its handler meanwhile, and comes straight to the sink. */
static void
who_comes_behind_it_is_not_shown_to_the_sink(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, rig_keep, hold_second, NULL);
	rig_emit_many(&b.src, 0, 2, "k");
	rig_await_held(&b.kept, 1);
	rig_await_held(&b.handler, 1);
	pipeline_give_up(b.pipeline);
	rig_answer(&b.kept, 1, EVH_RETRY);
	rig_answer_held(&b.handler, EVH_OK);
	rig_await_heard(&b.src, 2);
	assert_int_equal(b.src.results[0], EVH_RETRY);
	assert_int_equal(b.src.results[1], EVH_RETRY);
	assert_int_equal(b.kept.n_seen, 1);
	rig_free(b.rig);
}

/* What a sink has answered OK is not answered RETRY by one that may be away:
 * somebody would be told that it was refused. */
static void
who_lacks_only_an_optional_sink_goes_on(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, rig_keep, rig_note, LIST("row"));
	rig_emit_many(&b.src, 0, 2, "k");
	rig_await_held(&b.kept, 2);
	pipeline_give_up(b.pipeline);
	rig_answer(&b.kept, 1, EVH_RETRY);
	rig_answer(&b.kept, 1, EVH_OK);
	rig_await_heard(&b.src, 2);
	assert_int_equal(b.src.results[0], EVH_RETRY);
	assert_int_equal(b.src.results[1], EVH_OK);
	assert_int_equal(b.row.n_seen, 1);
	rig_free(b.rig);
}

/* All of it was on its way to the sink already, in several calls. */
static void
who_was_to_be_shown_to_the_sink_next_is_not(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, stop_and_retry_first, rig_note, NULL);
	assert_int_equal(rig_emit_many(&b.src, 0, MANY, "k"), MANY);
	rig_await_heard(&b.src, MANY);
	assert_in_range(b.kept.n_seen, 1, MANY - 1);
	/* Nor are those that it has taken to the next sink, before the first.
	 */
	assert_int_equal(b.row.n_seen, 0);
	rig_free(b.rig);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_comes_behind_it_is_not_shown_to_the_sink),
		cmocka_unit_test(who_was_to_be_shown_to_the_sink_next_is_not),
		cmocka_unit_test(who_lacks_only_an_optional_sink_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

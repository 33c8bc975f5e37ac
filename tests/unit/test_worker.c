/*
 * test_worker.c - what a pipeline's threads do in which order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "instance.h"
#include "pipeline.h"
#include "rig.h"
#include "timer.h"

#define LIST(...) ((char *[]){ __VA_ARGS__, NULL })

struct bench {
	struct rig *rig;
	struct pipeline *pipeline;
	struct rig_element src, look, out, more;
	pthread_mutex_t lock; /* guards: the rest */
	pthread_cond_t changed;
	bool is_open; /* who waits at the gate may go on */
	int n_waiting;
	int n_slow;
};

/* Where the functions of the elements find it. */
static struct bench *bench;

static void
gate_wait(void)
{
	pthread_mutex_lock(&bench->lock);
	bench->n_waiting++;
	pthread_cond_broadcast(&bench->changed);
	while (!bench->is_open)
		pthread_cond_wait(&bench->changed, &bench->lock);
	pthread_mutex_unlock(&bench->lock);
}

static void
gate_open(void)
{
	pthread_mutex_lock(&bench->lock);
	bench->is_open = true;
	pthread_cond_broadcast(&bench->changed);
	pthread_mutex_unlock(&bench->lock);
}

static void
gate_await(void)
{
	pthread_mutex_lock(&bench->lock);
	while (bench->n_waiting == 0)
		pthread_cond_wait(&bench->changed, &bench->lock);
	pthread_mutex_unlock(&bench->lock);
}

static void
bench_open(struct bench *b,
	   enum evh_result (*process)(struct rig_element *, struct evh_event *),
	   int (*submit)(struct rig_element *, struct evh_event *const *, int),
	   struct config_pipeline config)
{
	*b = (struct bench){ .rig = rig_new() };
	bench = b;
	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->changed, NULL);
	b->src = (struct rig_element){ .name = "src", .kind = EVH_SOURCE };
	b->look = (struct rig_element){ .name = "look",
					.kind = EVH_HANDLER,
					.process = process };
	b->out = (struct rig_element){ .name = "out",
				       .kind = EVH_SINK,
				       .submit = submit };
	b->more = (struct rig_element){ .name = "more", .kind = EVH_SINK };
	rig_add(b->rig, &b->src);
	rig_add(b->rig, &b->look);
	rig_add(b->rig, &b->out);
	rig_add(b->rig, &b->more);
	config.chain = LIST("src", "look", "out", "more");
	b->pipeline = rig_pipeline(b->rig, config);
}

static void
bench_close(struct bench *b)
{
	rig_free(b->rig);
	pthread_mutex_destroy(&b->lock);
	pthread_cond_destroy(&b->changed);
}

static int
emit_named(struct bench *b, uintptr_t cookie, const char *name)
{
	struct evh_spec spec = { .name = name,
				 .data = { "{}", 2 },
				 .key = { "k", 1 },
				 .cookie = cookie };

	return rig_emit_spec(&b->src, &spec);
}

static void
spin_ms(int ms)
{
	int64_t until_ns = timer_now_ns() + (int64_t)ms * 1000000;

	while (timer_now_ns() < until_ns)
		;
}

/* The first stands; the others are so slow that the pass is cut. */
static enum evh_result
stand_then_be_slow(struct rig_element *el, struct evh_event *ev)
{
	if (ev->cookie == 0 && ev->attempt == 1) {
		gate_wait();
		return EVH_RETRY;
	}
	(void)rig_note(el, ev);
	spin_ms(20);
	return EVH_OK;
}

static void
who_waited_behind_a_slow_one_passes_a_handler_of_other_names(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, stand_then_be_slow, NULL,
		   (struct config_pipeline){ .workers = 1 });
	b.look.in->match = realloc(b.look.in->match, 2 * sizeof(char *));
	assert_non_null(b.look.in->match);
	b.look.in->match[0] = strdup("a.*");
	b.look.in->match[1] = NULL;
	rig_start(b.rig);
	emit_named(&b, 0, "a.x");
	gate_await();
	emit_named(&b, 1, "a.x");
	emit_named(&b, 2, "b.x");
	emit_named(&b, 3, "b.x");
	gate_open();
	rig_await_heard(&b.src, 4);
	assert_int_equal(b.look.n_seen, 2);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(b.out.cookies[i], i);
	bench_close(&b);
}

static enum evh_result
retry_the_first(struct rig_element *el, struct evh_event *ev)
{
	(void)el;
	return ev->cookie == 0 && ev->attempt == 1 ? EVH_RETRY : EVH_OK;
}

static int
stop_at_the_first(struct rig_element *el, struct evh_event *const *evs, int n)
{
	if (evs[0]->cookie == 0)
		gate_wait();
	pthread_mutex_lock(&el->lock);
	for (int i = 0; i < n; i++)
		el->cookies[el->n_seen++] = evs[i]->cookie;
	pthread_mutex_unlock(&el->lock);
	el->ctx->done(el->ctx, evs, n, EVH_OK);
	return n;
}

static void
without_workers_nothing_overtakes_what_the_pump_hands_over(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, retry_the_first, stop_at_the_first,
		   (struct config_pipeline){ .workers = 0 });
	rig_start(b.rig);
	emit_named(&b, 0, "a");
	gate_await(); /* the pump is in submit() with it */
	emit_named(&b, 1, "a");
	assert_int_equal(b.out.n_seen, 0);
	gate_open();
	rig_await_heard(&b.src, 2);
	assert_int_equal(b.out.cookies[0], 0);
	assert_int_equal(b.more.cookies[0], 0);
	/* And afterwards the pump is out of the way again. */
	assert_int_equal(atomic_load(&b.pipeline->n_diverted), 0);
	bench_close(&b);
}

static enum evh_result
wait_at_the_first(struct rig_element *el, struct evh_event *ev)
{
	(void)el;
	if (ev->cookie == 0)
		gate_wait();
	return EVH_OK;
}

static void
who_comes_to_an_absent_handler_at_shutdown_hears_retry_at_once(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, wait_at_the_first, NULL,
		   (struct config_pipeline){ .workers = 1,
					     .backoff_max_ms = 600000 });
	rig_start(b.rig);
	emit_named(&b, 0, "a");
	gate_await();
	emit_named(&b, 1, "a");
	b.look.ctx->ready(b.look.ctx, "its server is away");
	pipeline_give_up(b.pipeline);
	gate_open();
	rig_await_heard(&b.src, 2);
	assert_int_equal(b.src.results[0], EVH_OK);
	assert_int_equal(b.src.results[1], EVH_RETRY);
	bench_close(&b);
}

static enum evh_result
retry_always(struct rig_element *el, struct evh_event *ev)
{
	(void)rig_note(el, ev);
	return EVH_RETRY;
}

static void
who_stands_in_back_off_hears_retry_at_shutdown_at_once(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, retry_always, NULL,
		   (struct config_pipeline){ .workers = 1,
					     .attempts = 9,
					     .backoff_ms = 600000,
					     .backoff_max_ms = 600000 });
	rig_start(b.rig);
	emit_named(&b, 0, "a");
	rig_await_standing(b.pipeline);
	pipeline_give_up(b.pipeline);
	rig_await_heard(&b.src, 1);
	assert_int_equal(b.src.results[0], EVH_RETRY);
	assert_int_equal(b.look.n_seen, 1);
	bench_close(&b);
}

static void
who_follows_what_is_handed_back_at_shutdown_is_handed_back_too(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, retry_the_first, NULL,
		   (struct config_pipeline){ .workers = 1,
					     .backoff_ms = 600000,
					     .backoff_max_ms = 600000 });
	rig_start(b.rig);
	emit_named(&b, 0, "a");
	rig_await_standing(b.pipeline);
	emit_named(&b, 1, "a");
	pipeline_give_up(b.pipeline);
	rig_await_heard(&b.src, 2);
	assert_int_equal(b.src.results[0], EVH_RETRY);
	assert_int_equal(b.src.results[1], EVH_RETRY);
	assert_int_equal(b.out.n_seen, 0);
	bench_close(&b);
}

static void
who_stands_beyond_the_deadline_is_not_tried_again(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, retry_always, NULL,
		   (struct config_pipeline){ .workers = 1,
					     .attempts = 9,
					     .deadline_ms = 50,
					     .backoff_ms = 600000,
					     .backoff_max_ms = 600000 });
	rig_start(b.rig);
	emit_named(&b, 0, "a");
	rig_await_heard(&b.src, 1);
	assert_int_equal(b.src.results[0], EVH_RETRY);
	assert_int_equal(b.look.n_seen, 1);
	bench_close(&b);
}

static enum evh_result
go_away_at_first(struct rig_element *el, struct evh_event *ev)
{
	(void)rig_note(el, ev);
	if (el->n_seen > 1)
		return EVH_OK;
	el->ctx->ready(el->ctx, "its server is away");
	return EVH_RETRY;
}

/* While the first stands in back-off, the second finds that the server is
 * away. */
static enum evh_result
retry_then_go_away(struct rig_element *el, struct evh_event *ev)
{
	(void)rig_note(el, ev);
	if (ev->cookie == 0) {
		gate_wait();
		return EVH_RETRY;
	}
	el->ctx->ready(el->ctx, "its server is away");
	return EVH_OK;
}

static void
who_stands_in_back_off_is_not_shown_to_an_absent_handler(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, retry_then_go_away, NULL,
		   (struct config_pipeline){ .workers = 1,
					     .attempts = 9,
					     .deadline_ms = 1500,
					     .backoff_ms = 500,
					     .backoff_max_ms = 500 });
	rig_start(b.rig);
	emit_named(&b, 0, "a");
	gate_await();
	rig_emit(&b.src, 1, "another", 0);
	gate_open();
	rig_await_heard(&b.src, 2);
	assert_int_equal(b.src.results[1], EVH_RETRY);
	assert_int_equal(b.look.n_seen, 2);
	bench_close(&b);
}

static void
who_awaits_a_handler_goes_on_when_it_is_ready(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, go_away_at_first, NULL,
		   (struct config_pipeline){ .workers = 1,
					     .attempts = 1,
					     .backoff_ms = 600000,
					     .backoff_max_ms = 600000 });
	rig_start(b.rig);
	emit_named(&b, 0, "a");
	rig_await_standing(b.pipeline);
	assert_int_equal(b.look.n_seen, 1);
	b.look.ctx->ready(b.look.ctx, NULL);
	rig_await_heard(&b.src, 1);
	assert_int_equal(b.src.results[0], EVH_OK);
	bench_close(&b);
}

/* All stand; when they are tried again, each takes its time. */
static enum evh_result
retry_all_then_be_slow(struct rig_element *el, struct evh_event *ev)
{
	(void)rig_note(el, ev);
	if (ev->attempt == 1)
		return EVH_RETRY;
	if (ev->cookie > 0)
		spin_ms(15);
	pthread_mutex_lock(&bench->lock);
	bench->n_slow++;
	pthread_mutex_unlock(&bench->lock);
	return EVH_OK;
}

static int
note_how_many(struct rig_element *el, struct evh_event *const *evs, int n)
{
	pthread_mutex_lock(&bench->lock);
	if (el->limit == 0)
		el->limit = bench->n_slow;
	pthread_mutex_unlock(&bench->lock);
	el->ctx->done(el->ctx, evs, n, EVH_OK);
	return n;
}

static void
many_lanes_that_are_due_do_not_hold_up_the_first_of_them(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, retry_all_then_be_slow, note_how_many,
		   (struct config_pipeline){ .workers = 1,
					     .backoff_ms = 100,
					     .backoff_max_ms = 100 });
	rig_start(b.rig);
	rig_emit_many(&b.src, 0, 20, NULL);
	rig_await_seen(&b.look, 20);
	pipeline_poke(b.pipeline);
	rig_await_heard(&b.src, 20);
	assert_in_range(b.out.limit, 1, 10);
	bench_close(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			who_waited_behind_a_slow_one_passes_a_handler_of_other_names),
		cmocka_unit_test(
			without_workers_nothing_overtakes_what_the_pump_hands_over),
		cmocka_unit_test(
			who_comes_to_an_absent_handler_at_shutdown_hears_retry_at_once),
		cmocka_unit_test(
			who_stands_in_back_off_hears_retry_at_shutdown_at_once),
		cmocka_unit_test(
			who_follows_what_is_handed_back_at_shutdown_is_handed_back_too),
		cmocka_unit_test(
			who_stands_beyond_the_deadline_is_not_tried_again),
		cmocka_unit_test(
			who_stands_in_back_off_is_not_shown_to_an_absent_handler),
		cmocka_unit_test(who_awaits_a_handler_goes_on_when_it_is_ready),
		cmocka_unit_test(
			many_lanes_that_are_due_do_not_hold_up_the_first_of_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_instance.c - what an instance says of itself.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <evh/services.h>
#include <jansson.h>

#include "host_tables.h"
#include "instance.h"
#include "rig.h"

#define LIST(...) ((char *[]){ __VA_ARGS__, NULL })

struct bench {
	struct rig *rig;
	struct rig_element src, out;
};

static void
bench_open(struct bench *b)
{
	*b = (struct bench){ .rig = rig_new() };
	b->src = (struct rig_element){ .name = "src", .kind = EVH_SOURCE };
	b->out = (struct rig_element){ .name = "out", .kind = EVH_SINK };
	rig_add(b->rig, &b->src);
	rig_add(b->rig, &b->out);
	rig_pipeline(b->rig,
		     (struct config_pipeline){ .chain = LIST("src", "out") });
	rig_start(b->rig);
}

static void
text_put(void *arg, const char *text, size_t len)
{
	json_t **ret = arg;

	*ret = json_loadb(text, len, 0, NULL);
}

/* What the host says that keeps the sink from being ready. */
static char *
why_of(struct bench *b)
{
	const struct evh_host *host =
		b->src.ctx->service(b->src.ctx, NULL, EVH_HOST_1);
	json_t *json = NULL;
	const char *why;
	char *copy;

	assert_int_equal(host->state(host->self, text_put, &json), -EAGAIN);
	assert_non_null(json);
	why = json_string_value(
		json_object_get(json_object_get(json, "checks"), "out"));
	assert_non_null(why);
	copy = strdup(why);
	json_decref(json);
	return copy;
}

static void
a_reason_in_another_encoding_is_told_all_the_same(void **state)
{
	struct bench b;
	char *why;

	(void)state;
	bench_open(&b);
	b.out.ctx->ready(b.out.ctx, "Verbindung unm\xf6glich");
	why = why_of(&b);
	assert_string_equal(why, "Verbindung unm\xef\xbf\xbdglich");
	free(why);
	rig_free(b.rig);
}

static void
a_long_reason_is_cut_between_characters(void **state)
{
	char text[900];
	struct bench b;
	char *why;

	(void)state;
	for (size_t i = 0; i < sizeof(text) - 1; i++)
		text[i] = i % 2 ? '\xa4' : '\xc3';
	text[sizeof(text) - 1] = '\0';
	bench_open(&b);
	b.out.ctx->ready(b.out.ctx, text);
	why = why_of(&b);
	assert_int_equal(strlen(why), 510);
	assert_memory_equal(why, text, 510);
	free(why);
	rig_free(b.rig);
}

#define TURNS 5000

struct speaker {
	struct rig_element *el;
	atomic_int turn; /* may speak, */
	atomic_int said; /* has spoken */
};

static void *
say_not_ready(void *arg)
{
	struct speaker *s = arg;

	for (int i = 1; i <= TURNS; i++) {
		while (atomic_load(&s->turn) < i)
			sched_yield();
		for (atomic_int j = 0; j < i % 300; j++)
			;
		s->el->ctx->ready(s->el->ctx, "away");
		atomic_store(&s->said, i);
	}
	return NULL;
}

/* A thread that start() has made may speak before start() has returned, and
 * what it says is not taken for an old word. */
static void
who_speaks_while_it_starts_is_heard(void **state)
{
	struct speaker s = { 0 };
	pthread_t thread;
	struct bench b;

	(void)state;
	bench_open(&b);
	s.el = &b.out;
	assert_int_equal(pthread_create(&thread, NULL, say_not_ready, &s), 0);
	for (int i = 1; i <= TURNS; i++) {
		pthread_mutex_lock(&b.out.in->lock);
		b.out.in->has_spoken = false;
		pthread_mutex_unlock(&b.out.in->lock);
		atomic_store(&s.turn, i);
		assert_int_equal(instance_start(b.out.in), 0);
		while (atomic_load(&s.said) < i)
			sched_yield();
		assert_false(atomic_load(&b.out.in->is_ready));
	}
	pthread_join(thread, NULL);
	rig_free(b.rig);
}

static void
who_says_nothing_is_ready_when_it_has_started(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b);
	assert_true(atomic_load(&b.out.in->is_ready));
	assert_true(host_is_ready(b.out.in->host));
	rig_free(b.rig);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_says_nothing_is_ready_when_it_has_started),
		cmocka_unit_test(who_speaks_while_it_starts_is_heard),
		cmocka_unit_test(
			a_reason_in_another_encoding_is_told_all_the_same),
		cmocka_unit_test(a_long_reason_is_cut_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

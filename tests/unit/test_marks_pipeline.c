/*
 * test_marks_pipeline.c - what a pipeline makes of the ends that are counted
 * against an event.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "mark_bench.h"
#include "pipeline.h"
#include "rig.h"

#define LIST(...) ((char *[]){ __VA_ARGS__, NULL })

/* ---- What a pipeline makes of it ---------------------------------------- */

struct bench {
	struct rig *rig;
	struct rig_element src, look, out, dead;
	char error[256];
};

static struct bench *benched;

static int
keep_error(struct rig_element *el, struct evh_event *const *evs, int n)
{
	strncpy(benched->error, evs[0]->error, sizeof(benched->error) - 1);
	el->limit = (int)evs[0]->attempts;
	el->ctx->done(el->ctx, evs, n, EVH_OK);
	return n;
}

static enum evh_result
note_attempt(struct rig_element *el, struct evh_event *ev)
{
	el->limit = (int)ev->attempt;
	(void)rig_note(el, ev);
	return EVH_OK;
}

/* One event of this id through a handler "h" that allows so many attempts,
 * sent after so many; what became of it. */
static enum evh_result
pass_sent(struct bench *b, const struct mark_place *place,
	  const unsigned char id[16], unsigned attempts, unsigned before)
{
	struct evh_spec spec = { .id = id,
				 .name = "x",
				 .data = { "{}", 2 },
				 .status = EVH_PROCESSED,
				 .attempts = before };
	enum evh_result result;

	*b = (struct bench){ .rig = rig_new() };
	benched = b;
	b->src = (struct rig_element){ .name = "src", .kind = EVH_SOURCE };
	b->look = (struct rig_element){ .name = "h",
					.kind = EVH_HANDLER,
					.attempts = attempts,
					.process = note_attempt };
	b->out = (struct rig_element){ .name = "out", .kind = EVH_SINK };
	b->dead = (struct rig_element){ .name = "dead",
					.kind = EVH_SINK,
					.submit = keep_error };
	rig_add(b->rig, &b->src);
	rig_add(b->rig, &b->look);
	rig_add(b->rig, &b->out);
	rig_add(b->rig, &b->dead);
	rig_pipeline(b->rig,
		     (struct config_pipeline){ .chain = LIST("src", "h", "out"),
					       .on_fail = LIST("dead"),
					       .workers = 1 });
	rig_mark(b->rig, place->state);
	rig_start(b->rig);
	rig_emit_spec(&b->src, &spec);
	rig_await_heard(&b->src, 1);
	result = b->src.results[0];
	rig_free(b->rig);
	return result;
}

static enum evh_result
pass_limited(struct bench *b, const struct mark_place *place,
	     const unsigned char id[16], unsigned attempts)
{
	return pass_sent(b, place, id, attempts, 0);
}

static enum evh_result
pass_one(struct bench *b, const struct mark_place *place,
	 const unsigned char id[16])
{
	return pass_limited(b, place, id, 0);
}

/* It may have been another's end. */
static void
with_one_attempt_an_end_beside_others_is_not_the_last(void **state)
{
	const struct mark_place *place = *state;
	struct bench b;

	mark_die(place, mark_one, false, false);
	assert_int_equal(pass_limited(&b, place, mark_one, 1), EVH_OK);
	assert_int_equal(b.look.n_seen, 1);
	mark_die(place, mark_two, false, false);
	mark_die(place, mark_two, false, false);
	assert_int_equal(pass_limited(&b, place, mark_two, 1), EVH_DROP);
	assert_int_equal(b.look.n_seen, 0);
}

/* That is known to be its own. */
static void
with_one_attempt_an_end_for_the_timeout_is_the_last(void **state)
{
	const struct mark_place *place = *state;
	struct bench b;

	mark_die(place, mark_one, true, false);
	assert_int_equal(pass_limited(&b, place, mark_one, 1), EVH_DROP);
	assert_int_equal(b.look.n_seen, 0);
}

static void
ends_of_the_process_are_attempts_used_up(void **state)
{
	const struct mark_place *place = *state;
	struct bench b;

	mark_die(place, mark_one, false, false);
	mark_die(place, mark_one, false, false);
	assert_int_equal(pass_one(&b, place, mark_one), EVH_OK);
	assert_int_equal(b.look.limit, 3);
	/* It was done: its count is forgotten. */
	assert_int_equal(pass_one(&b, place, mark_one), EVH_OK);
	assert_int_equal(b.look.limit, 1);
}

static void
after_the_last_of_its_attempts_it_is_not_tried_again(void **state)
{
	const struct mark_place *place = *state;
	struct bench b;

	for (int i = 0; i < 3; i++)
		mark_die(place, mark_one, false, false);
	assert_int_equal(pass_one(&b, place, mark_two), EVH_OK);
	assert_int_equal(pass_one(&b, place, mark_one), EVH_DROP);
	assert_int_equal(b.look.n_seen, 0);
	assert_int_equal(b.dead.limit, 3);
	assert_string_equal(b.error,
			    "{\"stage\":\"h\",\"type\":\"handler\",\"message\":"
			    "\"the process ended 3 times while it was here\"}");
}

/* Its source may not have noted that it is done when the next one crashes. */
static void
what_has_failed_so_fails_at_once_when_it_comes_again(void **state)
{
	const struct mark_place *place = *state;
	struct bench b;

	for (int i = 0; i < 3; i++)
		mark_die(place, mark_one, false, false);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(pass_one(&b, place, mark_one), EVH_DROP);
		assert_int_equal(b.look.n_seen, 0);
		assert_int_equal(b.dead.limit, 3);
	}
}

static void
a_retry_of_what_has_failed_so_is_tried_and_counted_anew(void **state)
{
	const struct mark_place *place = *state;
	struct bench b;

	for (int i = 0; i < 3; i++)
		mark_die(place, mark_one, false, false);
	assert_int_equal(pass_one(&b, place, mark_one), EVH_DROP);
	assert_int_equal(pass_sent(&b, place, mark_one, 0, 3), EVH_OK);
	assert_int_equal(b.look.n_seen, 1);
	assert_int_equal(b.look.limit, 1);
	/* What was sent first is dead still. */
	assert_int_equal(pass_one(&b, place, mark_one), EVH_DROP);
}

/* A neighbour's end is no attempt of it. */
static void
a_first_end_uses_up_no_attempt(void **state)
{
	const struct mark_place *place = *state;
	struct bench b;

	mark_die(place, mark_one, false, false);
	assert_int_equal(pass_one(&b, place, mark_one), EVH_OK);
	assert_int_equal(b.look.limit, 1);
}

static void
ends_for_the_timeout_fail_it_as_that(void **state)
{
	const struct mark_place *place = *state;
	struct bench b;

	for (int i = 0; i < 3; i++)
		mark_die(place, mark_one, true, false);
	assert_int_equal(pass_one(&b, place, mark_one), EVH_DROP);
	assert_non_null(strstr(b.error, "\"type\":\"timeout\""));
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, mark_place_open, mark_place_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(with_one_attempt_an_end_beside_others_is_not_the_last),
		TEST(with_one_attempt_an_end_for_the_timeout_is_the_last),
		TEST(ends_of_the_process_are_attempts_used_up),
		TEST(a_first_end_uses_up_no_attempt),
		TEST(after_the_last_of_its_attempts_it_is_not_tried_again),
		TEST(what_has_failed_so_fails_at_once_when_it_comes_again),
		TEST(a_retry_of_what_has_failed_so_is_tried_and_counted_anew),
		TEST(ends_for_the_timeout_fail_it_as_that),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

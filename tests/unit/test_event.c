/*
 * test_event.c - an event's memory, its changes, its ids.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "event.h"
#include "lane.h"

static struct event *
event_make(const char *data, const char *key)
{
	struct evh_spec spec = { .name = "a.b",
				 .data = { data, strlen(data) },
				 .key = { key, key ? strlen(key) : 0 } };
	struct event *ev = event_new(NULL, &spec, NULL);

	assert_non_null(ev);
	return ev;
}

static void
what_a_spec_says_is_copied_with_a_nul_behind_it(void **state)
{
	char data[] = "{\"a\":1}";
	struct event *ev = event_make(data, "k");

	(void)state;
	memset(data, 'x', sizeof(data) - 1);
	assert_string_equal(ev->pub.data.data, "{\"a\":1}");
	assert_string_equal(ev->pub.key.data, "k");
	assert_string_equal(ev->pub.name, "a.b");
	assert_int_equal(ev->pub.status, EVH_PENDING);
	assert_true(ev->pub.created_ns > 0);
	event_free(ev);
}

static int n_released;

static void
release(void *arg)
{
	n_released += *(int *)arg;
}

static void
a_borrowed_payload_is_released_once_at_the_end(void **state)
{
	int one = 1;
	char data[] = "{}";
	struct evh_spec spec = { .name = "a",
				 .data = { data, 2 },
				 .release = release,
				 .release_arg = &one };
	struct event *ev = event_new(NULL, &spec, NULL);

	(void)state;
	n_released = 0;
	assert_ptr_equal(ev->pub.data.data, data);
	assert_int_equal(event_set_data(ev, (struct evh_bytes){ "[]", 2 }), 0);
	assert_int_equal(n_released, 0);
	event_free(ev);
	assert_int_equal(n_released, 1);
}

static void
a_try_that_failed_leaves_nothing_behind(void **state)
{
	struct event *ev = event_make("{}", "k");

	(void)state;
	event_set_header(ev, "a", "1");
	event_keep(ev);
	event_set_data(ev, (struct evh_bytes){ "[1]", 3 });
	event_set_key(ev, (struct evh_bytes){ "l", 1 });
	event_set_header(ev, "a", "2");
	event_set_header(ev, "b", "3");
	event_undo(ev);
	assert_string_equal(ev->pub.data.data, "{}");
	assert_string_equal(ev->pub.key.data, "k");
	assert_int_equal(ev->pub.n_headers, 1);
	assert_string_equal(ev->pub.headers[0].value.data, "1");
	event_free(ev);
}

static void
a_failed_event_is_made_again_as_it_was_emitted(void **state)
{
	struct event *ev = event_make("{}", NULL);

	(void)state;
	event_set_data(ev, (struct evh_bytes){ "[1]", 3 });
	event_keep(ev);
	event_set_data(ev, (struct evh_bytes){ "[2]", 3 });
	event_keep(ev);
	event_remake(ev);
	assert_string_equal(ev->pub.data.data, "{}");
	event_free(ev);
}

static void
a_header_is_replaced_and_null_removes_it(void **state)
{
	struct event *ev = event_make("{}", NULL);

	(void)state;
	assert_int_equal(event_set_header(ev, "a", "1"), 0);
	assert_int_equal(event_set_header(ev, "b", "2"), 0);
	assert_int_equal(event_set_header(ev, "a", "3"), 0);
	assert_int_equal(ev->pub.n_headers, 2);
	assert_string_equal(ev->pub.headers[1].name, "a");
	assert_string_equal(ev->pub.headers[1].value.data, "3");
	assert_int_equal(event_set_header(ev, "b", NULL), 0);
	assert_int_equal(ev->pub.n_headers, 1);
	assert_int_equal(event_set_header(ev, "", "x"), -EINVAL);
	event_free(ev);
}

static void
a_childs_id_follows_from_its_parents_and_its_number(void **state)
{
	struct evh_spec spec = { .name = "child" };
	struct event *parent = event_make("{}", NULL);
	struct event *one = event_new(NULL, &spec, parent);
	struct event *two = event_new(NULL, &spec, parent);
	struct event *again;

	(void)state;
	assert_memory_not_equal(one->pub.id, two->pub.id, 16);
	parent->n_children = 0;
	again = event_new(NULL, &spec, parent);
	assert_memory_equal(one->pub.id, again->pub.id, 16);
	event_free(one);
	event_free(two);
	event_free(again);
	event_free(parent);
}

static void
large_memory_comes_and_goes_with_the_event(void **state)
{
	struct event *ev = event_make("{}", NULL);

	(void)state;
	for (size_t n = 1; n < 100000; n = n * 3 + 1) {
		char *p = event_alloc(ev, n);

		assert_non_null(p);
		assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
		memset(p, 1, n);
	}
	assert_null(event_alloc(ev, SIZE_MAX));
	event_free(ev);
}

static void
an_error_is_json_with_a_sqlstate_where_there_is_one(void **state)
{
	struct event *ev = event_make("{}", NULL);

	(void)state;
	event_set_error(ev, "22P05", "a \"bad\" row");
	event_render_error(ev, "events", "store", ev->error_text);
	assert_string_equal(ev->pub.error,
			    "{\"stage\":\"events\",\"type\":\"store\","
			    "\"message\":\"a \\\"bad\\\" row\","
			    "\"sqlstate\":\"22P05\"}");
	event_set_error(ev, "timeout", "late");
	event_render_error(ev, "h", "timeout", ev->error_text);
	assert_string_equal(ev->pub.error,
			    "{\"stage\":\"h\",\"type\":\"timeout\","
			    "\"message\":\"late\"}");
	event_free(ev);
}

static void
errors_again_and_again_take_no_more_memory(void **state)
{
	static char text[1000];
	struct event *ev = event_make("{}", NULL);
	void *blocks;

	(void)state;
	memset(text, 'e', sizeof(text) - 1);
	assert_int_equal(event_set_error(ev, "timeout", text), 0);
	blocks = ev->arena.blocks;
	for (int i = 0; i < 1000; i++)
		assert_int_equal(event_set_error(ev, "57P03", text + i % 9), 0);
	assert_ptr_equal(ev->arena.blocks, blocks);
	assert_string_equal(ev->error_code, "57P03");
	assert_string_equal(ev->error_text, text);
	event_free(ev);
}

static void
tries_again_and_again_take_no_more_memory(void **state)
{
	static char text[100000];
	struct event *ev = event_make("{}", NULL);
	struct arena_mark before;

	(void)state;
	memset(text, ' ', sizeof(text) - 1);
	before = arena_mark(&ev->arena);
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(
			event_set_data(
				ev, (struct evh_bytes){ text, sizeof(text) }),
			0);
		assert_int_equal(event_set_header(ev, "h", text), 0);
		event_undo(ev);
		assert_ptr_equal(ev->arena.blocks, before.blocks);
	}
	assert_int_equal(ev->arena.inline_used, before.inline_used);
	event_free(ev);
}

static void
what_a_plugin_allocates_in_a_try_outlives_it(void **state)
{
	struct event *ev = event_make("{}", NULL);
	char *mine;

	(void)state;
	event_set_header(ev, "h", "v");
	mine = event_alloc(ev, 5000);
	assert_non_null(mine);
	memset(mine, 'x', 5000);
	event_undo(ev);
	event_set_header(ev, "h", "another");
	assert_int_equal(mine[4999], 'x');
	event_free(ev);
}

static void
a_key_makes_a_lane_and_no_key_and_no_place_make_none(void **state)
{
	struct evh_spec placed = { .name = "a", .topic = "t", .partition = 3 };
	struct event *a = event_make("{}", "k");
	struct event *b = event_make("{}", "k");
	struct event *c = event_make("{}", NULL);
	struct event *d = event_new(NULL, &placed, NULL);

	(void)state;
	lane_find(a);
	lane_find(b);
	lane_find(c);
	lane_find(d);
	assert_true(a->is_ordered && b->is_ordered && d->is_ordered);
	assert_false(c->is_ordered);
	assert_true(a->lane == b->lane);
	assert_true(a->lane != d->lane);
	event_free(a);
	event_free(b);
	event_free(c);
	event_free(d);
}

static void
the_least_finished_result_wins(void **state)
{
	(void)state;
	assert_int_equal(event_join(EVH_OK, EVH_DROP), EVH_OK);
	assert_int_equal(event_join(EVH_DROP, EVH_OK), EVH_OK);
	assert_int_equal(event_join(EVH_FAIL, EVH_OK), EVH_FAIL);
	assert_int_equal(event_join(EVH_FAIL, EVH_RETRY), EVH_RETRY);
	assert_int_equal(event_join((enum evh_result)0, EVH_DROP), EVH_DROP);
}

static void
what_is_freed_is_seen_to_be_gone(void **state)
{
	unsigned long before = event_count();
	struct event *ev = event_make("{}", NULL);

	(void)state;
	assert_true(event_is_live(ev));
	assert_int_equal(event_count(), before + 1);
	event_free(ev);
	assert_false(event_is_live(ev));
	assert_int_equal(event_count(), before);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			what_a_spec_says_is_copied_with_a_nul_behind_it),
		cmocka_unit_test(
			a_borrowed_payload_is_released_once_at_the_end),
		cmocka_unit_test(a_try_that_failed_leaves_nothing_behind),
		cmocka_unit_test(
			a_failed_event_is_made_again_as_it_was_emitted),
		cmocka_unit_test(a_header_is_replaced_and_null_removes_it),
		cmocka_unit_test(
			a_childs_id_follows_from_its_parents_and_its_number),
		cmocka_unit_test(large_memory_comes_and_goes_with_the_event),
		cmocka_unit_test(
			an_error_is_json_with_a_sqlstate_where_there_is_one),
		cmocka_unit_test(errors_again_and_again_take_no_more_memory),
		cmocka_unit_test(tries_again_and_again_take_no_more_memory),
		cmocka_unit_test(what_a_plugin_allocates_in_a_try_outlives_it),
		cmocka_unit_test(
			a_key_makes_a_lane_and_no_key_and_no_place_make_none),
		cmocka_unit_test(the_least_finished_result_wins),
		cmocka_unit_test(what_is_freed_is_seen_to_be_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * What becomes of an event, as a client sees it: processed, failed, dropped,
 * and tried again.  The consumer has a handler that fails some names for ever
 * and some until they are tried again, and one that drops some.
 */
#include "api.h"
#include "service.h"
#include "shape.h"
#include "table.h"
#include "topic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROW_MS 60000

#define NOT_FAILED "{\"detail\":\"Event has not failed\"}"

static int
port_of(void **state)
{
	const struct service *s = *state;

	return s->api.api_port;
}

/* What GET must show of an event that has ended so. */
static void
expect_event(int port, const char *id, const char *name, const char *status,
	     int attempts, const char *error, struct shape *ret)
{
	char expected[1024];
	struct http_answer a = api_event(port, id);

	assert_int_equal(a.status, 200);
	snprintf(expected, sizeof(expected),
		 "{\"id\":\"<id>\",\"name\":\"%s\",\"data\":{\"n\": 1.0},"
		 "\"status\":\"%s\",\"created_at\":\"<time>\","
		 "\"processed_at\":\"<time>\",\"attempts\":%d,\"error\":%s}",
		 name, status, attempts, error);
	shape_check(a.body, expected, ret);
	assert_string_equal(ret->got[0], id);
	assert_true(shape_time_ms(ret->got[2]) >= shape_time_ms(ret->got[1]));
	http_answer_fini(&a);
}

static void
an_event_becomes_processed_after_one_attempt(void **state)
{
	char id[API_ID_MAX];
	struct shape shape;

	api_make(port_of(state), "good", "{\"n\": 1.0}", id);
	api_await(port_of(state), id, "processed", ROW_MS);
	expect_event(port_of(state), id, "good", "processed", 1, "null",
		     &shape);
	api_expect(api_retry(port_of(state), id), 409, NOT_FAILED);
}

static void
a_dropped_event_is_kept_as_dropped(void **state)
{
	char id[API_ID_MAX];
	struct shape shape;

	api_make(port_of(state), "drop.me", "{\"n\": 1.0}", id);
	api_await(port_of(state), id, "dropped", ROW_MS);
	expect_event(port_of(state), id, "drop.me", "dropped", 1, "null",
		     &shape);
	api_expect(api_retry(port_of(state), id), 409, NOT_FAILED);
}

static const char error[] = "{\"stage\":\"failing\",\"type\":\"handler\","
			    "\"message\":\"no such \\\"user\\\"\"}";

/* The newest message with this id has these headers. */
static void
expect_headers(const struct world *w, const char *id, const char *attempts)
{
	char expected[256];
	int found = 0;

	snprintf(expected, sizeof(expected),
		 "evh-id=%s\ncontent-type=application/json\n"
		 "evh-attempts=%s\n",
		 id, attempts);
	for (int i = 0; i < topic_partitions(w); i++) {
		size_t len;
		char *headers;
		char *value = topic_last(w, i, &len, NULL, &headers, NULL);

		if (!value)
			continue;
		if (strstr(value, id) && strcmp(headers, expected) == 0)
			found++;
		free(value);
		free(headers);
	}
	assert_int_equal(found, 1);
}

static void
a_failed_event_has_its_error_and_can_be_tried_again(void **state)
{
	struct service *s = *state;
	int port = port_of(state);
	char id[API_ID_MAX], expected[256];
	struct shape first, second;

	api_make(port, "bad", "{\"n\": 1.0}", id);
	api_await(port, id, "failed", ROW_MS);
	expect_event(port, id, "bad", "failed", 1, error, &first);
	snprintf(expected, sizeof(expected),
		 "{\"id\":\"%s\",\"status\":\"pending\",\"attempts\":1}", id);
	api_expect(api_retry(port, id), 202, expected);
	expect_headers(&s->w, id, "1");
	snprintf(expected, sizeof(expected),
		 "SELECT count(*) FROM events WHERE id = '%s' AND "
		 "status = 'failed' AND attempts = 2",
		 id);
	table_await(&s->w, expected, 1, ROW_MS);
	expect_event(port, id, "bad", "failed", 2, error, &second);
	assert_string_equal(first.got[1], second.got[1]);
	assert_true(strcmp(first.got[2], second.got[2]) < 0);
}

static void
a_retry_that_works_makes_it_processed(void **state)
{
	int port = port_of(state);
	char id[API_ID_MAX], expected[256];
	struct shape shape;

	api_make(port, "once", "{\"n\": 1.0}", id);
	api_await(port, id, "failed", ROW_MS);
	snprintf(expected, sizeof(expected),
		 "{\"id\":\"%s\",\"status\":\"pending\",\"attempts\":1}", id);
	api_expect(api_retry(port, id), 202, expected);
	api_await(port, id, "processed", ROW_MS);
	expect_event(port, id, "once", "processed", 2, "null", &shape);
}

static void
a_retry_needs_no_body_and_minds_none(void **state)
{
	int port = port_of(state);
	char id[API_ID_MAX], path[API_PATH_MAX];

	api_make(port, "once", "{\"n\": 1.0}", id);
	api_await(port, id, "failed", ROW_MS);
	snprintf(path, sizeof(path), API_EVENTS "/%s/retry", id);
	api_expect_shape(http_call(port, "POST", path, "not json", 8,
				   "Content-Type: text/plain"),
			 202,
			 "{\"id\":\"<id>\",\"status\":\"pending\","
			 "\"attempts\":1}");
	api_await(port, id, "processed", ROW_MS);
}

static void
a_retry_without_consumer_shows_pending_without_error(void **state)
{
	struct service *s = *state;
	int port = port_of(state);
	char id[API_ID_MAX], expected[512];

	api_make(port, "bad", "{\"n\": 1.0}", id);
	api_await(port, id, "failed", ROW_MS);
	assert_int_equal(daemon_stop(&s->consumer, SERVICE_STOP_MS), 0);
	snprintf(expected, sizeof(expected),
		 "{\"id\":\"%s\",\"status\":\"pending\",\"attempts\":1}", id);
	api_expect(api_retry(port, id), 202, expected);
	snprintf(expected, sizeof(expected),
		 "{\"id\":\"%s\",\"name\":\"bad\",\"data\":{\"n\": 1.0},"
		 "\"status\":\"pending\",\"created_at\":\"<time>\","
		 "\"processed_at\":null,\"attempts\":1,\"error\":null}",
		 id);
	api_expect_shape(api_event(port, id), 200, expected);
	api_expect(api_retry(port, id), 409, NOT_FAILED);
}

static int
setup(void **state)
{
	static const char *const changes[] = {
		"store \"events\" {",
		"handler \"failing\" {\n\tplugin = \"fail\"\n"
		"\tmatch = \"bad\"\n\tcode = \"told\"\n"
		"\tmessage = \"no such \\\"user\\\"\"\n}\n"
		"handler \"once\" {\n\tplugin = \"fail\"\n"
		"\tmatch = \"once\"\n\tuntil = 1\n}\n"
		"handler \"dropping\" {\n\tplugin = \"filter\"\n"
		"\tdrop = \"drop.*\"\n}\n"
		"store \"events\" {",
		"{ \"topic\", ",
		"{ \"topic\", \"failing\", \"once\", \"dropping\", ", NULL
	};
	static struct service service;

	service_start_api(&service, "life");
	service_consumer(&service, changes);
	*state = &service;
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_event_becomes_processed_after_one_attempt),
		cmocka_unit_test(a_dropped_event_is_kept_as_dropped),
		cmocka_unit_test(
			a_failed_event_has_its_error_and_can_be_tried_again),
		cmocka_unit_test(a_retry_that_works_makes_it_processed),
		cmocka_unit_test(a_retry_needs_no_body_and_minds_none),
		cmocka_unit_test(
			a_retry_without_consumer_shows_pending_without_error),
	};

	return cmocka_run_group_tests_name("http_life", tests, setup,
					   service_teardown);
}

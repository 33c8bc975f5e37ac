/*
 * Where a request ends: each class of bytes over which two parsers may
 * disagree.  Behind every one of them stands a second request, which makes an
 * event: it is answered where the connection is kept, and must never be seen
 * where it is closed.  At the end the events are counted.
 */
#include "api.h"
#include "framing.h"
#include "service.h"
#include "topic.h"
#include "wire.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#define ANSWER_MS 60000
#define QUIET_MS  200

static const char second[] = POST "Host: x\r\nContent-Length: 29\r\n\r\n"
				  "{\"name\":\"smuggled\",\"data\":{}}";

/* How many 201 there were: so many messages must be in the topic. */
static int taken;

static int
port_of(void **state)
{
	const struct service *s = *state;

	return s->api.api_port;
}

static void
check_answer(const struct framing *row, struct http_answer *a)
{
	json_t *json;
	char type[64];

	if (a->status == 0 ||
	    (row->status != FRAMING_ANY && a->status != row->status))
		fail_msg("%s: %ld, not %d: %s", row->what, a->status,
			 row->status, a->body ? a->body : "nothing");
	if (a->status == 201)
		taken++;
	if (a->status == 204) {
		http_answer_fini(a);
		return;
	}
	json = json_loadb(a->body, a->len, 0, NULL);
	http_answer_header(a, "Content-Type", type, sizeof(type));
	if (!json || strcmp(type, "application/json") != 0)
		fail_msg("%s: no JSON, but %s: %s", row->what, type, a->body);
	if (a->status >= 400 && !json_object_get(json, "detail"))
		fail_msg("%s: no detail in %s", row->what, a->body);
	json_decref(json);
	http_answer_fini(a);
}

static void
check_close_header(const struct framing *row, const struct http_answer *a)
{
	char value[32];

	http_answer_header(a, "Connection", value, sizeof(value));
	if (a->status != 0 && strcasecmp(value, "close") != 0)
		fail_msg("%s: closed without saying so: %s", row->what,
			 a->headers);
}

static void
check_row(int port, const struct framing *row)
{
	struct http_answer a;
	struct wire wire;

	wire_open(&wire, port);
	(void)wire_send(&wire, row->bytes, row->len);
	(void)wire_say(&wire, second);
	a = wire_answer(&wire, ANSWER_MS);
	if (row->end == FRAMING_CLOSED)
		check_close_header(row, &a);
	check_answer(row, &a);
	if (row->end == FRAMING_KEPT) {
		const struct framing next = { .what = row->what,
					      .status = 201 };

		a = wire_answer(&wire, ANSWER_MS);
		check_answer(&next, &a);
		if (wire_closes(&wire, QUIET_MS))
			fail_msg("%s: the connection was closed", row->what);
	} else {
		if (wire.len > 0)
			fail_msg("%s: one more answer: %s", row->what, wire.in);
		if (!wire_closes(&wire, ANSWER_MS))
			fail_msg("%s: the connection was kept", row->what);
		if (wire.reset)
			fail_msg("%s: the connection was reset", row->what);
	}
	wire_close(&wire);
}

#define CHECK(state, rows)                                                     \
	for (size_t i_ = 0; i_ < sizeof(rows) / sizeof((rows)[0]); i_++)       \
	check_row(port_of(state), &(rows)[i_])

static void
requests_that_are_right_keep_the_connection(void **state)
{
	CHECK(state, framing_right);
}

static void
who_asks_for_the_end_or_speaks_1_0_gets_it(void **state)
{
	CHECK(state, framing_ending);
}

static void
lengths_that_are_not_one_plain_number_are_refused(void **state)
{
	CHECK(state, framing_lengths);
}

static void
codings_other_than_chunked_are_refused(void **state)
{
	CHECK(state, framing_codings);
}

static void
chunks_that_are_wrong_end_the_connection(void **state)
{
	CHECK(state, framing_chunks);
}

static void
heads_that_are_wrong_are_refused(void **state)
{
	CHECK(state, framing_heads);
}

static void
first_lines_that_are_wrong_are_refused(void **state)
{
	CHECK(state, framing_first_lines);
}

static void
pieces_of_one_byte_are_put_together(void **state)
{
	static const char request[] = POST HOST LENGTH "\r\n" BODY;
	const struct framing row = { .what = "pieces", .status = 201 };
	struct http_answer a;
	struct wire wire;

	wire_open(&wire, port_of(state));
	for (size_t i = 0; i < sizeof(request) - 1; i++)
		assert_true(wire_send(&wire, request + i, 1));
	a = wire_answer(&wire, ANSWER_MS);
	check_answer(&row, &a);
	wire_close(&wire);
}

static void
pipelined_requests_are_answered_in_their_order(void **state)
{
	static const char two[] = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
				  "GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n";
	const struct framing row = { .what = "pipelined", .status = 201 };
	struct wire wire;

	wire_open(&wire, port_of(state));
	for (int i = 0; i < 20; i++) {
		assert_true(wire_say(&wire, second));
		assert_true(wire_say(&wire, two));
	}
	for (int i = 0; i < 20; i++) {
		struct http_answer a = wire_answer(&wire, ANSWER_MS);

		check_answer(&row, &a);
		api_expect(wire_answer(&wire, ANSWER_MS), 200,
			   "{\"status\":\"alive\"}");
		api_expect(wire_answer(&wire, ANSWER_MS), 404,
			   "{\"detail\":\"Not Found\"}");
	}
	wire_close(&wire);
}

/* By then nothing is under way any more: the API has drained. */
static void
only_what_got_201_has_become_an_event(void **state)
{
	struct service *s = *state;

	assert_int_equal(daemon_stop(&s->api, SERVICE_STOP_MS), 0);
	assert_true(taken > 40);
	assert_int_equal(topic_count(&s->w), taken);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_that_are_right_keep_the_connection),
		cmocka_unit_test(who_asks_for_the_end_or_speaks_1_0_gets_it),
		cmocka_unit_test(
			lengths_that_are_not_one_plain_number_are_refused),
		cmocka_unit_test(codings_other_than_chunked_are_refused),
		cmocka_unit_test(chunks_that_are_wrong_end_the_connection),
		cmocka_unit_test(heads_that_are_wrong_are_refused),
		cmocka_unit_test(first_lines_that_are_wrong_are_refused),
		cmocka_unit_test(pieces_of_one_byte_are_put_together),
		cmocka_unit_test(
			pipelined_requests_are_answered_in_their_order),
		cmocka_unit_test(only_what_got_201_has_become_an_event),
	};

	return cmocka_run_group_tests_name("http_framing", tests,
					   service_setup_api, service_teardown);
}

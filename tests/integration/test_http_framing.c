/*
 * Where a request ends: each class of bytes over which two parsers may
 * disagree.  Behind every one of them stands a second request, which makes an
 * event: it is answered where the connection is kept, and must never be seen
 * where it is closed.  At the end the events are counted.
 */
#include "api.h"
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

#define ANSWER_MS 5000
#define QUIET_MS  200

#define SIZED(bytes) bytes, sizeof(bytes) - 1
#define BODY	     "{\"name\":\"a\",\"data\":{}}"
#define POST	     "POST /api/v1/events HTTP/1.1\r\n"
#define GET	     "GET /livez HTTP/1.1\r\n"
#define HOST	     "Host: x\r\n"
#define LENGTH	     "Content-Length: 22\r\n"
#define CHUNKED	     "Transfer-Encoding: chunked\r\n"
#define CHUNKS	     "16\r\n" BODY "\r\n0\r\n\r\n"

static const char second[] = POST "Host: x\r\nContent-Length: 29\r\n\r\n"
				  "{\"name\":\"smuggled\",\"data\":{}}";

/* How many 201 there were: so many messages must be in the topic. */
static int taken;

enum { KEPT, CLOSED };
/* Refused or not, as long as it is one answer and the end. */
#define ANY 0

struct row {
	const char *what, *bytes;
	size_t len;
	int status;
	int end;
};

static int
port_of(void **state)
{
	const struct service *s = *state;

	return s->api.api_port;
}

static void
check_answer(const struct row *row, struct http_answer *a)
{
	json_t *json;
	char type[64];

	if (a->status == 0 || (row->status != ANY && a->status != row->status))
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
check_close_header(const struct row *row, const struct http_answer *a)
{
	char value[32];

	http_answer_header(a, "Connection", value, sizeof(value));
	if (a->status != 0 && strcasecmp(value, "close") != 0)
		fail_msg("%s: closed without saying so: %s", row->what,
			 a->headers);
}

static void
check_row(int port, const struct row *row)
{
	struct http_answer a;
	struct wire wire;

	wire_open(&wire, port);
	(void)wire_send(&wire, row->bytes, row->len);
	(void)wire_say(&wire, second);
	a = wire_answer(&wire, ANSWER_MS);
	if (row->end == CLOSED)
		check_close_header(row, &a);
	check_answer(row, &a);
	if (row->end == KEPT) {
		const struct row next = { .what = row->what, .status = 201 };

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
	for (size_t i_ = 0; i_ < sizeof(rows) / sizeof(rows[0]); i_++)         \
	check_row(port_of(state), &rows[i_])

static void
requests_that_are_right_keep_the_connection(void **state)
{
	static const struct row rows[] = {
		{ "GET", SIZED(GET HOST "\r\n"), 200, KEPT },
		{ "POST", SIZED(POST HOST LENGTH "\r\n" BODY), 201, KEPT },
		{ "empty lines first", SIZED("\r\n\r\n" GET HOST "\r\n"), 200,
		  KEPT },
		{ "names in any case",
		  SIZED(POST "hOST: x\r\ncONTENT-lENGTH: 22\r\n\r\n" BODY), 201,
		  KEPT },
		{ "field without a value", SIZED(GET HOST "X:\r\n\r\n"), 200,
		  KEPT },
		{ "white space around values",
		  SIZED(GET "Host:\t x \t\r\nX: \t\r\n\r\n"), 200, KEPT },
		{ "no white space before values",
		  SIZED(POST "Host:x\r\nContent-Length:22\r\n\r\n" BODY), 201,
		  KEPT },
		{ "bytes beyond ASCII in a value",
		  SIZED(GET HOST "X: \xC3\xA9\xFF\r\n\r\n"), 200, KEPT },
		{ "every character a name may have",
		  SIZED(GET HOST "!#$%&'*+-.^_`|~09AZaz: x\r\n\r\n"), 200,
		  KEPT },
		{ "the same field twice",
		  SIZED(GET HOST "X: a\r\nX: b\r\n\r\n"), 200, KEPT },
		{ "no bytes", SIZED(POST HOST "Content-Length: 0\r\n\r\n"), 422,
		  KEPT },
		{ "zeros before the length",
		  SIZED(POST HOST "Content-Length: 00022\r\n\r\n" BODY), 201,
		  KEPT },
		{ "a GET with a body", SIZED(GET HOST LENGTH "\r\n" BODY), 200,
		  KEPT },
		{ "a refused body is read to its end",
		  SIZED(POST HOST "Content-Length: 7\r\n\r\n{\"name\""), 422,
		  KEPT },
		{ "a body that looks like a request",
		  SIZED(POST HOST "Content-Length: 34\r\n\r\n"
				  "GET /livez HTTP/1.1\r\nHost: xyz\r\n\r\n"),
		  422, KEPT },
		{ "HTTP/1.2", SIZED("GET /livez HTTP/1.2\r\n" HOST "\r\n"), 200,
		  KEPT },
		{ "a port in Host", SIZED(GET "Host: localhost:8000\r\n\r\n"),
		  200, KEPT },
		{ "an address in Host", SIZED(GET "Host: [::1]:8000\r\n\r\n"),
		  200, KEPT },
		{ "OPTIONS *", SIZED("OPTIONS * HTTP/1.1\r\n" HOST "\r\n"), 204,
		  KEPT },
	};

	CHECK(state, rows);
}

static void
who_asks_for_the_end_or_speaks_1_0_gets_it(void **state)
{
	static const struct row rows[] = {
		{ "Connection: close",
		  SIZED(GET HOST "Connection: close\r\n\r\n"), 200, CLOSED },
		{ "close among others",
		  SIZED(GET HOST "Connection: x, CLOSE\r\n\r\n"), 200, CLOSED },
		{ "HTTP/1.0", SIZED("GET /livez HTTP/1.0\r\n\r\n"), 200,
		  CLOSED },
		{ "HTTP/1.0 that wants to stay",
		  SIZED("GET /livez HTTP/1.0\r\nConnection: keep-alive\r\n"
			"\r\n"),
		  200, CLOSED },
		{ "HTTP/1.0 with a body",
		  SIZED("POST /api/v1/events HTTP/1.0\r\n" LENGTH "\r\n" BODY),
		  201, CLOSED },
		{ "chunks", SIZED(POST HOST CHUNKED "\r\n" CHUNKS), 201,
		  CLOSED },
		{ "chunks of one byte and capitals",
		  SIZED(POST HOST "transfer-encoding: CHUNKED\r\n\r\n"
				  "1\r\n{\r\n000F\r\n\"name\":\"a\",\"dat\r\n"
				  "6\r\na\":{}}\r\n00\r\n\r\n"),
		  201, CLOSED },
		{ "chunks with extension and trailer",
		  SIZED(POST HOST CHUNKED "\r\n16;a=b\r\n" BODY
					  "\r\n0\r\nX-T: 1\r\n\r\n"),
		  201, CLOSED },
		{ "a GET in chunks", SIZED(GET HOST CHUNKED "\r\n" CHUNKS), 200,
		  CLOSED },
	};

	CHECK(state, rows);
}

static void
lengths_that_are_not_one_plain_number_are_refused(void **state)
{
	static const struct row rows[] = {
		{ "length and chunks",
		  SIZED(POST HOST LENGTH CHUNKED "\r\n" CHUNKS), 400, CLOSED },
		{ "chunks and length",
		  SIZED(POST HOST CHUNKED "Content-Length: 4\r\n\r\n" CHUNKS),
		  400, CLOSED },
		{ "length twice", SIZED(POST HOST LENGTH LENGTH "\r\n" BODY),
		  400, CLOSED },
		{ "two lengths",
		  SIZED(POST HOST LENGTH "Content-Length: 0\r\n\r\n" BODY), 400,
		  CLOSED },
		{ "a list",
		  SIZED(POST HOST "Content-Length: 22, 22\r\n\r\n" BODY), 400,
		  CLOSED },
		{ "minus", SIZED(POST HOST "Content-Length: -1\r\n\r\n"), 400,
		  CLOSED },
		{ "plus", SIZED(POST HOST "Content-Length: +22\r\n\r\n" BODY),
		  400, CLOSED },
		{ "hex", SIZED(POST HOST "Content-Length: 0x16\r\n\r\n" BODY),
		  400, CLOSED },
		{ "letters", SIZED(POST HOST "Content-Length: abc\r\n\r\n"),
		  400, CLOSED },
		{ "a space within",
		  SIZED(POST HOST "Content-Length: 2 2\r\n\r\n" BODY), 400,
		  CLOSED },
		{ "nothing", SIZED(POST HOST "Content-Length:\r\n\r\n" BODY),
		  400, CLOSED },
		{ "a dot", SIZED(POST HOST "Content-Length: 22.0\r\n\r\n" BODY),
		  400, CLOSED },
		{ "beyond 64 bits",
		  SIZED(POST HOST "Content-Length: 18446744073709551638\r\n"
				  "\r\n" BODY),
		  413, CLOSED },
		{ "a space before the colon",
		  SIZED(POST HOST "Content-Length : 22\r\n\r\n" BODY), 400,
		  CLOSED },
		{ "a tab before the colon",
		  SIZED(POST HOST "Content-Length\t: 22\r\n\r\n" BODY), 400,
		  CLOSED },
		{ "folded",
		  SIZED(POST HOST "Content-Length:\r\n 22\r\n\r\n" BODY), 400,
		  CLOSED },
		{ "none", SIZED(POST HOST "\r\n"), 411, CLOSED },
	};

	CHECK(state, rows);
}

static void
codings_other_than_chunked_are_refused(void **state)
{
	static const struct row rows[] = {
		{ "a space before the colon",
		  SIZED(POST HOST "Transfer-Encoding : chunked\r\n\r\n" CHUNKS),
		  400, CLOSED },
		{ "folded",
		  SIZED(POST HOST
			"Transfer-Encoding:\r\n chunked\r\n\r\n" CHUNKS),
		  400, CLOSED },
		{ "twice", SIZED(POST HOST CHUNKED CHUNKED "\r\n" CHUNKS), 400,
		  CLOSED },
		{ "unknown",
		  SIZED(POST HOST "Transfer-Encoding: xchunked\r\n\r\n" CHUNKS),
		  400, CLOSED },
		{ "a list",
		  SIZED(POST HOST
			"Transfer-Encoding: gzip, chunked\r\n\r\n" CHUNKS),
		  400, CLOSED },
		{ "a list that ends otherwise",
		  SIZED(POST HOST
			"Transfer-Encoding: chunked, identity\r\n\r\n" CHUNKS),
		  400, CLOSED },
		{ "identity",
		  SIZED(POST HOST "Transfer-Encoding: identity\r\n\r\n" BODY),
		  400, CLOSED },
		{ "empty", SIZED(POST HOST "Transfer-Encoding:\r\n\r\n" CHUNKS),
		  400, CLOSED },
		{ "vertical tab",
		  SIZED(POST HOST
			"Transfer-Encoding: \vchunked\r\n\r\n" CHUNKS),
		  400, CLOSED },
		{ "in HTTP/1.0",
		  SIZED("POST /api/v1/events HTTP/1.0\r\n" CHUNKED
			"\r\n" CHUNKS),
		  400, CLOSED },
	};

	CHECK(state, rows);
}

#define CHUNK_POST POST HOST CHUNKED "\r\n"

static void
chunks_that_are_wrong_end_the_connection(void **state)
{
	static const struct row rows[] = {
		{ "no number", SIZED(CHUNK_POST "xyz\r\n" BODY), 400, CLOSED },
		{ "minus", SIZED(CHUNK_POST "-1\r\n" BODY "\r\n0\r\n\r\n"), 400,
		  CLOSED },
		{ "0x", SIZED(CHUNK_POST "0x16\r\n" BODY "\r\n0\r\n\r\n"), 400,
		  CLOSED },
		{ "beyond 64 bits",
		  SIZED(CHUNK_POST "10000000000000016\r\n" BODY
				   "\r\n0\r\n\r\n"),
		  413, CLOSED },
		{ "longer than told",
		  SIZED(CHUNK_POST "15\r\n" BODY "\r\n0\r\n\r\n"), 400,
		  CLOSED },
		{ "shorter than told",
		  SIZED(CHUNK_POST "1b\r\n" BODY "\r\n0\r\n\r\n"), 400,
		  CLOSED },
		/* These the library may take; what matters is the end. */
		{ "a space before the number",
		  SIZED(CHUNK_POST " 16\r\n" BODY "\r\n0\r\n\r\n"), ANY,
		  CLOSED },
		{ "a space behind the number",
		  SIZED(CHUNK_POST "16 \r\n" BODY "\r\n0\r\n\r\n"), ANY,
		  CLOSED },
		{ "bare LF", SIZED(CHUNK_POST "16\n" BODY "\n0\n\n"), ANY,
		  CLOSED },
		{ "bare LF behind the bytes",
		  SIZED(CHUNK_POST "17\r\n" BODY "\r\n0\r\n\r\n"), ANY,
		  CLOSED },
		{ "no number at all",
		  SIZED(CHUNK_POST "\r\n" BODY "\r\n0\r\n\r\n"), ANY, CLOSED },
		{ "a length in the trailer",
		  SIZED(CHUNK_POST "16\r\n" BODY
				   "\r\n0\r\nContent-Length: 5\r\n\r\n"),
		  ANY, CLOSED },
	};

	CHECK(state, rows);
}

static void
heads_that_are_wrong_are_refused(void **state)
{
	static const struct row rows[] = {
		{ "no Host", SIZED(GET "\r\n"), 400, CLOSED },
		{ "two Hosts", SIZED(GET HOST HOST "\r\n"), 400, CLOSED },
		{ "two other Hosts", SIZED(GET HOST "Host: y\r\n\r\n"), 400,
		  CLOSED },
		{ "a Host with a path", SIZED(GET "Host: x/y\r\n\r\n"), 400,
		  CLOSED },
		{ "a Host with a user", SIZED(GET "Host: a@x\r\n\r\n"), 400,
		  CLOSED },
		{ "a Host with a space", SIZED(GET "Host: x y\r\n\r\n"), 400,
		  CLOSED },
		{ "folded", SIZED(GET HOST "X: a\r\n b\r\n\r\n"), 400, CLOSED },
		{ "folded by a tab", SIZED(GET HOST "X: a\r\n\tb\r\n\r\n"), 400,
		  CLOSED },
		{ "space before the first name", SIZED(GET " Host: x\r\n\r\n"),
		  400, CLOSED },
		{ "space before a colon", SIZED(GET "Host : x\r\n\r\n"), 400,
		  CLOSED },
		{ "no colon", SIZED(GET HOST "X\r\n\r\n"), 400, CLOSED },
		{ "no name", SIZED(GET HOST ": x\r\n\r\n"), 400, CLOSED },
		{ "brackets in a name", SIZED(GET HOST "X[]: a\r\n\r\n"), 400,
		  CLOSED },
		{ "other bytes in a name",
		  SIZED(GET HOST "X\xC3\xA9: a\r\n\r\n"), 400, CLOSED },
		{ "NUL in a name", SIZED(GET HOST "X\0Y: a\r\n\r\n"), 400,
		  CLOSED },
		{ "NUL in a value", SIZED(GET HOST "X: a\0b\r\n\r\n"), 400,
		  CLOSED },
		{ "NUL at a value's end", SIZED(GET HOST "X: a\0\r\n\r\n"), 400,
		  CLOSED },
		{ "NUL in a length",
		  SIZED(POST HOST "Content-Length: 22\0\r\n\r\n" BODY), 400,
		  CLOSED },
		{ "control character in a value",
		  SIZED(GET HOST "X: a\x01\r\n\r\n"), 400, CLOSED },
		{ "DEL in a value", SIZED(GET HOST "X: a\x7F\r\n\r\n"), 400,
		  CLOSED },
		{ "bare CR in a value", SIZED(GET HOST "X: a\rb\r\n\r\n"), 400,
		  CLOSED },
		{ "bare CR for a line's end",
		  SIZED(GET "Host: x\rContent-Length: 0\r\n\r\n"), 400,
		  CLOSED },
		{ "bare LF behind the first line",
		  SIZED("GET /livez HTTP/1.1\n" HOST "\r\n"), 400, CLOSED },
		{ "bare LF behind a field", SIZED(GET "Host: x\nX: y\r\n\r\n"),
		  400, CLOSED },
		{ "bare LF hides a length",
		  SIZED(POST HOST "X: y\nContent-Length: 22\r\n\r\n" BODY), 400,
		  CLOSED },
		{ "bare LF at the end", SIZED(GET HOST "\n"), 400, CLOSED },
		{ "bare LF everywhere",
		  SIZED("GET /livez HTTP/1.1\nHost: x\n\n"), 400, CLOSED },
		{ "another Expect", SIZED(GET HOST "Expect: x\r\n\r\n"), 417,
		  CLOSED },
		{ "Expect with more",
		  SIZED(POST HOST LENGTH
			"Expect: 100-continue, x\r\n\r\n" BODY),
		  417, CLOSED },
	};

	CHECK(state, rows);
}

static void
first_lines_that_are_wrong_are_refused(void **state)
{
	static const struct row rows[] = {
		{ "no version", SIZED("GET /livez\r\n" HOST "\r\n"), 400,
		  CLOSED },
		{ "HTTP/0.9", SIZED("GET /livez HTTP/0.9\r\n" HOST "\r\n"), 505,
		  CLOSED },
		{ "HTTP/2.0", SIZED("GET /livez HTTP/2.0\r\n" HOST "\r\n"), 505,
		  CLOSED },
		{ "HTTP/2's preface", SIZED("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
		  505, CLOSED },
		{ "HTTP/3.0", SIZED("GET /livez HTTP/3.0\r\n" HOST "\r\n"), 505,
		  CLOSED },
		{ "HTTP/1.10", SIZED("GET /livez HTTP/1.10\r\n" HOST "\r\n"),
		  400, CLOSED },
		{ "HTTP/11", SIZED("GET /livez HTTP/11\r\n" HOST "\r\n"), 400,
		  CLOSED },
		{ "small letters", SIZED("GET /livez http/1.1\r\n" HOST "\r\n"),
		  400, CLOSED },
		{ "another protocol",
		  SIZED("GET /livez ICY/1.1\r\n" HOST "\r\n"), 400, CLOSED },
		{ "space in the target",
		  SIZED("GET /liv ez HTTP/1.1\r\n" HOST "\r\n"), 400, CLOSED },
		{ "two spaces first",
		  SIZED("GET  /livez HTTP/1.1\r\n" HOST "\r\n"), 400, CLOSED },
		{ "two spaces last",
		  SIZED("GET /livez  HTTP/1.1\r\n" HOST "\r\n"), 400, CLOSED },
		{ "space at the end",
		  SIZED("GET /livez HTTP/1.1 \r\n" HOST "\r\n"), 400, CLOSED },
		{ "tabs", SIZED("GET\t/livez\tHTTP/1.1\r\n" HOST "\r\n"), 400,
		  CLOSED },
		{ "brackets in a method",
		  SIZED("GE(T /livez HTTP/1.1\r\n" HOST "\r\n"), 400, CLOSED },
		{ "NUL in a method",
		  SIZED("GET\0 /livez HTTP/1.1\r\n" HOST "\r\n"), 400, CLOSED },
		{ "NUL in the target",
		  SIZED("GET /livez\0x HTTP/1.1\r\n" HOST "\r\n"), 400,
		  CLOSED },
		{ "bytes beyond ASCII in the target",
		  SIZED("GET /\xC3\xA9 HTTP/1.1\r\n" HOST "\r\n"), 400,
		  CLOSED },
		{ "no method", SIZED(" /livez HTTP/1.1\r\n" HOST "\r\n"), 400,
		  CLOSED },
		{ "no slash", SIZED("GET livez HTTP/1.1\r\n" HOST "\r\n"), 400,
		  CLOSED },
		{ "a whole URI",
		  SIZED("GET http://x/livez HTTP/1.1\r\n" HOST "\r\n"), 400,
		  CLOSED },
		{ "an authority",
		  SIZED("CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n"), 400,
		  CLOSED },
		{ "* for a GET", SIZED("GET * HTTP/1.1\r\n" HOST "\r\n"), 400,
		  CLOSED },
		{ "a word", SIZED("garbage\r\n\r\n"), 400, CLOSED },
		{ "JSON", SIZED("{\"name\":\"a\",\"data\":{}}\r\n\r\n"), 400,
		  CLOSED },
		{ "TLS",
		  SIZED("\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03"
			"\r\n\r\n"),
		  400, CLOSED },
	};

	CHECK(state, rows);
}

static void
pieces_of_one_byte_are_put_together(void **state)
{
	static const char request[] = POST HOST LENGTH "\r\n" BODY;
	const struct row row = { .what = "pieces", .status = 201 };
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
	const struct row row = { .what = "pipelined", .status = 201 };
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

/*
 * What a head may look like: each class of case that HTTP/1.1 framing tests
 * have, sent as bytes.  Whatever is refused is answered in JSON, and the
 * connection is closed.
 */
#include "client.h"
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define SIZED(bytes) bytes, sizeof(bytes) - 1
#define BODY	     "{\"name\":\"a\",\"data\":{}}"
#define BODY_LEN     "22"
#define POST	     "POST /api/v1/events HTTP/1.1\r\n"
#define GET	     "GET /livez HTTP/1.1\r\n"
#define HOST	     "Host: x\r\n"
#define LENGTH	     "Content-Length: " BODY_LEN "\r\n"

static const struct {
	const char *what, *bytes;
	size_t len;
	int status;
	bool closed;
} cases[] = {
	{ "plain GET", SIZED(GET HOST "\r\n"), 200, false },
	{ "plain POST", SIZED(POST HOST LENGTH "\r\n" BODY), 201, false },
	{ "empty lines first", SIZED("\r\n\r\n" GET HOST "\r\n"), 200, false },
	{ "field without value", SIZED(GET HOST "X-A:\r\n\r\n"), 200, false },
	{ "white space around a value",
	  SIZED(GET "Host: \t x \t\r\nX: \t\r\n\r\n"), 200, false },
	{ "names in any case",
	  SIZED(POST "hOST: x\r\ncONTENT-lENGTH: " BODY_LEN "\r\n\r\n" BODY),
	  201, false },
	{ "bytes beyond ASCII in a value",
	  SIZED(GET HOST "X: \xc3\xa9\r\n\r\n"), 200, false },
	{ "HTTP/1.0", SIZED("GET /livez HTTP/1.0\r\n\r\n"), 200, true },
	{ "HTTP/1.0 that wants to stay",
	  SIZED("GET /livez HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), 200,
	  true },
	{ "Connection: close", SIZED(GET HOST "Connection: close\r\n\r\n"), 200,
	  true },
	{ "chunked",
	  SIZED(POST HOST "Transfer-Encoding: chunked\r\n\r\n"
			  "16\r\n" BODY "\r\n0\r\n\r\n"),
	  201, true },
	{ "chunked, with extension and trailer",
	  SIZED(POST HOST "Transfer-Encoding: chunked\r\n\r\n"
			  "16;a=b\r\n" BODY "\r\n0\r\nX-T: 1\r\n\r\n"),
	  201, true },
	{ "zero length", SIZED(POST HOST "Content-Length: 0\r\n\r\n"), 422,
	  false },
	{ "leading zeros in the length",
	  SIZED(POST HOST "Content-Length: 0022\r\n\r\n" BODY), 201, false },

	{ "no Host", SIZED(GET "\r\n"), 400, true },
	{ "two Hosts", SIZED(GET HOST HOST "\r\n"), 400, true },
	{ "a Host that is none", SIZED(GET "Host: a/b\r\n\r\n"), 400, true },
	{ "Host with a user", SIZED(GET "Host: a@b\r\n\r\n"), 400, true },
	{ "blank before the colon", SIZED(GET "Host : x\r\n\r\n"), 400, true },
	{ "blank before the colon of a length",
	  SIZED(POST HOST "Content-Length : 22\r\n\r\n" BODY), 400, true },
	{ "blank before the colon of a coding",
	  SIZED(POST HOST "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"), 400,
	  true },
	{ "blank before the first name", SIZED(GET " Host: x\r\n\r\n"), 400,
	  true },
	{ "folded value", SIZED(GET HOST "X: a\r\n b\r\n\r\n"), 400, true },
	{ "folded coding",
	  SIZED(POST HOST "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n"),
	  400, true },
	{ "no name", SIZED(GET HOST ": x\r\n\r\n"), 400, true },
	{ "no colon", SIZED(GET HOST "X\r\n\r\n"), 400, true },
	{ "name of other bytes", SIZED(GET HOST "X\xc3\xa9: a\r\n\r\n"), 400,
	  true },
	{ "name in brackets", SIZED(GET HOST "X[]: a\r\n\r\n"), 400, true },
	{ "control character in a value", SIZED(GET HOST "X: a\x01\r\n\r\n"),
	  400, true },
	{ "DEL in a value", SIZED(GET HOST "X: a\x7f\r\n\r\n"), 400, true },
	{ "NUL in a value", SIZED(GET HOST "X: a\0b\r\n\r\n"), 400, true },
	{ "NUL at a value's end", SIZED(GET HOST "X: a\0\r\n\r\n"), 400, true },
	{ "NUL in a name", SIZED(GET HOST "X\0Y: a\r\n\r\n"), 400, true },
	{ "NUL in the target", SIZED("GET /livez\0b HTTP/1.1\r\n" HOST "\r\n"),
	  400, true },
	{ "bare CR in a value", SIZED(GET HOST "X: a\rb\r\n\r\n"), 400, true },
	{ "bare LF after the first line",
	  SIZED("GET /livez HTTP/1.1\n" HOST "\r\n"), 400, true },
	{ "bare LF after a field", SIZED(GET "Host: x\nX: y\r\n\r\n"), 400,
	  true },
	{ "bare LF at the end", SIZED(GET HOST "\n"), 400, true },
	{ "bare LF everywhere", SIZED("GET /livez HTTP/1.1\nHost:x\n\n"), 400,
	  true },

	{ "length and coding",
	  SIZED(POST HOST LENGTH "Transfer-Encoding: chunked\r\n\r\n" BODY),
	  400, true },
	{ "coding and length",
	  SIZED(POST HOST "Transfer-Encoding: chunked\r\n" LENGTH
			  "\r\n0\r\n\r\n"),
	  400, true },
	{ "two lengths", SIZED(POST HOST LENGTH LENGTH "\r\n" BODY), 400,
	  true },
	{ "two different lengths",
	  SIZED(POST HOST LENGTH "Content-Length: 3\r\n\r\n" BODY), 400, true },
	{ "a list of lengths",
	  SIZED(POST HOST "Content-Length: 22, 22\r\n\r\n" BODY), 400, true },
	{ "negative length", SIZED(POST HOST "Content-Length: -1\r\n\r\n"), 400,
	  true },
	{ "signed length", SIZED(POST HOST "Content-Length: +22\r\n\r\n" BODY),
	  400, true },
	{ "length in hex", SIZED(POST HOST "Content-Length: 0x16\r\n\r\n" BODY),
	  400, true },
	{ "no number", SIZED(POST HOST "Content-Length: abc\r\n\r\n"), 400,
	  true },
	{ "empty length", SIZED(POST HOST "Content-Length:\r\n\r\n"), 400,
	  true },
	{ "length beyond 64 bits",
	  SIZED(POST HOST "Content-Length: 99999999999999999999999\r\n\r\n"),
	  413, true },
	{ "length beyond the limit",
	  SIZED(POST HOST "Content-Length: 983041\r\n\r\n"), 413, true },
	{ "length at 2^64 - 1",
	  SIZED(POST HOST "Content-Length: 18446744073709551615\r\n\r\n"), 413,
	  true },
	{ "no length", SIZED(POST HOST "\r\n"), 411, true },
	{ "unknown coding",
	  SIZED(POST HOST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"), 400,
	  true },
	{ "two codings",
	  SIZED(POST HOST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
	  400, true },
	{ "coding twice",
	  SIZED(POST HOST "Transfer-Encoding: chunked\r\n"
			  "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
	  400, true },
	{ "identity coding",
	  SIZED(POST HOST "Transfer-Encoding: identity\r\n\r\n"), 400, true },
	{ "coding in HTTP/1.0",
	  SIZED("POST /api/v1/events HTTP/1.0\r\n"
		"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
	  400, true },
	{ "chunk size that is none",
	  SIZED(POST HOST "Transfer-Encoding: chunked\r\n\r\nxyz\r\n"), 400,
	  true },
	{ "chunk size beyond 64 bits",
	  SIZED(POST HOST "Transfer-Encoding: chunked\r\n\r\n"
			  "fffffffffffffffff\r\n"),
	  413, true },
	{ "chunk longer than its size",
	  SIZED(POST HOST "Transfer-Encoding: chunked\r\n\r\n"
			  "2\r\n{}}}\r\n0\r\n\r\n"),
	  400, true },

	{ "no version", SIZED("GET /livez\r\n" HOST "\r\n"), 400, true },
	{ "HTTP/0.9", SIZED("GET /livez HTTP/0.9\r\n" HOST "\r\n"), 505, true },
	{ "HTTP/2.0", SIZED("GET /livez HTTP/2.0\r\n" HOST "\r\n"), 505, true },
	{ "HTTP/1.2 is HTTP/1.x", SIZED("GET /livez HTTP/1.2\r\n" HOST "\r\n"),
	  200, false },
	{ "HTTP/1.10", SIZED("GET /livez HTTP/1.10\r\n" HOST "\r\n"), 400,
	  true },
	{ "http/1.1 in small letters",
	  SIZED("GET /livez http/1.1\r\n" HOST "\r\n"), 400, true },
	{ "another protocol", SIZED("GET /livez ICE/1.0\r\n" HOST "\r\n"), 400,
	  true },
	{ "blank in the target", SIZED("GET /liv ez HTTP/1.1\r\n" HOST "\r\n"),
	  400, true },
	{ "two blanks after the method",
	  SIZED("GET  /livez HTTP/1.1\r\n" HOST "\r\n"), 400, true },
	{ "two blanks before the version",
	  SIZED("GET /livez  HTTP/1.1\r\n" HOST "\r\n"), 400, true },
	{ "blank after the version",
	  SIZED("GET /livez HTTP/1.1 \r\n" HOST "\r\n"), 400, true },
	{ "tab for a blank", SIZED("GET\t/livez HTTP/1.1\r\n" HOST "\r\n"), 400,
	  true },
	{ "method of other bytes",
	  SIZED("GE(T /livez HTTP/1.1\r\n" HOST "\r\n"), 400, true },
	{ "no method", SIZED(" /livez HTTP/1.1\r\n" HOST "\r\n"), 400, true },
	{ "target without slash", SIZED("GET livez HTTP/1.1\r\n" HOST "\r\n"),
	  400, true },
	{ "a whole URI", SIZED("GET http://x/livez HTTP/1.1\r\n" HOST "\r\n"),
	  400, true },
	{ "star for a GET", SIZED("GET * HTTP/1.1\r\n" HOST "\r\n"), 400,
	  true },
	{ "star for OPTIONS", SIZED("OPTIONS * HTTP/1.1\r\n" HOST "\r\n"), 204,
	  false },
	{ "a word", SIZED("garbage\r\n\r\n"), 400, true },
	{ "a TLS greeting",
	  SIZED("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"), 400,
	  true },
	{ "other expectation", SIZED(GET HOST "Expect: a\r\n\r\n"), 417, true },
	{ "expectation twice",
	  SIZED(GET HOST
		"Expect: 100-continue\r\nExpect: 100-continue\r\n\r\n"),
	  417, true },
};

static int
set_up(void **state)
{
	static struct rig rig;

	rig_init(&rig);
	rig_start(&rig, NULL);
	*state = &rig;
	return 0;
}

static int
tear_down(void **state)
{
	rig_stop(*state);
	return 0;
}

/* Shows all that is wrong, not only the first. */
static bool
judge(size_t i, const struct answer *answer, bool closed, const char *how)
{
	bool json = answer->body_len > 0 && answer->body[0] == '{';

	if (answer->status == cases[i].status && closed == cases[i].closed &&
	    (json || answer->status == 204))
		return true;
	print_error("%s (%s): %d instead of %d, closed %d instead of %d, "
		    "body %s\n",
		    cases[i].what, how, answer->status, cases[i].status, closed,
		    cases[i].closed, answer->body);
	return false;
}

static void
send_case(const struct rig *rig, size_t i, size_t cut, struct answer *ret,
	  bool *ret_closed)
{
	int fd = client_open(rig);

	client_send(fd, cases[i].bytes, cut);
	client_send(fd, cases[i].bytes + cut, cases[i].len - cut);
	client_read(fd, ret, false);
	*ret_closed = cases[i].closed ? client_sees_end(fd) : false;
	close(fd);
}

static void
every_head_is_judged_by_the_table(void **state)
{
	static struct answer answer;
	unsigned wrong = 0;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool closed;

		send_case(*state, i, 0, &answer, &closed);
		wrong += !judge(i, &answer, closed, "at once");
	}
	assert_int_equal(wrong, 0);
}

static void
a_head_in_two_pieces_is_judged_alike(void **state)
{
	static struct answer answer;
	unsigned wrong = 0;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool closed;

		send_case(*state, i, cases[i].len / 2, &answer, &closed);
		wrong += !judge(i, &answer, closed, "in two");
	}
	assert_int_equal(wrong, 0);
}

static void
a_refused_head_among_idle_connections_is_still_json(void **state)
{
	static struct answer answer;
	int idle[20];

	for (int i = 0; i < 20; i++) {
		idle[i] = client_open(*state);
		client_str(idle[i], GET HOST "\r\n");
		client_read(idle[i], &answer, false);
		assert_int_equal(answer.status, 200);
	}
	client_call(*state, GET HOST "no colon\r\n\r\n", &answer);
	assert_int_equal(answer.status, 400);
	assert_string_equal(answer.body, "{\"detail\":\"Malformed request\"}");
	for (int i = 0; i < 20; i++) {
		client_str(idle[i], GET HOST "\r\n");
		client_read(idle[i], &answer, false);
		assert_int_equal(answer.status, 200);
		close(idle[i]);
	}
}

static void
call_with_header(const struct rig *rig, size_t n, struct answer *ret)
{
	static char request[200000];
	size_t len =
		(size_t)snprintf(request, sizeof(request), "%sX: ", GET HOST);

	memset(request + len, 'a', n);
	memcpy(request + len + n, "\r\n\r\n", 5);
	client_call(rig, request, ret);
}

static void
headers_beyond_the_limit_get_431(void **state)
{
	static struct answer answer;

	call_with_header(*state, 16000, &answer);
	assert_int_equal(answer.status, 200);
	for (size_t n = 16384; n < 180000; n = n * 3 / 2) {
		call_with_header(*state, n, &answer);
		assert_int_equal(answer.status, 431);
		assert_string_equal(answer.body,
				    "{\"detail\":\"Request header too "
				    "large\"}");
		assert_true(answer.closed);
	}
}

static void
a_thousand_small_fields_get_431(void **state)
{
	static char request[100000];
	static struct answer answer;
	size_t len = (size_t)snprintf(request, sizeof(request), "%s", GET HOST);

	for (int i = 0; i < 1000; i++)
		len += (size_t)snprintf(request + len, sizeof(request) - len,
					"a:b\r\n");
	snprintf(request + len, sizeof(request) - len, "\r\n");
	client_call(*state, request, &answer);
	assert_int_equal(answer.status, 431);
	assert_true(answer.closed);
}

static void
a_target_beyond_all_memory_gets_414(void **state)
{
	static char request[200000];
	static struct answer answer;

	memset(request, 'a', 190000);
	memcpy(request, "GET /", 5);
	client_call(*state, request, &answer);
	assert_int_equal(answer.status, 414);
	assert_string_equal(answer.body,
			    "{\"detail\":\"Request target too long\"}");
}

static void
pipelined_requests_are_answered_in_turn(void **state)
{
	static struct answer answer;
	int fd = client_open(*state);

	client_str(fd, GET HOST "\r\n" POST HOST LENGTH "\r\n" BODY
				"GET /nowhere HTTP/1.1\r\n" HOST "\r\n");
	client_read(fd, &answer, false);
	assert_int_equal(answer.status, 200);
	client_read(fd, &answer, false);
	assert_int_equal(answer.status, 201);
	client_read(fd, &answer, false);
	assert_int_equal(answer.status, 404);
	close(fd);
}

static void
a_byte_at_a_time_is_a_request(void **state)
{
	static const char request[] = POST HOST LENGTH "\r\n" BODY;
	static struct answer answer;
	int fd = client_open(*state);

	for (size_t i = 0; i < sizeof(request) - 1; i++)
		client_send(fd, request + i, 1);
	client_read(fd, &answer, false);
	assert_int_equal(answer.status, 201);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_head_is_judged_by_the_table),
		cmocka_unit_test(a_head_in_two_pieces_is_judged_alike),
		cmocka_unit_test(
			a_refused_head_among_idle_connections_is_still_json),
		cmocka_unit_test(headers_beyond_the_limit_get_431),
		cmocka_unit_test(a_thousand_small_fields_get_431),
		cmocka_unit_test(a_target_beyond_all_memory_gets_414),
		cmocka_unit_test(pipelined_requests_are_answered_in_turn),
		cmocka_unit_test(a_byte_at_a_time_is_a_request),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

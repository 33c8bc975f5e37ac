/*
 * How much a client may send, how long it may take, and how many there may be.
 * Times and counts are short in the APIs that are tried here; sizes are those
 * that are shipped.
 */
#include "api.h"
#include "service.h"
#include "wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define BODY_MAX    (960 * 1024)
#define ANSWER_MS   60000
#define HEADER_MS   600
#define BODY_MS	    900
#define IDLE_MS	    1200
#define TRICKLE_MS  50
#define CONNECTIONS 3
#define MEMORY_HALF 600000

#define TOO_LARGE "{\"detail\":\"The body is larger than max_body = 960 KiB\"}"
#define TOO_SLOW  "{\"detail\":\"The request took too long to arrive\"}"
#define ALIVE	  "{\"status\":\"alive\"}"
#define GET	  "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
#define USER	  "{\"name\":\"user.created\",\"data\":{\"user_id\":123}}"

static struct daemon hasty;  /* short times */
static struct daemon narrow; /* few connections, little memory for bodies */

static int
port_of(void **state)
{
	const struct service *s = *state;

	return s->api.api_port;
}

/* A right body of exactly this many bytes; yours. */
static char *
body_of(size_t size)
{
	static const char before[] = "{\"name\":\"big\",\"data\":{\"s\":\"";
	char *body = malloc(size + 1);

	assert_non_null(body);
	memset(body, 'x', size);
	memcpy(body, before, sizeof(before) - 1);
	memcpy(body + size - 3, "\"}}", 4);
	return body;
}

static void
head_say(struct wire *wire, size_t length, const char *more)
{
	char head[512];

	snprintf(head, sizeof(head),
		 "POST " API_EVENTS " HTTP/1.1\r\nHost: x\r\n"
		 "Content-Length: %zu\r\n%s\r\n",
		 length, more);
	assert_true(wire_say(wire, head));
}

static void
a_body_of_960_kib_is_taken_and_kept(void **state)
{
	char *body = body_of(BODY_MAX);
	struct http_answer a = http_call(port_of(state), "POST", API_EVENTS,
					 body, BODY_MAX, NULL);
	char id[API_ID_MAX];
	char *expected = malloc(BODY_MAX + 512);

	assert_non_null(expected);
	assert_int_equal(a.status, 201);
	assert_int_equal(sscanf(a.body, "{\"id\":\"%36[0-9a-f-]\"", id), 1);
	http_answer_fini(&a);
	snprintf(expected, BODY_MAX + 512,
		 "{\"id\":\"%s\",\"name\":\"big\",\"data\":%.*s,"
		 "\"status\":\"pending\",\"created_at\":\"<time>\","
		 "\"processed_at\":null,\"attempts\":0,\"error\":null}",
		 id, BODY_MAX - 22, body + 21);
	api_expect_shape(api_event(port_of(state), id), 200, expected);
	free(expected);
	free(body);
}

static void
a_longer_body_is_refused_before_it_is_read(void **state)
{
	struct wire wire;

	wire_open(&wire, port_of(state));
	head_say(&wire, BODY_MAX + 1, "");
	api_expect(wire_answer(&wire, ANSWER_MS), 413, TOO_LARGE);
	assert_true(wire_closes(&wire, ANSWER_MS));
	wire_close(&wire);
}

/* The client may send on until it looks: its answer must still be there. */
static void
a_longer_body_that_comes_all_the_same_gets_its_413(void **state)
{
	char *body = body_of(BODY_MAX + 1);
	struct wire wire;

	wire_open(&wire, port_of(state));
	head_say(&wire, BODY_MAX + 1, "");
	(void)wire_send(&wire, body, BODY_MAX + 1);
	api_expect(wire_answer(&wire, ANSWER_MS), 413, TOO_LARGE);
	assert_true(wire_closes(&wire, ANSWER_MS));
	assert_false(wire.reset);
	wire_close(&wire);
	free(body);
}

static void
chunks_are_refused_where_they_pass_the_limit(void **state)
{
	struct wire wire;
	char *body = body_of(BODY_MAX + 1);
	char size[32];

	wire_open(&wire, port_of(state));
	assert_true(wire_say(&wire,
			     "POST " API_EVENTS " HTTP/1.1\r\nHost: x\r\n"
			     "Transfer-Encoding: chunked\r\n\r\n"));
	snprintf(size, sizeof(size), "%x\r\n", BODY_MAX + 1);
	assert_true(wire_say(&wire, size));
	(void)wire_send(&wire, body, BODY_MAX + 1);
	(void)wire_say(&wire, "\r\n0\r\n\r\n");
	api_expect(wire_answer(&wire, ANSWER_MS), 413, TOO_LARGE);
	assert_true(wire_closes(&wire, ANSWER_MS));
	wire_close(&wire);
	free(body);
}

static void
expect_100_is_answered_when_the_head_is_right(void **state)
{
	struct wire wire;
	struct http_answer a;

	wire_open(&wire, port_of(state));
	head_say(&wire, strlen(USER), "Expect: 100-continue\r\n");
	a = wire_answer(&wire, ANSWER_MS);
	assert_int_equal(a.status, 100);
	http_answer_fini(&a);
	assert_true(wire_say(&wire, USER));
	a = wire_answer(&wire, ANSWER_MS);
	assert_int_equal(a.status, 201);
	http_answer_fini(&a);
	wire_close(&wire);
}

static void
expect_100_is_not_answered_when_the_head_is_wrong(void **state)
{
	static const struct {
		size_t length;
		const char *more;
		long status;
	} rows[] = {
		{ BODY_MAX + 1, "Expect: 100-continue\r\n", 413 },
		{ 10, "Expect: 100-continue\r\nContent-Type: text/plain\r\n",
		  415 },
		{ 10, "Expect: 100-continue\r\nContent-Encoding: gzip\r\n",
		  415 },
		{ 10, "Expect: 100-continue\r\nContent-Length: 9\r\n", 400 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct wire wire;
		struct http_answer a;

		wire_open(&wire, port_of(state));
		head_say(&wire, rows[i].length, rows[i].more);
		a = wire_answer(&wire, ANSWER_MS);
		assert_int_equal(a.status, rows[i].status);
		http_answer_fini(&a);
		assert_true(wire_closes(&wire, ANSWER_MS));
		wire_close(&wire);
	}
}

/* A GET with n fields of 5 bytes and so many more. */
static struct http_answer
get_with_fields(int port, size_t n, size_t more)
{
	char *head = calloc(1, n * (more + 5) + 64);
	char *end;
	struct http_answer a;
	struct wire wire;

	assert_non_null(head);
	end = stpcpy(head, "GET /livez HTTP/1.1\r\nHost: x\r\n");
	while (n-- > 0) {
		end = stpcpy(end, "X: ");
		memset(end, 'x', more);
		end = stpcpy(end + more, "\r\n");
	}
	stpcpy(end, "\r\n");
	wire_open(&wire, port);
	(void)wire_say(&wire, head);
	a = wire_answer(&wire, ANSWER_MS);
	if (a.status != 200)
		assert_true(wire_closes(&wire, ANSWER_MS));
	wire_close(&wire);
	free(head);
	return a;
}

static void
heads_beyond_16_kib_are_431(void **state)
{
	static const struct {
		size_t n, more;
		long status;
	} rows[] = {
		{ 140, 100, 200 }, { 1, 14900, 200 },  { 155, 100, 200 },
		{ 157, 100, 431 }, { 1, 16800, 431 },  { 400, 100, 431 },
		{ 2000, 3, 431 },  { 1, 190000, 431 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		api_expect(get_with_fields(port_of(state), rows[i].n,
					   rows[i].more),
			   rows[i].status,
			   rows[i].status == 200
				   ? ALIVE
				   : "{\"detail\":\"Request header too "
				     "large\"}");
}

static void
a_target_beyond_16_kib_is_refused_with_its_head(void **state)
{
	char *head = malloc(20000);
	char *end;
	struct http_answer a;
	struct wire wire;

	assert_non_null(head);
	end = stpcpy(head, "GET /");
	memset(end, 'x', 18000);
	stpcpy(end + 18000, " HTTP/1.1\r\nHost: x\r\n\r\n");
	wire_open(&wire, port_of(state));
	(void)wire_say(&wire, head);
	a = wire_answer(&wire, ANSWER_MS);
	assert_int_equal(a.status, 431);
	http_answer_fini(&a);
	assert_true(wire_closes(&wire, ANSWER_MS));
	wire_close(&wire);
	free(head);
}

/* Says these bytes again and again, slowly, until something comes. */
static void
trickle(struct wire *wire, const char *bytes)
{
	const struct timespec pause = { 0, TRICKLE_MS * 1000 * 1000 };
	long due_ms = world_now_ms() + ANSWER_MS;

	while (wire_say(wire, bytes) && !wire_has_more(wire)) {
		assert_true(world_now_ms() < due_ms);
		/* Slowness is what is tried here. */
		nanosleep(&pause, NULL);
	}
}

static void
a_slow_head_is_408_however_steadily_it_comes(void **state)
{
	long begin_ms = world_now_ms();
	struct wire wire;

	(void)state;
	wire_open(&wire, hasty.api_port);
	assert_true(wire_say(&wire, "GET /livez HTTP/1.1\r\nHost: x\r\nX: "));
	trickle(&wire, "x");
	assert_true(world_now_ms() - begin_ms >= HEADER_MS - 100);
	api_expect(wire_answer(&wire, ANSWER_MS), 408, TOO_SLOW);
	assert_true(wire_closes(&wire, ANSWER_MS));
	wire_close(&wire);
}

static void
a_slow_body_is_408_however_steadily_it_comes(void **state)
{
	long begin_ms = world_now_ms();
	struct wire wire;

	(void)state;
	wire_open(&wire, hasty.api_port);
	head_say(&wire, 100000, "");
	trickle(&wire, " ");
	assert_true(world_now_ms() - begin_ms >= BODY_MS - 100);
	api_expect(wire_answer(&wire, ANSWER_MS), 408, TOO_SLOW);
	assert_true(wire_closes(&wire, ANSWER_MS));
	wire_close(&wire);
}

/* False when it was taken for idle before it said a word, as happens on a
 * busy machine. */
static bool
is_heard(struct wire *wire, long *ret_begin_ms)
{
	struct http_answer a;

	wire_open(wire, hasty.api_port);
	*ret_begin_ms = world_now_ms();
	(void)wire_say(wire, GET);
	a = wire_answer(wire, ANSWER_MS);
	if (a.status != 0) {
		api_expect(a, 200, ALIVE);
		return true;
	}
	http_answer_fini(&a);
	wire_close(wire);
	return false;
}

static void
an_idle_connection_is_closed_without_a_word(void **state)
{
	struct wire wire;
	long begin_ms;

	(void)state;
	for (int i = 0; !is_heard(&wire, &begin_ms); i++)
		assert_true(i < 10);
	assert_true(wire_closes(&wire, ANSWER_MS));
	assert_true(world_now_ms() - begin_ms >= IDLE_MS - 100);
	wire_close(&wire);
	/* So is one that never said anything. */
	wire_open(&wire, hasty.api_port);
	assert_true(wire_closes(&wire, ANSWER_MS));
	wire_close(&wire);
}

static bool
is_alive(void *arg)
{
	struct http_answer a = api_get(*(int *)arg, "/livez");
	bool alive = a.status == 200 && strcmp(a.body, ALIVE) == 0;

	http_answer_fini(&a);
	return alive;
}

static void
connections_beyond_the_limit_wait_or_are_closed(void **state)
{
	struct wire wires[CONNECTIONS + 1];
	struct http_answer a;

	(void)state;
	for (int i = 0; i < CONNECTIONS; i++) {
		wire_open(&wires[i], narrow.api_port);
		assert_true(wire_say(&wires[i], GET));
		api_expect(wire_answer(&wires[i], ANSWER_MS), 200, ALIVE);
	}
	wire_open(&wires[CONNECTIONS], narrow.api_port);
	(void)wire_say(&wires[CONNECTIONS], GET);
	a = wire_answer(&wires[CONNECTIONS], 500);
	assert_int_equal(a.status, 0);
	http_answer_fini(&a);
	/* Those that are there are served on. */
	assert_true(wire_say(&wires[0], GET));
	api_expect(wire_answer(&wires[0], ANSWER_MS), 200, ALIVE);
	for (int i = 0; i <= CONNECTIONS; i++)
		wire_close(&wires[i]);
	world_await(is_alive, &narrow.api_port, ANSWER_MS, "room for one more");
}

static void
bodies_beyond_their_memory_are_503(void **state)
{
	struct wire wires[2];
	char value[16];
	struct http_answer a;
	char *body = body_of(MEMORY_HALF);

	(void)state;
	wire_open(&wires[0], narrow.api_port);
	head_say(&wires[0], MEMORY_HALF, "Expect: 100-continue\r\n");
	a = wire_answer(&wires[0], ANSWER_MS);
	assert_int_equal(a.status, 100);
	http_answer_fini(&a);
	assert_true(wire_send(&wires[0], body, MEMORY_HALF - 1));
	/* Until the server has read what it was sent. */
	for (int i = 0; i < 1000; i++) {
		wire_open(&wires[1], narrow.api_port);
		head_say(&wires[1], MEMORY_HALF, "Expect: 100-continue\r\n");
		a = wire_answer(&wires[1], ANSWER_MS);
		if (a.status != 100)
			break;
		http_answer_fini(&a);
		wire_close(&wires[1]);
	}
	assert_string_equal(
		http_answer_header(&a, "Retry-After", value, sizeof(value)),
		"1");
	api_expect(a, 503,
		   "{\"detail\":\"Too much is being read\","
		   "\"outcome\":\"refused\"}");
	wire_close(&wires[1]);
	assert_true(wire_send(&wires[0], body + MEMORY_HALF - 1, 1));
	a = wire_answer(&wires[0], ANSWER_MS);
	assert_int_equal(a.status, 201);
	http_answer_fini(&a);
	wire_close(&wires[0]);
	free(body);
}

#define MS(n)  MS_(n)
#define MS_(n) #n "ms"
#define NR(n)  NR_(n)
#define NR_(n) #n

static int
setup(void **state)
{
	int rc = service_setup_api(state);

	service_api(
		*state, &hasty, "hasty",
		(const char *const[]){
			"plugin = \"http_ingest\"",
			"plugin = \"http_ingest\"\n"
			"\theader_timeout = \"" MS(
				HEADER_MS) "\"\n"
					   "\tbody_timeout = \"" MS(
						   BODY_MS) "\"\n"
							    "\tidle_timeout = "
							    "\"" MS(IDLE_MS) "\"",
			NULL });
	service_api(*state, &narrow, "narrow",
		    (const char *const[]){
			    "plugin = \"http_ingest\"",
			    "plugin = \"http_ingest\"\n"
			    "\tloops = 1\n"
			    "\tconnections = " NR(
				    CONNECTIONS) "\n"
						 "\tbody_memory = \"1M\"",
			    NULL });
	return rc;
}

static int
teardown(void **state)
{
	assert_int_equal(daemon_stop(&hasty, SERVICE_STOP_MS), 0);
	assert_int_equal(daemon_stop(&narrow, SERVICE_STOP_MS), 0);
	return service_teardown(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_body_of_960_kib_is_taken_and_kept),
		cmocka_unit_test(a_longer_body_is_refused_before_it_is_read),
		cmocka_unit_test(
			a_longer_body_that_comes_all_the_same_gets_its_413),
		cmocka_unit_test(chunks_are_refused_where_they_pass_the_limit),
		cmocka_unit_test(expect_100_is_answered_when_the_head_is_right),
		cmocka_unit_test(
			expect_100_is_not_answered_when_the_head_is_wrong),
		cmocka_unit_test(heads_beyond_16_kib_are_431),
		cmocka_unit_test(
			a_target_beyond_16_kib_is_refused_with_its_head),
		cmocka_unit_test(a_slow_head_is_408_however_steadily_it_comes),
		cmocka_unit_test(a_slow_body_is_408_however_steadily_it_comes),
		cmocka_unit_test(an_idle_connection_is_closed_without_a_word),
		cmocka_unit_test(
			connections_beyond_the_limit_wait_or_are_closed),
		cmocka_unit_test(bodies_beyond_their_memory_are_503),
	};

	return cmocka_run_group_tests_name("http_limits", tests, setup,
					   teardown);
}

/*
 * What clients hear while something is away: Kafka frozen, stopped, its window
 * full, PostgreSQL stopped or frozen, the API draining, no store at all.  Each
 * test leaves the servers as it found them.
 */
#include "api.h"
#include "service.h"
#include "table.h"
#include "wire.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define USER "{\"name\":\"user.created\",\"data\":{\"user_id\":123}}"
/* 13 s are promised for a whole answer; the rest is what a busy machine adds.
 */
#define ANSWER_MS  45000
#define AT_ONCE_MS 7000	 /* who waits for the broker, waits for 8 s */
#define BACK_MS	   60000 /* for a server to be found again */
#define ROW_MS	   60000

#define REFUSED(sentence)                                                      \
	"{\"detail\":\"" sentence "\",\"outcome\":\"refused\"}"
#define UNKNOWN	   "{\"detail\":\"<text>\",\"outcome\":\"unknown\"}"
#define AWAY	   REFUSED("Events cannot be taken at the moment")
#define STORE_AWAY "{\"detail\":\"The store is not ready\"}"

static int
port_of(void **state)
{
	const struct service *s = *state;

	return s->api.api_port;
}

static void
expect_retry_after(const struct http_answer *a, const char *seconds)
{
	char value[16];

	assert_string_equal(
		http_answer_header(a, "Retry-After", value, sizeof(value)),
		seconds);
}

static const char post[] = "POST " API_EVENTS " HTTP/1.1\r\nHost: x\r\n"
			   "Content-Length: 46\r\n\r\n" USER;

static void
post_say(struct wire *wire, int port)
{
	wire_open(wire, port);
	assert_true(wire_say(wire, post));
}

/* The one POST that hangs at a broker has come so far. */
static bool
is_in_flight(void *arg)
{
	struct http_answer a = api_get(daemon_admin_port(arg), "/metrics");
	bool is = strstr(a.body, "\nevh_in_flight{pipeline=\"create\"} 1\n");

	http_answer_fini(&a);
	return is;
}

static void
post_hang(struct wire *wire, struct daemon *d)
{
	post_say(wire, d->api_port);
	world_await(is_in_flight, d, BACK_MS, "a POST is in flight");
}

static bool
is_taken(void *arg)
{
	struct http_answer a = api_post(*(int *)arg, USER);
	bool taken = a.status == 201;

	http_answer_fini(&a);
	return taken;
}

static bool
is_away(void *arg)
{
	struct http_answer a = api_post(*(int *)arg, USER);
	bool away = a.status == 503 && strcmp(a.body, AWAY) == 0;

	http_answer_fini(&a);
	return away;
}

static void
await_taken(void **state)
{
	int port = port_of(state);

	world_await(is_taken, &port, BACK_MS, "a POST is taken again");
}

/* A POST that must be answered like this, at once. */
static void
expect_at_once(int port, long status, const char *body, const char *seconds)
{
	long begin_ms = world_now_ms();
	struct http_answer a = api_post(port, USER);

	expect_retry_after(&a, seconds);
	api_expect(a, status, body);
	assert_in_range(world_now_ms() - begin_ms, 0, AT_ONCE_MS);
}

static void
a_full_window_is_503_and_told_as_refused(void **state)
{
	struct service *s = *state;
	struct daemon small;
	struct wire wire;

	service_api(s, &small, "small",
		    (const char *const[]){ "in_flight = 10000", "in_flight = 1",
					   NULL });
	world_await(is_taken, &small.api_port, BACK_MS, "a POST is taken");
	world_servers("freeze-kafka");
	post_hang(&wire, &small);
	expect_at_once(small.api_port, 503,
		       REFUSED("Too many events are in flight"), "1");
	world_servers("thaw-kafka");
	api_expect_shape(wire_answer(&wire, ANSWER_MS), 201,
			 "{\"id\":\"<id>\",<text>}");
	wire_close(&wire);
	world_await(is_taken, &small.api_port, BACK_MS, "a POST is taken");
	assert_int_equal(daemon_stop(&small, SERVICE_STOP_MS), 0);
}

static void
a_frozen_broker_is_unknown_first_then_refused_at_once(void **state)
{
	int port = port_of(state);
	long begin_ms;
	struct http_answer a;

	/* A delivery of just now: for a while its absence is not believed. */
	await_taken(state);
	begin_ms = world_now_ms();
	world_servers("freeze-kafka");
	a = api_post(port, USER);
	assert_in_range(world_now_ms() - begin_ms, 8000, ANSWER_MS);
	api_expect_shape(a, 503, UNKNOWN);
	world_await(is_away, &port, BACK_MS, "the broker is known to be away");
	expect_at_once(port, 503, AWAY, "5");
	api_expect_shape(api_get(port, "/health"), 503,
			 "{\"status\":\"unhealthy\",\"checks\":{\"kafka\":"
			 "\"<text>\"}}");
	api_expect_shape(api_get(port, "/readyz"), 503,
			 "{\"status\":\"not ready\",\"reasons\":[\"kafka: "
			 "<text>\"]}");
	api_expect(api_get(port, "/livez"), 200, "{\"status\":\"alive\"}");
	/* Reading goes on. */
	a = api_get(port, API_EVENTS "?limit=1");
	assert_int_equal(a.status, 200);
	http_answer_fini(&a);
	world_servers("thaw-kafka");
	await_taken(state);
	api_expect(api_get(port, "/health"), 200, "{\"status\":\"healthy\"}");
}

static void
no_report_in_time_tells_when_to_try_again(void **state)
{
	struct http_answer a;
	char value[16];

	await_taken(state);
	world_servers("freeze-kafka");
	a = api_post(port_of(state), USER);
	http_answer_header(&a, "Retry-After", value, sizeof(value));
	if (strcmp(value, "1") != 0 && strcmp(value, "5") != 0)
		fail_msg("Retry-After is \"%s\"", value);
	api_expect_shape(a, 503, UNKNOWN);
	world_servers("thaw-kafka");
	await_taken(state);
}

static void
a_stopped_broker_is_refused_at_once_and_found_again(void **state)
{
	int port = port_of(state);

	world_servers("stop-kafka");
	world_await(is_away, &port, BACK_MS, "the broker is known to be away");
	expect_at_once(port, 503, AWAY, "5");
	world_servers("start-kafka");
	await_taken(state);
}

static void
post_goes_on_and_reads_are_503_while_the_store_is_stopped(void **state)
{
	int port = port_of(state);
	long begin_ms;
	char id[API_ID_MAX];
	struct http_answer a;

	api_make(port, "before", "{}", id);
	world_servers("stop-postgres");
	begin_ms = world_now_ms();
	a = api_event(port, id);
	expect_retry_after(&a, "5");
	api_expect(a, 503, STORE_AWAY);
	a = api_get(port, API_EVENTS);
	expect_retry_after(&a, "5");
	api_expect(a, 503, STORE_AWAY);
	a = api_retry(port, id);
	expect_retry_after(&a, "5");
	api_expect(a, 503, REFUSED("The store is not ready"));
	assert_in_range(world_now_ms() - begin_ms, 0, ANSWER_MS);
	for (int i = 0; i < 5; i++) {
		begin_ms = world_now_ms();
		api_make(port, "meanwhile", "{}", id);
		assert_in_range(world_now_ms() - begin_ms, 0,
				1000 + AT_ONCE_MS);
	}
	api_expect_shape(api_get(port, "/health"), 200,
			 "{\"status\":\"degraded\",\"checks\":{\"events\":"
			 "\"<text>\"}}");
	api_expect(api_get(port, "/readyz"), 200, "{\"status\":\"ready\"}");
	world_servers("start-postgres");
	/* The row follows.  Who reads it is there again, who writes may wait
	 * for its next try yet. */
	api_await(port, id, "processed", ROW_MS);
	world_await(api_is_healthy, &port, BACK_MS, "the store is there again");
}

static void
a_frozen_store_holds_a_post_up_for_a_second_and_a_read_not_for_ever(
	void **state)
{
	int port = port_of(state);
	long begin_ms = world_now_ms();
	char id[API_ID_MAX], value[16];
	struct http_answer a;

	world_servers("freeze-postgres");
	begin_ms = world_now_ms();
	api_make(port, "frozen", "{}", id);
	assert_in_range(world_now_ms() - begin_ms, 0, 1000 + AT_ONCE_MS);
	begin_ms = world_now_ms();
	a = api_event(port, id);
	assert_int_equal(a.status, 503);
	http_answer_header(&a, "Retry-After", value, sizeof(value));
	assert_true(value[0] != '\0');
	http_answer_fini(&a);
	assert_in_range(world_now_ms() - begin_ms, 0, ANSWER_MS);
	world_servers("thaw-postgres");
	api_await(port, id, "processed", ROW_MS);
}

static void
without_a_store_reads_are_501_and_posts_are_taken(void **state)
{
	static const char no_store[] = "{\"detail\":\"No store is "
				       "configured\"}";
	static const char id[] = "019aad2c-6c1e-7b3a-9d5e-0f4c1b2a3d4e";
	struct daemon bare;
	char made[API_ID_MAX];

	service_api(
		*state, &bare, "bare",
		(const char *const[]){ "\tstore = \"events\"\n", "", NULL });
	api_make(bare.api_port, "bare", "{}", made);
	api_expect(api_event(bare.api_port, id), 501, no_store);
	api_expect(api_get(bare.api_port, API_EVENTS), 501, no_store);
	api_expect(api_retry(bare.api_port, id), 501, no_store);
	assert_int_equal(daemon_stop(&bare, SERVICE_STOP_MS), 0);
}

static bool
is_refusing(void *arg)
{
	struct http_answer a = api_get(*(int *)arg, "/livez");
	bool refusing = a.status == 0;

	http_answer_fini(&a);
	return refusing;
}

/* All of a request but its last byte, on a connection that the loop has: it has
 * answered another there. */
static void
begin_say(struct wire *wire, int port, const char *request)
{
	wire_open(wire, port);
	assert_true(wire_say(wire, "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"));
	api_expect(wire_answer(wire, ANSWER_MS), 200, "{\"status\":\"alive\"}");
	assert_true(wire_send(wire, request, strlen(request) - 1));
}

/* While one POST hangs at the frozen broker, the API is told to stop. */
static void
while_draining_posts_are_refused_and_what_is_in_flight_is_answered(void **state)
{
	struct daemon ending;
	struct wire hangs, kept[2];
	struct http_answer a;

	service_api(*state, &ending, "ending", NULL);
	world_await(is_taken, &ending.api_port, BACK_MS, "a POST is taken");
	world_servers("freeze-kafka");
	post_hang(&hangs, &ending);
	begin_say(&kept[0], ending.api_port, post);
	begin_say(&kept[1], ending.api_port,
		  "GET /readyz HTTP/1.1\r\n"
		  "Host: x\r\n\r\n");
	assert_int_equal(kill(ending.pid, SIGTERM), 0);
	world_await(is_refusing, &ending.api_port, BACK_MS,
		    "the listener is closed");
	assert_true(wire_say(&kept[0], "}"));
	a = wire_answer(&kept[0], ANSWER_MS);
	expect_retry_after(&a, "1");
	api_expect(a, 503, REFUSED("The service is stopping"));
	assert_true(wire_closes(&kept[0], ANSWER_MS));
	assert_true(wire_say(&kept[1], "\n"));
	api_expect_shape(wire_answer(&kept[1], ANSWER_MS), 503,
			 "{\"status\":\"not ready\",\"reasons\":[<text>]}");
	wire_close(&kept[0]);
	wire_close(&kept[1]);
	world_servers("thaw-kafka");
	a = wire_answer(&hangs, ANSWER_MS);
	assert_int_equal(a.status, 201);
	http_answer_fini(&a);
	wire_close(&hangs);
	assert_int_equal(daemon_wait(&ending, SERVICE_STOP_MS), 0);
	assert_int_equal(daemon_logged(&ending, "drained"), 1);
}

/* Whatever a test has left undone. */
static int
mend(void **state)
{
	(void)state;
	world_servers("start-kafka");
	world_servers("thaw-kafka");
	world_servers("start-postgres");
	world_servers("thaw-postgres");
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
			a_full_window_is_503_and_told_as_refused, mend),
		cmocka_unit_test_teardown(
			a_frozen_broker_is_unknown_first_then_refused_at_once,
			mend),
		cmocka_unit_test_teardown(
			no_report_in_time_tells_when_to_try_again, mend),
		cmocka_unit_test_teardown(
			a_stopped_broker_is_refused_at_once_and_found_again,
			mend),
		cmocka_unit_test_teardown(
			post_goes_on_and_reads_are_503_while_the_store_is_stopped,
			mend),
		cmocka_unit_test_teardown(
			a_frozen_store_holds_a_post_up_for_a_second_and_a_read_not_for_ever,
			mend),
		cmocka_unit_test_teardown(
			without_a_store_reads_are_501_and_posts_are_taken,
			mend),
		cmocka_unit_test_teardown(
			while_draining_posts_are_refused_and_what_is_in_flight_is_answered,
			mend),
	};

	return cmocka_run_group_tests_name("http_outage", tests, service_setup,
					   service_teardown);
}

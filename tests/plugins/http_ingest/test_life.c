/*
 * Time and ends: deadlines, answers that come too late, clients that go, and
 * starts that fail.
 */
#include "client.h"
#include "rig.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define HOST  "Host: x\r\n"
#define EVENT "{\"name\":\"a\",\"data\":{}}"
#define POST                                                                   \
	"POST /api/v1/events HTTP/1.1\r\n" HOST "Content-Length: 22\r\n\r\n"
#define LIVEZ "GET /livez HTTP/1.1\r\n" HOST "\r\n"

static struct answer answer;
static struct rig rig;

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
start(const char *const *settings)
{
	rig_init(&rig);
	rig.has_store = true;
	rig_start(&rig, settings);
}

/* Only what a test is about is short: on a busy machine anything may take as
 * long as that. */
static const char *const quick_head[] = { "header_timeout=150", NULL };
static const char *const quick_body[] = { "body_timeout=300", NULL };
static const char *const quick_idle[] = { "idle_timeout=200", NULL };
static const char *const quick_answer[] = { "answer_timeout=250", NULL };

/* Not before its time; that it comes at all is seen by the client's patience.
 */
static void
not_before(int64_t began_ms, int64_t min_ms)
{
	int64_t took = now_ms() - began_ms;

	if (took < min_ms)
		fail_msg("took %lld ms", (long long)took);
}

/* One byte each 20 ms keeps an inactivity timeout from ever firing.  Returns
 * when the server has something to say. */
static void
trickle(int fd)
{
	const struct timespec pause = { .tv_nsec = 20000000 };
	int64_t until = now_ms() + 60000;
	char byte;

	while (recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0) {
		assert_true(now_ms() < until);
		client_send(fd, "a", 1);
		nanosleep(&pause, NULL);
	}
}

static void
a_head_that_trickles_gets_408(void **state)
{
	int64_t began = now_ms();
	int fd = -1;

	(void)state;
	start(quick_head);
	do { /* on a busy machine its time may be over before its first word */
		if (fd >= 0)
			close(fd);
		fd = client_open(&rig);
		client_str(fd, "GET /livez HTTP/1.1\r\nHost: ");
		trickle(fd);
		client_read(fd, &answer, false);
	} while (answer.status == 0 && now_ms() - began < 60000);
	assert_int_equal(answer.status, 408);
	assert_int_equal(answer.body[0], '{');
	assert_true(client_sees_end(fd));
	not_before(began, 140);
	close(fd);
	rig_stop(&rig);
}

static void
a_body_that_trickles_gets_408(void **state)
{
	int64_t began = now_ms();
	int fd;

	(void)state;
	start(quick_body);
	fd = client_open(&rig);
	client_str(fd, "POST /api/v1/events HTTP/1.1\r\n" HOST
		       "Content-Length: 9000\r\n\r\n");
	trickle(fd);
	client_read(fd, &answer, false);
	assert_int_equal(answer.status, 408);
	assert_true(client_sees_end(fd));
	not_before(began, 290);
	close(fd);
	rig_stop(&rig);
}

static void
an_idle_connection_is_closed_without_a_word(void **state)
{
	int64_t began, until = now_ms() + 60000;
	int fd = -1;

	(void)state;
	start(quick_idle);
	do { /* on a busy machine it may be idle before it says a word */
		if (fd >= 0)
			close(fd);
		fd = client_open(&rig);
		began = now_ms();
		client_str(fd, LIVEZ);
		client_read(fd, &answer, false);
	} while (answer.status == 0 && now_ms() < until);
	assert_int_equal(answer.status, 200);
	client_read(fd, &answer, false);
	assert_int_equal(answer.status, 0);
	not_before(began, 190);
	close(fd);
	rig_stop(&rig);
}

static void
a_chain_that_is_silent_gets_503_and_may_still_answer(void **state)
{
	int64_t began = now_ms();
	int fd;

	(void)state;
	start(quick_answer);
	rig.chain = RIG_HOLD;
	fd = client_open(&rig);
	client_str(fd, POST EVENT);
	client_read(fd, &answer, false);
	not_before(began, 240);
	assert_int_equal(answer.status, 503);
	assert_string_equal(answer.body,
			    "{\"detail\":\"The event was not confirmed in "
			    "time\",\"outcome\":\"unknown\"}");
	assert_string_equal(answer_header(&answer, "Retry-After"), "1");
	/* The connection goes on, and hears nothing of the late report. */
	rig.chain = RIG_ANSWER;
	rig_release(&rig, EVH_OK);
	do { /* a busy machine may be late with this one, too */
		client_str(fd, POST EVENT);
		client_read(fd, &answer, false);
	} while (answer.status == 503 && now_ms() - began < 60000);
	assert_int_equal(answer.status, 201);
	client_str(fd, LIVEZ);
	client_read(fd, &answer, false);
	assert_int_equal(answer.status, 200);
	close(fd);
	rig_stop(&rig);
}

static void
a_store_that_is_silent_gets_503_and_may_still_answer(void **state)
{
	int fd;

	(void)state;
	start(quick_answer);
	rig.store_mode = RIG_ROWS_HELD;
	fd = client_open(&rig);
	client_str(fd, "GET /api/v1/events HTTP/1.1\r\n" HOST "\r\n");
	client_read(fd, &answer, false);
	assert_int_equal(answer.status, 503);
	assert_string_equal(answer.body,
			    "{\"detail\":\"The store did not answer in "
			    "time\"}");
	rig_release(&rig, EVH_OK);
	client_str(fd, LIVEZ);
	client_read(fd, &answer, false);
	assert_int_equal(answer.status, 200);
	close(fd);
	rig_stop(&rig);
}

static void
a_client_that_goes_leaves_its_event_to_the_chain(void **state)
{
	(void)state;
	start(NULL);
	rig.chain = RIG_HOLD;
	for (int i = 0; i < 10; i++) {
		const struct linger reset = { .l_onoff = 1 };
		int fd = client_open(&rig);

		client_str(fd, POST EVENT);
		rig_wait_held(&rig, (unsigned)i + 1);
		if (i % 2 == 0)
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset,
				   sizeof(reset));
		close(fd);
	}
	rig.chain = RIG_ANSWER;
	rig_release(&rig, EVH_OK);
	client_post(&rig, EVENT, &answer);
	assert_int_equal(answer.status, 201);
	rig_stop(&rig);
}

static void
many_answers_at_once_reach_their_clients(void **state)
{
	enum { N = 200 };
	static const char *const two[] = { "loops=2", NULL };
	int fds[N];

	(void)state;
	start(two);
	rig.chain = RIG_HOLD;
	for (int i = 0; i < N; i++) {
		char body[128], request[256];

		fds[i] = client_open(&rig);
		snprintf(body, sizeof(body), "{\"name\":\"n%03d\",\"data\":{}}",
			 i);
		snprintf(request, sizeof(request),
			 "POST /api/v1/events HTTP/1.1\r\n" HOST
			 "Content-Length: %zu\r\n\r\n%s",
			 strlen(body), body);
		client_str(fds[i], request);
	}
	rig_wait_held(&rig, N);
	rig_release(&rig, EVH_OK);
	for (int i = 0; i < N; i++) {
		char name[32];

		snprintf(name, sizeof(name), "\"name\":\"n%03d\"", i);
		client_read(fds[i], &answer, false);
		assert_int_equal(answer.status, 201);
		assert_non_null(strstr(answer.body, name));
		close(fds[i]);
	}
	rig_stop(&rig);
}

static void
an_answer_leaves_when_the_chain_has_answered(void **state)
{
	int64_t began;
	int fd;

	(void)state;
	start(NULL);
	fd = client_open(&rig);
	began = now_ms();
	for (int i = 0; i < 40; i++) {
		client_str(fd, POST EVENT);
		client_read(fd, &answer, false);
		assert_int_equal(answer.status, 201);
	}
	/* 40 looks around of a loop that nobody wakes would take 40 s. */
	assert_true(now_ms() - began < 39000);
	close(fd);
	rig_stop(&rig);
}

static void
assert_refusal_names(const char *setting, const char *limit)
{
	const char *const settings[] = { setting, NULL };
	char body[96];

	start(settings);
	client_call(&rig,
		    "POST /api/v1/events HTTP/1.1\r\n" HOST
		    "Content-Length: 1048577\r\n\r\n",
		    &answer);
	assert_int_equal(answer.status, 413);
	snprintf(body, sizeof(body),
		 "{\"detail\":\"The body is larger than max_body = %s\"}",
		 limit);
	assert_string_equal(answer.body, body);
	rig_stop(&rig);
}

static void
a_body_too_large_is_told_the_limit(void **state)
{
	(void)state;
	assert_refusal_names("max_body=1M", "1 MiB");
	assert_refusal_names("max_body=1023K", "1023 KiB");
	assert_refusal_names("max_body=1000000", "1000000 bytes");
}

/* The library refuses this one itself, and it is answered past it. */
static void
a_chunk_of_no_size_at_all_is_told_the_limit(void **state)
{
	(void)state;
	start(NULL);
	client_call(&rig,
		    "POST /api/v1/events HTTP/1.1\r\n" HOST
		    "Transfer-Encoding: chunked\r\n\r\n"
		    "10000000000000016\r\n" EVENT "\r\n0\r\n\r\n",
		    &answer);
	assert_int_equal(answer.status, 413);
	assert_string_equal(answer.body,
			    "{\"detail\":\"The body is larger than "
			    "max_body = 960 KiB\"}");
	rig_stop(&rig);
}

/* The rest of a refused body is read and thrown away: a reset might overtake
 * the answer. */
static void
a_client_that_still_sends_is_not_reset(void **state)
{
	static char waste[1 << 20];

	(void)state;
	start(NULL);
	for (int i = 0; i < 10; i++) {
		int fd = client_open(&rig);
		char byte;

		client_str(fd, "POST /api/v1/events HTTP/1.1\r\n" HOST
			       "Content-Length: 9000000\r\n\r\n");
		client_read(fd, &answer, false);
		assert_int_equal(answer.status, 413);
		for (size_t sent = 0; sent < sizeof(waste);) {
			ssize_t n = send(fd, waste + sent, sizeof(waste) - sent,
					 MSG_NOSIGNAL);

			assert_true(n > 0);
			sent += (size_t)n;
		}
		shutdown(fd, SHUT_WR);
		assert_int_equal(recv(fd, &byte, 1, 0), 0);
		close(fd);
	}
	rig_stop(&rig);
}

static void
a_port_that_is_taken_fails_start(void **state)
{
	static struct rig second;
	char listen[64];
	const char *settings[] = { listen, NULL };

	(void)state;
	start(NULL);
	snprintf(listen, sizeof(listen), "listen=127.0.0.1:%d", rig.port);
	rig_init(&second);
	second.settings = settings;
	assert_int_equal(evh_plugin.create(&second.ctx, &second.self), 0);
	assert_int_equal(evh_plugin.start(second.self), -EADDRINUSE);
	evh_plugin.destroy(second.self);
	rig_stop(&rig);
}

static void
a_host_is_looked_up_by_start_and_not_before(void **state)
{
	static const char *const nowhere[] = { "listen=no such host:80", NULL };

	(void)state;
	rig_init(&rig);
	rig.settings = nowhere;
	assert_int_equal(evh_plugin.create(&rig.ctx, &rig.self), 0);
	assert_int_equal(evh_plugin.start(rig.self), -EHOSTUNREACH);
	evh_plugin.destroy(rig.self);
}

static void
options_that_make_no_sense_fail_create(void **state)
{
	static const char *const wrong[] = { "listen=nowhere", "listen=::1:80",
					     "listen=x:99999", "key=user",
					     "connections=0",  "max_headers=1",
					     "key=/a~2",       "key=/a~" };

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const char *settings[] = { wrong[i], NULL };

		rig_init(&rig);
		rig.settings = settings;
		assert_int_equal(evh_plugin.create(&rig.ctx, &rig.self),
				 -EINVAL);
	}
}

static void
unknown_members_are_refused_when_forbidden(void **state)
{
	static const char *const strict[] = { "extra=forbid", "key=/user_id",
					      NULL };

	(void)state;
	start(strict);
	client_post(&rig, "{\"name\":\"a\",\"data\":{},\"x\":1}", &answer);
	assert_int_equal(answer.status, 422);
	client_post(&rig, "{\"name\":\"a\",\"data\":{\"user_id\":7}}", &answer);
	assert_int_equal(answer.status, 201);
	assert_string_equal(rig.last_key, "7");
	rig_stop(&rig);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_head_that_trickles_gets_408),
		cmocka_unit_test(a_body_that_trickles_gets_408),
		cmocka_unit_test(an_idle_connection_is_closed_without_a_word),
		cmocka_unit_test(
			a_chain_that_is_silent_gets_503_and_may_still_answer),
		cmocka_unit_test(
			a_store_that_is_silent_gets_503_and_may_still_answer),
		cmocka_unit_test(
			a_client_that_goes_leaves_its_event_to_the_chain),
		cmocka_unit_test(many_answers_at_once_reach_their_clients),
		cmocka_unit_test(an_answer_leaves_when_the_chain_has_answered),
		cmocka_unit_test(a_body_too_large_is_told_the_limit),
		cmocka_unit_test(a_chunk_of_no_size_at_all_is_told_the_limit),
		cmocka_unit_test(a_client_that_still_sends_is_not_reset),
		cmocka_unit_test(a_port_that_is_taken_fails_start),
		cmocka_unit_test(a_host_is_looked_up_by_start_and_not_before),
		cmocka_unit_test(options_that_make_no_sense_fail_create),
		cmocka_unit_test(unknown_members_are_refused_when_forbidden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

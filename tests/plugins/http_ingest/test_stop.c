/*
 * Draining and stopping, whatever clients and stores do meanwhile.
 */
#include "client.h"
#include "http.h"
#include "rig.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <microhttpd.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
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

/* What the wall clock is set back by, once it has been read. */
static _Atomic int wall_ahead_s;

int
clock_gettime(clockid_t clock, struct timespec *ret)
{
	int rc = (int)syscall(SYS_clock_gettime, clock, ret);

	if (rc == 0 && clock == CLOCK_REALTIME)
		ret->tv_sec += wall_ahead_s;
	return rc;
}

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

static void
draining_closes_the_listener_and_says_so(void **state)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	int fd, waiting, late;

	(void)state;
	start(NULL);
	address.sin_port = htons((uint16_t)rig.port);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	rig.chain = RIG_HOLD;
	waiting = client_open(&rig);
	client_str(waiting, POST EVENT);
	rig_wait_held(&rig, 1);
	fd = client_open(&rig);
	client_str(fd, LIVEZ);
	client_read(fd, &answer, false);
	late = client_open(&rig);

	evh_plugin.drain(rig.self);
	rig.chain = RIG_STOPPED;
	client_str(fd, "GET /readyz HTTP/1.1\r\n" HOST "\r\n");
	client_read(fd, &answer, false);
	assert_int_equal(answer.status, 503);
	assert_string_equal(answer.body, "{\"status\":\"not ready\","
					 "\"reasons\":[\"http: stopping\"]}");
	assert_string_equal(answer_header(&answer, "Connection"), "close");
	client_str(late, LIVEZ);
	client_read(late, &answer, false);
	assert_int_equal(answer.status, 200);
	assert_string_equal(answer_header(&answer, "Connection"), "close");
	/* Nobody listens any more; what was begun is finished. */
	close(fd);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(
		connect(fd, (struct sockaddr *)&address, sizeof(address)), -1);
	assert_int_equal(errno, ECONNREFUSED);
	rig_release(&rig, EVH_OK);
	client_read(waiting, &answer, false);
	assert_int_equal(answer.status, 201);
	assert_string_equal(answer_header(&answer, "Connection"), "close");
	close(fd);
	close(late);
	close(waiting);
	rig_stop(&rig);
}

/* ---- Loops that hang, each in a store that does not return --------------- */

/* So many that waiting for each of them in turn could not be mistaken for
 * waiting for all of them on a machine that is busy. */
#define HANGING	    8
#define CLIENTS_MAX 256
static sem_t hangs, may_go;

static int
hang(void *self, const unsigned char id[16], evh_rows *fn, void *arg)
{
	(void)self;
	(void)id;
	(void)fn;
	(void)arg;
	sem_post(&hangs);
	sem_wait(&may_go);
	return -EAGAIN;
}

/* The kernel chooses the loop of a connection: as many as it takes. */
static void
hang_all_loops(int fds[CLIENTS_MAX], int *ret_n)
{
	static const char *const settings[] = { "loops=8", NULL };
	int64_t until = now_ms() + 60000;
	int n = 0, hanging = 0;

	assert_int_equal(sem_init(&hangs, 0, 0), 0);
	assert_int_equal(sem_init(&may_go, 0, 0), 0);
	start(settings);
	rig.store.get = hang;
	while (hanging < HANGING && now_ms() < until) {
		const struct timespec soon = { .tv_nsec = 20000000 };

		if (n < CLIENTS_MAX) {
			fds[n] = client_open(&rig);
			client_str(fds[n++],
				   "GET /api/v1/events/019aad2c-6c1e-7b3a-9d5e-"
				   "0f4c1b2a3d4e HTTP/1.1\r\n" HOST "\r\n");
		}
		nanosleep(&soon, NULL);
		assert_int_equal(sem_getvalue(&hangs, &hanging), 0);
	}
	assert_int_equal(hanging, HANGING);
	*ret_n = n;
}

static void
let_go(const int *fds, int n)
{
	for (int i = 0; i < n; i++)
		sem_post(&may_go);
	rig_stop(&rig);
	for (int i = 0; i < n; i++)
		close(fds[i]);
	sem_destroy(&hangs);
	sem_destroy(&may_go);
}

static void
drain_waits_once_for_all_loops_together(void **state)
{
	int fds[CLIENTS_MAX], n;
	int64_t began, took;

	(void)state;
	hang_all_loops(fds, &n);
	began = now_ms();
	evh_plugin.drain(rig.self);
	took = now_ms() - began;
	let_go(fds, n);
	assert_in_range(took, 1900, 15900);
}

static void
stop_waits_once_for_all_loops_together(void **state)
{
	int fds[CLIENTS_MAX], n;
	int64_t began, took;

	(void)state;
	hang_all_loops(fds, &n);
	began = now_ms();
	evh_plugin.stop(rig.self, 10);
	took = now_ms() - began;
	let_go(fds, n);
	assert_in_range(took, 2900, 23900);
}

static void
a_wall_clock_that_is_set_back_makes_no_drain_longer(void **state)
{
	int fds[CLIENTS_MAX], n;
	int64_t began, took;

	(void)state;
	hang_all_loops(fds, &n);
	began = now_ms();
	wall_ahead_s = 60;
	evh_plugin.drain(rig.self);
	wall_ahead_s = 0;
	took = now_ms() - began;
	let_go(fds, n);
	assert_in_range(took, 1900, 30000);
}

static void
stop_answers_whoever_waits_for_the_store(void **state)
{
	int fd;

	(void)state;
	start(NULL);
	rig.store_mode = RIG_ROWS_HELD;
	fd = client_open(&rig);
	client_str(fd, "GET /api/v1/events HTTP/1.1\r\n" HOST "\r\n");
	rig_wait_held(&rig, 1);
	rig_stop(&rig); /* which lets the store answer first */
	client_read(fd, &answer, false);
	assert_int_equal(answer.status, 200);
	close(fd);
}

static void
stop_has_no_fear_of_open_connections(void **state)
{
	int fds[50];

	(void)state;
	start(NULL);
	for (int i = 0; i < 50; i++) {
		fds[i] = client_open(&rig);
		client_str(fds[i], i % 3 == 0	? LIVEZ
				   : i % 3 == 1 ? POST "{"
						: "GET /li");
	}
	rig_stop(&rig);
	for (int i = 0; i < 50; i++)
		close(fds[i]);
}

/* ---- Requests in the library's very last passes -------------------------- */

#define LAST_MAX 8

/* Connections, of which each pass of a loop that ends has one more to read. */
static struct {
	const char *request;
	_Atomic(const struct http *) http; /* while that goes on */
	int fds[LAST_MAX];
	int n_sent;
} last;

enum MHD_Result
MHD_run(struct MHD_Daemon *daemon)
{
	enum MHD_Result (*run)(struct MHD_Daemon *) =
		(enum MHD_Result(*)(struct MHD_Daemon *))dlsym(RTLD_NEXT,
							       "MHD_run");

	const struct http *http = atomic_load(&last.http);

	if (http != NULL && last.n_sent < LAST_MAX &&
	    atomic_load(&http->life) == HTTP_STOPPING)
		client_str(last.fds[last.n_sent++], last.request);
	return run(daemon);
}

static void
stop_while_requests_come(const char *request)
{
	start(NULL);
	rig.store_mode = RIG_ROWS_NOW;
	for (int i = 0; i < LAST_MAX; i++) {
		last.fds[i] = client_open(&rig);
		client_str(last.fds[i], LIVEZ);
		client_read(last.fds[i], &answer, false);
	}
	last.request = request;
	last.n_sent = 0;
	atomic_store(&last.http, rig.self);
	rig.stop_ms = 0;
	rig_stop(&rig);
	atomic_store(&last.http, NULL);
	assert_in_range(last.n_sent, 1, LAST_MAX);
	for (int i = 0; i < last.n_sent; i++) {
		client_read(last.fds[i], &answer, false);
		assert_int_not_equal(answer.status, 0);
	}
	assert_int_equal(answer.status, 503);
	assert_string_equal(answer.body,
			    "{\"detail\":\"The service is stopping\","
			    "\"outcome\":\"refused\"}");
	for (int i = 0; i < LAST_MAX; i++)
		close(last.fds[i]);
}

static void
stop_answers_whoever_asks_for_an_event_last(void **state)
{
	(void)state;
	stop_while_requests_come(
		"GET /api/v1/events/019aad2c-6c1e-7b3a-9d5e-0f4c1b2a3d4e "
		"HTTP/1.1\r\n" HOST "\r\n");
}

static void
stop_answers_whoever_asks_for_a_page_last(void **state)
{
	(void)state;
	stop_while_requests_come("GET /api/v1/events HTTP/1.1\r\n" HOST "\r\n");
}

static void
stop_answers_whoever_retries_an_event_last(void **state)
{
	(void)state;
	stop_while_requests_come(
		"POST /api/v1/events/019aad2c-6c1e-7b3a-9d5e-0f4c1b2a3d4e/retry"
		" HTTP/1.1\r\n" HOST "\r\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(draining_closes_the_listener_and_says_so),
		cmocka_unit_test(drain_waits_once_for_all_loops_together),
		cmocka_unit_test(stop_waits_once_for_all_loops_together),
		cmocka_unit_test(
			a_wall_clock_that_is_set_back_makes_no_drain_longer),
		cmocka_unit_test(stop_answers_whoever_waits_for_the_store),
		cmocka_unit_test(stop_has_no_fear_of_open_connections),
		cmocka_unit_test(stop_answers_whoever_asks_for_an_event_last),
		cmocka_unit_test(stop_answers_whoever_asks_for_a_page_last),
		cmocka_unit_test(stop_answers_whoever_retries_an_event_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

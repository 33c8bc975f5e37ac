/* What bodies and answers may take in all, and what is said beyond it. */
#include "client.h"
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define HOST  "Host: x\r\n"
#define EVENT "{\"name\":\"a\",\"data\":{}}"
#define LIST  "GET /api/v1/events HTTP/1.1\r\n" HOST "\r\n"
#define MB    ((size_t)1 << 20)

static struct answer answer;
static struct rig rig;

static void
start(const char *const *settings)
{
	rig_init(&rig);
	rig.has_store = true;
	rig_start(&rig, settings);
}

static void
bodies_beyond_their_memory_get_503(void **state)
{
	static const char *const small[] = { "body_memory=1000", NULL };
	static char body[2000];
	int fd;

	(void)state;
	start(small);
	memset(body, ' ', 900);
	memcpy(body, EVENT, strlen(EVENT));
	client_post(&rig, body, &answer);
	assert_int_equal(answer.status, 201);
	/* Half of one body is there: the next has no room, told at once... */
	fd = client_open(&rig);
	client_str(fd, "POST /api/v1/events HTTP/1.1\r\n" HOST
		       "Content-Length: 900\r\n\r\n");
	client_send(fd, body, 500);
	client_post(&rig, body, &answer);
	while (answer.status == 201) /* ...once that has been read */
		client_post(&rig, body, &answer);
	assert_int_equal(answer.status, 503);
	assert_non_null(strstr(answer.body, "\"outcome\":\"refused\""));
	assert_true(answer.closed);
	client_send(fd, body + 500, 400);
	client_read(fd, &answer, false);
	assert_int_equal(answer.status, 201);
	close(fd);
	/* And the room is given back. */
	client_post(&rig, body, &answer);
	assert_int_equal(answer.status, 201);
	rig_stop(&rig);
}

static void
answers_to_posts_beyond_their_memory_get_503(void **state)
{
	static const char *const small[] = { "answer_memory=20000", NULL };
	static char body[30000];
	int fd;

	(void)state;
	start(small);
	memset(body, ' ', sizeof(body) - 1);
	memcpy(body, "{\"name\":\"a\",\"data\":{", 20);
	memcpy(body + sizeof(body) - 3, "}}", 2);
	rig.chain = RIG_HOLD;
	fd = client_open(&rig);
	client_str(fd, "POST /api/v1/events HTTP/1.1\r\n" HOST
		       "Content-Length: 29999\r\n\r\n");
	client_str(fd, body);
	rig_wait_held(&rig, 1);
	client_post(&rig, body, &answer);
	assert_int_equal(answer.status, 503);
	assert_string_equal(answer.body, "{\"detail\":\"Too much is being "
					 "read\",\"outcome\":\"refused\"}");
	assert_int_equal(rig.n_emitted, 1);
	/* And the room is given back. */
	rig.chain = RIG_ANSWER;
	rig_release(&rig, EVH_OK);
	client_read(fd, &answer, false);
	assert_int_equal(answer.status, 201);
	rig_counted(&rig, 2, "");
	client_post(&rig, body, &answer);
	assert_int_equal(answer.status, 201);
	close(fd);
	rig_stop(&rig);
}

/* ---- Pages that nobody reads --------------------------------------------- */

/* A row of so many bytes, of which every page consists. */
static struct evh_row
large_row(size_t size)
{
	char *data = malloc(size);

	assert_non_null(data);
	memset(data, ' ', size);
	data[0] = '{';
	data[size - 1] = '}';
	return (struct evh_row){ .name = "a",
				 .data = { data, size },
				 .status = EVH_PROCESSED,
				 .created_ns = 1 };
}

static void
row_free(const struct evh_row *row)
{
	free((void *)(uintptr_t)row->data.data);
}

/* Asks for a page, and sees that it has begun to come. */
static int
ask_and_not_read(void)
{
	const int small = 65536;
	int fd = client_open(&rig);
	char byte;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	client_str(fd, LIST);
	assert_int_equal(recv(fd, &byte, 1, MSG_PEEK), 1);
	return fd;
}

/* Reads it after all, to its end. */
static size_t
read_all(int fd)
{
	static char waste[1 << 16];
	size_t all = 0;
	ssize_t n;

	shutdown(fd, SHUT_WR);
	while ((n = recv(fd, waste, sizeof(waste), 0)) > 0)
		all += (size_t)n;
	assert_int_equal(n, 0);
	close(fd);
	return all;
}

static void
pages_that_nobody_reads_leave_no_room_for_more(void **state)
{
	static const char *const settings[] = { "answer_memory=22M", NULL };
	struct evh_row row = large_row(8 * MB);
	int fds[2];

	(void)state;
	start(settings);
	rig.rows = &row;
	rig.n_rows = 1;
	for (int i = 0; i < 2; i++)
		fds[i] = ask_and_not_read();
	client_call(&rig, LIST, &answer);
	assert_int_equal(answer.status, 503);
	assert_string_equal(answer.body,
			    "{\"detail\":\"Too much is being read\"}");
	assert_string_equal(answer_header(&answer, "Retry-After"), "1");
	assert_int_equal(rig.n_asked, 3);
	/* It is given back when a page has been read, or its client has gone.
	 */
	assert_true(read_all(fds[0]) > 8 * MB);
	assert_true(read_all(fds[1]) > 8 * MB);
	assert_true(rig_counted(&rig, 3, ""));
	fds[0] = ask_and_not_read();
	close(fds[0]);
	fds[0] = ask_and_not_read();
	close(fds[0]);
	rig_stop(&rig);
	row_free(&row);
}

static void
without_room_for_an_answer_the_store_is_not_asked(void **state)
{
	static const char *const settings[] = { "answer_memory=19M", NULL };
	struct evh_row row = large_row(8 * MB);
	int fds[2];

	(void)state;
	start(settings);
	rig.rows = &row;
	rig.n_rows = 1;
	for (int i = 0; i < 2; i++)
		fds[i] = ask_and_not_read();
	client_call(&rig, LIST, &answer);
	assert_int_equal(answer.status, 503);
	assert_string_equal(answer.body,
			    "{\"detail\":\"Too much is being read\"}");
	assert_int_equal(rig.n_asked, 2);
	for (int i = 0; i < 2; i++)
		close(fds[i]);
	rig_stop(&rig);
	row_free(&row);
}

static void
pages_that_nobody_reads_leave_room_for_posts(void **state)
{
	static const char *const settings[] = { "answer_memory=22M", NULL };
	struct evh_row row = large_row(22 * MB / 3 - 3000);
	static char body[100000];
	char byte;
	int fds[3];

	(void)state;
	start(settings);
	rig.rows = &row;
	rig.n_rows = 1;
	/* All were asked for before the first had come. */
	rig.store_mode = RIG_ROWS_HELD;
	for (int i = 0; i < 3; i++) {
		fds[i] = client_open(&rig);
		client_str(fds[i], LIST);
	}
	rig_wait_held(&rig, 3);
	rig_release(&rig, EVH_OK);
	for (int i = 0; i < 3; i++)
		assert_int_equal(recv(fds[i], &byte, 1, MSG_PEEK), 1);
	memset(body, ' ', sizeof(body) - 1);
	memcpy(body, "{\"name\":\"a\",\"data\":{", 20);
	memcpy(body + sizeof(body) - 3, "}}", 2);
	for (int i = 0; i < 10; i++) {
		client_post(&rig, body, &answer);
		assert_int_equal(answer.status, 201);
	}
	for (int i = 0; i < 3; i++)
		close(fds[i]);
	rig_stop(&rig);
	row_free(&row);
}

static void
a_page_larger_than_all_room_asks_for_a_smaller_one(void **state)
{
	static const char *const settings[] = { "answer_memory=100K", NULL };
	struct evh_row row = large_row(MB);

	(void)state;
	start(settings);
	rig.rows = &row;
	rig.n_rows = 1;
	client_call(&rig, LIST, &answer);
	assert_int_equal(answer.status, 503);
	assert_string_equal(answer.body,
			    "{\"detail\":\"The page is too large; ask for "
			    "fewer by limit\"}");
	rig_stop(&rig);
	row_free(&row);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bodies_beyond_their_memory_get_503),
		cmocka_unit_test(answers_to_posts_beyond_their_memory_get_503),
		cmocka_unit_test(
			pages_that_nobody_reads_leave_no_room_for_more),
		cmocka_unit_test(
			without_room_for_an_answer_the_store_is_not_asked),
		cmocka_unit_test(pages_that_nobody_reads_leave_room_for_posts),
		cmocka_unit_test(
			a_page_larger_than_all_room_asks_for_a_smaller_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

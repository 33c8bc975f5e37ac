/* What the store is asked for, and what becomes of its answers. */
#include "client.h"
#include "rig.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define HOST	  "Host: x\r\n"
#define ID	  "019aad2c-6c1e-7b3a-9d5e-0f4c1b2a3d4e"
#define GET(path) "GET " path " HTTP/1.1\r\n" HOST "\r\n"

static struct answer answer;

static int
set_up(void **state)
{
	static struct rig rig;

	rig_init(&rig);
	rig.has_store = true;
	rig_start(&rig, NULL);
	*state = &rig;
	return 0;
}

static int
set_up_without_store(void **state)
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

static void
expect(struct rig *rig, const char *request, int status, const char *body)
{
	client_call(rig, request, &answer);
	assert_int_equal(answer.status, status);
	assert_string_equal(answer.body, body);
}

static void
expect_header(const char *name, const char *value)
{
	const char *is = answer_header(&answer, name);

	if (value == NULL) {
		assert_null(is);
		return;
	}
	assert_non_null(is);
	assert_string_equal(is, value);
}

/* ---- Reads -------------------------------------------------------------- */

static const unsigned char row_id[16] = { 0x01, 0x9a, 0xad, 0x2c, 0x6c, 0x1e,
					  0x7b, 0x3a, 0x9d, 0x5e, 0x0f, 0x4c,
					  0x1b, 0x2a, 0x3d, 0x4e };

static struct evh_row
failed_row(void)
{
	struct evh_row row = {
		.name = "user.created",
		.data = { "{\"user_id\": 123}", 16 },
		.status = EVH_FAILED,
		.attempts = 3,
		.error = "{\"stage\":\"welcome\",\"type\":\"handler\","
			 "\"message\":\"no such user\"}",
		.created_ns = 1795373793556543000,
		.processed_ns = 1795373794000000000,
	};

	memcpy(row.id, row_id, 16);
	return row;
}

#define ROW                                                                    \
	"{\"id\":\"" ID "\",\"name\":\"user.created\",\"data\":{\"user_id\": " \
	"123},\"status\":\"failed\",\"created_at\":"                           \
	"\"2026-11-22T18:56:33.556543Z\",\"processed_at\":"                    \
	"\"2026-11-22T18:56:34.000000Z\",\"attempts\":3,\"error\":"            \
	"{\"stage\":\"welcome\",\"type\":\"handler\",\"message\":"             \
	"\"no such user\"}}"

static void
an_event_is_read_as_it_stands(void **state)
{
	struct rig *rig = *state;
	struct evh_row row = failed_row();

	rig->rows = &row;
	rig->n_rows = 1;
	expect(rig, GET("/api/v1/events/" ID "?whatever=1"), 200, ROW);
	assert_memory_equal(rig->last_id, row_id, 16);
	rig->store_mode = RIG_ROWS_NOW;
	expect(rig, GET("/api/v1/events/019AAD2C-6C1E-7B3A-9D5E-0F4C1B2A3D4E"),
	       200, ROW);
}

static void
bytes_that_are_no_json_are_shown_in_base64(void **state)
{
	struct rig *rig = *state;
	struct evh_row row = failed_row();

	row.raw = 1;
	row.name = "";
	row.data = (struct evh_bytes){ "\x00\xff\x10z", 4 };
	row.error = NULL;
	row.processed_ns = 0;
	rig->rows = &row;
	rig->n_rows = 1;
	expect(rig, GET("/api/v1/events/" ID), 200,
	       "{\"id\":\"" ID "\",\"name\":\"\",\"data\":null,"
	       "\"raw\":\"AP8Qeg==\",\"status\":\"failed\",\"created_at\":"
	       "\"2026-11-22T18:56:33.556543Z\",\"processed_at\":null,"
	       "\"attempts\":3,\"error\":null}");
}

static void
an_unknown_event_gives_404(void **state)
{
	expect(*state, GET("/api/v1/events/" ID), 404,
	       "{\"detail\":\"Event not found\"}");
}

static void
an_id_that_is_none_gives_422(void **state)
{
	struct rig *rig = *state;

	client_call(rig, GET("/api/v1/events/nope"), &answer);
	assert_int_equal(answer.status, 422);
	assert_memory_equal(answer.body,
			    "{\"detail\":[{\"type\":\"uuid_parsing\",\"loc\":["
			    "\"path\",\"event_id\"],\"msg\":\"Input should be "
			    "a valid UUID, ",
			    96);
	assert_non_null(strstr(answer.body, "\"input\":\"nope\",\"ctx\":"
					    "{\"error\":\""));
	assert_int_equal(rig->n_asked, 0);
}

static void
a_page_says_what_was_asked(void **state)
{
	struct rig *rig = *state;
	struct evh_row rows[2] = { failed_row(), failed_row() };

	rig->rows = rows;
	rig->n_rows = 2;
	rig->total = 5123;
	expect(rig,
	       GET("/api/v1/events?status=failed&name=a.b&limit=2&offset=40"),
	       200,
	       "{\"items\":[" ROW "," ROW
	       "],\"total\":5123,\"limit\":2,\"offset\":40}");
	assert_int_equal(rig->last_query.status, EVH_FAILED);
	assert_string_equal(rig->last_query_name, "a.b");
	assert_int_equal(rig->last_query.limit, 2);
	assert_int_equal(rig->last_query.offset, 40);
	assert_true(rig->last_query.want_total);
	rig->n_rows = 0;
	rig->total = 0;
	expect(rig, GET("/api/v1/events"), 200,
	       "{\"items\":[],\"total\":0,\"limit\":100,\"offset\":0}");
	assert_string_equal(rig->last_query_name, "(none)");
	client_call(rig, GET("/api/v1/events?limit=0"), &answer);
	assert_int_equal(answer.status, 422);
}

static void
a_store_that_is_away_gives_503(void **state)
{
	struct rig *rig = *state;

	rig->store_ask = -EAGAIN;
	expect(rig, GET("/api/v1/events/" ID), 503,
	       "{\"detail\":\"The store is not ready\"}");
	expect_header("Retry-After", "5");
	rig->store_ask = 0;
	rig->store_mode = RIG_STORE_SAYS;
	rig->store_rc = -EAGAIN;
	expect(rig, GET("/api/v1/events"), 503,
	       "{\"detail\":\"The store is not ready\"}");
	rig->store_rc = -ETIMEDOUT;
	expect(rig, GET("/api/v1/events"), 503,
	       "{\"detail\":\"The store did not answer in time\"}");
	expect_header("Retry-After", "1");
}

static void
a_page_beyond_the_stores_bound_asks_for_a_smaller_one(void **state)
{
	struct rig *rig = *state;

	rig->store_mode = RIG_STORE_SAYS;
	rig->store_rc = -EMSGSIZE;
	expect(rig, GET("/api/v1/events?limit=1000"), 503,
	       "{\"detail\":\"The page is too large; ask for fewer by "
	       "limit\"}");
	expect_header("Retry-After", "1");
}

static void
without_a_store_reads_give_501(void **state)
{
	expect(*state, GET("/api/v1/events/" ID), 501,
	       "{\"detail\":\"No store is configured\"}");
	expect(*state, GET("/api/v1/events"), 501,
	       "{\"detail\":\"No store is configured\"}");
	expect(*state,
	       "POST /api/v1/events/" ID "/retry HTTP/1.1\r\n" HOST "\r\n", 501,
	       "{\"detail\":\"No store is configured\"}");
}

/* ---- Retry -------------------------------------------------------------- */

#define RETRY "POST /api/v1/events/" ID "/retry HTTP/1.1\r\n" HOST "\r\n"

static void
a_failed_event_goes_through_again_under_its_id(void **state)
{
	struct rig *rig = *state;
	struct evh_row row = failed_row();

	rig->rows = &row;
	rig->n_rows = 1;
	expect(rig, RETRY, 202,
	       "{\"id\":\"" ID "\",\"status\":\"pending\",\"attempts\":3}");
	expect_header("Location", NULL);
	assert_memory_equal(rig->last_id, row_id, 16);
	assert_string_equal(rig->last_name, "user.created");
	assert_string_equal(rig->last_data, "{\"user_id\": 123}");
	assert_int_equal(rig->last.created_ns, row.created_ns);
	assert_int_equal(rig->last.attempts, 3);
	assert_int_equal(rig->last.status, EVH_PENDING);
	expect(rig,
	       "POST /api/v1/events/" ID "/retry HTTP/1.1\r\n" HOST
	       "Content-Length: 3\r\n\r\nabc",
	       202,
	       "{\"id\":\"" ID "\",\"status\":\"pending\",\"attempts\":3}");
}

/* The rule, as an option of the instance, and the key that comes of it. */
static void
expect_key(const char *rule, const char *key)
{
	static struct rig rig;
	struct evh_row row = failed_row();
	const char *const settings[] = { rule, NULL };

	rig_init(&rig);
	rig.has_store = true;
	rig.rows = &row;
	rig.n_rows = 1;
	rig_start(&rig, settings);
	client_call(&rig, RETRY, &answer);
	assert_int_equal(answer.status, 202);
	assert_string_equal(rig.last_key, key);
	rig_stop(&rig);
}

static void
a_retry_has_the_key_that_the_event_had(void **state)
{
	(void)state;
	expect_key("key=none", "");
	expect_key("key=id", ID);
	expect_key("key=name", "user.created");
	expect_key("key=/user_id", "123");
	expect_key("key=/nowhere", "");
}

static void
what_has_not_failed_is_not_retried(void **state)
{
	struct rig *rig = *state;
	struct evh_row row = failed_row();

	expect(rig, RETRY, 404, "{\"detail\":\"Event not found\"}");
	rig->rows = &row;
	rig->n_rows = 1;
	row.status = EVH_PROCESSED;
	expect(rig, RETRY, 409, "{\"detail\":\"Event has not failed\"}");
	row.status = EVH_FAILED;
	row.raw = 1;
	expect(rig, RETRY, 409,
	       "{\"detail\":\"Event cannot be retried: its bytes are no "
	       "event\"}");
	row.raw = 0;
	row.data = (struct evh_bytes){ "[1]", 3 };
	expect(rig, RETRY, 409,
	       "{\"detail\":\"Event cannot be retried: its bytes are no "
	       "event\"}");
	row.data = (struct evh_bytes){ "{\"a\":1,\"a\":2}", 13 };
	expect(rig, RETRY, 409,
	       "{\"detail\":\"Event cannot be retried: its bytes are no "
	       "event\"}");
	row = failed_row();
	row.name = "";
	expect(rig, RETRY, 409,
	       "{\"detail\":\"Event cannot be retried: its bytes are no "
	       "event\"}");
	assert_int_equal(rig->n_emitted, 0);
}

static void
a_retry_with_a_key_beyond_its_limit_gives_409(void **state)
{
	static const char *const settings[] = { "key=/k", NULL };
	static char data[17000];
	static struct rig rig;
	struct evh_row row = failed_row();

	(void)state;
	memset(data, 'x', sizeof(data));
	memcpy(data, "{\"k\":\"", 6);
	memcpy(data + sizeof(data) - 2, "\"}", 2);
	row.data = (struct evh_bytes){ data, sizeof(data) };
	rig_init(&rig);
	rig.has_store = true;
	rig.rows = &row;
	rig.n_rows = 1;
	rig_start(&rig, settings);
	expect(&rig, RETRY, 409,
	       "{\"detail\":\"Event cannot be retried: its key is too "
	       "long\"}");
	assert_int_equal(rig.n_emitted, 0);
	rig_stop(&rig);
}

static void
a_retry_that_is_not_taken_gives_503(void **state)
{
	struct rig *rig = *state;
	struct evh_row row = failed_row();

	rig->rows = &row;
	rig->n_rows = 1;
	rig->chain = RIG_FULL;
	client_call(rig, RETRY, &answer);
	assert_int_equal(answer.status, 503);
	assert_non_null(strstr(answer.body, "\"outcome\":\"refused\""));
	rig->chain = RIG_ANSWER;
	rig->result = EVH_RETRY;
	client_call(rig, RETRY, &answer);
	assert_int_equal(answer.status, 503);
	assert_non_null(strstr(answer.body, "\"outcome\":\"unknown\""));
	rig->store_ask = -EAGAIN;
	client_call(rig, RETRY, &answer);
	assert_int_equal(answer.status, 503);
	assert_non_null(strstr(answer.body, "\"outcome\":\"refused\""));
}

/* ---- Out of memory ------------------------------------------------------- */

static atomic_bool next_realloc_fails;

void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);

void *
__wrap_realloc(void *old, size_t size)
{
	if (atomic_exchange(&next_realloc_fails, false)) {
		errno = ENOMEM;
		return NULL;
	}
	return __real_realloc(old, size);
}

static void
a_query_for_which_there_is_no_memory_gives_503(void **state)
{
	struct rig *rig = *state;

	/* The query's is the first of a request's buffers. */
	atomic_store(&next_realloc_fails, true);
	expect(rig, GET("/api/v1/events?status=failed&limit=5"), 503,
	       "{\"detail\":\"Too much is being read\"}");
	assert_false(atomic_load(&next_realloc_fails));
	assert_int_equal(rig->n_asked, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_event_is_read_as_it_stands),
		TEST(bytes_that_are_no_json_are_shown_in_base64),
		TEST(an_unknown_event_gives_404),
		TEST(an_id_that_is_none_gives_422),
		TEST(a_page_says_what_was_asked),
		TEST(a_query_for_which_there_is_no_memory_gives_503),
		TEST(a_store_that_is_away_gives_503),
		TEST(a_page_beyond_the_stores_bound_asks_for_a_smaller_one),
		TEST(a_failed_event_goes_through_again_under_its_id),
		cmocka_unit_test(a_retry_has_the_key_that_the_event_had),
		TEST(what_has_not_failed_is_not_retried),
		cmocka_unit_test(a_retry_with_a_key_beyond_its_limit_gives_409),
		TEST(a_retry_that_is_not_taken_gives_503),
		cmocka_unit_test_setup_teardown(without_a_store_reads_give_501,
						set_up_without_store,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

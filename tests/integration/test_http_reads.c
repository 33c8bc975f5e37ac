/*
 * Lists and single events as they are read from rows that the test has put
 * into the table: order, pages, filters, totals, and wrong parameters.
 */
#include "api.h"
#include "service.h"
#include "table.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DETAIL(items) "{\"detail\":[" items "]}"
#define ITEM(type, where, msg, input)                                          \
	"{\"type\":\"" type "\",\"loc\":[\"query\",\"" where                   \
	"\"],\"msg\":\"" msg "\",\"input\":\"" input "\"}"
#define ITEM_CTX(type, where, msg, input, ctx)                                 \
	"{\"type\":\"" type "\",\"loc\":[\"query\",\"" where                   \
	"\"],\"msg\":\"" msg "\",\"input\":\"" input "\",\"ctx\":" ctx "}"

#define NO_INT                                                                 \
	"Input should be a valid integer, unable to parse string as an "       \
	"integer"
#define STATUSES "'pending', 'processed', 'failed' or 'dropped'"

/* 250 rows: the i-th is i seconds old; each fifth failed, each seventh
 * dropped, else processed; names n0, n1, n2 in turn. */
static const char rows[] =
	"INSERT INTO events (id, name, data, status, error, attempts,"
	" created_at, processed_at) "
	"SELECT ('00000000-0000-7000-8000-' || lpad(i::text, 12, '0'))::uuid,"
	" 'n' || i % 3, ('{\"i\":' || i || '}')::json,"
	" CASE WHEN i % 5 = 0 THEN 'failed' WHEN i % 7 = 0 THEN 'dropped'"
	" ELSE 'processed' END,"
	" CASE WHEN i % 5 = 0 THEN '{\"stage\":\"s\",\"type\":\"handler\","
	"\"message\":\"no\"}'::json END, 1,"
	" timestamptz '2026-01-02 03:04:05.000001Z' - i * interval '1 second',"
	" timestamptz '2026-01-02 03:04:06Z' "
	"FROM generate_series(1, 250) AS i";

#define N_ROWS 250

static int
port_of(void **state)
{
	const struct service *s = *state;

	return s->api.api_port;
}

/* The page's events by their number, and its three members. */
struct page {
	int n, i[1001];
	long total, limit, offset;
};

static struct page
page_get(int port, const char *query)
{
	static struct page page;
	char path[API_PATH_MAX];
	struct http_answer a;
	json_t *json;

	snprintf(path, sizeof(path), API_EVENTS "%.400s", query);
	a = api_get(port, path);
	if (a.status != 200)
		fail_msg("%s: %ld %s", query, a.status, a.body);
	json = json_loadb(a.body, a.len, 0, NULL);
	assert_non_null(json);
	page = (struct page){ 0 };
	page.n = (int)json_array_size(json_object_get(json, "items"));
	assert_in_range(page.n, 0, 1000);
	for (int k = 0; k < page.n; k++) {
		json_t *item = json_array_get(json_object_get(json, "items"),
					      (size_t)k);

		page.i[k] = (int)json_integer_value(
			json_object_get(json_object_get(item, "data"), "i"));
	}
	page.total = json_integer_value(json_object_get(json, "total"));
	page.limit = json_integer_value(json_object_get(json, "limit"));
	page.offset = json_integer_value(json_object_get(json, "offset"));
	json_decref(json);
	http_answer_fini(&a);
	return page;
}

static void
a_page_has_100_events_newest_first_unless_told(void **state)
{
	struct page page = page_get(port_of(state), "");

	assert_int_equal(page.n, 100);
	for (int k = 0; k < page.n; k++)
		assert_int_equal(page.i[k], k + 1);
	assert_int_equal(page.total, N_ROWS);
	assert_int_equal(page.limit, 100);
	assert_int_equal(page.offset, 0);
}

static void
a_page_is_compact_with_its_members_in_order(void **state)
{
	api_expect(
		api_get(port_of(state), API_EVENTS "?limit=2&offset=3"), 200,
		"{\"items\":["
		"{\"id\":\"00000000-0000-7000-8000-000000000004\","
		"\"name\":\"n1\",\"data\":{\"i\":4},\"status\":\"processed\","
		"\"created_at\":\"2026-01-02T03:04:01.000001Z\","
		"\"processed_at\":\"2026-01-02T03:04:06.000000Z\","
		"\"attempts\":1,\"error\":null},"
		"{\"id\":\"00000000-0000-7000-8000-000000000005\","
		"\"name\":\"n2\",\"data\":{\"i\":5},\"status\":\"failed\","
		"\"created_at\":\"2026-01-02T03:04:00.000001Z\","
		"\"processed_at\":\"2026-01-02T03:04:06.000000Z\","
		"\"attempts\":1,\"error\":{\"stage\":\"s\",\"type\":"
		"\"handler\",\"message\":\"no\"}}"
		"],\"total\":250,\"limit\":2,\"offset\":3}");
}

static void
pages_follow_each_other_without_gap_or_overlap(void **state)
{
	int want = 1;

	for (int offset = 0; offset < 280; offset += 30) {
		char query[64];
		struct page page;

		snprintf(query, sizeof(query), "?limit=30&offset=%d", offset);
		page = page_get(port_of(state), query);
		assert_int_equal(page.offset, offset);
		for (int k = 0; k < page.n; k++)
			assert_int_equal(page.i[k], want++);
	}
	assert_int_equal(want, N_ROWS + 1);
}

static void
limit_and_offset_are_taken_to_their_ends(void **state)
{
	assert_int_equal(page_get(port_of(state), "?limit=1").n, 1);
	assert_int_equal(page_get(port_of(state), "?limit=1000").n, N_ROWS);
	assert_int_equal(page_get(port_of(state), "?offset=249").n, 1);
	api_expect(api_get(port_of(state), API_EVENTS "?offset=100000"), 200,
		   "{\"items\":[],\"total\":250,\"limit\":100,"
		   "\"offset\":100000}");
}

static void
equal_times_are_ordered_by_id_descending(void **state)
{
	const struct service *s = *state;
	struct page page;

	table_do(&s->w,
		 "INSERT INTO events (id, name, data, status, created_at) "
		 "SELECT ('00000000-0000-7000-8000-' || i || '00000000000')"
		 "::uuid, 'twins', ('{\"i\":' || i || '}')::json, 'pending',"
		 " timestamptz '2020-01-01Z' "
		 "FROM unnest(ARRAY[3,9,1,7,5]) AS i");
	page = page_get(port_of(state), "?name=twins");
	assert_int_equal(page.n, 5);
	for (int k = 0; k < 5; k++)
		assert_int_equal(page.i[k], 9 - 2 * k);
	table_do(&s->w, "DELETE FROM events WHERE name = 'twins'");
}

static void
status_and_name_choose_events_alone_and_together(void **state)
{
	struct page page = page_get(port_of(state), "?status=failed&limit=9");

	assert_int_equal(page.total, 50);
	assert_int_equal(page.n, 9);
	for (int k = 0; k < page.n; k++)
		assert_int_equal(page.i[k], 5 * (k + 1));
	page = page_get(port_of(state), "?status=dropped");
	assert_int_equal(page.total, 28);
	assert_int_equal(page.i[4], 42);
	page = page_get(port_of(state), "?status=pending");
	assert_int_equal(page.total, 0);
	page = page_get(port_of(state), "?status=processed");
	assert_int_equal(page.total, 172);
	page = page_get(port_of(state), "?name=n1");
	assert_int_equal(page.total, 84);
	assert_int_equal(page.i[1], 4);
	page = page_get(port_of(state), "?name=n0&status=failed&offset=1");
	assert_int_equal(page.total, 16);
	assert_int_equal(page.n, 15);
	assert_int_equal(page.i[0], 30);
}

static void
a_name_is_compared_exactly_and_may_be_encoded(void **state)
{
	const struct service *s = *state;

	table_do(&s->w,
		 "INSERT INTO events (id, name, data, status, created_at) "
		 "VALUES (gen_random_uuid(), E'a b&c=\\u00e4%''', '{\"i\":1}',"
		 " 'pending', '2020-01-01Z')");
	assert_int_equal(page_get(port_of(state), "?name=a+b%26c=%c3%A4%25'").n,
			 1);
	assert_int_equal(
		page_get(port_of(state), "?n%61me=a%20b%26c%3D%C3%A4%25%27").n,
		1);
	assert_int_equal(page_get(port_of(state), "?name=n").total, 0);
	assert_int_equal(page_get(port_of(state), "?name=N1").total, 0);
	assert_int_equal(page_get(port_of(state), "?name=n%25").total, 0);
	assert_int_equal(page_get(port_of(state), "?name=n1%20").total, 0);
	assert_int_equal(page_get(port_of(state), "?name=n1'--").total, 0);
	table_do(&s->w, "DELETE FROM events WHERE status = 'pending'");
}

static void
of_a_repeated_parameter_the_last_counts(void **state)
{
	struct page page = page_get(
		port_of(state),
		"?limit=x&status=pending&limit=3&status=failed&offset=-1"
		"&offset=1");

	assert_int_equal(page.n, 3);
	assert_int_equal(page.offset, 1);
	assert_int_equal(page.i[0], 10);
}

static void
wrong_parameters_are_told_by_the_table(void **state)
{
	static const char *const table[][2] = {
		{ "?limit=0",
		  DETAIL(ITEM_CTX("greater_than_equal", "limit",
				  "Input should be greater than or equal to 1",
				  "0", "{\"ge\":1}")) },
		{ "?limit=1001",
		  DETAIL(ITEM_CTX("less_than_equal", "limit",
				  "Input should be less than or equal to 1000",
				  "1001", "{\"le\":1000}")) },
		{ "?limit=99999999999999999999",
		  DETAIL(ITEM_CTX("less_than_equal", "limit",
				  "Input should be less than or equal to 1000",
				  "99999999999999999999", "{\"le\":1000}")) },
		{ "?limit=x",
		  DETAIL(ITEM("int_parsing", "limit", NO_INT, "x")) },
		{ "?limit=", DETAIL(ITEM("int_parsing", "limit", NO_INT, "")) },
		{ "?limit", DETAIL(ITEM("int_parsing", "limit", NO_INT, "")) },
		{ "?limit=1.5",
		  DETAIL(ITEM("int_parsing", "limit", NO_INT, "1.5")) },
		{ "?offset=-1",
		  DETAIL(ITEM_CTX("greater_than_equal", "offset",
				  "Input should be greater than or equal to 0",
				  "-1", "{\"ge\":0}")) },
		{ "?offset=100001",
		  DETAIL(ITEM_CTX(
			  "less_than_equal", "offset",
			  "Input should be less than or equal to 100000",
			  "100001", "{\"le\":100000}")) },
		{ "?offset=1e3",
		  DETAIL(ITEM("int_parsing", "offset", NO_INT, "1e3")) },
		{ "?status=done",
		  DETAIL(ITEM_CTX("enum", "status", "Input should be " STATUSES,
				  "done", "{\"expected\":\"" STATUSES "\"}")) },
		{ "?status=Failed",
		  DETAIL(ITEM_CTX("enum", "status", "Input should be " STATUSES,
				  "Failed",
				  "{\"expected\":\"" STATUSES "\"}")) },
		{ "?status=",
		  DETAIL(ITEM_CTX("enum", "status", "Input should be " STATUSES,
				  "", "{\"expected\":\"" STATUSES "\"}")) },
		{ "?x=1", DETAIL(ITEM("extra_forbidden", "x",
				      "Extra inputs are not permitted", "1")) },
		{ "?Limit=1&%20=%22",
		  DETAIL(ITEM("extra_forbidden", "Limit",
			      "Extra inputs are not permitted",
			      "1") "," ITEM("extra_forbidden", " ",
					    "Extra inputs are not permitted",
					    "\\\"")) },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char path[API_PATH_MAX];

		snprintf(path, sizeof(path), API_EVENTS "%s", table[i][0]);
		api_expect(api_get(port_of(state), path), 422, table[i][1]);
	}
}

static void
all_wrong_parameters_are_told_at_once(void **state)
{
	struct http_answer a = api_get(port_of(state), API_EVENTS
				       "?x=1&offset=-1&limit=0&status=z&y=2");
	const char *const places[] = { "\"status\"", "\"limit\"", "\"offset\"",
				       "\"x\"", "\"y\"" };

	assert_int_equal(a.status, 422);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (!strstr(a.body, places[i]))
			fail_msg("%s is not in %s", places[i], a.body);
	http_answer_fini(&a);
}

static void
poison_is_shown_by_its_bytes_in_base64(void **state)
{
	const struct service *s = *state;
	static const char id[] = "00000000-0000-5000-8000-000000000000";

	table_do(&s->w,
		 "INSERT INTO events (id, name, raw, status, error, created_at,"
		 " processed_at) VALUES "
		 "('00000000-0000-5000-8000-000000000000', '', '\\x00ff7b',"
		 " 'failed', '{\"stage\":\"topic\",\"type\":\"invalid\","
		 "\"message\":\"m\"}', '2019-01-01Z', '2019-01-02Z')");
	api_expect(api_event(port_of(state), id), 200,
		   "{\"id\":\"00000000-0000-5000-8000-000000000000\","
		   "\"name\":\"\",\"data\":null,\"raw\":\"AP97\","
		   "\"status\":\"failed\","
		   "\"created_at\":\"2019-01-01T00:00:00.000000Z\","
		   "\"processed_at\":\"2019-01-02T00:00:00.000000Z\","
		   "\"attempts\":0,\"error\":{\"stage\":\"topic\","
		   "\"type\":\"invalid\",\"message\":\"m\"}}");
	api_expect(api_retry(port_of(state), id), 409,
		   "{\"detail\":\"Event cannot be retried: its bytes are no "
		   "event\"}");
	table_do(&s->w, "DELETE FROM events WHERE name = ''");
}

static void
a_total_is_exact_to_100_000_and_stays_there(void **state)
{
	const struct service *s = *state;

	table_do(&s->w,
		 "INSERT INTO events (id, name, data, status, created_at) "
		 "SELECT gen_random_uuid(), 'many', '{\"i\":0}', 'processed',"
		 " timestamptz '2020-01-01Z' + i * interval '1 second' "
		 "FROM generate_series(1, 100000) AS i");
	assert_int_equal(page_get(port_of(state), "?name=many&limit=1").total,
			 100000);
	assert_int_equal(page_get(port_of(state), "?limit=1").total, 100000);
	table_do(&s->w, "DELETE FROM events WHERE ctid = (SELECT ctid FROM "
			"events WHERE name = 'many' LIMIT 1)");
	assert_int_equal(page_get(port_of(state), "?name=many&limit=1").total,
			 99999);
	assert_int_equal(
		page_get(port_of(state), "?name=many&limit=5&offset=99998").n,
		1);
	table_do(&s->w, "DELETE FROM events WHERE name = 'many'");
}

static int
setup(void **state)
{
	int rc = service_setup_api(state);
	const struct service *s = *state;

	table_do(&s->w, rows);
	return rc;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_page_has_100_events_newest_first_unless_told),
		cmocka_unit_test(a_page_is_compact_with_its_members_in_order),
		cmocka_unit_test(
			pages_follow_each_other_without_gap_or_overlap),
		cmocka_unit_test(limit_and_offset_are_taken_to_their_ends),
		cmocka_unit_test(equal_times_are_ordered_by_id_descending),
		cmocka_unit_test(
			status_and_name_choose_events_alone_and_together),
		cmocka_unit_test(a_name_is_compared_exactly_and_may_be_encoded),
		cmocka_unit_test(of_a_repeated_parameter_the_last_counts),
		cmocka_unit_test(wrong_parameters_are_told_by_the_table),
		cmocka_unit_test(all_wrong_parameters_are_told_at_once),
		cmocka_unit_test(poison_is_shown_by_its_bytes_in_base64),
		cmocka_unit_test(a_total_is_exact_to_100_000_and_stays_there),
	};

	return cmocka_run_group_tests_name("http_reads", tests, setup,
					   service_teardown);
}

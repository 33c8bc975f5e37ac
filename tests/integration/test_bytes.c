/*
 * An event's data is kept as the bytes that came: from the POST's body to its
 * answer, into the message, before the handler's eyes, into the row, and out
 * again by GET.
 */
#include "api.h"
#include "awkward.h"
#include "service.h"
#include "table.h"
#include "topic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROW_MS 60000

/* What each POST of the corpus was answered with. */
static char ids[N_AWKWARD][API_ID_MAX];
static char seen_path[WORLD_PATH_MAX]; /* what the handler has written */

static int
port_of(void **state)
{
	const struct service *s = *state;

	return s->api.api_port;
}

/* White space around a value is none of its bytes.  Yours. */
static char *
value_of(const struct awkward *row)
{
	const char *at = row->bytes + strspn(row->bytes, " \t\r\n");
	size_t len = strlen(at);

	while (strchr(" \t\r\n", at[len - 1]))
		len--;
	return strndup(at, len);
}

/* before + value + after stands in text. */
static void
expect_within(const char *text, const char *before, const char *value,
	      const char *after, const char *what, const char *where)
{
	size_t size = strlen(before) + strlen(value) + strlen(after) + 1;
	char *expected = malloc(size);

	assert_non_null(expected);
	snprintf(expected, size, "%s%s%s", before, value, after);
	if (!strstr(text, expected))
		fail_msg("%s, %s: %s\n  is not in\n%s", what, where, expected,
			 text);
	free(expected);
}

static void
post_one(const struct service *s, size_t i)
{
	const struct awkward *row = &awkward[i];
	char *value = value_of(row);
	char *body = malloc(row->len + 64);
	struct http_answer a;
	char *message;
	size_t len;

	assert_non_null(body);
	snprintf(body, row->len + 64, "{\"name\":\"bytes\",\"data\":%s}",
		 row->bytes);
	a = api_post(s->api.api_port, body);
	if (a.status != 201)
		fail_msg("%s: %ld %s", row->name, a.status, a.body);
	expect_within(a.body, "\"name\":\"bytes\",\"data\":", value,
		      ",\"status\":\"pending\"", row->name, "the answer");
	assert_int_equal(sscanf(a.body, "{\"id\":\"%36[0-9a-f-]\"", ids[i]), 1);
	message = topic_last(&s->w, 0, &len, NULL, NULL, NULL);
	assert_non_null(message);
	expect_within(message, "\"name\":\"bytes\",\"data\":", value,
		      ",\"created_at\":\"", row->name, "the message");
	assert_non_null(strstr(message, ids[i]));
	free(message);
	http_answer_fini(&a);
	free(body);
	free(value);
}

static void
answer_and_message_have_the_bytes_that_came(void **state)
{
	for (size_t i = 0; i < N_AWKWARD; i++)
		post_one(*state, i);
}

static void
the_row_has_the_bytes_that_came(void **state)
{
	const struct service *s = *state;

	for (size_t i = 0; i < N_AWKWARD; i++) {
		char *value = value_of(&awkward[i]);
		char sql[API_PATH_MAX];
		char *data;

		api_await(s->api.api_port, ids[i], "processed", ROW_MS);
		snprintf(sql, sizeof(sql),
			 "SELECT data::text FROM events WHERE id = '%.36s'",
			 ids[i]);
		data = table_ask(&s->w, sql);
		assert_string_equal(data, value);
		free(data);
		free(value);
	}
}

static void
get_gives_the_bytes_that_came(void **state)
{
	for (size_t i = 0; i < N_AWKWARD; i++) {
		char *value = value_of(&awkward[i]);
		struct http_answer a = api_event(port_of(state), ids[i]);

		assert_int_equal(a.status, 200);
		expect_within(a.body, "\"name\":\"bytes\",\"data\":", value,
			      ",\"status\":\"processed\"", awkward[i].name,
			      "GET");
		http_answer_fini(&a);
		free(value);
	}
}

static char *
seen_read(void)
{
	size_t size = 1 << 20;
	char *seen = calloc(1, size);
	FILE *f = fopen(seen_path, "r");

	assert_non_null(seen);
	assert_non_null(f);
	assert_true(fread(seen, 1, size - 1, f) < size - 1);
	fclose(f);
	return seen;
}

static void
the_handler_saw_the_bytes_that_came(void **state)
{
	char *seen = seen_read();

	(void)state;
	for (size_t i = 0; i < N_AWKWARD; i++) {
		char *value = value_of(&awkward[i]);
		size_t size = 2 * strlen(value) + API_ID_MAX + 4;
		char *line = malloc(size);
		char *end;

		assert_non_null(line);
		end = stpcpy(stpcpy(line, ids[i]), " ");
		for (const char *p = value; *p; p++)
			end += snprintf(end, 3, "%02x", (unsigned char)*p);
		stpcpy(end, "\n");
		if (!strstr(seen, line))
			fail_msg("%s: the handler did not see %s",
				 awkward[i].name, line);
		free(line);
		free(value);
	}
	free(seen);
}

/* Data of others may be any JSON, in an envelope as they like to write it. */
static void
messages_of_others_are_kept_as_they_came(void **state)
{
	const struct service *s = *state;
	static const char *const values[] = { "[1.0, 2.50]",
					      "\"\\u0041\\u0000\"" };
	char *data;

	for (size_t i = 0; i < N_AWKWARD; i++) {
		size_t size = awkward[i].len + 64;
		char *text = malloc(size);

		assert_non_null(text);
		snprintf(text, size,
			 "{ \"x\": 1, \"data\":%s, \"name\":\"o%zu\"}",
			 awkward[i].bytes, i);
		topic_put(&s->w, 0, NULL, text, strlen(text), NULL);
		free(text);
	}
	for (size_t i = 0; i < 2; i++) {
		char text[128];

		snprintf(text, sizeof(text), "{\"name\":\"v%zu\",\"data\":%s}",
			 i, values[i]);
		topic_put(&s->w, 0, NULL, text, strlen(text), NULL);
	}
	table_await(&s->w,
		    "SELECT count(*) FROM events WHERE status = 'processed'",
		    2 * N_AWKWARD + 2, ROW_MS);
	for (size_t i = 0; i < N_AWKWARD + 2; i++) {
		bool ours = i < N_AWKWARD;
		char *value = ours ? value_of(&awkward[i])
				   : strdup(values[i - N_AWKWARD]);
		char sql[API_PATH_MAX];

		snprintf(sql, sizeof(sql),
			 "SELECT data::text FROM events WHERE name = '%c%zu'",
			 ours ? 'o' : 'v', ours ? i : i - N_AWKWARD);
		data = table_ask(&s->w, sql);
		assert_string_equal(data, value);
		free(data);
		free(value);
	}
}

static int
setup(void **state)
{
	static struct service s;
	char handler[WORLD_PATH_MAX * 3];
	const char *const changes[] = { "store \"events\" {", handler,
					"{ \"topic\", ",
					"{ \"topic\", \"witness\", ", NULL };

	s = (struct service){ 0 };
	world_init(&s.w, "bytes");
	world_migrate(&s.w);
	/* The newest message is then that of the newest event. */
	topic_create(&s.w, 1);
	service_api(&s, &s.api, "api", NULL);
	snprintf(seen_path, sizeof(seen_path), "%.200s/seen", s.w.dir);
	snprintf(handler, sizeof(handler),
		 "handler \"witness\" {\n"
		 "\tplugin = \"%.200s/tests/witness.so\"\n"
		 "\tfile = \"%s\"\n}\nstore \"events\" {",
		 world_build_dir(), seen_path);
	service_consumer(&s, changes);
	*state = &s;
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answer_and_message_have_the_bytes_that_came),
		cmocka_unit_test(the_row_has_the_bytes_that_came),
		cmocka_unit_test(get_gives_the_bytes_that_came),
		cmocka_unit_test(the_handler_saw_the_bytes_that_came),
		cmocka_unit_test(messages_of_others_are_kept_as_they_came),
	};

	return cmocka_run_group_tests_name("bytes", tests, setup,
					   service_teardown);
}

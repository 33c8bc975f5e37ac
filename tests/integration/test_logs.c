/*
 * The logs: their form, and what never stands in them.
 */
#include "api.h"
#include "service.h"
#include "table.h"
#include "topic.h"

#include <jansson.h>
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROW_MS	  60000
#define ANSWER_MS 60000
/* Stands in what clients send, and nowhere else. */
#define PAYLOAD "payload-5e1f"

static int
port_of(void **state)
{
	const struct service *s = *state;

	return s->api.api_port;
}

static char *
log_read(const struct daemon *d)
{
	size_t size = 1 << 22;
	char *text = calloc(1, size);
	FILE *f = fopen(d->log, "r");

	assert_non_null(text);
	assert_non_null(f);
	assert_true(fread(text, 1, size - 1, f) < size - 1);
	fclose(f);
	return text;
}

static void
expect_logfmt(const struct daemon *d)
{
#define VALUE "(\"([^\"\\\\]|\\\\.)*\"|[^ \"=]+)"
	static const char line_of_logfmt[] =
		"^time=[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\.[0-9]{6}Z "
		"level=(debug|info|warn|error) (instance=" VALUE " )?"
		"([a-z_]+=" VALUE " )*msg=" VALUE "( [a-z_]+=" VALUE ")*$";
	char *text = log_read(d), *rest = text, *line;
	regex_t regex;
	int n = 0;

	assert_int_equal(
		regcomp(&regex, line_of_logfmt, REG_EXTENDED | REG_NOSUB), 0);
	while ((line = strsep(&rest, "\n")) && *line) {
		if (regexec(&regex, line, 0, NULL, 0) != 0)
			fail_msg("%s's log: %s", d->name, line);
		n++;
	}
	assert_true(n > 5);
	regfree(&regex);
	free(text);
}

static void
logs_have_a_line_an_entry_in_logfmt(void **state)
{
	struct service *s = *state;

	expect_logfmt(&s->api);
	expect_logfmt(&s->consumer);
	assert_int_equal(daemon_logged(&s->api, "started with "), 1);
	assert_true(daemon_logged(&s->consumer, "partitions of") > 0);
}

/* Everything that could tempt somebody to log what a client has sent, with
 * the level at debug. */
static void
logs_have_no_payloads_and_no_secrets(void **state)
{
	struct service *s = *state;
	const char *password =
		world_env("EVENT_HANDLER_SERVICE_POSTGRES_PASSWORD");
	static const char wrong[] = "{\"name\":\"\",\"" PAYLOAD "\":" PAYLOAD;
	char id[API_ID_MAX];
	struct http_answer a;

	api_make(port_of(state), "secret", "{\"" PAYLOAD "\":\"" PAYLOAD "\"}",
		 id);
	api_await(port_of(state), id, "processed", ROW_MS);
	a = api_post(port_of(state), wrong);
	http_answer_fini(&a);
	a = api_get(port_of(state), API_EVENTS "?" PAYLOAD "=" PAYLOAD);
	http_answer_fini(&a);
	a = http_call(port_of(state), "POST", API_EVENTS, wrong, strlen(wrong),
		      "Authorization: Bearer " PAYLOAD);
	http_answer_fini(&a);
	free(http_raw(port_of(state), PAYLOAD "\r\n\r\n", sizeof(PAYLOAD) + 3,
		      ANSWER_MS, NULL));
	topic_put(&s->w, 0, PAYLOAD, PAYLOAD, strlen(PAYLOAD), NULL);
	table_await(&s->w,
		    "SELECT count(*) FROM events WHERE status = 'failed'", 1,
		    ROW_MS);
	assert_true(daemon_logged(&s->consumer, "level=debug") > 0);
	assert_int_equal(daemon_logged(&s->api, PAYLOAD), 0);
	assert_int_equal(daemon_logged(&s->consumer, PAYLOAD), 0);
	assert_int_equal(daemon_logged(&s->api, password), 0);
	assert_int_equal(daemon_logged(&s->consumer, password), 0);
}

static void
logs_can_be_json(void **state)
{
	struct daemon json;
	char *text, *rest, *line;
	int n = 0;

	service_api(*state, &json, "json",
		    (const char *const[]){ "debug =",
					   "log_format = \"json\"\n"
					   "debug =",
					   NULL });
	assert_int_equal(daemon_stop(&json, SERVICE_STOP_MS), 0);
	text = rest = log_read(&json);
	while ((line = strsep(&rest, "\n")) && *line) {
		json_t *entry = json_loads(line, 0, NULL);

		if (!json_is_string(json_object_get(entry, "time")) ||
		    !json_is_string(json_object_get(entry, "level")) ||
		    !json_is_string(json_object_get(entry, "msg")))
			fail_msg("no entry: %s", line);
		json_decref(entry);
		n++;
	}
	assert_true(n > 5);
	free(text);
}

static int
setup(void **state)
{
	assert_int_equal(setenv("EVENT_HANDLER_SERVICE_DEBUG", "true", 1), 0);
	return service_setup(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(logs_have_no_payloads_and_no_secrets),
		cmocka_unit_test(logs_have_a_line_an_entry_in_logfmt),
		cmocka_unit_test(logs_can_be_json),
	};

	return cmocka_run_group_tests_name("logs", tests, setup,
					   service_teardown);
}

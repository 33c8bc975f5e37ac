/*
 * How the service tells how it is: health and readiness, the admin page's
 * metrics, and the logs.
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
#define N_EVENTS  7
/* Stands in what clients send, and nowhere else. */
#define PAYLOAD "payload-5e1f"

static int
port_of(void **state)
{
	const struct service *s = *state;

	return s->api.api_port;
}

static void
the_api_says_healthy_alive_and_ready(void **state)
{
	api_expect(api_get(port_of(state), "/health"), 200,
		   "{\"status\":\"healthy\"}");
	api_expect(api_get(port_of(state), "/livez"), 200,
		   "{\"status\":\"alive\"}");
	api_expect(api_get(port_of(state), "/readyz"), 200,
		   "{\"status\":\"ready\"}");
}

static void
the_admin_page_says_alive_and_ready(void **state)
{
	struct service *s = *state;
	struct daemon *both[] = { &s->api, &s->consumer };

	for (int i = 0; i < 2; i++) {
		int port = daemon_admin_port(both[i]);

		api_expect(api_get(port, "/livez"), 200,
			   "{\"status\":\"alive\"}");
		api_expect(api_get(port, "/readyz"), 200,
			   "{\"status\":\"ready\"}");
	}
	assert_int_not_equal(s->api.admin_port, s->consumer.admin_port);
}

static void
expect_instances(int port, const char *const *names)
{
	struct http_answer a = api_get(port, "/readyz?verbose");
	json_t *json = json_loadb(a.body, a.len, 0, NULL);
	json_t *instances = json_object_get(json, "instances");

	assert_int_equal(a.status, 200);
	assert_string_equal(json_string_value(json_object_get(json, "status")),
			    "ready");
	for (; *names; names++) {
		bool found = false;

		for (size_t i = 0; i < json_array_size(instances); i++) {
			json_t *in = json_array_get(instances, i);

			if (strcmp(json_string_value(
					   json_object_get(in, "name")),
				   *names) == 0)
				found = json_is_true(
					json_object_get(in, "ready"));
		}
		if (!found)
			fail_msg("%s is not ready in %s", *names, a.body);
	}
	json_decref(json);
	http_answer_fini(&a);
}

static void
verbose_readiness_names_every_instance(void **state)
{
	struct service *s = *state;

	expect_instances(port_of(state),
			 (const char *const[]){ "http", "kafka", "events",
						"admin", NULL });
	expect_instances(daemon_admin_port(&s->api),
			 (const char *const[]){ "http", "kafka", "events",
						"admin", NULL });
	expect_instances(daemon_admin_port(&s->consumer),
			 (const char *const[]){ "topic", "log", "events",
						"admin", NULL });
}

/* ---- Metrics ------------------------------------------------------------ */

/* The value on the line that begins with this; fails without one. */
static double
metric(const char *text, const char *begin)
{
	size_t len = strlen(begin);
	const char *line = text;

	for (; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, begin, len) == 0)
			return strtod(line + len, NULL);
	}
	fail_msg("no metric %s", begin);
	return 0;
}

static struct http_answer
metrics_get(struct daemon *d)
{
	struct http_answer a = api_get(daemon_admin_port(d), "/metrics");
	char type[128];

	assert_int_equal(a.status, 200);
	http_answer_header(&a, "Content-Type", type, sizeof(type));
	assert_int_equal(strncmp(type, "text/plain; version=0.0.4", 25), 0);
	return a;
}

static void
expect_names(struct daemon *d, const char *const *names)
{
	struct http_answer a = metrics_get(d);

	for (; *names; names++) {
		char type[128];

		snprintf(type, sizeof(type), "# TYPE %s ", *names);
		if (!strstr(a.body, type))
			fail_msg("%s has no metric %s", d->name, *names);
	}
	http_answer_fini(&a);
}

static void
every_metric_that_is_promised_is_there(void **state)
{
	static const char *const both[] = { "evh_build_info",
					    "evh_ready",
					    "evh_instance_ready",
					    "evh_log_lines_total",
					    "evh_events_total",
					    "evh_stage_seconds",
					    "evh_event_seconds",
					    "evh_in_flight",
					    "evh_in_flight_limit",
					    "evh_refused_total",
					    "evh_store_commit_seconds",
					    "evh_store_batch_rows",
					    "evh_store_rows_total",
					    "evh_store_bisections_total",
					    "evh_store_reconnects_total",
					    "evh_process_cpu_seconds_total",
					    "evh_process_resident_memory_bytes",
					    "evh_process_open_fds",
					    "evh_process_start_time_seconds",
					    NULL };
	static const char *const api[] = { "evh_passed_over_total",
					   "evh_http_requests_total",
					   "evh_http_request_seconds",
					   "evh_http_connections",
					   "evh_kafka_producer_queue",
					   "evh_kafka_delivery_seconds",
					   "evh_kafka_delivery_errors_total",
					   "evh_kafka_producer_restarts_total",
					   NULL };
	static const char *const consumer[] = { "evh_kafka_consumer_lag",
						"evh_kafka_partitions",
						"evh_kafka_rebalances_total",
						NULL };
	struct service *s = *state;

	expect_names(&s->api, both);
	expect_names(&s->api, api);
	expect_names(&s->consumer, both);
	expect_names(&s->consumer, consumer);
}

static const struct {
	const char *begin;
	int more;
} event_rows[] = {
	{ "evh_events_total{instance=\"kafka\",pipeline=\"create\","
	  "result=\"ok\"} ",
	  N_EVENTS },
	{ "evh_events_total{instance=\"kafka\",pipeline=\"create\","
	  "result=\"fail\"} ",
	  0 },
	{ "evh_event_seconds_count{pipeline=\"create\"} ", N_EVENTS },
	{ "evh_kafka_delivery_seconds_count{instance=\"kafka\"} ", N_EVENTS },
	{ "evh_store_rows_total{instance=\"events\",status=\"pending\"} ",
	  N_EVENTS },
	{ "evh_in_flight{pipeline=\"create\"} ", 0 },
};
#define N_EVENT_ROWS (sizeof(event_rows) / sizeof(event_rows[0]))

struct event_counts {
	struct daemon *api;
	double before[N_EVENT_ROWS];
	char wrong[512]; /* "" when all are as they should be */
};

static bool
are_events_counted(void *arg)
{
	struct event_counts *c = arg;
	struct http_answer a = metrics_get(c->api);

	c->wrong[0] = '\0';
	for (size_t i = 0; i < N_EVENT_ROWS; i++) {
		const char *begin = event_rows[i].begin;
		int more = (int)(metric(a.body, begin) - c->before[i]);

		if (more != event_rows[i].more)
			snprintf(c->wrong, sizeof(c->wrong),
				 "%s: %d more, not %d", begin, more,
				 event_rows[i].more);
	}
	http_answer_fini(&a);
	return c->wrong[0] == '\0';
}

/* Some of it a moment after the answer. */
static void
events_are_counted_by_what_became_of_them(void **state)
{
	struct service *s = *state;
	struct event_counts counts = { .api = &s->api };
	struct http_answer a = metrics_get(&s->api);
	char id[API_ID_MAX];

	for (size_t i = 0; i < N_EVENT_ROWS; i++)
		counts.before[i] = metric(a.body, event_rows[i].begin);
	http_answer_fini(&a);
	for (int i = 0; i < N_EVENTS; i++)
		api_make(port_of(state), "counted", "{}", id);
	world_await(are_events_counted, &counts, ANSWER_MS, counts.wrong);
}

/* A request is counted a moment after its answer has been sent. */
struct counts {
	struct daemon *api;
	const char *const *begins; /* 4 */
	double least[4];
};

static bool
are_counted(void *arg)
{
	const struct counts *c = arg;
	struct http_answer a = metrics_get(c->api);
	bool all = true;

	for (int i = 0; i < 4; i++)
		all = all && strstr(a.body, c->begins[i]) &&
		      metric(a.body, c->begins[i]) >= c->least[i];
	http_answer_fini(&a);
	return all;
}

static void
requests_are_counted_by_route_method_and_code(void **state)
{
	static const char *const begins[] = {
		"evh_http_requests_total{code=\"201\",instance=\"http\","
		"method=\"POST\",route=\"/api/v1/events\"} ",
		"evh_http_requests_total{code=\"404\",instance=\"http\","
		"method=\"GET\",route=\"/api/v1/events/{id}\"} ",
		"evh_http_requests_total{code=\"422\",instance=\"http\","
		"method=\"POST\",route=\"/api/v1/events\"} ",
		"evh_http_requests_total{code=\"404\",instance=\"http\","
		"method=\"GET\",route=\"unknown\"} ",
	};
	struct service *s = *state;
	struct counts counts = { .api = &s->api, .begins = begins };
	double values[2][4];
	char id[API_ID_MAX];

	for (int round = 0; round < 2; round++) {
		struct http_answer a = metrics_get(&s->api);

		for (int i = 0; i < 4; i++)
			counts.least[i] =
				strstr(a.body, begins[i])
					? metric(a.body, begins[i]) + 1
					: 1;
		http_answer_fini(&a);
		api_make(port_of(state), "counted", "{}", id);
		a = api_event(port_of(state),
			      "019aad2c-6c1e-7b3a-9d5e-0f4c1b2a3d4e");
		http_answer_fini(&a);
		a = api_post(port_of(state), "{}");
		http_answer_fini(&a);
		a = api_get(port_of(state), "/" PAYLOAD);
		http_answer_fini(&a);
		world_await(are_counted, &counts, ANSWER_MS,
			    "requests counted");
		a = metrics_get(&s->api);
		for (int i = 0; i < 4; i++)
			values[round][i] = metric(a.body, begins[i]);
		/* A label is never a client's own word. */
		assert_null(strstr(a.body, PAYLOAD));
		http_answer_fini(&a);
	}
	for (int i = 0; i < 4; i++)
		assert_int_equal((int)(values[1][i] - values[0][i]), 1);
}

static bool
has_no_lag(void *arg)
{
	struct http_answer a = metrics_get(arg);
	const char *line = a.body;
	int n = 0;
	bool none = true;

	while ((line = strstr(line, "\nevh_kafka_consumer_lag{"))) {
		line = strchr(line, ' ');
		none = none && strtod(line, NULL) <= 0;
		n++;
	}
	http_answer_fini(&a);
	return none && n == 6;
}

static void
a_consumer_that_has_done_all_shows_no_lag(void **state)
{
	struct service *s = *state;

	table_await(&s->w,
		    "SELECT count(*) FROM events WHERE status <> 'processed'",
		    0, ROW_MS);
	world_await(has_no_lag, &s->consumer, ANSWER_MS,
		    "six partitions without lag");
}

/* ---- Not ready until proven ---------------------------------------------- */

struct reason {
	struct daemon *d;
	const char *text;
};

static bool
gives_reason(void *arg)
{
	struct reason *r = arg;
	struct http_answer a = api_get(daemon_admin_port(r->d), "/readyz");
	bool gives =
		a.status == 503 && strstr(a.body, r->text) != NULL &&
		strstr(a.body, "{\"status\":\"not ready\",\"reasons\":[\"");

	http_answer_fini(&a);
	return gives;
}

static void
a_consumer_without_topic_or_tables_says_so_and_mends_by_itself(void **state)
{
	struct service *s = *state;
	struct service fresh = { 0 };
	char config[WORLD_PATH_MAX];
	struct reason no_topic = { &fresh.consumer, "topic: " };
	struct reason no_table = { &fresh.consumer, "evhd migrate" };

	world_init(&fresh.w, "fresh");
	service_config(&fresh.w, "consumer.conf", "c.conf", NULL, config);
	daemon_start(&fresh.consumer, &fresh.w, "fresh", config, false);
	world_await(gives_reason, &no_topic, ANSWER_MS, "no topic is told");
	world_await(gives_reason, &no_table, ANSWER_MS, "no table is told");
	topic_create(&fresh.w, 2);
	world_migrate(&fresh.w);
	daemon_await_ready(&fresh.consumer, SERVICE_READY_MS);
	api_expect(api_get(daemon_admin_port(&fresh.consumer), "/readyz"), 200,
		   "{\"status\":\"ready\"}");
	service_stop(&fresh);
	/* world_init() has set them for its own world. */
	setenv("EVENT_HANDLER_SERVICE_POSTGRES_DB", s->w.name, 1);
	setenv("EVENT_HANDLER_SERVICE_TOPIC_NAME", s->w.name, 1);
}

/* ---- Logs -----------------------------------------------------------------
 */

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
		cmocka_unit_test(the_api_says_healthy_alive_and_ready),
		cmocka_unit_test(the_admin_page_says_alive_and_ready),
		cmocka_unit_test(verbose_readiness_names_every_instance),
		cmocka_unit_test(every_metric_that_is_promised_is_there),
		cmocka_unit_test(events_are_counted_by_what_became_of_them),
		cmocka_unit_test(requests_are_counted_by_route_method_and_code),
		cmocka_unit_test(a_consumer_that_has_done_all_shows_no_lag),
		cmocka_unit_test(
			a_consumer_without_topic_or_tables_says_so_and_mends_by_itself),
		cmocka_unit_test(logs_have_no_payloads_and_no_secrets),
		cmocka_unit_test(logs_have_a_line_an_entry_in_logfmt),
		cmocka_unit_test(logs_can_be_json),
	};

	return cmocka_run_group_tests_name("health", tests, setup,
					   service_teardown);
}

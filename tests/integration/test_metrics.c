/*
 * The admin page's metrics: which there are, and that they count.
 */
#include "api.h"
#include "service.h"
#include "table.h"

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_metric_that_is_promised_is_there),
		cmocka_unit_test(events_are_counted_by_what_became_of_them),
		cmocka_unit_test(requests_are_counted_by_route_method_and_code),
		cmocka_unit_test(a_consumer_that_has_done_all_shows_no_lag),
	};

	return cmocka_run_group_tests_name("metrics", tests, service_setup,
					   service_teardown);
}

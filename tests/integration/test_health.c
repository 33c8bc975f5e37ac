/*
 * How the service tells how it is: health and readiness.
 */
#include "api.h"
#include "service.h"
#include "topic.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ANSWER_MS 60000

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_api_says_healthy_alive_and_ready),
		cmocka_unit_test(the_admin_page_says_alive_and_ready),
		cmocka_unit_test(verbose_readiness_names_every_instance),
		cmocka_unit_test(
			a_consumer_without_topic_or_tables_says_so_and_mends_by_itself),
	};

	return cmocka_run_group_tests_name("health", tests, service_setup,
					   service_teardown);
}

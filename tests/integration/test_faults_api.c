/*
 * Faults under load on the side that takes events: what got its 201 is
 * processed, exactly once, whatever ended or went away meanwhile.
 */
#include "crew.h"
#include "table.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* What is in flight takes milliseconds; shutdown_timeout is 30 s. */
#define DRAIN_MS 25000

static struct daemon *
service_begin(struct crew *crew)
{
	struct daemon *api = crew_ready(crew, "api", "api.conf", NULL);

	crew_ready(crew, "consumer", "consumer.conf", NULL);
	crew_load_begin(crew);
	return api;
}

static void
sigterm_of_the_api_loses_nothing_and_exits_with_0(void **state)
{
	struct crew *crew = *state;
	struct daemon *api = service_begin(crew);
	int in_flight = crew_load_strike(crew);

	assert_int_equal(daemon_stop(api, DRAIN_MS), 0);
	assert_int_equal(daemon_logged(api, "msg=drained"), 1);
	crew_ready(crew, "api-2", "api.conf", NULL);
	crew_load_end(crew, "SIGTERM of the API", in_flight);
	crew_end(crew);
}

static void
kill_9_of_the_api_loses_nothing(void **state)
{
	struct crew *crew = *state;
	struct daemon *api = service_begin(crew);
	int in_flight = crew_load_strike(crew);

	daemon_kill(api);
	crew_ready(crew, "api-2", "api.conf", NULL);
	crew_load_end(crew, "kill -9 of the API", in_flight);
	crew_end(crew);
}

static void
a_restart_of_kafka_loses_nothing(void **state)
{
	struct crew *crew = *state;
	struct daemon *api = service_begin(crew);
	int in_flight = crew_load_strike(crew);

	world_servers("restart-kafka");
	crew_await_metric(api, "evh_instance_ready{instance=\"kafka\"}", 1,
			  CREW_READY_MS);
	crew_load_end(crew, "restart of Kafka", in_flight);
	crew_end(crew);
}

/* The broker is the truth: events are taken while the table is away. */
static void
a_restart_of_postgresql_loses_nothing_and_stops_no_post(void **state)
{
	struct crew *crew = *state;
	int in_flight;

	service_begin(crew);
	in_flight = crew_load_strike(crew);
	world_servers("stop-postgres");
	load_await(crew->load, 1, 100, CREW_READY_MS);
	world_servers("start-postgres");
	crew_load_end(crew, "restart of PostgreSQL", in_flight);
	assert_int_equal(load_refused(crew->load), 0);
	assert_int_equal(load_broken(crew->load), 0);
	crew_end(crew);
}

#define FAULT(test)                                                            \
	cmocka_unit_test_setup_teardown(test, crew_setup, crew_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FAULT(sigterm_of_the_api_loses_nothing_and_exits_with_0),
		FAULT(kill_9_of_the_api_loses_nothing),
		FAULT(a_restart_of_kafka_loses_nothing),
		FAULT(a_restart_of_postgresql_loses_nothing_and_stops_no_post),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

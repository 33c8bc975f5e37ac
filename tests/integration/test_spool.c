/*
 * A spool on real servers: the broker is away, clients get their 201 all the
 * same, evhd is killed while it spools and while it drains, and each event is
 * processed once.
 */
#include "api.h"
#include "load.h"
#include "service.h"
#include "table.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define AWAY_MS	 180000 /* for the outage to be noticed */
#define DRAIN_MS 180000
#define ROW_MS	 180000
#define STOP_MS	 25000 /* shutdown_timeout is 30 s: with none to spare */
#define KILLS	 2

#define EVENT "{\"name\":\"user.created\",\"data\":{\"n\":1}}"

struct spooling {
	struct service *s;
	struct daemon d;
	char config[WORLD_PATH_MAX];
};

static void
spooling_config(struct spooling *sp, struct service *s, const char *name,
		const char *more)
{
	char dir[WORLD_PATH_MAX + 64], spool[WORLD_PATH_MAX * 2], file[64];
	const char *changes[] = { "deadline = \"12s\"", spool, NULL };

	*sp = (struct spooling){ .s = s };
	snprintf(dir, sizeof(dir), "%s/%s.spool", s->w.dir, name);
	assert_int_equal(mkdir(dir, 0700), 0);
	snprintf(spool, sizeof(spool),
		 "deadline = \"12s\" on_fail = { \"events\" }\n"
		 "\tspool { dir = \"%.200s\" %s }",
		 dir, more);
	snprintf(file, sizeof(file), "%.40s.conf", name);
	service_config(&s->w, "api.conf", file, changes, sp->config);
}

static void
begin(struct spooling *sp, const char *name)
{
	daemon_start(&sp->d, &sp->s->w, name, sp->config, true);
	daemon_await_ready(&sp->d, SERVICE_READY_MS);
}

static bool
is_spooled(void *arg)
{
	struct http_answer a = api_post(*(int *)arg, EVENT);
	bool is = a.status == 201 && strstr(a.body, ",\"spooled\":true}");

	http_answer_fini(&a);
	return is;
}

static bool
is_not_spooled(void *arg)
{
	struct http_answer a = api_post(*(int *)arg, EVENT);
	bool is = a.status == 201 && !strstr(a.body, "spooled");

	http_answer_fini(&a);
	return is;
}

static void
while_the_broker_is_away_a_post_is_spooled_and_health_degraded(void **state)
{
	struct service *s = *state;
	struct spooling sp;
	struct http_answer a;
	char id[API_ID_MAX];

	spooling_config(&sp, s, "plain", "");
	begin(&sp, "plain");
	world_await(is_not_spooled, &sp.d.api_port, AWAY_MS, "a POST");
	world_servers("stop-kafka");
	world_await(is_spooled, &sp.d.api_port, AWAY_MS, "a spooled POST");
	a = api_post(sp.d.api_port, EVENT);
	assert_int_equal(sscanf(a.body, "{\"id\":\"%36[0-9a-f-]\"", id), 1);
	api_expect_shape(a, 201, "{<text>,\"spooled\":true}");
	api_expect_shape(api_get(sp.d.api_port, "/health"), 200,
			 "{\"status\":\"degraded\",\"checks\":{<text>"
			 "\"create.spool\":\"<text> events wait in the spool "
			 "for the chain\"<text>}");
	api_expect_shape(
		api_get(sp.d.api_port, "/readyz?verbose"), 200,
		"{\"status\":\"ready\",<text>\"spooling\":true,<text>}");
	world_servers("start-kafka");
	world_await(is_not_spooled, &sp.d.api_port, DRAIN_MS,
		    "the spool to be empty");
	api_await(s->api.api_port, id, "processed", ROW_MS);
	assert_int_equal(daemon_stop(&sp.d, SERVICE_STOP_MS), 0);
}

static void
sigterm_with_the_broker_away_exits_in_time_and_keeps_what_is_spooled(
	void **state)
{
	struct service *s = *state;
	struct spooling sp;
	struct load *load;
	int in_flight;

	spooling_config(&sp, s, "stopped", "when = \"always\"");
	begin(&sp, "stopped");
	load = load_start(sp.d.api_port, 8, "user.created", 0);
	load_await(load, 0, 200, AWAY_MS);
	world_servers("stop-kafka");
	load_phase(load, 1);
	load_await(load, 1, 500, AWAY_MS);
	in_flight = load_in_flight(load);
	assert_int_equal(daemon_stop(&sp.d, STOP_MS), 0);
	load_stop(load);
	assert_true(in_flight > 0);
	world_servers("start-kafka");
	begin(&sp, "stopped-2");
	load_check(load, &s->w, "processed", ROW_MS);
	load_free(load);
	assert_int_equal(daemon_stop(&sp.d, SERVICE_STOP_MS), 0);
}

/* Load on one evhd until it is killed; at least n got their 201 before. */
static struct load *
load_and_kill(struct spooling *sp, int n)
{
	struct load *load = load_start(sp->d.api_port, 16, "user.created", 0);

	load_await(load, 0, n, AWAY_MS);
	daemon_kill(&sp->d);
	load_stop(load);
	return load;
}

static void
kill_9_while_spooling_and_while_draining_loses_nothing(void **state)
{
	struct service *s = *state;
	struct spooling sp;

	spooling_config(&sp, s, "killed", "");
	for (int i = 0; i < KILLS; i++) {
		struct load *spooling, *draining;

		world_servers("stop-kafka");
		begin(&sp, "killed");
		spooling = load_and_kill(&sp, 3000);
		assert_int_equal(daemon_logged(&sp.d, "go into the spool") > 0,
				 1);
		/* It has to read what there is, and goes on behind it. */
		begin(&sp, "killed-2");
		world_servers("start-kafka");
		draining = load_and_kill(&sp, 3000 + 1000 * i);
		begin(&sp, "killed-3");
		load_check(spooling, &s->w, "processed", ROW_MS);
		load_check(draining, &s->w, "processed", ROW_MS);
		load_free(spooling);
		load_free(draining);
		assert_int_equal(daemon_stop(&sp.d, SERVICE_STOP_MS), 0);
	}
}

static void
two_evhds_cannot_share_one(void **state)
{
	struct service *s = *state;
	struct spooling sp;
	char pid[64];
	struct daemon other;

	spooling_config(&sp, s, "shared", "");
	begin(&sp, "shared");
	daemon_start(&other, &s->w, "shared-2", sp.config, true);
	assert_int_equal(daemon_wait(&other, SERVICE_STOP_MS), 71);
	snprintf(pid, sizeof(pid), "another evhd (process %ld) has it",
		 (long)sp.d.pid);
	assert_int_equal(daemon_logged(&other, pid), 1);
	assert_int_equal(daemon_stop(&sp.d, SERVICE_STOP_MS), 0);
}

/* Whatever a test has left undone. */
static int
mend(void **state)
{
	(void)state;
	world_servers("start-kafka");
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
			while_the_broker_is_away_a_post_is_spooled_and_health_degraded,
			mend),
		cmocka_unit_test_teardown(
			sigterm_with_the_broker_away_exits_in_time_and_keeps_what_is_spooled,
			mend),
		cmocka_unit_test_teardown(
			kill_9_while_spooling_and_while_draining_loses_nothing,
			mend),
		cmocka_unit_test(two_evhds_cannot_share_one),
	};

	return cmocka_run_group_tests(tests, service_setup, service_teardown);
}

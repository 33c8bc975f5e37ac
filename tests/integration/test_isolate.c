/*
 * A handler in a process of its own, in a consumer as it is shipped: whatever
 * becomes of that process, no other event notices, and it outlives nobody.
 */
#include "crew.h"
#include "table.h"
#include "topic.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WAIT_MS	  60000
#define PROCESSED "SELECT count(*) FROM events WHERE status = 'processed'"
#define FAILED	  "SELECT count(*) FROM events WHERE status = 'failed'"

/* tests/fixtures/isolated.c: an event's name says what it does. */
static const char *const isolated[] = {
	CREW_HANDLER("\tplugin = \"${EVH_TEST_HANDLER}\"\n"
		     "\tisolate = \"process\"\n\tisolate_processes = 2"),
	/* So that a group soon knows who was killed. */
	"group = \"",
	"rdkafka.session.timeout.ms = 6000\n"
	"\trdkafka.heartbeat.interval.ms = 1000\n\tgroup = \"",
	NULL
};

static int
setup(void **state)
{
	char path[WORLD_PATH_MAX];

	snprintf(path, sizeof(path), "%s/fixtures/isolated/isolated.so",
		 world_build_dir());
	setenv("EVH_TEST_HANDLER", path, 1);
	return crew_setup(state);
}

/* Processes whose parent is this one, as far as there is room. */
static int
children_of(pid_t parent, pid_t *ret, int max)
{
	char command[64];
	FILE *list;
	char line[32];
	int n = 0;

	snprintf(command, sizeof(command), "ps -o pid= --ppid %d", (int)parent);
	list = popen(command, "r");
	assert_non_null(list);
	while (n < max && fgets(line, sizeof(line), list))
		ret[n++] = (pid_t)strtol(line, NULL, 10);
	pclose(list);
	return n;
}

struct family {
	pid_t parent;
	pid_t children[8];
	int n;
};

static bool
is_whole(void *arg)
{
	struct family *f = arg;

	f->n = children_of(f->parent, f->children, 8);
	return f->n == 2;
}

static bool
is_gone(void *arg)
{
	const pid_t *pid = arg;

	return kill(*pid, 0) < 0;
}

static void
a_crash_costs_its_own_event_and_no_other(void **state)
{
	struct crew *crew = *state;
	struct daemon *consumer;

	topic_create(&crew->w, 4);
	consumer = crew_ready(crew, "crash", "consumer.conf", isolated);
	topic_fill(&crew->w, "any", 300);
	topic_fill(&crew->w, "crash", 2);
	topic_fill(&crew->w, "any", 300);
	table_await(&crew->w, PROCESSED, 600, WAIT_MS);
	table_await(&crew->w, FAILED, 2, WAIT_MS);
	assert_int_equal(table_count(&crew->w,
				     "SELECT count(*) FROM events "
				     "WHERE status = 'failed' AND attempts = 3 "
				     "AND name = 'crash' AND error->>'message' "
				     "= 'its process ended by signal 6'"),
			 2);
	assert_int_equal(table_count(&crew->w, "SELECT count(*) FROM events "
					       "WHERE status = 'processed' "
					       "AND attempts <> 1"),
			 0);
	/* Each crash was one, and evhd is the one that it was. */
	assert_int_equal((int)crew_await_metric(
				 consumer,
				 "evh_isolate_ends_total{instance=\"mine\"}", 6,
				 WAIT_MS),
			 6);
	assert_int_equal(kill(consumer->pid, 0), 0);
	crew_end(crew);
	assert_int_equal(topic_committed(&crew->w), topic_count(&crew->w));
}

static void
kill_9_of_a_process_loses_nothing(void **state)
{
	struct crew *crew = *state;
	struct daemon *consumer;
	pid_t children[8];

	topic_create(&crew->w, 4);
	consumer = crew_ready(crew, "killed", "consumer.conf", isolated);
	for (int i = 0; i < 5; i++) {
		int n;

		topic_fill(&crew->w, "slow", 100);
		n = children_of(consumer->pid, children, 8);
		for (int j = 0; j < n; j++)
			(void)kill(children[j], SIGKILL);
		table_await(&crew->w, PROCESSED, (i + 1) * 100, WAIT_MS);
	}
	crew_end(crew);
	assert_int_equal(topic_committed(&crew->w), topic_count(&crew->w));
}

static void
no_process_outlives_evhd(void **state)
{
	struct crew *crew = *state;
	struct daemon *consumer;
	struct family family = { 0 };

	topic_create(&crew->w, 1);
	consumer = crew_ready(crew, "orphans", "consumer.conf", isolated);
	/* One of them would not even see that its socket is closed. */
	topic_fill(&crew->w, "hang", 1);
	crew_await_metric(consumer, "evh_in_flight{pipeline=\"process\"}", 1,
			  WAIT_MS);
	family.parent = consumer->pid;
	world_await(is_whole, &family, WAIT_MS, "two processes");
	daemon_kill(consumer);
	for (int i = 0; i < family.n; i++)
		world_await(is_gone, &family.children[i], WAIT_MS, "its end");
	/* And a stop ends what hangs, in time. */
	consumer = crew_ready(crew, "again", "consumer.conf", isolated);
	crew_await_metric(consumer, "evh_in_flight{pipeline=\"process\"}", 1,
			  WAIT_MS);
	family.parent = consumer->pid;
	world_await(is_whole, &family, WAIT_MS, "two processes");
	assert_int_equal(daemon_stop(consumer, CREW_STOP_MS), 0);
	for (int i = 0; i < family.n; i++)
		assert_true(is_gone(&family.children[i]));
	crew_end(crew);
}

static void
check_has_the_plugins_own_refusals(void **state)
{
	static const char *const wrong[] = {
		CREW_HANDLER("\tplugin = \"${EVH_TEST_HANDLER}\"\n"
			     "\tisolate = \"process\"\n"
			     "\tfault = \"create\""),
		NULL
	};
	static const char *const crashes[] = {
		CREW_HANDLER("\tplugin = \"${EVH_TEST_HANDLER}\"\n"
			     "\tisolate = \"process\"\n"
			     "\tfault = \"create_crash\""),
		NULL
	};
	struct crew *crew = *state;
	char path[WORLD_PATH_MAX];

	service_config(&crew->w, "consumer.conf", "wrong.conf", wrong, path);
	crew_run(78, "fault = \"create\" is a mistake",
		 (const char *const[]){ "check", "-c", path, NULL });
	crew_run(78, "is a mistake", (const char *const[]){ "-c", path, NULL });
	service_config(&crew->w, "consumer.conf", "crash.conf", crashes, path);
	crew_run(78, "its process ended by signal 6",
		 (const char *const[]){ "check", "-c", path, NULL });
	crew_end(crew);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, crew_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_crash_costs_its_own_event_and_no_other),
		TEST(kill_9_of_a_process_loses_nothing),
		TEST(no_process_outlives_evhd),
		TEST(check_has_the_plugins_own_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

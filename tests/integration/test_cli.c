/*
 * The command line and what surrounds it, on the real evhd: exit codes, every
 * mistake at once, the environment and .env, signals.
 */
#include "crew.h"
#include "http_client.h"
#include "topic.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#define WAIT_MS 60000
#define PREFIX	"EVENT_HANDLER_SERVICE_"

/* The service's variables, as the tests before and after need them. */
static const char *const names[] = {
	PREFIX "POSTGRES_USER", PREFIX "POSTGRES_PASSWORD",
	PREFIX "POSTGRES_HOST", PREFIX "POSTGRES_PORT",
	PREFIX "POSTGRES_DB",	PREFIX "KAFKA_HOST",
	PREFIX "KAFKA_PORT",	PREFIX "TOPIC_NAME",
	PREFIX "API_PORT",	PREFIX "KAFKA_OUT_PORT",
	PREFIX "DEBUG",
};

#define N_NAMES (sizeof(names) / sizeof(names[0]))

static char *kept[N_NAMES];
static char kept_dir[WORLD_PATH_MAX];

static int
cli_setup(void **state)
{
	int rc = crew_setup(state);

	for (size_t i = 0; i < N_NAMES; i++) {
		const char *value = getenv(names[i]);

		kept[i] = value ? strdup(value) : NULL;
	}
	assert_non_null(getcwd(kept_dir, sizeof(kept_dir)));
	return rc;
}

static int
cli_teardown(void **state)
{
	for (size_t i = 0; i < N_NAMES; i++) {
		if (kept[i])
			setenv(names[i], kept[i], 1);
		else
			unsetenv(names[i]);
		free(kept[i]);
	}
	if (chdir(kept_dir) != 0)
		return -1;
	return crew_teardown(state);
}

/* evhd WORD... -c CONFIG; says: the sentences that must all be there. */
static void
run_expect(int exit_code, const char *const *args, const char *const *says)
{
	char *out;
	int rc = daemon_run(&out, args);

	for (; *says; says++)
		if (!strstr(out, *says))
			fail_msg("it does not say \"%s\" but:\n%s", *says, out);
	if (rc != exit_code)
		fail_msg("exit code %d, not %d:\n%s", rc, exit_code, out);
	free(out);
}

static void
all_mistakes_are_told_at_once_and_nothing_is_opened(void **state)
{
	static const char *const wrong[] = { "write_timeout =",
					     "write_timeot =",
					     "in_flight = 10000",
					     "in_flight = \"many\"",
					     "optional = { \"events\" }",
					     "optional = { \"evnts\" }",
					     "plugin = \"admin\"",
					     "plugin = \"admn\"",
					     NULL };
	static const char *const says[] = {
		"unknown option \"write_timeot\"; did you mean "
		"\"write_timeout\"?",
		"in_flight = \"many\"",
		"\"evnts\", which is no instance; did you mean \"events\"?",
		"plugin \"admn\"",
		"did you mean \"admin\"?",
		"variable " PREFIX "KAFKA_HOST",
		"variable " PREFIX "POSTGRES_DB",
		"port = \"70000\": this must be 1..65535",
		NULL
	};
	struct crew *crew = *state;
	char config[WORLD_PATH_MAX];
	const char *const run[] = { "-c", config, NULL };
	const char *const check[] = { "check", "-c", config, NULL };

	service_config(&crew->w, "api.conf", "wrong.conf", wrong, config);
	unsetenv(PREFIX "KAFKA_HOST");
	/* Empty counts as missing. */
	setenv(PREFIX "POSTGRES_DB", "", 1);
	setenv(PREFIX "POSTGRES_PORT", "70000", 1);
	run_expect(EX_CONFIG, check, says);
	run_expect(EX_CONFIG, run, says);
	crew->has_ended = true;
}

static void
each_missing_variable_is_told_by_its_name(void **state)
{
	static const char *const required[] = { PREFIX "POSTGRES_USER",
						PREFIX "POSTGRES_PASSWORD",
						PREFIX "POSTGRES_HOST",
						PREFIX "POSTGRES_DB",
						PREFIX "KAFKA_HOST",
						PREFIX "TOPIC_NAME",
						NULL };
	static const char *const shipped[] = { "api.conf", "consumer.conf",
					       "evh.conf" };
	struct crew *crew = *state;
	char config[WORLD_PATH_MAX];
	const char *const check[] = { "check", "-c", config, NULL };

	for (size_t i = 0; required[i]; i++)
		unsetenv(required[i]);
	for (size_t i = 0; i < 3; i++) {
		service_config(&crew->w, shipped[i], shipped[i], NULL, config);
		run_expect(EX_CONFIG, check, required);
	}
	crew->has_ended = true;
}

static void
a_port_out_of_range_is_told_wherever_it_stands(void **state)
{
	static const struct {
		const char *name, *value;
	} ports[] = {
		{ PREFIX "POSTGRES_PORT", "0" },
		{ PREFIX "POSTGRES_PORT", "65536" },
		{ PREFIX "KAFKA_PORT", "0" },
		{ PREFIX "KAFKA_PORT", "70000" },
		{ PREFIX "KAFKA_OUT_PORT", "nine" },
		{ PREFIX "API_PORT", "65536" },
		{ PREFIX "API_PORT", "http" },
	};
	struct crew *crew = *state;
	char config[WORLD_PATH_MAX];
	const char *const check[] = { "check", "-c", config, NULL };

	service_config(&crew->w, "evh.conf", "evh.conf", NULL, config);
	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		const char *const says[] = { ports[i].value, NULL };
		const char *before = getenv(ports[i].name);
		char *old = before ? strdup(before) : NULL;

		setenv(ports[i].name, ports[i].value, 1);
		run_expect(EX_CONFIG, check, says);
		if (old)
			setenv(ports[i].name, old, 1);
		else
			unsetenv(ports[i].name);
		free(old);
	}
	crew_run(0, "ok", check);
	crew->has_ended = true;
}

static void
the_command_line_has_its_own_exit_code(void **state)
{
	static const struct {
		int rc;
		const char *says;
		const char *args[6];
	} lines[] = {
		{ EX_USAGE, "evhd -c FILE", { NULL } },
		{ EX_USAGE, "did you mean --config?", { "--confg", "x" } },
		{ EX_USAGE, "did you mean \"check\"?", { "chekc" } },
		{ EX_USAGE, "needs a value", { "-c" } },
		{ EX_USAGE, "which file?", { "check" } },
		{ EX_USAGE, "which plugin?", { "describe" } },
		{ EX_USAGE,
		  "evhd migrate -c FILE ...",
		  { "migrate", "current" } },
		{ EX_CONFIG, "cannot be read", { "-c", "/nowhere/evh.conf" } },
		{ EX_CONFIG, "pg_stor", { "describe", "pg_stor" } },
		{ EX_OK, "evhd ", { "--version" } },
		{ EX_OK, "Exit codes", { "--help" } },
		{ EX_OK, "http_ingest", { "plugins" } },
		{ EX_OK, "\"kafka_sink\"", { "plugins", "--json" } },
		{ EX_OK, "write_timeout", { "describe", "pg_store" } },
	};
	struct crew *crew = *state;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		crew_run(lines[i].rc, lines[i].says, lines[i].args);
	crew->has_ended = true;
}

static void
a_port_that_somebody_has_is_the_systems_refusal(void **state)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr = { htonl(INADDR_ANY) } };
	struct crew *crew = *state;
	struct daemon *second;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const int on = 1;

	/* Whoever shares its ports shares them with itself only. */
	at.sin_port = htons((uint16_t)crew->api_port);
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 8), 0);
	second = crew_start(crew, "second", "api.conf", NULL);
	assert_int_equal(daemon_wait(second, WAIT_MS), EX_OSERR);
	assert_true(daemon_logged(second, "Address already in use") > 0);
	close(fd);

	/* And so with a second evhd. */
	crew_ready(crew, "api", "api.conf", NULL);
	second = crew_start(crew, "third", "api.conf", NULL);
	assert_int_equal(daemon_wait(second, WAIT_MS), EX_OSERR);
	crew_end(crew);
}

static void
a_log_that_cannot_be_opened_is_the_systems_refusal(void **state)
{
	static const char *const changes[] = {
		"\nservice \"admin\" {",
		"\nlog_file = \"/nowhere/evhd.log\"\n\nservice \"admin\" {",
		NULL
	};
	struct crew *crew = *state;
	struct daemon *d = crew_start(crew, "api", "api.conf", changes);

	assert_int_equal(daemon_wait(d, WAIT_MS), EX_OSERR);
	assert_true(daemon_logged(d, "/nowhere/evhd.log") > 0);
	crew->has_ended = true;
}

/* What a plugin finds wrong when it is made: librdkafka's own words. */
static void
a_setting_that_a_library_refuses_is_configuration(void **state)
{
	static const char *const changes[] = {
		"plugin = \"kafka_sink\"",
		"plugin = \"kafka_sink\"\n\trdkafka.no.such.thing = 1", NULL
	};
	struct crew *crew = *state;
	struct daemon *d = crew_start(crew, "api", "api.conf", changes);

	assert_int_equal(daemon_wait(d, WAIT_MS), EX_CONFIG);
	assert_true(daemon_logged(d, "no.such.thing") > 0);
	assert_int_equal(topic_partitions(&crew->w), 0);
	crew->has_ended = true;
}

static void
a_consumer_that_another_of_its_name_replaces_ends_with_70(void **state)
{
	static const char *const named[] = {
		"group = \"", "group_instance_id = \"replica-1\"\n\tgroup = \"",
		NULL
	};
	struct crew *crew = *state;
	struct daemon *first, *second;

	topic_create(&crew->w, 2);
	first = crew_ready(crew, "first", "consumer.conf", named);
	second = crew_ready(crew, "second", "consumer.conf", named);
	assert_int_equal(daemon_wait(first, WAIT_MS), EX_SOFTWARE);
	assert_int_equal(daemon_stop(second, WAIT_MS), 0);
	crew->has_ended = true;
}

static void
sigint_drains_as_sigterm_does(void **state)
{
	struct crew *crew = *state;
	struct daemon *api = crew_ready(crew, "api", "api.conf", NULL);

	assert_int_equal(kill(api->pid, SIGINT), 0);
	assert_int_equal(daemon_wait(api, WAIT_MS), 0);
	assert_int_equal(daemon_logged(api, "msg=drained"), 1);
	crew->has_ended = true;
}

struct file {
	char path[WORLD_PATH_MAX];
	const char *has;
};

static bool
file_has(void *arg)
{
	const struct file *file = arg;
	char text[8192];
	FILE *f = fopen(file->path, "r");
	size_t n;

	if (!f)
		return false;
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	fclose(f);
	return strstr(text, file->has) != NULL;
}

static void
sighup_opens_the_log_anew(void **state)
{
	struct crew *crew = *state;
	struct file log = { .has = "evhd is ready" };
	struct file moved = { .has = "evhd is ready" };
	char option[WORLD_PATH_MAX + 64];
	const char *const changes[] = { "\nservice \"admin\" {", option, NULL };
	struct daemon *api;

	snprintf(log.path, sizeof(log.path), "%.100s/evhd.log", crew->w.dir);
	snprintf(moved.path, sizeof(moved.path), "%.100s/evhd.log.1",
		 crew->w.dir);
	snprintf(option, sizeof(option),
		 "\nlog_file = \"%s\"\n\nservice \"admin\" {", log.path);
	api = crew_ready(crew, "api", "api.conf", changes);
	world_await(file_has, &log, WAIT_MS, "the log says ready");
	assert_int_equal(rename(log.path, moved.path), 0);
	assert_int_equal(kill(api->pid, SIGHUP), 0);
	log.has = "";
	world_await(file_has, &log, WAIT_MS, "there is a new log");
	assert_int_equal(daemon_stop(api, WAIT_MS), 0);
	log.has = "drained";
	assert_true(file_has(&log));
	moved.has = "drained";
	assert_false(file_has(&moved));
	crew->has_ended = true;
}

static void
dotenv_is_read_and_never_overrides_the_environment(void **state)
{
	static const char text[] =
		"# comment\n\n"
		"export " PREFIX "TOPIC_NAME='from-the-file'\n" PREFIX
		"POSTGRES_PORT=70000\n" PREFIX "KAFKA_HOST=\"127.0.0.1\"\n";
	struct crew *crew = *state;
	char config[WORLD_PATH_MAX], path[WORLD_PATH_MAX];
	const char *const check[] = { "check", "-c", config, NULL };

	service_config(&crew->w, "evh.conf", "evh.conf", NULL, config);
	world_write(&crew->w, ".env", text, path);
	assert_int_equal(chdir(crew->w.dir), 0);
	/* It supplies what is missing. */
	unsetenv(PREFIX "TOPIC_NAME");
	unsetenv(PREFIX "KAFKA_HOST");
	crew_run(0, "ok", check);
	/* And its port counts only where the environment has none. */
	unsetenv(PREFIX "POSTGRES_PORT");
	crew_run(EX_CONFIG, "70000", check);
	crew->has_ended = true;
}

static void
env_file_is_read_instead_of_dotenv(void **state)
{
	struct crew *crew = *state;
	char config[WORLD_PATH_MAX], path[WORLD_PATH_MAX];
	const char *const check[] = { "check",	    "-c", config,
				      "--env-file", path, NULL };
	const char *const missing[] = { "check",      "-c",	 config,
					"--env-file", "no-file", NULL };

	service_config(&crew->w, "evh.conf", "evh.conf", NULL, config);
	world_write(&crew->w, ".env", PREFIX "KAFKA_HOST=127.0.0.1\n", path);
	world_write(&crew->w, "other.env", PREFIX "TOPIC_NAME=t\n", path);
	assert_int_equal(chdir(crew->w.dir), 0);
	unsetenv(PREFIX "TOPIC_NAME");
	crew_run(0, "ok", check);
	unsetenv(PREFIX "KAFKA_HOST");
	crew_run(EX_CONFIG, PREFIX "KAFKA_HOST", check);
	crew_run(EX_CONFIG, "no-file", missing);
	crew->has_ended = true;
}

static void
secrets_are_neither_logged_nor_shown(void **state)
{
	struct crew *crew = *state;
	const char *secret = world_env(PREFIX "POSTGRES_PASSWORD");
	struct http_answer metrics;
	struct daemon *all;

	setenv(PREFIX "DEBUG", "true", 1);
	all = crew_ready(crew, "all", "evh.conf", NULL);
	crew_await_metric(all, "evh_instance_ready{instance=\"events\"}", 1,
			  WAIT_MS);
	metrics = http_call(daemon_admin_port(all), "GET", "/metrics", NULL, 0,
			    NULL);
	assert_null(strstr(metrics.body, secret));
	http_answer_fini(&metrics);
	crew_end(crew);
	assert_true(daemon_logged(all, "level=info") > 0);
	assert_int_equal(daemon_logged(all, secret), 0);
}

#define CLI(test) cmocka_unit_test_setup_teardown(test, cli_setup, cli_teardown)

/* What only a plugin's create() knows is found by check too, of every section
 * in one go, and nothing is opened. */
static void
check_tells_what_the_plugins_refuse(void **state)
{
	struct crew *crew = *state;
	char config[WORLD_PATH_MAX];
	const char *args[] = { "check", "-c", config, NULL };
	char *out;

	world_write(&crew->w, "refused.conf",
		    "ingest \"http\" { plugin = \"http_ingest\" "
		    "listen = \"127.0.0.1:1\" key = \"bogus\" }\n"
		    "sink \"kafka\" { plugin = \"kafka_sink\" "
		    "brokers = \"a:1\" topic = \"t\" rdkafka.acks = 1 "
		    "rdkafka.nonsense = 3 }\n"
		    "pipeline \"p\" { chain = { \"http\", \"kafka\" } }\n",
		    config);
	assert_int_equal(daemon_run(&out, args), 78);
	assert_non_null(strstr(out, "ingest \"http\": "));
	assert_non_null(strstr(out, "option key"));
	assert_non_null(strstr(out, "sink \"kafka\": "));
	assert_non_null(strstr(out, "acks"));
	assert_non_null(strstr(out, "nonsense"));
	free(out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CLI(all_mistakes_are_told_at_once_and_nothing_is_opened),
		CLI(each_missing_variable_is_told_by_its_name),
		CLI(check_tells_what_the_plugins_refuse),
		CLI(a_port_out_of_range_is_told_wherever_it_stands),
		CLI(the_command_line_has_its_own_exit_code),
		CLI(a_port_that_somebody_has_is_the_systems_refusal),
		CLI(a_log_that_cannot_be_opened_is_the_systems_refusal),
		CLI(a_setting_that_a_library_refuses_is_configuration),
		CLI(a_consumer_that_another_of_its_name_replaces_ends_with_70),
		CLI(sigint_drains_as_sigterm_does),
		CLI(sighup_opens_the_log_anew),
		CLI(dotenv_is_read_and_never_overrides_the_environment),
		CLI(env_file_is_read_instead_of_dotenv),
		CLI(secrets_are_neither_logged_nor_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

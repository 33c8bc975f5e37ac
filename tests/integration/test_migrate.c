/*
 * evhd migrate: up, down, up; what it refuses; replicas that migrate at once;
 * and services that meet an older or a newer schema.
 */
#include "crew.h"
#include "table.h"
#include "topic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#define WAIT_MS	   60000
#define N_REPLICAS 5
#define HAS_EVENTS "SELECT count(*) FROM pg_tables WHERE tablename = 'events'"
#define PG_PORT	   "EVENT_HANDLER_SERVICE_POSTGRES_PORT"
#define PG_USER	   "EVENT_HANDLER_SERVICE_POSTGRES_USER"
#define KAFKA	   "EVENT_HANDLER_SERVICE_KAFKA_HOST"
#define TOPIC	   "EVENT_HANDLER_SERVICE_TOPIC_NAME"

/* evhd migrate -c CONFIG WORD [WORD [WORD]] */
static void
migrate(int exit_code, const char *says, const char *config, const char *word,
	const char *second, const char *third)
{
	const char *const args[] = { "migrate", "-c",  config, word,
				     second,	third, NULL };

	crew_run(exit_code, says, args);
}

static void
file_copy(const char *from, const char *to)
{
	char text[8192];
	FILE *in = fopen(from, "r");
	FILE *out = fopen(to, "w");
	size_t n;

	assert_non_null(in);
	assert_non_null(out);
	n = fread(text, 1, sizeof(text), in);
	assert_in_range(n, 1, sizeof(text) - 1);
	assert_int_equal(fwrite(text, 1, n, out), n);
	fclose(in);
	assert_int_equal(fclose(out), 0);
}

/* A file of the crew's own folder of migrations. */
static void
file_write(struct crew *crew, const char *name, const char *mode,
	   const char *text)
{
	char path[WORLD_PATH_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "%.100s/migrations/%.60s", crew->w.dir,
		 name);
	f = fopen(path, mode);
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* A folder with the shipped migrations, and a configuration that uses it. */
static void
folder_make(struct crew *crew, char ret_config[WORLD_PATH_MAX])
{
	static const char *const files[] = { "0001_events.up.sql",
					     "0001_events.down.sql" };
	char dir[WORLD_PATH_MAX], from[WORLD_PATH_MAX], to[WORLD_PATH_MAX];
	const char *const changes[] = { "${EVH_SHARE_DIR}/migrations", dir,
					NULL };

	snprintf(dir, sizeof(dir), "%.100s/migrations", crew->w.dir);
	assert_int_equal(mkdir(dir, 0700), 0);
	for (size_t i = 0; i < 2; i++) {
		snprintf(from, sizeof(from), "%.150s/migrations/%s",
			 world_source_dir(), files[i]);
		snprintf(to, sizeof(to), "%.150s/%s", dir, files[i]);
		file_copy(from, to);
	}
	service_config(&crew->w, "consumer.conf", "own.conf", changes,
		       ret_config);
}

static void
second_write(struct crew *crew)
{
	file_write(crew, "0002_note.up.sql", "w",
		   "ALTER TABLE events ADD COLUMN note text;\n"
		   "SELECT pg_sleep(0.2);\n");
	file_write(crew, "0002_note.down.sql", "w",
		   "ALTER TABLE events DROP COLUMN note;\n");
}

static void
up_down_and_up_again(void **state)
{
	struct crew *crew = *state;
	char config[WORLD_PATH_MAX];

	folder_make(crew, config);
	second_write(crew);
	migrate(0, "0000 (nothing applied), the newest is 0002", config,
		"current", NULL, NULL);
	migrate(0, "upgraded to 0001 (events)", config, "upgrade", "+1", NULL);
	migrate(0, "0001 (events), the newest is 0002", config, "current", NULL,
		NULL);
	migrate(0, "upgraded to 0002 (note)", config, "upgrade", "head", NULL);
	migrate(0, "0002 (note), the newest", config, "current", NULL, NULL);
	migrate(0, "{\"current\":2,\"head\":2}", config, "current", "--json",
		NULL);
	migrate(0, "undid 0002 (note)", config, "downgrade", "-1", NULL);
	migrate(0, "0002  note                            not applied", config,
		"history", NULL, NULL);
	migrate(0, "undid 0001 (events)", config, "downgrade", "base", NULL);
	assert_int_equal(table_count(&crew->w, HAS_EVENTS), 0);
	migrate(0, "upgraded to 0001", config, "upgrade", "0001", NULL);
	migrate(0, "upgraded to 0002", config, "upgrade", "2", NULL);
	migrate(0, "undid 0002", config, "downgrade", "1", NULL);
	migrate(0, "upgraded to 0002", config, "upgrade", "head", NULL);
	migrate(0, "nothing to do", config, "upgrade", "head", NULL);
	migrate(0, "\"state\":\"applied\"", config, "history", "--json", NULL);
	assert_int_equal(
		table_count(&crew->w,
			    "SELECT count(*) FROM evh_migrations WHERE "
			    "length(checksum) = 64 AND applied_at <= now()"),
		2);
	migrate(EX_DATAERR, "no migration 0003", config, "upgrade", "+1", NULL);
	migrate(EX_DATAERR, "no such way down", config, "downgrade", "-3",
		NULL);
	crew->has_ended = true;
}

static void
a_downgrade_that_drops_rows_wants_yes(void **state)
{
	struct crew *crew = *state;
	char config[WORLD_PATH_MAX];

	folder_make(crew, config);
	migrate(0, NULL, config, "upgrade", "head", NULL);
	table_do(&crew->w,
		 "INSERT INTO events (id, name, data, status, created_at) "
		 "VALUES (gen_random_uuid(), 'n', '{}', 'pending', now())");
	migrate(EX_DATAERR, "--yes", config, "downgrade", "base", NULL);
	migrate(EX_DATAERR, "--yes", config, "downgrade", "-1", NULL);
	assert_int_equal(table_count(&crew->w, "SELECT count(*) FROM events"),
			 1);
	migrate(0, "undid 0001", config, "downgrade", "-1", "--yes");
	assert_int_equal(table_count(&crew->w, HAS_EVENTS), 0);
	crew->has_ended = true;
}

static void
revision_writes_the_next_two_files_to_be_filled_in(void **state)
{
	static const char *const files[] = { "0002_add_a_column.up.sql",
					     "0002_add_a_column.down.sql",
					     "0003_another.up.sql",
					     "0003_another.down.sql" };
	struct crew *crew = *state;
	char config[WORLD_PATH_MAX];

	folder_make(crew, config);
	migrate(0, "0002_add_a_column.down.sql", config, "revision", "-m",
		"Add a column!");
	migrate(0, "0003_another.up.sql", config, "revision", "-m", "another");
	migrate(EX_DATAERR, "0002_add_a_column.up.sql has no statement in it",
		config, "upgrade", "head", NULL);
	assert_int_equal(table_count(&crew->w, HAS_EVENTS), 0);
	for (size_t i = 0; i < 4; i++)
		file_write(crew, files[i], "a", "SELECT 1;\n");
	migrate(0, "upgraded to 0003 (another)", config, "upgrade", "head",
		NULL);
	migrate(0, "undid 0001", config, "downgrade", "base", NULL);
	crew->has_ended = true;
}

static void
an_applied_file_that_has_changed_stops_it(void **state)
{
	struct crew *crew = *state;
	char config[WORLD_PATH_MAX];

	folder_make(crew, config);
	migrate(0, NULL, config, "upgrade", "head", NULL);
	second_write(crew);
	file_write(crew, "0001_events.up.sql", "a", "-- a word more\n");
	migrate(EX_DATAERR, "0001_events.up.sql is not what was applied",
		config, "upgrade", "head", NULL);
	migrate(EX_DATAERR, "0001_events.up.sql is not what was applied",
		config, "downgrade", "base", "--yes");
	migrate(0, "changed", config, "history", NULL, NULL);
	assert_int_equal(
		table_count(&crew->w, "SELECT count(*) FROM evh_migrations"),
		1);
	assert_int_equal(table_count(&crew->w, HAS_EVENTS), 1);
	crew->has_ended = true;
}

static void
a_table_of_somebody_else_stops_it(void **state)
{
	struct crew *crew = *state;
	char config[WORLD_PATH_MAX];

	folder_make(crew, config);
	table_do(&crew->w, "CREATE TABLE events (mine integer)");
	table_do(&crew->w, "INSERT INTO events VALUES (7)");
	migrate(EX_DATAERR, "a table `events` that evh did not make", config,
		"upgrade", "head", NULL);
	assert_int_equal(table_count(&crew->w, "SELECT mine FROM events"), 7);
	assert_int_equal(table_count(&crew->w,
				     "SELECT count(*) FROM pg_tables WHERE "
				     "tablename = 'evh_migrations'"),
			 0);
	crew->has_ended = true;
}

static void
a_migration_that_fails_is_undone_and_those_before_stay(void **state)
{
	struct crew *crew = *state;
	char config[WORLD_PATH_MAX];

	folder_make(crew, config);
	file_write(crew, "0002_bad.up.sql", "w",
		   "CREATE TABLE half ();\nSELECT nonsense;\n");
	file_write(crew, "0002_bad.down.sql", "w", "DROP TABLE half;\n");
	migrate(EX_DATAERR, "nonsense", config, "upgrade", "head", NULL);
	migrate(0, "0001 (events)", config, "current", NULL, NULL);
	assert_int_equal(table_count(&crew->w,
				     "SELECT count(*) FROM pg_tables WHERE "
				     "tablename = 'half'"),
			 0);
	crew->has_ended = true;
}

static void
five_replicas_that_migrate_at_once_do_it_once(void **state)
{
	struct crew *crew = *state;
	char config[WORLD_PATH_MAX];
	const char *const args[] = { "migrate", "-c",	config,
				     "upgrade", "head", NULL };
	pid_t pids[N_REPLICAS];

	folder_make(crew, config);
	second_write(crew);
	for (int i = 0; i < N_REPLICAS; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0) {
			char *out;

			_exit(daemon_run(&out, args));
		}
	}
	for (int i = 0; i < N_REPLICAS; i++) {
		int status;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
	assert_int_equal(
		table_count(&crew->w, "SELECT count(*) FROM evh_migrations"),
		2);
	migrate(0, "0002 (note), the newest", config, "current", NULL, NULL);
	crew->has_ended = true;
}

static void
exit_codes_say_whose_mistake_it_is(void **state)
{
	struct crew *crew = *state;
	char config[WORLD_PATH_MAX], port[16], pg_port[16], pg_user[64];
	char kafka[256];

	folder_make(crew, config);
	migrate(EX_USAGE, "upgrade to what", config, "upgrade", NULL, NULL);
	migrate(EX_USAGE, "makes no sense", config, "upgrade", "tail", NULL);
	migrate(EX_USAGE, "migrate what", config, "sideways", NULL, NULL);
	migrate(EX_USAGE, "-m TEXT", config, "revision", NULL, NULL);
	migrate(EX_USAGE, "no models", config, "revision", "--autogenerate",
		NULL);
	assert_int_equal(table_count(&crew->w, HAS_EVENTS), 0);

	/* Kafka's variables are not the store's. */
	snprintf(kafka, sizeof(kafka), "%s", world_env(KAFKA));
	unsetenv(KAFKA);
	unsetenv(TOPIC);
	migrate(0, "upgraded", config, "upgrade", "head", NULL);
	setenv(KAFKA, kafka, 1);

	snprintf(port, sizeof(port), "%d", daemon_free_port());
	snprintf(pg_port, sizeof(pg_port), "%s", world_env(PG_PORT));
	setenv(PG_PORT, port, 1);
	migrate(EX_UNAVAILABLE, "refused", config, "current", NULL, NULL);
	setenv(PG_PORT, pg_port, 1);

	snprintf(pg_user, sizeof(pg_user), "%s", world_env(PG_USER));
	unsetenv(PG_USER);
	migrate(EX_CONFIG, PG_USER, config, "current", NULL, NULL);
	setenv(PG_USER, pg_user, 1);
	migrate(0, "0001", config, "current", NULL, NULL);
	crew->has_ended = true;
}

static void
of_two_stores_one_is_named(void **state)
{
	static const char *const two[] = {
		"\nservice \"admin\" {",
		"\nstore \"other\" {\n\tplugin = \"pg_store\"\n"
		"\thost = \"nowhere.invalid\"\n\tuser = \"u\"\n"
		"\tpassword = \"p\"\n\tdbname = \"d\"\n}\n\n"
		"service \"admin\" {",
		NULL
	};
	struct crew *crew = *state;
	char config[WORLD_PATH_MAX];
	const char *const named[] = {
		"--instance", "events",	 "migrate", "-c",
		config,	      "upgrade", "head",    NULL
	};

	service_config(&crew->w, "consumer.conf", "two.conf", two, config);
	migrate(EX_USAGE, "--on INSTANCE", config, "upgrade", "head", NULL);
	crew_run(0, "upgraded to 0001", named);
	crew->has_ended = true;
}

static void
on_an_older_schema_evhd_waits_and_goes_on_by_itself(void **state)
{
	struct crew *crew = *state;
	struct daemon *consumer, *api;
	char config[WORLD_PATH_MAX], id[37];

	topic_create(&crew->w, 2);
	topic_fill(&crew->w, "n", 10);
	consumer = crew_start(crew, "consumer", "consumer.conf", NULL);
	crew_await_reason(consumer, "upgrade head");
	daemon_await_logged(consumer, "evhd migrate -c", WAIT_MS);
	/* The API needs no table for what it promises. */
	api = crew_ready(crew, "api", "api.conf", NULL);
	crew_post(crew, "n", "{}", id);
	assert_true(crew_metric(api,
				"evh_instance_ready{instance=\"events\"}") < 1);
	assert_int_equal(topic_committed(&crew->w), 0);

	world_config(&crew->w, "consumer.conf", "migrate.conf", NULL, config);
	migrate(0, "upgraded", config, "upgrade", "head", NULL);
	daemon_await_ready(consumer, CREW_READY_MS);
	table_await(&crew->w,
		    "SELECT count(*) FROM events WHERE status = 'processed'",
		    11, WAIT_MS);
	crew_end(crew);
}

static void
a_newer_schema_is_a_warning(void **state)
{
	struct crew *crew = *state;
	struct daemon *consumer;
	char config[WORLD_PATH_MAX];

	folder_make(crew, config);
	second_write(crew);
	migrate(0, "0002", config, "upgrade", "head", NULL);
	topic_create(&crew->w, 1);
	topic_fill(&crew->w, "n", 10);
	consumer = crew_ready(crew, "consumer", "consumer.conf", NULL);
	daemon_await_logged(consumer, "newer than", WAIT_MS);
	table_await(&crew->w, "SELECT count(*) FROM events", 10, WAIT_MS);
	crew_end(crew);
}

static void
auto_migrate_does_it_at_start_and_only_when_it_is_told_to(void **state)
{
	static const char *const by_itself[] = {
		"plugin = \"pg_store\"",
		"plugin = \"pg_store\"\n\tauto_migrate = yes", NULL
	};
	struct crew *crew = *state;
	struct daemon *consumer;

	topic_create(&crew->w, 1);
	consumer = crew_start(crew, "consumer", "consumer.conf", NULL);
	crew_await_reason(consumer, "upgrade head");
	assert_int_equal(table_count(&crew->w, HAS_EVENTS), 0);
	crew_ready(crew, "by-itself", "consumer.conf", by_itself);
	assert_int_equal(table_count(&crew->w, HAS_EVENTS), 1);
	crew_end(crew);
}

#define MIGRATES(test)                                                         \
	cmocka_unit_test_setup_teardown(test, crew_setup_bare, crew_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		MIGRATES(up_down_and_up_again),
		MIGRATES(a_downgrade_that_drops_rows_wants_yes),
		MIGRATES(revision_writes_the_next_two_files_to_be_filled_in),
		MIGRATES(an_applied_file_that_has_changed_stops_it),
		MIGRATES(a_table_of_somebody_else_stops_it),
		MIGRATES(
			a_migration_that_fails_is_undone_and_those_before_stay),
		MIGRATES(five_replicas_that_migrate_at_once_do_it_once),
		MIGRATES(exit_codes_say_whose_mistake_it_is),
		MIGRATES(of_two_stores_one_is_named),
		MIGRATES(on_an_older_schema_evhd_waits_and_goes_on_by_itself),
		MIGRATES(a_newer_schema_is_a_warning),
		MIGRATES(
			auto_migrate_does_it_at_start_and_only_when_it_is_told_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

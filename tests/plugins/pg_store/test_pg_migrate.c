/* `migrate` on a real database: what it prints, leaves, and exits with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "group.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define DB "migrate"

static char folder[64]; /* of the test's own migrations, copied from ours */
static char said[8192]; /* both outputs of the last command */

static void
shell(const char *fmt, ...)
{
	char line[1000];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	assert_int_equal(system(line), 0);
}

static void
file_write(const char *name, const char *text)
{
	char path[200];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int
setup(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/evh-migrate.XXXXXX");
	assert_non_null(mkdtemp(folder));
	shell("cp '%s'/migrations/0001_* %s/", getenv("EVH_SHARE_DIR"), folder);
	file_write("0002_tags.up.sql", "CREATE TABLE tags (tag text);"
				       "INSERT INTO tags VALUES ('a');");
	file_write("0002_tags.down.sql", "DROP TABLE tags;");
	file_write("0003_more.up.sql",
		   "ALTER TABLE events ADD COLUMN more text;");
	file_write("0003_more.down.sql",
		   "ALTER TABLE events DROP COLUMN more;");
	pg_server_database(&server, DB, 1);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	shell("rm -r %s", folder);
	return 0;
}

/* The command in a process of its own, as evhd runs it; its pid. */
static pid_t
migrate_start(const char *words, const char *port, FILE *output)
{
	char line[200], *argv[10] = { "migrate" }, *save;
	struct pg_server elsewhere = server;
	struct bench bench;
	int argc = 1;
	pid_t pid;

	snprintf(line, sizeof(line), "%s", words);
	argv[argc] = strtok_r(line, " ", &save);
	while (argv[argc])
		argv[++argc] = strtok_r(NULL, " ", &save);
	snprintf(elsewhere.port, sizeof(elsewhere.port), "%s", port);
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid)
		return pid;

	dup2(fileno(output), 1);
	dup2(fileno(output), 2);
	bench_create(&bench, &elsewhere, DB, "migrations", folder, NULL);
	argc = evh_plugin.commands[0].run(bench.self, argc, argv);
	bench_destroy(&bench);
	_exit(argc);
}

static int
exit_code(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int
migrate_at(const char *words, const char *port)
{
	FILE *output = tmpfile();
	size_t n;
	int code;

	assert_non_null(output);
	code = exit_code(migrate_start(words, port, output));
	rewind(output);
	n = fread(said, 1, sizeof(said) - 1, output);
	said[n] = '\0';
	fclose(output);
	return code;
}

static int
migrate(const char *words)
{
	return migrate_at(words, server.port);
}

static void
says(const char *part)
{
	if (!strstr(said, part))
		fail_msg("\"%s\" is not in: %s", part, said);
}

static const char *
revisions(void)
{
	return pg_server_sql(&server, DB,
			     "SELECT string_agg(revision || name, ' '"
			     " ORDER BY revision) FROM evh_migrations");
}

/* Tables, columns and indexes, as text. */
static void
schema_keep(char ret[64])
{
	snprintf(
		ret, 64, "%s",
		pg_server_sql(&server, DB,
			      "SELECT md5(string_agg(t, ',' ORDER BY t)) FROM ("
			      "SELECT table_name || column_name || data_type ||"
			      " is_nullable FROM information_schema.columns"
			      " WHERE table_schema = 'public' UNION ALL"
			      " SELECT indexdef FROM pg_indexes"
			      " WHERE schemaname = 'public') AS x (t)"));
}

static void
up_down_and_up_again_gives_the_same_schema(void **state)
{
	char first[64], second[64];

	(void)state;
	assert_int_equal(migrate("upgrade head"), 0);
	says("upgraded to 0001 (events)\nupgraded to 0002 (tags)\n"
	     "upgraded to 0003 (more)\n");
	assert_string_equal(revisions(), "1events 2tags 3more");
	schema_keep(first);
	assert_int_equal(migrate("downgrade base --yes"), 0);
	says("undid 0003 (more)\nundid 0002 (tags)\nundid 0001 (events)\n");
	assert_string_equal(
		pg_server_sql(&server, DB, "SELECT to_regclass('events')"), "");
	assert_int_equal(migrate("upgrade head"), 0);
	schema_keep(second);
	assert_string_equal(first, second);
}

static void
steps_and_numbers_go_where_they_say(void **state)
{
	(void)state;
	assert_int_equal(migrate("upgrade +1"), 0);
	assert_string_equal(revisions(), "1events");
	assert_int_equal(migrate("upgrade 0002"), 0);
	assert_string_equal(revisions(), "1events 2tags");
	assert_int_equal(migrate("upgrade 2"), 0);
	says("nothing to do");
	assert_int_equal(migrate("upgrade +1"), 0);
	assert_int_equal(migrate("downgrade -1"), 0);
	assert_string_equal(revisions(), "1events 2tags");
	assert_int_equal(migrate("downgrade 1 --yes"), 0);
	assert_string_equal(revisions(), "1events");
}

static void
ways_that_are_none_are_refused(void **state)
{
	(void)state;
	assert_int_equal(migrate("upgrade 4"), 65);
	says("there is no migration 0004");
	assert_int_equal(migrate("upgrade +4"), 65);
	assert_int_equal(migrate("upgrade head"), 0);
	assert_int_equal(migrate("upgrade 2"), 65);
	says("`downgrade` goes back");
	assert_int_equal(migrate("downgrade -4 --yes"), 65);
	assert_int_equal(migrate("sideways"), 64);
	assert_int_equal(migrate("revision --autogenerate -m x"), 64);
	says("no models to compare with");
	assert_string_equal(revisions(), "1events 2tags 3more");
}

static void
what_was_applied_is_recorded_with_its_checksum(void **state)
{
	(void)state;
	assert_int_equal(migrate("upgrade +1"), 0);
	shell("echo \"$(sha256sum < %s/0001_events.up.sql | cut -c1-64)\" > "
	      "%s/sum",
	      folder, folder);
	assert_int_equal(migrate("history"), 0);
	shell("test \"$(cat %s/sum)\" = '%s'", folder,
	      pg_server_sql(&server, DB,
			    "SELECT checksum FROM evh_migrations"));
}

static void
an_applied_file_that_changed_stops_everything(void **state)
{
	(void)state;
	assert_int_equal(migrate("upgrade 2"), 0);
	file_write("0002_tags.up.sql", "CREATE TABLE tags (tag varchar(9));");
	assert_int_equal(migrate("upgrade head"), 65);
	says("0002_tags.up.sql is not what was applied");
	assert_int_equal(migrate("downgrade -1 --yes"), 65);
	assert_string_equal(revisions(), "1events 2tags");
	assert_int_equal(migrate("history"), 0);
	says("changed");
}

static void
a_down_file_may_be_mended(void **state)
{
	(void)state;
	assert_int_equal(migrate("upgrade head"), 0);
	file_write("0003_more.down.sql",
		   "ALTER TABLE events DROP COLUMN IF EXISTS more;");
	assert_int_equal(migrate("downgrade -1"), 0);
}

static void
a_table_events_of_somebody_else_is_left_alone(void **state)
{
	(void)state;
	pg_server_sql(&server, DB, "CREATE TABLE events (theirs text)");
	assert_int_equal(migrate("upgrade head"), 65);
	says("a table `events` that evh did not make");
	assert_string_equal(pg_server_sql(&server, DB,
					  "SELECT to_regclass("
					  "'evh_migrations')"),
			    "");
}

static void
rows_are_dropped_only_with_yes(void **state)
{
	(void)state;
	assert_int_equal(migrate("upgrade head"), 0);
	assert_int_equal(migrate("downgrade -1"), 0);
	assert_int_equal(migrate("downgrade -1"), 65); /* tags has one */
	says("it would drop the rows of table tags; it was not undone");
	pg_server_sql(&server, DB, "DELETE FROM tags");
	assert_int_equal(migrate("downgrade -1"), 0);
	pg_server_sql(&server, DB,
		      "INSERT INTO events (id, name, data, status, created_at)"
		      " VALUES (gen_random_uuid(), 'x', '{}', 'pending',"
		      " now())");
	assert_int_equal(migrate("downgrade base"), 65);
	says("it would drop the rows of table events");
	assert_string_equal(revisions(), "1events");
	assert_string_equal(
		pg_server_sql(&server, DB, "SELECT count(*) FROM events"), "1");
	assert_int_equal(migrate("downgrade base --yes"), 0);
}

static void
rows_that_are_only_deleted_count_too(void **state)
{
	(void)state;
	file_write("0003_more.down.sql",
		   "DELETE FROM tags WHERE tag = 'b';"
		   "ALTER TABLE events DROP COLUMN more;");
	assert_int_equal(migrate("upgrade head"), 0);
	assert_int_equal(migrate("downgrade -1"), 0);
	assert_int_equal(migrate("upgrade head"), 0);
	pg_server_sql(&server, DB, "INSERT INTO tags VALUES ('b')");
	assert_int_equal(migrate("downgrade -1"), 65);
	says("it would drop rows");
	assert_string_equal(revisions(), "1events 2tags 3more");
}

static void
a_migration_that_fails_leaves_nothing(void **state)
{
	(void)state;
	file_write("0003_more.up.sql", "CREATE TABLE half (a int);"
				       "CREATE TABLE half (b int);");
	assert_int_equal(migrate("upgrade head"), 65);
	says("0003_more.up.sql: relation \"half\" already exists (42P07)");
	assert_string_equal(revisions(), "1events 2tags");
	assert_string_equal(
		pg_server_sql(&server, DB, "SELECT to_regclass('half')"), "");
}

static void
a_migration_that_ends_its_transaction_is_refused(void **state)
{
	(void)state;
	file_write("0003_more.up.sql", "CREATE TABLE a (a int); COMMIT;");
	assert_int_equal(migrate("upgrade head"), 65);
	says("its SQL ends the transaction");
	assert_string_equal(revisions(), "1events 2tags");
}

static void
a_migration_that_wants_to_copy_does_not_hang(void **state)
{
	(void)state;
	file_write("0003_more.up.sql", "COPY tags FROM STDIN;");
	assert_int_equal(migrate("upgrade head"), 69);
	says("COPY from or to the client");
	assert_string_equal(revisions(), "1events 2tags");
}

static void
several_at_once_do_it_once(void **state)
{
	enum { N = 6 };
	FILE *output[N];
	pid_t pids[N];
	char text[2000];
	unsigned i, upgraded = 0;
	size_t n;

	(void)state;
	for (i = 0; i < N; i++) {
		output[i] = tmpfile();
		assert_non_null(output[i]);
		pids[i] = migrate_start("upgrade head", server.port, output[i]);
	}
	for (i = 0; i < N; i++) {
		assert_int_equal(exit_code(pids[i]), 0);
		rewind(output[i]);
		n = fread(text, 1, sizeof(text) - 1, output[i]);
		text[n] = '\0';
		fclose(output[i]);
		upgraded += strstr(text, "upgraded to 0003") != NULL;
	}
	assert_int_equal(upgraded, 1);
	assert_string_equal(revisions(), "1events 2tags 3more");
}

static void
current_and_history_tell_and_change_nothing(void **state)
{
	(void)state;
	assert_int_equal(migrate("current"), 0);
	says("0000 (nothing applied), the newest is 0003");
	assert_int_equal(migrate("history --json"), 0);
	says("[{\"revision\":1,\"name\":\"events\",\"state\":\"not applied\","
	     "\"applied_at\":null},");
	assert_string_equal(pg_server_sql(&server, DB,
					  "SELECT to_regclass("
					  "'evh_migrations')"),
			    "");
	assert_int_equal(migrate("upgrade 2"), 0);
	assert_int_equal(migrate("current --json"), 0);
	assert_string_equal(said, "{\"current\":2,\"head\":3}\n");
	assert_int_equal(migrate("history"), 0);
	says("0002  tags                            applied 20");
	says("0003  more                            not applied");
	assert_int_equal(migrate("upgrade head"), 0);
	assert_int_equal(migrate("current"), 0);
	assert_string_equal(said, "0003 (more), the newest\n");
}

static void
a_database_newer_than_the_files_is_left_alone(void **state)
{
	(void)state;
	assert_int_equal(migrate("upgrade head"), 0);
	shell("rm %s/0003_*", folder);
	assert_int_equal(migrate("upgrade head"), 0);
	says("nothing to do: the database is at 0003");
	assert_int_equal(migrate("downgrade -1"), 65);
	says("knows migrations up to 0002 only");
	assert_int_equal(migrate("history"), 0);
	says("unknown");
}

static void
a_server_that_cannot_be_reached_is_69(void **state)
{
	(void)state;
	assert_int_equal(migrate_at("upgrade head", "1"), 69);
	says("Connection refused; Is the server running on that host");
	assert_int_equal(migrate_at("current", "1"), 69);
}

static void
revision_needs_no_server(void **state)
{
	(void)state;
	assert_int_equal(migrate_at("revision -m add_column", "1"), 0);
	says("/0004_add_column.up.sql\n");
	says("fill them in before `upgrade`\n");
}

static void
files_that_are_not_filled_in_are_refused_and_nothing_is_done(void **state)
{
	(void)state;
	assert_int_equal(migrate("revision -m add_column"), 0);
	assert_int_equal(migrate("upgrade head"), 65);
	says("0004_add_column.up.sql has no statement in it: fill it in");
	assert_string_equal(revisions(), "");
	assert_int_equal(migrate("upgrade 3"), 0);

	file_write("0004_add_column.up.sql", "SELECT 1;");
	assert_int_equal(migrate("upgrade head"), 0);
	assert_int_equal(migrate("downgrade -2"), 65);
	says("0004_add_column.down.sql has no statement in it: fill it in");
	assert_string_equal(revisions(), "1events 2tags 3more 4add_column");
}

static void
a_mistake_in_the_sql_has_its_line_and_column(void **state)
{
	(void)state;
	file_write("0003_more.up.sql", "-- gr\xc3\xbc\xc3\x9f"
				       "e\n"
				       "CREATE TABLE half (a int);\n"
				       "\tCREATE TABEL other (b int);\n");
	assert_int_equal(migrate("upgrade head"), 65);
	says("0003_more.up.sql:3:9: syntax error at or near \"TABEL\" (42601)");
	file_write("0003_more.up.sql", "CREATE TABLE half (a int);\n"
				       "SELECT \xc3\xbc FROM half");
	assert_int_equal(migrate("upgrade head"), 65);
	says("0003_more.up.sql:2:8: column \"\xc3\xbc\" does not exist "
	     "(42703)");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(up_down_and_up_again_gives_the_same_schema),
		TEST(steps_and_numbers_go_where_they_say),
		TEST(ways_that_are_none_are_refused),
		TEST(what_was_applied_is_recorded_with_its_checksum),
		TEST(an_applied_file_that_changed_stops_everything),
		TEST(a_down_file_may_be_mended),
		TEST(a_table_events_of_somebody_else_is_left_alone),
		TEST(rows_are_dropped_only_with_yes),
		TEST(rows_that_are_only_deleted_count_too),
		TEST(a_migration_that_fails_leaves_nothing),
		TEST(a_migration_that_ends_its_transaction_is_refused),
		TEST(a_migration_that_wants_to_copy_does_not_hang),
		TEST(several_at_once_do_it_once),
		TEST(current_and_history_tell_and_change_nothing),
		TEST(a_database_newer_than_the_files_is_left_alone),
		TEST(a_server_that_cannot_be_reached_is_69),
		TEST(revision_needs_no_server),
		TEST(files_that_are_not_filled_in_are_refused_and_nothing_is_done),
		TEST(a_mistake_in_the_sql_has_its_line_and_column),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}

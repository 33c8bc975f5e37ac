#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "migrate_command.h"
#include "migration_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[64];

static int
setup(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/evh-migrations.XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int
teardown(void **state)
{
	char command[100];

	(void)state;
	snprintf(command, sizeof(command), "rm -r '%s'", folder);
	return system(command);
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

static void
names_are_parsed(void **state)
{
	static const struct {
		const char *file;
		int revision; /* 0: it is none */
		const char *name;
		bool is_up;
	} rows[] = {
		{ "0001_events.up.sql", 1, "events", true },
		{ "0001_events.down.sql", 1, "events", false },
		{ "0042_add_2nd_index.up.sql", 42, "add_2nd_index", true },
		{ "9999_x.up.sql", 9999, "x", true },
		{ "0000_x.up.sql", 0, "", false },
		{ "001_x.up.sql", 0, "", false },
		{ "00001_x.up.sql", 0, "", false },
		{ "0001-x.up.sql", 0, "", false },
		{ "0001_.up.sql", 0, "", false },
		{ "0001_X.up.sql", 0, "", false },
		{ "0001_x'.up.sql", 0, "", false },
		{ "0001_x.sql", 0, "", false },
		{ "0001_x.up.sql~", 0, "", false },
		{ "0001_x.UP.sql", 0, "", false },
		{ "README.md", 0, "", false },
		{ "", 0, "", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char name[MIGRATION_NAME];
		int revision = 0;
		bool is_up = false;

		assert_int_equal(migration_file_parse(rows[i].file, &revision,
						      name, &is_up),
				 rows[i].revision != 0);
		if (!rows[i].revision)
			continue;
		assert_int_equal(revision, rows[i].revision);
		assert_string_equal(name, rows[i].name);
		assert_int_equal(is_up, rows[i].is_up);
	}
}

static void
a_folder_is_read_in_order_with_checksums(void **state)
{
	struct migration_files files;
	char why[300];

	(void)state;
	file_write("0002_b.up.sql", "abc");
	file_write("0002_b.down.sql", "2d");
	file_write("0001_a.down.sql", "1d");
	file_write("0001_a.up.sql", "1u");
	file_write("README", "no migration");
	assert_int_equal(migration_files_read(&files, folder, why, 300), 0);
	assert_int_equal(files.n, 2);
	assert_string_equal(files.list[0].name, "a");
	assert_string_equal(files.list[0].up, "1u");
	assert_string_equal(files.list[1].down, "2d");
	/* FIPS 180-2's example for "abc". */
	assert_string_equal(files.list[1].checksum,
			    "ba7816bf8f01cfea414140de5dae2223"
			    "b00361a396177a9cb410ff61f20015ad");
	migration_files_fini(&files);
}

static void
refused(const char *part)
{
	struct migration_files files;
	char why[300];

	assert_true(migration_files_read(&files, folder, why, 300) < 0);
	if (!strstr(why, part))
		fail_msg("\"%s\" is not in: %s", part, why);
}

static void
a_gap_is_refused(void **state)
{
	(void)state;
	file_write("0002_b.up.sql", "");
	file_write("0002_b.down.sql", "");
	refused("migration 0001 is missing");
}

static void
a_missing_down_file_is_refused(void **state)
{
	(void)state;
	file_write("0001_a.up.sql", "");
	refused("0001_a.down.sql is missing");
}

static void
two_names_for_a_number_are_refused(void **state)
{
	(void)state;
	file_write("0001_a.up.sql", "");
	file_write("0001_b.down.sql", "");
	refused("two migrations have the number 0001");
}

static void
an_empty_folder_is_refused(void **state)
{
	(void)state;
	refused("no migrations");
}

static void
a_missing_folder_is_refused(void **state)
{
	struct migration_files files;
	char why[300];

	(void)state;
	assert_true(migration_files_read(&files, "/nonexistent", why, 300) < 0);
	assert_non_null(strstr(why, "No such file"));
}

static void
revision_writes_the_next_two_files(void **state)
{
	char up[512], down[512], why[300];
	struct migration_files files;

	(void)state;
	file_write("0001_a.up.sql", "");
	file_write("0001_a.down.sql", "");
	assert_int_equal(migration_files_create(folder, "Add a Column!", up,
						down, why, 300),
			 0);
	assert_non_null(strstr(up, "/0002_add_a_column.up.sql"));
	assert_non_null(strstr(down, "/0002_add_a_column.down.sql"));
	assert_int_equal(migration_files_read(&files, folder, why, 300), 0);
	assert_int_equal(files.n, 2);
	assert_non_null(strstr(files.list[1].up, "-- Add a Column!\n"));
	migration_files_fini(&files);
}

static void
what_revision_writes_has_no_statement_until_it_is_filled_in(void **state)
{
	static const struct {
		const char *sql;
		bool has;
	} rows[] = {
		{ "", false },
		{ " \t\n;;\n", false },
		{ "-- SELECT 1;", false },
		{ "/* SELECT /* 1 */ ; */ -- x\n", false },
		{ "/* no end", false },
		{ "-- x\nSELECT 1", true },
		{ "/* x */SELECT 1", true },
		{ "- 1", true },
		{ "/", true },
		{ "$$--$$", true },
	};
	char up[512], down[512], why[300];
	struct migration_files files;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (migration_has_statement(rows[i].sql) != rows[i].has)
			fail_msg("%s", rows[i].sql);
	assert_int_equal(
		migration_files_create(folder, "x -- y */", up, down, why, 300),
		0);
	assert_int_equal(migration_files_read(&files, folder, why, 300), 0);
	assert_false(migration_has_statement(files.list[0].up));
	assert_false(migration_has_statement(files.list[0].down));
	migration_files_fini(&files);
}

static void
a_text_without_letters_makes_no_revision(void **state)
{
	char up[512], down[512], why[300];

	(void)state;
	assert_true(migration_files_create(folder, "?!", up, down, why, 300) <
		    0);
	assert_non_null(strstr(why, "no letter or digit"));
}

static const struct {
	const char *line;
	struct migrate_words words; /* verb 0: refused */
} lines[] = {
	{ "upgrade head", { .verb = MIGRATE_UPGRADE, .target = MIGRATE_HEAD } },
	{ "upgrade +2",
	  { .verb = MIGRATE_UPGRADE, .relative = true, .target = 2 } },
	{ "upgrade 0003", { .verb = MIGRATE_UPGRADE, .target = 3 } },
	{ "downgrade -1",
	  { .verb = MIGRATE_DOWNGRADE, .relative = true, .target = 1 } },
	{ "downgrade -2 --yes",
	  { .verb = MIGRATE_DOWNGRADE,
	    .relative = true,
	    .target = 2,
	    .yes = true } },
	{ "downgrade --yes base", { .verb = MIGRATE_DOWNGRADE, .yes = true } },
	{ "downgrade 1", { .verb = MIGRATE_DOWNGRADE, .target = 1 } },
	{ "current", { .verb = MIGRATE_CURRENT } },
	{ "current --json", { .verb = MIGRATE_CURRENT, .json = true } },
	{ "history", { .verb = MIGRATE_HISTORY } },
	{ "revision -m text", { .verb = MIGRATE_REVISION } },
	{ "", { 0 } },
	{ "up", { 0 } },
	{ "upgrade", { 0 } },
	{ "upgrade base", { 0 } },
	{ "upgrade -1", { 0 } },
	{ "upgrade +0", { 0 } },
	{ "upgrade +x", { 0 } },
	{ "upgrade 1x", { 0 } },
	{ "upgrade 99999", { 0 } },
	{ "upgrade head head", { 0 } },
	{ "upgrade head --yes", { 0 } },
	{ "downgrade head", { 0 } },
	{ "downgrade", { 0 } },
	{ "current 1", { 0 } },
	{ "history --yes", { 0 } },
	{ "revision", { 0 } },
	{ "revision -m", { 0 } },
	{ "revision text", { 0 } },
	{ "revision --autogenerate -m text", { 0 } },
};

static void
words_are_parsed(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct migrate_words words = { 0 };
		char line[100], why[500], *argv[8] = { "migrate" }, *save;
		int argc = 1, rc;

		snprintf(line, sizeof(line), "%s", lines[i].line);
		argv[argc] = strtok_r(line, " ", &save);
		while (argv[argc])
			argv[++argc] = strtok_r(NULL, " ", &save);
		rc = migrate_words_parse(argc, argv, &words, why, sizeof(why));
		if ((rc == 0) != (lines[i].words.verb != 0))
			fail_msg("\"%s\" gives %d", lines[i].line, rc);
		assert_int_equal(words.verb, lines[i].words.verb);
		assert_int_equal(words.target, lines[i].words.target);
		assert_int_equal(words.relative, lines[i].words.relative);
		assert_int_equal(words.yes, lines[i].words.yes);
		assert_int_equal(words.json, lines[i].words.json);
	}
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_parsed),
		TEST(a_folder_is_read_in_order_with_checksums),
		TEST(a_gap_is_refused),
		TEST(a_missing_down_file_is_refused),
		TEST(two_names_for_a_number_are_refused),
		TEST(an_empty_folder_is_refused),
		cmocka_unit_test(a_missing_folder_is_refused),
		TEST(revision_writes_the_next_two_files),
		TEST(what_revision_writes_has_no_statement_until_it_is_filled_in),
		TEST(a_text_without_letters_makes_no_revision),
		cmocka_unit_test(words_are_parsed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

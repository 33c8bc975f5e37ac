/*
 * test_broken.c - shared objects that are broken on purpose, each refused
 * with the sentence that says why, and odd ones that are fine.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader.h"

/* A place of the test's own, a loader that looks there or in the fixtures. */
struct place {
	char dir[64];
	const char *fixtures;
	struct loader *loader;
	struct problems problems;
};

static int
place_setup(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	assert_non_null(place);
	place->fixtures = getenv("EVH_FIXTURES");
	assert_non_null(place->fixtures);
	snprintf(place->dir, sizeof(place->dir), "/tmp/evh-broken.XXXXXX");
	assert_non_null(mkdtemp(place->dir));
	place->loader = loader_new(place->fixtures);
	assert_non_null(place->loader);
	*state = place;
	return 0;
}

static int
place_teardown(void **state)
{
	struct place *place = *state;
	char command[128];

	loader_free(place->loader);
	problems_fini(&place->problems);
	snprintf(command, sizeof(command), "rm -rf %s", place->dir);
	assert_int_equal(system(command), 0);
	free(place);
	return 0;
}

static const struct loader_plugin *
open_it(struct place *place, const char *name)
{
	problems_fini(&place->problems);
	return loader_open(place->loader, place->dir, name, "here",
			   &place->problems);
}

/* The sentence behind "FILE: ", whatever folder the file is in. */
static const char *
sentence(const struct place *place, size_t i)
{
	const char *text, *end;

	assert_true(i < place->problems.n);
	assert_string_equal(place->problems.list[i].where, "here");
	text = place->problems.list[i].text;
	end = strstr(text, ".so: ");
	return end ? end + 5 : text;
}

static void
copy_fixture(const struct place *place, const char *name, const char *as,
	     mode_t mode)
{
	char path[512], buffer[65536];
	FILE *in, *out;
	size_t n;

	snprintf(path, sizeof(path), "%s/%s.so", place->fixtures, name);
	in = fopen(path, "re");
	assert_non_null(in);
	snprintf(path, sizeof(path), "%s/%s", place->dir, as);
	out = fopen(path, "we");
	assert_non_null(out);
	while ((n = fread(buffer, 1, sizeof(buffer), in)) > 0)
		assert_int_equal(fwrite(buffer, 1, n, out), n);
	fclose(in);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static void
text_write(const struct place *place, const char *name, const char *text)
{
	char path[512];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", place->dir, name);
	out = fopen(path, "we");
	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
}

/* ---- Refused --------------------------------------------------------------
 */

static const struct refusal {
	const char *fixture;
	const char *sentences[2];
} refusals[] = {
	{ "wrong_abi",
	  { "it was built for ABI 4711; this evhd has ABI 1: build it again "
	    "with this evhd's headers" } },
	{ "size_short",
	  { "its struct evh_plugin has 72 bytes; this evhd needs at least "
	    "80: build it again with this evhd's headers" } },
	{ "spec_size_short",
	  { "its struct evh_spec has 8 bytes; this evhd needs 40 to 4096, in "
	    "steps of 8: build it again with this evhd's headers" } },
	{ "option_size_odd",
	  { "its struct evh_option has 12 bytes; this evhd needs 24 to 4096, "
	    "in steps of 8: build it again with this evhd's headers" } },
	{ "no_name", { "it has no name" } },
	{ "odd_name",
	  { "its name \"Good Name\" must be a small letter, then at most 31 "
	    "small letters, digits and '_'" } },
	{ "no_create", { "it has no create()" } },
	{ "kind_unknown",
	  { "its kind is 9; this evhd knows 1 (EVH_SOURCE) to 4 "
	    "(EVH_SERVICE)" } },
	{ "kind_unsaid",
	  { "it does not say its kind: EVH_SOURCE, EVH_HANDLER, EVH_SINK or "
	    "EVH_SERVICE" } },
	{ "threads_unsaid",
	  { "it does not say its threads: EVH_SERIAL is the safe choice, "
	    "EVH_PARALLEL for what locks for itself" } },
	{ "handler_without_process",
	  { "it is a handler, but has no process()" } },
	{ "sink_with_process",
	  { "it is a sink, but has process(), a handler's work",
	    "it is a sink, but has no submit()" } },
	{ "two_kinds", { "it is a handler, but has submit(), a sink's work" } },
	{ "option_type_unknown",
	  { "its option \"colour\" has the type 42; this evhd knows 1 "
	    "(EVH_STR) to 9 (EVH_INSTANCE)" } },
	{ "option_without_name", { "its option number 2 has no name" } },
	{ "option_odd_name",
	  { "its option \"Linger.ms\" must be a small letter, then at most 31 "
	    "small letters, digits and '_'" } },
	{ "option_twice",
	  { "its option \"greeting\" stands there twice, as number 1 and "
	    "number 2" } },
	{ "option_reserved",
	  { "its option \"attempts\" has a name that is evhd's own in every "
	    "section" } },
	{ "default_out_of_range",
	  { "the default \"0\" of its option \"port\": this must be "
	    "1..65535" } },
	{ "default_no_number",
	  { "the default \"soon\" of its option \"wait\": this must be a time "
	    "like 1500ms, 30s or 5m" } },
	{ "values_nonsense",
	  { "its option \"port\" allows \"9..1\", which is neither a range of "
	    "its type nor a choice" } },
	{ "map_with_default",
	  { "its option \"rdkafka\" is a map, so its default must be empty, "
	    "not \"linger.ms=5\"" } },
	{ "options_without_end",
	  { "its table of options has no end within 256 rows" } },
	{ "command_of_evhd",
	  { "its command \"check\" is a word of evhd's own" } },
	{ "command_without_run", { "its command \"greet\" has no run()" } },
	{ "command_twice", { "its command \"greet\" stands there twice" } },
	{ "no_symbol",
	  { "it has no symbol evh_plugin, so it is no plugin of evhd" } },
};

static void
each_fault_has_its_own_sentence(void **state)
{
	struct place *place = *state;

	for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++) {
		const struct refusal *refusal = &refusals[i];
		size_t n = refusal->sentences[1] ? 2 : 1;

		print_message("           %s\n", refusal->fixture);
		assert_null(open_it(place, refusal->fixture));
		assert_int_equal(place->problems.n, n);
		assert_int_equal(place->problems.n_errors, n);
		for (size_t j = 0; j < n; j++) {
			bool found = false;

			for (size_t k = 0; k < n; k++)
				if (strcmp(sentence(place, k),
					   refusal->sentences[j]) == 0)
					found = true;
			if (!found)
				assert_string_equal(sentence(place, 0),
						    refusal->sentences[j]);
		}
	}
}

static void
a_library_that_is_missing_is_named(void **state)
{
	struct place *place = *state;

	assert_null(open_it(place, "library_missing"));
	assert_int_equal(place->problems.n, 1);
	assert_string_equal(sentence(place, 0),
			    "it cannot be loaded: libevh_absent.so: cannot "
			    "open shared object file: No such file or "
			    "directory");
}

static void
a_function_that_is_missing_is_named(void **state)
{
	struct place *place = *state;

	assert_null(open_it(place, "symbol_missing"));
	assert_int_equal(place->problems.n, 1);
	assert_string_equal(sentence(place, 0),
			    "it cannot be loaded: undefined symbol: "
			    "evh_absent");
}

static void
a_file_that_is_no_elf_is_refused(void **state)
{
	struct place *place = *state;

	text_write(place, "text.so", "hello\n");
	assert_null(open_it(place, "./text.so"));
	assert_string_equal(sentence(place, 0),
			    "it is no shared object (it does not begin like "
			    "an ELF file)");
	text_write(place, "text.so", "");
	assert_null(open_it(place, "./text.so"));
	assert_string_equal(sentence(place, 0),
			    "it is no shared object (it does not begin like "
			    "an ELF file)");
	text_write(place, "text.so", "\177ELF and then nothing");
	assert_null(open_it(place, "./text.so"));
	assert_string_equal(sentence(place, 0),
			    "it cannot be loaded: file too short");
}

/* ---- Who could have written it ----------------------------------------------
 */

static void
a_file_that_others_can_write_is_refused(void **state)
{
	struct place *place = *state;
	char expected[512];

	copy_fixture(place, "good", "open.so", 0646);
	assert_null(open_it(place, "./open.so"));
	snprintf(expected, sizeof(expected),
		 "plugin \"./open.so\": others can write the file "
		 "%s/open.so (mode 0646); take that away with chmod go-w",
		 place->dir);
	assert_string_equal(place->problems.list[0].text, expected);
}

static void
a_file_in_a_folder_that_others_can_write_is_refused(void **state)
{
	struct place *place = *state;
	char expected[512];

	/* Sticky helps folders above, not the file's own. */
	copy_fixture(place, "good", "good.so", 0644);
	assert_int_equal(chmod(place->dir, 01777), 0);
	assert_null(open_it(place, "./good.so"));
	snprintf(expected, sizeof(expected),
		 "plugin \"./good.so\": others can write the folder %s (mode "
		 "1777); take that away with chmod go-w",
		 place->dir);
	assert_string_equal(place->problems.list[0].text, expected);
	assert_int_equal(chmod(place->dir, 0700), 0);
}

static void
a_folder_above_may_be_sticky(void **state)
{
	struct place *place = *state;

	/* The place is in /tmp, which everybody may write. */
	copy_fixture(place, "good", "good.so", 0644);
	assert_non_null(open_it(place, "./good.so"));
}

static void
a_folder_above_that_others_can_write_is_refused(void **state)
{
	struct place *place = *state;
	char sub[128], expected[512];

	snprintf(sub, sizeof(sub), "%s/sub", place->dir);
	assert_int_equal(mkdir(sub, 0755), 0);
	copy_fixture(place, "good", "sub/good.so", 0644);
	assert_int_equal(chmod(place->dir, 0777), 0);
	assert_null(open_it(place, "sub/good.so"));
	snprintf(expected, sizeof(expected),
		 "plugin \"sub/good.so\": others can write the folder %s "
		 "(mode 0777); take that away with chmod go-w",
		 place->dir);
	assert_string_equal(place->problems.list[0].text, expected);
	assert_int_equal(chmod(place->dir, 01777), 0);
	assert_non_null(open_it(place, "sub/good.so"));
}

static void
a_file_of_another_user_is_refused(void **state)
{
	struct place *place = *state;
	char path[128], expected[512];

	if (geteuid() != 0) {
		print_message("only root can give a file away\n");
		skip();
	}
	copy_fixture(place, "good", "given.so", 0644);
	snprintf(path, sizeof(path), "%s/given.so", place->dir);
	assert_int_equal(chown(path, 12345, 0), 0);
	assert_null(open_it(place, "./given.so"));
	snprintf(expected, sizeof(expected),
		 "plugin \"./given.so\": the file %s belongs to user 12345; "
		 "it must belong to root or to the user that runs evhd",
		 path);
	assert_string_equal(place->problems.list[0].text, expected);
}

static void
what_is_no_regular_file_is_refused_and_not_waited_for(void **state)
{
	struct place *place = *state;
	char path[128], expected[512];

	snprintf(path, sizeof(path), "%s/pipe.so", place->dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_null(open_it(place, "./pipe.so"));
	snprintf(expected, sizeof(expected),
		 "plugin \"./pipe.so\": %s is no regular file", path);
	assert_string_equal(place->problems.list[0].text, expected);
}

/* ---- Accepted
 * ---------------------------------------------------------------- */

static void
a_good_plugin_is_described(void **state)
{
	struct place *place = *state;
	const struct loader_plugin *p = open_it(place, "good");

	assert_non_null(p);
	assert_int_equal(place->problems.n, 0);
	assert_string_equal(p->plugin.name, "good");
	assert_string_equal(p->plugin.version, "1.2.3");
	assert_int_equal(p->plugin.kind, EVH_HANDLER);
	assert_int_equal(p->plugin.threads, EVH_PARALLEL);
	assert_int_equal(p->n_options, 1);
	assert_string_equal(p->options[0].name, "greeting");
	assert_null(p->options[1].name);
	assert_int_equal(p->n_commands, 1);
	assert_string_equal(p->commands[0].name, "greet");
	assert_null(p->commands[1].name);
	assert_ptr_equal(p->plugin.options, p->options);
	assert_ptr_equal(p->plugin.commands, p->commands);
	assert_int_equal(p->file[0], '/');
	assert_int_equal(p->plugin.process(NULL, NULL), EVH_OK);
}

static void
a_plugin_of_a_newer_host_is_cut_to_size(void **state)
{
	struct place *place = *state;
	const struct loader_plugin *p = open_it(place, "size_long");

	assert_non_null(p);
	assert_true(p->plugin.size > sizeof(struct evh_plugin));
	assert_string_equal(p->plugin.name, "good");
	assert_non_null(p->plugin.process);
}

static void
what_an_older_plugin_does_not_know_is_null(void **state)
{
	struct place *place = *state;
	const struct loader_plugin *p = open_it(place, "size_enough");

	assert_non_null(p);
	assert_int_equal(p->plugin.size, offsetof(struct evh_plugin, service));
	assert_non_null(p->plugin.process);
	/* Something stands there in the file, behind its end. */
	assert_null(p->plugin.service);
}

static void
tables_are_walked_with_the_plugins_own_stride(void **state)
{
	struct place *place = *state;
	const struct loader_plugin *p = open_it(place, "option_size_long");

	assert_non_null(p);
	assert_int_equal(p->n_options, 2);
	assert_string_equal(p->options[0].name, "one");
	assert_string_equal(p->options[1].name, "two");
	assert_int_equal(p->options[1].type, EVH_INT);
	assert_null(p->options[2].name);

	p = open_it(place, "command_size_long");
	assert_non_null(p);
	assert_int_equal(p->n_commands, 2);
	assert_string_equal(p->commands[1].name, "leave");
	assert_null(p->commands[2].name);
}

static void
a_plugin_that_is_open_is_given_again(void **state)
{
	struct place *place = *state;
	const struct loader_plugin *p = open_it(place, "good");
	char path[512];

	assert_ptr_equal(open_it(place, "good"), p);
	snprintf(path, sizeof(path), "%s/good.so", place->fixtures);
	assert_ptr_equal(open_it(place, path), p);
}

static void
two_plugins_in_a_row_are_two(void **state)
{
	struct place *place = *state;
	const struct loader_plugin *one, *two;

	/* One that is refused first: its descriptor's number comes free. */
	assert_null(open_it(place, "wrong_abi"));
	one = open_it(place, "good");
	two = open_it(place, "other_good");
	assert_non_null(one);
	assert_non_null(two);
	assert_string_equal(one->plugin.name, "good");
	assert_string_equal(two->plugin.name, "other_good");
	assert_ptr_not_equal(one->plugin.process, two->plugin.process);
}

static void
a_second_loader_sees_the_files_that_are_there_then(void **state)
{
	struct place *place = *state;
	const struct loader_plugin *p;

	copy_fixture(place, "good", "mine.so", 0644);
	p = open_it(place, "./mine.so");
	assert_non_null(p);
	assert_string_equal(p->plugin.name, "good");

	/* Another file under the same name, by a loader that reuses whatever
	 * the first gave back. */
	loader_free(place->loader);
	place->loader = loader_new(place->fixtures);
	assert_non_null(place->loader);
	copy_fixture(place, "other_good", "new.so", 0644);
	{
		char from[128], to[128];

		snprintf(from, sizeof(from), "%s/new.so", place->dir);
		snprintf(to, sizeof(to), "%s/mine.so", place->dir);
		assert_int_equal(rename(from, to), 0);
	}
	p = open_it(place, "./mine.so");
	assert_non_null(p);
	assert_string_equal(p->plugin.name, "other_good");
}

static void
a_name_that_is_nearly_one_is_guessed(void **state)
{
	struct place *place = *state;
	char expected[512];

	assert_null(open_it(place, "othr_good"));
	snprintf(expected, sizeof(expected),
		 "plugin \"othr_good\": there is none in %s; did you mean "
		 "\"other_good\"?",
		 place->fixtures);
	assert_string_equal(place->problems.list[0].text, expected);
}

int
main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, place_setup, place_teardown)
	const struct CMUnitTest tests[] = {
		TEST(each_fault_has_its_own_sentence),
		TEST(a_library_that_is_missing_is_named),
		TEST(a_function_that_is_missing_is_named),
		TEST(a_file_that_is_no_elf_is_refused),
		TEST(a_file_that_others_can_write_is_refused),
		TEST(a_file_in_a_folder_that_others_can_write_is_refused),
		TEST(a_folder_above_may_be_sticky),
		TEST(a_folder_above_that_others_can_write_is_refused),
		TEST(a_file_of_another_user_is_refused),
		TEST(what_is_no_regular_file_is_refused_and_not_waited_for),
		TEST(a_good_plugin_is_described),
		TEST(a_plugin_of_a_newer_host_is_cut_to_size),
		TEST(what_an_older_plugin_does_not_know_is_null),
		TEST(tables_are_walked_with_the_plugins_own_stride),
		TEST(a_plugin_that_is_open_is_given_again),
		TEST(two_plugins_in_a_row_are_two),
		TEST(a_second_loader_sees_the_files_that_are_there_then),
		TEST(a_name_that_is_nearly_one_is_guessed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_broken.c - plugins that are broken on purpose, and files that anybody
 * could have written.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader.h"
#include "loader_place.h"

/* ---- Refused ------------------------------------------------------------- */

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
		assert_null(place_open(place, refusal->fixture));
		assert_int_equal(place->problems.n, n);
		assert_int_equal(place->problems.n_errors, n);
		for (size_t j = 0; j < n; j++) {
			bool found = false;

			for (size_t k = 0; k < n; k++)
				if (strcmp(place_sentence(place, k),
					   refusal->sentences[j]) == 0)
					found = true;
			if (!found)
				assert_string_equal(place_sentence(place, 0),
						    refusal->sentences[j]);
		}
	}
}

static void
a_library_that_is_missing_is_named(void **state)
{
	struct place *place = *state;

	assert_null(place_open(place, "library_missing"));
	assert_int_equal(place->problems.n, 1);
	assert_string_equal(place_sentence(place, 0),
			    "it cannot be loaded: libevh_absent.so: cannot "
			    "open shared object file: No such file or "
			    "directory");
}

static void
a_function_that_is_missing_is_named(void **state)
{
	struct place *place = *state;

	assert_null(place_open(place, "symbol_missing"));
	assert_int_equal(place->problems.n, 1);
	assert_string_equal(place_sentence(place, 0),
			    "it cannot be loaded: undefined symbol: "
			    "evh_absent");
}

static void
a_file_that_is_no_elf_is_refused(void **state)
{
	struct place *place = *state;

	place_write(place, "text.so", "hello\n");
	assert_null(place_open(place, "./text.so"));
	assert_string_equal(place_sentence(place, 0),
			    "it is no shared object (it does not begin like "
			    "an ELF file)");
	place_write(place, "text.so", "");
	assert_null(place_open(place, "./text.so"));
	assert_string_equal(place_sentence(place, 0),
			    "it is no shared object (it does not begin like "
			    "an ELF file)");
	place_write(place, "text.so", "\177ELF and then nothing");
	assert_null(place_open(place, "./text.so"));
	assert_string_equal(place_sentence(place, 0),
			    "it cannot be loaded: file too short");
}

/* ---- Who could have written it ------------------------------------------- */

static void
a_file_that_others_can_write_is_refused(void **state)
{
	struct place *place = *state;
	char expected[512];

	place_copy(place, "good", "open.so", 0646);
	assert_null(place_open(place, "./open.so"));
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
	place_copy(place, "good", "good.so", 0644);
	assert_int_equal(chmod(place->dir, 01777), 0);
	assert_null(place_open(place, "./good.so"));
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
	place_copy(place, "good", "good.so", 0644);
	assert_non_null(place_open(place, "./good.so"));
}

static void
a_folder_above_that_others_can_write_is_refused(void **state)
{
	struct place *place = *state;
	char sub[128], expected[512];

	snprintf(sub, sizeof(sub), "%s/sub", place->dir);
	assert_int_equal(mkdir(sub, 0755), 0);
	place_copy(place, "good", "sub/good.so", 0644);
	assert_int_equal(chmod(place->dir, 0777), 0);
	assert_null(place_open(place, "sub/good.so"));
	snprintf(expected, sizeof(expected),
		 "plugin \"sub/good.so\": others can write the folder %s "
		 "(mode 0777); take that away with chmod go-w",
		 place->dir);
	assert_string_equal(place->problems.list[0].text, expected);
	assert_int_equal(chmod(place->dir, 01777), 0);
	assert_non_null(place_open(place, "sub/good.so"));
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
	place_copy(place, "good", "given.so", 0644);
	snprintf(path, sizeof(path), "%s/given.so", place->dir);
	assert_int_equal(chown(path, 12345, 0), 0);
	assert_null(place_open(place, "./given.so"));
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
	assert_null(place_open(place, "./pipe.so"));
	snprintf(expected, sizeof(expected),
		 "plugin \"./pipe.so\": %s is no regular file", path);
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_log_entry.c - entries as they come out at the other end: read back from
 * files.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "log_place.h"

static void
a_logfmt_line_has_its_members_in_order(void **state)
{
	struct place *place = *state;

	assert_int_equal(log_open(EVH_INFO, LOG_LOGFMT, place->file), 0);
	log_write(EVH_WARN, &place_facts, "%d rows", 3);
	assert_string_equal(line_behind_time(place_read(place, place->file)),
			    "level=warn instance=kafka msg=\"3 rows\" "
			    "pipeline=create "
			    "event=019aad2c-6c1e-7b3a-9d5e-0f4c1b2a3d4e "
			    "topic=orders partition=0 offset=12345678901 "
			    "attempt=2 sqlstate=22P05\n");
}

static void
a_json_line_has_its_members_in_order(void **state)
{
	struct place *place = *state;
	const char *text;

	assert_int_equal(log_open(EVH_INFO, LOG_JSON, place->file), 0);
	log_write(EVH_ERROR, &place_facts, "%d rows", 3);
	text = place_read(place, place->file);
	assert_memory_equal(text, "{\"time\":\"", 9);
	assert_string_equal(text + 9 + 27,
			    "\",\"level\":\"error\",\"instance\":\"kafka\","
			    "\"msg\":\"3 rows\",\"pipeline\":\"create\","
			    "\"event\":\"019aad2c-6c1e-7b3a-9d5e-"
			    "0f4c1b2a3d4e\","
			    "\"topic\":\"orders\",\"partition\":0,"
			    "\"offset\":12345678901,\"attempt\":2,"
			    "\"sqlstate\":\"22P05\"}\n");
	json_decref(line_json(text));
}

static void
a_code_that_is_no_sqlstate_is_an_err(void **state)
{
	static const char *const codes[] = { "timeout", "empty", "ERR42X" };
	struct place *place = *state;

	assert_int_equal(log_open(EVH_INFO, LOG_LOGFMT, place->file), 0);
	for (size_t i = 0; i < 3; i++) {
		struct log_facts facts = { .code = codes[i] };

		log_write(EVH_WARN, &facts, "x");
	}
	place_read(place, place->file);
	assert_non_null(strstr(place->text, "msg=x err=timeout\n"));
	assert_non_null(strstr(place->text, "msg=x err=empty\n"));
	assert_non_null(strstr(place->text, "msg=x err=ERR42X\n"));
	assert_null(strstr(place->text, "sqlstate"));
}

static void
what_does_not_apply_is_not_written(void **state)
{
	struct place *place = *state;
	struct evh_event bare = { .offset = 7 };
	struct log_facts facts = { .event = &bare };

	assert_int_equal(log_open(EVH_INFO, LOG_LOGFMT, place->file), 0);
	log_write(EVH_INFO, NULL, "up");
	log_write(EVH_INFO, &facts, "up");
	assert_non_null(
		strstr(place_read(place, place->file), " level=info msg=up\n"));
	assert_non_null(strstr(place->text,
			       " level=info msg=up event="
			       "00000000-0000-0000-0000-000000000000\n"));
}

static void
awkward_text_comes_back_as_it_was(void **state)
{
	static const char *const texts[] = {
		"",
		" ",
		"two words",
		"a=b",
		"say \"x\"",
		"back\\slash",
		"line\nbreak\r\n",
		"tab\tbell\a nothing \x1b[31mred",
		"\x7f",
		"umlaut \xC3\xBC, cat \xF0\x9F\x90\x88",
		"\xE2\x80\xA8 line separator",
		"level=error msg=\"forged\"\ntime=0",
	};
	struct place *place = *state;
	const char *text;
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct log_facts facts = { .instance = texts[i] };
		json_t *json;

		assert_int_equal(log_open(EVH_INFO, LOG_JSON, place->file), 0);
		log_write(EVH_INFO, &facts, "%s", texts[i]);
		text = place_read(place, place->file);
		assert_int_equal(lines_count(text), 1);
		json = line_json(text);
		assert_string_equal(line_member(json, "msg"), texts[i]);
		assert_string_equal(line_member(json, "instance"), texts[i]);
		json_decref(json);
		unlink(place->file);
	}
}

static void
awkward_text_is_quoted_in_logfmt(void **state)
{
	static const struct {
		const char *text, *written;
	} rows[] = {
		{ "", "\"\"" },
		{ "bare", "bare" },
		{ "\xC3\xBC", "\xC3\xBC" },
		{ "two words", "\"two words\"" },
		{ "a=b", "\"a=b\"" },
		{ "say\"x\"", "\"say\\\"x\\\"\"" },
		{ "back\\slash", "\"back\\\\slash\"" },
		{ "line\nbreak", "\"line\\nbreak\"" },
		{ "esc\x1b", "\"esc\\u001b\"" },
		{ "\xFF", "\"\xEF\xBF\xBD\"" },
	};
	struct place *place = *state;
	char expected[128];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(log_open(EVH_INFO, LOG_LOGFMT, place->file),
				 0);
		log_write(EVH_INFO, NULL, "%s", rows[i].text);
		snprintf(expected, sizeof(expected), "level=info msg=%s\n",
			 rows[i].written);
		assert_string_equal(
			line_behind_time(place_read(place, place->file)),
			expected);
		unlink(place->file);
	}
}

static void
bytes_that_are_no_utf8_become_replacement_characters(void **state)
{
	struct place *place = *state;
	json_t *json;

	assert_int_equal(log_open(EVH_INFO, LOG_JSON, place->file), 0);
	log_write(EVH_INFO, NULL, "a\xFFz \xC3( \xED\xA0\x80 \xC0\xAF");
	json = line_json(place_read(place, place->file));
	assert_string_equal(line_member(json, "msg"),
			    "a\xEF\xBF\xBDz \xEF\xBF\xBD( "
			    "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD "
			    "\xEF\xBF\xBD\xEF\xBF\xBD");
	json_decref(json);
}

static bool
ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), n_end = strlen(end);

	return n >= n_end && strcmp(text + n - n_end, end) == 0;
}

/* Texts of ever other widths, so that the cut falls everywhere in a unit. */
static void
a_long_entry_is_cut_and_stays_one_whole_line(void **state)
{
	static const char *const units[] = {
		"x",	    "\n",	    "\x01",
		"\xC3\xBC", "\xE2\x82\xAC", "\xF0\x9F\x90\x88",
		"\xFF"
	};
	struct place *place = *state;
	char text[9000];
	size_t i, n, len, shift;

	for (i = 0; i < 7 * sizeof(units) / sizeof(units[0]); i++) {
		const char *unit = units[i / 7];
		struct log_facts facts = { text, text, &place_event, text };
		json_t *json;

		shift = i % 7;
		memset(text, 's', shift);
		len = strlen(unit);
		for (n = shift; n + len < sizeof(text); n += len)
			memcpy(text + n, unit, len);
		text[n] = '\0';

		assert_int_equal(log_open(EVH_INFO, LOG_JSON, place->file), 0);
		log_write(EVH_INFO, &facts, "%s", text);
		place_read(place, place->file);
		assert_int_equal(lines_count(place->text), 1);
		assert_in_range(strlen(place->text), PIPE_BUF - 16, PIPE_BUF);
		json = line_json(place->text);
		assert_true(
			ends_with(line_member(json, "msg"), "\xE2\x80\xA6"));
		assert_true(
			ends_with(line_member(json, "err"), "\xE2\x80\xA6"));
		assert_true(ends_with(line_member(json, "instance"),
				      "\xE2\x80\xA6"));
		json_decref(json);
		unlink(place->file);
	}
}

int
main(void)
{
#define IN_PLACE(test)                                                         \
	cmocka_unit_test_setup_teardown(test, place_make, place_remove)
	const struct CMUnitTest tests[] = {
		IN_PLACE(a_logfmt_line_has_its_members_in_order),
		IN_PLACE(a_json_line_has_its_members_in_order),
		IN_PLACE(a_code_that_is_no_sqlstate_is_an_err),
		IN_PLACE(what_does_not_apply_is_not_written),
		IN_PLACE(awkward_text_comes_back_as_it_was),
		IN_PLACE(awkward_text_is_quoted_in_logfmt),
		IN_PLACE(bytes_that_are_no_utf8_become_replacement_characters),
		IN_PLACE(a_long_entry_is_cut_and_stays_one_whole_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_log.c - entries as they come out at the other end: read back from
 * files, and from pipes in the place of standard error.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"

/* ---- A folder for log files, and what stands in them ----------------------
 */

struct place {
	char dir[64], file[80], old[80];
	char *text; /* of the file read last */
};

static int
place_make(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	if (!place)
		return -1;
	snprintf(place->dir, sizeof(place->dir), "/tmp/evh-log-XXXXXX");
	if (!mkdtemp(place->dir)) {
		free(place);
		return -1;
	}
	snprintf(place->file, sizeof(place->file), "%s/log", place->dir);
	snprintf(place->old, sizeof(place->old), "%s/old", place->dir);
	*state = place;
	return 0;
}

static int
place_remove(void **state)
{
	struct place *place = *state;

	log_close();
	unlink(place->file);
	unlink(place->old);
	rmdir(place->dir);
	free(place->text);
	free(place);
	return 0;
}

static char *
place_read(struct place *place, const char *file)
{
	size_t size;
	FILE *f = fopen(file, "r");

	assert_non_null(f);
	free(place->text);
	place->text = NULL;
	if (getdelim(&place->text, &size, '\0', f) < 0) {
		free(place->text);
		place->text = strdup("");
	}
	fclose(f);
	assert_non_null(place->text);
	return place->text;
}

/* The text behind `time=… `, after a look at the time. */
static const char *
behind_time(const char *text)
{
	static const char like[] = "time=dddd-dd-ddTdd:dd:dd.ddddddZ ";
	size_t i;

	for (i = 0; like[i]; i++) {
		if (like[i] == 'd')
			assert_in_range(text[i], '0', '9');
		else
			assert_int_equal(text[i], like[i]);
	}
	return text + sizeof(like) - 1;
}

static json_t *
line_json(const char *text)
{
	const char *end = strchr(text, '\n');
	json_error_t error;
	json_t *json;

	assert_non_null(end);
	json = json_loadb(text, (size_t)(end - text), JSON_REJECT_DUPLICATES,
			  &error);
	if (!json)
		fail_msg("%s in: %s", error.text, text);
	return json;
}

static const char *
member(const json_t *json, const char *name)
{
	const char *value = json_string_value(json_object_get(json, name));

	if (!value)
		fail_msg("there is no text %s", name);
	return value;
}

static unsigned
count_lines(const char *text)
{
	unsigned n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static const struct evh_event event = {
	.id = { 0x01, 0x9a, 0xad, 0x2c, 0x6c, 0x1e, 0x7b, 0x3a, 0x9d, 0x5e,
		0x0f, 0x4c, 0x1b, 0x2a, 0x3d, 0x4e },
	.topic = "orders",
	.partition = 0,
	.offset = 12345678901,
	.attempt = 2,
};

static const struct log_facts all_facts = {
	.instance = "kafka",
	.pipeline = "create",
	.event = &event,
	.code = "22P05",
};

/* ---- What an entry looks like ---------------------------------------------
 */

static void
a_logfmt_line_has_its_members_in_order(void **state)
{
	struct place *place = *state;

	assert_int_equal(log_open(EVH_INFO, LOG_LOGFMT, place->file), 0);
	log_write(EVH_WARN, &all_facts, "%d rows", 3);
	assert_string_equal(behind_time(place_read(place, place->file)),
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
	log_write(EVH_ERROR, &all_facts, "%d rows", 3);
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
		assert_int_equal(count_lines(text), 1);
		json = line_json(text);
		assert_string_equal(member(json, "msg"), texts[i]);
		assert_string_equal(member(json, "instance"), texts[i]);
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
		assert_string_equal(behind_time(place_read(place, place->file)),
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
	assert_string_equal(member(json, "msg"),
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
		struct log_facts facts = { text, text, &event, text };
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
		assert_int_equal(count_lines(place->text), 1);
		assert_in_range(strlen(place->text), PIPE_BUF - 16, PIPE_BUF);
		json = line_json(place->text);
		assert_true(ends_with(member(json, "msg"), "\xE2\x80\xA6"));
		assert_true(ends_with(member(json, "err"), "\xE2\x80\xA6"));
		assert_true(
			ends_with(member(json, "instance"), "\xE2\x80\xA6"));
		json_decref(json);
		unlink(place->file);
	}
}

static void
only_the_level_and_above_are_written_and_counted(void **state)
{
	struct place *place = *state;
	uint64_t debug = log_count(EVH_DEBUG), warn = log_count(EVH_WARN),
		 error = log_count(EVH_ERROR);

	assert_int_equal(log_open(EVH_WARN, LOG_LOGFMT, place->file), 0);
	assert_false(log_wants(EVH_INFO));
	assert_true(log_wants(EVH_WARN));
	log_write(EVH_DEBUG, NULL, "no");
	log_write(EVH_INFO, NULL, "no");
	log_write(EVH_WARN, NULL, "yes");
	log_write(EVH_ERROR, NULL, "yes");
	log_write((enum evh_level)9, NULL, "yes");
	log_write((enum evh_level)0, NULL, "no");
	assert_int_equal(count_lines(place_read(place, place->file)), 3);
	assert_null(strstr(place->text, "no"));
	assert_int_equal(log_count(EVH_DEBUG) - debug, 0);
	assert_int_equal(log_count(EVH_WARN) - warn, 1);
	assert_int_equal(log_count(EVH_ERROR) - error, 2);
}

static void
names_of_levels_and_formats_are_known(void **state)
{
	(void)state;
	assert_int_equal(log_level_from("debug"), EVH_DEBUG);
	assert_int_equal(log_level_from("info"), EVH_INFO);
	assert_int_equal(log_level_from("warn"), EVH_WARN);
	assert_int_equal(log_level_from("error"), EVH_ERROR);
	assert_int_equal(log_level_from("INFO"), 0);
	assert_int_equal(log_level_from(""), 0);
	assert_int_equal(log_format_from("logfmt"), LOG_LOGFMT);
	assert_int_equal(log_format_from("json"), LOG_JSON);
	assert_int_equal(log_format_from("text"), 0);
}

static void
errno_is_left_alone(void **state)
{
	struct place *place = *state;

	assert_int_equal(log_open(EVH_INFO, LOG_LOGFMT, "/dev/full"), 0);
	errno = EXDEV;
	log_write(EVH_INFO, NULL, "%m");
	assert_int_equal(errno, EXDEV);

	assert_int_equal(log_open(EVH_INFO, LOG_LOGFMT, place->file), 0);
	errno = EXDEV;
	log_write(EVH_INFO, NULL, "%m");
	assert_non_null(strstr(place_read(place, place->file), "cross-device"));
}

/* ---- Files -----------------------------------------------------------------
 */

static void
after_a_rename_reopen_begins_a_new_file(void **state)
{
	struct place *place = *state;

	assert_int_equal(log_open(EVH_INFO, LOG_LOGFMT, place->file), 0);
	log_write(EVH_INFO, NULL, "one");
	assert_int_equal(rename(place->file, place->old), 0);
	log_write(EVH_INFO, NULL, "two");
	assert_int_equal(log_reopen(), 0);
	log_write(EVH_INFO, NULL, "three");

	assert_non_null(strstr(place_read(place, place->old), "msg=one\n"));
	assert_non_null(strstr(place->text, "msg=two\n"));
	assert_int_equal(count_lines(place->text), 2);
	assert_non_null(strstr(place_read(place, place->file), "msg=three\n"));
	assert_int_equal(count_lines(place->text), 1);
}

static void
an_existing_file_is_appended_to(void **state)
{
	struct place *place = *state;

	assert_int_equal(log_open(EVH_INFO, LOG_LOGFMT, place->file), 0);
	log_write(EVH_INFO, NULL, "one");
	log_close();
	assert_int_equal(log_open(EVH_INFO, LOG_LOGFMT, place->file), 0);
	log_write(EVH_INFO, NULL, "two");
	assert_int_equal(count_lines(place_read(place, place->file)), 2);
}

static void
a_reopen_that_fails_says_so_in_the_old_file(void **state)
{
	struct place *place = *state;
	struct stat st;

	assert_int_equal(log_open(EVH_INFO, LOG_LOGFMT, place->file), 0);
	assert_int_equal(rename(place->file, place->old), 0);
	assert_int_equal(mkdir(place->file, 0700), 0);
	assert_int_equal(log_reopen(), -EISDIR);
	log_write(EVH_INFO, NULL, "on");
	assert_int_equal(rmdir(place->file), 0);
	assert_non_null(strstr(place_read(place, place->old), "cannot reopen"));
	assert_non_null(strstr(place->text, "msg=on\n"));
	assert_int_equal(stat(place->old, &st), 0);
	assert_int_equal(st.st_mode & 0137, 0);
}

static void
a_file_that_cannot_be_opened_changes_nothing(void **state)
{
	struct place *place = *state;

	assert_int_equal(log_open(EVH_INFO, LOG_LOGFMT, place->file), 0);
	assert_int_equal(log_open(EVH_DEBUG, LOG_JSON, "/nowhere/at/all"),
			 -ENOENT);
	assert_non_null(strstr(behind_time(place_read(place, place->file)),
			       "/nowhere/at/all: No such file"));
	assert_false(log_wants(EVH_DEBUG));
}

static void
a_fifo_without_a_reader_is_an_error_not_a_wait(void **state)
{
	struct place *place = *state;

	assert_int_equal(mkfifo(place->old, 0600), 0);
	assert_int_equal(log_open(EVH_INFO, LOG_LOGFMT, place->file), 0);
	assert_int_equal(log_open(EVH_INFO, LOG_LOGFMT, place->old), -ENXIO);
}

static void
a_full_disk_loses_entries_and_counts_them(void **state)
{
	struct place *place = *state;
	uint64_t lost = log_count_lost(), info = log_count(EVH_INFO);
	int i;

	assert_int_equal(log_open(EVH_INFO, LOG_LOGFMT, "/dev/full"), 0);
	for (i = 0; i < 5; i++)
		log_write(EVH_INFO, NULL, "x");
	assert_int_equal(log_count_lost() - lost, 5);
	assert_int_equal(log_count(EVH_INFO) - info, 0);

	assert_int_equal(log_open(EVH_INFO, LOG_LOGFMT, place->file), 0);
	log_write(EVH_INFO, NULL, "y");
	log_write(EVH_INFO, NULL, "z");
	assert_int_equal(count_lines(place_read(place, place->file)), 3);
	assert_non_null(strstr(place->text,
			       "level=warn msg=\"5 log entries were lost\"\n"));
}

static void
after_half_an_entry_the_next_has_a_line_of_its_own(void **state)
{
	struct rlimit limit, small;
	struct place *place = *state;
	const char *second;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	small = limit;
	small.rlim_cur = 20;
	assert_int_equal(log_open(EVH_INFO, LOG_LOGFMT, place->file), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	log_write(EVH_INFO, NULL, "torn");
	log_write(EVH_INFO, NULL, "lost");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	log_write(EVH_INFO, NULL, "whole");

	second = strchr(place_read(place, place->file), '\n');
	assert_non_null(second);
	assert_int_equal(second - place->text, 20);
	assert_memory_equal(behind_time(second + 1), "level=info msg=whole\n",
			    21);
	assert_non_null(strstr(second, "2 log entries were lost"));
}

/* ---- Standard error --------------------------------------------------------
 */

struct stderr_now {
	int saved, reader;
};

/* Puts `writer` in the place of standard error, so that it is the only one
 * who holds it. */
static struct stderr_now
stderr_swap(int reader, int writer)
{
	struct stderr_now now = { .reader = reader };

	fflush(stderr);
	now.saved = dup(STDERR_FILENO);
	assert_true(now.saved >= 0);
	assert_int_equal(dup2(writer, STDERR_FILENO), STDERR_FILENO);
	close(writer);
	return now;
}

static void
stderr_restore(struct stderr_now *now)
{
	log_close();
	assert_int_equal(dup2(now->saved, STDERR_FILENO), STDERR_FILENO);
	close(now->saved);
	if (now->reader >= 0)
		close(now->reader);
}

static struct stderr_now
stderr_to_pipe(void)
{
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	return stderr_swap(fds[0], fds[1]);
}

static size_t
read_all(int fd, char *ret, size_t size)
{
	size_t len = 0;
	ssize_t n;
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	while (poll(&poll_fd, 1, 0) > 0 && (poll_fd.revents & POLLIN)) {
		n = read(fd, ret + len, size - len - 1);
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	ret[len] = '\0';
	return len;
}

static void
before_it_is_opened_the_log_is_logfmt_on_stderr_at_info(void **state)
{
	struct stderr_now now;
	char text[4096];

	(void)state;
	now = stderr_to_pipe();
	log_write(EVH_DEBUG, NULL, "no");
	log_write(EVH_INFO, NULL, "early");
	read_all(now.reader, text, sizeof(text));
	stderr_restore(&now);
	assert_string_equal(behind_time(text), "level=info msg=early\n");
}

/* Writes more than any pipe or socket holds, reads, and writes once more. */
static void
overfill_and_read(struct stderr_now *now)
{
	static char text[1 << 20];
	uint64_t lost = log_count_lost();
	char expected[64];
	size_t len, i;

	alarm(60); /* who waits for the reader is killed */
	for (i = 0; i < 20000; i++)
		log_write(EVH_INFO, NULL, "entry %zu", i);
	lost = log_count_lost() - lost;
	assert_in_range(lost, 1, 19999);
	len = read_all(now->reader, text, sizeof(text));
	log_write(EVH_INFO, NULL, "again");
	read_all(now->reader, text + len, sizeof(text) - len);
	alarm(0);

	assert_int_equal(count_lines(text), 20000 - lost + 2);
	snprintf(expected, sizeof(expected), "\"%" PRIu64 " log entries were",
		 lost);
	assert_non_null(strstr(text + len, expected));
	for (i = 0; i < 20000 - lost; i++) {
		snprintf(expected, sizeof(expected), "msg=\"entry %zu\"\n", i);
		assert_non_null(strstr(text, expected));
	}
}

static void
a_full_pipe_loses_entries_and_does_not_block(void **state)
{
	struct stderr_now now = stderr_to_pipe();

	(void)state;
	assert_int_equal(log_open(EVH_INFO, LOG_LOGFMT, NULL), 0);
	overfill_and_read(&now);
	/* Who shares the pipe with us still waits in his writes. */
	assert_int_equal(fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK, 0);
	stderr_restore(&now);
}

static void
a_full_pipe_does_not_block_before_the_log_is_opened(void **state)
{
	struct stderr_now now = stderr_to_pipe();

	(void)state;
	log_close();
	overfill_and_read(&now);
	stderr_restore(&now);
}

static void
a_full_socket_loses_entries_and_does_not_block(void **state)
{
	struct stderr_now now;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	now = stderr_swap(fds[0], fds[1]);
	assert_int_equal(log_open(EVH_INFO, LOG_LOGFMT, NULL), 0);
	overfill_and_read(&now);
	stderr_restore(&now);
}

/* In a process of its own, where SIGPIPE would kill; the exit code is how
 * many of two entries were lost.  The reader is closed before there are two
 * processes, so that none of them still holds it when the other writes. */
static int
write_in_child(void (*prepare)(int writer), bool socket)
{
	int fds[2], status = 0;
	uint64_t lost;
	pid_t pid;

	fflush(NULL);
	assert_int_equal(socket ? socketpair(AF_UNIX, SOCK_STREAM, 0, fds)
				: pipe(fds),
			 0);
	close(fds[0]);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		alarm(60);
		signal(SIGPIPE, SIG_DFL);
		lost = log_count_lost();
		prepare(fds[1]);
		if (log_open(EVH_INFO, LOG_LOGFMT, NULL) < 0)
			_exit(99);
		log_write(EVH_INFO, NULL, "one");
		log_write(EVH_INFO, NULL, "two");
		_exit((int)(log_count_lost() - lost));
	}
	close(fds[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
reader_gone(int writer)
{
	dup2(writer, STDERR_FILENO);
	close(writer);
}

static void
closed(int writer)
{
	close(writer);
	close(STDERR_FILENO);
}

static void
a_reader_that_is_gone_does_not_kill(void **state)
{
	(void)state;
	assert_int_equal(write_in_child(reader_gone, false), 2);
	assert_int_equal(write_in_child(reader_gone, true), 2);
}

static void
a_closed_stderr_becomes_dev_null(void **state)
{
	(void)state;
	assert_int_equal(write_in_child(closed, false), 0);
}

/* ---- Several threads -------------------------------------------------------
 */

enum { N_THREADS = 4, N_ENTRIES = 500 };

static void *
write_many(void *arg)
{
	char text[3500];
	int i, letter = *(char *)arg;

	memset(text, letter, sizeof(text));
	for (i = 0; i < N_ENTRIES; i++)
		log_write(EVH_INFO, &all_facts, "%.*s",
			  1 + i * 7 % (int)sizeof(text), text);
	return NULL;
}

static void
start_writers(pthread_t *threads, char *letters)
{
	int i;

	for (i = 0; i < N_THREADS; i++) {
		letters[i] = (char)('a' + i);
		assert_int_equal(pthread_create(&threads[i], NULL, write_many,
						&letters[i]),
				 0);
	}
}

/* Every line is whole JSON, its message one letter again and again, unless it
 * is about lost ones; returns how many there are. */
static unsigned
check_lines(const char *text)
{
	unsigned n = 0;

	for (; *text; text = strchr(text, '\n') + 1, n++) {
		json_t *json = line_json(text);
		const char *msg = member(json, "msg");

		if (!strstr(msg, "log entries were lost"))
			assert_int_equal(strspn(msg, (char[]){ msg[0], 0 }),
					 strlen(msg));
		json_decref(json);
	}
	return n;
}

static void
lines_of_several_threads_never_mix_while_the_file_is_rotated(void **state)
{
	struct place *place = *state;
	pthread_t threads[N_THREADS];
	char letters[N_THREADS];
	unsigned n = 0;
	int i;

	assert_int_equal(log_open(EVH_INFO, LOG_JSON, place->file), 0);
	start_writers(threads, letters);
	for (i = 0; i < 20; i++) {
		assert_int_equal(rename(place->file, place->old), 0);
		assert_int_equal(log_reopen(), 0);
		n += check_lines(place_read(place, place->old));
	}
	for (i = 0; i < N_THREADS; i++)
		pthread_join(threads[i], NULL);
	n += check_lines(place_read(place, place->file));
	assert_int_equal(n, N_THREADS * N_ENTRIES);
}

/* Two processes with one pipe, each with its own descriptor of it. */
static void
lines_of_two_processes_in_one_pipe_never_mix(void **state)
{
	static char text[1 << 20];
	struct stderr_now now = stderr_to_pipe();
	pid_t pids[2];
	size_t len = 0;
	ssize_t n = 1;
	int i, status;

	(void)state;
	assert_true(fcntl(now.reader, F_SETPIPE_SZ, 1 << 17) > 0);
	for (i = 0; i < 2; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0) {
			char letter = (char)('a' + i);

			alarm(60);
			close(now.reader);
			log_open(EVH_INFO, LOG_JSON, NULL);
			write_many(&letter);
			_exit(0);
		}
	}
	dup2(now.saved, STDERR_FILENO);
	while (n > 0 && len < sizeof(text) - 1) {
		n = read(now.reader, text + len, sizeof(text) - 1 - len);
		if (n > 0)
			len += (size_t)n;
	}
	text[len] = '\0';
	if (strrchr(text, '\n'))
		strrchr(text, '\n')[1] = '\0';
	close(now.reader);
	for (i = 0; i < 2; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	close(now.saved);
	/* Some found the pipe full: these are lost, and told. */
	assert_in_range(check_lines(text), 100, 2 * N_ENTRIES);
}

int
main(void)
{
#define IN_PLACE(test)                                                         \
	cmocka_unit_test_setup_teardown(test, place_make, place_remove)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			before_it_is_opened_the_log_is_logfmt_on_stderr_at_info),
		IN_PLACE(a_logfmt_line_has_its_members_in_order),
		IN_PLACE(a_json_line_has_its_members_in_order),
		IN_PLACE(a_code_that_is_no_sqlstate_is_an_err),
		IN_PLACE(what_does_not_apply_is_not_written),
		IN_PLACE(awkward_text_comes_back_as_it_was),
		IN_PLACE(awkward_text_is_quoted_in_logfmt),
		IN_PLACE(bytes_that_are_no_utf8_become_replacement_characters),
		IN_PLACE(a_long_entry_is_cut_and_stays_one_whole_line),
		IN_PLACE(only_the_level_and_above_are_written_and_counted),
		cmocka_unit_test(names_of_levels_and_formats_are_known),
		IN_PLACE(errno_is_left_alone),
		IN_PLACE(after_a_rename_reopen_begins_a_new_file),
		IN_PLACE(an_existing_file_is_appended_to),
		IN_PLACE(a_reopen_that_fails_says_so_in_the_old_file),
		IN_PLACE(a_file_that_cannot_be_opened_changes_nothing),
		IN_PLACE(a_fifo_without_a_reader_is_an_error_not_a_wait),
		IN_PLACE(a_full_disk_loses_entries_and_counts_them),
		IN_PLACE(after_half_an_entry_the_next_has_a_line_of_its_own),
		cmocka_unit_test(a_full_pipe_loses_entries_and_does_not_block),
		cmocka_unit_test(
			a_full_pipe_does_not_block_before_the_log_is_opened),
		cmocka_unit_test(
			a_full_socket_loses_entries_and_does_not_block),
		cmocka_unit_test(a_reader_that_is_gone_does_not_kill),
		cmocka_unit_test(a_closed_stderr_becomes_dev_null),
		IN_PLACE(
			lines_of_several_threads_never_mix_while_the_file_is_rotated),
		cmocka_unit_test(lines_of_two_processes_in_one_pipe_never_mix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

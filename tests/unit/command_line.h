/*
 * command_line.h - the real evhd's command line, in a folder of a test's own.
 */
#ifndef EVH_TESTS_COMMAND_LINE_H
#define EVH_TESTS_COMMAND_LINE_H

#include "../harness/tempdir.h"

struct line {
	struct tempdir dir;
	char evhd[256];
	char plain[256];    /* a plugin_dir */
	char output[65536]; /* of the last run, both streams */
};

/* cmocka's setup and teardown; *state is the line, with an empty file env. */
int line_setup(void **state);
int line_teardown(void **state);

/* Writes a.conf, with plugin_dir in front. */
void line_conf_write(struct line *line, const char *text);
/* Runs evhd in the folder with these arguments, NULL-ended; its exit code. */
int line_run(struct line *line, const char *const *args);
#define LINE_RUN(line, ...)                                                    \
	line_run(line, (const char *const[]){ __VA_ARGS__, NULL })

/* The whole of the output, or a part of it. */
void line_assert_output(const struct line *line, const char *expected);
void line_assert_has(const struct line *line, const char *part);

#endif

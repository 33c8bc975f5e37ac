#include "command_line.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int
line_setup(void **state)
{
	struct line *line = calloc(1, sizeof(*line));
	const char *build = getenv("EVH_BUILD_DIR");

	assert_non_null(line);
	assert_non_null(build);
	tempdir_init(&line->dir);
	snprintf(line->evhd, sizeof(line->evhd), "%s/evhd", build);
	snprintf(line->plain, sizeof(line->plain), "%s/fixtures/plain", build);
	unsetenv("EVH_T_NONE");
	tempdir_write(&line->dir, "env", "");
	*state = line;
	return 0;
}

int
line_teardown(void **state)
{
	struct line *line = *state;

	tempdir_fini(&line->dir);
	free(line);
	return 0;
}

static void
output_read(struct line *line, int fd)
{
	size_t n = 0;
	ssize_t got;

	while ((got = read(fd, line->output + n,
			   sizeof(line->output) - 1 - n)) > 0)
		n += (size_t)got;
	line->output[n] = '\0';
}

int
line_run(struct line *line, const char *const *args)
{
	char *argv[16] = { line->evhd };
	int fds[2], status, n = 1;
	pid_t pid;

	for (; args[n - 1]; n++) {
		assert_true(n < 15);
		argv[n] = strdup(args[n - 1]);
		assert_non_null(argv[n]);
	}
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (chdir(line->dir.path) == 0 && dup2(fds[1], 1) == 1 &&
		    dup2(fds[1], 2) == 2)
			execv(line->evhd, argv);
		_exit(127);
	}
	close(fds[1]);
	output_read(line, fds[0]);
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	for (int i = 1; i < n; i++)
		free(argv[i]);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

void
line_conf_write(struct line *line, const char *text)
{
	char full[2048];

	snprintf(full, sizeof(full), "plugin_dir = \"%s\"\n%s", line->plain,
		 text);
	tempdir_write(&line->dir, "a.conf", full);
}

void
line_assert_output(const struct line *line, const char *expected)
{
	assert_string_equal(line->output, expected);
}

void
line_assert_has(const struct line *line, const char *part)
{
	if (!strstr(line->output, part))
		fail_msg("no \"%s\" in:\n%s", part, line->output);
}

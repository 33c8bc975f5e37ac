#include "dlq_state.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "letter.h"
#include "uuid_text.h"

#define DONE_MAX (1u << 26)
#define LINE_MAX 64

/* One line, without its end.  What is none is left alone: somebody's note. */
static int
line_read(struct dlq_state *state, const char *line, size_t len)
{
	unsigned char id[16];
	uint64_t before = 0;
	uint32_t attempts;

	if (len < UUID_TEXT_LEN + 2 || line[UUID_TEXT_LEN] != ' ' ||
	    uuid_read(line, UUID_TEXT_LEN, id, NULL) < 0)
		return 0;
	attempts = letter_count_read(line + UUID_TEXT_LEN + 1,
				     len - UUID_TEXT_LEN - 1);
	if (id_map_get(&state->done, id, &before) && before >= attempts)
		return 0;
	return id_map_put(&state->done, id, attempts);
}

/* *ret_torn: the last line has no end, because its writer died. */
static int
lines_read(struct dlq_state *state, bool *ret_torn)
{
	char bytes[1 << 16];
	size_t n = 0;
	ssize_t got;
	int rc = 0;

	while (rc == 0 &&
	       (got = read(state->fd, bytes + n, sizeof(bytes) - n)) > 0) {
		char *at = bytes, *end;

		n += (size_t)got;
		while (rc == 0 &&
		       (end = memchr(at, '\n', n - (size_t)(at - bytes)))) {
			rc = line_read(state, at, (size_t)(end - at));
			at = end + 1;
		}
		n -= (size_t)(at - bytes);
		memmove(bytes, at, n);
		if (n == sizeof(bytes))
			n = 0; /* no line of ours is as long */
	}
	if (rc == 0 && got < 0)
		rc = -errno;
	*ret_torn = n > 0;
	return rc;
}

/* All of it, or why not: a line that is cut short is none. */
static int
text_write(int fd, const char *text, size_t len)
{
	ssize_t n = write(fd, text, len);

	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}

static int
file_open(struct dlq_state *state, const char *file)
{
	bool is_torn = false;
	int rc;

	state->fd = open(file, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (state->fd < 0)
		return -errno;
	if (flock(state->fd, LOCK_EX | LOCK_NB) < 0)
		return -errno;
	rc = lines_read(state, &is_torn);
	if (rc == 0 && is_torn)
		rc = text_write(state->fd, "\n", 1);
	return rc;
}

int
dlq_state_open(struct dlq_state *state, const char *file, char *ret_why,
	       size_t size)
{
	int rc;

	state->fd = -1;
	id_map_init(&state->done, DONE_MAX);
	if (!file)
		return 0;
	rc = file_open(state, file);
	if (rc == -EWOULDBLOCK)
		snprintf(ret_why, size, "--state %s: another one has it", file);
	else if (rc < 0)
		snprintf(ret_why, size, "--state %s: %s", file, strerror(-rc));
	if (rc < 0)
		(void)dlq_state_close(state);
	return rc;
}

int
dlq_state_close(struct dlq_state *state)
{
	int rc = 0;

	if (state->fd >= 0 && fsync(state->fd) < 0)
		rc = -errno;
	if (state->fd >= 0)
		close(state->fd);
	state->fd = -1;
	id_map_fini(&state->done);
	return rc;
}

bool
dlq_state_has(const struct dlq_state *state, const unsigned char id[16],
	      uint32_t attempts)
{
	uint64_t done;

	return id_map_get(&state->done, id, &done) && done >= attempts;
}

int
dlq_state_add(struct dlq_state *state, const unsigned char id[16],
	      uint32_t attempts)
{
	char line[LINE_MAX];
	int n;

	if (state->fd < 0)
		return 0;
	uuid_write(id, line);
	n = snprintf(line + UUID_TEXT_LEN, sizeof(line) - UUID_TEXT_LEN,
		     " %" PRIu32 "\n", attempts);
	n += UUID_TEXT_LEN;
	return text_write(state->fd, line, (size_t)n);
}

/*
 * textfile.c - a small text file read whole.
 */
#include "textfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int
fd_read_all(int fd, size_t max, char **ret_text)
{
	size_t size = 4096, n = 0;
	char *text = malloc(size + 1);

	if (!text)
		return -ENOMEM;
	for (;;) {
		ssize_t got = read(fd, text + n, size - n);
		int err = errno;
		char *more;

		if (got < 0 && err == EINTR)
			continue;
		if (got < 0) {
			free(text);
			return -err;
		}
		n += (size_t)got;
		if (got == 0 || n > max)
			break;
		if (n < size)
			continue;
		size *= 2;
		more = realloc(text, size + 1);
		if (!more) {
			free(text);
			return -ENOMEM;
		}
		text = more;
	}
	text[n] = '\0';
	if (n > max || strlen(text) != n) {
		free(text);
		return n > max ? -EFBIG : -EILSEQ;
	}
	*ret_text = text;
	return 0;
}

int
textfile_read(const char *file, size_t max, char **ret_text,
	      struct stat *ret_stat)
{
	struct stat st;
	int fd, err;

	fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0) {
		err = -errno;
		close(fd);
		return err;
	}

	err = fd_read_all(fd, max, ret_text);
	close(fd);
	if (err == 0 && ret_stat)
		*ret_stat = st;
	return err;
}

/*
 * secret.c - a file that only its owner may read.
 */
#include "secret.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "textfile.h"

enum {
	MAX_SECRET = 64 << 10,
	OTHERS = 037, /* what must not be in the mode: 0640 is the most */
};

static void
newline_trim(char *text)
{
	size_t n = strlen(text);

	if (n > 0 && text[n - 1] == '\n')
		text[--n] = '\0';
	if (n > 0 && text[n - 1] == '\r')
		text[--n] = '\0';
}

/* 0, or -errno and why. */
static int
file_check(const struct stat *st, char **ret_why)
{
	int n;

	if (st->st_uid != 0 && st->st_uid != geteuid())
		n = asprintf(ret_why,
			     "the file belongs to user %u; it must belong to "
			     "root or to the user that runs evhd",
			     (unsigned)st->st_uid);
	else if (st->st_mode & OTHERS)
		n = asprintf(ret_why,
			     "others can read or write the file (mode %04o); "
			     "its mode must be 0640 at most",
			     (unsigned)(st->st_mode & 07777));
	else
		return 0;
	return n < 0 ? -ENOMEM : -EACCES;
}

int
secret_read(const char *dir, const char *path, char **ret_text, char **ret_why)
{
	char *absolute, *text = NULL;
	struct stat st;
	int err;

	if (asprintf(&absolute, "%s%s%s", *path == '/' ? "" : dir,
		     *path == '/' ? "" : "/", path) < 0)
		return -ENOMEM;
	err = textfile_read(absolute, MAX_SECRET, &text, &st);
	free(absolute);
	if (err == -ENOMEM)
		return err;
	if (err < 0) {
		*ret_why = strdup(strerror(-err));
		return *ret_why ? err : -ENOMEM;
	}

	err = file_check(&st, ret_why);
	if (err == 0)
		newline_trim(text);
	if (err == 0 && *text == '\0') {
		*ret_why = strdup("the file is empty");
		err = *ret_why ? -ENODATA : -ENOMEM;
	}
	if (err < 0) {
		secret_free(text);
		return err;
	}
	*ret_text = text;
	return 0;
}

void
secret_free(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

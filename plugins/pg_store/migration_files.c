#include "migration_files.h"

#include <assert.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

static bool
is_name_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

bool
migration_file_parse(const char *file, int *ret_revision,
		     char ret_name[MIGRATION_NAME], bool *ret_is_up)
{
	const char *name = file + 5;
	size_t len = 0;
	int revision = 0, i;
	bool is_up;

	for (i = 0; i < 4; i++) {
		if (file[i] < '0' || file[i] > '9')
			return false;
		revision = revision * 10 + (file[i] - '0');
	}
	if (revision == 0 || file[4] != '_')
		return false;

	while (is_name_character(name[len]))
		len++;
	if (len == 0 || len >= MIGRATION_NAME)
		return false;

	is_up = !strcmp(name + len, ".up.sql");
	if (!is_up && strcmp(name + len, ".down.sql"))
		return false;

	*ret_revision = revision;
	memcpy(ret_name, name, len);
	ret_name[len] = '\0';
	*ret_is_up = is_up;
	return true;
}

/* Behind a comment in C's manner, which may have others in it. */
static const char *
comment_skip(const char *sql)
{
	unsigned depth = 0;

	do {
		if (sql[0] == '/' && sql[1] == '*') {
			depth++;
			sql += 2;
		} else if (sql[0] == '*' && sql[1] == '/') {
			depth--;
			sql += 2;
		} else {
			sql++;
		}
	} while (*sql && depth > 0);
	return sql;
}

bool
migration_has_statement(const char *sql)
{
	while (*sql) {
		if (sql[0] == '-' && sql[1] == '-')
			sql += strcspn(sql, "\n");
		else if (sql[0] == '/' && sql[1] == '*')
			sql = comment_skip(sql);
		else if (strchr(" \t\r\n\f\v;", *sql))
			sql++;
		else
			return true;
	}
	return false;
}

static int
checksum_make(const char *text, size_t len, char ret[MIGRATION_CHECKSUM])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned n = 0, i;

	if (!EVP_Digest(text, len, digest, &n, EVP_sha256(), NULL))
		return -ENOMEM;

	for (i = 0; i < n && 2 * i + 2 < MIGRATION_CHECKSUM; i++)
		snprintf(ret + 2 * i, 3, "%02x", digest[i]);
	return 0;
}

static int
fd_read(int fd, char **ret_text, size_t *ret_len)
{
	struct stat st;
	size_t len = 0;
	ssize_t n;
	char *text;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size < 0 || (size_t)st.st_size > MIGRATION_BYTES)
		return -EFBIG;

	text = malloc((size_t)st.st_size + 1);
	if (!text)
		return -ENOMEM;

	while (len < (size_t)st.st_size) {
		n = read(fd, text + len, (size_t)st.st_size - len);
		if (n < 0 && errno != EINTR) {
			int rc = -errno;

			free(text);
			return rc;
		}
		if (n == 0)
			break;
		if (n > 0)
			len += (size_t)n;
	}
	text[len] = '\0';
	*ret_text = text;
	*ret_len = len;
	return 0;
}

static int
file_read(int folder_fd, const char *file, char **ret_text, size_t *ret_len)
{
	char *text = NULL;
	size_t len = 0;
	int fd, rc;

	fd = openat(folder_fd, file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;

	rc = fd_read(fd, &text, &len);
	close(fd);
	if (rc < 0)
		return rc;
	assert(text);
	if (strlen(text) != len) { /* a NUL would hide what follows it */
		free(text);
		return -EILSEQ;
	}
	*ret_text = text;
	*ret_len = len;
	return 0;
}

/* The slot of a revision, made when it is not there. */
static int
list_slot(struct migration_files *files, int revision, struct migration **ret)
{
	struct migration *list;

	if (revision > files->n) {
		list = realloc(files->list, (size_t)revision * sizeof(*list));
		if (!list)
			return -ENOMEM;
		memset(list + files->n, 0,
		       (size_t)(revision - files->n) * sizeof(*list));
		files->list = list;
		files->n = revision;
	}
	*ret = &files->list[revision - 1];
	return 0;
}

/* Takes in one file of the folder. */
static int
file_add(struct migration_files *files, int folder_fd, const char *file,
	 char *ret_why, size_t size)
{
	char name[MIGRATION_NAME], *text = NULL;
	struct migration *m = NULL;
	int revision, rc;
	bool is_up;
	size_t len = 0;

	if (!migration_file_parse(file, &revision, name, &is_up))
		return 0;

	rc = list_slot(files, revision, &m);
	if (rc == 0)
		rc = file_read(folder_fd, file, &text, &len);
	if (rc < 0) {
		snprintf(ret_why, size, "%s cannot be read: %s", file,
			 strerror(-rc));
		return rc;
	}

	assert(m && text);
	if (m->revision && strcmp(m->name, name)) {
		snprintf(ret_why, size,
			 "two migrations have the number %04d: %s and %s",
			 revision, m->name, name);
		free(text);
		return -EINVAL;
	}
	m->revision = revision;
	memcpy(m->name, name, sizeof(name));
	if (!is_up) {
		m->down = text;
		return 0;
	}
	m->up = text;
	return checksum_make(text, len, m->checksum);
}

static int
files_check(const struct migration_files *files, char *ret_why, size_t size)
{
	int i;

	for (i = 0; i < files->n; i++) {
		const struct migration *m = &files->list[i];

		if (!m->revision) {
			snprintf(ret_why, size,
				 "migration %04d is missing, %04d is there",
				 i + 1, files->n);
			return -EINVAL;
		}
		if (!m->up || !m->down) {
			snprintf(ret_why, size, "%04d_%s.%s.sql is missing",
				 m->revision, m->name, m->up ? "down" : "up");
			return -EINVAL;
		}
	}
	if (!files->n) {
		snprintf(ret_why, size, "there are no migrations in it");
		return -EINVAL;
	}
	return 0;
}

/* All files of the folder, without asking whether they make sense. */
static int
folder_read(struct migration_files *files, const char *folder, char *ret_why,
	    size_t size)
{
	struct dirent *entry;
	DIR *dir = opendir(folder);
	int rc = 0;

	*files = (struct migration_files){ 0 };
	if (!dir) {
		rc = -errno;
		snprintf(ret_why, size, "folder %s: %s", folder,
			 strerror(errno));
		return rc;
	}
	while (rc == 0 && (errno = 0, entry = readdir(dir)))
		rc = file_add(files, dirfd(dir), entry->d_name, ret_why, size);
	closedir(dir);
	if (rc < 0)
		migration_files_fini(files);
	return rc;
}

int
migration_files_read(struct migration_files *files, const char *folder,
		     char *ret_why, size_t size)
{
	char why[300];
	int rc = folder_read(files, folder, ret_why, size);

	if (rc < 0)
		return rc;

	rc = files_check(files, why, sizeof(why));
	if (rc < 0) {
		snprintf(ret_why, size, "folder %s: %s", folder, why);
		migration_files_fini(files);
	}
	return rc;
}

void
migration_files_fini(struct migration_files *files)
{
	int i;

	for (i = 0; i < files->n; i++) {
		free(files->list[i].up);
		free(files->list[i].down);
	}
	free(files->list);
	*files = (struct migration_files){ 0 };
}

/* "Add a column!" -> "add_a_column" */
static void
name_make(const char *text, char ret[MIGRATION_NAME])
{
	size_t len = 0;

	for (; *text && len < MIGRATION_NAME - 1; text++) {
		char c = (char)tolower((unsigned char)*text);

		if (is_name_character(c) && c != '_')
			ret[len++] = c;
		else if (len && ret[len - 1] != '_')
			ret[len++] = '_';
	}
	while (len && ret[len - 1] == '_')
		len--;
	ret[len] = '\0';
}

static int
file_create(const char *path, const char *text, const char *what)
{
	FILE *file;
	int fd, rc;

	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;

	file = fdopen(fd, "w");
	if (!file) {
		rc = -errno;
		close(fd);
		return rc;
	}
	fputs("-- ", file);
	for (; *text; text++) /* a line break would end the comment */
		fputc(*text == '\n' || *text == '\r' ? ' ' : *text, file);
	fprintf(file, "\n-- %s\n\n", what);
	rc = ferror(file) ? -EIO : 0;
	if (fclose(file) && rc == 0)
		rc = -errno;
	return rc;
}

int
migration_files_create(const char *folder, const char *text, char ret_up[512],
		       char ret_down[512], char *ret_why, size_t size)
{
	struct migration_files files;
	char name[MIGRATION_NAME];
	int rc, next;

	name_make(text, name);
	if (!*name) {
		snprintf(ret_why, size,
			 "\"%s\" has no letter or digit to make a name of",
			 text);
		return -EINVAL;
	}
	rc = folder_read(&files, folder, ret_why, size);
	if (rc < 0)
		return rc;

	next = files.n + 1;
	migration_files_fini(&files);
	if (next > MIGRATION_MAX) {
		snprintf(ret_why, size, "there is no number behind %d",
			 MIGRATION_MAX);
		return -EINVAL;
	}
	snprintf(ret_up, 512, "%s/%04d_%s.up.sql", folder, next, name);
	snprintf(ret_down, 512, "%s/%04d_%s.down.sql", folder, next, name);
	rc = file_create(ret_up, text, "Runs in a transaction of its own.");
	if (rc == 0)
		rc = file_create(ret_down, text, "Undoes the above.");
	if (rc < 0)
		snprintf(ret_why, size, "%s cannot be written: %s", ret_up,
			 strerror(-rc));
	return rc;
}

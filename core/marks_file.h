/*
 * marks_file.h - the file of marks: opened, mapped, its bytes locked.
 *
 * Each process holds a lock on a byte of it for as long as it lives, and takes
 * another one around changes of the table.
 */
#ifndef EVH_MARKS_FILE_H
#define EVH_MARKS_FILE_H

#include <stdbool.h>

struct marks_table;

struct marks_file {
	char *path;
	int fd;
	struct marks_table *table; /* NULL before marks_file_map() */
};

/* Opens DIR/marks, making both where they are missing.  0, or -ENOMEM, or
 * -EINVAL, logged. [main] */
int marks_file_open(const char *dir, struct marks_file *ret);
/* Maps it, with the table locked; a new one is begun.  0, or -ENOTSUP: it is of
 * no use, logged. [main] */
int marks_file_map(struct marks_file *file);
/* Any that was opened, or not quite.  Its locks are gone then. [main] */
void marks_file_close(struct marks_file *file);

/* Logs that it is of no use, which is no reason not to run: -ENOTSUP. */
int marks_file_refuse(const struct marks_file *file, const char *why);

/* Around changes of the table: waits a little for others, or not at all.  0 or
 * -errno. [main] */
int marks_file_lock(const struct marks_file *file);
int marks_file_try_lock(const struct marks_file *file);
void marks_file_unlock(const struct marks_file *file);

/* The byte of the process at this place: 0, or -errno when it is another's;
 * whether somebody lives who has it. [main] */
int marks_file_take(const struct marks_file *file, unsigned place);
bool marks_file_is_taken(const struct marks_file *file, unsigned place);

#endif

/*
 * migration_files.h - the migrations as they lie in their folder.
 *
 * NNNN_name.up.sql and NNNN_name.down.sql, numbered from 0001 without a gap;
 * the name is made of a-z, 0-9 and underscores.  Other files are nobody's
 * business.  A migration's checksum is the SHA-256 of its up file: what was
 * applied must not change, what undoes it may be mended.
 */
#ifndef PG_STORE_MIGRATION_FILES_H
#define PG_STORE_MIGRATION_FILES_H

#include <stdbool.h>
#include <stddef.h>

#define MIGRATION_NAME	   64 /* with its NUL */
#define MIGRATION_CHECKSUM 65 /* hexadecimal, with its NUL */
#define MIGRATION_MAX	   9999
#define MIGRATION_BYTES	   (16u << 20) /* of one file at most */

struct migration {
	int revision;
	char name[MIGRATION_NAME];
	char *up, *down; /* the files' text */
	char checksum[MIGRATION_CHECKSUM];
};

struct migration_files {
	struct migration *list; /* list[i] is revision i + 1 */
	int n;
};

/* Is this a migration's file: "0001_events.up.sql"?  Pure. */
bool migration_file_parse(const char *file, int *ret_revision,
			  char ret_name[MIGRATION_NAME], bool *ret_is_up);

/* Is there anything to run in it, beside spaces and comments?  Pure. */
bool migration_has_statement(const char *sql);

/*
 * Reads the folder.  0; or -errno and a sentence: -EINVAL when the files make
 * no sense, else what the system said.  migration_files_fini() frees it.
 */
int migration_files_read(struct migration_files *files, const char *folder,
			 char *ret_why, size_t size);
void migration_files_fini(struct migration_files *files);

/*
 * Writes the next number's two files, to be filled in; the name is made of
 * `text`.  Gives both paths.  As above; files that are there are never
 * overwritten.
 */
int migration_files_create(const char *folder, const char *text,
			   char ret_up[512], char ret_down[512], char *ret_why,
			   size_t size);

#endif

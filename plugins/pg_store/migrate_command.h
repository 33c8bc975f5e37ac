/*
 * migrate_command.h - `evhd migrate ...`: the words, and what they print.
 */
#ifndef PG_STORE_MIGRATE_COMMAND_H
#define PG_STORE_MIGRATE_COMMAND_H

#include "migrate.h"

#include <stdbool.h>

enum migrate_verb {
	MIGRATE_UPGRADE = 1,
	MIGRATE_DOWNGRADE,
	MIGRATE_CURRENT,
	MIGRATE_HISTORY,
	MIGRATE_REVISION,
};

struct migrate_words {
	enum migrate_verb verb;
	bool relative;	  /* target is a number of steps: +2, -1 */
	int target;	  /* revision, steps, or MIGRATE_HEAD; base is 0 */
	const char *text; /* revision -m */
	bool yes, json;
};

extern const char migrate_usage[];

/* Pure.  0; or -EINVAL and a sentence. */
int migrate_words_parse(int argc, char **argv, struct migrate_words *ret,
			char *ret_why, size_t size);

/* The whole command; argv[0] is its name.  Prints to standard output, and
 * what is wrong to standard error; returns the exit code. [main] */
int migrate_command(const struct settings *settings, int argc, char **argv);

#endif

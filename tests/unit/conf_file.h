/*
 * conf_file.h - a configuration file in a folder of its own, and what was read.
 */
#ifndef EVH_TESTS_CONF_FILE_H
#define EVH_TESTS_CONF_FILE_H

#include "../harness/tempdir.h"

#include "config.h"

struct conf {
	struct tempdir dir;
	struct problems problems;
	struct config *config;
};

/* cmocka's setup and teardown; *state is what they make. */
int conf_setup(void **state);
int conf_teardown(void **state);
/* Writes a.conf and reads it; NULL when it cannot be used. */
struct config *conf_parse(struct conf *conf, const char *text);
/* Reads it so, and that there is no problem. */
void conf_assert_fine(struct conf *conf, const char *text);
/* That this is the i-th problem, of a place in a.conf: ":3", ": sink ...". */
void conf_assert_problem(const struct conf *conf, size_t i, const char *where,
			 const char *text);
/* A setting of the sink "s", as it was after expansion, or NULL. */
const struct config_setting *conf_setting(const struct conf *conf,
					  const char *name);
/* That it has this one value, and misses no variable. */
void conf_assert_value(const struct conf *conf, const char *name,
		       const char *value);

#endif

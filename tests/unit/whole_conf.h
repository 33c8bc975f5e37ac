/*
 * whole_conf.h - a whole configuration, with the fixtures' plain plugins.
 */
#ifndef EVH_TESTS_WHOLE_CONF_H
#define EVH_TESTS_WHOLE_CONF_H

#include "../harness/tempdir.h"

#include "setup.h"

struct whole {
	struct tempdir dir;
	struct problems problems;
	struct setup *setup;
};

/* One section each. */
#define SOURCE(name)  "source \"" name "\" { plugin = plain_source }\n"
#define INGEST(name)  "ingest \"" name "\" { plugin = plain_source }\n"
#define HANDLER(name) "handler \"" name "\" { plugin = plain_handler }\n"
#define SINK(name)    "sink \"" name "\" { plugin = plain_sink host = h }\n"
#define STORE(name)   "store \"" name "\" { plugin = plain_sink host = h }\n"

/* cmocka's setup and teardown; *state is what they make. */
int whole_setup(void **state);
int whole_teardown(void **state);
/* As a command of the instance `only` reads it; NULL: all of it. */
struct setup *whole_read_only(struct whole *whole, const char *only,
			      const char *text);
/* As evhd reads it; the whole's. */
struct setup *whole_read(struct whole *whole, const char *text);
/* That this is the text's one problem: the end of its place, its sentence. */
void whole_assert_error(struct whole *whole, const char *text,
			const char *where, const char *sentence);
void whole_assert_warning(struct whole *whole, const char *text,
			  const char *where, const char *sentence);
/* That it has none. */
void whole_assert_fine(struct whole *whole, const char *text);

#endif

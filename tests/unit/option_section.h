/*
 * option_section.h - a section of a file, read against a table of options.
 */
#ifndef EVH_TESTS_OPTION_SECTION_H
#define EVH_TESTS_OPTION_SECTION_H

#include "../harness/tempdir.h"

#include "config.h"
#include "loader.h"
#include "options.h"

struct section {
	struct tempdir dir;
	struct problems problems;
	struct config *config;
	struct loader_plugin plugin;
	struct options *options;
};

/* cmocka's setup and teardown; *state is what they make. */
int section_setup(void **state);
int section_teardown(void **state);
/* Reads these settings in a section of this kind; the section's, or NULL. */
struct options *section_read(struct section *s, const char *keyword,
			     const char *settings);
struct options *section_read_sink(struct section *s, const char *settings);
/* One setting beside `topic`, which is wrong for this reason. */
void section_assert_refused(struct section *s, const char *setting,
			    const char *sentence);

#endif

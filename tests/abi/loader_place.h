/*
 * loader_place.h - a loader, and a folder for the files that it opens.
 */
#ifndef EVH_TESTS_LOADER_PLACE_H
#define EVH_TESTS_LOADER_PLACE_H

#include <sys/types.h>

#include "loader.h"

/* A place of the test's own, a loader that looks there or in the fixtures. */
struct place {
	char dir[64];
	const char *fixtures;
	struct loader *loader;
	struct problems problems;
};

/* cmocka's setup and teardown; *state is what they make. */
int place_setup(void **state);
int place_teardown(void **state);
const struct loader_plugin *place_open(struct place *place, const char *name);
/* The sentence behind "FILE: ", whatever folder the file is in. */
const char *place_sentence(const struct place *place, size_t i);
void place_copy(const struct place *place, const char *name, const char *as,
		mode_t mode);
void place_write(const struct place *place, const char *name, const char *text);

#endif

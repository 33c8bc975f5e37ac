#include "loader_place.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "loader.h"

int
place_setup(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	assert_non_null(place);
	place->fixtures = getenv("EVH_FIXTURES");
	assert_non_null(place->fixtures);
	snprintf(place->dir, sizeof(place->dir), "/tmp/evh-broken.XXXXXX");
	assert_non_null(mkdtemp(place->dir));
	place->loader = loader_new(place->fixtures);
	assert_non_null(place->loader);
	*state = place;
	return 0;
}

int
place_teardown(void **state)
{
	struct place *place = *state;
	char command[128];

	loader_free(place->loader);
	problems_fini(&place->problems);
	snprintf(command, sizeof(command), "rm -rf %s", place->dir);
	assert_int_equal(system(command), 0);
	free(place);
	return 0;
}

const struct loader_plugin *
place_open(struct place *place, const char *name)
{
	problems_fini(&place->problems);
	return loader_open(place->loader, place->dir, name, "here",
			   &place->problems);
}

const char *
place_sentence(const struct place *place, size_t i)
{
	const char *text, *end;

	assert_true(i < place->problems.n);
	assert_string_equal(place->problems.list[i].where, "here");
	text = place->problems.list[i].text;
	end = strstr(text, ".so: ");
	return end ? end + 5 : text;
}

void
place_copy(const struct place *place, const char *name, const char *as,
	   mode_t mode)
{
	char path[512], buffer[65536];
	FILE *in, *out;
	size_t n;

	snprintf(path, sizeof(path), "%s/%s.so", place->fixtures, name);
	in = fopen(path, "re");
	assert_non_null(in);
	snprintf(path, sizeof(path), "%s/%s", place->dir, as);
	out = fopen(path, "we");
	assert_non_null(out);
	while ((n = fread(buffer, 1, sizeof(buffer), in)) > 0)
		assert_int_equal(fwrite(buffer, 1, n, out), n);
	fclose(in);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(chmod(path, mode), 0);
}

void
place_write(const struct place *place, const char *name, const char *text)
{
	char path[512];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", place->dir, name);
	out = fopen(path, "we");
	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
}

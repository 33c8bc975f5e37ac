#include "shown.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FILE_MAX (64 * 1024)

/* A file of plugins/handlers, freed by the caller. */
static char *
source_read(const char *name)
{
	char path[1024];
	char *text = calloc(1, FILE_MAX);
	FILE *f;

	assert_non_null(text);
	snprintf(path, sizeof(path), "%s/plugins/handlers/%s",
		 getenv("EVH_SOURCE_DIR"), name);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_true(fread(text, 1, FILE_MAX - 1, f) > 0);
	assert_true(feof(f));
	fclose(f);
	return text;
}

void
shown_assert(const char *readme, const char *file)
{
	char *text = source_read(readme);
	char *code = source_read(file);
	char begin[128];
	size_t len = strlen(code);
	char *block;

	snprintf(begin, sizeof(begin), "```c\n/* %s", file);
	block = strstr(text, begin);
	assert_non_null(block);
	block += strlen("```c\n");
	assert_true(strlen(block) > len);
	block[len] = '\0';
	assert_string_equal(block, code);
	assert_int_equal(strncmp(block + len + 1, "``\n", 3), 0);
	free(code);
	free(text);
}

void
shown_assert_lines(const char *file, unsigned min, unsigned max)
{
	char *code = source_read(file);
	unsigned n = 0;

	for (const char *p = code; (p = strchr(p, '\n')); p++)
		n++;
	free(code);
	assert_in_range(n, min, max);
}

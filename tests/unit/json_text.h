/*
 * json_text.h - texts of JSON for the tests.
 */
#ifndef EVH_TESTS_JSON_TEXT_H
#define EVH_TESTS_JSON_TEXT_H

#include <stddef.h>

#include "json.h"

/* A copy of its exact size, so that a read beyond the text is seen; yours. */
char *json_text_copy(const char *text, size_t len);
/* What is in a text that must be JSON. */
struct json_span json_text_value(const char *text);

#endif

#include "json_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

char *
json_text_copy(const char *text, size_t len)
{
	char *copy = malloc(len > 0 ? len : 1);

	assert_non_null(copy);
	memcpy(copy, text, len);
	return copy;
}

struct json_span
json_text_value(const char *text)
{
	struct json_span value;

	assert_int_equal(json_check(text, strlen(text), &value, NULL), 0);
	return value;
}

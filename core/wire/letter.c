#include "letter.h"

#include <string.h>

#include "json.h"
#include "pattern.h"
#include "scratch.h"

uint32_t
letter_count_read(const char *text, size_t len)
{
	uint64_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return 0;
		n = n * 10 + (uint64_t)(text[i] - '0');
		if (n > UINT32_MAX)
			return 0;
	}
	return (uint32_t)n;
}

static void
text_read(const struct json_span *error, const char *name, char *ret,
	  size_t size)
{
	struct json_span value;

	if (json_find(error, name, &value) && value.type == JSON_SPAN_STRING)
		json_decode(&value, ret, size);
}

void
letter_error_read(const char *json, struct letter_error *ret)
{
	struct json_span error, value;

	ret->stage[0] = '\0';
	ret->type[0] = '\0';
	ret->sqlstate[0] = '\0';
	ret->message[0] = '\0';
	ret->replays = 0;
	if (!json || json_check(json, strlen(json), &error, NULL) < 0 ||
	    error.type != JSON_SPAN_OBJECT)
		return;
	text_read(&error, "stage", ret->stage, sizeof(ret->stage));
	text_read(&error, "type", ret->type, sizeof(ret->type));
	text_read(&error, "sqlstate", ret->sqlstate, sizeof(ret->sqlstate));
	text_read(&error, "message", ret->message, sizeof(ret->message));
	if (json_find(&error, LETTER_REPLAYS_MEMBER, &value) &&
	    value.type == JSON_SPAN_NUMBER)
		ret->replays = letter_count_read(value.at, value.len);
}

static bool
is_same(const char *wanted, const char *value)
{
	return !wanted || strcmp(wanted, value) == 0;
}

bool
letter_fits(const struct evh_dead_query *query, const struct evh_letter *letter)
{
	EVH_SCRATCH struct letter_error error;

	if (query->since_ns && letter->failed_ns < query->since_ns)
		return false;
	if (query->before_ns && letter->failed_ns >= query->before_ns)
		return false;
	if (query->name && !pattern_matches(query->name, letter->name))
		return false;
	if (!query->stage && !query->type && !query->sqlstate && !query->text)
		return true;
	letter_error_read(letter->error, &error);
	return is_same(query->stage, error.stage) &&
	       is_same(query->type, error.type) &&
	       is_same(query->sqlstate, error.sqlstate) &&
	       (!query->text || strstr(error.message, query->text));
}

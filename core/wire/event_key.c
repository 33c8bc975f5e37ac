#include "event_key.h"

#include "json.h"

#include <string.h>

#include "uuid_text.h"

bool
event_key_rule(const char *rule)
{
	return strcmp(rule, "none") == 0 || strcmp(rule, "id") == 0 ||
	       strcmp(rule, "name") == 0 || json_pointer_is_good(rule);
}

static size_t
put(const char *text, size_t len, char *ret, size_t size)
{
	size_t n = len < size ? len : size - 1;

	memcpy(ret, text, n);
	ret[n] = '\0';
	return len;
}

size_t
event_key(struct evh_bytes name, const struct json_span *data,
	  const unsigned char id[16], const char *rule, char *ret, size_t size)
{
	struct json_span value;
	char text[UUID_TEXT_LEN];

	if (strcmp(rule, "id") == 0) {
		uuid_write(id, text);
		return put(text, sizeof(text), ret, size);
	}
	if (strcmp(rule, "name") == 0)
		return put(name.data, name.len, ret, size);
	if (rule[0] != '/' || !json_pointer(data, rule, &value))
		return 0;
	if (value.type == JSON_SPAN_STRING)
		return json_decode(&value, ret, size);
	return put(value.at, value.len, ret, size);
}

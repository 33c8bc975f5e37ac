#include "gate.h"

#include <string.h>
#include <strings.h>

static bool
is_tchar(unsigned char c)
{
	if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	    (c >= 'a' && c <= 'z') || c == '-')
		return true;
	return c != 0 && strchr("!#$%&'*+.^_`|~", c) != NULL;
}

static bool
is_token(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!is_tchar((unsigned char)text[i]))
			return false;
	return len > 0;
}

static bool
is_field_value(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

static bool
is_target(const char *target)
{
	if (strcmp(target, "*") == 0)
		return true;
	if (target[0] != '/')
		return false;
	for (const char *p = target; *p != '\0'; p++) {
		unsigned char c = (unsigned char)*p;

		if (c <= 0x20 || c >= 0x7f)
			return false;
	}
	return true;
}

static bool
is_host(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c <= 0x20 || c >= 0x7f ||
		    strchr("/\\@?#<>\"{}|^`,", c) != NULL)
			return false;
	}
	return true;
}

static bool
slice_is(const char *text, size_t len, const char *word)
{
	return len == strlen(word) && strncasecmp(text, word, len) == 0;
}

static bool
field_is(const struct gate_field *field, const char *name)
{
	return slice_is(field->name, field->name_len, name);
}

static void
trim(const char **text, size_t *len)
{
	while (*len > 0 && (**text == ' ' || **text == '\t')) {
		(*text)++;
		(*len)--;
	}
	while (*len > 0 &&
	       ((*text)[*len - 1] == ' ' || (*text)[*len - 1] == '\t'))
		(*len)--;
}

/* One parameter of a media type; only the charset matters. */
static bool
media_param_ok(const char *text, size_t len)
{
	const char *equals = memchr(text, '=', len);
	const char *value;
	size_t name_len, value_len;

	if (equals == NULL)
		return len == 0;
	name_len = (size_t)(equals - text);
	if (!slice_is(text, name_len, "charset"))
		return true;
	value = equals + 1;
	value_len = len - name_len - 1;
	if (value_len >= 2 && value[0] == '"' && value[value_len - 1] == '"') {
		value++;
		value_len -= 2;
	}
	return slice_is(value, value_len, "utf-8") ||
	       slice_is(value, value_len, "utf8");
}

static bool
media_is_json(const char *text, size_t len)
{
	static const char prefix[] = "application/";
	const size_t prefix_len = sizeof(prefix) - 1;
	const char *semicolon = memchr(text, ';', len);
	size_t type_len = semicolon ? (size_t)(semicolon - text) : len;
	const char *type = text, *rest = text + type_len;
	size_t rest_len = len - type_len;

	trim(&type, &type_len);
	if (type_len <= prefix_len ||
	    strncasecmp(type, prefix, prefix_len) != 0 ||
	    !is_token(type + prefix_len, type_len - prefix_len))
		return false;
	if (!slice_is(type, type_len, "application/json") &&
	    (type_len < prefix_len + 6 ||
	     !slice_is(type + type_len - 5, 5, "+json")))
		return false;
	while (rest_len > 0) {
		const char *param = rest + 1, *next;
		size_t param_len;

		next = memchr(param, ';', rest_len - 1);
		param_len = next ? (size_t)(next - param) : rest_len - 1;
		rest += param_len + 1;
		rest_len -= param_len + 1;
		trim(&param, &param_len);
		if (!media_param_ok(param, param_len))
			return false;
	}
	return true;
}

struct tally {
	unsigned host, length, coding, expect, media;
};

static bool
take_length(const struct gate_field *field, struct gate_facts *facts)
{
	uint64_t n = 0;

	for (size_t i = 0; i < field->value_len; i++) {
		unsigned digit = (unsigned char)field->value[i] - '0';

		if (digit > 9)
			return false;
		if (n > (UINT64_MAX - digit) / 10)
			n = UINT64_MAX;
		else
			n = n * 10 + digit;
	}
	facts->has_length = true;
	facts->length = n;
	return field->value_len > 0;
}

/* A name that begins like one that frames the body, and is longer: what an
 * old parser makes of a folded line or of a blank before the colon. */
static bool
is_framing_lookalike(const struct gate_field *field)
{
	static const char *const names[] = { "content-length",
					     "transfer-encoding" };

	for (size_t i = 0; i < 2; i++) {
		size_t len = strlen(names[i]);

		if (field->name_len > len &&
		    strncasecmp(field->name, names[i], len) == 0)
			return true;
	}
	return false;
}

/* Is the word among those that commas separate? */
static bool
list_has(const char *text, size_t len, const char *word)
{
	while (len > 0) {
		const char *comma = memchr(text, ',', len), *item = text;
		size_t item_len = comma ? (size_t)(comma - text) : len;
		size_t step = comma ? item_len + 1 : len;

		trim(&item, &item_len);
		if (slice_is(item, item_len, word))
			return true;
		text += step;
		len -= step;
	}
	return false;
}

static enum gate_verdict
take_field(const struct gate_field *field, struct tally *tally,
	   struct gate_facts *facts)
{
	const char *value = field->value;
	size_t len = field->value_len;

	if (!is_token(field->name, field->name_len) ||
	    !is_field_value(value, len) || is_framing_lookalike(field))
		return GATE_MALFORMED;
	trim(&value, &len);
	if (field_is(field, "host")) {
		tally->host++;
		return is_host(value, len) ? GATE_PASS : GATE_MALFORMED;
	}
	if (field_is(field, "content-length")) {
		struct gate_field trimmed = { .value = value,
					      .value_len = len };

		tally->length++;
		return take_length(&trimmed, facts) ? GATE_PASS
						    : GATE_MALFORMED;
	}
	if (field_is(field, "transfer-encoding")) {
		tally->coding++;
		facts->chunked = true;
		return slice_is(value, len, "chunked") ? GATE_PASS
						       : GATE_MALFORMED;
	}
	if (field_is(field, "expect")) {
		tally->expect++;
		return slice_is(value, len, "100-continue") ? GATE_PASS
							    : GATE_EXPECT;
	}
	if (field_is(field, "connection")) {
		facts->wants_close |= list_has(value, len, "close");
	} else if (field_is(field, "content-type")) {
		tally->media++;
		facts->media_json =
			tally->media == 1 && media_is_json(value, len);
	} else if (field_is(field, "content-encoding") && len > 0 &&
		   !slice_is(value, len, "identity")) {
		facts->coding_plain = false;
	} else if (field_is(field, "idempotency-key")) {
		facts->key = value;
		facts->key_len = len;
		facts->n_keys++;
	}
	return GATE_PASS;
}

static enum gate_verdict
check_version(const char *version, struct gate_facts *facts)
{
	if (strlen(version) != 8 || strncmp(version, "HTTP/", 5) != 0 ||
	    version[6] != '.' || version[5] < '0' || version[5] > '9' ||
	    version[7] < '0' || version[7] > '9')
		return GATE_MALFORMED;
	if (version[5] != '1')
		return GATE_VERSION;
	facts->http10 = version[7] == '0';
	return GATE_PASS;
}

enum gate_verdict
gate_check(const struct gate_head *head, struct gate_facts *ret_facts)
{
	struct gate_facts facts = { .media_json = true, .coding_plain = true };
	struct tally tally = { 0 };
	enum gate_verdict verdict = check_version(head->version, &facts);
	bool expects = false;

	if (verdict != GATE_PASS)
		return verdict;
	if (!is_token(head->method, strlen(head->method)) ||
	    !is_target(head->target))
		return GATE_MALFORMED;
	if (head->target[0] == '*' && strcmp(head->method, "OPTIONS") != 0)
		return GATE_MALFORMED;
	for (size_t i = 0; i < head->n_fields; i++) {
		verdict = take_field(&head->fields[i], &tally, &facts);
		if (verdict == GATE_EXPECT)
			expects = true;
		else if (verdict != GATE_PASS)
			return verdict;
	}
	if (tally.length > 1 || tally.coding > 1 ||
	    (tally.length > 0 && tally.coding > 0) || tally.host > 1)
		return GATE_MALFORMED;
	if (facts.http10 ? facts.chunked : tally.host == 0)
		return GATE_MALFORMED;
	/* HTTP/1.0 knows no expectations and has them ignored. */
	if (!facts.http10 && (expects || tally.expect > 1))
		return GATE_EXPECT;
	*ret_facts = facts;
	return GATE_PASS;
}

bool
gate_layout_check(const struct gate_layout *layout)
{
	const struct gate_head *head = layout->head;
	const char *next = head->method + strlen(head->method) + 1;

	if (head->target != next ||
	    head->version != next + layout->target_len + 1)
		return false;
	next = head->version + strlen(head->version);
	for (size_t i = 0; i < head->n_fields; i++) {
		const struct gate_field *field = &head->fields[i];

		/* The line before must have ended in two bytes, and this one
		 * must begin straight behind them. */
		if (next[0] != '\0' || next[1] != '\0' ||
		    field->name != next + 2 ||
		    field->value < field->name + field->name_len + 1)
			return false;
		next = field->value + field->value_len;
	}
	return next + 4 == head->method + layout->head_size &&
	       memcmp(next, "\0\0\0\0", 4) == 0;
}

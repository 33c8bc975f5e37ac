#include "query.h"

#include "detail.h"

#include <envelope.h>
#include <json.h>
#include <status.h>

#include <ctype.h>
#include <errno.h>
#include <string.h>

/* One name=value as it came, still encoded. */
struct param {
	const char *name, *value;
	size_t name_len, value_len;
};

static bool
param_next(const char **raw, size_t *len, struct param *ret)
{
	while (*len > 0) {
		const char *at = *raw, *end = memchr(at, '&', *len);
		size_t n = end ? (size_t)(end - at) : *len;
		const char *equals = memchr(at, '=', n);

		*raw += end ? n + 1 : n;
		*len -= end ? n + 1 : n;
		if (n == 0)
			continue;
		ret->name = at;
		ret->name_len = equals ? (size_t)(equals - at) : n;
		ret->value = equals ? equals + 1 : at + n;
		ret->value_len = equals ? n - ret->name_len - 1 : 0;
		return true;
	}
	return false;
}

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decoded, in place of what the text held: %41 and +; what is no escape
 * stays as it is.  Never longer than what came. */
static void
decode(const char *at, size_t len, struct text *ret)
{
	text_clear(ret, SIZE_MAX);
	if (!text_reserve(ret, len + 1))
		return;
	for (size_t i = 0; i < len; i++) {
		char c = at[i];

		if (c == '+') {
			c = ' ';
		} else if (c == '%' && len - i > 2 && hex(at[i + 1]) >= 0 &&
			   hex(at[i + 2]) >= 0) {
			c = (char)(hex(at[i + 1]) << 4 | hex(at[i + 2]));
			i += 2;
		}
		ret->at[ret->len++] = c;
	}
}

struct reader {
	struct text *detail;
	struct text word;  /* a value, decoded */
	struct text shown; /* the same as JSON */
	unsigned wrong;
};

static void
refuse(struct reader *reader, const char *where, struct detail_item *item)
{
	item->place = "query";
	item->where = (struct evh_bytes){ where, strlen(where) };
	item->input = (struct evh_bytes){ reader->shown.at, reader->shown.len };
	if (reader->wrong++ == 0)
		detail_begin(reader->detail);
	detail_add(reader->detail, item);
}

/* The last parameter of this name, decoded into word and shown. */
static bool
find_last(struct reader *reader, const char *raw, size_t len, const char *name)
{
	struct param param, last = { 0 };

	while (param_next(&raw, &len, &param)) {
		decode(param.name, param.name_len, &reader->word);
		if (reader->word.len == strlen(name) &&
		    memcmp(reader->word.at, name, reader->word.len) == 0)
			last = param;
	}
	if (last.name == NULL)
		return false;
	decode(last.value, last.value_len, &reader->word);
	text_clear(&reader->shown, SIZE_MAX);
	text_quoted(&reader->shown, reader->word.at, reader->word.len);
	return true;
}

static void
read_status(struct reader *reader, struct query *query)
{
#define EXPECTED "'pending', 'processed', 'failed' or 'dropped'"
	struct detail_item item = {
		.type = "enum",
		.msg = "Input should be " EXPECTED,
		.ctx = "{\"expected\":\"" EXPECTED "\"}",
	};
#undef EXPECTED

	query->status = status_read(reader->word.at, reader->word.len);
	if (query->status == 0)
		refuse(reader, "\"status\"", &item);
}

static void
read_name(struct reader *reader, struct query *query)
{
	struct json_span shown = { .at = reader->shown.at,
				   .len = reader->shown.len,
				   .type = JSON_SPAN_STRING };
	struct detail_item item = {
		.type = "value_error",
		.msg = "Value error, name must not contain control characters",
		.ctx = "{\"error\":{}}",
	};
	size_t len;

	if (reader->shown.failed)
		return;
	/* By way of the JSON, in which bytes that are no UTF-8 are replaced:
	 * the store must never be asked with them. */
	len = json_decode(&shown, query->name, sizeof(query->name));
	query->has_name = true;
	switch (len >= sizeof(query->name)
			? ENVELOPE_NAME_TOO_LONG
			: envelope_name_check(query->name, len)) {
	case ENVELOPE_NAME_OK:
	case ENVELOPE_NAME_EMPTY: /* what poison without a name is kept as */
		return;
	case ENVELOPE_NAME_TOO_LONG:
		item.type = "string_too_long";
		item.msg = "String should have at most 255 characters";
		item.ctx = "{\"max_length\":255}";
		break;
	case ENVELOPE_NAME_CONTROL:
		break;
	}
	refuse(reader, "\"name\"", &item);
}

/* An integer with sign, white space around it; saturates. */
static bool
parse_int(const struct text *word, int64_t *ret)
{
	const char *p = word->at, *end = word->at + word->len;
	bool negative = false;
	int64_t n = 0;

	while (p < end && isspace((unsigned char)*p))
		p++;
	while (p < end && isspace((unsigned char)end[-1]))
		end--;
	if (p < end && (*p == '-' || *p == '+'))
		negative = *p++ == '-';
	if (p == end)
		return false;
	for (; p < end; p++) {
		if (*p < '0' || *p > '9')
			return false;
		if (n < INT64_MAX / 100)
			n = n * 10 + (*p - '0');
	}
	*ret = negative ? -n : n;
	return true;
}

struct bounds {
	const char *where;
	uint32_t min, max;
	const char *below, *below_ctx, *above, *above_ctx;
};

static void
read_int(struct reader *reader, const struct bounds *bounds, uint32_t *ret)
{
	struct detail_item item = { 0 };
	int64_t n = 0;

	if (!parse_int(&reader->word, &n)) {
		item.type = "int_parsing";
		item.msg = "Input should be a valid integer, unable to parse "
			   "string as an integer";
	} else if (n < bounds->min) {
		item.type = "greater_than_equal";
		item.msg = bounds->below;
		item.ctx = bounds->below_ctx;
	} else if (n > bounds->max) {
		item.type = "less_than_equal";
		item.msg = bounds->above;
		item.ctx = bounds->above_ctx;
	} else {
		*ret = (uint32_t)n;
		return;
	}
	refuse(reader, bounds->where, &item);
}

static bool
is_known(const struct text *word)
{
	static const char *const known[] = { "status", "name", "limit",
					     "offset" };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (word->len == strlen(known[i]) &&
		    memcmp(word->at, known[i], word->len) == 0)
			return true;
	return false;
}

static void
refuse_unknown(struct reader *reader, const char *raw, size_t len)
{
	struct text where = { 0 };
	struct param param;
	unsigned n = 0;

	while (n < DETAIL_UNKNOWN_MAX && param_next(&raw, &len, &param)) {
		struct detail_item item = {
			.type = "extra_forbidden",
			.msg = "Extra inputs are not permitted",
		};

		decode(param.name, param.name_len, &reader->word);
		if (is_known(&reader->word))
			continue;
		text_clear(&where, SIZE_MAX);
		text_quoted(&where, reader->word.at, reader->word.len);
		text_add(&where, "", 1);
		decode(param.value, param.value_len, &reader->word);
		text_clear(&reader->shown, SIZE_MAX);
		text_quoted(&reader->shown, reader->word.at, reader->word.len);
		if (where.failed || reader->shown.failed) {
			reader->detail->failed = true;
			break;
		}
		refuse(reader, where.at, &item);
		n++;
	}
	text_fini(&where);
}

int
query_read(const char *raw, size_t len, struct query *ret,
	   struct text *ret_detail)
{
	static const struct bounds limit = {
		"\"limit\"",	 1,
		QUERY_LIMIT_MAX, "Input should be greater than or equal to 1",
		"{\"ge\":1}",	 "Input should be less than or equal to 1000",
		"{\"le\":1000}"
	};
	static const struct bounds offset = {
		"\"offset\"",
		0,
		QUERY_OFFSET_MAX,
		"Input should be greater than or equal to 0",
		"{\"ge\":0}",
		"Input should be less than or equal to 100000",
		"{\"le\":100000}"
	};
	struct reader reader = { .detail = ret_detail };
	bool failed;

	*ret = (struct query){ .limit = QUERY_LIMIT_DEF };
	if (find_last(&reader, raw, len, "status"))
		read_status(&reader, ret);
	if (find_last(&reader, raw, len, "name"))
		read_name(&reader, ret);
	if (find_last(&reader, raw, len, "limit"))
		read_int(&reader, &limit, &ret->limit);
	if (find_last(&reader, raw, len, "offset"))
		read_int(&reader, &offset, &ret->offset);
	refuse_unknown(&reader, raw, len);
	if (reader.wrong > 0)
		detail_end(ret_detail);
	failed =
		reader.word.failed || reader.shown.failed || ret_detail->failed;
	text_fini(&reader.word);
	text_fini(&reader.shown);
	if (failed)
		return -ENOMEM;
	return reader.wrong > 0 ? -EINVAL : 0;
}

bool
query_has(const char *raw, size_t len, const char *name)
{
	struct param param;

	while (param_next(&raw, &len, &param))
		if (param.name_len == strlen(name) &&
		    memcmp(param.name, name, param.name_len) == 0)
			return true;
	return false;
}

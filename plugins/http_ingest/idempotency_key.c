#include "idempotency_key.h"

#include "detail.h"

#include <uuid_text.h>

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define PREFIX	   "idempotency-key:"
#define PREFIX_LEN (sizeof(PREFIX) - 1)

void
idempotency_key_id(const char *key, size_t len, unsigned char ret_id[16])
{
	char name[PREFIX_LEN + IDEMPOTENCY_KEY_MAX];

	assert(len <= IDEMPOTENCY_KEY_MAX);
	memcpy(name, PREFIX, PREFIX_LEN);
	memcpy(name + PREFIX_LEN, key, len);
	uuid_v5_url(name, PREFIX_LEN + len, ret_id);
}

static bool
is_visible(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	return true;
}

/* Fills the item's type, msg and ctx; false when the header is fine. */
static bool
key_is_wrong(unsigned n, const char *value, size_t len,
	     struct detail_item *item)
{
	if (n > 1) {
		item->type = "value_error";
		item->msg = "Value error, Idempotency-Key must come once";
		item->ctx = "{\"error\":{}}";
	} else if (len == 0) {
		item->type = "string_too_short";
		item->msg = "String should have at least 1 character";
		item->ctx = "{\"min_length\":1}";
	} else if (len > IDEMPOTENCY_KEY_MAX) {
		item->type = "string_too_long";
		item->msg = "String should have at most 255 characters";
		item->ctx = "{\"max_length\":255}";
	} else if (!is_visible(value, len)) {
		item->type = "string_pattern_mismatch";
		item->msg = "String should match pattern '^[!-~]+$'";
		item->ctx = "{\"pattern\":\"^[!-~]+$\"}";
	}
	return item->type != NULL;
}

int
idempotency_key_read(unsigned n, const char *value, size_t len,
		     unsigned char ret_id[16], struct text *ret_detail)
{
	static const char where[] = "\"idempotency-key\"";
	struct detail_item item = { .place = "header",
				    .where = { where, sizeof(where) - 1 } };
	struct text input = { 0 };

	if (!key_is_wrong(n, value, len, &item)) {
		idempotency_key_id(value, len, ret_id);
		return 0;
	}
	if (n == 1)
		text_quoted(&input, value, len);
	if (input.failed) {
		ret_detail->failed = true;
	} else {
		item.input = (struct evh_bytes){ input.at, input.len };
		detail_begin(ret_detail);
		detail_add(ret_detail, &item);
		detail_end(ret_detail);
	}
	text_fini(&input);
	return ret_detail->failed ? -ENOMEM : -EINVAL;
}

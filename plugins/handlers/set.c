/*
 * set.c - gives events headers, or a key that whoever comes later orders and
 * partitions by.
 */
#include <evh/plugin.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "field.h"
#include "json.h"
#include "uuid_text.h"

enum key_rule { KEY_NONE, KEY_ID, KEY_NAME, KEY_TEXT, KEY_FIELD };

struct setter {
	struct evh_ctx *ctx;
	enum key_rule rule;
	const char *key; /* the text, or the pointer */
};

static int
key_rule_parse(const char *key, struct setter *setter)
{
	setter->key = key;
	if (strcmp(key, "none") == 0)
		setter->rule = KEY_NONE;
	else if (strcmp(key, "id") == 0)
		setter->rule = KEY_ID;
	else if (strcmp(key, "name") == 0)
		setter->rule = KEY_NAME;
	else if (json_pointer_is_good(key))
		setter->rule = KEY_FIELD;
	else if (*key == '=')
		*setter = (struct setter){ setter->ctx, KEY_TEXT, key + 1 };
	else
		return -EINVAL;
	return 0;
}

static int
setter_create(struct evh_ctx *ctx, void **ret_self)
{
	struct setter *setter = calloc(1, sizeof(*setter));
	const char *key = ctx->opt_str(ctx, "key");

	if (!setter)
		return -ENOMEM;
	setter->ctx = ctx;
	if (key_rule_parse(key, setter) < 0) {
		ctx->log(ctx, EVH_ERROR,
			 "key = \"%s\": want none, id, name, a JSON Pointer "
			 "such as /user_id, or =TEXT for TEXT itself",
			 key);
		free(setter);
		return -EINVAL;
	}
	*ret_self = setter;
	return 0;
}

/* 0, or -errno; a field that is not there leaves the key as it was. */
static int
key_set(const struct setter *setter, struct evh_event *ev)
{
	struct evh_ctx *ctx = setter->ctx;
	struct evh_bytes value;
	char id[UUID_TEXT_LEN];
	int found;

	switch (setter->rule) {
	case KEY_NONE:
		return 0;
	case KEY_ID:
		uuid_write(ev->id, id);
		value = (struct evh_bytes){ id, sizeof(id) };
		break;
	case KEY_NAME:
		value = (struct evh_bytes){ ev->name, strlen(ev->name) };
		break;
	case KEY_TEXT:
		value = (struct evh_bytes){ setter->key, strlen(setter->key) };
		break;
	case KEY_FIELD:
		found = field_find(ctx, ev, setter->key, &value);
		if (found <= 0)
			return found;
		break;
	}
	return ctx->set_key(ctx, ev, value);
}

static int
headers_set(const struct setter *setter, struct evh_event *ev)
{
	struct evh_ctx *ctx = setter->ctx;
	const char *name, *value;
	int err;

	for (unsigned i = 0; (value = ctx->opt_at(ctx, "header", i, &name));
	     i++) {
		err = ctx->set_header(ctx, ev, name, *value ? value : NULL);
		if (err < 0)
			return err;
	}
	return 0;
}

static enum evh_result
setter_process(void *self, struct evh_event *ev)
{
	const struct setter *setter = self;
	int err = headers_set(setter, ev);

	if (err == 0)
		err = key_set(setter, ev);
	if (err == 0)
		return EVH_OK;
	if (err == -ENOMEM)
		return EVH_RETRY;
	(void)setter->ctx->set_error(setter->ctx, ev, "invalid",
				     "headers or key cannot be set: %s",
				     strerror(-err));
	return EVH_FAIL;
}

static void
setter_destroy(void *self)
{
	free(self);
}

static const struct evh_option setter_options[] = {
	{ .name = "header",
	  .type = EVH_MAP,
	  .def = "",
	  .help = "header.NAME = \"text\"; an empty text takes NAME away" },
	{ .name = "key",
	  .type = EVH_STR,
	  .def = "none",
	  .help = "none (as it was), id, name, a JSON Pointer into the data, "
		  "or =TEXT" },
	{ 0 },
};

EVH_EXPORT const struct evh_plugin evh_plugin = {
	EVH_PLUGIN_HEAD,	   .kind = EVH_HANDLER,
	.threads = EVH_PARALLEL,   .name = "set",
	.version = EVH_VERSION,	   .summary = "gives events headers or a key",
	.options = setter_options, .create = setter_create,
	.destroy = setter_destroy, .process = setter_process,
};

/*
 * fail.c - fails events by a rule, for trying the way that failures take.
 *
 * Which events: those that `match` (evhd's own word) lets in, that have the
 * field or header if one is named, and of these every n-th.  How often: always,
 * or only until an event has been tried so many times.
 */
#include <evh/plugin.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "field.h"
#include "json.h"

struct failing {
	struct evh_ctx *ctx;
	enum evh_result verdict;
	unsigned every, until;
	const char *field, *header; /* NULL: not asked for; one at most */
	const char *code, *message;
	bool has_equals;
	atomic_uint n_fitting;
};

static enum evh_result
verdict_of(const char *word)
{
	if (strcmp(word, "retry") == 0)
		return EVH_RETRY;
	return strcmp(word, "drop") == 0 ? EVH_DROP : EVH_FAIL;
}

static int
rule_check(const struct failing *failing)
{
	struct evh_ctx *ctx = failing->ctx;
	const char *why = NULL;

	if (failing->field && failing->header)
		why = "field and header are both given; one is enough";
	else if (failing->field && !json_pointer_is_good(failing->field))
		why = "field must be a JSON Pointer such as /user/role";
	else if (failing->has_equals && !failing->field && !failing->header)
		why = "equals needs a field or a header";
	if (!why)
		return 0;
	ctx->log(ctx, EVH_ERROR, "%s", why);
	return -EINVAL;
}

static const char *
text_or_null(struct evh_ctx *ctx, const char *option)
{
	const char *text = ctx->opt_str(ctx, option);

	return text && *text ? text : NULL;
}

static int
fail_create(struct evh_ctx *ctx, void **ret_self)
{
	struct failing *failing = calloc(1, sizeof(*failing));
	int err;

	if (!failing)
		return -ENOMEM;
	failing->ctx = ctx;
	failing->verdict = verdict_of(ctx->opt_str(ctx, "verdict"));
	failing->every = (unsigned)ctx->opt_int(ctx, "every");
	failing->until = (unsigned)ctx->opt_int(ctx, "until");
	failing->field = text_or_null(ctx, "field");
	failing->header = text_or_null(ctx, "header");
	failing->has_equals = ctx->opt_at(ctx, "equals", 0, NULL) != NULL;
	failing->code = ctx->opt_str(ctx, "code");
	failing->message = ctx->opt_str(ctx, "message");
	err = rule_check(failing);
	if (err < 0) {
		free(failing);
		return err;
	}
	*ret_self = failing;
	return 0;
}

static bool
header_find(const struct evh_event *ev, const char *name, struct evh_bytes *ret)
{
	for (uint32_t i = 0; i < ev->n_headers; i++)
		if (strcmp(ev->headers[i].name, name) == 0) {
			*ret = ev->headers[i].value;
			return true;
		}
	return false;
}

/* Field or header.  Data that is no JSON has no fields. */
static bool
value_fits(const struct failing *failing, struct evh_event *ev)
{
	struct evh_bytes value;
	bool found;

	if (failing->field)
		found = field_find(failing->ctx, ev, failing->field, &value) >
			0;
	else if (failing->header)
		found = header_find(ev, failing->header, &value);
	else
		return true;
	return found && (!failing->has_equals ||
			 field_is_one_of(failing->ctx, "equals", value));
}

/* One that comes again was the n-th before. */
static bool
is_nth(struct failing *failing, const struct evh_event *ev)
{
	if (failing->every == 1 || ev->attempt > 1)
		return true;
	return atomic_fetch_add(&failing->n_fitting, 1) % failing->every ==
	       failing->every - 1;
}

/* Tries in all, this one included: where an event is only taken in, those
 * before do not count. */
static uint32_t
tries_of(const struct evh_event *ev)
{
	return ev->attempts > ev->attempt ? ev->attempts : ev->attempt;
}

static enum evh_result
fail_process(void *self, struct evh_event *ev)
{
	struct failing *failing = self;

	if (failing->until > 0 && tries_of(ev) > failing->until)
		return EVH_OK;
	if (!value_fits(failing, ev) || !is_nth(failing, ev))
		return EVH_OK;
	if (failing->verdict != EVH_DROP)
		(void)failing->ctx->set_error(failing->ctx, ev, failing->code,
					      "%s", failing->message);
	return failing->verdict;
}

static void
fail_destroy(void *self)
{
	free(self);
}

static const struct evh_option fail_options[] = {
	{ .name = "verdict",
	  .type = EVH_STR,
	  .def = "fail",
	  .values = "fail|retry|drop",
	  .help = "what it says of the events that the rule hits" },
	{ .name = "every",
	  .type = EVH_INT,
	  .def = "1",
	  .values = "1..1000000000",
	  .help = "only every n-th of them" },
	{ .name = "until",
	  .type = EVH_INT,
	  .def = "0",
	  .values = "0..1000000000",
	  .help = "only up to this many tries of an event; 0: always" },
	{ .name = "field",
	  .type = EVH_STR,
	  .def = "",
	  .help = "JSON Pointer: only events whose data has this" },
	{ .name = "header",
	  .type = EVH_STR,
	  .def = "",
	  .help = "only events that have this header" },
	{ .name = "equals",
	  .type = EVH_LIST,
	  .def = "",
	  .help = "and only if it is one of these" },
	{ .name = "code",
	  .type = EVH_STR,
	  .def = "told",
	  .help = "the error's code" },
	{ .name = "message",
	  .type = EVH_STR,
	  .def = "failed by a rule of the configuration",
	  .help = "the error's sentence" },
	{ 0 },
};

EVH_EXPORT const struct evh_plugin evh_plugin = {
	EVH_PLUGIN_HEAD,
	.kind = EVH_HANDLER,
	.threads = EVH_PARALLEL,
	.name = "fail",
	.version = EVH_VERSION,
	.summary = "fails events by a rule, for trying what follows",
	.options = fail_options,
	.create = fail_create,
	.destroy = fail_destroy,
	.process = fail_process,
};

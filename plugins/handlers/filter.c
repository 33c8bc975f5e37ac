/*
 * filter.c - lets events go on or ends them, by their names or by one value
 * in their data.  What ends here goes to the pipeline's on_drop.
 */
#include <evh/plugin.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "field.h"
#include "json.h"
#include "pattern.h"

struct filter {
	struct evh_ctx *ctx;
	const char *field; /* a JSON Pointer, or NULL */
	bool has_equals;
	bool keeps_fitting; /* then = keep */
};

static int
filter_check(const struct filter *filter)
{
	struct evh_ctx *ctx = filter->ctx;
	const char *why = NULL;

	if (filter->field && !json_pointer_is_good(filter->field))
		why = "field must be a JSON Pointer such as /user/role";
	else if (!filter->field && filter->has_equals)
		why = "equals says what field must be, and there is no field";
	else if (!filter->field && !ctx->opt_at(ctx, "keep", 0, NULL) &&
		 !ctx->opt_at(ctx, "drop", 0, NULL))
		why = "it filters nothing: give keep, drop or field";
	if (!why)
		return 0;
	ctx->log(ctx, EVH_ERROR, "%s", why);
	return -EINVAL;
}

static int
filter_create(struct evh_ctx *ctx, void **ret_self)
{
	struct filter *filter = calloc(1, sizeof(*filter));
	const char *field = ctx->opt_str(ctx, "field");
	int err;

	if (!filter)
		return -ENOMEM;
	filter->ctx = ctx;
	filter->field = *field ? field : NULL;
	filter->has_equals = ctx->opt_at(ctx, "equals", 0, NULL) != NULL;
	filter->keeps_fitting = strcmp(ctx->opt_str(ctx, "then"), "keep") == 0;
	err = filter_check(filter);
	if (err < 0) {
		free(filter);
		return err;
	}
	*ret_self = filter;
	return 0;
}

static bool
name_fits(struct evh_ctx *ctx, const char *option, const char *name)
{
	const char *pattern;

	for (unsigned i = 0; (pattern = ctx->opt_at(ctx, option, i, NULL)); i++)
		if (pattern_matches(pattern, name))
			return true;
	return false;
}

static enum evh_result
judge_field(const struct filter *filter, struct evh_event *ev)
{
	struct evh_bytes value;
	bool fits;
	int found = field_find(filter->ctx, ev, filter->field, &value);

	if (found == -ENOMEM)
		return EVH_RETRY;
	if (found < 0) {
		(void)filter->ctx->set_error(filter->ctx, ev, "invalid",
					     "the data is no JSON, so there "
					     "is no %s in it",
					     filter->field);
		return EVH_FAIL;
	}
	fits = found && (!filter->has_equals ||
			 field_is_one_of(filter->ctx, "equals", value));
	return fits == filter->keeps_fitting ? EVH_OK : EVH_DROP;
}

static enum evh_result
filter_process(void *self, struct evh_event *ev)
{
	const struct filter *filter = self;
	struct evh_ctx *ctx = filter->ctx;

	if (name_fits(ctx, "drop", ev->name))
		return EVH_DROP;
	if (ctx->opt_at(ctx, "keep", 0, NULL) &&
	    !name_fits(ctx, "keep", ev->name))
		return EVH_DROP;
	return filter->field ? judge_field(filter, ev) : EVH_OK;
}

static void
filter_destroy(void *self)
{
	free(self);
}

static const struct evh_option filter_options[] = {
	{ .name = "keep",
	  .type = EVH_LIST,
	  .def = "",
	  .help = "patterns: only events with such a name go on; none: all" },
	{ .name = "drop",
	  .type = EVH_LIST,
	  .def = "",
	  .help = "patterns: events with such a name end here" },
	{ .name = "field",
	  .type = EVH_STR,
	  .def = "",
	  .help = "JSON Pointer to a value in the data: /user/role" },
	{ .name = "equals",
	  .type = EVH_LIST,
	  .def = "",
	  .help = "what the field may be; none: whatever, if it is there" },
	{ .name = "then",
	  .type = EVH_STR,
	  .def = "keep",
	  .values = "keep|drop",
	  .help = "what happens to events whose field is so; the others "
		  "meet the opposite" },
	{ 0 },
};

EVH_EXPORT const struct evh_plugin evh_plugin = {
	EVH_PLUGIN_HEAD,
	.kind = EVH_HANDLER,
	.threads = EVH_PARALLEL,
	.name = "filter",
	.version = EVH_VERSION,
	.summary = "keeps or drops events by name or by a value in the data",
	.options = filter_options,
	.create = filter_create,
	.destroy = filter_destroy,
	.process = filter_process,
};

/* witness.c - a handler that writes down what it sees: a line an event, its id
 * and its data in hex. */
#include <evh/plugin.h>

#include <errno.h>
#include <stdio.h>

static int
witness_create(struct evh_ctx *ctx, void **ret_self)
{
	FILE *file = fopen(ctx->opt_str(ctx, "file"), "a");

	if (!file)
		return -errno;
	*ret_self = file;
	return 0;
}

static enum evh_result
witness_process(void *self, struct evh_event *ev)
{
	FILE *file = self;
	const unsigned char *data = (const unsigned char *)ev->data.data;

	for (size_t i = 0; i < sizeof(ev->id); i++)
		fprintf(file, "%02x%s", ev->id[i],
			i == 3 || i == 5 || i == 7 || i == 9 ? "-" : "");
	fputc(' ', file);
	for (size_t i = 0; i < ev->data.len; i++)
		fprintf(file, "%02x", data[i]);
	fputc('\n', file);
	return fflush(file) == 0 ? EVH_OK : EVH_RETRY;
}

static void
witness_destroy(void *self)
{
	fclose(self);
}

static const struct evh_option witness_options[] = {
	{ .name = "file", .type = EVH_STR, .help = "where to write" },
	{ 0 },
};

EVH_EXPORT const struct evh_plugin evh_plugin = {
	EVH_PLUGIN_HEAD,
	.kind = EVH_HANDLER,
	.threads = EVH_SERIAL,
	.name = "witness",
	.version = "1.0",
	.summary = "writes down what it sees",
	.options = witness_options,
	.create = witness_create,
	.destroy = witness_destroy,
	.process = witness_process,
};

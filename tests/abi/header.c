/*
 * header.c - the public headers first, with nothing before them.
 */
#include <evh/services.h>
#include <evh/plugin.h>

static int
header_create(struct evh_ctx *ctx, void **ret_self)
{
	*ret_self = ctx;
	return EVH_CTX_HAS(ctx, service) && EVH_EVENT_HAS(ctx, cookie) ? 0 : -1;
}

static const struct evh_option options[] = {
	{ .name = "store", .type = EVH_INSTANCE, .def = "" },
	{ 0 },
};

const struct evh_plugin evh_plugin = {
	EVH_PLUGIN_HEAD,  .kind = EVH_SERVICE, .threads = EVH_SERIAL,
	.name = "header", .options = options,  .create = header_create,
};

int
main(void)
{
	return evh_plugin.abi == EVH_ABI &&
			       evh_plugin.size == sizeof(struct evh_plugin)
		       ? 0
		       : 1;
}

/*
 * header.cc - the public headers in C++, with nothing before them.
 */
#include <evh/services.h>
#include <evh/plugin.h>

static int
header_create(struct evh_ctx *ctx, void **ret_self)
{
	*ret_self = ctx;
	return EVH_CTX_HAS(ctx, service) && EVH_EVENT_HAS(ctx, cookie) ? 0 : -1;
}

static enum evh_result
header_process(void *, struct evh_event *)
{
	return EVH_OK;
}

#if __cplusplus >= 202002L
extern const struct evh_plugin evh_plugin = {
	EVH_PLUGIN_HEAD,	   .kind = EVH_HANDLER, .threads = EVH_SERIAL,
	.name = "header",	   .version = "1",	.summary = "",
	.options = nullptr,	   .commands = nullptr, .create = header_create,
	.start = nullptr,	   .drain = nullptr,	.flush = nullptr,
	.stop = nullptr,	   .destroy = nullptr,	.done = nullptr,
	.process = header_process, .submit = nullptr,	.service = nullptr,
};
#else
extern const struct evh_plugin evh_plugin = {
	EVH_PLUGIN_HEAD, EVH_HANDLER, EVH_SERIAL,
	"header",	 "1",	      "",
	nullptr,	 nullptr,     header_create,
	nullptr,	 nullptr,     nullptr,
	nullptr,	 nullptr,     nullptr,
	header_process,	 nullptr,     nullptr,
};
#endif

int
main()
{
	return evh_plugin.abi == EVH_ABI &&
			       evh_plugin.size == sizeof(struct evh_plugin) &&
			       evh_plugin.command_size ==
				       sizeof(struct evh_command) &&
			       evh_plugin.process == header_process
		       ? 0
		       : 1;
}

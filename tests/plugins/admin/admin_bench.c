#include "admin_bench.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <evh/plugin.h>
#include <evh/services.h>

static struct bench *
bench_of(struct evh_ctx *ctx)
{
	return (struct bench *)((char *)ctx - offsetof(struct bench, ctx));
}

static const char *
fake_opt_str(struct evh_ctx *ctx, const char *name)
{
	assert_string_equal(name, "listen");
	return bench_of(ctx)->listen;
}

static int64_t
fake_opt_int(struct evh_ctx *ctx, const char *name)
{
	assert_string_equal(name, "connections");
	return bench_of(ctx)->connections;
}

static void EVH_PRINTF(3, 4) fake_log(struct evh_ctx *ctx, enum evh_level level,
				      const char *fmt, ...)
{
	struct bench *bench = bench_of(ctx);
	va_list args;

	va_start(args, fmt);
	if (level == EVH_DEBUG) { /* from MHD's thread */
		vsnprintf(bench->debugged, sizeof(bench->debugged), fmt, args);
		va_end(args);
		return;
	}
	vsnprintf(bench->logged, sizeof(bench->logged), fmt, args);
	va_end(args);
	bench->level = level;
}

static const void *
fake_service(struct evh_ctx *ctx, const char *name, const char *id)
{
	assert_null(name);
	assert_string_equal(id, "evh.host/1");
	return bench_of(ctx)->no_host ? NULL : &bench_of(ctx)->host;
}

const char bench_state_ready[] = "{\"status\":\"ready\",\"reasons\":[]}";

const char bench_state_not[] =
	"{\"status\":\"not ready\",\"reasons\":[\"kafka: "
	"away\"],\"checks\":{}}";

static int
fake_state(void *self, evh_put *put, void *arg)
{
	struct bench *bench = self;
	bool ready = atomic_load(&bench->ready);
	const char *text = ready ? bench_state_ready : bench_state_not;

	if (put) {
		put(arg, text, 10);
		put(arg, text + 10, strlen(text) - 10);
	}
	return ready ? 0 : -EAGAIN;
}

static int
fake_metrics(void *self, evh_put *put, void *arg)
{
	char line[32];
	int i, n;

	(void)self;
	for (i = 0; i < 20000; i++) { /* more than a socket takes at once */
		n = snprintf(line, sizeof(line), "evh_m{i=\"%05d\"} 1\n", i);
		put(arg, line, (size_t)n);
	}
	return 0;
}

struct bench *
bench_new(const char *listen)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	char file[512];
	void *so;

	assert_non_null(bench);
	assert_non_null(getenv("EVH_BUILD_DIR"));
	snprintf(file, sizeof(file), "%s/plugins/admin.so",
		 getenv("EVH_BUILD_DIR"));
	so = dlopen(file, RTLD_NOW | RTLD_LOCAL);
	if (!so)
		fail_msg("%s", dlerror());
	bench->plugin = dlsym(so, "evh_plugin");
	assert_non_null(bench->plugin);

	bench->ctx = (struct evh_ctx){
		.size = sizeof(struct evh_ctx),
		.event_size = sizeof(struct evh_event),
		.name = "admin",
		.opt_str = fake_opt_str,
		.opt_int = fake_opt_int,
		.log = fake_log,
		.service = fake_service,
	};
	bench->host = (struct evh_host){ bench, fake_state, fake_metrics };
	bench->connections = 32;
	snprintf(bench->listen, sizeof(bench->listen), "%s", listen);
	return bench;
}

void
bench_start(struct bench *bench)
{
	static const char said[] = "admin listening on ";

	assert_int_equal(bench->plugin->create(&bench->ctx, &bench->self), 0);
	assert_int_equal(bench->plugin->start(bench->self), 0);
	assert_int_equal(bench->level, EVH_INFO);
	assert_memory_equal(bench->logged, said, sizeof(said) - 1);
	snprintf(bench->url, sizeof(bench->url), "%s",
		 bench->logged + sizeof(said) - 1);
	bench->port =
		(unsigned short)strtoul(strrchr(bench->url, ':') + 1, NULL, 10);
}

int
bench_make(void **state)
{
	struct bench *bench = bench_new("127.0.0.1:0");

	bench_start(bench);
	*state = bench;
	return 0;
}

int
bench_remove(void **state)
{
	struct bench *bench = *state;

	bench->plugin->stop(bench->self, 1000);
	bench->plugin->destroy(bench->self);
	free(bench);
	return 0;
}

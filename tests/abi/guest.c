#include "guest.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define AWAIT_MS 60000

int
guest_setup(void **state)
{
	struct guest *g = calloc(1, sizeof(*g));

	assert_non_null(g);
	snprintf(g->world.dir, sizeof(g->world.dir), "/tmp/evh-guest.XXXXXX");
	assert_non_null(mkdtemp(g->world.dir));
	*state = g;
	return 0;
}

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

int
guest_teardown(void **state)
{
	struct guest *g = *state;

	if (g->daemon.pid > 0)
		daemon_kill(&g->daemon);
	(void)nftw(g->world.dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(g);
	return 0;
}

const char *
guest_write(struct guest *g, const char *config)
{
	static char path[WORLD_PATH_MAX];
	char text[4096];

	assert_true(snprintf(text, sizeof(text),
			     "plugin_dir = \"%s/fixtures/faulty\"\n%s",
			     world_build_dir(), config) < (int)sizeof(text));
	world_write(&g->world, "guest.conf", text, path);
	return path;
}

void
guest_start(struct guest *g, const char *config)
{
	static int n;
	static char name[16];

	/* A log of its own for each. */
	snprintf(name, sizeof(name), "guest%d", n++);
	daemon_start(&g->daemon, &g->world, name, guest_write(g, config),
		     false);
}

void
guest_start_with(struct guest *g, const char *source, const char *handler,
		 const char *sink, const char *pipeline, const char *global)
{
	char config[2048];

	snprintf(
		config, sizeof(config),
		"%s\n"
		"source \"src\" { plugin = \"faulty_source\" fault = \"%s\" }\n"
		"handler \"look\" { plugin = \"faulty_handler\" "
		"fault = \"%s\" }\n"
		"sink \"out\" { plugin = \"faulty_sink\" fault = \"%s\" }\n"
		"sink \"dead\" { plugin = \"faulty_sink\" }\n"
		"pipeline \"p\" { chain = { \"src\", \"look\", \"out\" } "
		"on_fail = { \"dead\" } %s }\n",
		global, source, handler, sink, pipeline);
	guest_start(g, config);
}

static char *
log_read(const struct guest *g)
{
	FILE *f = fopen(g->daemon.log, "re");
	size_t size = 1 << 20;
	char *text = calloc(1, size);

	assert_non_null(text);
	if (f) {
		(void)!fread(text, 1, size - 1, f);
		fclose(f);
	}
	return text;
}

static void
fail_with_log(const char *log, const char *text)
{
	print_error("---- the log:\n%s----\n", log);
	fail_msg("it does not say as it should: %s", text);
}

long
guest_place(const struct guest *g, const char *text)
{
	char *log = log_read(g);
	char *at = strstr(log, text);
	long place = at - log;

	if (!at)
		fail_with_log(log, text);
	free(log);
	return place;
}

void
guest_assert_order(const struct guest *g, const char *const *texts)
{
	char *log = log_read(g);
	char *at = log;

	for (; *texts; texts++) {
		at = strstr(at, *texts);
		if (!at)
			fail_with_log(log, *texts);
	}
	free(log);
}

struct wish {
	struct guest *g;
	const char *text;
	int n;
};

static bool
is_fulfilled(void *arg)
{
	struct wish *w = arg;

	return daemon_logged(&w->g->daemon, w->text) >= w->n;
}

void
guest_await(struct guest *g, const char *text, int n)
{
	struct wish w = { g, text, n };

	world_await(is_fulfilled, &w, AWAIT_MS, text);
}

void
guest_assert_logged(const struct guest *g, const char *text, int n)
{
	char *log = log_read(g);
	int found = daemon_logged(&g->daemon, text);

	if (found != n) {
		print_error("%d times, not %d\n", found, n);
		fail_with_log(log, text);
	}
	free(log);
}

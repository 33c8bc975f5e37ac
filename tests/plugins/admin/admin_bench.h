/*
 * admin_bench.h - the plugin as evhd loads it, behind a fake ctx and a fake
 * evh.host/1.
 */
#ifndef EVH_TESTS_ADMIN_BENCH_H
#define EVH_TESTS_ADMIN_BENCH_H

#include <evh/plugin.h>
#include <evh/services.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct bench {
	struct evh_ctx ctx;
	struct evh_host host;
	bool no_host;
	atomic_bool ready;
	char listen[64];
	int64_t connections;
	/* What was logged last, but for debug. */
	enum evh_level level;
	char logged[256];
	char debugged[256]; /* by MHD's thread */

	const struct evh_plugin *plugin;
	void *self;
	char url[128];
	unsigned short port;
};

extern const char bench_state_ready[];
extern const char bench_state_not[];
/* Loaded, not created yet; yours, by bench_remove() when it was started. */
struct bench *bench_new(const char *listen);
/* Creates and starts it, and finds out where it listens. */
void bench_start(struct bench *bench);
/* cmocka's setup and teardown; *state is the bench, started. */
int bench_make(void **state);
int bench_remove(void **state);

#endif

/*
 * guest.h - a real evhd that a test gives faulty plugins to.
 *
 * The configuration is the test's; the plugins are tests/fixtures/faulty_*.
 * What happened is read from the log, whole sentences at a time.
 */
#ifndef EVH_TEST_GUEST_H
#define EVH_TEST_GUEST_H

#include "daemon.h"

struct guest {
	struct world world; /* only its folder: no server is needed */
	struct daemon daemon;
};

int guest_setup(void **state);
int guest_teardown(void **state);

/* Starts evhd with this text behind the line of its plugin_dir. */
void guest_start(struct guest *g, const char *config);
/* The usual one: `source` emits what it does into `handler`, then `sink`, each
 * with this fault; `pipeline` has further words of the pipeline, `global` of
 * the file. */
void guest_start_with(struct guest *g, const char *source, const char *handler,
		      const char *sink, const char *pipeline,
		      const char *global);
/* The place of this text in the log; fails the test when it is not there. */
long guest_place(const struct guest *g, const char *text);
/* Each of these (NULL-ended) stands in the log behind the one before it. */
void guest_assert_order(const struct guest *g, const char *const *texts);
/* Waits until the log has this text n times. */
void guest_await(struct guest *g, const char *text, int n);
/* It stands there exactly n times. */
void guest_assert_logged(const struct guest *g, const char *text, int n);
/* Writes the configuration only; its path. */
const char *guest_write(struct guest *g, const char *config);

#endif

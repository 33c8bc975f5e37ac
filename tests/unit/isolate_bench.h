/*
 * isolate_bench.h - a handler in a process of its own, between a source and
 * sinks: the fixture `isolated`, which does what an event's name says.
 *
 * The process is the test's very program, started anew: main() begins with
 * isolated_main().
 */
#ifndef EVH_TESTS_ISOLATE_BENCH_H
#define EVH_TESTS_ISOLATE_BENCH_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "instance.h"
#include "pipeline.h"
#include "rig.h"

#define ISOLATED_KEPT_MAX 512
#define ISOLATED_AWAIT_MS 60000 /* at 1 ms or more each */
#define ISOLATED_PLUGIN	  "../fixtures/isolated/isolated.so"

/* The first of a test's own settings of the handler. */
#define ISOLATED "isolate", "process"

/* What a sink saw of an event. */
struct isolated_seen {
	unsigned char id[16];
	char name[16], data[64], key[16], error[256];
	char added[8], changed[8], removed[8];
	uint32_t n_headers, attempts;
};

/* A source, the isolated handler, a sink, and two for what failed or was
 * dropped. */
struct isolated {
	struct rig *rig;
	struct pipeline *pipeline;
	struct rig_element src, out, dead, gone;
	struct instance *in;
	/* By any of the sinks. */
	struct isolated_seen seen[ISOLATED_KEPT_MAX];
	int n_seen;
	pthread_mutex_t lock; /* guards: seen, n_seen */
	bool is_twice;	      /* another such handler behind the first */
};

/* No setting but that it has a process of its own. */
extern const char *const isolated_plain[];

/* Is the handler, and ends with it, in a process that was started for one. */
void isolated_main(int argc, char **argv);
/* All but the start; gives what the plugin's create() said.  One bench at a
 * time: the sinks write to the last that was made. */
int isolated_make(struct isolated *b, unsigned workers, const char *plugin,
		  const char *const *settings);
/* With the fixture, and started. */
void isolated_open(struct isolated *b, unsigned workers,
		   const char *const *settings);
void isolated_close(struct isolated *b);
/* What emit() said of such an event. */
int isolated_emit(struct isolated *b, const char *name, const char *data,
		  size_t len);
/* Until there is room for it. */
void isolated_emit_one(struct isolated *b, const char *name);
/* One event, and what the sinks saw of it. */
const struct isolated_seen *isolated_pass(struct isolated *b, const char *name);
/* So many quick ones that the next are sent ahead of their turn. */
void isolated_hurry(struct isolated *b);
/* Of an event "pid". */
pid_t isolated_pid(const struct isolated_seen *seen);
int64_t isolated_elapsed_ms(int64_t since_ns);
void isolated_await_ready(struct isolated *b, bool is_ready);
/* Until it says that it is not ready for such a reason. */
void isolated_await_why(struct isolated *b, const char *expected);
/* Until so many of its processes take events side by side. */
void isolated_await_processes(struct isolated *b, int n);

#endif

#include "isolate_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "host_tables.h"
#include "isolate_child.h"
#include "timer.h"

#define LIST(...) ((char *[]){ __VA_ARGS__, NULL })

const char *const isolated_plain[] = { ISOLATED, NULL };

void
isolated_main(int argc, char **argv)
{
	bool is_abandoned = false;
	int code;

	if (argc != 3 || strcmp(argv[1], ISOLATE_WORD) != 0)
		return;
	code = isolate_child_main(&is_abandoned);
	if (is_abandoned)
		_exit(code);
	exit(code);
}

static struct isolated *bench; /* of the test that runs: for its sinks */

static void
header_copy(const struct evh_event *ev, const char *name, char ret[8])
{
	ret[0] = '\0';
	for (uint32_t i = 0; i < ev->n_headers; i++)
		if (strcmp(ev->headers[i].name, name) == 0)
			snprintf(ret, 8, "%s",
				 (const char *)ev->headers[i].value.data);
}

static void
see(const struct evh_event *ev)
{
	struct isolated_seen *seen;

	pthread_mutex_lock(&bench->lock);
	seen = &bench->seen[bench->n_seen++];
	memcpy(seen->id, ev->id, sizeof(seen->id));
	snprintf(seen->name, sizeof(seen->name), "%s", ev->name);
	snprintf(seen->data, sizeof(seen->data), "%.*s", (int)ev->data.len,
		 (const char *)ev->data.data);
	snprintf(seen->key, sizeof(seen->key), "%.*s", (int)ev->key.len,
		 (const char *)ev->key.data);
	snprintf(seen->error, sizeof(seen->error), "%s",
		 ev->error ? ev->error : "");
	header_copy(ev, "added", seen->added);
	header_copy(ev, "changed", seen->changed);
	header_copy(ev, "removed", seen->removed);
	seen->n_headers = ev->n_headers;
	seen->attempts = ev->attempts;
	pthread_mutex_unlock(&bench->lock);
}

static int
sink_submit(struct rig_element *el, struct evh_event *const *evs, int n)
{
	for (int i = 0; i < n; i++)
		see(evs[i]);
	pthread_mutex_lock(&el->lock);
	el->n_seen += n;
	pthread_cond_broadcast(&el->changed);
	pthread_mutex_unlock(&el->lock);
	el->ctx->done(el->ctx, evs, n, EVH_OK);
	return n;
}

int
isolated_make(struct isolated *b, unsigned workers, const char *plugin,
	      const char *const *settings)
{
	char **once = LIST("src", "mine", "out");
	char **twice = LIST("src", "mine", "also", "out");
	int rc;

	*b = (struct isolated){ .rig = rig_new(), .is_twice = b->is_twice };
	bench = b;
	pthread_mutex_init(&b->lock, NULL);
	b->src = (struct rig_element){ .name = "src", .kind = EVH_SOURCE };
	b->out = (struct rig_element){ .name = "out",
				       .kind = EVH_SINK,
				       .submit = sink_submit };
	b->dead = (struct rig_element){ .name = "dead",
					.kind = EVH_SINK,
					.submit = sink_submit };
	b->gone = (struct rig_element){ .name = "gone",
					.kind = EVH_SINK,
					.submit = sink_submit };
	rig_add(b->rig, &b->src);
	rig_add(b->rig, &b->out);
	rig_add(b->rig, &b->dead);
	rig_add(b->rig, &b->gone);
	rc = rig_add_plugin(b->rig, "mine", plugin, settings);
	if (rc < 0)
		return rc;
	rc = b->is_twice ? rig_add_plugin(b->rig, "also", plugin, settings) : 0;
	assert_int_equal(rc, 0);
	b->pipeline = rig_pipeline(
		b->rig,
		(struct config_pipeline){ .chain = b->is_twice ? twice : once,
					  .on_fail = LIST("dead"),
					  .on_drop = LIST("gone"),
					  .workers = workers,
					  .in_flight = 2000 });
	b->in = host_instance(b->src.in->host, "mine");
	return 0;
}

void
isolated_open(struct isolated *b, unsigned workers, const char *const *settings)
{
	assert_int_equal(isolated_make(b, workers, ISOLATED_PLUGIN, settings),
			 0);
	rig_start(b->rig);
}

void
isolated_close(struct isolated *b)
{
	rig_free(b->rig);
	pthread_mutex_destroy(&b->lock);
}

int
isolated_emit(struct isolated *b, const char *name, const char *data,
	      size_t len)
{
	static const struct evh_header headers[] = {
		{ "kept", { "yes", 3 } },
		{ "changed", { "before", 6 } },
		{ "removed", { "no", 2 } },
	};
	struct evh_spec spec = { .name = name,
				 .data = { data, len },
				 .key = { "old", 3 },
				 .headers = headers,
				 .n_headers = 3 };

	/* No order: each is a lane of its own. */
	if (strcmp(name, "change") != 0 && strcmp(name, "hang") != 0)
		spec.key.len = 0;
	return rig_emit_spec(&b->src, &spec);
}

void
isolated_emit_one(struct isolated *b, const char *name)
{
	const struct timespec pause = { 0, 1000000 };

	for (int i = 0; i < ISOLATED_AWAIT_MS; i++) {
		if (isolated_emit(b, name, "{}", 2) == 1)
			return;
		nanosleep(&pause, NULL); /* its process is being started */
	}
	fail_msg("no room for %s", name);
}

const struct isolated_seen *
isolated_pass(struct isolated *b, const char *name)
{
	int n = b->src.n_heard + 1;

	isolated_emit_one(b, name);
	rig_await_heard(&b->src, n);
	return &b->seen[b->n_seen - 1];
}

pid_t
isolated_pid(const struct isolated_seen *seen)
{
	return (pid_t)strtol(seen->data, NULL, 10);
}

int64_t
isolated_elapsed_ms(int64_t since_ns)
{
	return (timer_now_ns() - since_ns) / 1000000;
}

void
isolated_await_ready(struct isolated *b, bool is_ready)
{
	const struct timespec pause = { 0, 1000000 };

	for (int i = 0; i < ISOLATED_AWAIT_MS; i++) {
		if (atomic_load(&b->in->is_ready) == is_ready)
			return;
		nanosleep(&pause, NULL);
	}
	fail_msg("it is %s", is_ready ? "not ready" : "ready");
}

void
isolated_await_why(struct isolated *b, const char *expected)
{
	const struct timespec pause = { 0, 1000000 };
	char why[INSTANCE_WHY_MAX] = "";

	for (int i = 0; i < ISOLATED_AWAIT_MS; i++) {
		instance_why_not(b->in, why, sizeof(why));
		if (strstr(why, expected))
			return;
		nanosleep(&pause, NULL);
	}
	fail_msg("why not: %s", why);
}

/* Of what the sinks have seen from this one on, how many processes. */
static int
count_pids(const struct isolated *b, int first)
{
	int n = 0;

	for (int i = first; i < b->n_seen; i++) {
		int j = first;

		while (isolated_pid(&b->seen[j]) != isolated_pid(&b->seen[i]))
			j++;
		n += i == j;
	}
	return n;
}

void
isolated_await_processes(struct isolated *b, int n)
{
	int64_t begin_ns = timer_now_ns();

	while (isolated_elapsed_ms(begin_ns) < ISOLATED_AWAIT_MS &&
	       b->n_seen < ISOLATED_KEPT_MAX - 2 * n) {
		int first = b->src.n_heard;

		for (int i = 0; i < 2 * n; i++)
			isolated_emit_one(b, "slow_pid");
		rig_await_heard(&b->src, first + 2 * n);
		if (count_pids(b, first) == n)
			return;
	}
	fail_msg("there are no %d processes", n);
}

void
isolated_hurry(struct isolated *b)
{
	for (int i = 0; i < 200; i++)
		(void)isolated_pass(b, "any");
}

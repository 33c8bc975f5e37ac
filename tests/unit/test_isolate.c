/*
 * test_isolate.c - handlers in processes of their own.
 *
 * The processes are this very program, started anew: see main().
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "../harness/tempdir.h"
#include "host_tables.h"
#include "instance.h"
#include "isolate_child.h"
#include "isolate_keeper.h"
#include "isolate_frame.h"
#include "metrics.h"
#include "pipeline.h"
#include "rig.h"
#include "worker.h"

#define LIST(...) ((char *[]){ __VA_ARGS__, NULL })
#define KEPT_MAX  512
#define AWAIT_MS  60000 /* at 1 ms or more each */
#define PLUGIN	  "../fixtures/isolated/isolated.so"
#define SERIAL	  "../fixtures/isolated/isolated_serial.so"

/* What a sink saw of an event. */
struct seen {
	unsigned char id[16];
	char name[16], data[64], key[16], error[256];
	char added[8], changed[8], removed[8];
	uint32_t n_headers, attempts;
};

/* A source, the isolated handler, a sink, and two for what failed or was
 * dropped. */
struct bench {
	struct rig *rig;
	struct pipeline *pipeline;
	struct rig_element src, out, dead, gone;
	struct instance *in;
	struct seen seen[KEPT_MAX]; /* by any of the sinks; under lock */
	int n_seen;
	pthread_mutex_t lock; /* guards: seen, n_seen */
	bool is_twice;	      /* another such handler behind the first */
};

static struct bench *bench; /* of the test that runs: for its sinks */

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
	struct seen *seen;

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

static int
bench_make(struct bench *b, unsigned workers, const char *plugin,
	   const char *const *settings)
{
	char **once = LIST("src", "mine", "out");
	char **twice = LIST("src", "mine", "also", "out");
	int rc;

	*b = (struct bench){ .rig = rig_new(), .is_twice = b->is_twice };
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

static void
bench_open(struct bench *b, unsigned workers, const char *const *settings)
{
	assert_int_equal(bench_make(b, workers, PLUGIN, settings), 0);
	rig_start(b->rig);
}

static void
bench_close(struct bench *b)
{
	rig_free(b->rig);
	pthread_mutex_destroy(&b->lock);
}

static int
emit(struct bench *b, const char *name, const char *data, size_t len)
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

static void
emit_one(struct bench *b, const char *name)
{
	const struct timespec pause = { 0, 1000000 };

	for (int i = 0; i < AWAIT_MS; i++) {
		if (emit(b, name, "{}", 2) == 1)
			return;
		nanosleep(&pause, NULL); /* its process is being started */
	}
	fail_msg("no room for %s", name);
}

/* One event, and what the sinks saw of it. */
static const struct seen *
pass(struct bench *b, const char *name)
{
	int n = b->src.n_heard + 1;

	emit_one(b, name);
	rig_await_heard(&b->src, n);
	return &b->seen[b->n_seen - 1];
}

/* Of an event "pid". */
static pid_t
pid_of(const struct seen *seen)
{
	return (pid_t)strtol(seen->data, NULL, 10);
}

static int64_t
elapsed_ms(int64_t since_ns)
{
	return (timer_now_ns() - since_ns) / 1000000;
}

static void
await_ready(struct bench *b, bool is_ready)
{
	const struct timespec pause = { 0, 1000000 };

	for (int i = 0; i < AWAIT_MS; i++) {
		if (atomic_load(&b->in->is_ready) == is_ready)
			return;
		nanosleep(&pause, NULL);
	}
	fail_msg("it is %s", is_ready ? "not ready" : "ready");
}

static void
await_why(struct bench *b, const char *expected)
{
	const struct timespec pause = { 0, 1000000 };
	char why[INSTANCE_WHY_MAX] = "";

	for (int i = 0; i < AWAIT_MS; i++) {
		instance_why_not(b->in, why, sizeof(why));
		if (strstr(why, expected))
			return;
		nanosleep(&pause, NULL);
	}
	fail_msg("why not: %s", why);
}

/* Of what the sinks have seen from this one on, how many processes. */
static int
count_pids(const struct bench *b, int first)
{
	int n = 0;

	for (int i = first; i < b->n_seen; i++) {
		int j = first;

		while (pid_of(&b->seen[j]) != pid_of(&b->seen[i]))
			j++;
		n += i == j;
	}
	return n;
}

/* Until so many of them take events side by side. */
static void
await_processes(struct bench *b, int n)
{
	int64_t begin_ns = timer_now_ns();

	while (elapsed_ms(begin_ns) < AWAIT_MS &&
	       b->n_seen < KEPT_MAX - 2 * n) {
		int first = b->src.n_heard;

		for (int i = 0; i < 2 * n; i++)
			emit_one(b, "slow_pid");
		rig_await_heard(&b->src, first + 2 * n);
		if (count_pids(b, first) == n)
			return;
	}
	fail_msg("there are no %d processes", n);
}

#define ISOLATED "isolate", "process"

static const char *const plain[] = { ISOLATED, NULL };

/* ---- Verdicts ---------------------------------------------------------- */

static void
a_verdict_comes_back(void **state)
{
	struct bench b = { 0 };
	const struct seen *seen;

	(void)state;
	bench_open(&b, 1, plain);
	assert_string_equal(pass(&b, "any")->data, "{}");
	assert_int_equal(b.out.n_seen, 1);
	(void)pass(&b, "drop");
	assert_int_equal(b.gone.n_seen, 1);
	seen = pass(&b, "fail");
	assert_int_equal(b.dead.n_seen, 1);
	assert_non_null(strstr(seen->error, "\"message\":\"it is bad\""));
	assert_string_equal(seen->data, "{}");
	assert_string_equal(seen->changed, "before");
	bench_close(&b);
}

static void
what_it_changes_is_seen_behind_it(void **state)
{
	struct bench b = { 0 };
	const struct seen *seen;

	(void)state;
	bench_open(&b, 1, plain);
	seen = pass(&b, "change");
	assert_string_equal(seen->data, "{\"a\":1}");
	assert_string_equal(seen->key, "new");
	assert_string_equal(seen->added, "yes");
	assert_string_equal(seen->changed, "after");
	assert_string_equal(seen->removed, "");
	assert_int_equal(seen->n_headers, 3);
	bench_close(&b);
}

static void
children_have_the_ids_that_they_have_in_process(void **state)
{
	static const char *const here[] = { "isolate", "no", NULL };
	static const unsigned char id[16] = { 1, 2, 3 };
	struct evh_spec spec = { .id = id, .name = "bear" };
	struct seen first[5];
	struct bench b = { .is_twice = true };

	(void)state;
	for (int i = 0; i < 2; i++) {
		bench_open(&b, 1, i ? plain : here);
		rig_emit_spec(&b.src, &spec);
		rig_await_heard(&b.src, 1);
		assert_int_equal(b.n_seen, 5);
		assert_string_equal(b.seen[0].name, "bear");
		assert_string_equal(b.seen[1].name, "born");
		assert_int_equal(b.seen[1].n_headers, 1);
		if (i == 0)
			memcpy(first, b.seen, sizeof(first));
		for (int j = 0; j < 5; j++)
			assert_memory_equal(first[j].id, b.seen[j].id, 16);
		/* The parent of both, and theirs are four. */
		for (int j = 1; j < 5; j++)
			assert_memory_not_equal(first[0].id, first[j].id, 16);
		bench_close(&b);
	}
}

static void
a_retry_is_undone_and_tried_again(void **state)
{
	struct bench b = { 0 };
	const struct seen *seen;

	(void)state;
	bench_open(&b, 1, plain);
	seen = pass(&b, "retry");
	assert_int_equal(b.out.n_seen, 1);
	assert_string_equal(seen->changed, "before");
	assert_int_equal(seen->attempts, 2);
	bench_close(&b);
}

static void
what_is_no_verdict_counts_as_failed(void **state)
{
	struct bench b = { 0 };
	const struct seen *seen;

	(void)state;
	bench_open(&b, 1, plain);
	seen = pass(&b, "zero");
	assert_int_equal(b.dead.n_seen, 1);
	assert_non_null(strstr(seen->error, "gave no verdict"));
	bench_close(&b);
}

static void
it_may_hold_and_resume(void **state)
{
	struct bench b = { 0 };

	(void)state;
	bench_open(&b, 0, plain);
	(void)pass(&b, "hold");
	(void)pass(&b, "hold");
	assert_int_equal(b.out.n_seen, 2);
	bench_close(&b);
}

static void
it_has_the_environment_and_nothing_else(void **state)
{
	static const char *const secret[] = { ISOLATED, "secret", "hush",
					      NULL };
	struct bench b = { 0 };

	(void)state;
	assert_int_equal(dup2(STDERR_FILENO, 100), 100);
	setenv("EVH_TEST_ISOLATED", "1", 1);
	bench_open(&b, 1, secret);
	assert_string_equal(pass(&b, "look")->error, "");
	assert_int_equal(b.out.n_seen, 1);
	close(100);
	bench_close(&b);
}

static void
its_metrics_are_evhds(void **state)
{
	struct bench b = { 0 };
	struct evh_metric *seen;
	const struct timespec pause = { 0, 1000000 };

	(void)state;
	bench_open(&b, 1, plain);
	for (int i = 0; i < 10; i++)
		(void)pass(&b, "any");
	seen = b.in->ctx.metric(&b.in->ctx, EVH_COUNTER, "isolated_seen", NULL,
				NULL);
	for (int i = 0; i < AWAIT_MS && metric_value(seen) < 10; i++)
		nanosleep(&pause, NULL);
	assert_int_equal(metric_value(seen), 10);
	bench_close(&b);
}

static void
workers_have_a_process_each(void **state)
{
	struct bench b = { 0 };

	(void)state;
	bench_open(&b, 4, plain);
	await_processes(&b, 4);
	bench_close(&b);
}

static void
what_wants_one_call_at_a_time_has_one_process(void **state)
{
	static const char *const two[] = { ISOLATED, "isolate_processes", "2",
					   NULL };
	struct bench b = { 0 };

	(void)state;
	assert_int_equal(bench_make(&b, 1, SERIAL, two), -EINVAL);
	bench_close(&b);
	assert_int_equal(bench_make(&b, 4, SERIAL, plain), 0);
	rig_start(b.rig);
	for (int i = 0; i < 20; i++)
		emit_one(&b, "pid");
	rig_await_heard(&b.src, 20);
	for (int i = 0; i < 20; i++)
		assert_string_equal(b.seen[i].data, b.seen[0].data);
	bench_close(&b);
}

/* ---- Crashes and hangs ------------------------------------------------- */

static void
a_crash_is_an_attempt_and_others_go_on(void **state)
{
	struct bench b = { 0 };
	int n_dead = 0;

	(void)state;
	bench_open(&b, 2, plain);
	for (int i = 0; i < 100; i++)
		emit_one(&b, i == 50 ? "crash" : "slow");
	rig_await_heard(&b.src, 100);
	assert_int_equal(b.dead.n_seen, 1);
	assert_int_equal(b.out.n_seen, 99);
	for (int i = 0; i < 100; i++) {
		const struct seen *seen = &b.seen[i];

		if (strcmp(seen->name, "crash") != 0) {
			assert_int_equal(seen->attempts, 0);
			continue;
		}
		n_dead++;
		assert_int_equal(seen->attempts, 2);
		assert_non_null(strstr(seen->error, "ended by signal 6"));
	}
	assert_int_equal(n_dead, 1);
	assert_true(pid_of(pass(&b, "pid")) > 0);
	bench_close(&b);
}

/* So many quick ones that the next are sent ahead of their turn. */
static void
hurry(struct bench *b)
{
	for (int i = 0; i < 200; i++)
		(void)pass(b, "any");
}

static void
what_was_sent_ahead_has_no_part_in_a_crash(void **state)
{
	static const char *const once[] = { ISOLATED, "attempts", "1", NULL };
	struct bench b = { 0 };
	int n;

	(void)state;
	bench_open(&b, 1, once);
	hurry(&b);
	n = b.src.n_heard;
	emit_one(&b, "slow");
	emit_one(&b, "crash");
	for (int i = 0; i < 20; i++)
		emit_one(&b, "any");
	rig_await_heard(&b.src, n + 22);
	assert_int_equal(b.dead.n_seen, 1);
	for (int i = 0; i < b.n_seen; i++)
		assert_int_equal(b.seen[i].attempts, 0);
	bench_close(&b);
}

static void
the_event_of_a_crash_is_tried_again(void **state)
{
	struct bench b = { 0 };

	(void)state;
	bench_open(&b, 1, plain);
	assert_int_equal(pass(&b, "once")->attempts, 1);
	assert_int_equal(b.out.n_seen, 1);
	bench_close(&b);
}

static void
a_crash_while_none_is_in_hand_is_of_all_that_are_held(void **state)
{
	struct bench b = { 0 };
	const struct seen *seen;

	(void)state;
	bench_open(&b, 1, plain);
	seen = pass(&b, "doom");
	assert_int_equal(b.dead.n_seen, 1);
	assert_int_equal(seen->attempts, 2);
	assert_non_null(strstr(seen->error, "ended by signal 6"));
	bench_close(&b);
}

/* It has the socket, and goes on. */
static void
what_a_process_has_started_does_not_hide_its_end(void **state)
{
	static const char *const once[] = { ISOLATED, "attempts", "1", NULL };
	struct bench b = { 0 };

	(void)state;
	bench_open(&b, 1, once);
	assert_non_null(strstr(pass(&b, "fork")->error, "ended by signal 6"));
	bench_close(&b);
}

static void
a_handler_with_a_thread_holds_there_too(void **state)
{
	static const char *const sleep[] = { ISOLATED, "time", "500ms", NULL };
	struct bench b = { 0 };
	int64_t begin_ns;

	(void)state;
	assert_int_equal(bench_make(&b, 1, "sleep", sleep), 0);
	rig_start(b.rig);
	begin_ns = timer_now_ns();
	for (int i = 0; i < 100; i++)
		emit_one(&b, "any");
	rig_await_heard(&b.src, 100);
	assert_int_equal(b.out.n_seen, 100);
	/* All at once: one after the other they would take 50 s. */
	assert_in_range(elapsed_ms(begin_ns), 500, 49000);
	bench_close(&b);
}

static void
an_exit_is_a_crash(void **state)
{
	struct bench b = { 0 };

	(void)state;
	bench_open(&b, 1, plain);
	assert_non_null(strstr(pass(&b, "exit")->error, "exited with 3"));
	assert_int_equal(b.dead.n_seen, 1);
	bench_close(&b);
}

/* How many of its processes have ended unasked. */
static int64_t
ends_of(struct bench *b)
{
	struct evh_ctx *ctx = &b->in->ctx;

	return metric_value(
		ctx->metric(ctx, EVH_COUNTER, "isolate_ends", NULL, NULL));
}

/* Whether it is seen to be away, and why, and takes nothing meanwhile; on a
 * busy machine it may be back before anybody has looked. */
static bool
is_seen_away(struct bench *b, int64_t n_ends, const char *expected)
{
	const struct timespec pause = { 0, 1000000 };
	char why[INSTANCE_WHY_MAX] = "";
	int n = b->src.n_heard;

	while (!strstr(why, expected)) {
		if (ends_of(b) > n_ends && atomic_load(&b->in->is_ready))
			return false;
		nanosleep(&pause, NULL);
		instance_why_not(b->in, why, sizeof(why));
	}
	if (emit(b, "pid", "{}", 2) == -EAGAIN)
		return true;
	rig_await_heard(&b->src, n + 1);
	return false;
}

static void
kill_9_from_outside_is_mended(void **state)
{
	struct bench b = { 0 };
	pid_t first;
	int64_t n_ends;
	char why[INSTANCE_WHY_MAX];

	(void)state;
	bench_open(&b, 1, plain);
	do {
		first = pid_of(pass(&b, "pid"));
		n_ends = ends_of(&b);
		assert_true(first > 0 && first != getpid());
		assert_int_equal(kill(first, SIGKILL), 0);
	} while (!is_seen_away(&b, n_ends, "its process ended by signal 9"));
	await_ready(&b, true);
	assert_int_not_equal(pid_of(pass(&b, "pid")), first);
	instance_why_not(b.in, why, sizeof(why));
	assert_string_equal(why, "");
	bench_close(&b);
}

/* They come to all of a control group, or to all of a name. */
static void
signals_for_evhd_are_none_for_its_processes(void **state)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };
	struct bench b = { 0 };
	pid_t pid;

	(void)state;
	bench_open(&b, 1, plain);
	pid = pid_of(pass(&b, "pid"));
	for (int i = 0; i < 3; i++)
		assert_int_equal(kill(pid, signals[i]), 0);
	assert_int_equal(pid_of(pass(&b, "pid")), pid);
	bench_close(&b);
}

static void
one_that_was_given_up_is_reaped_when_it_ends(void **state)
{
	const struct timespec pause = { 0, 1000000 };
	struct isolate_process process;
	struct process_left left = { 0 };
	pid_t pid;

	(void)state;
	assert_int_equal(process_start(&process, "any", &left), 0);
	pid = process.pid;
	/* Or it would end by itself, since nobody speaks with it any more. */
	assert_int_equal(kill(pid, SIGSTOP), 0);
	process_leave(&process, &left);
	process_left_reap(&left);
	assert_int_equal(left.n, 1); /* it runs still */
	assert_int_equal(kill(pid, SIGKILL), 0);
	for (int i = 0; i < AWAIT_MS && left.n > 0; i++) {
		process_left_reap(&left);
		nanosleep(&pause, NULL);
	}
	assert_int_equal(left.n, 0);
	assert_int_equal(kill(pid, 0), -1);
}

static void
a_hang_is_killed_at_its_timeout_and_fails(void **state)
{
	static const char *const quick[] = { ISOLATED, "timeout", "300ms",
					     NULL };
	struct bench b = { 0 };
	int64_t begin_ns = timer_now_ns();

	(void)state;
	bench_open(&b, 1, quick);
	assert_non_null(
		strstr(pass(&b, "hang")->error, "\"type\":\"timeout\""));
	assert_int_equal(b.dead.n_seen, 1);
	assert_in_range(elapsed_ms(begin_ns), 300, AWAIT_MS);
	/* And it has not used up anything of others. */
	assert_int_equal(pass(&b, "any")->attempts, 0);
	bench_close(&b);
}

/* In a process of its own, which is stopped, and the handler's with it. */
static void
be_frozen(int fd, pid_t *ret_pid)
{
	static const char *const quick[] = { ISOLATED, "timeout", "3s", NULL };
	struct bench b = { 0 };

	bench_open(&b, 1, quick);
	*ret_pid = pid_of(pass(&b, "pid"));
	if (write(fd, ret_pid, sizeof(*ret_pid)) != sizeof(*ret_pid))
		_exit(2);
	(void)pass(&b, "work");
	if (b.dead.n_seen > 0)
		fprintf(stderr, "%s\n", b.seen[1].error);
	_exit(b.dead.n_seen == 0 ? 0 : 1);
}

static void
a_pause_of_evhd_is_no_time_of_an_event(void **state)
{
	int fds[2], status;
	pid_t pid, handler;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0)
		be_frozen(fds[1], &handler);
	assert_int_equal(read(fds[0], &handler, sizeof(handler)),
			 sizeof(handler));
	nanosleep(&(struct timespec){ 0, 50000000 }, NULL);
	assert_int_equal(kill(pid, SIGSTOP), 0);
	assert_int_equal(kill(handler, SIGSTOP), 0);
	nanosleep(&(struct timespec){ 3, 500000000 }, NULL);
	assert_int_equal(kill(pid, SIGCONT), 0);
	nanosleep(&(struct timespec){ 0, 20000000 }, NULL);
	assert_int_equal(kill(handler, SIGCONT), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	close(fds[0]);
	close(fds[1]);
}

static void
a_hang_does_not_hold_up_a_stop(void **state)
{
	struct bench b = { 0 };

	(void)state;
	bench_open(&b, 1, plain);
	emit_one(&b, "hang");
	rig_await_standing(b.pipeline);
	bench_close(&b); /* drains within its time, or fails */
	assert_int_equal(b.src.results[0], EVH_RETRY);
}

static void
a_stop_that_hangs_is_killed(void **state)
{
	static const char *const stuck[] = { ISOLATED, "fault", "stop", NULL };
	struct bench b = { 0 };
	int64_t begin_ns;

	(void)state;
	bench_open(&b, 1, stuck);
	(void)pass(&b, "any");
	begin_ns = timer_now_ns();
	bench_close(&b);
	assert_in_range(elapsed_ms(begin_ns), 1000, AWAIT_MS);
}

/* ---- Create and start -------------------------------------------------- */

static void
what_create_refuses_is_refused(void **state)
{
	static const char *const wrong[] = { ISOLATED, "fault", "create",
					     NULL };
	struct bench b = { 0 };

	(void)state;
	assert_int_equal(bench_make(&b, 1, PLUGIN, wrong), -EINVAL);
	bench_close(&b);
}

static void
what_start_refuses_is_refused(void **state)
{
	static const char *const wrong[] = { ISOLATED, "fault", "start", NULL };
	struct bench b = { 0 };

	(void)state;
	assert_int_equal(bench_make(&b, 1, PLUGIN, wrong), 0);
	assert_int_equal(instance_start(b.in), -EADDRINUSE);
	/* Nobody will call its stop(). */
	assert_false(b.in->isolate->has_thread);
	bench_close(&b);
}

static void
a_crash_at_create_or_start_is_readiness(void **state)
{
	static const char *const faults[] = { "create_crash", "start_crash" };

	(void)state;
	for (int i = 0; i < 2; i++) {
		const char *const wrong[] = { ISOLATED, "fault", faults[i],
					      NULL };
		struct bench b = { 0 };

		bench_open(&b, 1, wrong);
		await_why(&b, "its process ended by signal 6");
		assert_int_equal(emit(&b, "any", "{}", 2), -EAGAIN);
		bench_close(&b);
	}
}

static void
it_says_itself_when_it_is_ready(void **state)
{
	static const char *const unready[] = { ISOLATED, "fault", "unready",
					       NULL };
	struct bench b = { 0 };

	(void)state;
	bench_open(&b, 1, unready);
	await_ready(&b, true); /* by its every() */
	(void)pass(&b, "any");
	bench_close(&b);
}

/* Each of them notices it for itself. */
static void
an_outage_that_processes_notice_in_turn_uses_up_no_attempt(void **state)
{
	struct tempdir dir;
	char server[sizeof(dir.path) + 16];
	struct bench b = { 0 };
	FILE *file;
	int n;

	(void)state;
	tempdir_init(&dir);
	snprintf(server, sizeof(server), "%s/server", dir.path);
	bench_open(&b, 1,
		   (const char *const[]){ ISOLATED, "isolate_processes", "4",
					  "attempts", "3", "server", server,
					  NULL });
	await_processes(&b, 4);
	n = b.src.n_heard;
	emit_one(&b, "ask");
	await_why(&b, "its server is away");
	file = fopen(server, "w");
	assert_non_null(file);
	assert_int_equal(fclose(file), 0);
	rig_await_heard(&b.src, n + 1);
	assert_int_equal(b.dead.n_seen, 0);
	assert_int_equal(b.seen[n].attempts, 0);
	bench_close(&b);
	tempdir_fini(&dir);
}

/* ---- Garbage ----------------------------------------------------------- */

/* A verdict that begins well, for the event of this number. */
static void
verdict_begin(struct frame_buffer *out, uint64_t number)
{
	frame_begin(out, FRAME_VERDICT);
	frame_put_u64(out, number);
	frame_put_u32(out, EVH_OK);
	frame_put_text(out, NULL);
	frame_put_text(out, NULL);
}

static void
child_put(struct frame_buffer *out, size_t id_size, uint32_t n_headers,
	  const char *header, uint32_t status)
{
	static const char id[32];

	frame_put_bytes(out, (struct evh_bytes){ id, id_size });
	frame_put_u64(out, 0);
	frame_put_text(out, "born");
	frame_put_text(out, "{}");
	frame_put_text(out, "");
	frame_put_u32(out, n_headers);
	if (header) {
		frame_put_text(out, header);
		frame_put_text(out, "");
	}
	frame_put_u32(out, status);
}

/* A verdict with one child, of which one thing is wrong. */
static void
verdict_child(struct frame_buffer *out, uint64_t number, int fault)
{
	verdict_begin(out, number);
	frame_put_u32(out, 0);
	frame_put_u32(out, fault == 0 ? 0 : 1);
	frame_put_u32(out, fault == 1 ? 1000000 : 1);
	child_put(out, fault == 2 ? 15 : 16,
		  fault == 3   ? 1000000
		  : fault == 4 ? 1
			       : 0,
		  fault == 4 ? "" : NULL, fault == 5 ? 77 : EVH_PENDING);
	if (fault == 6)
		frame_put_u32(out, 1);
}

#define CHILD_FAULTS 7

static void
verdict_change(struct frame_buffer *out, uint64_t number, int fault)
{
	verdict_begin(out, number);
	frame_put_u32(out, fault == 0 ? 1000000 : 1);
	frame_put_u32(out, fault == 1 ? 99 : 3);
	frame_put_text(out, fault == 2 ? "" : fault == 3 ? NULL : "x");
	frame_put_text(out, "y");
	frame_put_u32(out, fault == 4 ? 0 : 1);
	if (fault != 5)
		frame_put_u32(out, fault == 4 ? 1 : 0);
	if (fault == 6)
		frame_put_u32(out, 0);
}

#define CHANGE_FAULTS 7

static void
number_put(struct frame_buffer *out, enum frame_type type, uint32_t a,
	   uint64_t b, const char *text)
{
	frame_begin(out, type);
	frame_put_u32(out, a);
	frame_put_u64(out, b);
	frame_put_text(out, text);
}

/* The i-th kind of garbage; false behind the last. */
static bool
garbage_put(struct frame_buffer *out, int i, uint64_t number)
{
	if (i < CHILD_FAULTS) {
		verdict_child(out, number, i);
		return true;
	}
	i -= CHILD_FAULTS;
	if (i < CHANGE_FAULTS) {
		verdict_change(out, number, i);
		return true;
	}
	i -= CHANGE_FAULTS;
	switch (i) {
	case 0: /* no such event */
		verdict_begin(out, number + 1);
		return true;
	case 1:
		frame_begin(out, FRAME_HELD);
		frame_put_u64(out, UINT64_MAX);
		return true;
	case 2: /* at another time */
		frame_begin(out, FRAME_CREATED);
		frame_put_u32(out, 0);
		return true;
	case 3:
		frame_begin(out, FRAME_STARTED);
		frame_put_u32(out, 0);
		return true;
	case 4: /* nothing in it */
		frame_begin(out, FRAME_READY);
		return true;
	case 5:
		number_put(out, FRAME_LOG, 9, 0, "level 9");
		return true;
	case 6:
		number_put(out, FRAME_LOG, EVH_INFO, 0, NULL);
		return true;
	case 7:
		number_put(out, FRAME_RECORD, CELL_METRICS_MAX, 0, "");
		return true;
	case 8:
		frame_begin(out, FRAME_METRIC);
		frame_put_u32(out, UINT32_MAX);
		frame_put_u32(out, EVH_COUNTER);
		frame_put_text(out, "x");
		frame_put_text(out, NULL);
		frame_put_text(out, NULL);
		return true;
	case 9:
		frame_begin(out, FRAME_FATAL);
		frame_put_text(out, NULL);
		return true;
	case 10: /* of the other side */
		frame_begin(out, FRAME_STOP);
		frame_put_u32(out, 0);
		return true;
	case 11:
		frame_begin(out, FRAME_END);
		return true;
	case 12: /* a text with a NUL in it */
		frame_begin(out, FRAME_READY);
		frame_put_bytes(out, (struct evh_bytes){ "a\0b", 3 });
		return true;
	case 13: /* one that is longer than its frame */
		frame_begin(out, FRAME_READY);
		frame_put_u32(out, 1000000);
		return true;
	}
	return false;
}

static void
check_dead(struct bench *b, const struct frame_buffer *out, int i)
{
	int n = b->src.n_heard + 1;
	const struct timespec pause = { 0, 1000000 };

	while (emit(b, "garbage", out->at, out->end) != 1)
		nanosleep(&pause, NULL);
	rig_await_heard(&b->src, n);
	if (!strstr(b->seen[b->n_seen - 1].error, "broke the protocol"))
		fail_msg("garbage %d: %s", i, b->seen[b->n_seen - 1].error);
}

static void
garbage_from_a_process_is_only_its_own_end(void **state)
{
	static const char *const once[] = { ISOLATED, "attempts", "1", NULL };
	/* Length and type that cannot be. */
	static const char long_head[] = "\x02\0\0\0\xff\xff\xff\xff",
			  odd_head[] = "\xff\xff\xff\xff\0\0\0\0";
	struct frame_buffer heads[2] = {
		{ .at = (char *)long_head, .end = 8 },
		{ .at = (char *)odd_head, .end = 8 },
	};
	struct bench b = { 0 };
	int n = 0;

	(void)state;
	bench_open(&b, 1, once);
	for (;;) {
		struct frame_buffer out = { 0 };

		if (!garbage_put(&out, n, 2 * (uint64_t)n + 2))
			break;
		/* An answer, so that the next process does not wait long. */
		(void)pass(&b, "any");
		assert_int_equal(frame_end(&out, SIZE_MAX), 0);
		check_dead(&b, &out, n);
		frame_buffer_fini(&out);
		n++;
	}
	for (int i = 0; i < 2; i++)
		check_dead(&b, &heads[i], n + i);
	assert_int_equal(b.dead.n_seen, n + 2);
	assert_int_equal(n, CHILD_FAULTS + CHANGE_FAULTS + 14);
	assert_int_equal(pass(&b, "any")->attempts, 0);
	bench_close(&b);
}

static void
it_cannot_answer_for_what_it_has_not_come_to(void **state)
{
	static const char *const once[] = { ISOLATED, "attempts", "1", NULL };
	struct frame_buffer out = { 0 };
	struct bench b = { 0 };
	int n;

	(void)state;
	bench_open(&b, 1, once);
	hurry(&b);
	n = b.src.n_heard;
	/* In the name of the next: it has failed. */
	frame_begin(&out, FRAME_VERDICT);
	frame_put_u64(&out, (uint64_t)n + 3);
	frame_put_u32(&out, EVH_FAIL);
	frame_put_text(&out, NULL);
	frame_put_text(&out, NULL);
	assert_int_equal(frame_end(&out, SIZE_MAX), 0);
	emit_one(&b, "slow");
	assert_int_equal(emit(&b, "garbage", out.at, out.end), 1);
	emit_one(&b, "any");
	rig_await_heard(&b.src, n + 3);
	assert_int_equal(b.dead.n_seen, 1);
	assert_int_equal(b.out.n_seen, n + 2);
	frame_buffer_fini(&out);
	bench_close(&b);
}

static void
await_in_hand(struct bench *b)
{
	const struct timespec pause = { 0, 1000000 };
	struct isolate *iso = b->in->isolate;
	unsigned n = 0;

	while (n == 0) {
		nanosleep(&pause, NULL);
		pthread_mutex_lock(&iso->lock);
		n = iso->n_in_hand;
		pthread_mutex_unlock(&iso->lock);
	}
}

/* In a process of its own, which is ended when it has not by then. */
#define HANG_S 60

static void
a_keeper_that_cannot_end_ends_with_evhd(void **state)
{
	struct bench b = { 0 };
	int status = 0;
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)alarm(HANG_S);
		bench_open(&b, 1, plain);
		emit_one(&b, "hang");
		await_in_hand(&b);
		b.in->host->setup->config->shutdown_timeout_ms = 0;
		/* Whoever gives the event back waits here. */
		for (unsigned i = 0; i <= b.pipeline->n_workers; i++)
			pthread_mutex_lock(&b.pipeline->workers[i]->lock);
		keeper_close(b.in->isolate, 0);
		_exit(EXIT_SUCCESS);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EX_SOFTWARE);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_verdict_comes_back),
		cmocka_unit_test(what_it_changes_is_seen_behind_it),
		cmocka_unit_test(
			children_have_the_ids_that_they_have_in_process),
		cmocka_unit_test(a_retry_is_undone_and_tried_again),
		cmocka_unit_test(what_is_no_verdict_counts_as_failed),
		cmocka_unit_test(it_may_hold_and_resume),
		cmocka_unit_test(it_has_the_environment_and_nothing_else),
		cmocka_unit_test(its_metrics_are_evhds),
		cmocka_unit_test(workers_have_a_process_each),
		cmocka_unit_test(what_wants_one_call_at_a_time_has_one_process),
		cmocka_unit_test(a_crash_is_an_attempt_and_others_go_on),
		cmocka_unit_test(what_was_sent_ahead_has_no_part_in_a_crash),
		cmocka_unit_test(the_event_of_a_crash_is_tried_again),
		cmocka_unit_test(
			a_crash_while_none_is_in_hand_is_of_all_that_are_held),
		cmocka_unit_test(
			what_a_process_has_started_does_not_hide_its_end),
		cmocka_unit_test(a_handler_with_a_thread_holds_there_too),
		cmocka_unit_test(an_exit_is_a_crash),
		cmocka_unit_test(kill_9_from_outside_is_mended),
		cmocka_unit_test(signals_for_evhd_are_none_for_its_processes),
		cmocka_unit_test(one_that_was_given_up_is_reaped_when_it_ends),
		cmocka_unit_test(a_hang_is_killed_at_its_timeout_and_fails),
		cmocka_unit_test(a_pause_of_evhd_is_no_time_of_an_event),
		cmocka_unit_test(a_hang_does_not_hold_up_a_stop),
		cmocka_unit_test(a_stop_that_hangs_is_killed),
		cmocka_unit_test(a_keeper_that_cannot_end_ends_with_evhd),
		cmocka_unit_test(what_create_refuses_is_refused),
		cmocka_unit_test(what_start_refuses_is_refused),
		cmocka_unit_test(a_crash_at_create_or_start_is_readiness),
		cmocka_unit_test(it_says_itself_when_it_is_ready),
		cmocka_unit_test(
			an_outage_that_processes_notice_in_turn_uses_up_no_attempt),
		cmocka_unit_test(garbage_from_a_process_is_only_its_own_end),
		cmocka_unit_test(it_cannot_answer_for_what_it_has_not_come_to),
	};
	bool is_abandoned = false;
	int code;

	if (argc == 3 && strcmp(argv[1], ISOLATE_WORD) == 0) {
		code = isolate_child_main(&is_abandoned);
		if (is_abandoned)
			_exit(code);
		return code;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}

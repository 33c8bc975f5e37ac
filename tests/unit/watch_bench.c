#include "watch_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../harness/tempdir.h"
#include "instance.h"
#include "marks.h"
#include "pipeline.h"
#include "rig.h"

#define LIST(...) ((char *[]){ __VA_ARGS__, NULL })

/* What the handler waits for; a test's own, since process() knows its element
 * only. */
static struct {
	pthread_mutex_t lock; /* guards: the rest */
	pthread_cond_t changed;
	unsigned n_inside; /* hanging now */
	unsigned open_to;  /* cookies up to this go on */
	enum evh_result says;
	char error[256]; /* of the last that failed */
} gate = { .lock = PTHREAD_MUTEX_INITIALIZER,
	   .changed = PTHREAD_COND_INITIALIZER };

static struct timespec
soon(void)
{
	struct timespec due;

	clock_gettime(CLOCK_REALTIME, &due);
	due.tv_sec += AWAIT_S;
	return due;
}

void
gate_set(unsigned open_to, enum evh_result says)
{
	pthread_mutex_lock(&gate.lock);
	gate.open_to = open_to;
	gate.says = says;
	pthread_cond_broadcast(&gate.changed);
	pthread_mutex_unlock(&gate.lock);
}

void
gate_await_inside(unsigned n)
{
	struct timespec due = soon();
	int rc = 0;

	pthread_mutex_lock(&gate.lock);
	while (gate.n_inside < n && rc == 0)
		rc = pthread_cond_timedwait(&gate.changed, &gate.lock, &due);
	pthread_mutex_unlock(&gate.lock);
	assert_int_equal(rc, 0);
}

const char *
gate_error(void)
{
	return gate.error;
}

static enum evh_result
gate_pass(uintptr_t cookie)
{
	enum evh_result says;

	pthread_mutex_lock(&gate.lock);
	gate.n_inside++;
	pthread_cond_broadcast(&gate.changed);
	while (gate.open_to < cookie)
		pthread_cond_wait(&gate.changed, &gate.lock);
	gate.n_inside--;
	says = gate.says;
	pthread_mutex_unlock(&gate.lock);
	return says;
}

enum evh_result
handler_hang(struct rig_element *el, struct evh_event *ev)
{
	enum evh_result says = EVH_OK;

	if (ev->cookie < HANGS)
		says = gate_pass(ev->cookie);
	if (says == EVH_HOLD)
		(void)rig_keep(el, &ev, 1);
	else
		(void)rig_note(el, ev);
	return says;
}

enum evh_result
handler_hold(struct rig_element *el, struct evh_event *ev)
{
	(void)rig_keep(el, &ev, 1);
	return EVH_HOLD;
}

static int
keep_error(struct rig_element *el, struct evh_event *const *evs, int n)
{
	pthread_mutex_lock(&gate.lock);
	strncpy(gate.error, evs[0]->error, sizeof(gate.error) - 1);
	pthread_mutex_unlock(&gate.lock);
	pthread_mutex_lock(&el->lock);
	for (int i = 0; i < n; i++)
		el->cookies[el->n_seen++] = evs[i]->cookie;
	pthread_mutex_unlock(&el->lock);
	el->ctx->done(el->ctx, evs, n, EVH_OK);
	return n;
}

void
bench_fill(struct bench *b,
	   enum evh_result (*process)(struct rig_element *, struct evh_event *),
	   enum evh_threads threads, unsigned timeout_ms)
{
	*b = (struct bench){ .rig = rig_new() };
	gate_set(0, EVH_OK);
	b->src = (struct rig_element){ .name = "src", .kind = EVH_SOURCE };
	b->look = (struct rig_element){ .name = "look",
					.kind = EVH_HANDLER,
					.threads = threads,
					.timeout_ms = timeout_ms,
					.process = process };
	b->out = (struct rig_element){ .name = "out", .kind = EVH_SINK };
	b->dead = (struct rig_element){ .name = "dead",
					.kind = EVH_SINK,
					.submit = keep_error };
}

void
bench_start(struct bench *b, unsigned workers)
{
	rig_add(b->rig, &b->src);
	rig_add(b->rig, &b->look);
	rig_add(b->rig, &b->out);
	rig_add(b->rig, &b->dead);
	b->pipeline = rig_pipeline(
		b->rig,
		(struct config_pipeline){ .chain = LIST("src", "look", "out"),
					  .on_fail = LIST("dead"),
					  .workers = workers });
	rig_start(b->rig);
}

void
bench_open_with(struct bench *b,
		enum evh_result (*process)(struct rig_element *,
					   struct evh_event *),
		unsigned workers, enum evh_threads threads, unsigned timeout_ms)
{
	bench_fill(b, process, threads, timeout_ms);
	bench_start(b, workers);
}

void
bench_open(struct bench *b,
	   enum evh_result (*process)(struct rig_element *, struct evh_event *),
	   unsigned workers, enum evh_threads threads)
{
	bench_open_with(b, process, workers, threads, TIMEOUT_MS);
}

void
bench_await_late(const struct bench *b, unsigned n)
{
	struct late *late = &b->look.in->late;
	const struct timespec pause = { 0, 1000000 };
	unsigned have = 0;

	for (int i = 0; i < AWAIT_S * 1000 && have < n; i++) {
		pthread_mutex_lock(&late->lock);
		have = late->n;
		pthread_mutex_unlock(&late->lock);
		if (have < n)
			nanosleep(&pause, NULL);
	}
	assert_int_equal(have, n);
}

void
bench_assert_state(struct bench *b, int rc, const char *what)
{
	int said;
	char *text = rig_state(b->rig, &said);

	if (!strstr(text, what))
		print_error("%s\n", text);
	assert_non_null(strstr(text, what));
	assert_int_equal(said, rc);
	free(text);
}

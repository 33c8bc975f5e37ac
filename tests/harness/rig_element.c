#include "rig_element.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "condition.h"
#include "instance.h"

/* create() is told nothing but its ctx: which element it is, is set here, by
 * the test's one thread that makes a rig. */
static struct rig_element *creating;

static int
element_create(struct evh_ctx *ctx, void **ret_self)
{
	creating->ctx = ctx;
	*ret_self = creating;
	return 0;
}

static int
element_start(void *self)
{
	struct rig_element *el = self;

	if (el->starts_unready)
		el->ctx->ready(el->ctx, "not yet");
	return 0;
}

static void
element_see(struct rig_element *el, const struct evh_event *ev)
{
	pthread_mutex_lock(&el->lock);
	if (el->n_seen < RIG_MAX)
		el->cookies[el->n_seen++] = ev->cookie;
	pthread_cond_broadcast(&el->changed);
	pthread_mutex_unlock(&el->lock);
}

static void
element_done(void *self, struct evh_event *const *evs, int n,
	     enum evh_result result)
{
	struct rig_element *el = self;

	pthread_mutex_lock(&el->lock);
	for (int i = 0; i < n && el->n_heard < RIG_MAX; i++) {
		el->heard[el->n_heard] = evs[i]->cookie;
		el->results[el->n_heard++] = result;
	}
	pthread_cond_broadcast(&el->changed);
	pthread_mutex_unlock(&el->lock);
	if (el->on_done)
		el->on_done(el, evs, n, result);
}

static enum evh_result
element_process(void *self, struct evh_event *ev)
{
	struct rig_element *el = self;

	return el->process(el, ev);
}

static int
element_submit(void *self, struct evh_event *const *evs, int n)
{
	struct rig_element *el = self;

	if (el->submit)
		return el->submit(el, evs, n);
	for (int i = 0; i < n; i++)
		element_see(el, evs[i]);
	el->ctx->done(el->ctx, evs, n, EVH_OK);
	return n;
}

enum evh_result
rig_note(struct rig_element *el, struct evh_event *ev)
{
	element_see(el, ev);
	return el->limit ? (enum evh_result)el->limit : EVH_OK;
}

int
rig_keep(struct rig_element *el, struct evh_event *const *evs, int n)
{
	int taken = 0;

	pthread_mutex_lock(&el->lock);
	while (taken < n && el->n_held < RIG_MAX &&
	       (el->limit == 0 || el->n_held < el->limit)) {
		el->cookies[el->n_seen++] = evs[taken]->cookie;
		el->held[el->n_held++] = evs[taken++];
	}
	pthread_cond_broadcast(&el->changed);
	pthread_mutex_unlock(&el->lock);
	return taken;
}

void
rig_answer(struct rig_element *sink, int n, enum evh_result result)
{
	struct evh_event *evs[RIG_MAX];

	pthread_mutex_lock(&sink->lock);
	assert_in_range(n, 1, sink->n_held);
	memcpy(evs, sink->held, (size_t)n * sizeof(*evs));
	sink->n_held -= n;
	memmove(sink->held, sink->held + n,
		(size_t)sink->n_held * sizeof(*evs));
	pthread_mutex_unlock(&sink->lock);
	sink->ctx->done(sink->ctx, evs, n, result);
}

void
rig_answer_held(struct rig_element *handler, enum evh_result verdict)
{
	struct evh_event *ev;

	pthread_mutex_lock(&handler->lock);
	assert_true(handler->n_held > 0);
	ev = handler->held[0];
	handler->n_held--;
	memmove(handler->held, handler->held + 1,
		(size_t)handler->n_held * sizeof(ev));
	pthread_mutex_unlock(&handler->lock);
	handler->ctx->resume(handler->ctx, ev, verdict);
}

struct evh_plugin
rig_element_plugin(const struct rig_element *el)
{
	return (struct evh_plugin){
		EVH_PLUGIN_HEAD,
		.kind = el->kind,
		.threads = el->threads ? el->threads : EVH_PARALLEL,
		.name = el->name,
		.version = "1",
		.create = element_create,
		.start = element_start,
		.done = element_done,
		.process = element_process,
		.submit = element_submit,
	};
}

void
rig_element_init(struct rig_element *el)
{
	assert_int_equal(condition_init(&el->changed), 0);
	pthread_mutex_init(&el->lock, NULL);
}

void
rig_element_create(struct rig_element *el)
{
	creating = el;
	assert_int_equal(instance_create(el->in), 0);
}

void
rig_element_fini(struct rig_element *el)
{
	pthread_mutex_destroy(&el->lock);
	pthread_cond_destroy(&el->changed);
}

static struct evh_event *
event_of(struct rig_element *source, uintptr_t cookie, const char *name,
	 const char *key)
{
	struct evh_spec spec = { .name = name,
				 .data = { "{}", 2 },
				 .key = { key, key ? strlen(key) : 0 },
				 .cookie = cookie };
	struct evh_event *ev = source->ctx->event_new(source->ctx, &spec, NULL);

	assert_non_null(ev);
	return ev;
}

static int
emit(struct rig_element *source, struct evh_event **evs, int n, int timeout_ms)
{
	int k = source->ctx->emit(source->ctx, evs, n, timeout_ms);
	int taken = k > 0 ? k : 0;

	if (taken < n)
		source->ctx->event_free(source->ctx, evs + taken, n - taken);
	return k;
}

int
rig_emit(struct rig_element *source, uintptr_t cookie, const char *key,
	 int timeout_ms)
{
	struct evh_event *ev = event_of(source, cookie, "test.event", key);

	return emit(source, &ev, 1, timeout_ms);
}

int
rig_emit_named(struct rig_element *source, uintptr_t cookie, const char *name)
{
	struct evh_event *ev = event_of(source, cookie, name, NULL);

	return emit(source, &ev, 1, 0);
}

int
rig_emit_spec(struct rig_element *source, const struct evh_spec *spec)
{
	struct evh_event *ev = source->ctx->event_new(source->ctx, spec, NULL);

	assert_non_null(ev);
	return emit(source, &ev, 1, 0);
}

int
rig_emit_many(struct rig_element *source, uintptr_t first, int n,
	      const char *key)
{
	struct evh_event *evs[RIG_MAX];

	assert_in_range(n, 1, RIG_MAX);
	for (int i = 0; i < n; i++)
		evs[i] = event_of(source, first + (uintptr_t)i, "test.event",
				  key);
	return emit(source, evs, n, 0);
}

#include "instance.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "condition.h"
#include "host_tables.h"
#include "isolate.h"
#include "log.h"
#include "marks.h"
#include "pass.h"
#include "pipeline.h"
#include "utf8.h"

/* For calls of done() when a source is closed. */
#define CLOSE_MAX_NS INT64_C(1000000000)

void
instance_blame(struct instance *in, const struct evh_event *ev, const char *fmt,
	       ...)
{
	struct log_facts facts = { .instance = in->name, .event = ev };
	char text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	log_write(EVH_ERROR, &facts, "plugin %s: %s", in->plugin->name, text);
}

/* The host's own words of a handler's section. */
static int
instance_read_words(struct instance *in)
{
	unsigned n = 0;

	if (in->plugin->kind != EVH_HANDLER)
		return 0;
	in->attempts = (unsigned)options_int(in->options, "attempts");
	in->backoff_ms = (unsigned)options_int(in->options, "backoff");
	in->backoff_max_ms = (unsigned)options_int(in->options, "backoff_max");
	in->timeout_ms = (unsigned)options_int(in->options, "timeout");
	in->aborts =
		strcmp(options_str(in->options, "on_timeout"), "abort") == 0;
	in->mark = marks_handler(in->name);
	while (options_at(in->options, "match", n, NULL))
		n++;
	in->match = calloc(n + 1, sizeof(*in->match));
	if (!in->match)
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++) {
		const char *s = options_at(in->options, "match", i, NULL);

		in->match[i] = strdup(s);
		if (!in->match[i])
			return -ENOMEM;
	}
	return 0;
}

struct instance *
instance_new(struct host *host, const struct loader_plugin *loaded,
	     const struct config_instance *config,
	     const struct options *options)
{
	struct instance *in = calloc(1, sizeof(*in));

	if (!in)
		return NULL;
	in->host = host;
	in->name = config->name;
	in->loaded = loaded;
	in->plugin = &loaded->plugin;
	in->config = config;
	in->options = options;
	snprintf(in->why_not, sizeof(in->why_not), "not started yet");
	if (serial_init(&in->serial) < 0)
		goto fail_serial;
	if (pthread_mutex_init(&in->lock, NULL) != 0)
		goto fail_lock;
	if (condition_init(&in->told) < 0)
		goto fail_told;
	if (late_init(&in->late) < 0)
		goto fail_late;
	if (instance_read_words(in) < 0) {
		instance_free(in);
		return NULL;
	}
	context_init(in);
	return in;
fail_late:
	pthread_cond_destroy(&in->told);
fail_told:
	pthread_mutex_destroy(&in->lock);
fail_lock:
	serial_fini(&in->serial);
fail_serial:
	free(in);
	return NULL;
}

void
instance_free(struct instance *in)
{
	if (!in)
		return;
	if (in->life != INSTANCE_NEW && in->plugin->destroy)
		in->plugin->destroy(in->self);
	instance_unisolate(in);
	for (unsigned i = 0; in->match && in->match[i]; i++)
		free(in->match[i]);
	free(in->match);
	free(in->heads);
	while (in->everies) {
		struct instance_every *every = in->everies;

		in->everies = every->next;
		free(every);
	}
	serial_fini(&in->serial);
	pthread_mutex_destroy(&in->lock);
	pthread_cond_destroy(&in->told);
	late_fini(&in->late);
	free(in);
}

static void
log_life(const struct instance *in, const char *what, int rc)
{
	struct log_facts facts = { .instance = in->name };

	log_write(EVH_ERROR, &facts, "%s failed: %s", what, strerror(-rc));
}

int
instance_create(struct instance *in)
{
	int rc = in->plugin->create(&in->ctx, &in->self);

	if (rc < 0) {
		/* Who finds an error logs it; one that did not is still told
		 * of. */
		if (!atomic_load(&in->has_complained))
			in->ctx.log(&in->ctx, EVH_ERROR, "create failed: %s",
				    strerror(-rc));
		return rc;
	}
	in->life = INSTANCE_CREATED;
	return 0;
}

static void set_ready(struct instance *in, const char *why_not,
		      bool unless_spoken);

int
instance_start(struct instance *in)
{
	int rc = in->plugin->start ? in->plugin->start(in->self) : 0;

	if (rc < 0) {
		log_life(in, "start", rc);
		return rc;
	}
	in->life = INSTANCE_STARTED;
	set_ready(in, NULL, true);
	return 0;
}

void
instance_drain(struct instance *in)
{
	atomic_store(&in->is_draining, true);
	for (unsigned i = 0; i < in->n_heads; i++)
		pipeline_poke(in->heads[i]);
	if (in->life == INSTANCE_STARTED && in->plugin->drain)
		in->plugin->drain(in->self);
}

void
instance_flush(struct instance *in, int timeout_ms)
{
	if (in->life == INSTANCE_STARTED && in->plugin->flush)
		in->plugin->flush(in->self, timeout_ms);
}

void
instance_stop(struct instance *in, int timeout_ms)
{
	if (in->life != INSTANCE_STARTED)
		return;
	if (in->plugin->stop)
		in->plugin->stop(in->self, timeout_ms);
	in->life = INSTANCE_STOPPED;
}

bool
instance_close(struct instance *in)
{
	int64_t due_ns = timer_now_ns() + CLOSE_MAX_NS;

	atomic_store(&in->is_closed, true);
	pthread_mutex_lock(&in->lock);
	while (atomic_load(&in->n_telling) > 0 &&
	       condition_wait(&in->told, &in->lock, due_ns))
		;
	pthread_mutex_unlock(&in->lock);
	return atomic_load(&in->n_telling) == 0;
}

void
instance_why_not(struct instance *in, char *ret, size_t size)
{
	pthread_mutex_lock(&in->lock);
	snprintf(ret, size, "%s", in->why_not);
	pthread_mutex_unlock(&in->lock);
}

/* As much as there is room for, whole characters, and what is none of UTF-8
 * replaced: JSON will be made of it. */
static void
why_copy(char ret[INSTANCE_WHY_MAX], const char *why)
{
	size_t len = strlen(why);
	size_t n = 0;

	while (len > 0) {
		int took = utf8_next(why, len);
		const char *from = took > 0 ? why : "\xef\xbf\xbd";
		size_t size = took > 0 ? (size_t)took : 3;

		if (n + size >= INSTANCE_WHY_MAX)
			break;
		memcpy(ret + n, from, size);
		n += size;
		why += abs(took);
		len -= (size_t)abs(took);
	}
	ret[n] = '\0';
}

static void
set_ready(struct instance *in, const char *why_not, bool unless_spoken)
{
	struct log_facts facts = { .instance = in->name };
	char why[INSTANCE_WHY_MAX];
	bool is_ready = why_not == NULL;
	bool has_changed, is_first, is_news;

	why_copy(why, is_ready ? "" : why_not);
	pthread_mutex_lock(&in->lock);
	if (unless_spoken && in->has_spoken) {
		pthread_mutex_unlock(&in->lock);
		return;
	}
	has_changed = atomic_load(&in->is_ready) != is_ready;
	is_first = !in->has_spoken;
	is_news = has_changed || is_first || strcmp(in->why_not, why) != 0;
	in->has_spoken = true;
	memcpy(in->why_not, why, sizeof(why));
	atomic_store(&in->is_ready, is_ready);
	if (has_changed)
		host_count_ready(in->host, in, is_ready);
	pthread_mutex_unlock(&in->lock);
	if (is_news && is_ready)
		log_write(EVH_INFO, &facts, "ready");
	else if (is_news) /* at first it only says that it begins */
		log_write(is_first ? EVH_INFO : EVH_WARN, &facts,
			  "not ready: %s", why);
	if (has_changed)
		host_poke_users(in->host, in);
}

void
instance_set_ready(struct instance *in, const char *why_not)
{
	set_ready(in, why_not, false);
}

void
instance_enter(struct instance *in)
{
	if (in->plugin->threads == EVH_SERIAL)
		serial_enter(&in->serial);
}

bool
instance_enter_for(struct instance *in, int64_t max_ns)
{
	return in->plugin->threads != EVH_SERIAL ||
	       serial_enter_until(&in->serial, timer_now_ns() + max_ns);
}

void
instance_leave(struct instance *in)
{
	if (in->plugin->threads == EVH_SERIAL)
		serial_leave(&in->serial);
}

bool
instance_is_blocked(const struct instance *in)
{
	return in->plugin->threads == EVH_SERIAL &&
	       atomic_load_explicit(&in->n_late, memory_order_relaxed) > 0;
}

bool
instance_is_stuck(const struct instance *in)
{
	return atomic_load(&in->n_stuck) > 0 || instance_is_blocked(in);
}

int
instance_submit(struct instance *in, struct evh_event *const *evs, int n)
{
	int taken;

	instance_enter(in);
	taken = in->plugin->submit(in->self, evs, n);
	instance_leave(in);
	return taken;
}

static void
call_done(struct instance *in, struct evh_event *const *evs, int n,
	  enum evh_result result)
{
	instance_enter(in);
	in->plugin->done(in->self, evs, n, result);
	instance_leave(in);
}

void
instance_done(struct instance *in, struct evh_event *const *evs, int n,
	      enum evh_result result)
{
	/* Counted before it looks: who closes it sees one of the two. */
	atomic_fetch_add(&in->n_telling, 1);
	if (!atomic_load(&in->is_closed))
		call_done(in, evs, n, result);
	if (atomic_fetch_sub(&in->n_telling, 1) > 1 ||
	    !atomic_load(&in->is_closed))
		return;
	pthread_mutex_lock(&in->lock);
	pthread_cond_broadcast(&in->told);
	pthread_mutex_unlock(&in->lock);
}

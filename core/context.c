/*
 * context.c - what a plugin asks of its host: the functions of struct evh_ctx.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "delivery.h"
#include "event.h"
#include "every.h"
#include "handling.h"
#include "host_tables.h"
#include "instance.h"
#include "log.h"
#include "metrics.h"
#include "pass.h"
#include "route.h"

#define TEXT_MAX 1024

static struct instance *
instance_of(struct evh_ctx *ctx)
{
	return (struct instance *)ctx; /* its first member */
}

/* An option that its own table does not have; asked for with every event,
 * perhaps, but told once. */
static void
option_check(struct instance *in, const char *name)
{
	if (!options_miss(in->options, name))
		return;
	if (in->host->problems)
		problems_add(in->host->problems, in->config->where,
			     "the plugin %s asks for an option \"%s\", which "
			     "it does not have",
			     in->plugin->name, name);
	else
		instance_blame(in, NULL,
			       "it asks for an option \"%s\", which it does "
			       "not have",
			       name);
}

static const char *
context_opt_str(struct evh_ctx *ctx, const char *name)
{
	option_check(instance_of(ctx), name);
	return options_str(instance_of(ctx)->options, name);
}

static int64_t
context_opt_int(struct evh_ctx *ctx, const char *name)
{
	option_check(instance_of(ctx), name);
	return options_int(instance_of(ctx)->options, name);
}

static const char *
context_opt_at(struct evh_ctx *ctx, const char *name, unsigned i,
	       const char **ret_key)
{
	option_check(instance_of(ctx), name);
	return options_at(instance_of(ctx)->options, name, i, ret_key);
}

/* evhd check: what create() says is a mistake in the instance's section. */
static void EVH_PRINTF(3, 0) complain(struct instance *in, enum evh_level level,
				      const char *fmt, va_list args)
{
	char text[TEXT_MAX];

	vsnprintf(text, sizeof(text), fmt, args);
	if (level == EVH_ERROR)
		problems_add(in->host->problems, in->config->where, "%s", text);
	else if (level == EVH_WARN)
		problems_warn(in->host->problems, in->config->where, "%s",
			      text);
}

static void EVH_PRINTF(3, 4)
	context_log(struct evh_ctx *ctx, enum evh_level level, const char *fmt,
		    ...)
{
	struct instance *in = instance_of(ctx);
	struct log_facts facts = { .instance = in->name };
	struct pass *pass = pass_current();
	va_list args;

	if (level == EVH_ERROR)
		atomic_store(&in->has_complained, true);
	if (in->host->problems) {
		va_start(args, fmt);
		complain(in, level, fmt, args);
		va_end(args);
		return;
	}
	if (!log_wants(level))
		return;
	if (pass && pass->looked_at &&
	    atomic_load(&pass->looked_at->holder) == in)
		facts.event = &pass->looked_at->pub;
	va_start(args, fmt);
	log_vwrite(level, &facts, fmt, args);
	va_end(args);
}

static struct evh_metric *
context_metric(struct evh_ctx *ctx, enum evh_metric_kind kind, const char *name,
	       const char *labels, const char *help)
{
	struct instance *in = instance_of(ctx);
	char instance[256];
	char all[TEXT_MAX];
	int n;

	metrics_label_escape(instance, sizeof(instance), in->name);
	n = snprintf(all, sizeof(all), "instance=%s%s%s", instance,
		     labels && *labels ? "," : "", labels ? labels : "");
	/* Cut, two series could become one. */
	if (n >= (int)sizeof(all)) {
		instance_blame(in, NULL,
			       "metric %s: its labels have %d bytes, more than "
			       "%d: it is not counted",
			       name, n, (int)sizeof(all) - 1);
		return NULL;
	}
	return metrics_get(in->host->metrics, kind, name, all, help);
}

static void
context_ready(struct evh_ctx *ctx, const char *why_not)
{
	instance_set_ready(instance_of(ctx), why_not);
}

static void
context_fatal(struct evh_ctx *ctx, const char *why)
{
	struct instance *in = instance_of(ctx);
	struct log_facts facts = { .instance = in->name };

	log_write(EVH_ERROR, &facts, "can never work again: %s", why);
	instance_set_ready(in, why);
	host_fatal(in->host, 70);
}

static int
context_every(struct evh_ctx *ctx, unsigned ms, void (*fn)(void *self))
{
	return every_add(instance_of(ctx), ms, fn);
}

/* A spec as long as the plugin knew it to be, the rest zero. */
static struct evh_spec
spec_copy(const struct instance *in, const struct evh_spec *spec)
{
	struct evh_spec copy = { 0 };
	size_t size = in->plugin->spec_size;

	memcpy(&copy, spec, size < sizeof(copy) ? size : sizeof(copy));
	return copy;
}

/* It has the event, or looks at it; after resume() no more. */
static bool
is_held(struct instance *in, struct evh_event *pub)
{
	struct event *ev = (struct event *)pub;

	return event_is_live(ev) && atomic_load(&ev->holder) == in &&
	       atomic_load(&ev->hold) != EVENT_LET_GO;
}

static struct evh_event *
context_event_new(struct evh_ctx *ctx, const struct evh_spec *spec,
		  struct evh_event *parent)
{
	struct instance *in = instance_of(ctx);
	struct evh_spec copy = spec_copy(in, spec);
	struct event *ev;

	if (in->plugin->kind != EVH_SOURCE && in->plugin->kind != EVH_HANDLER) {
		instance_blame(in, NULL,
			       "event_new(): only sources and "
			       "handlers make events");
		return NULL;
	}
	if ((parent != NULL) != (in->plugin->kind == EVH_HANDLER) ||
	    (parent && !is_held(in, parent))) {
		instance_blame(in, NULL,
			       "event_new(): a handler makes children of the "
			       "event it is at, a source events without a "
			       "parent");
		return NULL;
	}
	ev = event_new(in, &copy, (struct event *)parent);
	return ev ? &ev->pub : NULL;
}

/* The same; and if not, it is named in the log. */
static bool
has(struct instance *in, struct evh_event *pub, const char *what)
{
	if (is_held(in, pub))
		return true;
	instance_blame(in, NULL,
		       "%s() of an event that it does not have: "
		       "ignored",
		       what);
	return false;
}

static bool
may_change(struct instance *in, struct evh_event *pub, const char *what)
{
	if (in->plugin->kind == EVH_SINK) {
		instance_blame(in, pub, "%s(): a sink changes no event", what);
		return false;
	}
	return has(in, pub, what);
}

static void
context_event_free(struct evh_ctx *ctx, struct evh_event *const *evs, int n)
{
	struct instance *in = instance_of(ctx);

	for (int i = 0; i < n; i++) {
		struct event *ev = (struct event *)evs[i];

		if (!may_change(in, evs[i], "event_free"))
			continue;
		if (atomic_load(&ev->hold) == EVENT_FREE_OF_HOLD)
			event_free(ev);
		else
			instance_blame(in, evs[i],
				       "event_free() of an event that it did "
				       "not make: ignored");
	}
}

static void *
context_event_alloc(struct evh_ctx *ctx, struct evh_event *ev, size_t n)
{
	if (!has(instance_of(ctx), ev, "event_alloc"))
		return NULL;
	return event_alloc((struct event *)ev, n);
}

static int
context_set_data(struct evh_ctx *ctx, struct evh_event *ev,
		 struct evh_bytes data)
{
	if (!may_change(instance_of(ctx), ev, "set_data"))
		return -EPERM;
	return event_set_data((struct event *)ev, data);
}

static int
context_set_key(struct evh_ctx *ctx, struct evh_event *ev, struct evh_bytes key)
{
	if (!may_change(instance_of(ctx), ev, "set_key"))
		return -EPERM;
	return event_set_key((struct event *)ev, key);
}

static int
context_set_header(struct evh_ctx *ctx, struct evh_event *ev, const char *name,
		   const char *value)
{
	if (!may_change(instance_of(ctx), ev, "set_header"))
		return -EPERM;
	return event_set_header((struct event *)ev, name, value);
}

static int EVH_PRINTF(4, 5)
	context_set_error(struct evh_ctx *ctx, struct evh_event *ev,
			  const char *code, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list args;

	if (!has(instance_of(ctx), ev, "set_error"))
		return -EPERM;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return event_set_error((struct event *)ev, code, text);
}

static int
context_emit(struct evh_ctx *ctx, struct evh_event *const *evs, int n,
	     int timeout_ms)
{
	struct instance *in = instance_of(ctx);

	switch (in->plugin->kind) {
	case EVH_SOURCE:
		return route_emit(in, evs, n, timeout_ms);
	case EVH_HANDLER:
		return handling_emit(in, evs, n);
	case EVH_SINK:
	case EVH_SERVICE:
		break;
	}
	instance_blame(in, NULL, "emit(): only sources and handlers emit");
	return -EPERM;
}

static void
context_done(struct evh_ctx *ctx, struct evh_event *const *evs, int n,
	     enum evh_result result)
{
	struct instance *in = instance_of(ctx);

	if (in->plugin->kind != EVH_SINK) {
		instance_blame(in, NULL, "done(): only sinks answer so");
		return;
	}
	delivery_done(in, evs, n, result);
}

static void
context_resume(struct evh_ctx *ctx, struct evh_event *ev,
	       enum evh_result result)
{
	struct instance *in = instance_of(ctx);

	if (in->plugin->kind != EVH_HANDLER) {
		instance_blame(in, NULL, "resume(): only handlers hold");
		return;
	}
	handling_let_go(in, (struct event *)ev, result);
}

static const void *
context_service(struct evh_ctx *ctx, const char *name, const char *id)
{
	struct instance *in = instance_of(ctx);
	struct instance *other;

	if (!name)
		return host_service(in->host, id);
	other = host_instance(in->host, name);
	if (!other || other->life != INSTANCE_STARTED ||
	    !other->plugin->service)
		return NULL;
	return other->plugin->service(other->self, id);
}

void
context_init(struct instance *in)
{
	in->ctx = (struct evh_ctx){
		.size = sizeof(struct evh_ctx),
		.event_size = sizeof(struct evh_event),
		.name = in->name,
		.opt_str = context_opt_str,
		.opt_int = context_opt_int,
		.opt_at = context_opt_at,
		.log = context_log,
		.metric = context_metric,
		.record = metric_record,
		.ready = context_ready,
		.fatal = context_fatal,
		.every = context_every,
		.event_new = context_event_new,
		.event_free = context_event_free,
		.event_alloc = context_event_alloc,
		.set_data = context_set_data,
		.set_key = context_set_key,
		.set_header = context_set_header,
		.set_error = context_set_error,
		.emit = context_emit,
		.done = context_done,
		.resume = context_resume,
		.service = context_service,
	};
}

/*
 * evh/plugin.h - all that a plugin needs to know about evhd.
 *
 * A plugin is a shared object that exports one constant named `evh_plugin`.
 * evhd loads it, checks `abi`, makes one instance per config section, and
 * moves events along the pipelines' chains:
 *
 *      source --> handler --> sink --> sink
 *         ^                              |
 *         +------------ done ------------+
 *
 * The rules, in full:
 *
 *   1. You have an event until you give it back, and you give it back once.
 *      Every function below says whether it takes the event.
 *   2. Memory that hangs off an event lives exactly as long as the event.
 *   3. 0 or more is success; errors are negative errno values.  Whoever
 *      finds an error logs it, once; everyone else only passes it up.
 *   4. Strings are UTF-8 and end in NUL; data is bytes.
 *   5. Each callback carries the thread it is called on: [main] the main
 *      thread, which may wait but not for long; [worker] a thread of the
 *      pipeline (with `workers = 0`, the one that emits); [any] any thread,
 *      which must not wait.  Threads of your own inherit blocked signals.
 *   6. Events travel in batches: what passes events takes an array and a
 *      count, and one event is a batch of one.  Only a handler sees them
 *      one by one.
 *   7. Hold no lock of yours while you call emit(), done() or resume(): other
 *      plugins, and your own done(), may run before they return.  Your own
 *      process() and submit() never do.
 */
#ifndef EVH_PLUGIN_H
#define EVH_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * ABI history.  Not a new ABI: a member added at the end of a struct whose
 * size the other side is told (all but evh_bytes and evh_header, which never
 * change), where 0 means "as before"; and a value added to an enum that only
 * plugins fill in, which an older host refuses by name.  Anything else is.
 *
 *   1  (unreleased)  first version
 */
#define EVH_ABI 1

#if defined(__GNUC__) || defined(__clang__)
#define EVH_EXPORT	      __attribute__((visibility("default")))
#define EVH_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define EVH_EXPORT
#define EVH_PRINTF(fmt, args)
#endif

struct evh_ctx;
struct evh_metric;

/* ---- Events ----------------------------------------------------------- */

struct evh_bytes {
	const void *data;
	size_t len;
};

struct evh_header {
	const char *name;
	struct evh_bytes value; /* in an event, a NUL follows it */
};

/*
 * What a sink is to keep an event as: PENDING when somebody else will process
 * it (http_ingest says so), PROCESSED when this pipeline does (kafka_source),
 * FAILED on its way to on_fail, DROPPED on its way to on_drop.
 */
enum evh_status { EVH_PENDING = 1, EVH_PROCESSED, EVH_FAILED, EVH_DROPPED };

/*
 * What plugins see of an event.  Read it; to change it, call the ctx.
 * The host keeps more behind it: never copy one, never take its size.
 */
struct evh_event {
	unsigned char id[16];  /* same id on redelivery: dedup on it */
	int64_t created_ns;    /* wall clock at creation, UTC */
	const char *name;      /* "user.created" */
	struct evh_bytes data; /* JSON; when FAILED, perhaps not */
	struct evh_bytes key;  /* orders, partitions; may be empty */
	const struct evh_header *headers;
	uint32_t n_headers;
	enum evh_status status;
	const char *error; /* why it failed, JSON; or NULL */
	const char *topic; /* where it came from; or NULL */
	int64_t offset;
	int32_t partition; /* orders, when there is no key */
	uint32_t attempt;  /* at this element, 1 the first time */
	uint32_t attempts; /* tries in all: those before this host,
			    * this pass, each retry of a handler */
	uintptr_t cookie;  /* belongs to the source that made it */
	/* In done(EVH_OK): 1, the chain has not had it yet, but evhd's spool
	 * has it on this machine's disk. */
	uint32_t is_spooled;
};

/* The one vocabulary for "what became of it".  0 is not a result. */
/* clang-format off */
enum evh_result {   /* handler and sink say  | the source hears */
	EVH_OK = 1, /* go on                 | the whole chain has it */
	EVH_DROP,   /* handler: to on_drop   | ended on purpose, or failed and kept */
	EVH_RETRY,  /* not now: ask me again | not delivered: try later */
	EVH_FAIL,   /* never: off to on_fail | failed, and nobody keeps it */
	EVH_HOLD,   /* handler: mine until I call resume() */
};
/* clang-format on */

/* With -fshort-enums host and plugin would disagree: this has size -1 then. */
typedef char evh_enums_are_ints[sizeof(enum evh_result) == 4 ? 1 : -1];

struct evh_spec {
	/* NULL: the host makes one.  A child's follows from its parent's id and
	 * its number, so that redelivery makes the same ids again. */
	const unsigned char *id;
	int64_t created_ns; /* 0: now */
	const char *name;
	struct evh_bytes data;
	struct evh_bytes key;
	const struct evh_header *headers;
	uint32_t n_headers;
	enum evh_status status; /* 0: EVH_PENDING */
	uint32_t attempts;	/* tries that it has behind it */
	const char *topic;	/* this and the next two: a child has */
	int64_t offset;		/* its parent's */
	int32_t partition;
	uintptr_t cookie;
	/* NULL: everything is copied.  Otherwise data and key are borrowed, and
	 * release(release_arg) is called once, after done(), when the event
	 * ends; not if event_new() failed. [any] */
	void (*release)(void *arg);
	void *release_arg;
};

/* ---- What the host does for an instance -------------------------------- */

enum evh_level { EVH_DEBUG = 1, EVH_INFO, EVH_WARN, EVH_ERROR };
enum evh_metric_kind { EVH_COUNTER = 1, EVH_GAUGE, EVH_HISTOGRAM };

/*
 * One per instance, made by the host, valid from create() until destroy()
 * returns.  All functions may be called on [any] thread; those that take an
 * event only by whoever has it, or by the handler that looks at it.
 */
struct evh_ctx {
	uint32_t size;	     /* in the host that made it, */
	uint32_t event_size; /* and of its struct evh_event */
	const char *name;    /* the title of the config section */

	/* Options, already checked against evh_plugin.options; the strings live
	 * as long as ctx.  opt_int: all numbers, and EVH_BOOL.  opt_at: the
	 * i-th of a list or map, NULL behind the last; ret_key may be NULL.
	 * A name that evh_plugin.options does not have gives NULL or 0, and
	 * the host says once in the log that you asked for it. */
	const char *(*opt_str)(struct evh_ctx *ctx, const char *name);
	int64_t (*opt_int)(struct evh_ctx *ctx, const char *name);
	const char *(*opt_at)(struct evh_ctx *ctx, const char *name, unsigned i,
			      const char **ret_key);

	/* In process() the host adds the event's id by itself. */
	void (*log)(struct evh_ctx *ctx, enum evh_level level, const char *fmt,
		    ...) EVH_PRINTF(3, 4);
	/* A counter adds the value, a gauge takes it (INT64_MIN: not shown), a
	 * histogram files it by powers of two (name it with its unit:
	 * "commit_seconds"; values are nanoseconds there).  Labels are NULL or
	 * "topic=a,partition=3"; the same name and labels, the same metric.
	 * NULL, and a line in the log, when name or labels are none, or have
	 * more than some 900 bytes.  record() is cheap enough for every event,
	 * and ignores NULL. */
	struct evh_metric *(*metric)(struct evh_ctx *ctx,
				     enum evh_metric_kind kind,
				     const char *name, const char *labels,
				     const char *help);
	void (*record)(struct evh_metric *metric, int64_t value);
	/* Ready to work (NULL), or not and why: then pipelines that need you
	 * take nothing new, offer you nothing, and EVH_RETRY costs no attempt.
	 * You are ready after start() unless you say otherwise. */
	void (*ready)(struct evh_ctx *ctx, const char *why_not);
	/* It can never work again (fenced by another member): evhd stops. */
	void (*fatal)(struct evh_ctx *ctx, const char *why);
	/* Calls fn(self) every `ms` ms, from start() to stop(). [main] */
	int (*every)(struct evh_ctx *ctx, unsigned ms, void (*fn)(void *self));

	/* New event, yours; NULL when out of memory.  With a parent, the parent
	 * is not done before this one is. */
	struct evh_event *(*event_new)(struct evh_ctx *ctx,
				       const struct evh_spec *spec,
				       struct evh_event *parent);
	/* Takes back what you made and will not emit. */
	void (*event_free)(struct evh_ctx *ctx, struct evh_event *const *evs,
			   int n);
	void *(*event_alloc)(struct evh_ctx *ctx, struct evh_event *ev,
			     size_t n);
	/* Copied.  For handlers, and for a source before emit(); a sink may
	 * only set the error: a short code ("22P05", "timeout") and a sentence.
	 * The event's error has the sentence, which element it was ("stage")
	 * and what kind of failure ("type"), and the code when that is an
	 * SQLSTATE; other codes are in the log alone.  A NULL header value
	 * removes the header. */
	int (*set_data)(struct evh_ctx *ctx, struct evh_event *ev,
			struct evh_bytes data);
	int (*set_key)(struct evh_ctx *ctx, struct evh_event *ev,
		       struct evh_bytes key);
	int (*set_header)(struct evh_ctx *ctx, struct evh_event *ev,
			  const char *name, const char *value);
	int (*set_error)(struct evh_ctx *ctx, struct evh_event *ev,
			 const char *code, const char *fmt, ...)
		EVH_PRINTF(4, 5);

	/* Source: takes the first k events and returns k; they may be gone when
	 * it does.  The rest are still yours.  -EAGAIN: no room in time, or an
	 * instance that the chain needs is not ready.  -ESHUTDOWN: stopping.
	 * timeout_ms 0 never waits, -1 waits; within a callback (done, every)
	 * it never does.  An event whose error is set has failed already, and
	 * goes straight to on_fail.
	 * Handler: children of the event it is at; takes them all.  They go on
	 * behind it, in the parent's turn and room, once it says OK or DROP. */
	int (*emit)(struct evh_ctx *ctx, struct evh_event *const *evs, int n,
		    int timeout_ms);
	/* Sink: takes the events.  result is EVH_OK, EVH_RETRY or EVH_FAIL; a
	 * batch with mixed results is several calls.  Events of one key are
	 * answered in the order in which they were taken; after EVH_RETRY for
	 * one, so is every later one of the key that you have, or take before
	 * this returns, which is when every submit() that had begun has. */
	void (*done)(struct evh_ctx *ctx, struct evh_event *const *evs, int n,
		     enum evh_result result);
	/* Handler: takes the event, as if process() had returned `result` now.
	 * May come before process() has returned its EVH_HOLD. */
	void (*resume)(struct evh_ctx *ctx, struct evh_event *ev,
		       enum evh_result result);

	/* What the instance that an EVH_INSTANCE option names offers as `id`,
	 * or NULL.  Valid from your start() to the end of your stop().
	 * Instance NULL is the host: "evh.host/1".  See evh/services.h. */
	const void *(*service)(struct evh_ctx *ctx, const char *name,
			       const char *id);
};

/* True when the host is new enough to have this member of ctx, of events. */
#define EVH_CTX_HAS(ctx, member)                                               \
	((ctx)->size >=                                                        \
	 offsetof(struct evh_ctx, member) + sizeof((ctx)->member))
#define EVH_EVENT_HAS(ctx, member)                                             \
	((ctx)->event_size >= offsetof(struct evh_event, member) +             \
				      sizeof(((struct evh_event *)0)->member))

/* ---- What a plugin is --------------------------------------------------- */

/* A service has no events: an admin page, a connection that others share. */
enum evh_kind { EVH_SOURCE = 1, EVH_HANDLER, EVH_SINK, EVH_SERVICE };

enum evh_threads {
	EVH_SERIAL = 1, /* process, submit, done, every: one call at a time per
			 * instance; submit may wait: the safe choice */
	EVH_PARALLEL,	/* I lock for myself, and my submit never waits */
};

enum evh_type {
	EVH_STR = 1,
	EVH_INT,
	EVH_BOOL,
	EVH_SIZE,     /* bytes: "64M" */
	EVH_MSEC,     /* "1500ms", "30s", "5m" */
	EVH_SECRET,   /* a string never shown; NAME_file = "path" does too */
	EVH_LIST,     /* of strings: { "user.*", "order.*" } */
	EVH_MAP,      /* all settings NAME.anything = value */
	EVH_INSTANCE, /* another instance's name, started before this one */
};

/* Write rows with .name = ..., so that new members keep them valid. */
struct evh_option {
	const char *name;
	enum evh_type type;
	const char *def; /* NULL: the user must give it */
	const char *help;
	/* "1..65535", "text|json"; or NULL.  EVH_INSTANCE: the service that
	 * it has to offer, EVH_STORE_1; evhd does not start with another. */
	const char *values;
};

/* A word on evhd's command line, e.g. `evhd migrate -c FILE upgrade head`. */
struct evh_command {
	const char *name;
	const char *usage;
	/* self is created, not started, and no other instance is there: open
	 * what you need yourself.  argv[0] is the name; evhd's own options are
	 * taken out.  Returns evhd's exit code. [main] */
	int (*run)(void *self, int argc, char **argv);
};

struct evh_plugin {
	uint32_t abi;	    /* these five by EVH_PLUGIN_HEAD: the */
	uint32_t size;	    /* sizes of what the plugin makes and */
	uint32_t spec_size; /* the host reads */
	uint32_t option_size;
	uint32_t command_size;
	enum evh_kind kind;
	enum evh_threads threads;
	const char *name;
	const char *version;
	const char *summary;
	const struct evh_option *options;   /* ends with { 0 }; or NULL */
	const struct evh_command *commands; /* ends with { 0 }; or NULL */

	/* Life, all [main], in this order.  Only create is required.
	 * create: read options, allocate; no network, no threads, no services.
	 *         If it fails, nothing else is called.
	 * start:  connect, open, spawn.  A server that is away is no failure:
	 *         say so with ready() and go on trying.  If it fails, undo your
	 *         half of it: stop() is not called.
	 * drain:  source: make no more events; emit() says -ESHUTDOWN, done()
	 *         still comes.
	 * flush:  handler, sink: finish what you have; what would take longer
	 *         than timeout_ms, answer EVH_RETRY.  You owe nothing when you
	 *         return.  May come again: events still arrive.  Who holds
	 *         events needs it: without, stopping waits for them until
	 *         shutdown_timeout is over.
	 * stop:   undo start, in timeout_ms.  No event of yours is left, and
	 *         whoever uses your service has stopped.
	 * destroy: undo create.  The last call. */
	int (*create)(struct evh_ctx *ctx, void **ret_self);
	int (*start)(void *self);
	void (*drain)(void *self);
	void (*flush)(void *self, int timeout_ms);
	void (*stop)(void *self, int timeout_ms);
	void (*destroy)(void *self);

	/* Work, exactly the one that goes with `kind`.
	 * done:    source: the events you emitted came to this end.  They are
	 *          gone when you return.  May come before emit() returns. [any]
	 * process: handler: look at the event, change it; you do not take it,
	 *          unless you return EVH_HOLD.  RETRY and FAIL undo what this
	 *          try has changed and emitted, but for the error. [worker]
	 * submit:  sink: takes the first k of n events and returns k; owes each
	 *          of them one ctx->done(), now or later, but in a bounded time
	 *          of its own.  Negative takes none.  The host keeps the rest
	 *          and offers it again.  What is answered within submit() goes
	 *          on when it has returned: of one key answer all that you take
	 *          now, or all of it later.  It never waits for a done() of its
	 *          own.  Negative but for -EAGAIN is logged. [worker],
	 * EVH_PARALLEL [any] */
	void (*done)(void *self, struct evh_event *const *evs, int n,
		     enum evh_result result);
	enum evh_result (*process)(void *self, struct evh_event *ev);
	int (*submit)(void *self, struct evh_event *const *evs, int n);

	/* Optional: what ctx->service() finds here, a struct that begins with
	 * the `self` its functions take.  Owned by the plugin.  Once created
	 * it is not NULL for what the plugin offers. [any] */
	const void *(*service)(void *self, const char *id);
};

#if defined(__cplusplus) && __cplusplus < 202002L /* no designators there */
#define EVH_PLUGIN_HEAD                                                        \
	EVH_ABI, sizeof(struct evh_plugin), sizeof(struct evh_spec),           \
		sizeof(struct evh_option), sizeof(struct evh_command)
#else
#define EVH_PLUGIN_HEAD                                                        \
	.abi = EVH_ABI, .size = sizeof(struct evh_plugin),                     \
	.spec_size = sizeof(struct evh_spec),                                  \
	.option_size = sizeof(struct evh_option),                              \
	.command_size = sizeof(struct evh_command)
#endif

/* The only symbol a plugin exports. */
EVH_EXPORT extern const struct evh_plugin evh_plugin;

#ifdef __cplusplus
}
#endif

#endif /* EVH_PLUGIN_H */

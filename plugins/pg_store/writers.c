#include "writers.h"

#include <errno.h>

int
writers_init(struct writers *writers, const struct settings *settings)
{
	int rc;

	for (writers->n = 0; writers->n < settings->writers; writers->n++) {
		rc = queue_init(&writers->queues[writers->n],
				settings->queue_events);
		if (rc < 0) {
			writers_fini(writers);
			return rc;
		}
	}
	return 0;
}

void
writers_fini(struct writers *writers)
{
	while (writers->n > 0)
		queue_fini(&writers->queues[--writers->n]);
}

static void
stop_first(struct writers *writers, unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++)
		writer_quit(&writers->writers[i]);
	for (i = 0; i < n; i++)
		writer_join(&writers->writers[i]);
	outage_fini(&writers->outage);
}

int
writers_start(struct writers *writers, struct evh_ctx *ctx,
	      const struct settings *settings)
{
	unsigned i;
	int rc;

	outage_init(&writers->outage, ctx, writers->n);
	ctx->ready(ctx, "connecting to PostgreSQL");
	for (i = 0; i < writers->n; i++) {
		rc = writer_start(&writers->writers[i], i, ctx, settings,
				  &writers->queues[i], &writers->outage);
		if (rc < 0) {
			stop_first(writers, i);
			return rc;
		}
	}
	return 0;
}

void
writers_stop(struct writers *writers)
{
	stop_first(writers, writers->n);
}

/* FNV-1a. */
static uint32_t
hash(const struct evh_bytes *key)
{
	const unsigned char *p = key->data;
	uint32_t hash = 0x811c9dc5u;
	size_t i;

	for (i = 0; i < key->len; i++)
		hash = (hash ^ p[i]) * 0x01000193u;
	return hash ^ hash >> 16;
}

unsigned
writers_choose(const struct evh_event *ev, unsigned n)
{
	if (n == 1)
		return 0;
	if (ev->key.len)
		return hash(&ev->key) % n;
	/* The partitions that one consumer has lie side by side. */
	if (ev->topic)
		return (unsigned)ev->partition % n;
	return ev->id[sizeof(ev->id) - 1] % n;
}

/* Those at the front that go to the same writer. */
static int
run_length(unsigned chosen, unsigned n_writers, struct evh_event *const *evs,
	   int n)
{
	int i;

	for (i = 1; i < n && writers_choose(evs[i], n_writers) == chosen; i++)
		;
	return i;
}

int
writers_push(struct writers *writers, struct evh_event *const *evs, int n)
{
	unsigned i, sleepers = 0; /* a bit each */
	int done = 0, run, rc;
	bool sleeps;

	do {
		i = writers_choose(evs[done], writers->n);
		run = run_length(i, writers->n, evs + done, n - done);
		rc = queue_push(&writers->queues[i], evs + done, run, &sleeps);
		if (rc < 0)
			break;
		done += rc;
		if (sleeps)
			sleepers |= 1u << i;
	} while (rc == run && done < n);

	/* Not before: who is woken for the first of many writes it alone. */
	for (i = 0; sleepers >> i; i++)
		if (sleepers >> i & 1)
			queue_wake(&writers->queues[i]);
	return done > 0 ? done : rc;
}

/* Once more: while one was waited for, others may have got something. */
static bool
are_idle(struct writers *writers)
{
	unsigned i;

	for (i = 0; i < writers->n; i++)
		if (!queue_is_idle(&writers->queues[i]))
			return false;
	return true;
}

int
writers_wait_idle(struct writers *writers, int64_t deadline)
{
	unsigned i;
	int rc;

	do {
		for (i = 0; i < writers->n; i++) {
			rc = queue_wait_idle(&writers->queues[i], deadline);
			if (rc < 0)
				return rc;
		}
	} while (!are_idle(writers));
	return 0;
}

void
writers_cancel(struct writers *writers)
{
	unsigned i;

	for (i = 0; i < writers->n; i++)
		writer_cancel(&writers->writers[i]);
}

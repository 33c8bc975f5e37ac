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

int
writers_push(struct writers *writers, struct evh_event *const *evs, int n)
{
	int start = 0, i, rc;
	unsigned chosen, next;

	next = writers_choose(evs[0], writers->n);
	while (start < n) {
		chosen = next;
		for (i = start + 1; i < n; i++) {
			next = writers_choose(evs[i], writers->n);
			if (next != chosen)
				break;
		}
		rc = queue_push(&writers->queues[chosen], evs + start,
				i - start);
		if (rc < 0)
			return start > 0 ? start : rc;
		start += rc;
		if (start < i)
			break;
	}
	return start;
}

int
writers_wait_idle(struct writers *writers, int64_t deadline)
{
	unsigned i;
	int rc;

	for (i = 0; i < writers->n; i++) {
		rc = queue_wait_idle(&writers->queues[i], deadline);
		if (rc < 0)
			return rc;
	}
	return 0;
}

void
writers_cancel(struct writers *writers)
{
	unsigned i;

	for (i = 0; i < writers->n; i++)
		writer_cancel(&writers->writers[i]);
}

/*
 * client.c - a source with somebody waiting, as http_ingest is one.
 */
#include <stdio.h>
#include <string.h>

#include "ends.h"
#include "failure.h"
#include "oracle.h"
#include "strand.h"
#include "walker.h"

#define BATCH_MAX 5u
#define DATA_MAX  1500u
/* So that no cookie of a client is one of a topic's. */
#define COOKIE_FIRST ((uintptr_t)1 << 62)

static struct evh_event *
make(struct end *source, bool has_key)
{
	static const char *const names[] = { "a.x", "b.x", "c.x" };
	static const char keys[] = "klmnopqr";
	static char data[DATA_MAX];
	struct scene *s = source->scene;
	unsigned serial = ++s->serial;
	unsigned char id[16] = "client";
	struct evh_spec spec = {
		.id = id,
		.name = names[chance_below(s->chance, 3)],
		.key = { &keys[chance_below(s->chance, s->n_keys)],
			 has_key && chance_of(s->chance, 85) },
		.cookie = COOKIE_FIRST + serial,
	};
	struct evh_event *ev;

	memcpy(id + 8, &serial, sizeof(serial));
	spec.data =
		(struct evh_bytes){ data,
				    chance_of(s->chance, 20)
					    ? chance_below(s->chance, DATA_MAX)
					    : chance_below(s->chance, 20) };
	ev = source->ctx->event_new(source->ctx, &spec, NULL);
	if (ev != NULL && chance_of(s->chance, 3))
		(void)source->ctx->set_error(source->ctx, ev, "invalid",
					     "not what it should be");
	return ev;
}

void
client_emit(struct end *source)
{
	struct scene *s = source->scene;
	unsigned n = chance_between(s->chance, 1, BATCH_MAX);
	int timeout_ms = chance_of(s->chance, 15) ? 20 : 0;
	struct evh_event *evs[END_HELD_MAX];
	unsigned left = source->n_held;
	int k;

	source->is_busy = true;
	memcpy(evs, source->held, left * sizeof(evs[0]));
	source->n_held = 0;
	while (left < n && !walkers_are_many()) {
		struct evh_event *ev = make(source, true);

		if (ev == NULL)
			break;
		evs[left++] = ev;
	}
	if (left == 0) {
		source->is_busy = false;
		return;
	}
	k = ends_emit(source, evs, (int)left, timeout_ms);
	n = k > 0 ? (unsigned)k : 0;
	left -= n;
	memcpy(source->held, evs + n, left * sizeof(evs[0]));
	source->n_held = left;
	if (chance_of(s->chance, 50))
		client_drop(source);
	source->is_busy = false;
}

void
client_drop(struct end *source)
{
	source->ctx->event_free(source->ctx, source->held, (int)source->n_held);
	source->n_held = 0;
}

void
client_done(struct end *source, struct evh_event *const *evs, int n,
	    enum evh_result result)
{
	struct scene *s = source->scene;
	struct evh_event *ev;

	for (int i = 0; i < n; i++)
		(void)oracle_done(source, evs[i], result);
	strand_point();
	/* Another one, from within the callback.  Without a key: what its own
	 * emit() waits with on another thread has no order with this. */
	if (!chance_of(s->chance, 5) || walkers_are_many() || s->is_calm)
		return;
	ev = make(source, false);
	if (ev != NULL && ends_emit(source, &ev, 1, 20) < 0)
		source->ctx->event_free(source->ctx, &ev, 1);
}

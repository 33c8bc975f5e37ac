#include "late.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "uuid_text.h"

#define FIRST_MAX 8

int
late_init(struct late *late)
{
	*late = (struct late){ 0 };
	return -pthread_mutex_init(&late->lock, NULL);
}

void
late_fini(struct late *late)
{
	free(late->named);
	pthread_mutex_destroy(&late->lock);
}

/* A place for one that is late since then, or NULL.  Under lock. */
static struct late_event *
place_make(struct late *late, int64_t since_ns)
{
	unsigned i = late->n_named;

	if (late->n_named == late->n_max) {
		unsigned n_max = late->n_max > 0 ? 2 * late->n_max : FIRST_MAX;
		struct late_event *named =
			realloc(late->named, n_max * sizeof(*named));

		if (!named)
			return NULL;
		late->named = named;
		late->n_max = n_max;
	}
	/* Mostly the newest: they are noticed one after the other. */
	for (; i > 0 && late->named[i - 1].since_ns > since_ns; i--)
		late->named[i] = late->named[i - 1];
	late->n_named++;
	return &late->named[i];
}

void
late_add(struct late *late, const unsigned char id[16], int64_t since_ns,
	 bool is_held)
{
	struct late_event *ev;

	pthread_mutex_lock(&late->lock);
	late->n++;
	ev = place_make(late, since_ns);
	if (ev) {
		memcpy(ev->id, id, sizeof(ev->id));
		ev->since_ns = since_ns;
		ev->is_held = is_held;
	}
	pthread_mutex_unlock(&late->lock);
}

void
late_remove(struct late *late, const unsigned char id[16])
{
	pthread_mutex_lock(&late->lock);
	late->n--;
	for (unsigned i = 0; i < late->n_named; i++) {
		if (memcmp(late->named[i].id, id, 16) != 0)
			continue;
		late->n_named--;
		memmove(&late->named[i], &late->named[i + 1],
			(late->n_named - i) * sizeof(*late->named));
		break;
	}
	pthread_mutex_unlock(&late->lock);
}

void
late_hold(struct late *late, const unsigned char id[16])
{
	pthread_mutex_lock(&late->lock);
	for (unsigned i = 0; i < late->n_named; i++)
		if (memcmp(late->named[i].id, id, 16) == 0)
			late->named[i].is_held = true;
	pthread_mutex_unlock(&late->lock);
}

/* Under lock. */
static void
describe(const struct late *late, int64_t now_ns, char *ret, size_t size)
{
	const struct late_event *ev = &late->named[0];
	char others[48] = "";
	char id[UUID_TEXT_LEN + 1] = "";
	long long s;

	if (late->n_named == 0) {
		snprintf(ret, size, "%u events are late", late->n);
		return;
	}
	uuid_write(ev->id, id);
	s = (long long)((now_ns - ev->since_ns) / NS_PER_S);
	if (late->n > 1)
		snprintf(others, sizeof(others), ", and %u more are late",
			 late->n - 1);
	if (ev->is_held)
		snprintf(ret, size,
			 "it holds event %s for %lld s without resume()%s", id,
			 s, others);
	else
		snprintf(ret, size,
			 "process() of event %s has not returned for %lld s%s",
			 id, s, others);
}

bool
late_describe(struct late *late, int64_t now_ns, char *ret, size_t size)
{
	bool is_any;

	pthread_mutex_lock(&late->lock);
	is_any = late->n > 0;
	if (is_any)
		describe(late, now_ns, ret, size);
	else if (size > 0)
		*ret = '\0';
	pthread_mutex_unlock(&late->lock);
	return is_any;
}

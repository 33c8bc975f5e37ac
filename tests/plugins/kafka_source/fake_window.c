#include "fake_window.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answers.h"
#include "condition.h"
#include "consumer.h"
#include "deadline.h"
#include "fake_host.h"

#define ANSWER_MAX 500

struct fake_event {
	struct evh_event pub; /* first */
	struct fake_event *next;
	void (*release)(void *arg);
	void *release_arg;
	enum evh_result answer; /* decided and not given yet */
	char name[1024];
};

static struct fake_host *
host_of(struct evh_ctx *ctx)
{
	return (struct fake_host *)ctx;
}

static struct evh_event *
fake_event_new(struct evh_ctx *ctx, const struct evh_spec *spec,
	       struct evh_event *parent)
{
	struct fake_host *host = host_of(ctx);
	struct fake_event *ev = malloc(sizeof(*ev));

	(void)parent;
	if (ev == NULL)
		return NULL;
	ev->next = NULL;
	ev->answer = 0;
	ev->release = spec->release;
	ev->release_arg = spec->release_arg;
	(void)snprintf(ev->name, sizeof(ev->name), "%s", spec->name);
	ev->pub = (struct evh_event){
		.created_ns = spec->created_ns,
		.name = ev->name,
		.data = spec->data,
		.key = spec->key,
		.n_headers = spec->n_headers,
		.status = spec->status,
		.topic = spec->topic,
		.offset = spec->offset,
		.partition = spec->partition,
		.attempts = spec->attempts,
		.cookie = spec->cookie,
	};
	memcpy(ev->pub.id, spec->id, sizeof(ev->pub.id));
	__atomic_fetch_add(&host->n_made, 1, __ATOMIC_SEQ_CST);
	return &ev->pub;
}

static void
fake_event_free(struct evh_ctx *ctx, struct evh_event *const *evs, int n)
{
	struct fake_host *host = host_of(ctx);

	fake_host_note_call(host);
	for (int i = 0; i < n; i++) {
		struct fake_event *ev = (struct fake_event *)evs[i];

		__atomic_fetch_sub(&host->n_made, 1, __ATOMIC_SEQ_CST);
		ev->release(ev->release_arg);
		free(ev);
	}
}

static int
fake_set_error(struct evh_ctx *ctx, struct evh_event *ev, const char *code,
	       const char *fmt, ...)
{
	(void)ctx;
	(void)fmt;
	ev->error = code;
	return 0;
}

static void
record_event(struct fake_host *host, const struct evh_event *ev)
{
	struct fake_record *records;
	unsigned size;

	if (host->n_records == host->size_records) {
		size = host->size_records ? host->size_records * 2 : 1024;
		records = realloc(host->records, size * sizeof(*records));
		if (records == NULL)
			abort();
		host->records = records;
		host->size_records = size;
	}
	host->records[host->n_records] = (struct fake_record){
		.partition = ev->partition,
		.offset = ev->offset,
		.is_poison = ev->error != NULL,
		.attempts = ev->attempts,
		.n_headers = ev->n_headers,
		.data_len = ev->data.len,
	};
	memcpy(host->records[host->n_records++].id, ev->id, sizeof(ev->id));
}

/* As a host, at the next event of a lane that stands. */
static bool
has_room(const struct fake_host *host, const struct evh_event *ev)
{
	if (host->lane_window > 0 && ev->partition == 0 &&
	    host->n_in_lane >= host->lane_window)
		return false;
	return host->n_in_flight < host->window;
}

static int
fake_emit(struct evh_ctx *ctx, struct evh_event *const *evs, int n,
	  int timeout_ms)
{
	struct fake_host *host = host_of(ctx);
	int64_t due_ns = deadline_in(timeout_ms);
	int k = 0, r = -EAGAIN;

	pthread_mutex_lock(&host->lock);
	host->n_emits++;
	while (!has_room(host, evs[0]) && timeout_ms > 0 &&
	       !host->is_not_ready && !host->is_draining &&
	       condition_wait(&host->changed, &host->lock, due_ns))
		;
	if (host->is_draining)
		r = -ESHUTDOWN;
	else if (!host->is_not_ready)
		for (; k < n && has_room(host, evs[k]); k++) {
			struct fake_event *ev = (struct fake_event *)evs[k];

			if (host->keeps_records)
				record_event(host, &ev->pub);
			else
				host->n_records++;
			*host->tail = ev;
			host->tail = &ev->next;
			host->n_in_lane += ev->pub.partition == 0;
			host->n_in_flight++;
		}
	if (k == 0)
		host->n_refused++;
	pthread_cond_broadcast(&host->changed);
	pthread_mutex_unlock(&host->lock);
	return k > 0 ? k : r;
}

/* decide() is asked until it has said something, and never again. */
static enum evh_result
answer_of(struct fake_host *host, struct fake_event *ev)
{
	if (ev->answer != 0)
		return ev->answer;
	if (host->is_held) /* and draining */
		ev->answer = EVH_RETRY;
	else if (host->decide != NULL)
		ev->answer = host->decide(host, &ev->pub);
	else
		ev->answer = EVH_OK;
	return ev->answer;
}

/* The first events that have the same answer, taken out of the list. */
static int
take_answers(struct fake_host *host, struct evh_event **evs,
	     enum evh_result *ret_result)
{
	struct fake_event **at = &host->first;
	struct fake_event *ev;
	enum evh_result result;
	int n = 0;

	while ((ev = *at) != NULL && n < ANSWER_MAX) {
		result = answer_of(host, ev);
		if (result == 0 || (n > 0 && result != *ret_result)) {
			at = &ev->next;
			continue;
		}
		*ret_result = result;
		*at = ev->next;
		evs[n++] = &ev->pub;
	}
	if (*at == NULL)
		host->tail = at;
	return n;
}

static void
be_slow(struct fake_host *host)
{
	int64_t due_ns = deadline_in(host->slow_ms);

	while (host->slow_ms > 0 && !host->is_over &&
	       condition_wait(&host->changed, &host->lock, due_ns))
		;
}

static void *
answer_thread(void *arg)
{
	struct fake_host *host = arg;
	struct evh_event *evs[ANSWER_MAX];
	enum evh_result result = EVH_OK;
	unsigned n_lane;
	int n;

	pthread_mutex_lock(&host->lock);
	while (!host->is_over) {
		be_slow(host);
		n = 0;
		if (!host->is_held || host->is_draining)
			n = take_answers(host, evs, &result);
		if (n == 0) {
			if (!host->is_over)
				pthread_cond_wait(&host->changed, &host->lock);
			continue;
		}
		n_lane = 0;
		for (int i = 0; i < n; i++)
			n_lane += evs[i]->partition == 0;
		pthread_mutex_unlock(&host->lock);
		answers_take(host->consumer, evs, n, result);
		fake_event_free(&host->ctx, evs, n);
		pthread_mutex_lock(&host->lock);
		host->n_in_lane -= n_lane;
		host->n_in_flight -= (unsigned)n;
		host->n_answered += (unsigned)n;
		pthread_cond_broadcast(&host->changed);
	}
	pthread_mutex_unlock(&host->lock);
	return NULL;
}

void
fake_window_init(struct fake_host *host)
{
	host->ctx.event_new = fake_event_new;
	host->ctx.event_free = fake_event_free;
	host->ctx.set_error = fake_set_error;
	host->ctx.emit = fake_emit;
	host->tail = &host->first;
}

int
fake_window_open(struct fake_host *host)
{
	return -pthread_create(&host->thread, NULL, answer_thread, host);
}

void
fake_window_close(struct fake_host *host)
{
	fake_host_lock(host);
	host->is_over = true;
	pthread_cond_broadcast(&host->changed);
	fake_host_unlock(host);
	(void)pthread_join(host->thread, NULL);
}

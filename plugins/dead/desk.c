#include "desk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define N_STRINGS 5

/* ---- A request ------------------------------------------------------------
 */

static void
request_free(struct desk_request *request)
{
	if (request)
		free(request->strings);
	free(request);
}

/* The query's strings, one behind the other in memory of the request's. */
static int
strings_copy(struct desk_request *request)
{
	struct evh_dead_query *q = &request->query;
	const char **strings[N_STRINGS] = { &q->name, &q->stage, &q->type,
					    &q->sqlstate, &q->text };
	size_t size = 1;
	char *at;

	for (size_t i = 0; i < N_STRINGS; i++)
		if (*strings[i])
			size += strlen(*strings[i]) + 1;
	request->strings = at = malloc(size);
	if (!at)
		return -ENOMEM;
	for (size_t i = 0; i < N_STRINGS; i++) {
		size_t len;

		if (!*strings[i])
			continue;
		len = strlen(*strings[i]) + 1;
		memcpy(at, *strings[i], len);
		*strings[i] = at;
		at += len;
	}
	return 0;
}

static struct desk_request *
request_new(const struct evh_dead_query *query, evh_dead_letter *letter,
	    evh_dead_end *end, void *arg)
{
	struct desk_request *request = calloc(1, sizeof(*request));

	if (!request)
		return NULL;
	request->query = *query;
	request->letter = letter;
	request->end = end;
	request->arg = arg;
	if (query->id) {
		memcpy(request->id, query->id, sizeof(request->id));
		request->query.id = request->id;
	}
	if (strings_copy(request) < 0) {
		request_free(request);
		return NULL;
	}
	return request;
}

/* ---- The desk's thread ----------------------------------------------------
 */

static bool
desk_is_stopping(struct desk *desk)
{
	return atomic_load(&desk->is_stopping);
}

int
desk_is_over(struct desk *desk, const struct desk_request *request)
{
	if (desk_is_stopping(desk))
		return -ESHUTDOWN;
	return atomic_load(&request->is_cancelled) ? -ECANCELED : 0;
}

int
desk_give(struct desk *desk, const struct desk_request *request,
	  const struct evh_letter *letter, struct desk_outcome *outcome)
{
	int rc = desk_is_over(desk, request);

	if (rc < 0)
		return rc;
	outcome->n++;
	if (!request->letter)
		return 0;
	return request->letter(request->arg, letter) < 0 ? -ECANCELED : 0;
}

static struct desk_request *
request_next(struct desk *desk)
{
	struct desk_request *request = NULL;

	pthread_mutex_lock(&desk->lock);
	while (desk->n_waiting == 0 && !desk_is_stopping(desk))
		pthread_cond_wait(&desk->changed, &desk->lock);
	if (desk->n_waiting > 0) {
		request = desk->waiting[0];
		desk->n_waiting--;
		memmove(desk->waiting, desk->waiting + 1,
			desk->n_waiting * sizeof(*desk->waiting));
	}
	desk->at_work = request;
	pthread_mutex_unlock(&desk->lock);
	return request;
}

/* Nobody can cancel it any more, and what was meant for it is no reason to end
 * the next one. */
static void
request_end(struct desk *desk)
{
	eventfd_t n;

	pthread_mutex_lock(&desk->lock);
	desk->at_work = NULL;
	if (!desk_is_stopping(desk))
		(void)eventfd_read(desk->stop_fd, &n);
	pthread_mutex_unlock(&desk->lock);
}

static void *
desk_main(void *arg)
{
	struct desk *desk = arg;
	struct desk_request *request;

	pthread_setname_np(pthread_self(), desk->thread_name);
	while ((request = request_next(desk))) {
		struct desk_outcome outcome = { 0 };
		int rc = desk_is_over(desk, request);

		if (rc == 0)
			rc = desk->work(desk->keeper, request, &outcome);
		request_end(desk);
		request->end(request->arg, rc, outcome.why, outcome.n);
		request_free(request);
	}
	return NULL;
}

/* Under the lock. */
static int
request_queue(struct desk *desk, struct desk_request *request)
{
	int rc;

	if (desk_is_stopping(desk))
		return -ESHUTDOWN;
	if (desk->n_waiting == DESK_WAITING_MAX)
		return -EAGAIN;
	if (!desk->has_thread) {
		rc = pthread_create(&desk->thread, NULL, desk_main, desk);
		if (rc != 0)
			return -EAGAIN;
		desk->has_thread = true;
	}
	desk->waiting[desk->n_waiting++] = request;
	pthread_cond_signal(&desk->changed);
	return 0;
}

/* Takes the request. */
static int
desk_ask(struct desk *desk, struct desk_request *request)
{
	int rc;

	if (!request)
		return -ENOMEM;
	pthread_mutex_lock(&desk->lock);
	rc = request_queue(desk, request);
	pthread_mutex_unlock(&desk->lock);
	if (rc < 0)
		request_free(request);
	return rc;
}

static int
desk_walk(void *self, const struct evh_dead_query *query,
	  evh_dead_letter *letter, evh_dead_end *end, void *arg)
{
	return desk_ask(self, request_new(query, letter, end, arg));
}

static int
desk_discard(void *self, const unsigned char *id, int64_t before_ns,
	     int dry_run, evh_dead_end *end, void *arg)
{
	const struct evh_dead_query query = { .id = id,
					      .before_ns = before_ns };
	struct desk_request *request = request_new(&query, NULL, end, arg);

	if (request) {
		request->is_discard = true;
		request->is_dry_run = dry_run != 0;
	}
	return desk_ask(self, request);
}

static void
desk_cancel(void *self, void *arg)
{
	struct desk *desk = self;

	pthread_mutex_lock(&desk->lock);
	for (size_t i = 0; i < desk->n_waiting; i++)
		if (desk->waiting[i]->arg == arg)
			atomic_store(&desk->waiting[i]->is_cancelled, true);
	if (desk->at_work && desk->at_work->arg == arg) {
		atomic_store(&desk->at_work->is_cancelled, true);
		(void)eventfd_write(desk->stop_fd, 1);
	}
	pthread_mutex_unlock(&desk->lock);
}

/* ---- Life -----------------------------------------------------------------
 */

int
desk_start(struct desk *desk, const char *thread_name, desk_work *work,
	   void *keeper)
{
	*desk = (struct desk){
		.service = { .self = desk,
			     .walk = desk_walk,
			     .discard = desk_discard,
			     .cancel = desk_cancel },
		.thread_name = thread_name,
		.work = work,
		.keeper = keeper,
		.stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
	};
	if (desk->stop_fd < 0)
		return -errno;
	pthread_mutex_init(&desk->lock, NULL);
	pthread_cond_init(&desk->changed, NULL);
	return 0;
}

void
desk_stop(struct desk *desk)
{
	bool has_thread;

	pthread_mutex_lock(&desk->lock);
	atomic_store(&desk->is_stopping, true);
	has_thread = desk->has_thread;
	pthread_cond_signal(&desk->changed);
	pthread_mutex_unlock(&desk->lock);
	eventfd_write(desk->stop_fd, 1);
	if (has_thread)
		pthread_join(desk->thread, NULL);
	close(desk->stop_fd);
	pthread_cond_destroy(&desk->changed);
	pthread_mutex_destroy(&desk->lock);
}

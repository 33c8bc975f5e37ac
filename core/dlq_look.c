#include "dlq_look.h"

#include <pthread.h>
#include <stdlib.h>

#include "condition.h"
#include "timer.h"

#define ANSWER_NS INT64_C(60000000000) /* a store's own limit is shorter */
#define LOOK_NS	  INT64_C(200000000)   /* whether to wait on */

/* What the store says of the event.  Two have it, and the last one frees it:
 * who waits, and the answer, which comes even when nobody waits any more. */
struct look {
	pthread_mutex_t lock; /* guards: all of it */
	pthread_cond_t changed;
	unsigned n_owners;
	bool is_over, is_there;
	enum evh_status status;
	uint32_t attempts;
};

static struct look *
look_new(void)
{
	struct look *look = calloc(1, sizeof(*look));

	if (!look)
		return NULL;
	look->n_owners = 2;
	if (condition_init(&look->changed) < 0) {
		free(look);
		return NULL;
	}
	pthread_mutex_init(&look->lock, NULL);
	return look;
}

static void
look_leave(struct look *look)
{
	bool is_last;

	pthread_mutex_lock(&look->lock);
	is_last = --look->n_owners == 0;
	pthread_mutex_unlock(&look->lock);
	if (!is_last)
		return;
	pthread_cond_destroy(&look->changed);
	pthread_mutex_destroy(&look->lock);
	free(look);
}

static void
look_row(void *arg, int rc, const struct evh_row *rows, size_t n, int64_t total)
{
	struct look *look = arg;

	(void)total;
	pthread_mutex_lock(&look->lock);
	if (rc == 0 && n > 0) {
		look->is_there = true;
		look->status = rows[0].status;
		look->attempts = rows[0].attempts;
	}
	look->is_over = true;
	pthread_cond_signal(&look->changed);
	pthread_mutex_unlock(&look->lock);
	look_leave(look);
}

/* True when the row is there. */
static bool
look_await(struct look *look, const atomic_bool *stop)
{
	int64_t due_ns = timer_now_ns() + ANSWER_NS;
	bool is_there;

	pthread_mutex_lock(&look->lock);
	while (!look->is_over && !atomic_load(stop) && timer_now_ns() < due_ns)
		(void)condition_wait(&look->changed, &look->lock,
				     timer_now_ns() + LOOK_NS);
	is_there = look->is_over && look->is_there;
	pthread_mutex_unlock(&look->lock);
	return is_there;
}

static const char *
why_done(const struct look *look, const struct evh_letter *letter)
{
	const char *why = NULL;

	switch (look->status) {
	case EVH_PROCESSED:
		why = "it has been processed since";
		break;
	case EVH_DROPPED:
		why = "it has been dropped since";
		break;
	case EVH_FAILED:
		if (look->attempts > letter->attempts)
			why = "it has failed again since, and that is another "
			      "dead letter";
		break;
	case EVH_PENDING:
		/* 0: its row has never heard of the failure. */
		if (look->attempts > 0 && look->attempts >= letter->attempts)
			why = "it is on its way already";
		break;
	}
	return why;
}

const char *
dlq_look_superseded(const struct evh_store *store,
		    const struct evh_letter *letter, const atomic_bool *stop)
{
	struct look *look = look_new();
	const char *why = NULL;

	if (!look)
		return NULL;
	if (store->get(store->self, letter->id, look_row, look) < 0)
		look->n_owners = 1; /* no answer will come */
	else if (look_await(look, stop))
		why = why_done(look, letter);
	look_leave(look);
	return why;
}

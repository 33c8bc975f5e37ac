#include "endings.h"
#include "condition.h"
#include "deadline.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct endings {
	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t less;
	size_t n;		/* not ended */
	struct ending *waiting; /* of these: without a thread */
	bool left;		/* by its owner */
};

struct ending {
	struct endings *g;
	rd_kafka_t *rk;
	struct ending *next;
};

struct endings *
endings_new(void)
{
	struct endings *g = calloc(1, sizeof(*g));

	if (g == NULL)
		return NULL;
	if (condition_init(&g->less) < 0) {
		free(g);
		return NULL;
	}
	pthread_mutex_init(&g->lock, NULL);
	return g;
}

static void
endings_destroy(struct endings *g)
{
	pthread_cond_destroy(&g->less);
	pthread_mutex_destroy(&g->lock);
	free(g);
}

static void *
ending_run(void *arg)
{
	struct ending *b = arg;
	struct endings *g = b->g;
	bool last;

	pthread_setname_np(pthread_self(), "evh-kafka-end");
	rd_kafka_destroy(b->rk);
	free(b);

	pthread_mutex_lock(&g->lock);
	g->n--;
	last = g->left && g->n == 0;
	pthread_cond_broadcast(&g->less);
	pthread_mutex_unlock(&g->lock);
	if (last)
		endings_destroy(g);
	return NULL;
}

/* Lock held, which a new thread does not mind. */
static void
endings_begin(struct endings *g)
{
	struct ending *b;
	pthread_t thread;

	while ((b = g->waiting) != NULL) {
		g->waiting = b->next;
		if (pthread_create(&thread, NULL, ending_run, b) != 0) {
			g->waiting = b;
			return;
		}
		pthread_detach(thread);
	}
}

struct ending *
ending_new(void)
{
	return calloc(1, sizeof(struct ending));
}

void
ending_free(struct ending *ending)
{
	free(ending);
}

void
endings_add(struct endings *g, struct ending *ending, rd_kafka_t *rk)
{
	pthread_mutex_lock(&g->lock);
	g->n++;
	*ending = (struct ending){ g, rk, g->waiting };
	g->waiting = ending;
	endings_begin(g);
	pthread_mutex_unlock(&g->lock);
}

size_t
endings_wait(struct endings *g, int timeout_ms)
{
	int64_t until = deadline_in(timeout_ms);
	size_t n;

	pthread_mutex_lock(&g->lock);
	endings_begin(g);
	while (g->n > 0 && condition_wait(&g->less, &g->lock, until))
		;
	n = g->n;
	pthread_mutex_unlock(&g->lock);
	return n;
}

void
endings_free(struct endings *g)
{
	bool last;

	pthread_mutex_lock(&g->lock);
	g->left = true;
	last = g->n == 0;
	pthread_mutex_unlock(&g->lock);
	if (last)
		endings_destroy(g);
}

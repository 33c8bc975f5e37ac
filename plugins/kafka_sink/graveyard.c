#include "graveyard.h"
#include "clock.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct graveyard {
	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t less;
	size_t n;		/* not ended */
	struct burial *waiting; /* of these: without a thread */
	bool left;		/* by its owner */
};

struct burial {
	struct graveyard *g;
	rd_kafka_t *rk;
	struct burial *next;
};

struct graveyard *
graveyard_new(void)
{
	struct graveyard *g = calloc(1, sizeof(*g));

	if (g == NULL)
		return NULL;
	pthread_mutex_init(&g->lock, NULL);
	clock_cond_init(&g->less);
	return g;
}

static void
graveyard_destroy(struct graveyard *g)
{
	pthread_cond_destroy(&g->less);
	pthread_mutex_destroy(&g->lock);
	free(g);
}

static void *
burial_run(void *arg)
{
	struct burial *b = arg;
	struct graveyard *g = b->g;
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
		graveyard_destroy(g);
	return NULL;
}

/* Lock held, which a new thread does not mind. */
static void
graveyard_begin(struct graveyard *g)
{
	struct burial *b;
	pthread_t thread;

	while ((b = g->waiting) != NULL) {
		g->waiting = b->next;
		if (pthread_create(&thread, NULL, burial_run, b) != 0) {
			g->waiting = b;
			return;
		}
		pthread_detach(thread);
	}
}

void
graveyard_bury(struct graveyard *g, rd_kafka_t *rk)
{
	struct burial *b = malloc(sizeof(*b));

	pthread_mutex_lock(&g->lock);
	g->n++; /* without memory for more it never ends */
	if (b != NULL) {
		*b = (struct burial){ g, rk, g->waiting };
		g->waiting = b;
		graveyard_begin(g);
	}
	pthread_mutex_unlock(&g->lock);
}

size_t
graveyard_wait(struct graveyard *g, int timeout_ms)
{
	struct timespec until = clock_deadline(timeout_ms);
	size_t n;

	pthread_mutex_lock(&g->lock);
	graveyard_begin(g);
	while (g->n > 0 &&
	       pthread_cond_timedwait(&g->less, &g->lock, &until) == 0)
		;
	n = g->n;
	pthread_mutex_unlock(&g->lock);
	return n;
}

void
graveyard_free(struct graveyard *g)
{
	bool last;

	pthread_mutex_lock(&g->lock);
	g->left = true;
	last = g->n == 0;
	pthread_mutex_unlock(&g->lock);
	if (last)
		graveyard_destroy(g);
}

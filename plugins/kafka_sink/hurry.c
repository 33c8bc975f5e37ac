#include "hurry.h"

/* From so many on, those that come within a linger make a better request than
 * each by itself.  Fewer are the work of some eight clients. */
#define BUSY 16
/* A moment with few is no calm. */
#define CALM_LOOKS 16
/* What it may take to notice that there are many, or that it shall end. */
#define FLUSH_MS 10

/* Is any on its way, of few?  Waits for a while until none is. */
static bool
flush(struct hurry *hurry, int timeout_ms)
{
	return atomic_load(&hurry->is_calm) &&
	       rd_kafka_flush(hurry->rk, timeout_ms) != 0;
}

/* Until none is on its way, or there are many. */
static void
flush_all(struct hurry *hurry)
{
	do {
		atomic_store(&hurry->is_flushing, true);
		while (flush(hurry, FLUSH_MS))
			;
		atomic_store(&hurry->is_flushing, false);
		/* One may have come before that was said. */
	} while (flush(hurry, 0));
}

static void *
hurry_run(void *arg)
{
	struct hurry *hurry = arg;

	pthread_setname_np(pthread_self(), "evh-kafka-now");
	pthread_mutex_lock(&hurry->lock);
	while (!hurry->is_ending) {
		if (!hurry->is_wanted) {
			pthread_cond_wait(&hurry->wanted, &hurry->lock);
			continue;
		}
		hurry->is_wanted = false;
		pthread_mutex_unlock(&hurry->lock);
		flush_all(hurry);
		pthread_mutex_lock(&hurry->lock);
	}
	pthread_mutex_unlock(&hurry->lock);
	return NULL;
}

int
hurry_start(struct hurry *hurry, rd_kafka_t *rk)
{
	int rc;

	hurry->rk = rk;
	hurry->is_wanted = hurry->is_ending = false;
	hurry->n_calm = 0;
	atomic_init(&hurry->is_flushing, false);
	atomic_init(&hurry->is_calm, true);
	pthread_mutex_init(&hurry->lock, NULL);
	pthread_cond_init(&hurry->wanted, NULL);
	rc = -pthread_create(&hurry->thread, NULL, hurry_run, hurry);
	if (rc < 0) {
		pthread_cond_destroy(&hurry->wanted);
		pthread_mutex_destroy(&hurry->lock);
	}
	return rc;
}

void
hurry_stop(struct hurry *hurry)
{
	atomic_store(&hurry->is_calm, false);
	pthread_mutex_lock(&hurry->lock);
	hurry->is_ending = true;
	pthread_cond_signal(&hurry->wanted);
	pthread_mutex_unlock(&hurry->lock);
	pthread_join(hurry->thread, NULL);
	pthread_cond_destroy(&hurry->wanted);
	pthread_mutex_destroy(&hurry->lock);
}

void
hurry_event(struct hurry *hurry)
{
	if (!atomic_load(&hurry->is_calm) || atomic_load(&hurry->is_flushing))
		return;
	pthread_mutex_lock(&hurry->lock);
	hurry->is_wanted = true;
	pthread_cond_signal(&hurry->wanted);
	pthread_mutex_unlock(&hurry->lock);
}

void
hurry_look(struct hurry *hurry, size_t n)
{
	if (n >= BUSY) {
		hurry->n_calm = 0;
		atomic_store(&hurry->is_calm, false);
	} else if (hurry->n_calm < CALM_LOOKS &&
		   ++hurry->n_calm == CALM_LOOKS) {
		atomic_store(&hurry->is_calm, true);
	}
}

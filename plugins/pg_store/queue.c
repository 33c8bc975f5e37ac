#include "queue.h"

#include "clock.h"
#include "condition.h"
#include "rows.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

int
queue_init(struct queue *queue, size_t max)
{
	int rc;

	*queue = (struct queue){ .max = max, .wake_fd = -1 };
	queue->ring = calloc(max, sizeof(*queue->ring));
	if (!queue->ring)
		return -ENOMEM;

	queue->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (queue->wake_fd < 0) {
		rc = -errno;
		goto fail_fd;
	}
	rc = condition_init(&queue->idle);
	if (rc < 0)
		goto fail_idle;
	pthread_mutex_init(&queue->lock, NULL);
	return 0;
fail_idle:
	close(queue->wake_fd);
fail_fd:
	free(queue->ring);
	return rc;
}

void
queue_fini(struct queue *queue)
{
	pthread_cond_destroy(&queue->idle);
	pthread_mutex_destroy(&queue->lock);
	close(queue->wake_fd);
	free(queue->ring);
}

int
queue_push(struct queue *queue, struct evh_event *const *evs, int n,
	   bool *ret_sleeps)
{
	int64_t now = clock_ns();
	int k;

	pthread_mutex_lock(&queue->lock);
	if (!queue->is_open) {
		pthread_mutex_unlock(&queue->lock);
		return -EAGAIN;
	}
	for (k = 0; k < n && queue->n < queue->max; k++) {
		size_t at = queue->head + queue->n++;

		if (at >= queue->max)
			at -= queue->max;
		queue->ring[at] = (struct queue_entry){ evs[k], now };
	}
	*ret_sleeps = queue->sleeping && k > 0;
	if (*ret_sleeps)
		queue->sleeping = false;
	pthread_mutex_unlock(&queue->lock);
	return k;
}

void
queue_wake(struct queue *queue)
{
	eventfd_write(queue->wake_fd, 1);
}

size_t
queue_take(struct queue *queue, struct evh_event **ret_evs, size_t max,
	   size_t max_bytes, int64_t *ret_since)
{
	size_t n = 0, bytes = 0;

	pthread_mutex_lock(&queue->lock);
	if (queue->n)
		*ret_since = queue->ring[queue->head].since;
	while (n < max && queue->n) {
		struct evh_event *ev = queue->ring[queue->head].ev;

		bytes += rows_event_size(ev);
		if (n && bytes > max_bytes)
			break;
		ret_evs[n++] = ev;
		if (++queue->head == queue->max)
			queue->head = 0;
		queue->n--;
	}
	if (n)
		queue->in_hand = true;
	pthread_mutex_unlock(&queue->lock);
	return n;
}

void
queue_answered(struct queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	queue->in_hand = false;
	if (!queue->n)
		pthread_cond_broadcast(&queue->idle);
	pthread_mutex_unlock(&queue->lock);
}

void
queue_open(struct queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	queue->is_open = true;
	pthread_mutex_unlock(&queue->lock);
}

void
queue_close(struct queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	queue->is_open = false;
	pthread_mutex_unlock(&queue->lock);
}

bool
queue_sleep(struct queue *queue)
{
	bool sleeping;

	pthread_mutex_lock(&queue->lock);
	sleeping = queue->sleeping = !queue->n;
	pthread_mutex_unlock(&queue->lock);
	return sleeping;
}

void
queue_woke(struct queue *queue)
{
	eventfd_t n;

	/* The number does not matter, only that the next sleep waits anew. */
	(void)eventfd_read(queue->wake_fd, &n);
	pthread_mutex_lock(&queue->lock);
	queue->sleeping = false;
	pthread_mutex_unlock(&queue->lock);
}

bool
queue_is_idle(struct queue *queue)
{
	return queue_wait_idle(queue, 0) == 0;
}

int
queue_wait_idle(struct queue *queue, int64_t deadline)
{
	int rc;

	pthread_mutex_lock(&queue->lock);
	while ((queue->n || queue->in_hand) &&
	       condition_wait(&queue->idle, &queue->lock, deadline))
		;
	rc = queue->n || queue->in_hand ? -ETIMEDOUT : 0;
	pthread_mutex_unlock(&queue->lock);
	return rc;
}

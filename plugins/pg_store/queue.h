/*
 * queue.h - the events that wait for the writer.
 *
 * Filled by submit() on any thread, emptied by the writer, who takes whatever
 * is there: while a transaction runs the next batch gathers by itself.  Each
 * event has the time of its coming, for the promise that it is answered
 * within a limit.  While the queue is closed it takes nothing.
 */
#ifndef PG_STORE_QUEUE_H
#define PG_STORE_QUEUE_H

#include <evh/plugin.h>

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct queue_entry {
	struct evh_event *ev;
	int64_t since; /* deadline.h's clock */
};

struct queue {
	pthread_mutex_t lock; /* guards: all but wake_fd and max */
	pthread_cond_t idle;  /* n became 0 and nothing is in hand */
	struct queue_entry *ring;
	size_t max, head, n;
	bool is_open;
	bool in_hand;  /* the writer has some that it has not answered */
	bool sleeping; /* the writer waits for wake_fd */
	int wake_fd;   /* eventfd */
};

int queue_init(struct queue *queue, size_t max); /* closed; 0 or -errno */
void queue_fini(struct queue *queue);

/* Takes the first k of n and returns k; -EAGAIN when closed.  *ret_sleeps: the
 * writer sleeps, and is to be woken when all is pushed that it shall have.
 * [any] */
int queue_push(struct queue *queue, struct evh_event *const *evs, int n,
	       bool *ret_sleeps);
void queue_wake(struct queue *queue);

/*
 * Gives the writer up to max events, or fewer when they are more than
 * max_bytes (but one), and the time of the oldest.  From here on they are in
 * hand, until queue_answered().  [writer]
 */
size_t queue_take(struct queue *queue, struct evh_event **ret_evs, size_t max,
		  size_t max_bytes, int64_t *ret_since);
void queue_answered(struct queue *queue);

void queue_open(struct queue *queue);
void queue_close(struct queue *queue);

/* True when the writer may sleep on wake_fd: it is empty.  [writer] */
bool queue_sleep(struct queue *queue);
void queue_woke(struct queue *queue);

bool queue_is_idle(struct queue *queue); /* nothing is queued or in hand */
/* Waits until it is so: 0 or -ETIMEDOUT. [main] */
int queue_wait_idle(struct queue *queue, int64_t deadline);

#endif

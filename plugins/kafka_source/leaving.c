#include "leaving.h"

#include <stdlib.h>

#include "clock.h"
#include "condition.h"
#include "consumer.h"
#include "intake.h"

#define CLOSE_MAX_MS   5000 /* for the last commit */
#define CLOSE_SLICE_MS 50
#define DESTROY_MS     1000 /* librdkafka's threads need about that to end */
#define RELEASE_MS     20   /* see wait_messages() */
#define STOP_MIN_MS    1000 /* what a stop without time takes, if need be */

/* Stored offsets are committed on the way out, as long as the time allows;
 * rd_kafka_consumer_close() itself knows no limit. */
static void
leave_group(struct consumer *c)
{
	rd_kafka_queue_t *queue = rd_kafka_queue_new(c->rk);
	rd_kafka_error_t *error = rd_kafka_consumer_close_queue(c->rk, queue);
	int64_t due_ms = atomic_load(&c->close_due_ms);

	while (error == NULL && !rd_kafka_consumer_closed(c->rk) &&
	       consumer_now_ms() < due_ms)
		rd_kafka_queue_poll_callback(queue, CLOSE_SLICE_MS);
	if (error != NULL && !c->is_fatal)
		consumer_say(c, EVH_WARN, "group %s: leaving it: %s",
			     c->settings.group, rd_kafka_error_string(error));
	else if (error == NULL && !rd_kafka_consumer_closed(c->rk))
		consumer_say(c, EVH_WARN,
			     "group %s: the brokers did not answer; left "
			     "without the "
			     "last commit, what it covers will be read again",
			     c->settings.group);
	rd_kafka_error_destroy(error);
	rd_kafka_queue_destroy(queue);
}

/* What partitions have left to be read, see partition_forget(). */
static void
empty_inbox(struct consumer *c)
{
	rd_kafka_message_t *msg;

	for (int32_t i = 0; i < c->n_partitions; i++)
		partition_forget(c->partitions[i], c->inbox);
	while (consumer_now_ms() < atomic_load(&c->stop_due_ms) &&
	       (msg = rd_kafka_consume_queue(c->inbox, 0)) != NULL)
		rd_kafka_message_destroy(msg);
}

void
leaving_destroy(struct consumer *c)
{
	empty_inbox(c);
	for (int32_t i = 0; i < c->n_partitions; i++)
		partition_free(c->partitions[i]);
	free(c->partitions);
	c->partitions = NULL;
	c->n_partitions = 0;
	c->n_mine = 0;
	rd_kafka_queue_destroy(c->inbox);
	rd_kafka_destroy_flags(c->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
	c->rk = NULL;
}

/* Events are released right after done(), perhaps a moment after the host
 * counted the last.  Who was between the two when is_draining was set does not
 * signal, hence the slices. */
static unsigned
wait_messages(struct consumer *c, int64_t due_ms)
{
	int64_t now_ms;
	unsigned n;

	pthread_mutex_lock(&c->lock);
	while ((n = atomic_load(&c->n_messages)) > 0 &&
	       (now_ms = consumer_now_ms()) < due_ms)
		(void)condition_wait(&c->changed, &c->lock,
				     (now_ms + RELEASE_MS) * NS_PER_MS);
	pthread_mutex_unlock(&c->lock);
	return n;
}

void
leaving_run(struct consumer *c)
{
	for (int32_t i = 0; i < c->n_mine; i++)
		intake_drop(c, c->mine[i]);
	leave_group(c);
	if (wait_messages(c, atomic_load(&c->stop_due_ms)) == 0) {
		leaving_destroy(c);
		return;
	}
	/* rd_kafka_destroy() would wait for them without end. */
	consumer_say(
		c, EVH_ERROR,
		"group %s: events are not released; the client stays as it is",
		c->settings.group);
	pthread_mutex_lock(&c->end_lock);
	c->is_needed = true;
	pthread_mutex_unlock(&c->end_lock);
}

/* Waits until the poll thread is over, and nobody calls ctx; false when that
 * takes too long, and it is left behind: it waits for brokers that hang. */
static bool
wait_over(struct consumer *c, int64_t due_ms)
{
	bool is_over;

	pthread_mutex_lock(&c->end_lock);
	while ((!c->is_over || c->n_calling > 0) &&
	       condition_wait(&c->ended, &c->end_lock, due_ms * NS_PER_MS))
		;
	is_over = c->is_over;
	c->is_abandoned = !is_over;
	pthread_mutex_unlock(&c->end_lock);
	return is_over;
}

void
leaving_wait(struct consumer *c, int timeout_ms)
{
	int64_t stop_ms = timeout_ms > STOP_MIN_MS ? timeout_ms : STOP_MIN_MS;
	int64_t close_ms = timeout_ms > 2 * DESTROY_MS ? timeout_ms - DESTROY_MS
						       : timeout_ms / 2;
	int64_t now_ms = consumer_now_ms();

	if (close_ms > CLOSE_MAX_MS)
		close_ms = CLOSE_MAX_MS;
	atomic_store(&c->close_due_ms, now_ms + close_ms);
	atomic_store(&c->stop_due_ms, now_ms + stop_ms);
	atomic_store(&c->is_draining, true);
	pthread_mutex_lock(&c->lock);
	atomic_store(&c->is_quitting, true);
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);

	if (wait_over(c, now_ms + stop_ms)) {
		(void)pthread_join(c->thread, NULL);
		return;
	}
	c->ctx->log(c->ctx, EVH_WARN,
		    "the Kafka client waits for a broker that hangs; it is "
		    "left behind");
	(void)pthread_detach(c->thread);
}

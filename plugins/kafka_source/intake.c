#include "intake.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "answers.h"
#include "arrival.h"
#include "consumer.h"
#include "origin.h"

#define READ_MAX   1024 /* messages before the group is looked at */
#define IDLE_MS	   100	/* wait for a message */
#define ROOM_MS	   20	/* wait for room */
#define NO_ROOM_MS 10	/* wait when emit() did not */

/* A ring with less room than this is full: what was fetched comes one by one,
 * and a pause takes effect before the next. */
#define CROWDED_SLOTS	PARTITION_RUN_MAX
#define UNCROWDED_SLOTS (OFFSETS_MAX_SLOTS / 2)

/* Something of it was read that cannot be kept: it is read again. */
static void
send_back(struct consumer *c, struct partition *p, unsigned n_cut,
	  int64_t offset)
{
	pthread_mutex_lock(&c->lock);
	offsets_cut(&p->offsets, n_cut);
	if (p->state == PARTITION_RUNNING) {
		p->state = PARTITION_REWINDS;
		p->lost_offset = offset;
		atomic_store(&c->is_attention, true);
	}
	pthread_mutex_unlock(&c->lock);
	p->is_open = false;
}

void
intake_drop(struct consumer *c, struct partition *p)
{
	unsigned n = p->n_run;

	p->is_open = false;
	pace_dropped(&p->pace);
	if (n == 0)
		return;
	pthread_mutex_lock(&c->lock);
	offsets_cut(&p->offsets, n);
	pthread_mutex_unlock(&c->lock);
	p->n_run = 0;
	c->ctx->event_free(c->ctx, p->run, (int)n);
}

/* A message from before the newest one.  Where the log has begun anew (the
 * topic was deleted and made again, or an old replica took over) it is as new
 * as any: a new life begins with it.  What waits for room goes: it is of a log
 * that is no more. */
static void
take_again(struct consumer *c, struct partition *p, int64_t offset)
{
	int64_t newest;

	pthread_mutex_lock(&c->lock);
	newest = p->offsets.newest;
	pthread_mutex_unlock(&c->lock);
	if (!partition_began_anew(p, c->rk, newest))
		return;
	consumer_say(c, EVH_WARN,
		     "partition %" PRId32 " of %s begins anew: offset %" PRId64
		     " came after %" PRId64,
		     p->id, c->settings.topic, offset, newest);
	intake_drop(c, p);
	pthread_mutex_lock(&c->lock);
	offsets_reset(&p->offsets, ++c->generation);
	p->seek_to = offset;
	if (p->state == PARTITION_RUNNING) {
		p->state = PARTITION_REWINDS;
		p->lost_offset = offset;
		atomic_store(&c->is_attention, true);
	}
	pthread_mutex_unlock(&c->lock);
	origin_found(c, p, offset);
}

/* Takes the message; returns the partition whose run has grown, or NULL. */
static struct partition *
take(struct consumer *c, rd_kafka_message_t *msg)
{
	struct partition *p = consumer_partition(c, msg->partition);
	int64_t offset = msg->offset;
	uint32_t generation, slot, room;
	struct evh_event *ev;
	int r;

	if (p == NULL || !p->is_open) {
		rd_kafka_message_destroy(msg);
		return NULL;
	}
	consumer_reads(c, p);
	pthread_mutex_lock(&c->lock);
	r = offsets_add(&p->offsets, offset, &slot);
	generation = p->offsets.generation;
	room = offsets_room(&p->offsets);
	pthread_mutex_unlock(&c->lock);
	if (r < 0) {
		rd_kafka_message_destroy(msg);
		if (r == -ESTALE)
			take_again(c, p, offset);
		else
			send_back(c, p, 0, offset);
		return NULL;
	}
	p->may_repeat = false;
	if (!p->origin.is_found)
		origin_found(c, p, offset);
	ev = arrival_event(c, msg, answers_cookie(generation, slot));
	if (ev == NULL) {
		send_back(c, p, 1, offset);
		return NULL;
	}
	p->run[p->n_run++] = ev;
	if (room < CROWDED_SLOTS)
		(void)partition_pause(p, c);
	return p;
}

static bool
may_emit(struct consumer *c, const struct partition *p)
{
	bool may;

	if (p->n_run == 0 || !p->is_open)
		return false;
	pthread_mutex_lock(&c->lock);
	may = p->state == PARTITION_RUNNING;
	pthread_mutex_unlock(&c->lock);
	return may;
}

/* Offers the run; true when some of it was taken. */
static bool
offer(struct consumer *c, struct partition *p, int timeout_ms)
{
	unsigned n = 0;
	int k;

	if (!may_emit(c, p))
		return false;
	k = c->ctx->emit(c->ctx, p->run, (int)p->n_run, timeout_ms);
	if (k == -ESHUTDOWN)
		atomic_store(&c->is_draining, true);
	if (k > 0)
		n = (unsigned)k;
	p->n_run -= n;
	memmove(p->run, p->run + n, p->n_run * sizeof(p->run[0]));
	pace_offered(&p->pace, n, p->n_run, consumer_now_ms());
	return n > 0;
}

/* Offers all that waits; true when some of it was taken. */
static bool
offer_all(struct consumer *c, unsigned *ret_left)
{
	bool any = false;
	unsigned n_left = 0;

	for (int32_t i = 0; i < c->n_mine; i++) {
		if (c->mine[i]->n_run > 0)
			any |= offer(c, c->mine[i], 0);
		n_left += c->mine[i]->n_run;
	}
	*ret_left = n_left;
	return any;
}

/* Any message may come next, so nobody's run may be full who can get one. */
static bool
may_read(const struct consumer *c)
{
	const struct partition *p;

	for (int32_t i = 0; i < c->n_mine; i++) {
		p = c->mine[i];
		if (p->is_open && !p->is_paused &&
		    p->n_run == PARTITION_RUN_MAX)
			return false;
	}
	return true;
}

/* One of which nothing waits, perhaps because it is not read. */
static bool
is_anyone_idle(const struct consumer *c)
{
	const struct partition *p;

	for (int32_t i = 0; i < c->n_mine; i++) {
		p = c->mine[i];
		if (p->is_open && !p->is_paused && p->n_run == 0)
			return true;
	}
	return false;
}

/* Pauses it, if the others gain by that; true when they may be read now. */
static bool
make_way(struct consumer *c, struct partition *p)
{
	int64_t now_ms = consumer_now_ms();

	if (p->n_run < PARTITION_RUN_MAX / 2 || !is_anyone_idle(c) ||
	    !pace_is_slow(&p->pace, p->n_run == PARTITION_RUN_MAX, now_ms))
		return false;
	if (partition_pause(p, c) < 0)
		return false;
	pace_paused(&p->pace, now_ms);
	return true;
}

/* Reads what is at hand and emits it as runs of one partition. */
static unsigned
read_some(struct consumer *c, int wait_ms)
{
	struct partition *current = NULL;
	struct partition *p;
	rd_kafka_message_t *msg;
	unsigned n = 0;

	while (n < READ_MAX) {
		msg = rd_kafka_consume_queue(c->inbox, n > 0 ? 0 : wait_ms);
		if (msg == NULL)
			break;
		n++;
		if (msg->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
			consumer_error(c, msg);
			rd_kafka_message_destroy(msg);
			continue;
		}
		p = take(c, msg);
		if (current != NULL && p != current)
			(void)offer(c, current, 0);
		current = p;
		if (p == NULL || p->n_run < PARTITION_RUN_MAX)
			continue;
		(void)offer(c, p, 0);
		if (p->n_run == PARTITION_RUN_MAX && !make_way(c, p))
			break;
	}
	if (current != NULL)
		(void)offer(c, current, 0);
	return n;
}

/* Waits for room for the next partition in turn.  Where emit() does not wait
 * (an instance is not ready), the group's queue does. */
static void
wait_room(struct consumer *c)
{
	int64_t start_ms = consumer_now_ms();
	rd_kafka_message_t *msg;
	struct partition *p;

	for (int32_t i = 0; i < c->n_mine; i++) {
		p = c->mine[(c->turn + i) % c->n_mine];
		if (!may_emit(c, p))
			continue;
		c->turn = (c->turn + i + 1) % c->n_mine;
		if (offer(c, p, ROOM_MS))
			return;
		break;
	}
	if (consumer_now_ms() - start_ms >= ROOM_MS / 2)
		return;
	msg = rd_kafka_consumer_poll(c->rk, NO_ROOM_MS);
	if (msg == NULL)
		return;
	consumer_error(c, msg);
	rd_kafka_message_destroy(msg);
}

void
intake_turn(struct consumer *c)
{
	unsigned n_left, n_read;
	bool moved = offer_all(c, &n_left);

	if (may_read(c)) {
		n_read = read_some(c, n_left > 0 ? 0 : IDLE_MS);
		if (n_read > 0)
			moved = true;
	}
	if (!moved && n_left > 0)
		wait_room(c);
}

static void
explain_stopped(struct consumer *c)
{
	char why[HEALTH_WHY_MAX];
	const struct partition *p;

	health_set(&c->health, HEALTH_PARTITIONS, NULL);
	for (int32_t i = 0; i < c->n_mine; i++) {
		p = c->mine[i];
		pthread_mutex_lock(&c->lock);
		if (p->state == PARTITION_STOPPED)
			(void)snprintf(why, sizeof(why),
				       "partition %" PRId32
				       " of %s stopped at offset %" PRId64
				       ": nobody keeps a failed event",
				       p->id, c->settings.topic,
				       p->lost_offset);
		else
			why[0] = '\0';
		pthread_mutex_unlock(&c->lock);
		if (why[0] == '\0')
			continue;
		health_set(&c->health, HEALTH_PARTITIONS, why);
		return;
	}
}

/* It goes no further: what was read is given back, and no more comes. */
static void
hold(struct consumer *c, struct partition *p, enum partition_state state)
{
	bool was_held = p->held != 0;
	int64_t lost_offset, backoff_ms;

	intake_drop(c, p);
	(void)partition_pause(p, c);
	p->held = state;
	if (state == PARTITION_STOPPED) {
		explain_stopped(c);
		return;
	}
	if (was_held)
		return;
	pthread_mutex_lock(&c->lock);
	lost_offset = p->lost_offset;
	backoff_ms = partition_backoff(p);
	pthread_mutex_unlock(&c->lock);
	p->due_ms = consumer_now_ms() + backoff_ms;
	c->ctx->log(c->ctx, EVH_WARN,
		    "partition %" PRId32 " of %s: offset %" PRId64
		    " was not delivered; reads again in %" PRId64 " ms",
		    p->id, c->settings.topic, lost_offset, backoff_ms);
}

/* The back-off is over.  By now most of what was in flight is answered. */
static void
rewind_now(struct consumer *c, struct partition *p)
{
	int64_t from;

	pthread_mutex_lock(&c->lock);
	if (p->state != PARTITION_REWINDS) { /* stopped at the last moment */
		pthread_mutex_unlock(&c->lock);
		return;
	}
	from = p->seek_to;
	if (from < 0)
		from = offsets_rewind(&p->offsets, ++c->generation);
	pthread_mutex_unlock(&c->lock);
	p->seek_to = from;
	if (from >= 0 && partition_seek(p, c, from) < 0) {
		pthread_mutex_lock(&c->lock);
		p->due_ms = consumer_now_ms() + partition_backoff(p);
		pthread_mutex_unlock(&c->lock);
		return;
	}
	pthread_mutex_lock(&c->lock);
	p->state = PARTITION_RUNNING;
	pthread_mutex_unlock(&c->lock);
	p->seek_to = -1;
	p->held = 0;
	p->is_open = true;
}

/* Paused for want of room: may it go on, or has one to be paused. */
static void
regulate(struct consumer *c, struct partition *p, int64_t now_ms)
{
	uint32_t room;

	if (!p->is_paused) {
		(void)make_way(c, p);
		return;
	}
	if (p->n_run > 0)
		return;
	pthread_mutex_lock(&c->lock);
	room = offsets_room(&p->offsets);
	pthread_mutex_unlock(&c->lock);
	if (room < UNCROWDED_SLOTS || partition_resume(p, c) < 0)
		return;
	pace_resumed(&p->pace, now_ms);
}

void
intake_attend(struct consumer *c)
{
	bool attention = atomic_exchange(&c->is_attention, false);
	int64_t now_ms = consumer_now_ms();
	enum partition_state state;
	struct partition *p;

	for (int32_t i = 0; i < c->n_mine && !atomic_load(&c->is_quitting);
	     i++) {
		p = c->mine[i];
		if (attention) {
			pthread_mutex_lock(&c->lock);
			state = p->state;
			pthread_mutex_unlock(&c->lock);
			if (state != PARTITION_RUNNING)
				hold(c, p, state);
		}
		if (p->held == 0)
			regulate(c, p, now_ms);
		else if (p->held == PARTITION_REWINDS && now_ms >= p->due_ms)
			rewind_now(c, p);
	}
}

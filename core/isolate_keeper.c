#include "isolate_keeper.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sysexits.h>
#include <unistd.h>

#include "clock.h"
#include "host_tables.h"
#include "instance.h"
#include "last_resort.h"
#include "log.h"
#include "pipeline.h"

#define WAIT_MAX_MS 60000
/* It looks so many times in a timeout, at least once a second. */
#define LOOKS	      8
#define TICK_MAX_MS   1000
#define FIRST_MEAN_NS INT64_C(1000000)

void
keeper_wake(struct isolate *iso)
{
	uint64_t one = 1;

	if (atomic_exchange(&iso->is_awake, true))
		return;
	/* Fails only when it is full, and then it is awake. */
	if (write(iso->wake_fd, &one, sizeof(one)) < 0)
		return;
}

void
keeper_log(const struct isolate *iso, enum evh_level level, const char *text)
{
	struct evh_ctx *ctx = &iso->in->ctx;

	/* evhd check hears while it waits for create(); then another instance
	 * has its turn, and what is wrong is listed by one at a time. */
	if (!iso->in->host->problems || !iso->is_created)
		ctx->log(ctx, level, "%s", text);
}

void
keeper_created(struct isolate *iso, int rc)
{
	pthread_mutex_lock(&iso->lock);
	if (!iso->is_created)
		iso->created_rc = rc;
	iso->is_created = true;
	pthread_cond_broadcast(&iso->changed);
	pthread_mutex_unlock(&iso->lock);
}

void
keeper_started(struct isolate *iso, int rc)
{
	pthread_mutex_lock(&iso->lock);
	if (!iso->is_started)
		iso->started_rc = rc;
	iso->is_started = true;
	pthread_cond_broadcast(&iso->changed);
	pthread_mutex_unlock(&iso->lock);
}

void
keeper_judge_ready(struct isolate *iso)
{
	const char *why = "its process is being started";

	if (!iso->is_starting || iso->is_stopping)
		return;
	for (unsigned i = 0; i < iso->n_cells; i++) {
		const struct isolate_cell *cell = &iso->cells[i];

		if (cell->state == CELL_SERVING && cell->is_ready) {
			instance_set_ready(iso->in, NULL);
			return;
		}
		if (*cell->why)
			why = cell->why;
	}
	instance_set_ready(iso->in, why);
}

void
keeper_resume(struct isolate *iso, struct isolate_task *task, int verdict,
	      enum keeper_fate fate)
{
	struct evh_ctx *ctx = &iso->in->ctx;
	struct event *ev = task->ev;

	if (fate == FATE_BLAMED)
		ev->blame = EVENT_BLAMED;
	else if (fate == FATE_BLAMELESS)
		ev->blame = EVENT_BLAMELESS;
	else
		metric_record(event_element(ev)->stage_seconds,
			      timer_now_ns() - task->given_ns);
	free(task);
	ctx->resume(ctx, &ev->pub, (enum evh_result)verdict);
	pthread_mutex_lock(&iso->lock);
	if (--iso->n_in_hand == 0)
		pthread_cond_broadcast(&iso->changed);
	pthread_mutex_unlock(&iso->lock);
}

int64_t
keeper_now_ns(const struct isolate *iso)
{
	return awake_now_ns(&iso->awake);
}

/* ---- Who gets the next one --------------------------------------------- */

/* The one that has the fewest, of those that can take one; or NULL. */
static struct isolate_cell *
freest(struct isolate *iso)
{
	struct isolate_cell *best = NULL;

	for (unsigned i = 0; i < iso->n_cells; i++) {
		struct isolate_cell *cell = &iso->cells[i];

		if (cell_room(cell) > 0 &&
		    (!best || cell->queue.n < best->queue.n))
			best = cell;
	}
	return best;
}

static void
give_back_waiting(struct isolate *iso)
{
	struct isolate_task *task;

	while ((task = task_list_pop(&iso->waiting)))
		keeper_resume(iso, task, EVH_RETRY, FATE_BLAMELESS);
}

static void
give_out(struct isolate *iso)
{
	struct isolate_cell *cell;
	struct isolate_task *task;

	while (iso->waiting.head && (cell = freest(iso))) {
		int rc;

		task = task_list_pop(&iso->waiting);
		rc = cell_give(cell, task);
		if (rc == -EMSGSIZE) {
			(void)event_set_error(task->ev, "too_large",
					      "it is larger than "
					      "in_flight_size");
			keeper_resume(iso, task, EVH_FAIL, FATE_VERDICT);
		} else if (rc < 0) {
			keeper_resume(iso, task, EVH_RETRY, FATE_BLAMELESS);
		}
	}
	/* Nobody is there: they wait where their pipeline sees them. */
	if (iso->waiting.head && !atomic_load(&iso->in->is_ready))
		give_back_waiting(iso);
}

/* ---- What is wished ---------------------------------------------------- */

struct wishes {
	bool start, flush, back, stop;
	unsigned ms;
};

static struct wishes
read_wishes(struct isolate *iso)
{
	struct wishes wishes;
	struct isolate_task *task;

	pthread_mutex_lock(&iso->lock);
	while ((task = task_list_pop(&iso->arrived)))
		task_list_push(&iso->waiting, task);
	wishes = (struct wishes){ .start = iso->wants_start,
				  .flush = iso->wants_flush,
				  .back = iso->wants_back,
				  .stop = iso->wants_stop,
				  .ms = iso->wish_ms };
	iso->wants_start = iso->wants_flush = false;
	iso->wants_back = iso->wants_stop = false;
	pthread_mutex_unlock(&iso->lock);
	return wishes;
}

/* As many as workers may come at a time, and room for what they bring. */
static void
measure(struct isolate *iso)
{
	const struct host *host = iso->in->host;
	unsigned n = 1;

	iso->frame_max = FRAME_MAX_FIRST;
	for (unsigned i = 0; i < host->n_pipelines; i++) {
		const struct pipeline *p = host->pipelines[i];

		if (!pipeline_has(p, iso->in))
			continue;
		if (p->n_workers > n)
			n = p->n_workers;
		if (p->config->in_flight_size > iso->frame_max)
			iso->frame_max = p->config->in_flight_size;
	}
	/* A frame's length has 32 bits. */
	if (iso->frame_max > UINT32_MAX / 2)
		iso->frame_max = UINT32_MAX / 2;
	if (iso->n_processes > 0)
		n = iso->n_processes;
	else if (iso->in->loaded->plugin.threads == EVH_SERIAL)
		n = 1;
	iso->n_cells = n < ISOLATE_MAX ? n : ISOLATE_MAX;
}

static void
start_all(struct isolate *iso)
{
	measure(iso);
	iso->is_starting = true;
	for (unsigned i = 0; i < iso->n_cells; i++) {
		struct isolate_cell *cell = &iso->cells[i];

		if (cell->state == CELL_CREATED)
			cell_start(cell);
		else if (cell->state == CELL_ABSENT && i > 0)
			cell->due_ns = 0;
	}
	keeper_judge_ready(iso);
}

static void
grant(struct isolate *iso, const struct wishes *wishes)
{
	if (wishes->start)
		start_all(iso);
	if (wishes->back)
		give_back_waiting(iso);
	if (wishes->stop)
		iso->is_stopping = true;
	for (unsigned i = 0; i < iso->n_cells; i++) {
		if (wishes->flush)
			cell_flush(&iso->cells[i], wishes->ms);
		if (wishes->back)
			cell_give_back(&iso->cells[i]);
		if (wishes->stop)
			cell_stop(&iso->cells[i], wishes->ms);
	}
}

/* ---- The thread -------------------------------------------------------- */

/* While something is due it looks every tick, so that its time is right. */
static int
wait_ms(const struct isolate *iso, int64_t now_ns)
{
	int64_t due_ns = INT64_MAX;
	int64_t ms;

	for (unsigned i = 0; i < iso->n_cells; i++)
		if (cell_due_ns(&iso->cells[i]) < due_ns)
			due_ns = cell_due_ns(&iso->cells[i]);
	if (due_ns == INT64_MAX)
		return WAIT_MAX_MS;
	if (due_ns <= now_ns)
		return 0;
	ms = (due_ns - now_ns) / NS_PER_MS + 1;
	return ms < iso->tick_ms ? (int)ms : (int)iso->tick_ms;
}

/* True when something came that nobody was woken for. */
static bool
has_arrived(struct isolate *iso)
{
	bool has;

	pthread_mutex_lock(&iso->lock);
	has = iso->arrived.head || iso->wants_start || iso->wants_flush ||
	      iso->wants_back || iso->wants_stop;
	pthread_mutex_unlock(&iso->lock);
	return has;
}

/* What poll() has found at one of them. */
static void
cell_look(struct isolate_cell *cell, const struct pollfd *fds, nfds_t n,
	  int64_t now_ns)
{
	bool has_ended = n > 0 && fds[0].revents;
	bool has_word = n > 1 && (fds[1].revents & ~POLLOUT);

	if (has_ended || has_word)
		cell_serve(cell, now_ns, has_ended);
}

/* Waits for a wish, a process's word or end, or the time; and listens. */
static void
listen_all(struct isolate *iso)
{
	struct pollfd fds[1 + ISOLATE_MAX * CELL_FDS] = { { iso->wake_fd,
							    POLLIN, 0 } };
	nfds_t n = 1, counts[ISOLATE_MAX] = { 0 };
	uint64_t count;
	int64_t now_ns = keeper_now_ns(iso);
	int timeout_ms = wait_ms(iso, now_ns);

	for (unsigned i = 0; i < iso->n_cells; i++) {
		counts[i] = cell_poll(&iso->cells[i], &fds[n]);
		n += counts[i];
	}
	atomic_store(&iso->is_awake, false);
	if (has_arrived(iso))
		timeout_ms = 0;
	if (poll(fds, n, timeout_ms) < 0 && errno != EINTR)
		log_write(EVH_ERROR, NULL, "poll: %s", strerror(errno));
	atomic_store(&iso->is_awake, true);
	if (fds[0].revents && read(iso->wake_fd, &count, sizeof(count)) < 0 &&
	    errno != EAGAIN)
		log_write(EVH_ERROR, NULL, "eventfd: %s", strerror(errno));
	now_ns = awake_tick_ns(&iso->awake);
	n = 1;
	for (unsigned i = 0; i < iso->n_cells; i++) {
		cell_look(&iso->cells[i], &fds[n], counts[i], now_ns);
		n += counts[i];
	}
}

static bool
is_over(const struct isolate *iso)
{
	for (unsigned i = 0; i < iso->n_cells; i++)
		if (iso->cells[i].state != CELL_ABSENT)
			return false;
	return iso->is_stopping;
}

static void *
keeper_main(void *arg)
{
	struct isolate *iso = arg;

	do {
		struct wishes wishes = read_wishes(iso);
		int64_t now_ns;

		grant(iso, &wishes);
		now_ns = keeper_now_ns(iso);
		for (unsigned i = 0; i < iso->n_cells; i++)
			cell_turn(&iso->cells[i], now_ns);
		process_left_reap(&iso->left);
		give_out(iso);
		for (unsigned i = 0; i < iso->n_cells; i++)
			cell_send(&iso->cells[i], now_ns);
		if (!is_over(iso))
			listen_all(iso);
	} while (!is_over(iso));
	give_back_waiting(iso);
	return NULL;
}

static unsigned
tick_ms(const struct isolate *iso)
{
	unsigned ms = iso->timeout_ms / LOOKS;

	return ms < 1 ? 1 : ms > TICK_MAX_MS ? TICK_MAX_MS : ms;
}

int
keeper_open(struct isolate *iso)
{
	char name[16];
	int rc;

	iso->mean_ns = FIRST_MEAN_NS;
	iso->tick_ms = tick_ms(iso);
	awake_init(&iso->awake, iso->tick_ms);
	iso->frame_max = FRAME_MAX_FIRST;
	iso->n_cells = 1;
	for (unsigned i = 0; i < ISOLATE_MAX; i++)
		cell_init(&iso->cells[i], iso);
	iso->cells[0].due_ns = 0;
	iso->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (iso->wake_fd < 0)
		return -errno;
	atomic_store(&iso->is_awake, true);
	rc = pthread_create(&iso->thread, NULL, keeper_main, iso);
	if (rc != 0) {
		close(iso->wake_fd);
		return -rc;
	}
	iso->has_thread = true;
	snprintf(name, sizeof(name), "iso/%.11s", iso->in->name);
	(void)pthread_setname_np(iso->thread, name);
	return 0;
}

void
keeper_close(struct isolate *iso, unsigned timeout_ms)
{
	struct last_resort last;

	if (!iso->has_thread)
		return;
	pthread_mutex_lock(&iso->lock);
	iso->wants_stop = true;
	iso->wish_ms = timeout_ms;
	pthread_mutex_unlock(&iso->lock);
	keeper_wake(iso);
	/* Each step of a stop has its time, and then is killed; should the
	 * thread itself stand, all of it is its own, and evhd ends. */
	last_resort_arm(&last, iso->in->host, EX_SOFTWARE);
	pthread_join(iso->thread, NULL);
	last_resort_disarm(&last);
	iso->has_thread = false;
	for (unsigned i = 0; i < ISOLATE_MAX; i++)
		cell_fini(&iso->cells[i]);
	close(iso->wake_fd);
}

#include "isolate_cell.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "event.h"
#include "host_tables.h"
#include "instance.h"
#include "isolate_event.h"
#include "isolate_keeper.h"

/* From SIGKILL to its end. */
#define KILL_MAX_NS INT64_C(1000000000)
/* A frame is not sent byte by byte. */
#define PARTIAL_MAX_NS INT64_C(10000000000)
#define BACKOFF_MS     100
#define BACKOFF_MAX_MS 10000
/* As many events as take about so long are sent ahead. */
#define AHEAD_NS  INT64_C(1000000)
#define AHEAD_MAX 32
/* Pieces read before others have their turn; more than a socket holds. */
#define PIECES_MAX 16

void
cell_init(struct isolate_cell *cell, struct isolate *iso)
{
	*cell = (struct isolate_cell){ .iso = iso, .due_ns = INT64_MAX };
}

static void
cell_clear(struct isolate_cell *cell)
{
	frame_buffer_fini(&cell->in);
	frame_buffer_fini(&cell->out);
	free(cell->metrics);
	cell->metrics = NULL;
	cell->partial_ns = 0;
	cell->is_ready = false;
	cell->has_spoken = false;
	cell->is_slow = false;
	cell->late = NULL;
}

void
cell_fini(struct isolate_cell *cell)
{
	cell_clear(cell);
}

void
cell_go(struct isolate_cell *cell, enum cell_state state, int64_t due_ns)
{
	cell->state = state;
	cell->due_ns = due_ns;
}

/* ---- Events ------------------------------------------------------------ */

unsigned
cell_room(const struct isolate_cell *cell)
{
	int64_t ahead = AHEAD_NS / (cell->iso->mean_ns + 1);

	if (cell->state != CELL_SERVING || !cell->is_ready ||
	    frame_buffer_len(&cell->out) > cell->iso->frame_max)
		return 0;
	if (ahead < 1)
		ahead = 1;
	if (ahead > AHEAD_MAX)
		ahead = AHEAD_MAX;
	return cell->queue.n < (unsigned)ahead ? (unsigned)ahead - cell->queue.n
					       : 0;
}

int
cell_give(struct isolate_cell *cell, struct isolate_task *task)
{
	struct isolate *iso = cell->iso;
	int rc;

	task_table_add(&iso->table, task);
	rc = isolate_event_put(&cell->out, task->ev, task->number,
			       iso->frame_max);
	if (rc < 0) {
		task_table_remove(&iso->table, task);
		return rc;
	}
	task->cell = cell;
	if (cell->queue.n == 0)
		task->begun_ns = keeper_now_ns(cell->iso);
	task_list_push(&cell->queue, task);
	return 0;
}

static void
list_give_back(struct isolate *iso, struct task_list *list)
{
	struct isolate_task *task;

	/* They stay, for the process will speak of them. */
	for (task = list->head; task; task = task->next) {
		struct isolate_task *copy;

		if (!task->ev)
			continue;
		copy = malloc(sizeof(*copy));
		if (!copy)
			continue; /* it waits for its answer, then */
		*copy = *task;
		task->ev = NULL;
		keeper_resume(iso, copy, EVH_RETRY, FATE_BLAMELESS);
	}
}

void
cell_give_back(struct isolate_cell *cell)
{
	list_give_back(cell->iso, &cell->queue);
	list_give_back(cell->iso, &cell->held);
}

/* It is gone, and this is what becomes of one that it had. */
static void
task_end(struct isolate_cell *cell, struct isolate_task *task, bool is_blamed,
	 const char *how)
{
	struct isolate *iso = cell->iso;

	task_table_remove(&iso->table, task);
	task->cell = NULL;
	task->is_held = false;
	if (!task->ev) {
		free(task);
	} else if (task == cell->late) {
		(void)event_set_error(task->ev, "timeout", how);
		keeper_resume(iso, task, EVH_FAIL, FATE_VERDICT);
	} else if (is_blamed) {
		(void)event_set_error(task->ev, NULL, how);
		keeper_resume(iso, task, EVH_RETRY, FATE_BLAMED);
	} else {
		keeper_resume(iso, task, EVH_RETRY, FATE_BLAMELESS);
	}
}

static void
tasks_end(struct isolate_cell *cell, const char *how)
{
	struct task_list queue = cell->queue, held = cell->held;
	bool finds_fault = !cell->late && !cell->iso->is_stopping;
	bool is_first = finds_fault && queue.n > 0;
	bool blames_held = finds_fault && queue.n == 0;
	struct isolate_task *task;

	cell->queue = cell->held = (struct task_list){ 0 };
	while ((task = task_list_pop(&queue))) {
		task_end(cell, task, is_first, how);
		is_first = false;
	}
	while ((task = task_list_pop(&held)))
		task_end(cell, task, blames_held, how);
	cell->late = NULL;
}

/* ---- Its life ---------------------------------------------------------- */

static void
set_backoff(struct isolate_cell *cell)
{
	struct isolate *iso = cell->iso;
	int64_t wait_ns;

	if (cell->n_ends < UINT32_MAX - 1)
		cell->n_ends++;
	wait_ns =
		timer_backoff_ns(cell->n_ends + 1, BACKOFF_MS, BACKOFF_MAX_MS);
	cell_go(cell, CELL_ABSENT,
		iso->is_stopping ? INT64_MAX
				 : keeper_now_ns(cell->iso) + wait_ns);
}

/* Once, and where it may be awaited. */
static void
tell_end(struct isolate_cell *cell)
{
	struct isolate *iso = cell->iso;
	bool is_check = iso->in->host->problems != NULL;

	keeper_log(iso, is_check ? EVH_ERROR : EVH_WARN, cell->why);
	keeper_created(iso, is_check ? -EIO : 0);
	if (iso->is_starting)
		keeper_started(iso, 0);
}

static void
cell_bury(struct isolate_cell *cell, const char *how, bool is_clean)
{
	char why[CELL_WHY_MAX];

	if (*cell->why)
		how = cell->why;
	snprintf(why, sizeof(why), "%s", how);
	memcpy(cell->why, why, sizeof(why));
	cell->is_ready = false;
	set_backoff(cell);
	if (!cell->iso->is_stopping) {
		tell_end(cell);
		metric_record(cell->iso->ends, 1);
	} else if (!is_clean && !cell->is_slow) {
		keeper_log(cell->iso, EVH_WARN, why);
	}
	/* First, so that nothing comes before those go back. */
	keeper_judge_ready(cell->iso);
	tasks_end(cell, why);
	cell_clear(cell);
}

static void
cell_begin(struct isolate_cell *cell)
{
	struct isolate *iso = cell->iso;
	int rc = process_start(&cell->process, iso->in->name, &iso->left);

	if (rc < 0) {
		snprintf(cell->why, sizeof(cell->why),
			 "its process cannot be started: %s", strerror(-rc));
		cell_bury(cell, cell->why, false);
		return;
	}
	cell->why[0] = '\0';
	cell_go(cell, CELL_CREATING,
		keeper_now_ns(cell->iso) + CELL_LIFE_MAX_NS);
	rc = cell_put_config(cell);
	if (rc < 0)
		cell_end(cell, "its configuration cannot be sent: %s",
			 strerror(-rc));
}

void
cell_end(struct isolate_cell *cell, const char *fmt, ...)
{
	va_list args;

	if (cell->state == CELL_ABSENT || cell->state == CELL_ENDING)
		return;
	va_start(args, fmt);
	vsnprintf(cell->why, sizeof(cell->why), fmt, args);
	va_end(args);
	process_signal(&cell->process, SIGKILL);
	cell_go(cell, CELL_ENDING, keeper_now_ns(cell->iso) + KILL_MAX_NS);
}

/* Not dead a second after SIGKILL: the kernel has it. */
static void
cell_abandon(struct isolate_cell *cell)
{
	char text[80];

	snprintf(text, sizeof(text),
		 "its process %d does not end, killed as it is",
		 (int)cell->process.pid);
	keeper_log(cell->iso, EVH_ERROR, text);
	process_leave(&cell->process, &cell->iso->left);
	cell_bury(cell, "its process does not end", false);
}

/* The event that has been there for longest; NULL: none. */
static struct isolate_task *
oldest(const struct isolate_cell *cell)
{
	struct isolate_task *first = cell->queue.head;
	struct isolate_task *held = cell->held.head;

	if (!held || (first && first->begun_ns < held->begun_ns))
		return first;
	return held;
}

static int64_t
late_ns(const struct isolate_cell *cell)
{
	const struct isolate_task *task = oldest(cell);

	if (!task || cell->state != CELL_SERVING)
		return INT64_MAX;
	return task->begun_ns + cell->iso->timeout_ms * NS_PER_MS;
}

static int64_t
partial_due_ns(const struct isolate_cell *cell)
{
	if (cell->partial_ns == 0 || cell->state == CELL_ENDING)
		return INT64_MAX;
	return cell->partial_ns + PARTIAL_MAX_NS;
}

int64_t
cell_due_ns(const struct isolate_cell *cell)
{
	int64_t due_ns = cell->due_ns;

	if (late_ns(cell) < due_ns)
		due_ns = late_ns(cell);
	if (partial_due_ns(cell) < due_ns)
		due_ns = partial_due_ns(cell);
	return due_ns;
}

static void
state_over(struct isolate_cell *cell)
{
	switch (cell->state) {
	case CELL_ABSENT:
		cell_begin(cell);
		return;
	case CELL_CREATING:
		cell_end(cell, "its create() took longer than 10 s");
		return;
	case CELL_STARTING:
		cell_end(cell, "its start() took longer than 10 s");
		return;
	case CELL_STOPPING:
		keeper_log(cell->iso, EVH_WARN,
			   "its process does not stop in time");
		cell->is_slow = true;
		cell_end(cell, "%s", "");
		return;
	case CELL_ENDING:
		cell_abandon(cell);
		return;
	case CELL_CREATED:
	case CELL_SERVING:
		return; /* due never */
	}
}

void
cell_turn(struct isolate_cell *cell, int64_t now_ns)
{
	if (now_ns >= late_ns(cell)) {
		cell->late = oldest(cell);
		cell_end(cell, "its process had an event for longer than %u ms",
			 cell->iso->timeout_ms);
	} else if (now_ns >= partial_due_ns(cell)) {
		cell_end(cell, "its process sent half a frame");
	} else if (now_ns >= cell->due_ns) {
		state_over(cell);
	}
}

/* ---- Its socket -------------------------------------------------------- */

nfds_t
cell_poll(const struct isolate_cell *cell, struct pollfd ret[CELL_FDS])
{
	if (cell->state == CELL_ABSENT)
		return 0;
	/* What it has started may have the socket open, and outlive it. */
	ret[0] =
		(struct pollfd){ .fd = cell->process.end_fd, .events = POLLIN };
	if (cell->state == CELL_ENDING)
		return 1;
	ret[1] = (struct pollfd){ .fd = cell->process.fd, .events = POLLIN };
	if (frame_buffer_len(&cell->out) > 0)
		ret[1].events |= POLLOUT;
	return CELL_FDS;
}

static void
hear_all(struct isolate_cell *cell, int64_t now_ns)
{
	size_t max = cell->state >= CELL_STARTING ? cell->iso->frame_max
						  : FRAME_MAX_FIRST;
	struct frame frame;
	int rc = 0;

	while (cell->state != CELL_ENDING &&
	       (rc = frame_next(&cell->in, max, &frame)) == 1) {
		if (!cell_hear(cell, &frame, now_ns) || frame.is_bad)
			cell_end(cell, "its process broke the protocol");
		cell->partial_ns = 0;
	}
	if (rc < 0)
		cell_end(cell, "its process broke the protocol");
	frame_buffer_consume(&cell->in, 0);
	if (frame_buffer_len(&cell->in) == 0)
		cell->partial_ns = 0;
	else if (cell->partial_ns == 0)
		cell->partial_ns = now_ns;
}

void
cell_serve(struct isolate_cell *cell, int64_t now_ns, bool has_ended)
{
	char how[CELL_WHY_MAX];
	ssize_t n = 1;

	if (cell->state == CELL_ENDING) {
		int rc = process_reap(&cell->process, how, sizeof(how));

		if (rc >= 0)
			cell_bury(cell, how, rc == 0);
		return;
	}
	for (int i = 0; i < PIECES_MAX && n > 0; i++) {
		n = frame_receive(&cell->in, cell->process.fd);
		if (n > 0)
			hear_all(cell, now_ns);
		if (cell->state == CELL_ENDING)
			return;
	}
	/* How it ended is said when it is reaped. */
	if (has_ended || n == 0 || (n < 0 && n != -EAGAIN))
		cell_end(cell, "%s", "");
}

void
cell_send(struct isolate_cell *cell, int64_t now_ns)
{
	int rc;

	if (cell->state == CELL_ABSENT || cell->state == CELL_ENDING ||
	    frame_buffer_len(&cell->out) == 0)
		return;
	rc = frame_send(&cell->out, cell->process.fd);
	/* What it said last may stand in the socket. */
	if (rc < 0 && rc != -EAGAIN)
		cell_serve(cell, now_ns, false);
}

/*
 * isolate_said.c - what the process of an isolated handler says, and what that
 * means.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "host_tables.h"
#include "instance.h"
#include "isolate_event.h"
#include "isolate_keeper.h"
#include "log.h"

/* Of the mean time, a new one counts an eighth. */
#define MEAN_SHARE 8

/* An event of this process that may be spoken of now, or NULL. */
static struct isolate_task *
task_of(struct isolate_cell *cell, uint64_t number)
{
	struct isolate_task *task = task_table_find(&cell->iso->table, number);

	if (!task || task->cell != cell ||
	    (!task->is_held && task != cell->queue.head))
		return NULL;
	return task;
}

/* The first of the queue is through with process(): the next one's turn. */
static void
turn_over(struct isolate_cell *cell, struct isolate_task *task, int64_t now_ns)
{
	struct isolate *iso = cell->iso;
	int64_t took_ns = now_ns - task->begun_ns;

	iso->mean_ns += (took_ns - iso->mean_ns) / MEAN_SHARE;
	task_list_remove(&cell->queue, task);
	if (cell->queue.head)
		cell->queue.head->begun_ns = now_ns;
}

static bool
hear_held(struct isolate_cell *cell, struct frame *frame, int64_t now_ns)
{
	struct isolate_task *task = task_of(cell, frame_take_u64(frame));

	if (!frame_is_done(frame) || !task || task->is_held)
		return false;
	turn_over(cell, task, now_ns);
	task->is_held = true;
	task_list_push(&cell->held, task);
	return true;
}

/* What the frame says of the event; 0 and in *ret what that is to be.  -ENOMEM:
 * half of it may have been done. */
static int
verdict_read(struct isolate_cell *cell, struct isolate_task *task,
	     struct frame *frame, int *ret)
{
	struct instance *in = cell->iso->in;
	int rc = isolate_verdict_take(frame, in, task->ev, ret);

	if (rc < 0 || (*ret >= EVH_OK && *ret <= EVH_FAIL))
		return rc;
	instance_blame(in, &task->ev->pub,
		       "process() returned %d, which is no verdict: "
		       "the event counts as failed",
		       *ret);
	(void)event_set_error(task->ev, NULL, "the handler gave no verdict");
	*ret = EVH_FAIL;
	return 0;
}

static bool
hear_verdict(struct isolate_cell *cell, struct frame *frame, int64_t now_ns)
{
	struct isolate_task *task = task_of(cell, frame_take_u64(frame));
	enum keeper_fate fate = FATE_VERDICT;
	int verdict = 0;
	int rc = 0;

	if (frame->is_bad || !task)
		return false;
	if (task->ev)
		rc = verdict_read(cell, task, frame, &verdict);
	if (rc < 0 && rc != -ENOMEM)
		return false;
	if (task->is_held)
		task_list_remove(&cell->held, task);
	else
		turn_over(cell, task, now_ns);
	task_table_remove(&cell->iso->table, task);
	cell->n_ends = 0;
	if (rc == -ENOMEM)
		verdict = EVH_RETRY;
	/* That is evhd's own trouble; or its server is away, which others may
	 * not have noticed yet. */
	if (rc == -ENOMEM || (verdict == EVH_RETRY && !cell->is_ready))
		fate = FATE_BLAMELESS;
	if (task->ev)
		keeper_resume(cell->iso, task, verdict, fate);
	else
		free(task);
	return true;
}

static bool
hear_created(struct isolate_cell *cell, struct frame *frame)
{
	int rc = -(int)frame_take_u32(frame);

	if (!frame_is_done(frame) || cell->state != CELL_CREATING || rc > 0)
		return false;
	if (rc < 0)
		cell_end(cell, "its create() failed: %s", strerror(-rc));
	keeper_created(cell->iso, rc);
	if (rc < 0)
		return true;
	cell->state = CELL_CREATED;
	cell->due_ns = INT64_MAX;
	if (cell->iso->is_starting)
		cell_start(cell);
	return true;
}

static bool
hear_started(struct isolate_cell *cell, struct frame *frame)
{
	int rc = -(int)frame_take_u32(frame);

	if (!frame_is_done(frame) || cell->state != CELL_STARTING || rc > 0)
		return false;
	if (rc < 0) {
		cell_end(cell, "its start() failed: %s", strerror(-rc));
		keeper_started(cell->iso, rc);
		return true;
	}
	cell->state = CELL_SERVING;
	cell->due_ns = INT64_MAX;
	if (!cell->has_spoken)
		cell->is_ready = true;
	keeper_judge_ready(cell->iso);
	keeper_started(cell->iso, 0);
	return true;
}

static bool
hear_ready(struct isolate_cell *cell, struct frame *frame)
{
	const char *why = frame_take_text(frame);

	if (!frame_is_done(frame))
		return false;
	cell->has_spoken = true;
	cell->is_ready = why == NULL;
	snprintf(cell->why, sizeof(cell->why), "%s", why ? why : "");
	if (cell->state == CELL_SERVING)
		keeper_judge_ready(cell->iso);
	return true;
}

static bool
hear_log(struct isolate_cell *cell, struct frame *frame)
{
	struct instance *in = cell->iso->in;
	uint32_t level = frame_take_u32(frame);
	struct isolate_task *task = task_of(cell, frame_take_u64(frame));
	const char *text = frame_take_text(frame);
	struct log_facts facts = { .instance = in->name };

	if (!frame_is_done(frame) || !text || level < EVH_DEBUG ||
	    level > EVH_ERROR)
		return false;
	if (!task || !task->ev) {
		keeper_log(cell->iso, (enum evh_level)level, text);
		return true;
	}
	facts.event = &task->ev->pub;
	log_write((enum evh_level)level, &facts, "%s", text);
	return true;
}

static bool
hear_metric(struct isolate_cell *cell, struct frame *frame)
{
	struct evh_ctx *ctx = &cell->iso->in->ctx;
	uint32_t number = frame_take_u32(frame);
	uint32_t kind = frame_take_u32(frame);
	const char *name = frame_take_text(frame);
	const char *labels = frame_take_text(frame);
	const char *help = frame_take_text(frame);

	if (!frame_is_done(frame) || number >= CELL_METRICS_MAX || !name ||
	    kind < EVH_COUNTER || kind > EVH_HISTOGRAM)
		return false;
	if (!cell->metrics)
		cell->metrics =
			calloc(CELL_METRICS_MAX, sizeof(struct evh_metric *));
	if (cell->metrics)
		cell->metrics[number] = ctx->metric(
			ctx, (enum evh_metric_kind)kind, name, labels, help);
	return true;
}

static bool
hear_record(struct isolate_cell *cell, struct frame *frame)
{
	uint32_t number = frame_take_u32(frame);
	int64_t value = (int64_t)frame_take_u64(frame);

	if (!frame_is_done(frame) || number >= CELL_METRICS_MAX)
		return false;
	if (cell->metrics)
		metric_record(cell->metrics[number], value);
	return true;
}

static bool
hear_fatal(struct isolate_cell *cell, struct frame *frame)
{
	struct evh_ctx *ctx = &cell->iso->in->ctx;
	const char *why = frame_take_text(frame);

	if (!frame_is_done(frame) || !why)
		return false;
	ctx->fatal(ctx, why);
	return true;
}

bool
cell_hear(struct isolate_cell *cell, struct frame *frame, int64_t now_ns)
{
	switch ((enum frame_type)frame->type) {
	case FRAME_CREATED:
		return hear_created(cell, frame);
	case FRAME_STARTED:
		return hear_started(cell, frame);
	case FRAME_READY:
		return hear_ready(cell, frame);
	case FRAME_HELD:
		return hear_held(cell, frame, now_ns);
	case FRAME_VERDICT:
		return hear_verdict(cell, frame, now_ns);
	case FRAME_LOG:
		return hear_log(cell, frame);
	case FRAME_METRIC:
		return hear_metric(cell, frame);
	case FRAME_RECORD:
		return hear_record(cell, frame);
	case FRAME_FATAL:
		return hear_fatal(cell, frame);
	case FRAME_CONFIG:
	case FRAME_START:
	case FRAME_EVENT:
	case FRAME_FLUSH:
	case FRAME_STOP:
	case FRAME_END:
		break;
	}
	return false;
}

/*
 * isolate_keeper.h - the thread that looks after an isolated handler's
 * processes.
 *
 * process() leaves the event with it and says EVH_HOLD; it gives the event to
 * the process that has the fewest, and resumes it by the verdict that comes
 * back.  So no worker waits for a process, lanes go on side by side, and what
 * the pipeline does with a try that was held it does with these.
 */
#ifndef EVH_ISOLATE_KEEPER_H
#define EVH_ISOLATE_KEEPER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <evh/plugin.h>

#include "awake.h"
#include "isolate_cell.h"

struct event;
struct instance;

#define ISOLATE_MAX 64 /* processes of one handler */

struct isolate {
	struct evh_plugin plugin; /* the plugin's, with functions of ours */
	struct instance *in;
	unsigned timeout_ms;  /* an event may be there for so long */
	unsigned n_processes; /* of the config; 0: as many as workers */
	pthread_t thread;
	bool has_thread;
	int wake_fd;
	atomic_bool is_awake; /* it will look before it sleeps */

	pthread_mutex_t lock; /* guards: the next nine */
	pthread_cond_t changed;
	struct task_list arrived;
	unsigned n_in_hand; /* events: arrived, waiting, at processes */
	bool wants_start, wants_flush, wants_back, wants_stop;
	unsigned wish_ms; /* for flush, stop */
	int created_rc, started_rc;
	bool is_created, is_started; /* as far as that is known */

	/* The keeper's alone. */
	unsigned tick_ms;
	struct awake awake; /* all its deadlines are by this time */
	struct isolate_cell cells[ISOLATE_MAX];
	unsigned n_cells;
	struct process_left left;
	struct task_list waiting;
	struct evh_metric *ends;
	struct task_table table;
	size_t frame_max;
	int64_t mean_ns;  /* that an event takes, lately */
	bool is_starting; /* has been told to */
	bool is_stopping;
};

/* The thread, with the first process on its way.  0 or -errno. */
int keeper_open(struct isolate *iso);
/* Ends all processes in this time and a little, and the thread; when that does
 * not end, evhd does, after shutdown_timeout and a little. */
void keeper_close(struct isolate *iso, unsigned timeout_ms);
void keeper_wake(struct isolate *iso);
/* The time of all that is due here; a pause of evhd is none of it.  On the
 * keeper's thread. */
int64_t keeper_now_ns(const struct isolate *iso);

/* What the handler says, or is said of it. */
void keeper_log(const struct isolate *iso, enum evh_level level,
		const char *text);
/* The first process has been created, or started, or did not come to that. */
void keeper_created(struct isolate *iso, int rc);
void keeper_started(struct isolate *iso, int rc);
/* A process became ready, or no longer is: whether the instance is. */
void keeper_judge_ready(struct isolate *iso);

/* How an event that is given back is to be seen. */
enum keeper_fate { FATE_VERDICT, FATE_BLAMED, FATE_BLAMELESS };
/* The pipeline has it again.  Takes the task. */
void keeper_resume(struct isolate *iso, struct isolate_task *task, int verdict,
		   enum keeper_fate fate);

#endif

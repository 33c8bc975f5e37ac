/*
 * dlq.h - `evhd dlq`: the operator's words for dead letters.
 *
 * They are the core's and not a plugin's, because a retry moves events: it
 * starts the part of a configuration that is needed, the keeper of the dead
 * letters and for a retry the pipeline that they go into, and asks the keeper
 * by evh.dead/1, so that a table and a topic look the same.
 */
#ifndef EVH_DLQ_H
#define EVH_DLQ_H

#include <stdbool.h>

#include <evh/services.h>

#include "arguments.h"
#include "dlq_choice.h"
#include "dlq_words.h"

struct host;

/* Some of what was asked for could not be done: a letter that is not there, or
 * cannot be retried. */
#define DLQ_EXIT_SOME 65

/* One run. */
struct dlq {
	const struct dlq_words *words;
	const struct dlq_choice *choice;
	struct host *host;
	const struct evh_dead *dead;
};

/* The words behind "dlq"; an exit code.  *ret_abandon: as host_run(). [main] */
int dlq_main(const struct arguments *arguments, bool *ret_abandon);

/* Each word; an exit code. [main] */
int dlq_list(struct dlq *dlq);
int dlq_show(struct dlq *dlq);
int dlq_stats(struct dlq *dlq);
int dlq_discard(struct dlq *dlq);
int dlq_retry(struct dlq *dlq);

#endif

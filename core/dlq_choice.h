/*
 * dlq_choice.h - which part of a configuration a dlq command needs: the keeper
 * of the dead letters, and for a retry the pipeline that they go into.
 *
 * The keeper is the one sink that stands in an on_fail; where none does (an
 * API alone has no handlers that fail) the one store.  A retry goes into the
 * pipeline that an ingest heads, as the event once did.
 */
#ifndef EVH_DLQ_CHOICE_H
#define EVH_DLQ_CHOICE_H

#include <stdbool.h>

#include "config.h"
#include "dlq_words.h"

#define DLQ_NAMES_MAX 256

struct dlq_choice {
	struct config *config; /* what all names below are of */
	const char *from;
	const struct config_pipeline *pipeline; /* of a retry; else NULL */
	const char *head;			/* its source, replaced */
	bool is_ingest;				/* somebody else processes it */
	const char *key_rule;			/* event_key.h */
	/* All instances that are needed, NULL-ended. */
	const char *names[DLQ_NAMES_MAX + 1];
	unsigned n_names;
};

/* 0, or an exit code once the mistake has been told on standard error; free
 * with dlq_choice_fini() either way. [main] */
int dlq_choice_make(const char *file, const char *env_file,
		    const struct dlq_words *words, struct dlq_choice *ret);
void dlq_choice_fini(struct dlq_choice *choice);

#endif

/*
 * dlq_words.h - what stands behind `evhd dlq`, read and checked.
 */
#ifndef EVH_DLQ_WORDS_H
#define EVH_DLQ_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dlq_where.h"

enum dlq_verb { DLQ_LIST = 1, DLQ_SHOW, DLQ_RETRY, DLQ_DISCARD, DLQ_STATS };

#define DLQ_LIST_LIMIT	100
#define DLQ_MAX_REPLAYS 3

struct dlq_words {
	enum dlq_verb verb;
	const char *from;     /* --from: whose dead letters; NULL: choose */
	const char *pipeline; /* --pipeline: into which; NULL: choose */
	const char *state;    /* --state: a file; or NULL */
	unsigned char (*ids)[16];
	unsigned n_ids;
	struct dlq_where where;
	bool has_where, all, json, bytes, dry_run;
	uint32_t limit;
	uint32_t max_replays;
	int64_t pause_ns;  /* --rate: from one event to the next; 0: none */
	int64_t before_ns; /* discard --before; 0: not said */
};

extern const char dlq_usage[]; /* one line */
extern const char dlq_help[];  /* a screen */

/* argv[0] is "dlq"; its strings are borrowed.  0; or -EINVAL or -ENOMEM and a
 * sentence; free with dlq_words_fini() either way. */
int dlq_words_parse(int argc, char **argv, int64_t now_ns,
		    struct dlq_words *ret, char *ret_why, size_t size);
void dlq_words_fini(struct dlq_words *words);

#endif

/*
 * dlq_discard.c - `evhd dlq discard`: dead letters forgotten for good.
 */
#include <inttypes.h>
#include <stdio.h>
#include <sysexits.h>

#include "dlq.h"
#include "dlq_text.h"
#include "dlq_walk.h"

static void
tell(const struct dlq *dlq, int64_t n)
{
	if (dlq->words->json)
		printf("{\"%s\":%" PRId64 "}\n",
		       dlq->words->dry_run ? "would_discard" : "discarded", n);
	else
		printf("%s %" PRId64 " dead letter%s\n",
		       dlq->words->dry_run ? "would discard" : "discarded", n,
		       n == 1 ? "" : "s");
}

/* One id, or (NULL) all that failed before the time. */
static int
discard_one(struct dlq *dlq, const unsigned char *id, struct dlq_walk *ret)
{
	return dlq_walk_discard(dlq, id, dlq->words->before_ns,
				dlq->words->dry_run, ret);
}

int
dlq_discard(struct dlq *dlq)
{
	const struct dlq_words *words = dlq->words;
	struct dlq_walk walk = { 0 };
	int64_t n = 0;
	int code = EX_OK, rc = EX_OK;

	if (words->n_ids == 0) {
		rc = discard_one(dlq, NULL, &walk);
		n = walk.n;
	}
	for (unsigned i = 0; rc == EX_OK && i < words->n_ids; i++) {
		char id[DLQ_ID_SIZE];

		rc = discard_one(dlq, words->ids[i], &walk);
		n += walk.n;
		if (walk.was_told_to_stop)
			break;
		if (rc != EX_OK || walk.n > 0)
			continue;
		dlq_text_id(words->ids[i], id);
		fprintf(stderr, "evhd dlq: %s: there is no such dead letter\n",
			id);
		code = DLQ_EXIT_SOME;
	}
	if (rc == EX_OK)
		tell(dlq, n);
	if (rc == EX_OK && walk.was_told_to_stop && walk.rc < 0) {
		fprintf(stderr, "evhd dlq: told to stop before it was done\n");
		code = DLQ_EXIT_SOME;
	}
	return rc != EX_OK ? rc : code;
}

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
	const struct evh_dead_query query = { .id = id,
					      .before_ns =
						      dlq->words->before_ns };

	if (dlq->words->dry_run)
		return dlq_walk_count(dlq, &query, ret);
	return dlq_walk_discard(dlq, id, dlq->words->before_ns, ret);
}

/* All that failed before the time.  A count that was cut short is none. */
static int
discard_before(struct dlq *dlq)
{
	struct dlq_walk walk;
	int rc = discard_one(dlq, NULL, &walk);

	if (rc != EX_OK)
		return rc;
	if (walk.was_told_to_stop && dlq->words->dry_run) {
		fprintf(stderr, "evhd dlq: stopped: not all were counted\n");
		return DLQ_EXIT_SOME;
	}
	tell(dlq, walk.n);
	return EX_OK;
}

/* Of one id; false when it is not there. */
static bool
was_there(const unsigned char id[16], const struct dlq_walk *walk)
{
	char text[DLQ_ID_SIZE];

	if (walk->n > 0 || walk->rc < 0)
		return true;
	dlq_text_id(id, text);
	fprintf(stderr, "evhd dlq: %s: there is no such dead letter\n", text);
	return false;
}

static int
discard_ids(struct dlq *dlq)
{
	const struct dlq_words *words = dlq->words;
	struct dlq_walk walk = { 0 };
	int code = EX_OK;
	unsigned i = 0;
	int64_t n = 0;

	while (i < words->n_ids && !walk.was_told_to_stop) {
		int rc = discard_one(dlq, words->ids[i], &walk);

		if (rc != EX_OK)
			return rc;
		if (!was_there(words->ids[i], &walk))
			code = DLQ_EXIT_SOME;
		n += walk.n;
		i++;
	}
	tell(dlq, n);
	if (i == words->n_ids)
		return code;
	fprintf(stderr, "evhd dlq: stopped: left as they are:\n");
	for (; i < words->n_ids; i++) {
		char id[DLQ_ID_SIZE];

		dlq_text_id(words->ids[i], id);
		fprintf(stderr, "  %s\n", id);
	}
	return DLQ_EXIT_SOME;
}

int
dlq_discard(struct dlq *dlq)
{
	return dlq->words->n_ids > 0 ? discard_ids(dlq) : discard_before(dlq);
}

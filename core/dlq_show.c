/*
 * dlq_show.c - `evhd dlq show`: all there is of a dead letter, its bytes too.
 */
#include <stdio.h>
#include <sysexits.h>

#include "dlq.h"
#include "dlq_text.h"
#include "dlq_walk.h"

static int
show_letter(void *arg, const struct evh_letter *letter)
{
	const struct dlq *dlq = arg;

	if (dlq->words->bytes)
		fwrite(letter->data.data, 1, letter->data.len, stdout);
	else if (dlq->words->json)
		dlq_text_json(stdout, letter, 1);
	else
		dlq_text_whole(stdout, letter);
	return 0;
}

int
dlq_show(struct dlq *dlq)
{
	const struct dlq_words *words = dlq->words;
	int code = EX_OK;

	for (unsigned i = 0; i < words->n_ids; i++) {
		const struct evh_dead_query query = { .id = words->ids[i],
						      .limit = 1,
						      .want_data = 1 };
		struct dlq_walk walk;
		char id[DLQ_ID_SIZE];
		int rc;

		if (i > 0 && !words->json)
			putchar('\n');
		rc = dlq_walk_run(dlq, &query, show_letter, dlq, NULL, &walk);
		if (rc != EX_OK || walk.was_told_to_stop)
			return rc;
		if (walk.n > 0)
			continue;
		dlq_text_id(words->ids[i], id);
		fprintf(stderr, "evhd dlq: %s: there is no such dead letter\n",
			id);
		code = DLQ_EXIT_SOME;
	}
	return code;
}

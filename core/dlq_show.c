/*
 * dlq_show.c - `evhd dlq show`: all there is of a dead letter, its bytes too.
 */
#include <stdbool.h>
#include <stdio.h>
#include <sysexits.h>

#include "dlq.h"
#include "dlq_text.h"
#include "dlq_walk.h"

struct showing {
	const struct dlq *dlq;
	bool is_lost; /* its bytes, which were asked for */
};

static int
show_letter(void *arg, const struct evh_letter *letter)
{
	struct showing *showing = arg;
	const struct dlq_words *words = showing->dlq->words;

	showing->is_lost = words->bytes && letter->lost_sha256;
	if (words->bytes)
		fwrite(letter->data.data, 1, letter->data.len, stdout);
	else if (words->json)
		dlq_text_json(stdout, letter, 1);
	else
		dlq_text_whole(stdout, letter);
	return 0;
}

/* What could not be shown is told. */
static int
tell(const unsigned char id[16], const char *why)
{
	char text[DLQ_ID_SIZE];

	dlq_text_id(id, text);
	fprintf(stderr, "evhd dlq: %s: %s\n", text, why);
	return DLQ_EXIT_SOME;
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
		struct showing showing = { .dlq = dlq };
		struct dlq_walk walk;
		int rc;

		if (i > 0 && !words->json)
			putchar('\n');
		rc = dlq_walk_run(dlq, &query, show_letter, &showing, NULL,
				  &walk);
		if (rc != EX_OK || walk.was_told_to_stop)
			return rc;
		if (walk.n == 0)
			code = tell(words->ids[i],
				    "there is no such dead letter");
		else if (showing.is_lost)
			code = tell(words->ids[i],
				    "its bytes are lost: they were too many "
				    "to be kept");
	}
	return code;
}

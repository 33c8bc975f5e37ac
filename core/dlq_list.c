/*
 * dlq_list.c - `evhd dlq list`: the newest dead letters, a line each.
 */
#include <stdio.h>
#include <sysexits.h>

#include "dlq.h"
#include "dlq_text.h"
#include "dlq_walk.h"

static int
list_letter(void *arg, const struct evh_letter *letter)
{
	const struct dlq *dlq = arg;

	if (dlq->words->json)
		dlq_text_json(stdout, letter, 0);
	else
		dlq_text_line(stdout, letter);
	/* A reader that has gone, `head` for one, has had enough. */
	return ferror(stdout) ? -1 : 0;
}

int
dlq_list(struct dlq *dlq)
{
	struct evh_dead_query query = dlq->words->where.query;
	struct dlq_walk walk;
	int code;

	query.newest_first = 1;
	query.limit = dlq->words->limit;
	if (!dlq->words->json)
		dlq_text_head(stdout);
	code = dlq_walk_run(dlq, &query, list_letter, dlq, NULL, &walk);
	if (code == EX_OK && walk.n >= dlq->words->limit)
		fprintf(stderr,
			"evhd dlq: the newest %lld; --limit N shows more\n",
			(long long)walk.n);
	return code;
}

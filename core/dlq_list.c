/*
 * dlq_list.c - `evhd dlq list`: the dead letters that failed last, a line each.
 */
#include <stdio.h>
#include <sysexits.h>

#include "dlq.h"
#include "dlq_newest.h"
#include "dlq_text.h"
#include "dlq_walk.h"

struct list {
	struct dlq_newest newest;
	int rc; /* of the letter that could not be kept; else 0 */
};

static int
list_letter(void *arg, const struct evh_letter *letter)
{
	struct list *list = arg;

	list->rc = dlq_newest_add(&list->newest, letter);
	return list->rc;
}

static void
list_put(struct list *list, const struct dlq_words *words, int64_t n)
{
	if (!words->json)
		dlq_text_head(stdout);
	dlq_newest_put(&list->newest, stdout);
	if (n > words->limit)
		fprintf(stderr,
			"evhd dlq: the %u that failed last, of %lld; --limit "
			"N shows more\n",
			(unsigned)words->limit, (long long)n);
}

int
dlq_list(struct dlq *dlq)
{
	const struct dlq_words *words = dlq->words;
	struct list list = { .rc = 0 };
	struct dlq_walk walk;
	int code;

	dlq_newest_init(&list.newest, words->limit, words->json);
	code = dlq_walk_run(dlq, &words->where.query, list_letter, &list, NULL,
			    &walk);
	if (list.rc < 0) {
		fprintf(stderr, "evhd dlq: out of memory\n");
		code = EX_OSERR;
	} else if (walk.was_told_to_stop) {
		fprintf(stderr, "evhd dlq: stopped: not all were looked at\n");
	} else if (code == EX_OK) {
		list_put(&list, words, walk.n);
	}
	dlq_newest_fini(&list.newest);
	return code;
}

/*
 * dlq_stats.c - `evhd dlq stats`: how many there are of each stage and error.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "dlq.h"
#include "dlq_text.h"
#include "dlq_walk.h"
#include "letter.h"
#include "scratch.h"

/* What differs beyond that many is counted together. */
#define GROUPS_MAX 1000

struct group {
	char stage[128], type[64], sqlstate[8];
	int64_t n, first_ns, last_ns;
};

struct stats {
	const struct dlq *dlq;
	struct group *groups; /* GROUPS_MAX, and one for the others */
	unsigned n_groups;
	int64_t n;
};

static struct group *
group_of(struct stats *stats, const struct letter_error *error)
{
	struct group *group;

	for (unsigned i = 0; i < stats->n_groups; i++) {
		group = &stats->groups[i];
		if (strcmp(group->stage, error->stage) == 0 &&
		    strcmp(group->type, error->type) == 0 &&
		    strcmp(group->sqlstate, error->sqlstate) == 0)
			return group;
	}
	if (stats->n_groups > GROUPS_MAX)
		return &stats->groups[GROUPS_MAX];
	group = &stats->groups[stats->n_groups++];
	if (stats->n_groups > GROUPS_MAX) {
		snprintf(group->stage, sizeof(group->stage), "(others)");
		return group;
	}
	memcpy(group->stage, error->stage, sizeof(group->stage));
	memcpy(group->type, error->type, sizeof(group->type));
	memcpy(group->sqlstate, error->sqlstate, sizeof(group->sqlstate));
	return group;
}

static int
stats_letter(void *arg, const struct evh_letter *letter)
{
	struct stats *stats = arg;
	EVH_SCRATCH struct letter_error error;
	struct group *group;

	letter_error_read(letter->error, &error);
	group = group_of(stats, &error);
	if (group->n == 0 || letter->failed_ns < group->first_ns)
		group->first_ns = letter->failed_ns;
	if (letter->failed_ns > group->last_ns)
		group->last_ns = letter->failed_ns;
	group->n++;
	stats->n++;
	return 0;
}

static int
group_order(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	return x->n > y->n ? -1 : x->n < y->n;
}

static void
group_json(const struct group *group)
{
	char first[DLQ_TIME_SIZE], last[DLQ_TIME_SIZE];

	dlq_text_time(group->first_ns, first);
	dlq_text_time(group->last_ns, last);
	fputs("{\"stage\":", stdout);
	dlq_text_quote(stdout, group->stage, strlen(group->stage));
	fputs(",\"type\":", stdout);
	dlq_text_quote(stdout, group->type, strlen(group->type));
	if (*group->sqlstate) {
		fputs(",\"sqlstate\":", stdout);
		dlq_text_quote(stdout, group->sqlstate,
			       strlen(group->sqlstate));
	}
	printf(",\"count\":%" PRId64 ",\"first_failed_at\":\"%s\","
	       "\"last_failed_at\":\"%s\"}\n",
	       group->n, first, last);
}

static void
group_line(const struct group *group)
{
	char first[DLQ_TIME_SIZE], last[DLQ_TIME_SIZE];

	dlq_text_time(group->first_ns, first);
	dlq_text_time(group->last_ns, last);
	printf("%10" PRId64 "  %-27s  %-27s  ", group->n, first, last);
	dlq_text_put(stdout, group->stage, strlen(group->stage));
	putchar('/');
	dlq_text_put(stdout, group->type, strlen(group->type));
	if (*group->sqlstate)
		putchar('/');
	dlq_text_put(stdout, group->sqlstate, strlen(group->sqlstate));
	putchar('\n');
}

int
dlq_stats(struct dlq *dlq)
{
	struct stats stats = { .dlq = dlq };
	struct dlq_walk walk;
	int code;

	stats.groups = calloc(GROUPS_MAX + 1, sizeof(*stats.groups));
	if (!stats.groups) {
		fprintf(stderr, "evhd dlq: out of memory\n");
		return EX_OSERR;
	}
	code = dlq_walk_run(dlq, &dlq->words->where.query, stats_letter, &stats,
			    NULL, &walk);
	if (code == EX_OK && !walk.was_told_to_stop) {
		qsort(stats.groups, stats.n_groups, sizeof(*stats.groups),
		      group_order);
		if (!dlq->words->json)
			printf("%10s  %-27s  %-27s  %s\n", "COUNT",
			       "FIRST FAILED", "LAST FAILED", "STAGE/TYPE");
		for (unsigned i = 0; i < stats.n_groups; i++)
			if (dlq->words->json)
				group_json(&stats.groups[i]);
			else
				group_line(&stats.groups[i]);
		if (!dlq->words->json)
			printf("%10" PRId64 "  in all\n", stats.n);
	}
	free(stats.groups);
	return code;
}

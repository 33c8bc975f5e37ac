/*
 * dlq_where.h - which dead letters are meant: the conditions of `--where`.
 *
 *     name=user.*,stage=welcome,since=2h
 *     text=anything, commas too, to the end of the word
 *
 * All of them have to hold.  A time is RFC 3339 or so long ago ("90m", "2d").
 */
#ifndef EVH_DLQ_WHERE_H
#define EVH_DLQ_WHERE_H

#include <evh/services.h>

#include <stddef.h>
#include <stdint.h>

#define DLQ_WHERE_WORDS 16

struct dlq_where {
	struct evh_dead_query query; /* its strings lie in `words` */
	char *words[DLQ_WHERE_WORDS];
	unsigned n_words;
};

/* Adds the conditions of one word.  0; or -EINVAL or -ENOMEM and a sentence.
 * now_ns: what "2h" ago is counted from. */
int dlq_where_add(struct dlq_where *where, const char *word, int64_t now_ns,
		  char *ret_why, size_t size);
void dlq_where_fini(struct dlq_where *where);

/* A point in time, as above; 0 or -EINVAL. */
int dlq_time_parse(const char *text, int64_t now_ns, int64_t *ret_ns);

#endif

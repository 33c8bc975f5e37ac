#include "dlq_where.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "problems.h"
#include "rfc3339.h"

int
dlq_time_parse(const char *text, int64_t now_ns, int64_t *ret_ns)
{
	size_t len = strlen(text);
	int64_t ms, at_ns;

	if (rfc3339_read(text, len, ret_ns) == 0)
		return 0;
	/* A bare number would be milliseconds, and nobody means that. */
	if (len < 2 || strspn(text, "0123456789") == len ||
	    options_parse_msec(text, &ms) < 0 || ms > INT64_MAX / 1000000)
		return -EINVAL;
	at_ns = now_ns - ms * 1000000;
	/* 0 is "none" to those who ask. */
	*ret_ns = at_ns > 0 ? at_ns : 1;
	return 0;
}

/* Where a condition's value goes; one of the two, or neither. */
struct place {
	const char **text;
	int64_t *time_ns;
};

static const char *const conditions[] = { "name", "stage", "type",   "sqlstate",
					  "text", "since", "before", NULL };

static struct place
place_of(struct evh_dead_query *q, const char *name)
{
	if (strcmp(name, "name") == 0)
		return (struct place){ .text = &q->name };
	if (strcmp(name, "stage") == 0)
		return (struct place){ .text = &q->stage };
	if (strcmp(name, "type") == 0)
		return (struct place){ .text = &q->type };
	if (strcmp(name, "sqlstate") == 0)
		return (struct place){ .text = &q->sqlstate };
	if (strcmp(name, "text") == 0)
		return (struct place){ .text = &q->text };
	if (strcmp(name, "since") == 0)
		return (struct place){ .time_ns = &q->since_ns };
	if (strcmp(name, "before") == 0)
		return (struct place){ .time_ns = &q->before_ns };
	return (struct place){ 0 };
}

static int
refuse_name(const char *name, char *ret_why, size_t size)
{
	const char *nearest = problems_nearest(name, conditions);

	snprintf(ret_why, size,
		 "there is no condition \"%s\"%s%s%s; there are name, stage, "
		 "type, sqlstate, text, since, before",
		 name, nearest ? "; did you mean \"" : "",
		 nearest ? nearest : "", nearest ? "\"?" : "");
	return -EINVAL;
}

static int
condition_add(struct dlq_where *where, const char *name, const char *value,
	      int64_t now_ns, char *ret_why, size_t size)
{
	struct place place = place_of(&where->query, name);

	if (!place.text && !place.time_ns)
		return refuse_name(name, ret_why, size);
	if ((place.text && *place.text) || (place.time_ns && *place.time_ns)) {
		snprintf(ret_why, size, "%s= is said twice", name);
		return -EINVAL;
	}
	if (!*value) {
		snprintf(ret_why, size, "%s= what?", name);
		return -EINVAL;
	}
	if (place.text) {
		*place.text = value;
		return 0;
	}
	if (dlq_time_parse(value, now_ns, place.time_ns) == 0)
		return 0;
	snprintf(ret_why, size,
		 "%s=%s: a time is written 2026-11-22T18:56:33Z, or 90m, 2h, "
		 "3d for so long ago",
		 name, value);
	return -EINVAL;
}

/* Cuts "name=value" off the front of *rest, which goes behind the comma. */
static int
condition_cut(char **rest, char **ret_name, char **ret_value, char *ret_why,
	      size_t size)
{
	char *name = *rest, *equals = strchr(name, '='), *comma;

	if (!equals) {
		snprintf(ret_why, size,
			 "\"%s\" is no condition, which looks like name=user.*",
			 name);
		return -EINVAL;
	}
	*equals = '\0';
	comma = strcmp(name, "text") == 0 ? NULL : strchr(equals + 1, ',');
	if (comma)
		*comma = '\0';
	*ret_name = name;
	*ret_value = equals + 1;
	*rest = comma ? comma + 1 : NULL;
	return 0;
}

int
dlq_where_add(struct dlq_where *where, const char *word, int64_t now_ns,
	      char *ret_why, size_t size)
{
	char *rest, *name, *value;
	int rc = 0;

	if (where->n_words == DLQ_WHERE_WORDS) {
		snprintf(ret_why, size, "more than %d conditions",
			 DLQ_WHERE_WORDS);
		return -EINVAL;
	}
	rest = strdup(word);
	if (!rest) {
		snprintf(ret_why, size, "out of memory");
		return -ENOMEM;
	}
	where->words[where->n_words++] = rest;
	while (rc == 0 && rest) {
		rc = condition_cut(&rest, &name, &value, ret_why, size);
		if (rc == 0)
			rc = condition_add(where, name, value, now_ns, ret_why,
					   size);
	}
	return rc;
}

void
dlq_where_fini(struct dlq_where *where)
{
	for (unsigned i = 0; i < where->n_words; i++)
		free(where->words[i]);
	where->n_words = 0;
}

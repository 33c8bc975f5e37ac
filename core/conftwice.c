/*
 * conftwice.c - the text's names, by section, without asking libconfuse.
 *
 * What stands before an equals sign is a name, of the section that the braces
 * are open for; lists have braces, too, but no equals signs in them.
 */
#include "conftwice.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conftext.h"

struct name {
	const char *text; /* in the text */
	size_t len;
	unsigned line;
	unsigned depth; /* of braces */
};

struct names {
	struct name *list; /* of the sections that are open */
	size_t n, size;
	struct name last; /* that was read, whatever it is; len 0: none */
	const char *file;
	struct problems *problems;
};

static const struct name *
name_find(const struct names *names, const struct name *name)
{
	for (size_t i = 0; i < names->n; i++) {
		const struct name *other = &names->list[i];

		if (other->depth == name->depth && other->len == name->len &&
		    memcmp(other->text, name->text, name->len) == 0)
			return other;
	}
	return NULL;
}

static int
name_add(struct names *names, const struct name *name)
{
	if (names->n == names->size) {
		size_t size = names->size ? 2 * names->size : 64;
		struct name *list =
			reallocarray(names->list, size, sizeof(*list));

		if (!list)
			return -ENOMEM;
		names->list = list;
		names->size = size;
	}
	names->list[names->n++] = *name;
	return 0;
}

static int
twice_report(const struct names *names, const struct name *name,
	     const struct name *first)
{
	char *where;

	if (asprintf(&where, "%s:%u", names->file, name->line) < 0)
		return -ENOMEM;
	problems_add(names->problems, where,
		     "\"%.*s\" is set twice in this section, first in line %u; "
		     "one is enough",
		     (int)name->len, name->text, first->line);
	free(where);
	return 0;
}

/* At the equals sign behind the last name. */
static int
name_set(struct names *names, bool adds)
{
	const struct name *first;

	if (names->last.len == 0)
		return 0;
	first = name_find(names, &names->last);
	if (!first)
		return name_add(names, &names->last);
	return adds ? 0 : twice_report(names, &names->last, first);
}

/* Behind the string at s, without the quotes in the name. */
static const char *
quoted_read(const char *s, struct name *ret)
{
	char quote = *s++;

	ret->text = s;
	while (*s && *s != quote)
		s += *s == '\\' && s[1] ? 2 : 1;
	ret->len = (size_t)(s - ret->text);
	return *s ? s + 1 : s;
}

static const char *
word_read(const char *s, struct name *ret)
{
	ret->text = s;
	ret->len = strcspn(s, CONFTEXT_WORD_ENDS);
	return s + ret->len;
}

static void
section_leave(struct names *names, unsigned depth)
{
	while (names->n > 0 && names->list[names->n - 1].depth > depth)
		names->n--;
}

static int
text_walk(struct names *names, const char *s)
{
	unsigned depth = 0;
	unsigned line = 1;
	bool adds = false; /* the character before is a plus */
	int err = 0;

	while (*s && err == 0) {
		struct name *last = &names->last;
		const char *from = s;

		if (*s == '=') {
			err = name_set(names, adds);
			last->len = 0;
			s++;
		} else if (*s == '"' || *s == '\'') {
			s = quoted_read(s, last);
		} else if (!strchr(CONFTEXT_WORD_ENDS, *s)) {
			s = word_read(s, last);
		} else {
			depth += *s == '{';
			depth -= *s == '}' && depth > 0;
			if (*s == '}')
				section_leave(names, depth);
			if (strchr("{}(),", *s))
				last->len = 0;
			s++;
		}
		if (last->len > 0 && last->text >= from) {
			last->line = line;
			last->depth = depth;
		}
		adds = *from == '+';
		for (; from < s; from++)
			line += *from == '\n';
	}
	return err;
}

int
conftwice_check(const char *text, const char *file, struct problems *problems)
{
	struct names names = { .file = file, .problems = problems };
	int err = text_walk(&names, text);

	free(names.list);
	return err;
}

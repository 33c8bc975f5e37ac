/*
 * problems.c - a growing list of sentences, and "did you mean".
 */
#include "problems.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	/* Longer words are not compared: nobody types them by hand. */
	MAX_WORD = 64,
};

static void
problems_vadd(struct problems *p, bool is_warning, const char *where,
	      const char *fmt, va_list args)
{
	struct problem problem = { .is_warning = is_warning };
	struct problem *list;

	if (!is_warning)
		p->n_errors++;
	list = reallocarray(p->list, p->n + 1, sizeof(*list));
	if (list)
		p->list = list;
	problem.where = strdup(where ? where : "");
	if (vasprintf(&problem.text, fmt, args) < 0)
		problem.text = NULL;
	if (!list || !problem.where || !problem.text) {
		free(problem.where);
		free(problem.text);
		p->out_of_memory = true;
		if (is_warning)
			p->n_errors++;
		return;
	}
	p->list[p->n++] = problem;
}

void
problems_add(struct problems *p, const char *where, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	problems_vadd(p, false, where, fmt, args);
	va_end(args);
}

void
problems_warn(struct problems *p, const char *where, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	problems_vadd(p, true, where, fmt, args);
	va_end(args);
}

void
problems_fini(struct problems *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->list[i].where);
		free(p->list[i].text);
	}
	free(p->list);
	*p = (struct problems){ 0 };
}

static size_t
min3(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* How many letters must be added, left out, changed or swapped with their
 * neighbour to make one of the other (optimal string alignment). */
static size_t
edit_distance(const char *a, const char *b)
{
	size_t rows[3][MAX_WORD + 1];
	size_t *before = rows[0], *above = rows[1], *row = rows[2];
	size_t n_a = strlen(a), n_b = strlen(b);

	for (size_t j = 0; j <= n_b; j++)
		above[j] = j;
	for (size_t i = 1; i <= n_a; i++) {
		size_t *spare = before;

		row[0] = i;
		for (size_t j = 1; j <= n_b; j++) {
			size_t other = a[i - 1] != b[j - 1];

			row[j] = min3(above[j] + 1, row[j - 1] + 1,
				      above[j - 1] + other);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1] && before[j - 2] + 1 < row[j])
				row[j] = before[j - 2] + 1;
		}
		before = above;
		above = row;
		row = spare;
	}
	return above[n_b];
}

/*
 * Twice the letters that are wrong.  Who left out the end of a word meant it
 * more likely than another that is two letters away.
 */
static size_t
word_distance(const char *typed, const char *word)
{
	size_t n = strlen(typed);
	size_t distance = 2 * edit_distance(typed, word);

	if (n >= 3 && strncmp(typed, word, n) == 0 && distance > 3)
		return 3;
	return distance;
}

const char *
problems_nearest(const char *word, const char *const *words)
{
	size_t length = strlen(word);
	const char *nearest = NULL;
	size_t least;

	if (length == 0 || length > MAX_WORD)
		return NULL;

	/* One slip in a short word, one in three letters of a longer one:
	 * beyond that it is a guess that misleads. */
	least = 2 * ((length < 3 ? 1 : length / 3) + 1);
	for (size_t i = 0; words[i]; i++) {
		size_t distance;

		if (strlen(words[i]) > MAX_WORD)
			continue;
		distance = word_distance(word, words[i]);
		if (distance < least) {
			least = distance;
			nearest = words[i];
		}
	}
	return nearest;
}

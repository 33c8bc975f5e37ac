#include "dlq_newest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dlq_text.h"

#define ROOM_FIRST 64

struct dlq_newest_line {
	int64_t failed_ns;
	unsigned char id[16];
	char *text;
	size_t len;
};

void
dlq_newest_init(struct dlq_newest *newest, size_t limit, bool json)
{
	*newest = (struct dlq_newest){ .limit = limit, .json = json };
}

void
dlq_newest_fini(struct dlq_newest *newest)
{
	for (size_t i = 0; i < newest->n; i++)
		free(newest->lines[i].text);
	free(newest->lines);
	newest->lines = NULL;
	newest->n = newest->room = 0;
}

/* The last to fail first; of one moment, by id, so that two lists agree. */
static int
line_order(const void *a, const void *b)
{
	const struct dlq_newest_line *x = a, *y = b;

	if (x->failed_ns != y->failed_ns)
		return x->failed_ns > y->failed_ns ? -1 : 1;
	return memcmp(y->id, x->id, sizeof(x->id));
}

/* In order, and no more than are wanted. */
static void
lines_cut(struct dlq_newest *newest)
{
	if (newest->n == 0)
		return;
	qsort(newest->lines, newest->n, sizeof(*newest->lines), line_order);
	while (newest->n > newest->limit)
		free(newest->lines[--newest->n].text);
	if (newest->n == newest->limit)
		newest->floor_ns = newest->lines[newest->n - 1].failed_ns;
}

/* Room for one more. */
static int
lines_grow(struct dlq_newest *newest)
{
	size_t room = newest->room > 0 ? 2 * newest->room : ROOM_FIRST;
	struct dlq_newest_line *lines;

	if (newest->n >= 2 * newest->limit)
		lines_cut(newest);
	if (newest->n < newest->room)
		return 0;
	lines = reallocarray(newest->lines, room, sizeof(*lines));
	if (!lines)
		return -ENOMEM;
	newest->lines = lines;
	newest->room = room;
	return 0;
}

static int
line_make(const struct dlq_newest *newest, const struct evh_letter *letter,
	  struct dlq_newest_line *ret)
{
	FILE *out;

	*ret = (struct dlq_newest_line){ .failed_ns = letter->failed_ns };
	memcpy(ret->id, letter->id, sizeof(ret->id));
	out = open_memstream(&ret->text, &ret->len);
	if (!out)
		return -ENOMEM;
	if (newest->json)
		dlq_text_json(out, letter, 0);
	else
		dlq_text_line(out, letter);
	if (fclose(out) == 0)
		return 0;
	free(ret->text);
	return -ENOMEM;
}

int
dlq_newest_add(struct dlq_newest *newest, const struct evh_letter *letter)
{
	struct dlq_newest_line line;
	int rc;

	if (newest->floor_ns && letter->failed_ns < newest->floor_ns)
		return 0;
	rc = lines_grow(newest);
	if (rc == 0)
		rc = line_make(newest, letter, &line);
	if (rc == 0)
		newest->lines[newest->n++] = line;
	return rc;
}

void
dlq_newest_put(struct dlq_newest *newest, FILE *out)
{
	lines_cut(newest);
	/* A reader that has gone, `head` for one, has had enough. */
	for (size_t i = 0; i < newest->n && !ferror(out); i++)
		fwrite(newest->lines[i].text, 1, newest->lines[i].len, out);
}

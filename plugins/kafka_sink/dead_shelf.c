#include "dead_shelf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int
dead_shelf_init(struct dead_shelf *shelf, size_t max)
{
	*shelf = (struct dead_shelf){ .max = max };
	shelf->letters = calloc(max + 1, sizeof(*shelf->letters));
	return shelf->letters != NULL ? 0 : -ENOMEM;
}

void
dead_shelf_fini(struct dead_shelf *shelf)
{
	/* The name is the block's beginning. */
	for (size_t i = 0; i < shelf->n; i++)
		free((void *)(uintptr_t)shelf->letters[i].name);
	free(shelf->letters);
	shelf->letters = NULL;
	shelf->n = 0;
}

/* Copies text behind *at, if there is any. */
static const char *
text_put(char **at, const char *text)
{
	char *copy = *at;
	size_t size;

	if (text == NULL)
		return NULL;
	size = strlen(text) + 1;
	memcpy(copy, text, size);
	*at += size;
	return copy;
}

static size_t
text_size(const char *text)
{
	return text != NULL ? strlen(text) + 1 : 0;
}

int
dead_shelf_put(struct dead_shelf *shelf, const struct evh_letter *letter)
{
	struct evh_letter *copy = &shelf->letters[shelf->n];
	size_t size = text_size(letter->name) + text_size(letter->error) +
		      text_size(letter->topic) +
		      text_size(letter->lost_sha256) + letter->key.len + 1;
	char *at;

	if (shelf->n == shelf->max)
		return 0;
	at = malloc(size);
	if (at == NULL)
		return -ENOMEM;
	*copy = *letter;
	copy->data = (struct evh_bytes){ NULL, 0 };
	copy->headers = NULL;
	copy->n_headers = 0;
	copy->name = text_put(&at, letter->name);
	copy->error = text_put(&at, letter->error);
	copy->topic = text_put(&at, letter->topic);
	copy->lost_sha256 = text_put(&at, letter->lost_sha256);
	if (letter->key.len > 0)
		memcpy(at, letter->key.data, letter->key.len);
	copy->key.data = at;
	shelf->n++;
	return 0;
}

static int
order_newest(const void *a, const void *b)
{
	const struct evh_letter *x = a, *y = b;

	if (x->created_ns != y->created_ns)
		return x->created_ns > y->created_ns ? -1 : 1;
	return memcmp(y->id, x->id, sizeof(x->id));
}

void
dead_shelf_sort(struct dead_shelf *shelf)
{
	qsort(shelf->letters, shelf->n, sizeof(*shelf->letters), order_newest);
}

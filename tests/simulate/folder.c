#include "folder.h"

#include <string.h>

#include "chance.h"
#include "failure.h"
#include "virtual.h"

/* ---- Memory, which is never short here ---------------------------------- */

static void
bytes_grow(unsigned char **bytes, size_t *room, size_t n)
{
	unsigned char *grown;

	if (n <= *room)
		return;
	n *= 2;
	grown = virtual_alloc(n);
	if (*room > 0)
		memcpy(grown, *bytes, *room);
	virtual_free(*bytes);
	*bytes = grown;
	*room = n;
}

static void
bytes_copy(unsigned char **to, size_t *room, const unsigned char *from,
	   size_t n)
{
	*to = NULL;
	*room = 0;
	bytes_grow(to, room, n);
	if (n > 0)
		memcpy(*to, from, n);
}

void
folder_empty(struct folder *folder)
{
	for (unsigned i = 0; i < folder->n; i++) {
		virtual_free(folder->nodes[i].bytes);
		virtual_free(folder->nodes[i].sure);
	}
	folder->n = 0;
	folder->n_changes = 0;
}

void
folder_copy(struct folder *to, const struct folder *from)
{
	memcpy(to->changes, from->changes, sizeof(to->changes));
	to->n_changes = from->n_changes;
	to->n = from->n;
	for (unsigned i = 0; i < from->n; i++) {
		const struct node *node = &from->nodes[i];
		struct node *copy = &to->nodes[i];

		*copy = *node;
		bytes_copy(&copy->bytes, &copy->room, node->bytes, node->len);
		bytes_copy(&copy->sure, &copy->sure_room, node->sure,
			   node->n_sure);
	}
}

/* ---- What is on the disk ------------------------------------------------ */

static void
make_sure(struct node *node, size_t from, size_t to)
{
	if (from >= to)
		return;
	bytes_grow(&node->sure, &node->sure_room, to);
	if (node->n_sure < from) /* a hole */
		memset(node->sure + node->n_sure, 0, from - node->n_sure);
	memcpy(node->sure + from, node->bytes + from, to - from);
	if (node->n_sure < to)
		node->n_sure = to;
}

void
node_sync(struct node *node)
{
	make_sure(node, node->dirty,
		  node->dirty_end < node->len ? node->dirty_end : node->len);
	if (node->n_sure > node->len)
		node->n_sure = node->len;
	node->dirty = node->dirty_end = 0;
	node->was_cut = false;
}

/* A beginning of what is dirty; its length, perhaps, before the bytes. */
static void
make_some_sure(struct node *node, struct chance *chance)
{
	size_t end = node->dirty_end < node->len ? node->dirty_end : node->len;
	size_t n = end > node->dirty ? end - node->dirty : 0;

	make_sure(node, node->dirty,
		  node->dirty + chance_below(chance, (unsigned)n + 1));
	if (node->n_sure < end && chance_of(chance, 30)) {
		bytes_grow(&node->sure, &node->sure_room, end);
		memset(node->sure + node->n_sure, 0, end - node->n_sure);
		node->n_sure = end;
	}
	if (node->was_cut && node->n_sure > node->len && chance_of(chance, 50))
		node->n_sure = node->len;
}

void
node_sync_some(struct node *node, struct chance *chance)
{
	make_some_sure(node, chance);
	/* The rest is clean from now on, and nowhere. */
	node->dirty = node->dirty_end = 0;
}

void
node_write(struct node *node, const void *data, size_t n, size_t place)
{
	if (n == 0)
		return;
	bytes_grow(&node->bytes, &node->room, place + n);
	if (node->len < place)
		memset(node->bytes + node->len, 0, place - node->len);
	memcpy(node->bytes + place, data, n);
	if (node->len < place + n)
		node->len = place + n;
	if (node->dirty == node->dirty_end) {
		node->dirty = place;
		node->dirty_end = place + n;
		return;
	}
	if (place < node->dirty)
		node->dirty = place;
	if (place + n > node->dirty_end)
		node->dirty_end = place + n;
}

static void
changes_make_sure(struct folder *folder, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		folder->nodes[folder->changes[i].node].is_sure =
			folder->changes[i].is_listed;
	folder->n_changes -= n;
	memmove(folder->changes, folder->changes + n,
		folder->n_changes * sizeof(folder->changes[0]));
}

void
folder_sync(struct folder *folder)
{
	changes_make_sure(folder, folder->n_changes);
}

void
folder_list(struct folder *folder, struct node *node, bool is_listed)
{
	/* A journal is written now and then by itself. */
	if (folder->n_changes == FOLDER_CHANGES)
		changes_make_sure(folder, 1);
	node->is_listed = is_listed;
	folder->changes[folder->n_changes++] =
		(struct change){ (unsigned)(node - folder->nodes), is_listed };
}

void
folder_tear(struct folder *folder, struct chance *chance)
{
	changes_make_sure(folder, chance_below(chance, folder->n_changes + 1));
	folder->n_changes = 0;
	for (unsigned i = 0; i < folder->n; i++) {
		struct node *node = &folder->nodes[i];

		node->is_listed = node->is_sure;
		if (!node->is_sure)
			continue;
		make_some_sure(node, chance);
		virtual_free(node->bytes);
		bytes_copy(&node->bytes, &node->room, node->sure, node->n_sure);
		node->len = node->n_sure;
		node->dirty = node->dirty_end = 0;
		node->was_cut = false;
	}
}

/* ---- Names -------------------------------------------------------------- */

struct node *
folder_find(struct folder *folder, const char *name)
{
	for (unsigned i = 0; i < folder->n; i++)
		if (folder->nodes[i].is_listed &&
		    strcmp(folder->nodes[i].name, name) == 0)
			return &folder->nodes[i];
	return NULL;
}

static bool
is_needed(const struct folder *folder, unsigned node)
{
	if (folder->nodes[node].is_listed || folder->nodes[node].is_sure)
		return true;
	for (unsigned i = 0; i < folder->n_changes; i++)
		if (folder->changes[i].node == node)
			return true;
	return false;
}

struct node *
folder_add(struct folder *folder, const char *name,
	   bool (*is_used)(unsigned node))
{
	unsigned i = 0;

	while (i < folder->n && (is_needed(folder, i) || is_used(i)))
		i++;
	if (i == FOLDER_NODES)
		failure("the simulated disk has no room for one more file");
	if (i == folder->n) {
		folder->n++;
	} else {
		virtual_free(folder->nodes[i].bytes);
		virtual_free(folder->nodes[i].sure);
	}
	folder->nodes[i] = (struct node){ 0 };
	strncpy(folder->nodes[i].name, name, sizeof(folder->nodes[i].name) - 1);
	return &folder->nodes[i];
}

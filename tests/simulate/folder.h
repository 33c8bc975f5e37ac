/*
 * folder.h - the files of a simulated folder, as processes see them and as the
 * disk has them.
 *
 * What is written is dirty until it is synced; what becomes of it when the
 * machine loses its power, chance decides.
 */
#ifndef SIMULATE_FOLDER_H
#define SIMULATE_FOLDER_H

#include <stdbool.h>
#include <stddef.h>

#define FOLDER_NODES   128u
#define FOLDER_CHANGES 32u

struct chance;

/* A file, which may have no name any more. */
struct node {
	char name[32];
	bool is_listed;	 /* in the folder, as processes see it, */
	bool is_sure;	 /* and as the disk has it */
	bool is_spoiled; /* a write or an fsync of it has failed */
	bool was_cut;	 /* by ftruncate(), since its last fsync() */
	unsigned char *bytes;
	size_t len, room;
	unsigned char *sure; /* what the disk has */
	size_t n_sure, sure_room;
	size_t dirty, dirty_end; /* written since; the same: nothing was */
};

/* In the folder, since it was synced. */
struct change {
	unsigned node;
	bool is_listed;
};

struct folder {
	struct node nodes[FOLDER_NODES];
	unsigned n;
	struct change changes[FOLDER_CHANGES];
	unsigned n_changes;
};

void folder_empty(struct folder *folder);
/* Into one that is empty. */
void folder_copy(struct folder *to, const struct folder *from);
/* The machine has lost its power. */
void folder_tear(struct folder *folder, struct chance *chance);
/* An fsync() of the folder: names are as they are seen. */
void folder_sync(struct folder *folder);

/* The file of this name; NULL: none. */
struct node *folder_find(struct folder *folder, const char *name);
/* An empty file, in a place that is not `is_used`; its name is not listed. */
struct node *folder_add(struct folder *folder, const char *name,
			bool (*is_used)(unsigned node));
/* Its name comes, or goes. */
void folder_list(struct folder *folder, struct node *node, bool is_listed);

void node_write(struct node *node, const void *data, size_t n, size_t place);
/* An fsync() of a file; one that fails, which does some of it. */
void node_sync(struct node *node);
void node_sync_some(struct node *node, struct chance *chance);

#endif

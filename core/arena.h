/*
 * arena.h - memory for what shares one life, and ends with it at once.
 *
 * The first of it lies in the arena itself, so that most events never allocate;
 * what needs more gets blocks.  A mark remembers how far it is filled, and
 * rewinding to it gives back all that came after.
 */
#ifndef EVH_ARENA_H
#define EVH_ARENA_H

#include <stddef.h>

#define ARENA_INLINE 640

struct arena_block;

struct arena {
	struct arena_block *blocks;
	size_t inline_used;
	_Alignas(max_align_t) char memory[ARENA_INLINE];
};

struct arena_mark {
	struct arena_block *blocks;
	size_t used, inline_used;
};

/* Makes it empty; its own memory is left as it is. */
void arena_init(struct arena *a);
void arena_fini(struct arena *a);

/* Aligned for anything; NULL when out of memory. */
void *arena_alloc(struct arena *a, size_t n);

struct arena_mark arena_mark(const struct arena *a);
/* The mark is of this arena, and not behind one that it was rewound to. */
void arena_rewind(struct arena *a, const struct arena_mark *mark);

#endif

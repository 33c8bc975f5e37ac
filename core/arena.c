#include "arena.h"

#include <stdint.h>
#include <stdlib.h>

/* A larger need gets a block of its own. */
#define BLOCK_SIZE 4096
#define ALIGN	   _Alignof(max_align_t)

struct arena_block {
	struct arena_block *next;
	size_t used, size;
	_Alignas(max_align_t) char memory[];
};

void
arena_init(struct arena *a)
{
	a->blocks = NULL;
	a->inline_used = 0;
}

void
arena_fini(struct arena *a)
{
	static const struct arena_mark empty;

	arena_rewind(a, &empty);
}

void *
arena_alloc(struct arena *a, size_t n)
{
	struct arena_block *block = a->blocks;
	size_t size;

	if (n > SIZE_MAX - ALIGN - BLOCK_SIZE)
		return NULL;
	n = (n + ALIGN - 1) & ~(ALIGN - 1);
	if (n <= ARENA_INLINE - a->inline_used) {
		void *p = a->memory + a->inline_used;

		a->inline_used += n;
		return p;
	}
	if (!block || n > block->size - block->used) {
		size = n > BLOCK_SIZE / 4 ? n : BLOCK_SIZE;
		block = malloc(sizeof(*block) + size);
		if (!block)
			return NULL;
		block->next = a->blocks;
		block->used = 0;
		block->size = size;
		a->blocks = block;
	}
	block->used += n;
	return block->memory + block->used - n;
}

struct arena_mark
arena_mark(const struct arena *a)
{
	return (struct arena_mark){ .blocks = a->blocks,
				    .used = a->blocks ? a->blocks->used : 0,
				    .inline_used = a->inline_used };
}

void
arena_rewind(struct arena *a, const struct arena_mark *mark)
{
	while (a->blocks != mark->blocks) {
		struct arena_block *block = a->blocks;

		a->blocks = block->next;
		free(block);
	}
	if (a->blocks)
		a->blocks->used = mark->used;
	a->inline_used = mark->inline_used;
}

#include "dead_index.h"

#include <errno.h>
#include <stdlib.h>

void
dead_index_init(struct dead_index *index)
{
	*index = (struct dead_index){ .n = 0 };
	id_map_init(&index->map, DEAD_INDEX_MAX);
}

void
dead_index_fini(struct dead_index *index)
{
	id_map_fini(&index->map);
	free(index->places);
	index->places = NULL;
}

/* More attempts is later; of as many the one that failed later, and of two
 * that a sink has written twice either. */
static bool
is_newer(const struct dead_place *a, const struct dead_place *b)
{
	if (a->attempts != b->attempts)
		return a->attempts > b->attempts;
	return a->failed_ns >= b->failed_ns;
}

int
dead_index_add(struct dead_index *index, const unsigned char id[16],
	       const struct dead_place *place)
{
	struct dead_place *places;
	uint64_t at;
	size_t size;
	int rc;

	if (id_map_get(&index->map, id, &at)) {
		if (is_newer(place, &index->places[at]))
			index->places[at] = *place;
		return 0;
	}
	if (index->n == index->size) {
		size = index->size ? index->size * 2 : 64;
		places = realloc(index->places, size * sizeof(*places));
		if (places == NULL)
			return -ENOMEM;
		index->places = places;
		index->size = size;
	}
	rc = id_map_put(&index->map, id, index->n);
	if (rc == 0)
		index->places[index->n++] = *place;
	return rc;
}

bool
dead_index_wants(const struct dead_index *index, const unsigned char id[16],
		 int32_t partition, int64_t offset)
{
	const struct dead_place *place;
	uint64_t at;

	if (!id_map_get(&index->map, id, &at))
		return false;
	place = &index->places[at];
	return place->fits && place->partition == partition &&
	       place->offset == offset;
}

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

static int
order_newest(const void *a, const void *b)
{
	const struct dead_place *const *x = a, *const *y = b;

	if ((*x)->created_ns != (*y)->created_ns)
		return (*x)->created_ns > (*y)->created_ns ? -1 : 1;
	if ((*x)->partition != (*y)->partition)
		return (*x)->partition > (*y)->partition ? -1 : 1;
	return (*x)->offset > (*y)->offset ? -1 : 1;
}

int
dead_index_choose(struct dead_index *index, bool newest_first, uint32_t limit)
{
	struct dead_place **fitting;
	size_t n = 0;

	if (!newest_first) {
		for (size_t i = 0; i < index->n; i++)
			index->places[i].is_wanted = index->places[i].fits;
		return 0;
	}
	fitting = malloc((index->n + 1) * sizeof(struct dead_place *));
	if (fitting == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < index->n; i++)
		if (index->places[i].fits)
			fitting[n++] = &index->places[i];
	qsort(fitting, n, sizeof(struct dead_place *), order_newest);
	for (size_t i = 0; i < n && (limit == 0 || i < limit); i++)
		fitting[i]->is_wanted = true;
	free(fitting);
	return 0;
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
	return place->is_wanted && place->partition == partition &&
	       place->offset == offset;
}

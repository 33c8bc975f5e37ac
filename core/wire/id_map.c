#include "id_map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define FIRST_SIZE 64

void
id_map_init(struct id_map *map, size_t max)
{
	*map = (struct id_map){ .max = max };
	/* Without randomness it is only slower where somebody wants it so. */
	if (getrandom(&map->secret, sizeof(map->secret), GRND_NONBLOCK) < 0)
		map->secret = (uint64_t)(uintptr_t)map;
}

void
id_map_fini(struct id_map *map)
{
	free(map->slots);
	map->slots = NULL;
	map->n = 0;
	map->size = 0;
}

/* The end of splitmix64. */
static uint64_t
mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

/* The id's slot, or the free one where it would stand. */
static struct id_slot *
slot_of(const struct id_map *map, const unsigned char id[16])
{
	uint64_t half[2];
	size_t at;

	memcpy(half, id, sizeof(half));
	at = (size_t)mix(mix(half[0] ^ map->secret) ^ half[1]);
	for (;; at++) {
		struct id_slot *slot = &map->slots[at & (map->size - 1)];

		if (!slot->is_used || memcmp(slot->id, id, 16) == 0)
			return slot;
	}
}

static int
map_grow(struct id_map *map)
{
	struct id_map old = *map;

	map->size = old.size ? old.size * 2 : FIRST_SIZE;
	map->slots = calloc(map->size, sizeof(*map->slots));
	if (!map->slots) {
		*map = old;
		return -ENOMEM;
	}
	for (size_t i = 0; i < old.size; i++)
		if (old.slots[i].is_used)
			*slot_of(map, old.slots[i].id) = old.slots[i];
	free(old.slots);
	return 0;
}

int
id_map_put(struct id_map *map, const unsigned char id[16], uint64_t value)
{
	struct id_slot *slot;
	uint64_t before;
	int rc;

	if (!id_map_get(map, id, &before)) {
		if (map->n == map->max)
			return -E2BIG;
		/* Never fuller than three quarters. */
		if (4 * (map->n + 1) > 3 * map->size) {
			rc = map_grow(map);
			if (rc < 0)
				return rc;
		}
		map->n++;
	}
	slot = slot_of(map, id);
	memcpy(slot->id, id, sizeof(slot->id));
	slot->value = value;
	slot->is_used = true;
	return 0;
}

bool
id_map_get(const struct id_map *map, const unsigned char id[16],
	   uint64_t *ret_value)
{
	const struct id_slot *slot;

	if (map->size == 0)
		return false;
	slot = slot_of(map, id);
	if (!slot->is_used)
		return false;
	*ret_value = slot->value;
	return true;
}

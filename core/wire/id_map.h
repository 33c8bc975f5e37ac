/*
 * id_map.h - a number for each of many ids.
 *
 * A table with open addressing that grows up to a bound; ids that somebody
 * else has chosen do not make it slow, since their hash has a secret in it.
 * One thread at a time.
 */
#ifndef EVH_ID_MAP_H
#define EVH_ID_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct id_slot {
	unsigned char id[16];
	uint64_t value;
	bool is_used;
};

struct id_map {
	struct id_slot *slots;
	size_t n, size; /* size: a power of two, or 0 */
	size_t max;
	uint64_t secret;
};

void id_map_init(struct id_map *map, size_t max);
void id_map_fini(struct id_map *map);
/* Adds the id, or changes its number.  0, -ENOMEM, or -E2BIG beyond max. */
int id_map_put(struct id_map *map, const unsigned char id[16], uint64_t value);
bool id_map_get(const struct id_map *map, const unsigned char id[16],
		uint64_t *ret_value);

#endif

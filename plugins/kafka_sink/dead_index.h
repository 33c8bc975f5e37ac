/*
 * dead_index.h - where in a topic the newest dead letter of each event stands,
 * and which of these fit what was asked.
 */
#ifndef KAFKA_SINK_DEAD_INDEX_H
#define KAFKA_SINK_DEAD_INDEX_H

#include <evh/services.h>
#include <id_map.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Beyond that many events with dead letters a topic cannot be gone through. */
#define DEAD_INDEX_MAX (16u << 20)

struct dead_place {
	int64_t offset;
	int64_t failed_ns;
	int32_t partition;
	uint32_t attempts;
	bool fits; /* the query */
};

struct dead_index {
	struct id_map map; /* id -> number of its place */
	struct dead_place *places;
	size_t n, size;
};

void dead_index_init(struct dead_index *index);
void dead_index_fini(struct dead_index *index);

/* Notes a letter, which is the newest of its event or is not.  0, -ENOMEM, or
 * -E2BIG. */
int dead_index_add(struct dead_index *index, const unsigned char id[16],
		   const struct dead_place *place);
/* Is the letter at this place the newest of its event, and does it fit? */
bool dead_index_wants(const struct dead_index *index,
		      const unsigned char id[16], int32_t partition,
		      int64_t offset);

#endif

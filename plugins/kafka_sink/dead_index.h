/*
 * dead_index.h - where in a topic the newest dead letter of each event stands,
 * and which of these are wanted.
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
	int64_t failed_ns, created_ns;
	int32_t partition;
	uint32_t attempts;
	bool fits;	/* the query */
	bool is_wanted; /* and is within its limit */
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
/* Marks what is wanted: all that fits, or the newest by creation up to limit.
 * 0 or -ENOMEM. */
int dead_index_choose(struct dead_index *index, bool newest_first,
		      uint32_t limit);
/* Is the letter at this place wanted? */
bool dead_index_wants(const struct dead_index *index,
		      const unsigned char id[16], int32_t partition,
		      int64_t offset);

#endif

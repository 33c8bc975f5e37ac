/*
 * dead_forget.h - the beginning of a dead letter topic deleted, up to a time.
 */
#ifndef KAFKA_SINK_DEAD_FORGET_H
#define KAFKA_SINK_DEAD_FORGET_H

#include "dead_reader.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Deletes what failed before the time, up to the first message of each
 * partition that did not, and says how many messages that were.  A topic that
 * holds anything but dead letters there is left alone: -EPERM.  A dry run finds
 * all of this out and deletes nothing.  0; or as
 * dead_reader.h has it, and reader->why.
 */
int dead_forget(struct dead_reader *reader, int64_t before_ns, bool is_dry_run,
		int64_t *ret_n);

#endif

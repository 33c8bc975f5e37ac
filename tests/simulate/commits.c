#include "commits.h"

#include <inttypes.h>

#include "failure.h"

void
commits_begin(struct commits *c, int32_t partition)
{
	*c = (struct commits){ .partition = partition, .stored = -1 };
}

void
commits_produced(struct commits *c, int64_t offset)
{
	if (offset >= COMMITS_MAX)
		failure("the simulation's topic is too long");
	c->exists[offset] = true;
}

static void
live_again(struct commits *c, int64_t base)
{
	c->life++;
	c->base = base;
	for (int64_t i = 0; i < COMMITS_MAX; i++)
		c->is_done[i] = i < base;
}

void
commits_assigned(struct commits *c, int64_t position)
{
	live_again(c, position);
	c->stored = -1;
}

void
commits_revoked(struct commits *c)
{
	live_again(c, c->base);
}

/* One past the last message of the front that is done; base when none is. */
int64_t
commits_prefix(const struct commits *c)
{
	int64_t next = c->base;

	for (int64_t i = c->base; i < COMMITS_MAX; i++) {
		if (!c->exists[i])
			continue;
		if (!c->is_done[i])
			break;
		next = i + 1;
	}
	return next;
}

void
commits_sought(struct commits *c, int64_t offset, bool is_exact)
{
	int64_t prefix = commits_prefix(c);

	trace("partition %" PRId32 " is read again from %" PRId64, c->partition,
	      offset);
	for (int64_t i = prefix; i < offset && i < COMMITS_MAX; i++)
		if (c->exists[i])
			failure("offsets: partition %" PRId32
				" goes on at %" PRId64 ", and %" PRId64
				" is not done",
				c->partition, offset, i);
	if (offset < prefix && is_exact)
		failure("offsets: partition %" PRId32 " goes back to %" PRId64
			", and all before %" PRId64 " is done",
			c->partition, offset, prefix);
	live_again(c, offset);
}

void
commits_done(struct commits *c, int64_t offset, unsigned life)
{
	if (life == c->life)
		c->is_done[offset] = true;
}

void
commits_stored(struct commits *c, int64_t next)
{
	int64_t prefix = commits_prefix(c);

	trace("partition %" PRId32 ": %" PRId64 " is stored", c->partition,
	      next);
	if (next > prefix)
		failure("offsets: %" PRId64 " of partition %" PRId32
			" is stored, and only what is before %" PRId64
			" is done",
			next, c->partition, prefix);
	if (next < c->stored)
		failure("offsets: partition %" PRId32 " is stored at %" PRId64
			" after %" PRId64,
			c->partition, next, c->stored);
	c->stored = next;
}

void
commits_look(const struct commits *c)
{
	int64_t prefix = commits_prefix(c);

	if (prefix > c->base && c->stored < prefix)
		failure("offsets: partition %" PRId32 " is done before %" PRId64
			", and stored is %" PRId64,
			c->partition, prefix, c->stored);
}

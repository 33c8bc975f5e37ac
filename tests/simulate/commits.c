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

/* Holes may be passed over, messages not. */
static void
check_done(const struct commits *c, int64_t next, const char *verb)
{
	trace("partition %" PRId32 ": %" PRId64 " is %s", c->partition, next,
	      verb);
	for (int64_t i = c->base; i < next && i < COMMITS_MAX; i++)
		if (c->exists[i] && !c->is_done[i])
			failure("offsets: %" PRId64 " of partition %" PRId32
				" is %s, and %" PRId64 " is not done",
				next, c->partition, verb, i);
}

void
commits_stored(struct commits *c, int64_t next)
{
	check_done(c, next, "stored");
	if (next < c->stored)
		failure("offsets: partition %" PRId32 " is stored at %" PRId64
			" after %" PRId64,
			c->partition, next, c->stored);
	c->stored = next;
}

void
commits_asked(const struct commits *c, int64_t next)
{
	check_done(c, next, "to be committed");
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

#include "offsets.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define OFFSETS_FIRST_SLOTS 1024u

enum offsets_state { SLOT_WAITING = 1, SLOT_DONE, SLOT_LOST };

struct offsets_slot {
	int64_t offset;
	enum offsets_state state;
};

void
offsets_init(struct offsets *o, uint32_t max_slots)
{
	assert(max_slots > 0 && (max_slots & (max_slots - 1)) == 0);
	*o = (struct offsets){ .max_slots = max_slots };
	offsets_reset(o, 0);
}

void
offsets_fini(struct offsets *o)
{
	free(o->slots);
	o->slots = NULL;
	o->n_slots = 0;
}

void
offsets_reset(struct offsets *o, uint32_t generation)
{
	o->first = 0;
	o->n = 0;
	o->n_waiting = 0;
	o->generation = generation;
	o->newest = -1;
	o->missed = -1;
	o->next = -1;
}

static int
miss(struct offsets *o, int64_t offset, int r)
{
	if (o->missed < 0 || offset < o->missed)
		o->missed = offset;
	return r;
}

static struct offsets_slot *
slot_at(const struct offsets *o, uint32_t number)
{
	return &o->slots[number & (o->n_slots - 1)];
}

/* Slots keep their numbers, so those who hold one notice nothing. */
static int
grow(struct offsets *o)
{
	uint32_t n_slots = o->n_slots ? o->n_slots * 2 : OFFSETS_FIRST_SLOTS;
	struct offsets_slot *slots;

	if (n_slots > o->max_slots)
		n_slots = o->max_slots;
	slots = calloc(n_slots, sizeof(*slots));
	if (slots == NULL)
		return -ENOMEM;
	for (uint32_t i = o->first; i != o->first + o->n; i++)
		slots[i & (n_slots - 1)] = *slot_at(o, i);
	free(o->slots);
	o->slots = slots;
	o->n_slots = n_slots;
	return 0;
}

int
offsets_add(struct offsets *o, int64_t offset, uint32_t *ret_slot)
{
	uint32_t number = o->first + o->n;
	int r;

	if (offset <= o->newest)
		return -ESTALE;
	if (o->n == o->max_slots)
		return miss(o, offset, -ENOSPC);
	if (o->n == o->n_slots) {
		r = grow(o);
		if (r < 0)
			return miss(o, offset, r);
	}
	*slot_at(o, number) = (struct offsets_slot){ offset, SLOT_WAITING };
	o->n++;
	o->n_waiting++;
	o->newest = offset;
	*ret_slot = number;
	return 0;
}

uint32_t
offsets_room(const struct offsets *o)
{
	return o->max_slots - o->n;
}

int64_t
offsets_position(const struct offsets *o)
{
	return o->n > 0 ? slot_at(o, o->first)->offset : o->next;
}

void
offsets_cut(struct offsets *o, uint32_t n)
{
	const struct offsets_slot *s;

	assert(n <= o->n);
	for (; n > 0; n--) {
		o->n--;
		s = slot_at(o, o->first + o->n);
		if (s->state == SLOT_WAITING)
			o->n_waiting--;
		miss(o, s->offset, 0);
	}
}

/* The waiting slot of this number, or why there is none. */
static int
find_waiting(const struct offsets *o, uint32_t generation, uint32_t number,
	     struct offsets_slot **ret)
{
	if (generation != o->generation)
		return -ESTALE;
	/* Numbers wrap around; their distance does not care. */
	if (number - o->first >= o->n)
		return -EINVAL;
	if (slot_at(o, number)->state != SLOT_WAITING)
		return -EINVAL;
	*ret = slot_at(o, number);
	return 0;
}

int
offsets_done(struct offsets *o, uint32_t generation, uint32_t slot)
{
	struct offsets_slot *s;
	int moved = 0;
	int r;

	r = find_waiting(o, generation, slot, &s);
	if (r < 0)
		return r;
	s->state = SLOT_DONE;
	o->n_waiting--;
	while (o->n > 0 && slot_at(o, o->first)->state == SLOT_DONE) {
		o->next = slot_at(o, o->first)->offset + 1;
		o->first++;
		o->n--;
		moved = 1;
	}
	return moved;
}

int
offsets_lost(struct offsets *o, uint32_t generation, uint32_t slot,
	     int64_t *ret_offset)
{
	struct offsets_slot *s;
	int r;

	r = find_waiting(o, generation, slot, &s);
	if (r < 0)
		return r;
	s->state = SLOT_LOST;
	o->n_waiting--;
	*ret_offset = s->offset;
	return 0;
}

int64_t
offsets_rewind(struct offsets *o, uint32_t generation)
{
	/* Slots are older than whatever was missed behind them. */
	int64_t from = o->n > 0 ? slot_at(o, o->first)->offset : o->missed;
	int64_t newest = from < 0 ? o->newest : from - 1;
	int64_t next = o->next;

	offsets_reset(o, generation);
	o->newest = newest;
	o->next = next;
	return from;
}

#include "room.h"

bool
room_take(struct room *room, size_t n, size_t reserve)
{
	size_t size = room->size - reserve;
	size_t before = atomic_fetch_add_explicit(&room->taken, n,
						  memory_order_relaxed);

	if (n <= size && before <= size - n)
		return true;
	room_give(room, n);
	return false;
}

void
room_give(struct room *room, size_t n)
{
	atomic_fetch_sub_explicit(&room->taken, n, memory_order_relaxed);
}

bool
room_has(const struct room *room, size_t n)
{
	size_t taken = atomic_load_explicit(&room->taken, memory_order_relaxed);

	return n <= room->size && taken <= room->size - n;
}

/*
 * room.h - how many bytes something may take in all, of whichever thread: the
 * bodies that are being read, the answers that clients have not read yet.
 */
#ifndef HTTP_ROOM_H
#define HTTP_ROOM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct room {
	size_t size;
	_Atomic size_t taken;
};

/* Takes n bytes of it; false, and nothing taken, when they are not there, or
 * when fewer than `reserve` (at most all) would be left. [any] */
bool room_take(struct room *room, size_t n, size_t reserve);
/* Gives back what was taken. [any] */
void room_give(struct room *room, size_t n);
/* Would room_take() find n bytes, without reserve?  By then it may be
 * otherwise. [any] */
bool room_has(const struct room *room, size_t n);

#endif

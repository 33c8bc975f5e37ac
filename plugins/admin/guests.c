#include "guests.h"

#include <stdlib.h>
#include <sys/socket.h>

static void
unlink_guest(struct guests *guests, struct guest *guest)
{
	if (guest->prev)
		guest->prev->next = guest->next;
	else
		guests->first = guest->next;
	if (guest->next)
		guest->next->prev = guest->prev;
	else
		guests->last = guest->prev;
}

static void
append(struct guests *guests, struct guest *guest)
{
	guest->next = NULL;
	guest->prev = guests->last;
	if (guests->last)
		guests->last->next = guest;
	else
		guests->first = guest;
	guests->last = guest;
}

struct guest *
guests_add(struct guests *guests, int fd)
{
	struct guest *guest = calloc(1, sizeof(*guest));

	if (!guest)
		return NULL;
	guest->fd = fd;
	append(guests, guest);
	/* Whoever polls it sees the end of its stream, and closes. */
	if (++guests->n > guests->max)
		(void)shutdown(guests->first->fd, SHUT_RDWR);
	return guest;
}

void
guests_answered(struct guests *guests, struct guest *guest)
{
	unlink_guest(guests, guest);
	append(guests, guest);
}

void
guests_remove(struct guests *guests, struct guest *guest)
{
	unlink_guest(guests, guest);
	guests->n--;
	free(guest);
}

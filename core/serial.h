/*
 * serial.h - one call at a time, for plugins that ask for it.
 *
 * Whoever has the turn is in the plugin's code, perhaps for ever; so nobody has
 * to wait for it longer than he likes, and no lock is held meanwhile.
 */
#ifndef EVH_SERIAL_H
#define EVH_SERIAL_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct serial {
	pthread_mutex_t lock; /* guards: is_taken */
	pthread_cond_t given; /* the turn is to be had again */
	bool is_taken;
};

int serial_init(struct serial *serial); /* 0 or -errno */
void serial_fini(struct serial *serial);

/* Waits for the turn; the second at most until due_ns (CLOCK_MONOTONIC, one
 * that is over: not at all), and false without it then. [any] */
void serial_enter(struct serial *serial);
bool serial_enter_until(struct serial *serial, int64_t due_ns);
/* Gives it back; any thread may. [any] */
void serial_leave(struct serial *serial);

#endif

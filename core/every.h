/*
 * every.h - what instances want called again and again, on the main thread.
 *
 * Any thread may ask for it; the main thread runs what is due, between what
 * else it does, from an instance's start() to its stop().
 */
#ifndef EVH_EVERY_H
#define EVH_EVERY_H

struct host;
struct instance;

/* fn(self) each period_ms from now on.  0, -EINVAL or -ENOMEM. [any] */
int every_add(struct instance *in, unsigned period_ms, void (*fn)(void *self));
/* Calls what is due. [main] */
void every_run(struct host *host);
/* Milliseconds until the next is due, at most max_ms. [any] */
int every_wait_ms(struct host *host, int max_ms);

#endif

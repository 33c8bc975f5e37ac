/*
 * state.h - evh.host/1: how the running evhd is, as text.
 */
#ifndef EVH_STATE_H
#define EVH_STATE_H

#include <evh/services.h>

struct host;
struct state;

struct state *state_new(struct host *host); /* NULL: out of memory */
void state_free(struct state *state);	    /* NULL is fine */
const struct evh_host *state_service(const struct state *state);

/* Registers what is not counted as it happens: readiness, in flight. */
int state_collect(struct state *state);

#endif

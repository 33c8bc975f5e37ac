/*
 * create.h - events made of requests, and what became of them as an answer.
 */
#ifndef HTTP_CREATE_H
#define HTTP_CREATE_H

#include <evh/plugin.h>

struct request;

/* POST: checks the body, makes the event and emits it. [loop] */
void create_event(struct request *request);
/* A failed event, made anew under its id, is emitted. [loop] */
void create_again(struct request *request);

/* The plugin's done(): the events came to the chain's end. [any] */
void create_done(struct evh_event *const *evs, int n, enum evh_result result);

#endif

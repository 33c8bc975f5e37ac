/*
 * answers.h - what became of the events: the one thing that other threads do
 * with a consumer.
 */
#ifndef KAFKA_SOURCE_ANSWERS_H
#define KAFKA_SOURCE_ANSWERS_H

#include <evh/plugin.h>

#include <stdint.h>

struct consumer;

/* An event's cookie says which slot of which generation it has. */
uintptr_t answers_cookie(uint32_t generation, uint32_t slot);

/* The plugin's done(): marks what is done, and stores how far. [any] */
void answers_take(struct consumer *c, struct evh_event *const *evs, int n,
		  enum evh_result result);

#endif

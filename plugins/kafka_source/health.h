/*
 * health.h - why the source is not ready, in one sentence.
 *
 * Several things can be wrong at once; the one that explains the others is
 * said: no broker, then no topic, then no partitions yet, then partitions
 * that stand still.  Only changes are told to the host.  Belongs to the poll
 * thread.
 */
#ifndef KAFKA_SOURCE_HEALTH_H
#define KAFKA_SOURCE_HEALTH_H

#include <evh/plugin.h>

#include <stdbool.h>

#define HEALTH_WHY_MAX 256

enum health_part {
	HEALTH_BROKERS,
	HEALTH_TOPIC,
	HEALTH_GROUP,
	HEALTH_PARTITIONS,
	HEALTH_PARTS
};

struct health {
	struct evh_ctx *ctx;
	char why[HEALTH_PARTS][HEALTH_WHY_MAX]; /* "": this part is fine */
	char said[HEALTH_WHY_MAX];
	bool has_said;
};

void health_init(struct health *health, struct evh_ctx *ctx);
/* This part is fine (NULL), or why not; takes effect at health_say(). */
void health_set(struct health *health, enum health_part part, const char *why);
bool health_is_fine(const struct health *health, enum health_part part);
/* Tells the host, if what there is to say has changed. */
void health_say(struct health *health);

#endif

/*
 * letter.h - what a dead letter's error says, and whether a letter is one of
 * those that were asked for.
 *
 * The error is the JSON that the host made when the event failed.  Both kinds
 * of keeper, a table and a topic, choose by the same rules, which are here.
 */
#ifndef EVH_LETTER_H
#define EVH_LETTER_H

#include <evh/services.h>

#include <stdbool.h>
#include <stdint.h>

/* How often `dlq retry` has sent an event: header and member of the error. */
#define LETTER_REPLAYS_HEADER "evh-replays"
#define LETTER_REPLAYS_MEMBER "replays"

/* Each is "" where the error does not say it; what is longer is cut. */
struct letter_error {
	char stage[128];
	char type[64];
	char sqlstate[8];
	char message[1024];
	uint32_t replays;
};

/* json: NULL, or whatever stands there; what is no error says nothing. [any] */
void letter_error_read(const char *json, struct letter_error *ret);

/* All conditions but limit and id. [any] */
bool letter_fits(const struct evh_dead_query *query,
		 const struct evh_letter *letter);

/* Digits and nothing else, up to UINT32_MAX; 0 for what is no number. [any] */
uint32_t letter_count_read(const char *text, size_t len);

#endif

/*
 * health.h - whether events can be taken, as three calls tell it: /health for
 * people, /livez and /readyz for whoever starts and stops processes.  The
 * host says it, in JSON; here it is only put in the words of each call.
 */
#ifndef HTTP_HEALTH_H
#define HTTP_HEALTH_H

#include <stdbool.h>
#include <stddef.h>

#include "text.h"

struct request;

void health_answer(struct request *request); /* [loop] */
void health_ready(struct request *request);  /* [loop] */

/* What the two are made of: the host's state, and whether we are stopping
 * (name: under which that is told).  Return the status. [any] */
struct health {
	const char *state; /* the host's JSON; or NULL, there is none */
	size_t state_len;
	bool ready;
	bool draining;
	const char *name;
};
unsigned health_write(struct text *text, const struct health *health);
unsigned health_write_ready(struct text *text, const struct health *health,
			    bool verbose);

#endif

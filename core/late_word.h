/*
 * late_word.h - what the log says of an event that a handler has for too long.
 *
 * Taken under the lock that keeps the event where it is, and said when that is
 * free again and the event may be gone.
 */
#ifndef EVH_LATE_WORD_H
#define EVH_LATE_WORD_H

#include <evh/plugin.h>

#include <stdint.h>

struct event;
struct instance;

#define LATE_TOPIC_MAX 250 /* a broker has no longer ones */

struct late_word {
	const char *what;	 /* "process() has not returned" */
	const char *consequence; /* "its lane stands" */
	int64_t took_ns;
	/* Filled in by late_word_take(). */
	const struct instance *in; /* NULL: there is nothing to say */
	const char *pipeline;
	struct evh_event pub; /* what the log names of it, and no more */
	char topic[LATE_TOPIC_MAX];
};

/* Copies of the event what is said of it.  The word stays where it is. [any] */
void late_word_take(struct late_word *word, const struct instance *in,
		    const struct event *ev);
/* Says it, as an error when it ends evhd. [any] */
void late_word_say(const struct late_word *word);

#endif

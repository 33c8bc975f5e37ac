/*
 * dlq_look.h - what a store says has become of an event since it was a dead
 * letter.
 */
#ifndef EVH_DLQ_LOOK_H
#define EVH_DLQ_LOOK_H

#include <stdatomic.h>
#include <stdbool.h>

#include <evh/services.h>

/*
 * Why there is nothing to do any more, or NULL.  A store that is away, does not
 * answer, or is not waited for any longer (*stop) knows nothing; a retry too
 * many is harmless.  On a thread that may wait.
 */
const char *dlq_look_superseded(const struct evh_store *store,
				const struct evh_letter *letter,
				const atomic_bool *stop);

#endif

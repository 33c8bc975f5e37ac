/*
 * event_key.h - the key of an event by a rule: "none", "id", "name", or a JSON
 * Pointer into data, where a string gives its content and any other value its
 * text.
 *
 * It follows from these alone, so that an event that is tried again goes
 * where it first went.
 */
#ifndef EVH_EVENT_KEY_H
#define EVH_EVENT_KEY_H

#include <evh/plugin.h>

#include <stdbool.h>
#include <stddef.h>

#include "json.h"

bool event_key_rule(const char *rule); /* is it one? */

/*
 * The key's length, 0: there is none.  Writes at most size - 1 bytes of it and
 * a NUL; like snprintf, a result >= size means that it was cut. [any]
 */
size_t event_key(struct evh_bytes name, const struct json_span *data,
		 const unsigned char id[16], const char *rule, char *ret,
		 size_t size);

#endif

/*
 * idempotency_key.h - Idempotency-Key, by which a client names what it asks
 * for, so that it may ask again when it has not heard what came of it.
 *
 * The event's id follows from the key and from nothing else: whichever API
 * takes the repeat, now or after a restart, makes the same id of it, and the
 * store, which knows ids, keeps one event.  So nothing has to be remembered
 * here.  It also means that such an id tells no time, and that a key is one
 * for all clients: they choose keys that nobody else does, a UUID say.
 */
#ifndef HTTP_IDEMPOTENCY_KEY_H
#define HTTP_IDEMPOTENCY_KEY_H

#include <stddef.h>

#include "text.h"

#define IDEMPOTENCY_KEY_MAX 255

/*
 * The id that goes with a key of at most IDEMPOTENCY_KEY_MAX bytes: UUIDv5 in
 * the URL namespace of "idempotency-key:" and the key, byte for byte, which a
 * client can work out for itself.  It is promised: replicas of other versions
 * make the same one. [any]
 */
void idempotency_key_id(const char *key, size_t len, unsigned char ret_id[16]);

/*
 * Checks the header that came n times, n > 0, with this value in one of them,
 * without the white space around it.  0 and the key's id; or -EINVAL and the
 * JSON of the 422 added to ret_detail; or -ENOMEM. [any]
 */
int idempotency_key_read(unsigned n, const char *value, size_t len,
			 unsigned char ret_id[16], struct text *ret_detail);

#endif

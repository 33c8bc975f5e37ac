/*
 * envelope.h - an event as the value of a Kafka message.
 *
 *   {"id":"...","name":"...","data":...,"created_at":"..."}
 *
 * data byte for byte as it came.  Read tolerantly, since others write too:
 * unknown members are ignored, id, data and created_at may be missing; what
 * has no usable name, or is no such object at all, is poison, and the caller
 * is told why.
 */
#ifndef EVH_ENVELOPE_H
#define EVH_ENVELOPE_H

#include <evh/plugin.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ENVELOPE_NAME_MAX   255	      /* code points */
#define ENVELOPE_NAME_BYTES (4 * 255) /* in UTF-8 */

struct envelope {
	bool has_id, has_created;
	unsigned char id[16];
	int64_t created_ns;
	char name[ENVELOPE_NAME_BYTES + 1]; /* decoded, NUL-ended */
	struct evh_bytes data; /* points into the message; "{}" when missing */
};

/* Why a message is no event: a short code ("invalid") is the caller's. */
struct envelope_error {
	char text[200];
};

/* An upper bound of the bytes that envelope_write() needs for this event,
 * less than 20 above them. [any] */
size_t envelope_size(const struct evh_event *ev);
/*
 * Writes it and returns its length; envelope_size() bytes are always enough.
 * 0 when they are too few, and then what stands in ret is of no use.  The
 * event's data is JSON; where there is none, {} is written. [any]
 */
size_t envelope_write(const struct evh_event *ev, char *ret, size_t size);

/*
 * Reads a message of at most max_bytes.  0; or -EINVAL and why, for poison;
 * or -ENOMEM.  A created_at that is no RFC 3339 time counts as missing; an id
 * that is no UUID, null too, is poison. [any]
 */
int envelope_read(const void *message, size_t len, size_t max_bytes,
		  struct envelope *ret, struct envelope_error *ret_error);

/*
 * Is this a name by the rules: 1 to 255 code points, none of them a control
 * character (U+0000 to U+001F, U+007F).  That it is UTF-8 the caller knows,
 * from json_check() for one. [any]
 */
enum envelope_name {
	ENVELOPE_NAME_OK = 1,
	ENVELOPE_NAME_EMPTY,
	ENVELOPE_NAME_TOO_LONG,
	ENVELOPE_NAME_CONTROL,
};
enum envelope_name envelope_name_check(const char *name, size_t len);

#endif

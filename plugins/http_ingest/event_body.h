/*
 * event_body.h - what a POST brought: an event's name and data, or all that
 * is wrong with it.
 */
#ifndef HTTP_EVENT_BODY_H
#define HTTP_EVENT_BODY_H

#include <envelope.h>
#include <evh/plugin.h>
#include <json.h>

#include <stdbool.h>

#include "text.h"

struct event_body {
	char name[ENVELOPE_NAME_BYTES + 1]; /* decoded, NUL-ended */
	size_t name_len;
	struct json_span data; /* the bytes that came, in the text */
};

/*
 * Checks the body.  0 and *ret; or -EINVAL and the JSON of the 422 added to
 * ret_detail; or -EILSEQ, the text is no UTF-8; or -ENOMEM.  forbid: members
 * beside name and data are mistakes. [any]
 */
int event_body_check(const char *text, size_t len, bool forbid,
		     struct event_body *ret, struct text *ret_detail);

/*
 * The key of an event by the option `key`: "none", "id", "name", or a JSON
 * Pointer into data, where a string gives its content and any other value its
 * text.  Adds it to ret_key, nothing when there is none.  It follows from
 * these three alone, so that a retry goes where the event first went.  What is
 * longer than EVENT_BODY_KEY_MAX is for the caller to refuse: beside a body of
 * the default max_body it has no room in a message. [any]
 */
#define EVENT_BODY_KEY_MAX ((size_t)16 << 10)
void event_body_key(struct evh_bytes name, const struct json_span *data,
		    const unsigned char id[16], const char *rule,
		    struct text *ret_key);
/* Adds the JSON of the 422 that says so. */
void event_body_key_refuse(struct text *ret_detail);
/* Is this a rule that event_body_key() knows? */
bool event_body_key_rule(const char *rule);

#endif

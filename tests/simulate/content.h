/*
 * content.h - what is in an event that a spool may have: key, headers and data,
 * every byte of which follows from its number.
 *
 * So each byte that is lost, or is another event's, is seen: where the sink has
 * the event, and on the disk, where the bytes are put together here once more,
 * by what spool_record.h says of them.
 */
#ifndef SIMULATE_CONTENT_H
#define SIMULATE_CONTENT_H

#include <evh/plugin.h>

#include <stddef.h>

#define CONTENT_DATA_MAX    400u
#define CONTENT_HEADERS_MAX 3u
#define CONTENT_VALUE_MAX   24u
/* What one with a name of one letter takes of a record, beside its value. */
#define CONTENT_HEADER_SIZE 10u
/* Of a record's body. */
#define CONTENT_BODY_MAX (72u + CONTENT_DATA_MAX)

struct content {
	char name[2], key[1];
	size_t key_len, data_len;
	unsigned char data[CONTENT_DATA_MAX];
	unsigned char values[CONTENT_HEADERS_MAX][CONTENT_VALUE_MAX];
	struct evh_header headers[CONTENT_HEADERS_MAX]; /* point into it */
	unsigned n_headers;
};

/* That of event `number`; key: a letter, or '\0' for none.  Of so many bytes,
 * at most CONTENT_DATA_MAX, the headers take theirs, and the data the rest. */
void content_make(struct content *ret, unsigned number, char key, size_t size);

/* What of it the event has otherwise; NULL: nothing. */
const char *content_difference(const struct content *content,
			       const struct evh_event *ev);

/* The body of its record, as a spool has to write it; its length. */
size_t content_body(const struct content *content, const struct evh_event *ev,
		    unsigned char ret[CONTENT_BODY_MAX]);

#endif

/*
 * text.h - a text that grows: a body as it comes in, an answer as it is made.
 *
 * A failed allocation is remembered, and whatever is added afterwards is
 * ignored, so that a writer checks once, at the end.  The buffer is kept when
 * the text is emptied, because the next request of the same room needs one
 * of about the same size.
 */
#ifndef HTTP_TEXT_H
#define HTTP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
	char *at; /* NULL while cap is 0; not ended by a NUL */
	size_t len, cap;
	bool failed; /* out of memory: what is there is incomplete */
};

/* All zero is an empty text. */
void text_fini(struct text *text);
/* Empty again; a buffer of more than `keep` bytes is given back. */
void text_clear(struct text *text, size_t keep);
/* Room for n more bytes; false, and `failed`, when out of memory. */
bool text_reserve(struct text *text, size_t n);

void text_add(struct text *text, const void *bytes, size_t n);
void text_str(struct text *text, const char *string);
void text_int(struct text *text, int64_t value);
/* As a JSON string, with quotes. */
void text_quoted(struct text *text, const char *string, size_t n);
void text_base64(struct text *text, const void *bytes, size_t n);

#endif

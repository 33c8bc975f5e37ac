/*
 * gate.h - whether the head of a request may pass.
 *
 * The parser before it (libmicrohttpd 0.9.75) takes much that a proxy in
 * front may read otherwise: two lengths, a length and a transfer coding at
 * once, a blank before the colon, folded lines, bare line feeds, a NUL in the
 * middle.  What two readers may read differently is refused here, before
 * anything is done with the request, and the connection is closed.  Pure: it
 * sees the head as slices and knows no library.
 */
#ifndef HTTP_GATE_H
#define HTTP_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gate_field {
	const char *name, *value;
	size_t name_len, value_len;
};

struct gate_head {
	const char *method, *target, *version; /* NUL-ended */
	const struct gate_field *fields;
	size_t n_fields;
};

enum gate_verdict {
	GATE_PASS = 1,
	GATE_MALFORMED, /* 400 */
	GATE_VERSION,	/* 505: not HTTP/1.x */
	GATE_EXPECT,	/* 417: an expectation other than 100-continue */
};

/* What the head says about the body, and by which key it may come again. */
struct gate_facts {
	bool http10;
	bool chunked; /* there is a body, its length is not told */
	bool has_length;
	bool wants_close;  /* Connection: close */
	bool media_json;   /* application/json, or +json, or not said */
	bool coding_plain; /* no Content-Encoding but identity */
	uint64_t length;   /* UINT64_MAX stands for more than that, too */
	/* The last Idempotency-Key, trimmed, anything it may be; how many. */
	const char *key;
	size_t key_len;
	unsigned n_keys;
};

/* Fills *ret_facts when it passes. [any] */
enum gate_verdict gate_check(const struct gate_head *head,
			     struct gate_facts *ret_facts);

/*
 * Where the slices of a head lie in memory when the parser has cut them out
 * of the bytes that came, in place, writing NULs over each line's end.
 */
struct gate_layout {
	const struct gate_head *head;
	size_t target_len; /* of the whole target, with its query */
	size_t head_size;  /* from the method to behind the empty line */
};

/*
 * True when every line of the head ended in CR LF and nothing was skipped
 * between the slices but one blank in the request line and white space after
 * a colon: so no bare line feed, no NUL, no folded line.  [any]
 */
bool gate_layout_check(const struct gate_layout *layout);

#endif

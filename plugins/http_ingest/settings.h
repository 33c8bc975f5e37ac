/*
 * settings.h - the options of one http_ingest instance, read once.
 */
#ifndef HTTP_SETTINGS_H
#define HTTP_SETTINGS_H

#include <evh/plugin.h>

#include <stdbool.h>
#include <stddef.h>

#include "hostport.h"

struct settings {
	struct hostport listen;
	const char *store; /* instance, or NULL */
	const char *key;
	unsigned loops;
	unsigned connections; /* each loop */
	size_t max_body, max_headers, body_memory, answer_memory;
	unsigned header_timeout_ms, body_timeout_ms;
	unsigned idle_timeout_ms, answer_timeout_ms;
	bool forbid_extra;
};

extern const struct evh_option settings_options[]; /* ends with { 0 } */

/* Reads ctx's options; logs what is wrong.  Borrows ctx's strings. 0, -EINVAL.
 */
int settings_read(struct evh_ctx *ctx, struct settings *ret);

#endif

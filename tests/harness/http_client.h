/*
 * http_client.h - requests to evhd: by libcurl, and byte for byte.
 */
#ifndef EVH_TEST_HTTP_CLIENT_H
#define EVH_TEST_HTTP_CLIENT_H

#include <stddef.h>

struct http_answer {
	long status; /* 0: no answer */
	char *body;  /* NUL-ended, malloced */
	size_t len;
	char *headers; /* as they came, NUL-ended, malloced */
};

/*
 * One request on a connection of its own.  body NULL: none.  header: one
 * more line, or NULL; a JSON content type is sent with a body unless header
 * says otherwise.  Never fails the test: status 0 says that nothing came.
 */
struct http_answer http_call(int port, const char *method, const char *path,
			     const void *body, size_t len, const char *header);
void http_answer_fini(struct http_answer *answer);
/* The value of a header (case-insensitive name), copied; "" when not there. */
const char *http_answer_header(const struct http_answer *answer,
			       const char *name, char *ret, size_t size);

/*
 * Sends these bytes over a new connection and reads until the server closes
 * or is silent for quiet_ms.  Gives what came, malloced and NUL-ended.
 */
char *http_raw(int port, const void *bytes, size_t len, int quiet_ms,
	       size_t *ret_len);

#endif

/*
 * api.h - the calls of the events API, as tests make them.
 */
#ifndef EVH_TEST_API_H
#define EVH_TEST_API_H

#include <stdbool.h>

#include "http_client.h"

#define API_EVENTS   "/api/v1/events"
#define API_ID_MAX   40
#define API_PATH_MAX 512

/* POST /api/v1/events; the answer is yours. */
struct http_answer api_post(int port, const char *body);
struct http_answer api_get(int port, const char *path);
/* GET /api/v1/events/ID, and POST /api/v1/events/ID/retry. */
struct http_answer api_event(int port, const char *id);
struct http_answer api_retry(int port, const char *id);

/* Posts an event with this name and data, which must be taken; its id. */
void api_make(int port, const char *name, const char *data,
	      char ret_id[API_ID_MAX]);
/* The same; false when the answer is a 503 that says "refused": nothing was
 * taken, and the same POST may be taken later. */
bool api_try(int port, const char *name, const char *data,
	     char ret_id[API_ID_MAX]);
/* For world_await(): the API on port *(int *)arg and its store are healthy. */
bool api_is_healthy(void *arg);
/* Waits until GET shows this event with this status. */
void api_await(int port, const char *id, const char *status, int timeout_ms);

/* The answer must be this, and in JSON; it is freed. */
void api_expect(struct http_answer answer, long status, const char *body);
/* The answer must have this status, and a body of this shape (shape.h). */
void api_expect_shape(struct http_answer answer, long status,
		      const char *shape);

#endif

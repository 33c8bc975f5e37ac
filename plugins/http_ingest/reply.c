#include "reply.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct fixed {
	unsigned status;
	const char *retry_after;
	const char *body;
};

#define DETAIL(sentence) "{\"detail\":\"" sentence "\"}"
#define REFUSED(sentence)                                                      \
	"{\"detail\":\"" sentence "\",\"outcome\":\"refused\"}"
#define UNKNOWN(sentence)                                                      \
	"{\"detail\":\"" sentence "\",\"outcome\":\"unknown\"}"

static const struct fixed table[REPLY_METHOD] = {
	[REPLY_ALIVE] = { 200, NULL, "{\"status\":\"alive\"}" },
	[REPLY_MALFORMED] = { 400, NULL, DETAIL("Malformed request") },
	[REPLY_BODY_NOT_UTF8] = { 400, NULL,
				  DETAIL("There was an error parsing the "
					 "body") },
	[REPLY_NOT_FOUND] = { 404, NULL, DETAIL("Not Found") },
	[REPLY_NO_EVENT] = { 404, NULL, DETAIL("Event not found") },
	[REPLY_TOO_SLOW] = { 408, NULL,
			     DETAIL("The request took too long to arrive") },
	[REPLY_NOT_FAILED] = { 409, NULL, DETAIL("Event has not failed") },
	[REPLY_NO_BYTES] = { 409, NULL,
			     DETAIL("Event cannot be retried: its bytes are "
				    "no event") },
	[REPLY_KEY_TOO_LONG] = { 409, NULL,
				 DETAIL("Event cannot be retried: its key is "
					"too long") },
	[REPLY_NO_LENGTH] = { 411, NULL,
			      DETAIL("A body and its length are required") },
	[REPLY_TOO_LARGE] = { 413, NULL, NULL }, /* each set's own */
	[REPLY_TARGET_TOO_LONG] = { 414, NULL,
				    DETAIL("Request target too long") },
	[REPLY_MEDIA] = { 415, NULL,
			  DETAIL("Content-Type must be application/json in "
				 "UTF-8") },
	[REPLY_CODING] = { 415, NULL,
			   DETAIL("Content-Encoding is not supported") },
	[REPLY_EXPECT] = { 417, NULL,
			   DETAIL("Only 100-continue can be expected") },
	[REPLY_HEADERS_TOO_LARGE] = { 431, NULL,
				      DETAIL("Request header too large") },
	[REPLY_VERSION] = { 505, NULL, DETAIL("Only HTTP/1.x is spoken here") },
	[REPLY_FAULT] = { 500, NULL, DETAIL("Internal Server Error") },
	[REPLY_NO_STORE] = { 501, NULL, DETAIL("No store is configured") },
	[REPLY_FULL] = { 503, "1", REFUSED("Too many events are in flight") },
	[REPLY_AWAY] = { 503, "5",
			 REFUSED("Events cannot be taken at the moment") },
	[REPLY_DRAINING] = { 503, "1", REFUSED("The service is stopping") },
	[REPLY_NO_MEMORY] = { 503, "1", REFUSED("Too much is being read") },
	[REPLY_UNDELIVERED] = { 503, "1",
				UNKNOWN("The event was not confirmed") },
	[REPLY_UNDELIVERED_AWAY] = { 503, "5",
				     UNKNOWN("The event was not confirmed") },
	[REPLY_FAILED] = { 500, NULL, UNKNOWN("The event could not be kept") },
	[REPLY_LATE] = { 503, "1",
			 UNKNOWN("The event was not confirmed in time") },
	[REPLY_UNREADABLE] = { 503, "1", DETAIL("Too much is being read") },
	[REPLY_STORE_AWAY] = { 503, "5", DETAIL("The store is not ready") },
	[REPLY_STORE_LATE] = { 503, "1",
			       DETAIL("The store did not answer in time") },
	[REPLY_PAGE_TOO_LARGE] = { 503, "1",
				   DETAIL("The page is too large; ask for "
					  "fewer by limit") },
	[REPLY_RETRY_STORE] = { 503, "5", REFUSED("The store is not ready") },
};

struct replies {
	char too_large[96]; /* it names the limit */
	struct MHD_Response *keep[N_REPLIES], *close[N_REPLIES];
};

static struct fixed
fixed_of(const struct replies *replies, enum reply reply)
{
	if (reply == REPLY_TOO_LARGE)
		return (struct fixed){ .status = reply_status(reply),
				       .body = replies->too_large };
	if (reply >= REPLY_OPTIONS)
		return (struct fixed){ .status = reply_status(reply),
				       .body = "" };
	if (reply >= REPLY_METHOD)
		return (struct fixed){ .status = reply_status(reply),
				       .body = DETAIL("Method Not Allowed") };
	return table[reply];
}

static const char *
allow_of(enum reply reply)
{
	if (reply >= REPLY_OPTIONS)
		return route_allow((enum route)(reply - REPLY_OPTIONS));
	if (reply >= REPLY_METHOD)
		return route_allow((enum route)(reply - REPLY_METHOD));
	return NULL;
}

static bool
header_add(struct MHD_Response *response, const char *name, const char *value)
{
	return value == NULL || value[0] == '\0' ||
	       MHD_add_response_header(response, name, value) == MHD_YES;
}

static struct MHD_Response *
response_new(const struct replies *replies, enum reply reply, bool close)
{
	struct fixed fixed = fixed_of(replies, reply);
	size_t len = strlen(fixed.body);
	/* The library takes a pointer that is not const, and does not write
	 * through it. */
	struct MHD_Response *response = MHD_create_response_from_buffer(
		len, (void *)(uintptr_t)fixed.body, MHD_RESPMEM_PERSISTENT);

	if (response == NULL)
		return NULL;
	if (header_add(response, MHD_HTTP_HEADER_CONTENT_TYPE,
		       len > 0 ? "application/json" : NULL) &&
	    header_add(response, MHD_HTTP_HEADER_ALLOW, allow_of(reply)) &&
	    header_add(response, MHD_HTTP_HEADER_RETRY_AFTER,
		       fixed.retry_after) &&
	    header_add(response, MHD_HTTP_HEADER_CONNECTION,
		       close ? "close" : NULL))
		return response;
	MHD_destroy_response(response);
	return NULL;
}

/* In the largest unit that says it whole. */
static void
too_large_write(char *ret, size_t size, size_t max_body)
{
	const char *unit = "bytes";
	size_t n = max_body;

	if (n % ((size_t)1 << 20) == 0) {
		n >>= 20;
		unit = "MiB";
	} else if (n % 1024 == 0) {
		n >>= 10;
		unit = "KiB";
	}
	snprintf(ret, size, DETAIL("The body is larger than max_body = %zu %s"),
		 n, unit);
}

struct replies *
replies_new(size_t max_body)
{
	struct replies *replies = calloc(1, sizeof(*replies));

	if (replies == NULL)
		return NULL;
	too_large_write(replies->too_large, sizeof(replies->too_large),
			max_body);
	for (int i = REPLY_NONE + 1; i < N_REPLIES; i++) {
		replies->keep[i] = response_new(replies, (enum reply)i, false);
		replies->close[i] = response_new(replies, (enum reply)i, true);
		if (replies->keep[i] == NULL || replies->close[i] == NULL) {
			replies_free(replies);
			return NULL;
		}
	}
	return replies;
}

void
replies_free(struct replies *replies)
{
	if (replies == NULL)
		return;
	for (int i = 0; i < N_REPLIES; i++) {
		if (replies->keep[i] != NULL)
			MHD_destroy_response(replies->keep[i]);
		if (replies->close[i] != NULL)
			MHD_destroy_response(replies->close[i]);
	}
	free(replies);
}

enum reply
reply_method(enum route route)
{
	return (enum reply)(REPLY_METHOD + (int)route);
}

enum reply
reply_options(enum route route)
{
	return (enum reply)(REPLY_OPTIONS + (int)route);
}

enum reply
reply_for_status(unsigned status)
{
	for (int i = REPLY_MALFORMED; i < REPLY_METHOD; i++)
		if (table[i].status == status)
			return (enum reply)i;
	return status >= 500 ? REPLY_FAULT : REPLY_MALFORMED;
}

unsigned
reply_status(enum reply reply)
{
	if (reply >= REPLY_OPTIONS)
		return 204;
	return reply >= REPLY_METHOD ? 405 : table[reply].status;
}

unsigned
reply_fixed(const struct replies *replies, struct MHD_Connection *connection,
	    enum reply reply, bool close)
{
	struct MHD_Response *response =
		close ? replies->close[reply] : replies->keep[reply];
	unsigned status = reply_status(reply);

	return MHD_queue_response(connection, status, response) == MHD_YES
		       ? status
		       : 0;
}

static unsigned
queue_own(struct MHD_Connection *connection, unsigned status,
	  struct MHD_Response *response, const char *location, bool close)
{
	bool queued;

	if (response == NULL)
		return 0;
	queued = header_add(response, MHD_HTTP_HEADER_LOCATION, location) &&
		 header_add(response, MHD_HTTP_HEADER_CONNECTION,
			    close ? "close" : NULL) &&
		 MHD_queue_response(connection, status, response) == MHD_YES;
	MHD_destroy_response(response);
	return queued ? status : 0;
}

unsigned
reply_json(struct MHD_Connection *connection, unsigned status,
	   const struct text *json, const char *location, bool close)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
		json->len, json->at, MHD_RESPMEM_PERSISTENT);

	if (response != NULL &&
	    !header_add(response, MHD_HTTP_HEADER_CONTENT_TYPE,
			"application/json")) {
		MHD_destroy_response(response);
		response = NULL;
	}
	return queue_own(connection, status, response, location, close);
}

unsigned
reply_redirect(struct MHD_Connection *connection, const char *location,
	       bool close)
{
	return queue_own(
		connection, 307,
		MHD_create_response_from_buffer(0, (void *)(uintptr_t) "",
						MHD_RESPMEM_PERSISTENT),
		location, close);
}

size_t
reply_bytes(const struct replies *replies, enum reply reply, char *ret,
	    size_t size)
{
	struct fixed fixed = fixed_of(replies, reply);
	time_t now = time(NULL);
	struct tm tm;
	char date[40] = "";
	int n;

	if (gmtime_r(&now, &tm) != NULL)
		(void)strftime(date, sizeof(date), "%a, %d %b %Y %T GMT", &tm);
	n = snprintf(ret, size,
		     "HTTP/1.1 %u %s\r\nDate: %s\r\nConnection: close\r\n"
		     "Content-Type: application/json\r\n"
		     "Content-Length: %zu\r\n%s%s%s\r\n%s",
		     fixed.status, MHD_get_reason_phrase_for(fixed.status),
		     date, strlen(fixed.body),
		     fixed.retry_after ? "Retry-After: " : "",
		     fixed.retry_after ? fixed.retry_after : "",
		     fixed.retry_after ? "\r\n" : "", fixed.body);
	return n > 0 && (size_t)n < size ? (size_t)n : 0;
}

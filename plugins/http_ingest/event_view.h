/*
 * event_view.h - events as the API shows them.
 */
#ifndef HTTP_EVENT_VIEW_H
#define HTTP_EVENT_VIEW_H

#include <evh/services.h>

#include "text.h"

/* What a 201 says: the event as it was taken. */
struct event_view {
	const unsigned char *id;
	const char *name;
	size_t name_len;
	struct evh_bytes data;
	int64_t created_ns;
};
/* How long that may become at most. */
size_t event_view_created_max(const struct event_view *event);
void event_view_created(struct text *text, const struct event_view *event);

/* What GET says: the row as it stands. */
void event_view_row(struct text *text, const struct evh_row *row);
/* A page of them, and how long it may become at most. */
size_t event_view_page_max(const struct evh_row *rows, size_t n);
void event_view_page(struct text *text, const struct evh_row *rows, size_t n,
		     int64_t total, uint32_t limit, uint32_t offset);
/* What a retry says. */
void event_view_retry(struct text *text, const unsigned char id[16],
		      uint32_t attempts);

/* Says of a 201's or 202's object, which has room for it, that the event is in
 * a spool. */
void event_view_spooled(struct text *text);

#endif

#include "event_view.h"

#include <rfc3339.h>
#include <status.h>
#include <uuid_text.h>

#include <string.h>

static void
add_id(struct text *text, const unsigned char id[16])
{
	char word[UUID_TEXT_LEN];

	uuid_write(id, word);
	text_str(text, "{\"id\":\"");
	text_add(text, word, sizeof(word));
	text_str(text, "\"");
}

static void
add_time(struct text *text, const char *member, int64_t time_ns)
{
	char word[RFC3339_LEN];

	text_str(text, member);
	if (time_ns == 0) {
		text_str(text, "null");
		return;
	}
	rfc3339_write(time_ns, word);
	text_str(text, "\"");
	text_add(text, word, sizeof(word));
	text_str(text, "\"");
}

/* Each member's name and punctuation, the id, the times, and numbers. */
#define FRAME_MAX ((size_t)320)
/* A byte as a JSON string shows it, at most. */
#define QUOTED_MAX ((size_t)6)

size_t
event_view_created_max(const struct event_view *event)
{
	return event->data.len + QUOTED_MAX * event->name_len + FRAME_MAX;
}

static size_t
row_max(const struct evh_row *row)
{
	size_t n = FRAME_MAX + QUOTED_MAX * strlen(row->name);

	n += row->raw ? row->data.len / 3 * 4 + 4 : row->data.len;
	return row->error != NULL ? n + strlen(row->error) : n;
}

size_t
event_view_page_max(const struct evh_row *rows, size_t n)
{
	size_t max = FRAME_MAX;

	for (size_t i = 0; i < n; i++)
		max += row_max(&rows[i]);
	return max;
}

void
event_view_created(struct text *text, const struct event_view *event)
{
	/* All that follows fits: one growth at most for each event. */
	if (!text_reserve(text, event_view_created_max(event)))
		return;
	add_id(text, event->id);
	text_str(text, ",\"name\":");
	text_quoted(text, event->name, event->name_len);
	text_str(text, ",\"data\":");
	text_add(text, event->data.data, event->data.len);
	text_str(text, ",\"status\":\"pending\"");
	add_time(text, ",\"created_at\":", event->created_ns);
	text_str(text, ",\"processed_at\":null}");
}

void
event_view_spooled(struct text *text)
{
	text->len--; /* its closing brace */
	text_str(text, ",\"spooled\":true}");
}

void
event_view_row(struct text *text, const struct evh_row *row)
{
	add_id(text, row->id);
	text_str(text, ",\"name\":");
	text_quoted(text, row->name, strlen(row->name));
	text_str(text, ",\"data\":");
	if (row->raw) {
		text_str(text, "null,\"raw\":\"");
		text_base64(text, row->data.data, row->data.len);
		text_str(text, "\"");
	} else {
		text_add(text, row->data.data, row->data.len);
	}
	text_str(text, ",\"status\":\"");
	text_str(text, status_word(row->status));
	text_str(text, "\"");
	add_time(text, ",\"created_at\":", row->created_ns);
	add_time(text, ",\"processed_at\":", row->processed_ns);
	text_str(text, ",\"attempts\":");
	text_int(text, row->attempts);
	text_str(text, ",\"error\":");
	text_str(text, row->error != NULL ? row->error : "null");
	text_str(text, "}");
}

void
event_view_page(struct text *text, const struct evh_row *rows, size_t n,
		int64_t total, uint32_t limit, uint32_t offset)
{
	text_str(text, "{\"items\":[");
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			text_str(text, ",");
		event_view_row(text, &rows[i]);
	}
	text_str(text, "],\"total\":");
	text_int(text, total);
	text_str(text, ",\"limit\":");
	text_int(text, limit);
	text_str(text, ",\"offset\":");
	text_int(text, offset);
	text_str(text, "}");
}

void
event_view_retry(struct text *text, const unsigned char id[16],
		 uint32_t attempts)
{
	if (!text_reserve(text, FRAME_MAX))
		return;
	add_id(text, id);
	text_str(text, ",\"status\":\"pending\",\"attempts\":");
	text_int(text, attempts);
	text_str(text, "}");
}

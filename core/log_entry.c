/*
 * log_entry.c - logfmt and JSON, quoted and cut to fit.
 */
#include "log_entry.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "error_code.h"
#include "json.h"
#include "rfc3339.h"
#include "timer.h"
#include "utf8.h"
#include "uuid_text.h"

enum {
	FACT_SIZE = 256, /* of a fact's value as written, at most */
	/* What follows the message: three facts of text with their names, an
	 * id and three numbers. */
	TAIL_SIZE = 3 * (FACT_SIZE + 16) + 224,
};

const char *const log_entry_levels[EVH_ERROR + 1] = {
	[EVH_DEBUG] = "debug",
	[EVH_INFO] = "info",
	[EVH_WARN] = "warn",
	[EVH_ERROR] = "error",
};

struct line {
	char *text;
	size_t len, size;
	enum log_format format;
};

static void
line_put(struct line *line, const char *text, size_t len)
{
	if (len > line->size - line->len)
		len = line->size - line->len;
	memcpy(line->text + line->len, text, len);
	line->len += len;
}

static void
line_key(struct line *line, const char *key)
{
	bool json = line->format == LOG_JSON;

	line_put(line, json ? ",\"" : " ", json ? 2 : 1);
	line_put(line, key, strlen(key));
	line_put(line, json ? "\":" : "=", json ? 2 : 1);
}

static void
line_number(struct line *line, const char *key, int64_t value)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%" PRId64, value);

	line_key(line, key);
	line_put(line, text, (size_t)n);
}

/* May stand in logfmt without quotes. */
static bool
is_bare(const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7f)
			return false;
	}
	return len > 0 && utf8_prefix(text, len) == len;
}

/* The value takes max bytes at most, which must be there, and one more. */
static void
line_text(struct line *line, const char *key, const char *text, size_t len,
	  size_t max)
{
	static const char cut[] = "\xE2\x80\xA6\""; /* U+2026 */
	char *at;
	size_t n;

	line_key(line, key);
	at = line->text + line->len;
	if (line->format == LOG_LOGFMT && len <= max && is_bare(text, len)) {
		line_put(line, text, len);
		return;
	}

	n = json_quote(text, len, at, max + 1);
	if (n > max) {
		json_quote(text, len, at, max - strlen(cut) + 1);
		n = strlen(at);
		memcpy(at + n, cut, strlen(cut));
		n += strlen(cut);
	}
	line->len += n;
}

static void
line_fact(struct line *line, const char *key, const char *text)
{
	if (text)
		line_text(line, key, text, strlen(text), FACT_SIZE);
}

static void
line_event(struct line *line, const struct evh_event *event)
{
	char id[UUID_TEXT_LEN];

	uuid_write(event->id, id);
	line_text(line, "event", id, sizeof(id), FACT_SIZE);
	if (event->topic) {
		line_fact(line, "topic", event->topic);
		line_number(line, "partition", event->partition);
		line_number(line, "offset", event->offset);
	}
	if (event->attempt > 0)
		line_number(line, "attempt", event->attempt);
}

static void
line_begin(struct line *line, enum evh_level level, const char *instance)
{
	bool json = line->format == LOG_JSON;
	char time[RFC3339_LEN];

	rfc3339_write(timer_wall_ns(), time);
	if (json)
		line_put(line, "{\"time\":\"", 9);
	else
		line_put(line, "time=", 5);
	line_put(line, time, sizeof(time));
	if (json)
		line_put(line, "\"", 1);
	line_fact(line, "level", log_entry_levels[level]);
	line_fact(line, "instance", instance);
}

size_t
log_entry_format(enum log_format format, enum evh_level level,
		 const struct log_facts *facts, const char *msg,
		 char ret[LOG_ENTRY_SIZE])
{
	static const char msg_frame[] = ",\"msg\":}\n";
	char tail_text[TAIL_SIZE];
	struct line line = { ret, 0, LOG_ENTRY_SIZE, format };
	struct line tail = { tail_text, 0, sizeof(tail_text), format };

	line_fact(&tail, "pipeline", facts->pipeline);
	if (facts->event)
		line_event(&tail, facts->event);
	if (facts->code)
		line_fact(&tail,
			  error_code_is_sqlstate(facts->code) ? "sqlstate"
							      : "err",
			  facts->code);

	line_begin(&line, level, facts->instance);
	line_text(&line, "msg", msg, strlen(msg),
		  LOG_ENTRY_SIZE - line.len - tail.len - sizeof(msg_frame));
	line_put(&line, tail.text, tail.len);
	if (format == LOG_JSON)
		line_put(&line, "}", 1);
	line_put(&line, "\n", 1);
	return line.len;
}

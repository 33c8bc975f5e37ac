#include "dlq_text.h"

#include <stdarg.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "json.h"
#include "letter.h"
#include "rfc3339.h"
#include "scratch.h"
#include "utf8.h"
#include "uuid_text.h"

#define HEX_LINE 16

void
dlq_text_id(const unsigned char id[16], char ret[DLQ_ID_SIZE])
{
	uuid_write(id, ret);
	ret[UUID_TEXT_LEN] = '\0';
}

void
dlq_text_time(int64_t unix_ns, char ret[DLQ_TIME_SIZE])
{
	if (unix_ns == 0) {
		memcpy(ret, "-", 2);
		return;
	}
	rfc3339_write(unix_ns, ret);
	ret[RFC3339_LEN] = '\0';
}

/* The length of the character at p when it may be shown, else 0.  Besides the
 * plain control characters there are some of two bytes, U+0080 to U+009F. */
static size_t
shown_len(const char *p, size_t len)
{
	const unsigned char *byte = (const unsigned char *)p;
	int n = utf8_next(p, len);

	if (n <= 0 || byte[0] < 0x20 || byte[0] == 0x7F)
		return 0;
	if (byte[0] == 0xC2 && byte[1] < 0xA0)
		return 0;
	return (size_t)n;
}

void
dlq_text_put(FILE *out, const char *text, size_t len)
{
	size_t n;

	for (; len > 0; text += n, len -= n) {
		n = shown_len(text, len);
		if (n > 0) {
			fwrite(text, 1, n, out);
		} else {
			fputc('?', out);
			n = 1;
		}
	}
}

void
dlq_text_quote(FILE *out, const char *text, size_t len)
{
	size_t size = json_quote(text, len, NULL, 0) + 1;
	char *quoted = malloc(size);

	if (!quoted) {
		fputs("\"\"", out);
		return;
	}
	json_quote(text, len, quoted, size);
	fputs(quoted, out);
	free(quoted);
}

static void
put_text(FILE *out, const char *text)
{
	dlq_text_put(out, text, strlen(text));
}

/* ---- For people -----------------------------------------------------------
 */

/* The columns of texts.  A longer one pushes what is behind it. */
#define NAME_WIDTH  20
#define STAGE_WIDTH 24

void
dlq_text_head(FILE *out)
{
	fprintf(out, "%-27s  %-36s  %s  %-*s  %-*s  %s\n", "FAILED", "ID",
		"ATTEMPTS", NAME_WIDTH, "NAME", STAGE_WIDTH, "STAGE/TYPE",
		"MESSAGE");
}

/* So many columns, one for a character. */
static void
put_wide(FILE *out, const char *text, int width)
{
	size_t len = strlen(text);

	dlq_text_put(out, text, len);
	for (; len > 0; width--) {
		size_t n = shown_len(text, len);

		if (n == 0)
			n = 1;
		text += n;
		len -= n;
	}
	for (; width > 0; width--)
		fputc(' ', out);
	fputs("  ", out);
}

void
dlq_text_line(FILE *out, const struct evh_letter *letter)
{
	EVH_SCRATCH struct letter_error error;
	char id[DLQ_ID_SIZE], failed[DLQ_TIME_SIZE];
	char stage[sizeof(error.stage) + sizeof(error.type) +
		   sizeof(error.sqlstate)];

	letter_error_read(letter->error, &error);
	dlq_text_id(letter->id, id);
	dlq_text_time(letter->failed_ns, failed);
	fprintf(out, "%-27s  %s  %8" PRIu32 "  ", failed, id, letter->attempts);
	snprintf(stage, sizeof(stage), "%s/%s%s%s", error.stage, error.type,
		 *error.sqlstate ? "/" : "", error.sqlstate);
	put_wide(out, *letter->name ? letter->name : "-", NAME_WIDTH);
	put_wide(out, stage, STAGE_WIDTH);
	put_text(out, error.message);
	fputc('\n', out);
}

/* Bytes that are no text, as od(1) would have them. */
static void
put_hex(FILE *out, const unsigned char *bytes, size_t len)
{
	for (size_t at = 0; at < len; at += HEX_LINE) {
		size_t n = len - at < HEX_LINE ? len - at : HEX_LINE;

		fprintf(out, "%08zx ", at);
		for (size_t i = 0; i < HEX_LINE; i++)
			if (i < n)
				fprintf(out, " %02x", bytes[at + i]);
			else
				fputs("   ", out);
		fputs("  |", out);
		for (size_t i = 0; i < n; i++)
			fputc(bytes[at + i] >= 0x20 && bytes[at + i] < 0x7F
				      ? bytes[at + i]
				      : '.',
			      out);
		fputs("|\n", out);
	}
}

/* Lines and tabs are fine in a text. */
static bool
is_text(const char *bytes, size_t len)
{
	size_t n;

	for (; len > 0; bytes += n, len -= n) {
		n = shown_len(bytes, len);
		if (n == 0 && !strchr("\n\t", *bytes))
			return false;
		if (n == 0)
			n = 1;
		if (*bytes == '\0')
			return false;
	}
	return true;
}

static void
put_bytes(FILE *out, struct evh_bytes data)
{
	fputc('\n', out);
	if (!is_text(data.data, data.len)) {
		put_hex(out, data.data, data.len);
		return;
	}
	fwrite(data.data, 1, data.len, out);
	fputc('\n', out);
}

static void
put_place(FILE *out, const struct evh_letter *letter)
{
	if (!letter->topic)
		return;
	fputs("from:       ", out);
	put_text(out, letter->topic);
	fprintf(out, ", partition %" PRId32 ", offset %" PRId64 "\n",
		letter->partition, letter->offset);
}

static void
put_error(FILE *out, const struct evh_letter *letter)
{
	EVH_SCRATCH struct letter_error error;

	letter_error_read(letter->error, &error);
	fputs("stage:      ", out);
	put_text(out, error.stage);
	fputs("\ntype:       ", out);
	put_text(out, error.type);
	if (*error.sqlstate) {
		fputs("\nsqlstate:   ", out);
		put_text(out, error.sqlstate);
	}
	fputs("\nmessage:    ", out);
	put_text(out, error.message);
	fprintf(out, "\nattempts:   %" PRIu32 "\nreplays:    %" PRIu32 "\n",
		letter->attempts, error.replays);
}

void
dlq_text_whole(FILE *out, const struct evh_letter *letter)
{
	char id[DLQ_ID_SIZE], created[DLQ_TIME_SIZE], failed[DLQ_TIME_SIZE];

	dlq_text_id(letter->id, id);
	dlq_text_time(letter->created_ns, created);
	dlq_text_time(letter->failed_ns, failed);
	fprintf(out, "id:         %s\nname:       ", id);
	put_text(out, *letter->name ? letter->name : "-");
	fprintf(out, "\ncreated:    %s\nfailed:     %s\n", created, failed);
	put_error(out, letter);
	put_place(out, letter);
	if (letter->key.len > 0) {
		fputs("key:        ", out);
		dlq_text_put(out, letter->key.data, letter->key.len);
		fputc('\n', out);
	}
	for (uint32_t i = 0; i < letter->n_headers; i++) {
		const struct evh_header *header = &letter->headers[i];

		fputs("header:     ", out);
		put_text(out, header->name);
		fputs(" = ", out);
		dlq_text_put(out, header->value.data, header->value.len);
		fputc('\n', out);
	}
	if (letter->lost_sha256) {
		fprintf(out, "lost bytes: %" PRIu64 ", SHA-256 ",
			letter->lost_len);
		put_text(out, letter->lost_sha256);
		fputs("\n            they were too many for the topic\n", out);
		return;
	}
	fprintf(out, "%s %zu\n",
		letter->raw ? "raw bytes: " : "data bytes:", letter->data.len);
	put_bytes(out, letter->data);
}

/* ---- For programs ---------------------------------------------------------
 */

static void
json_time(FILE *out, const char *member, int64_t unix_ns)
{
	char text[DLQ_TIME_SIZE];

	dlq_text_time(unix_ns, text);
	if (unix_ns == 0)
		fprintf(out, ",\"%s\":null", member);
	else
		fprintf(out, ",\"%s\":\"%s\"", member, text);
}

static void
json_base64(FILE *out, struct evh_bytes data)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *p = data.data;

	for (size_t i = 0; i < data.len; i += 3) {
		size_t n = data.len - i;
		unsigned three = (unsigned)p[i] << 16;

		if (n > 1)
			three |= (unsigned)p[i + 1] << 8;
		if (n > 2)
			three |= p[i + 2];
		fputc(digits[three >> 18], out);
		fputc(digits[three >> 12 & 63], out);
		fputc(n > 1 ? digits[three >> 6 & 63] : '=', out);
		fputc(n > 2 ? digits[three & 63] : '=', out);
	}
}

/* Its own text, where that is JSON. */
static void
json_error(FILE *out, const char *error)
{
	struct json_span span;

	fputs(",\"error\":", out);
	if (error && json_check(error, strlen(error), &span, NULL) == 0)
		fwrite(span.at, 1, span.len, out);
	else
		fputs("null", out);
}

static void
json_rest(FILE *out, const struct evh_letter *letter)
{
	fputs(",\"key\":", out);
	dlq_text_quote(out, letter->key.data, letter->key.len);
	fputs(",\"headers\":[", out);
	for (uint32_t i = 0; i < letter->n_headers; i++) {
		const struct evh_header *header = &letter->headers[i];

		fputs(i > 0 ? ",[" : "[", out);
		dlq_text_quote(out, header->name, strlen(header->name));
		fputc(',', out);
		dlq_text_quote(out, header->value.data, header->value.len);
		fputc(']', out);
	}
	fputs("],\"data\":", out);
	if (!letter->raw) {
		fwrite(letter->data.data, 1, letter->data.len, out);
		return;
	}
	if (letter->lost_sha256) {
		fprintf(out, "null,\"lost\":{\"bytes\":%" PRIu64 ",\"sha256\":",
			letter->lost_len);
		dlq_text_quote(out, letter->lost_sha256,
			       strlen(letter->lost_sha256));
		fputc('}', out);
		return;
	}
	fputs("null,\"raw\":\"", out);
	json_base64(out, letter->data);
	fputc('"', out);
}

void
dlq_text_json(FILE *out, const struct evh_letter *letter, int whole)
{
	char id[DLQ_ID_SIZE];

	dlq_text_id(letter->id, id);
	fprintf(out, "{\"id\":\"%s\",\"name\":", id);
	dlq_text_quote(out, letter->name, strlen(letter->name));
	json_time(out, "created_at", letter->created_ns);
	json_time(out, "failed_at", letter->failed_ns);
	fprintf(out, ",\"attempts\":%" PRIu32, letter->attempts);
	json_error(out, letter->error);
	if (letter->topic) {
		fputs(",\"topic\":", out);
		dlq_text_quote(out, letter->topic, strlen(letter->topic));
		fprintf(out, ",\"partition\":%" PRId32 ",\"offset\":%" PRId64,
			letter->partition, letter->offset);
	}
	fprintf(out, ",\"retryable\":%s", letter->raw ? "false" : "true");
	if (whole)
		json_rest(out, letter);
	fputs("}\n", out);
}

int
dlq_text_refuse(const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "evhd dlq: ");
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	return EX_USAGE;
}

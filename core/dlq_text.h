/*
 * dlq_text.h - dead letters as text, for people and for programs.
 *
 * What others wrote (names, messages, bytes) is shown so that it cannot do
 * anything to a terminal.  To standard output, whose errors the end finds.
 */
#ifndef EVH_DLQ_TEXT_H
#define EVH_DLQ_TEXT_H

#include <evh/services.h>

#include <stdio.h>

/* An id with a NUL behind it. */
#define DLQ_ID_SIZE 37
void dlq_text_id(const unsigned char id[16], char ret[DLQ_ID_SIZE]);
/* A time with a NUL behind it; "-" for 0. */
#define DLQ_TIME_SIZE 28
void dlq_text_time(int64_t unix_ns, char ret[DLQ_TIME_SIZE]);

/* Control characters, and what is no UTF-8, become '?'. */
void dlq_text_put(FILE *out, const char *text, size_t len);
/* A JSON string with its quotes. */
void dlq_text_quote(FILE *out, const char *text, size_t len);

/* A line of a list. */
void dlq_text_head(FILE *out);
void dlq_text_line(FILE *out, const struct evh_letter *letter);
/* All there is to say of it, the bytes behind. */
void dlq_text_whole(FILE *out, const struct evh_letter *letter);
/* One JSON object a line; whole: with key, headers and bytes. */
void dlq_text_json(FILE *out, const struct evh_letter *letter, int whole);

/* Says on standard error what is wrong with the command line; EX_USAGE. */
int dlq_text_refuse(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif

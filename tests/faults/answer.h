/*
 * answer.h - one HTTP/1.1 answer in a buffer: as much of HTTP as evhd's API
 * speaks to a client that keeps its connection.
 */
#ifndef FAULTS_ANSWER_H
#define FAULTS_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

struct answer {
	int status;
	const char *body; /* in the buffer */
	size_t body_len;
	size_t len;   /* the whole answer's, head included */
	bool is_last; /* the server closes behind it */
};

/* 1: a whole answer is there, 0: not yet, -EPROTO: this is no answer. */
int answer_read(struct answer *ret, const char *bytes, size_t len);
/* Finds "NAME":"TEXT" in the body and copies the text; false when it is not
 * there or does not fit. */
bool answer_text(const struct answer *answer, const char *name, char *ret,
		 size_t size);

#endif

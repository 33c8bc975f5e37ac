/*
 * head.h - what follows from a request's head: an answer at once, a body to
 * be read, or the call itself.
 */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

struct request;

enum head_next {
	HEAD_ANSWERED = 1, /* the answer is chosen */
	HEAD_BODY,	   /* the body comes first, if there is one */
};

/* Lets the head through the gate and finds its route. [loop] */
enum head_next head_check(struct request *request, const char *target,
			  const char *method, const char *version);

/* Does what a whole request asks for. [loop] */
void head_dispatch(struct request *request);

#endif

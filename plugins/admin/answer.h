/*
 * answer.h - what the admin page says to a request: pages and errors as text,
 * made from what the host offers as evh.host/1.  Knows nothing of HTTP but
 * its words.
 */
#ifndef ADMIN_ANSWER_H
#define ADMIN_ANSWER_H

#include <evh/services.h>

#include <stdbool.h>
#include <stddef.h>

struct answer {
	unsigned status;
	const char *type;  /* of the content */
	const char *allow; /* the methods there are, or NULL */
	char *text;	   /* yours to free */
	size_t len;
};

/*
 * host may be NULL.  0; or -ENOMEM, and there is no answer. [any]
 */
int answer_make(const struct evh_host *host, const char *method,
		const char *path, bool verbose, struct answer *ret);

#endif

/*
 * access.h - what libmicrohttpd calls while a request comes in and its answer
 * goes out: the head is checked, the body taken, the call made, the answer
 * queued.  What the calls mean is told by head.h, how long a request lives by
 * request.h.
 */
#ifndef HTTP_ACCESS_H
#define HTTP_ACCESS_H

#include <microhttpd.h>
#include <stddef.h>

/* cls is the loop. [loop] */
void *access_target(void *cls, const char *target, struct MHD_Connection *mhd);
enum MHD_Result access_request(void *cls, struct MHD_Connection *mhd,
			       const char *target, const char *method,
			       const char *version, const char *body,
			       size_t *body_len, void **con_cls);
void access_completed(void *cls, struct MHD_Connection *mhd, void **con_cls,
		      enum MHD_RequestTerminationCode code);

#endif

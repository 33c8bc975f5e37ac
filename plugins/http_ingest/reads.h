/*
 * reads.h - what the store is asked for: one event, a page of them, a failed
 * one to be tried again.  The store answers on a thread of its own; what it
 * said becomes the answer there, and the loop only sends it.
 */
#ifndef HTTP_READS_H
#define HTTP_READS_H

struct request;

void reads_one(struct request *request);   /* [loop] */
void reads_list(struct request *request);  /* [loop] */
void reads_retry(struct request *request); /* [loop] */

#endif

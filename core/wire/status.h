/*
 * status.h - the words for an event's status, which the API shows, the table
 * keeps and messages carry.
 */
#ifndef EVH_WIRE_STATUS_H
#define EVH_WIRE_STATUS_H

#include <evh/plugin.h>

#include <stddef.h>

/* "pending" and so on; "?" for one that this build does not know. [any] */
const char *status_word(enum evh_status status);
/* The status of a word; 0 when it is none. [any] */
enum evh_status status_read(const char *word, size_t len);

#endif

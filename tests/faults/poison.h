/*
 * poison.h - messages that no consumer can make an event of.
 */
#ifndef FAULTS_POISON_H
#define FAULTS_POISON_H

#include <stddef.h>

/* How many kinds there are. */
size_t poison_kinds(void);
/* The name of a kind, one word. */
const char *poison_name(size_t kind);
/* A message of this kind, malloced: yours.  NULL: no memory. */
char *poison_make(size_t kind, size_t *ret_len);

#endif

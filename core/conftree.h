/*
 * conftree.h - what libconfuse has read, made into sections of settings.
 *
 * A section that stands in another becomes settings of that one: of
 * `spool { dir = "x" }` they are spool = true and spool.dir = "x".
 */
#ifndef EVH_CONFTREE_H
#define EVH_CONFTREE_H

#include <confuse.h>

#include "confsections.h"

/* NULL when out of memory. */
struct confsections *conftree_read(cfg_t *cfg);

#endif

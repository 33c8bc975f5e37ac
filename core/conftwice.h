/*
 * conftwice.h - settings that stand twice in one section.
 *
 * libconfuse takes the last of them and says nothing.  Most are a line that
 * was copied and forgotten; so each is a mistake, with both lines.  `+=` adds
 * to a list and is none, and what an included file sets may be set again: that
 * is what including is for.
 */
#ifndef EVH_CONFTWICE_H
#define EVH_CONFTWICE_H

#include "problems.h"

/* Looks at a text that conftext_prepare() has made of `file`.  Reports under
 * FILE:LINE.  0 or -ENOMEM. */
int conftwice_check(const char *text, const char *file,
		    struct problems *problems);

#endif

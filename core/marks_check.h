/*
 * marks_check.h - whether state_dir can hold the marks of marks.h.
 */
#ifndef EVH_MARKS_CHECK_H
#define EVH_MARKS_CHECK_H

#include "config.h"
#include "problems.h"

/* Warns of a folder that is not there and cannot be made, or is not evhd's to
 * write, or everybody's. */
void marks_check(const struct config *config, struct problems *problems);

#endif

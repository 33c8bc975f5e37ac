/*
 * spool_check.h - whether the spools of a configuration can work.
 *
 * What can be said before one is opened: whose events they take, what keeps
 * those that fail after their client was told that they are safe, and whether
 * their folders are there, theirs alone, and on a disk.
 */
#ifndef EVH_SPOOL_CHECK_H
#define EVH_SPOOL_CHECK_H

#include "config.h"
#include "problems.h"

/* Adds every mistake, and what is only worth a warning. */
void spool_check(const struct config *config, struct problems *problems);

#endif

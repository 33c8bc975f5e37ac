/*
 * chains.h - whether the pipelines of a configuration make sense.
 *
 * What can be said of chains when the kinds of their instances are known, and
 * before anything runs: who may stand where, and which events would get lost
 * or two outcomes between several pipelines of one source.
 */
#ifndef EVH_CHAINS_H
#define EVH_CHAINS_H

#include "config.h"
#include "problems.h"

/* Adds every mistake, and what is only worth a warning. */
void chains_check(const struct config *config, struct problems *problems);

/* Whether some pipeline's chain, on_fail or on_drop names the instance. */
bool chains_has(const struct config_pipeline *p, const char *name);
bool chains_name(const struct config *config, const char *name);

#endif

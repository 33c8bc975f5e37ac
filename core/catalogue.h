/*
 * catalogue.h - all plugins that evhd can see: those in a plugin_dir, and
 * those that a configuration names by their path, the broken ones with their
 * reasons.
 */
#ifndef EVH_CATALOGUE_H
#define EVH_CATALOGUE_H

#include "config.h"
#include "listing.h"
#include "loader.h"
#include "problems.h"

struct catalogue {
	struct loader *loader;
	struct listed *list;
	struct problems *problems; /* of each */
	size_t n;
};

/* names: those of plugin_dir, NULL-ended; config: NULL, or whose paths to look
 * at.  Both are borrowed until catalogue_fini().  0 or -ENOMEM. [main] */
int catalogue_init(struct catalogue *catalogue, const char *plugin_dir,
		   char *const *names, const struct config *config);
void catalogue_fini(struct catalogue *catalogue);

#endif

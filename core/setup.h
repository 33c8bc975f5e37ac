/*
 * setup.h - a configuration together with the plugins that it names, checked.
 *
 * config.h knows the file, loader.h the plugins, options.h one section; this
 * is where they meet: every mistake of all three is found in one go, chains
 * are looked at with the plugins' kinds known, and the order in which the
 * instances start is worked out.  Nothing is created or opened but the .so
 * files themselves, so `evhd check` is exactly this.
 */
#ifndef EVH_SETUP_H
#define EVH_SETUP_H

#include "config.h"
#include "loader.h"
#include "options.h"
#include "problems.h"

struct setup {
	struct config *config;
	struct loader *loader;
	/* Parallel to config->instances; NULL where that one had a problem. */
	const struct loader_plugin **plugins;
	struct options **options;
	/* Indices into config->instances: what an instance's options name
	 * comes before it; else services, sinks, handlers, sources. */
	unsigned *order;
};

/*
 * Reads, loads and checks everything.  NULL when the file cannot be read at
 * all or memory is short; otherwise a setup, which may be used only if
 * problems->n_errors is 0.  With only != NULL, just that instance is checked
 * beyond its syntax, and missing variables of others are no problem (for a
 * plugin's command). [main]
 */
struct setup *setup_new(const char *file, const char *env_file,
			const char *only, struct problems *problems);
/*
 * A part of a configuration, for a command of evhd's own: these instances and
 * this pipeline are checked as ever, the others are as if they did not stand
 * in the file.
 */
struct setup_part {
	const char *const *instances; /* NULL-ended; those of the pipeline, too
				       */
	const char *pipeline;	      /* or NULL: none */
	/* Instead of this instance's plugin and settings (NULL: none): outlives
	 * the setup. */
	const char *replaced;
	const struct loader_plugin *stand_in;
};
/* As setup_new(); the environment has been read already. [main] */
struct setup *setup_new_part(const char *file, const struct setup_part *part,
			     struct problems *problems);
void setup_free(struct setup *setup); /* NULL is fine */

#endif

/*
 * catalogue.c - every plugin opened once, to see what it is.
 */
#include "catalogue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void
catalogue_add(struct catalogue *catalogue, const char *conf_dir,
	      const char *name)
{
	size_t i = catalogue->n++;

	catalogue->list[i] = (struct listed){
		.name = name,
		.plugin = loader_open(catalogue->loader, conf_dir, name, "",
				      &catalogue->problems[i]),
		.problems = &catalogue->problems[i],
	};
}

static bool
catalogue_has(const struct catalogue *catalogue, const char *name)
{
	for (size_t i = 0; i < catalogue->n; i++) {
		const char *other = catalogue->list[i].name;

		if (other && strcmp(other, name) == 0)
			return true;
	}
	return false;
}

static void
names_add(struct catalogue *catalogue, char *const *names,
	  const struct config *config)
{
	for (size_t i = 0; names[i]; i++)
		catalogue_add(catalogue, ".", names[i]);
	for (unsigned i = 0; config && i < config->n_instances; i++) {
		const char *name = config->instances[i].plugin;

		if (name && strchr(name, '/') &&
		    !catalogue_has(catalogue, name))
			catalogue_add(catalogue, config->dir, name);
	}
}

int
catalogue_init(struct catalogue *catalogue, const char *plugin_dir,
	       char *const *names, const struct config *config)
{
	size_t n = 0;

	*catalogue = (struct catalogue){ .loader = loader_new(plugin_dir) };
	while (names[n])
		n++;
	n += (config ? config->n_instances : 0) + 1;
	catalogue->list = calloc(n, sizeof(*catalogue->list));
	catalogue->problems = calloc(n, sizeof(*catalogue->problems));
	if (!catalogue->loader || !catalogue->list || !catalogue->problems) {
		catalogue_fini(catalogue);
		return -ENOMEM;
	}
	names_add(catalogue, names, config);
	return 0;
}

void
catalogue_fini(struct catalogue *catalogue)
{
	for (size_t i = 0; i < catalogue->n; i++)
		problems_fini(&catalogue->problems[i]);
	free(catalogue->problems);
	free(catalogue->list);
	loader_free(catalogue->loader);
}

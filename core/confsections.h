/*
 * confsections.h - sections of settings, as a configuration has them: of any
 * name, each setting with its values, and none of them judged.
 */
#ifndef EVH_CONFSECTIONS_H
#define EVH_CONFSECTIONS_H

#include "config.h"

struct confsection {
	char *keyword; /* "sink"; "" for what stands outside of sections */
	char *title;
	char **missing; /* variables that the title needs, or NULL */
	struct config_setting *settings;
	unsigned n_settings;
};

struct confsections {
	struct confsection *sections; /* [0] is the outside */
	unsigned n_sections;
};

void confsections_free(struct confsections *sections); /* NULL is fine */

void config_settings_free(struct config_setting *settings, unsigned n);

#endif

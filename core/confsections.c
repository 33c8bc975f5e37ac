#include "confsections.h"

#include <stdlib.h>

#include "confmissing.h"

void
config_settings_free(struct config_setting *settings, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		for (unsigned j = 0; j < settings[i].n_values; j++)
			free(settings[i].values[j]);
		free(settings[i].values);
		free(settings[i].name);
		confmissing_free(settings[i].missing);
	}
	free(settings);
}

void
confsections_free(struct confsections *sections)
{
	if (!sections)
		return;
	for (unsigned i = 0; i < sections->n_sections; i++) {
		struct confsection *section = &sections->sections[i];

		free(section->keyword);
		free(section->title);
		confmissing_free(section->missing);
		config_settings_free(section->settings, section->n_settings);
	}
	free(sections->sections);
	free(sections);
}

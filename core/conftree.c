#include "conftree.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conftext.h"

static int
setting_fill(struct config_setting *setting, cfg_opt_t *opt)
{
	setting->name = strdup(opt->name);
	setting->values = calloc(opt->nvalues + 1, sizeof(char *));
	if (!setting->name || !setting->values)
		return -ENOMEM;
	for (unsigned i = 0; i < opt->nvalues; i++) {
		char *value = strdup(cfg_opt_getnstr(opt, i));
		int err;

		if (!value)
			return -ENOMEM;
		setting->values[setting->n_values++] = value;
		err = conftext_unmark(value, &setting->missing);
		if (err < 0)
			return err;
	}
	return 0;
}

static int
setting_set(struct config_setting *setting, const char *name, const char *value)
{
	setting->name = strdup(name);
	setting->values = calloc(2, sizeof(char *));
	if (!setting->name || !setting->values)
		return -ENOMEM;
	setting->values[0] = strdup(value);
	if (!setting->values[0])
		return -ENOMEM;
	setting->n_values = 1;
	return 0;
}

/* `spool { dir = "x" }` is the same as spool = true and spool.dir = "x". */
static int
inner_fill(struct confsection *section, cfg_opt_t *opt, cfg_t *cfg)
{
	struct config_setting *settings = reallocarray(
		section->settings, section->n_settings + cfg_num(cfg) + 2,
		sizeof(*settings));

	if (!settings)
		return -ENOMEM;
	section->settings = settings;
	memset(settings + section->n_settings, 0,
	       (cfg_num(cfg) + 2) * sizeof(*settings));
	if (setting_set(&settings[section->n_settings++], opt->name, "true") <
	    0)
		return -ENOMEM;
	for (unsigned i = 0; i < cfg_num(cfg); i++) {
		cfg_opt_t *inside = cfg_getnopt(cfg, i);
		struct config_setting *setting;
		char *name;

		if (inside->type != CFGT_STR ||
		    !(inside->flags & CFGF_MODIFIED))
			continue;
		setting = &settings[section->n_settings++];
		if (setting_fill(setting, inside) < 0 ||
		    asprintf(&name, "%s.%s", opt->name, inside->name) < 0)
			return -ENOMEM;
		free(setting->name);
		setting->name = name;
	}
	return 0;
}

/* Not those outside, which are sections by themselves. */
static int
inners_fill(struct confsection *section, cfg_t *cfg)
{
	int err = 0;

	for (unsigned i = 0; *section->keyword && i < cfg_num(cfg); i++) {
		cfg_opt_t *opt = cfg_getnopt(cfg, i);

		for (unsigned j = 0;
		     opt->type == CFGT_SEC && err == 0 && j < cfg_opt_size(opt);
		     j++)
			err = inner_fill(section, opt, cfg_opt_getnsec(opt, j));
	}
	return err;
}

static int
section_fill(struct confsection *section, const char *keyword, cfg_t *cfg)
{
	section->keyword = strdup(keyword);
	section->title = strdup(cfg->title ? cfg->title : "");
	section->settings =
		calloc(cfg_num(cfg) + 1, sizeof(*section->settings));
	if (!section->keyword || !section->title || !section->settings ||
	    conftext_unmark(section->title, &section->missing) < 0)
		return -ENOMEM;
	for (unsigned i = 0; i < cfg_num(cfg); i++) {
		cfg_opt_t *opt = cfg_getnopt(cfg, i);

		if (opt->type != CFGT_STR || !(opt->flags & CFGF_MODIFIED))
			continue;
		if (setting_fill(&section->settings[section->n_settings++],
				 opt) < 0)
			return -ENOMEM;
	}
	return inners_fill(section, cfg);
}

struct confsections *
conftree_read(cfg_t *cfg)
{
	struct confsections *sections = calloc(1, sizeof(*sections));
	unsigned n = 1;

	for (unsigned i = 0; i < cfg_num(cfg); i++)
		if (cfg_getnopt(cfg, i)->type == CFGT_SEC)
			n += cfg_opt_size(cfg_getnopt(cfg, i));
	if (sections)
		sections->sections = calloc(n, sizeof(*sections->sections));
	if (!sections || !sections->sections ||
	    section_fill(&sections->sections[sections->n_sections++], "", cfg) <
		    0)
		goto fail;
	for (unsigned i = 0; i < cfg_num(cfg); i++) {
		cfg_opt_t *opt = cfg_getnopt(cfg, i);

		for (unsigned j = 0;
		     opt->type == CFGT_SEC && j < cfg_opt_size(opt); j++)
			if (section_fill(
				    &sections->sections[sections->n_sections++],
				    opt->name, cfg_opt_getnsec(opt, j)) < 0)
				goto fail;
	}
	return sections;

fail:
	confsections_free(sections);
	return NULL;
}

/*
 * config.h - a configuration file as plain structs.
 *
 * Reads FILE with libconfuse, environment expanded, and says what stands in
 * it: global settings, instances with their settings as strings, pipelines.
 * It knows no plugin; what a setting means is checked by options.h against
 * the plugin's own table, and how the instances fit together by chains.h.
 * Everything in here lives until config_free().
 */
#ifndef EVH_CONFIG_H
#define EVH_CONFIG_H

#include <evh/plugin.h>

#include <stdbool.h>
#include <stdint.h>

#include "problems.h"

struct config_setting {
	char *name;    /* as written: "brokers", "rdkafka.linger.ms" */
	char **values; /* expanded; one, or any number in a list */
	unsigned n_values;
	char **missing; /* the variables that are unset and have no default in
			 * the values, see confmissing.h; or NULL */
};

struct config_instance {
	const char *keyword; /* "ingest", "source", "handler", "sink", ... */
	enum evh_kind kind;
	char *name;   /* the section's title */
	char *plugin; /* "kafka_sink", "./welcome.so"; NULL: missing */
	char *where;  /* for problems: `conf/api.conf: sink "kafka"` */
	struct config_setting *settings; /* without `plugin` */
	unsigned n_settings;
};

struct config_pipeline {
	char *name;
	char *where;
	/* NULL-ended lists of instances' names, and of name patterns; empty
	 * when they are not given, never NULL */
	char **chain, **optional, **on_fail, **on_drop, **match;
	bool otherwise;
	unsigned workers;	 /* 0: on the thread that emits */
	unsigned in_flight;	 /* events, default 10000 */
	uint64_t in_flight_size; /* bytes, default 64 MiB */
	unsigned attempts;	 /* of a handler, default 3 */
	unsigned backoff_ms;	 /* first wait, default 100, doubling */
	unsigned backoff_max_ms; /* up to this, default 10000 */
	unsigned deadline_ms;	 /* 0: none */
	bool has_spool;		 /* there is a section `spool` */
	char *spool_dir;	 /* absolute; NULL: no spool */
	char *spool_when;	 /* outage, always */
	uint64_t spool_max_size; /* bytes, default 1 GiB */
};

struct config {
	char *file; /* as given */
	char *dir;  /* its folder, absolute */
	/* Where bare plugin names are looked for; absolute.  The default is
	 * config_default_plugin_dir(). */
	char *plugin_dir;
	bool debug;	  /* log level debug, over log_level */
	char *log_level;  /* debug, info, warn, error */
	char *log_format; /* logfmt, json */
	char *log_file;	  /* NULL: standard error */
	char *state_dir;  /* what is to survive a crash; NULL: nothing is */
	unsigned shutdown_timeout_ms;
	struct config_instance *instances;
	unsigned n_instances;
	struct config_pipeline *pipelines;
	unsigned n_pipelines;
};

/*
 * Reads `.env` (or env_file, which must exist then) into the environment,
 * never over what is there, unless that is empty.  0, or -errno and problems.
 * [main]
 */
int config_env_read(const char *env_file, struct problems *problems);

/* Where this executable's build or installation has them; malloced, NULL
 * when out of memory.  share: the folder that holds migrations/. */
char *config_default_plugin_dir(void);
char *config_default_share_dir(void);

/*
 * Reads FILE, and checks it as far as that goes without a plugin: types and
 * ranges of the global settings and the pipelines', names used twice.  Before
 * that, EVH_CONF_DIR (the file's folder) and EVH_SHARE_DIR are set in the
 * environment, for ${EVH_SHARE_DIR}/migrations.  Returns NULL only when the
 * file cannot be read or parsed at all, or memory is short, with a problem
 * that says why. [main]
 */
struct config *config_new(const char *file, struct problems *problems);

const struct config_instance *config_instance(const struct config *config,
					      const char *name);
/* Forgets all but these instances (a NULL-ended list of names) and this
 * pipeline (NULL: every one), which has no spool then. */
void config_reduce(struct config *config, const char *const *instances,
		   const char *pipeline);
/* Forgets an instance's settings. */
void config_clear(struct config *config, const char *instance);
void config_free(struct config *config); /* NULL is fine */

/* Whether a NULL-ended list has this name; NULL is an empty one. */
bool config_list_has(char *const *list, const char *name);

#endif

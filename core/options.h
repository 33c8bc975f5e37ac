/*
 * options.h - an instance's settings, checked against its plugin's table.
 *
 * The table is the schema: type, default, allowed values, help.  What comes
 * out answers ctx->opt_str, opt_int and opt_at, and the host's own words of
 * a handler's section (match, attempts, backoff, backoff_max) beside them,
 * which no plugin's table may have.
 */
#ifndef EVH_OPTIONS_H
#define EVH_OPTIONS_H

#include <evh/plugin.h>

#include <stdbool.h>

#include "config.h"
#include "problems.h"

struct loader_plugin;
struct options;

/*
 * Checks all settings of `in` and adds every mistake: unknown ones with the
 * nearest known name, missing ones with the variable to set, wrong types and
 * ranges, EVH_INSTANCE options that name nobody in `config`.  Returns NULL
 * when there was one, or when out of memory.  Borrows plugin and config,
 * which must live longer.
 */
struct options *options_new(const struct loader_plugin *plugin,
			    const struct config_instance *in,
			    const struct config *config,
			    struct problems *problems);
void options_free(struct options *options); /* NULL is fine */

/*
 * What the option is, defaults applied.  options_str: any type but LIST and
 * MAP, as text.  options_int: INT, BOOL (0, 1), SIZE (bytes), MSEC
 * (milliseconds).  options_at: the i-th of a LIST, or the i-th of a MAP with
 * its key; NULL behind the last.  NULL or 0 for a name that is not in the
 * table; options_miss() says then that it is none.  An EVH_INSTANCE option
 * whose value is
 * "" names nobody; options_str gives NULL then. [any]
 */
const char *options_str(const struct options *options, const char *name);
int64_t options_int(const struct options *options, const char *name);
const char *options_at(const struct options *options, const char *name,
		       unsigned i, const char **ret_key);

/* True the first time that it is called for a name that is not in the table: a
 * bug of the plugin, to be told once. [any] */
bool options_miss(const struct options *options, const char *name);

/* The i-th instance that an EVH_INSTANCE option names, and the row of that
 * option; NULL behind the last. */
const char *options_instance(const struct options *options, unsigned i);
const struct evh_option *options_instance_row(const struct options *options,
					      unsigned i);

/* "1500ms" -> 1500, "30s", "5m", "2h", "1d"; a bare number is milliseconds.
 * "64M" -> bytes (K, M, G are powers of 1024).  0, or -EINVAL, -ERANGE. */
int options_parse_msec(const char *text, int64_t *ret_ms);
int options_parse_size(const char *text, int64_t *ret_bytes);
int options_parse_bool(const char *text, bool *ret); /* true 1 yes on ... */

/* The table of the words that are the host's in a handler's section, ended
 * by { 0 }; and all the words that no plugin's table may use. */
const struct evh_option *options_handler_words(void);
bool options_is_reserved(const char *name);

#endif

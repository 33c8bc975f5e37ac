/*
 * settings.h - the options of one pg_store instance, read once.
 *
 * Beside the numbers it makes what libpq is given: keyword and value, side by
 * side.  The password is in there and nowhere else; these arrays are never
 * logged.
 */
#ifndef PG_STORE_SETTINGS_H
#define PG_STORE_SETTINGS_H

#include <evh/plugin.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SETTINGS_WRITERS  16			 /* at most */
#define SETTINGS_EXTRAS	  32			 /* of option `pq` */
#define SETTINGS_CONNINFO (SETTINGS_EXTRAS + 20) /* with the NULL behind */

struct settings {
	const char *host;
	char port[8];
	bool is_docker;
	int64_t out_port;
	int64_t connect_timeout_ms, write_timeout_ms, read_timeout_ms,
		migrate_timeout_ms;
	size_t writers, queue_events, batch_rows, batch_bytes;
	size_t read_connections, read_queue, read_bytes;
	bool auto_migrate;
	const char *migrations; /* folder, or NULL: beside evhd's share */
	char application[80];
	/* Keywords of libpq without hostaddr, ended by NULL. */
	const char *keywords[SETTINGS_CONNINFO];
	const char *values[SETTINGS_CONNINFO];
	size_t n_conninfo;
};

extern const struct evh_option settings_options[]; /* ends with { 0 } */

/* Reads ctx's options; logs what is wrong.  Borrows ctx's strings. 0, -EINVAL.
 */
int settings_init(struct settings *settings, struct evh_ctx *ctx);

/*
 * Why no connection can be made to a host that does not resolve: a sentence
 * that says what to set when evhd runs beside the containers, not in one.
 */
void settings_explain_host(const struct settings *settings, const char *host,
			   const char *why, char *ret, size_t size);

#endif

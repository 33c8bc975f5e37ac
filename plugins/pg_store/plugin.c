/*
 * pg_store: keeps events as rows of a PostgreSQL table, and reads them back.
 *
 * submit() only fills queues (queue.h), one of each writer (writers.h).  A
 * writer's thread (writer.h) takes what is there, writes it (write_batch.h),
 * and answers after the COMMIT.
 * Questions (reader.h) and dead letters (dead.h) have threads and connections
 * of their own, so that none holds up the others.
 * The tables are made by `evhd migrate` (migrate.h).
 */
#include "dead.h"
#include "migrate_command.h"
#include "reader.h"
#include "settings.h"
#include "writers.h"

#include "deadline.h"

#include <evh/plugin.h>
#include <evh/services.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* How long writers may take to give back what they have, once told to: they
 * only ever wait where they can be told. */
#define CANCEL_MS 2000

struct pg_store {
	struct evh_ctx *ctx;
	struct settings settings;
	struct writers writers;
	struct reader reader;
	struct dead dead;
	struct evh_store store;
};

static int
pg_store_create(struct evh_ctx *ctx, void **ret_self)
{
	struct pg_store *pg = calloc(1, sizeof(*pg));
	int rc;

	if (!pg)
		return -ENOMEM;

	pg->ctx = ctx;
	rc = settings_init(&pg->settings, ctx);
	if (rc == 0)
		rc = writers_init(&pg->writers, &pg->settings);
	if (rc < 0) {
		free(pg);
		return rc;
	}

	pg->store = (struct evh_store){
		.self = &pg->reader,
		.get = reader_get,
		.find = reader_find,
	};
	*ret_self = pg;
	return 0;
}

static int
pg_store_start(void *self)
{
	struct pg_store *pg = self;
	struct evh_ctx *ctx = pg->ctx;
	int rc;

	rc = writers_start(&pg->writers, ctx, &pg->settings);
	if (rc < 0) {
		ctx->log(ctx, EVH_ERROR, "cannot start the writers: %s",
			 strerror(-rc));
		return rc;
	}
	rc = reader_start(&pg->reader, ctx, &pg->settings);
	if (rc < 0) {
		ctx->log(ctx, EVH_ERROR, "cannot start the readers: %s",
			 strerror(-rc));
		goto fail_reader;
	}
	rc = dead_start(&pg->dead, &pg->settings);
	if (rc < 0) {
		ctx->log(ctx, EVH_ERROR, "cannot show dead letters: %s",
			 strerror(-rc));
		goto fail_dead;
	}
	return 0;

fail_dead:
	reader_stop(&pg->reader);
fail_reader:
	writers_stop(&pg->writers);
	return rc;
}

static int
pg_store_submit(void *self, struct evh_event *const *evs, int n)
{
	struct pg_store *pg = self;

	return writers_push(&pg->writers, evs, n);
}

static void
pg_store_flush(void *self, int timeout_ms)
{
	struct pg_store *pg = self;

	if (writers_wait_idle(&pg->writers, deadline_in(timeout_ms)) == 0)
		return;

	writers_cancel(&pg->writers);
	if (writers_wait_idle(&pg->writers, deadline_in(CANCEL_MS)) < 0)
		pg->ctx->log(pg->ctx, EVH_ERROR,
			     "a writer has not given its events back");
}

static void
pg_store_stop(void *self, int timeout_ms)
{
	struct pg_store *pg = self;

	(void)timeout_ms; /* all end at once: every wait can be cut short */
	dead_stop(&pg->dead);
	reader_stop(&pg->reader);
	writers_stop(&pg->writers);
}

static void
pg_store_destroy(void *self)
{
	struct pg_store *pg = self;

	writers_fini(&pg->writers);
	free(pg);
}

static const void *
pg_store_service(void *self, const char *id)
{
	struct pg_store *pg = self;

	if (strcmp(id, EVH_STORE_1) == 0)
		return &pg->store;
	return strcmp(id, EVH_DEAD_1) == 0 ? &pg->dead.desk.service : NULL;
}

static int
pg_store_migrate(void *self, int argc, char **argv)
{
	struct pg_store *pg = self;

	return migrate_command(&pg->settings, argc, argv);
}

static const struct evh_command commands[] = {
	{ .name = "migrate", .usage = migrate_usage, .run = pg_store_migrate },
	{ 0 },
};

const struct evh_plugin evh_plugin = {
	EVH_PLUGIN_HEAD,
	.kind = EVH_SINK,
	.threads = EVH_PARALLEL,
	.name = "pg_store",
	.version = EVH_VERSION,
	.summary = "keeps events in a PostgreSQL table, idempotent by id",
	.options = settings_options,
	.commands = commands,
	.create = pg_store_create,
	.start = pg_store_start,
	.flush = pg_store_flush,
	.stop = pg_store_stop,
	.destroy = pg_store_destroy,
	.submit = pg_store_submit,
	.service = pg_store_service,
};

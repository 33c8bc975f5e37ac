#include "bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

void
bench_create(struct bench *bench, const struct pg_server *server,
	     const char *db, ...)
{
	const char *name, *value;
	va_list args;

	memset(bench, 0, sizeof(*bench));
	bench->server = server;
	bench->db = db;
	fake_ctx_init(&bench->fake);
	va_start(args, db);
	while ((name = va_arg(args, const char *))) {
		value = va_arg(args, const char *);
		fake_ctx_set(&bench->fake, name, value);
	}
	va_end(args);
	fake_ctx_set(&bench->fake, "host", "127.0.0.1");
	fake_ctx_set(&bench->fake, "port", server->port);
	fake_ctx_set(&bench->fake, "user", "evh");
	fake_ctx_set(&bench->fake, "password", server->password);
	fake_ctx_set(&bench->fake, "dbname", db);
	assert_int_equal(evh_plugin.create(&bench->fake.ctx, &bench->self), 0);
}

void
bench_start(struct bench *bench)
{
	assert_int_equal(evh_plugin.start(bench->self), 0);
	bench->store = evh_plugin.service(bench->self, EVH_STORE_1);
	assert_non_null(bench->store);
	assert_true(fake_ctx_wait_ready(&bench->fake));
}

void
bench_stop(struct bench *bench)
{
	evh_plugin.flush(bench->self, 1000);
	evh_plugin.stop(bench->self, 1000);
}

void
bench_destroy(struct bench *bench)
{
	evh_plugin.destroy(bench->self);
	fake_ctx_fini(&bench->fake);
}

int
bench_submit(struct bench *bench, struct fake_event *events, unsigned n)
{
	struct evh_event **evs = calloc(n, sizeof(*evs));
	unsigned i;
	int k;

	assert_non_null(evs);
	for (i = 0; i < n; i++)
		evs[i] = &events[i].ev;
	k = evh_plugin.submit(bench->self, evs, (int)n);
	if (k > 0)
		bench->n_submitted += (unsigned)k;
	free(evs);
	return k;
}

void
bench_write(struct bench *bench, struct fake_event *events, unsigned n)
{
	unsigned i;

	assert_int_equal(bench_submit(bench, events, n), n);
	assert_true(fake_ctx_wait_done(&bench->fake, bench->n_submitted));
	for (i = 0; i < n; i++)
		assert_int_equal(events[i].n_done, 1);
}

int
bench_writer_pid(const struct bench *bench)
{
	const char *text = pg_server_sql(
		bench->server, "evh",
		"SELECT pid FROM pg_stat_activity WHERE datname = '%s'"
		" AND application_name = 'evhd/events'"
		" AND query ~ '^(INSERT|UPDATE|COPY)'"
		" ORDER BY backend_start DESC",
		bench->db);
	int pid = (int)strtol(text, NULL, 10);

	/* kill() of less is for a group of processes, or for all. */
	assert_true(pid > 1);
	return pid;
}
